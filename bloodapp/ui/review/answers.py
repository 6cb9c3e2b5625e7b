"""The decisions that a component in the browser sends, written into the ledger once each, whatever happens on the way.

The browser sends an act again until it is answered; its id makes the second time do nothing. What cannot be done is
answered with a sentence, and the browser takes it back.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bloodapp.data import decisions, ledger
from bloodapp.data.dataset import Dataset
from bloodapp.errors import BloodappError, InvalidValue
from bloodapp.ui import state
from bloodapp.ui.review import acts as page

_MOST = 400

Resolve = Callable[[dict[str, Any]], NDArray[np.int64]]
"""From what a filter showed when something was selected to the images that it showed."""


Do = Callable[[dict[str, Any], str], int]
"""Writes an act down under its id and gives the number of what it has written."""


def perform(dataset: Dataset, key: str, sent: Iterable[Any], resolve: Resolve | None = None) -> bool:
    """Write down the decisions that the component `key` sent and that were not answered yet; see `perform_with`."""
    return perform_with(key, sent, lambda act, name: decide(dataset, act, name, resolve))


def perform_with(key: str, sent: Iterable[Any], do: Do) -> bool:
    """Do what the component `key` sent and what was not answered yet; whether there was anything."""
    told = answered(key)
    done, failed = dict(told["done"]), dict(told["failed"])
    known = len(done) + len(failed)
    for act in sent:
        if not isinstance(act, dict) or not act.get("id") or str(act["id"]) in {*done, *failed}:
            continue
        name = str(act["id"])
        try:
            done[name] = do(act, name)
        except BloodappError as problem:
            failed[name] = str(problem)
        except (KeyError, TypeError, ValueError) as problem:
            failed[name] = f"This decision could not be read ({problem}): reload the page and decide again."
    if len(done) + len(failed) == known:
        return False
    state.put(f"{key}-answered", {"done": _newest(done), "failed": _newest(failed)})
    return True


def _newest(answers: dict[str, Any]) -> dict[str, Any]:
    """The last answers; whoever asks about an older act again is answered by the ledger."""
    return dict(list(answers.items())[-_MOST:])


def answered(key: str) -> dict[str, dict[str, Any]]:
    """What the browser is told: the batch of each act that is written down, and why others are not."""
    told: dict[str, dict[str, Any]] = state.get(f"{key}-answered") or {"done": {}, "failed": {}}
    return told


def decide(dataset: Dataset, act: dict[str, Any], name: str, resolve: Resolve | None = None) -> int:
    """Write one decision, or an undo, into the ledger under its id, and give its batch; raises BloodappError."""
    if act["does"] == "undo":
        return _undo(dataset, act, name)
    on = np.asarray(act.get("on") or [], np.int64)
    if act.get("also") and resolve is not None:
        on = np.union1d(on, resolve(act["also"]))
    label = int(act["label"]) if act["does"] == "relabel" else None
    because = ": ".join(part for part in (str(act.get("why") or ""), page.reason()) if part)
    return decisions.record(
        dataset, on, str(act["does"]), label=label, why=because, who=page.who(), once=name
    )


def _undo(dataset: Dataset, act: dict[str, Any], name: str) -> int:
    undo = partial(decisions.undo, dataset, why=page.reason(), who=page.who(), once=name)
    if act.get("image") is not None:
        return undo(seq=_last_about(dataset, int(act["image"])))
    batch = act.get("batch")
    if batch is None:
        with ledger.reading(dataset.path) as connection:
            batch = ledger.batch_of(connection, str(act.get("act")))
    if batch is None:
        raise InvalidValue("What was to be taken back was never written down, so nothing had to be.")
    return undo(batch=int(batch))


def _last_about(dataset: Dataset, index: int) -> int:
    """The last decision about an image that holds; raises InvalidValue where there is none."""
    with ledger.reading(dataset.path) as connection:
        cancelled = ledger.cancelled(connection)
        for (seq,) in connection.execute(
            'select seq from events where "index" = ? and cancels is null order by seq desc', (index,)
        ):
            if seq not in cancelled:
                return int(seq)
    raise InvalidValue(f"There is no decision about image {index:,} that holds.")
