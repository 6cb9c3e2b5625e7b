"""Finished runs put together into one: which go together, on which images the whole may be judged, what it costs.

The work itself, which needs TensorFlow, is `combine`.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from bloodapp import classes
from bloodapp.data.dataset import Dataset
from bloodapp.errors import InvalidValue, NotFound
from bloodapp.runs.origin import dataset_of
from bloodapp.runs.run import Run, new_run, open_run
from bloodapp.runs.unseen import Unseen, everything, unseen
from bloodapp.train.launch import submit
from bloodapp.train.versions import computer, versions
from bloodapp.train.voting import AVERAGE, MAJORITY

HOWS = (AVERAGE, MAJORITY)
"""How several runs answer together."""

VIEWS = 8
"""Views of an image under test-time augmentation: four turns by 90°, each also mirrored."""

RECIPE = "combined"


@dataclass(frozen=True, eq=False)
class Plan:
    """Runs that can be put together.

    Attributes:
        runs: the members, in their order.
        how: `average` or `majority`.
        flips: whether each is asked about all eight views of an image.
        dataset: where the images lie.
        kept: the images that none of them has learned from.
        times: how many times as long as with one network an answer takes.
    """

    runs: tuple[Run, ...]
    how: str
    flips: bool
    dataset: Dataset
    kept: Unseen
    times: int


def plan(runs: Sequence[Run], how: str = AVERAGE, *, flips: bool = False) -> Plan:
    """Check that finished runs can be put together; raises InvalidValue with what to do where they cannot."""
    runs = tuple({run.name: run for run in runs}.values())
    if how not in HOWS:
        raise InvalidValue(f"Runs answer together by {' or '.join(HOWS)}, not by '{how}'.")
    if not runs:
        raise InvalidValue("Choose the runs to put together.")
    if len(runs) == 1 and not flips:
        raise InvalidValue(
            "One run alone is put together with nothing: add another run, or test-time augmentation."
        )
    first = runs[0]
    for run in runs:
        _fits(run, first, flips)
    _once(runs)
    dataset = dataset_of(first)
    if dataset is None:
        raise InvalidValue(
            f"The images that '{first.name}' learned from are not here, and without them nothing can be judged: "
            f"import '{first.dataset}' again."
        )
    kept = unseen(runs)
    if not len(kept):
        raise InvalidValue(
            "Between them these runs have learned from every image that the others kept aside, so that nothing is left "
            "to judge them on together: train them with the same split, that is with the same seed and shares."
        )
    return Plan(runs, how, flips, dataset, kept, sum(map(networks, runs)) * (VIEWS if flips else 1))


def start(wanted: Plan, *, name: str | None = None, title: str = "") -> Run:
    """Claim a run folder for the whole and queue the work; raises AlreadyExists when the name is taken."""
    newest = max(wanted.runs, key=lambda run: int(run.config["seq"]))
    config: dict[str, Any] = {
        "title": title,
        "recipe": {"name": RECIPE, "title": "Combined"},
        "combined": {
            "members": [run.name for run in wanted.runs],
            "how": wanted.how,
            "tta": wanted.flips,
        },
        "dataset": wanted.dataset.name,
        "fingerprint": newest.config["fingerprint"],
        "seq": int(newest.config["seq"]),
        "classes": classes.to_json(newest.classes),
        "size": newest.size,
        "versions": versions(),
        "computer": computer(),
    }
    folder = new_run(config, everything(wanted.runs, wanted.kept), name)
    number = len(wanted.runs)
    what = f"Combine {number} runs" if number > 1 else f"Test-time augmentation of {wanted.runs[0].title}"
    return submit(folder, wanted.dataset.name, what, "combine")


def members(run: Run) -> list[Run]:
    """The runs that one was put together from; raises InvalidValue where one is gone or has lost its model."""
    found = []
    for name in run.config["combined"]["members"]:
        try:
            member = open_run(name)
        except NotFound as error:
            raise InvalidValue(
                f"'{name}', which was to be combined, is not here any more: start anew without it."
            ) from error
        if not member.finished:
            raise InvalidValue(f"'{name}' has no model any more: start anew without it.")
        found.append(member)
    return found


def networks(run: Run) -> int:
    """How many times a run asks a network about one image."""
    told = run.config.get("combined")
    if told:
        asked = (run.report() or {}).get("asked")
        return int(asked or len(told["members"]) * (VIEWS if told["tta"] else 1))
    return len(run.config["series"]["children"]) if run.series == "folds" else 1


def _once(runs: Sequence[Run]) -> None:
    """Raise InvalidValue where a run is among the members twice, by itself or inside others: it would count twice."""
    holder: dict[str, str] = {}
    for run in runs:
        for name in _inside(run):
            if name in holder:
                whole = next((one for one in (run.name, holder[name]) if one != name), run.name)
                raise InvalidValue(
                    f"'{name}' would be there twice, as '{whole}' holds it already: leave one of "
                    f"'{holder[name]}' and '{run.name}' out."
                )
            holder[name] = run.name


def _inside(run: Run) -> set[str]:
    """The names of a run and of all runs that it was put together from, also of those that are gone."""
    found, ahead = {run.name}, [run]
    while ahead:
        one = ahead.pop()
        parts = (one.config.get("combined") or {}).get("members", [])
        parts = [*parts, *(one.config["series"].get("children", []) if one.series == "folds" else [])]
        for name in parts:
            if name not in found:
                found.add(name)
                with suppress(NotFound):
                    ahead.append(open_run(name))
    return found


def _fits(run: Run, first: Run, flips: bool) -> None:
    if not run.finished:
        raise InvalidValue(f"'{run.name}' has no finished model: choose another run, or let it finish.")
    if run.size != first.size:
        raise InvalidValue(
            f"'{first.name}' takes images of {first.size} pixels and '{run.name}' of {run.size}: "
            "only runs of one size can be put together."
        )
    if [c.key for c in run.classes] != [c.key for c in first.classes]:
        raise InvalidValue(
            f"'{first.name}' and '{run.name}' tell different classes apart: "
            "only runs of the same classes can be put together."
        )
    if run.config["fingerprint"] != first.config["fingerprint"]:
        raise InvalidValue(
            f"'{first.name}' and '{run.name}' learned from different datasets, so that nobody knows which images "
            "neither has seen: train both on one dataset."
        )
    if flips and (run.config.get("combined") or {}).get("tta"):
        raise InvalidValue(
            f"'{run.name}' has test-time augmentation already: do without it here, or leave that run out."
        )
