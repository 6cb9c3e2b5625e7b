"""What the buttons of the Review page do: record a decision, undo one, say what happened."""

import getpass
from collections.abc import Sequence

import streamlit as st
from numpy.typing import NDArray

from bloodapp.classes import CellClass
from bloodapp.data import decisions
from bloodapp.data.dataset import Dataset
from bloodapp.errors import BloodappError
from bloodapp.review.findings import KINDS
from bloodapp.review.queue import Card, Offer
from bloodapp.ui import frame, state
from bloodapp.ui.text import count, plain

FLAG_REASONS = ("Look again later", "Ask an expert", "Unsure of the class", "Poor image")
"""Why an image may be put aside; the first is what the shortcut records."""

HISTORY = "history"
"""The name of the dialog with all decisions; any other name is the key of a card that is looked at closer."""

_DIALOG = "review_dialog"
_SAID = "review_said"
_WRONG = "review_wrong"


def who() -> str:
    """Whose decisions these are: the name in the name field, else that of the account."""
    return str(state.get("who") or "").strip() or account()


def account() -> str:
    """The name of the account that runs the app, or an empty string."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # an account without a name, as in some containers
        return ""


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
    """Record one decision; the page says so when it is drawn next."""
    try:
        decisions.record(dataset, indices, action, label=label, why=because, who=who())
    except BloodappError as problem:
        state.put(_WRONG, str(problem))
    else:
        state.put(_SAID, sentence(action, len(indices), label, dataset.classes))


def take(dataset: Dataset, card: Card, offer: Offer) -> None:
    """Record an offered decision about a card."""
    because = why(card) + ("; one is kept" if len(offer.indices) < len(card.indices) else "")
    decide(dataset, offer.indices, offer.action, because=because)


def flag(dataset: Dataset, indices: NDArray, menu: str) -> None:
    """Put images aside for the reason that was chosen in a menu."""
    decide(dataset, indices, "flag", because=str(st.session_state[menu]))


def relabel(dataset: Dataset, indices: NDArray, menu: str, because: str) -> None:
    """Give images the label that was chosen in a menu."""
    decide(dataset, indices, "relabel", label=int(st.session_state[menu]), because=because)


def undo(dataset: Dataset, batch: int, *, again: bool = False) -> None:
    """Undo a batch at any time; with `again` the batch is an undo, and what it undid holds again."""
    try:
        decisions.undo(dataset, batch=batch, who=who())
    except BloodappError as problem:
        state.put(_WRONG, str(problem))
    else:
        state.put(_SAID, "Done again." if again else "Undone.")


def open_dialog(name: str) -> None:
    """Open a dialog when the page is drawn next."""
    state.put(_DIALOG, name)


def close_dialog() -> None:
    """No dialog any more."""
    state.put(_DIALOG, None)


def dialog() -> str:
    """The name of the dialog that is open, or an empty string."""
    return str(state.get(_DIALOG) or "")


def keys() -> bool:
    """Whether keys may act: they reach the page's buttons through an open dialog too, where nobody means them."""
    return not dialog() and not st.session_state.get("import")


def report() -> None:
    """Say what the last click did, once."""
    if wrong := state.get(_WRONG):
        frame.error(wrong)
        state.put(_WRONG, None)
    if said := state.get(_SAID):
        st.toast(plain(said), icon=":material/check:")
        state.put(_SAID, None)


def sentence(action: str, number: int, label: int | None, classes: Sequence[CellClass]) -> str:
    """A decision in words: `Excluded 1,600 images`, `Relabelled 2 images Monocyte`."""
    if action == "relabel":
        title = classes[label].title if label is not None and 0 <= label < len(classes) else "?"
        return f"Relabelled {count(number, 'image')} {title}"
    verb = {"exclude": "Excluded", "keep": "Kept", "flag": "Flagged"}.get(action, action.capitalize())
    return f"{verb} {count(number, 'image')}"
