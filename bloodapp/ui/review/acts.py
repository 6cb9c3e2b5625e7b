"""What the buttons of the Review page do: record a decision, undo one, say what happened."""

from collections.abc import Callable, Sequence

import streamlit as st
from numpy.typing import NDArray

from bloodapp.classes import CellClass
from bloodapp.data import decisions
from bloodapp.data.dataset import Dataset
from bloodapp.errors import BloodappError
from bloodapp.review.findings import KINDS
from bloodapp.review.queue import Card, Offer
from bloodapp.ui import dialogs, frame, state
from bloodapp.ui.text import count, moments_ago, plain

FLAG_REASONS = ("Look again later", "Ask an expert", "Unsure of the class", "Poor image")
"""Why an image may be put aside; the first is what the shortcut records."""

REASON = "because"
"""Where the reason in people's own words is kept, which goes with every decision while it stands there."""

_VERBS = {"exclude": "excluded", "keep": "kept", "flag": "flagged", "relabel": "relabelled"}
_SEEN = "review_seen"
_MINE = "review_mine"
_SAID = "review_said"
_WRONG = "review_wrong"


def who() -> str:
    """Whose decisions these are: the name in the name field, else that of the account."""
    return str(state.get("who") or "").strip() or decisions.user()


def why(card: Card) -> str:
    """The reason that is recorded with a decision about a card."""
    return ", ".join(KINDS[kind].title if kind in KINDS else kind for kind in card.kinds)


def decide(
    dataset: Dataset,
    indices: Sequence[int] | NDArray,
    action: str,
    *,
    label: int | None = None,
    because: str = "",
) -> None:
    """Record one decision; the page says so when it is drawn next, and what others did about these images meanwhile."""
    try:
        batch = decisions.record(dataset, indices, action, label=label, why=_in_full(because), who=who())
        others = _meanwhile(dataset, indices, batch)
    except BloodappError as problem:
        wrong(problem)
    else:
        say(
            ". ".join(
                part for part in (sentence(action, len(indices), label, dataset.classes), others) if part
            )
        )


def take(dataset: Dataset, card: Card, offer: Offer) -> None:
    """Record an offered decision about a card."""
    one_stays = offer.action == "exclude" and len(offer.indices) < len(card.indices)
    because = why(card) + ("; one is kept" if one_stays else "")
    decide(dataset, offer.indices, offer.action, label=offer.label, because=because)


def flag(dataset: Dataset, indices: NDArray, menu: str) -> None:
    """Put images aside for the reason that was chosen in a menu."""
    decide(dataset, indices, "flag", because=str(st.session_state[menu]))


def relabel(dataset: Dataset, indices: NDArray, menu: str, because: str) -> None:
    """Give images the label that was chosen in a menu."""
    decide(dataset, indices, "relabel", label=int(st.session_state[menu]), because=because)


def undo(dataset: Dataset, batch: int, *, again: bool = False) -> None:
    """Undo a batch at any time; with `again` the batch is an undo, and what it undid holds again."""
    _turn(decisions.undo, "Done again." if again else "Undone.", dataset, batch=batch)


def undo_event(dataset: Dataset, seq: int) -> None:
    """Undo the decision about one image of a batch."""
    _turn(decisions.undo, "Undone for this image.", dataset, seq=seq)


def redo_event(dataset: Dataset, seq: int) -> None:
    """Make the decision about one image hold again."""
    _turn(decisions.redo, "Done again for this image.", dataset, seq=seq)


def _turn(act: Callable[..., int], said: str, dataset: Dataset, **what: int) -> None:
    """Undo or redo under the name and with the reason of the page, and say what came of it."""
    try:
        act(dataset, **what, why=reason(), who=who())
    except BloodappError as problem:
        wrong(problem)
    else:
        say(said)


def reason() -> str:
    """The reason in people's own words, or an empty string."""
    return str(state.get(REASON) or "").strip()


def saw(dataset: Dataset, seq: int) -> None:
    """Remember up to which event the page shows the decisions about a dataset."""
    state.put(_SEEN, {dataset.name: seq})
    state.put(_MINE, [])


def say(text: str) -> None:
    """Have the page say this when it is drawn next."""
    state.put(_SAID, text)


def wrong(problem: Exception) -> None:
    """Have the page tell of a mistake when it is drawn next."""
    state.put(_WRONG, str(problem))


def keys() -> bool:
    """Whether keys may act: they reach the page's buttons through an open dialog too, where nobody means them."""
    return not dialogs.shown()


def report() -> None:
    """Say what the last click did, once: after a dialog in which it was done, whose place a toast would take."""
    if wrong := state.get(_WRONG):
        frame.error(wrong)
        state.put(_WRONG, None)
    if (said := state.get(_SAID)) and not dialogs.shown():
        st.toast(plain(said), icon=":material/check:")
        state.put(_SAID, None)


def sentence(action: str, number: int, label: int | None, classes: Sequence[CellClass]) -> str:
    """A decision in words: `Excluded 1,600 images`, `Relabelled 2 images Monocyte`."""
    if action == "relabel":
        title = f" {classes[label].title}" if label is not None and 0 <= label < len(classes) else ""
        return f"Relabelled {count(number, 'image')}{title}"
    verb = {"exclude": "Excluded", "keep": "Kept", "flag": "Flagged"}.get(action, action.capitalize())
    return f"{verb} {count(number, 'image')}"


def _in_full(because: str) -> str:
    """What was found, and the reason in people's own words."""
    return ": ".join(part for part in (because, reason()) if part)


def _meanwhile(dataset: Dataset, indices: Sequence[int] | NDArray, batch: int) -> str:
    """What somebody else decided about these images after this page was drawn: `Anna excluded it 3 s ago, too`."""
    seen = (state.get(_SEEN) or {}).get(dataset.name)
    mine = [*(state.get(_MINE) or []), batch]
    state.put(_MINE, mine)
    if seen is None:
        return ""
    found = decisions.meanwhile(dataset, indices, after=seen, batch=batch)
    found = [event for event in found if event.batch not in mine]
    if not found:
        return ""
    last = found[0]
    number = len({event.index for event in found if event.batch == last.batch})
    whom = "it" if len(indices) == 1 else "them" if number == len(indices) else f"{number:,} of them"
    other = last.who if last.who and last.who != who() else "Another tab"
    return f"{other} {_VERBS[last.action]} {whom} {moments_ago(last.when)}, both stand in the ledger"
