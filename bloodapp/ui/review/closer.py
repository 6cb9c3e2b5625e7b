"""A closer look at a card: side by side with what differs, or all its pictures, some of which can be chosen."""

from collections.abc import Callable

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import Judged
from bloodapp.review.queue import Card
from bloodapp.ui import dialogs, state
from bloodapp.ui.picker import picker
from bloodapp.ui.review import acts, group, pictures
from bloodapp.ui.text import count
from bloodapp.ui.thumbs import data_uri, thumbnail

A_PAGE = 60
PICKER = "closer-picker"
VIEW = "closer_view"
"""Under what the chosen way to look is kept."""

_NAME = "closer-"  # what the dialog's name begins with; its card's follows
_VIEWS = {"beside": "Side by side", "some": "Choose images"}


def draw(dataset: Dataset, judged: Judged, queue: list[Card], mark: Callable[[int], None]) -> None:
    """Draw the dialog if one of these cards is to be looked at closer; `mark` leads to what looks like an image."""
    asked = dialogs.shown()
    if not asked.startswith(_NAME):
        return
    card = next((one for one in queue if _NAME + one.key == asked), None)
    if card is None:  # a new scan has found something else
        dialogs.close()
        return
    if dialogs.drawn(asked):
        _dialog(dataset, judged, card, mark)


def ask_for(card: Card) -> None:
    """Open the dialog for a card, with nothing chosen."""
    st.session_state.pop(PICKER, None)
    group.forget()
    dialogs.show(_NAME + card.key)


@st.dialog("A closer look", width="large", on_dismiss=dialogs.close)
def _dialog(dataset: Dataset, judged: Judged, card: Card, mark: Callable[[int], None]) -> None:
    if _view() == "beside":
        group.draw(dataset, card)
    else:
        _some(dataset, judged, card, mark)


def _view() -> str:
    """Which way to look is chosen."""
    chosen = str(state.get(VIEW) or "")
    chosen = chosen if chosen in _VIEWS else "beside"
    st.session_state["closer-view"] = chosen
    st.segmented_control(
        "Look at them",
        list(_VIEWS),
        key="closer-view",
        required=True,
        format_func=lambda one: _VIEWS[one],
        label_visibility="collapsed",
        on_change=lambda: state.put(VIEW, st.session_state["closer-view"]),
    )
    return chosen


def _some(dataset: Dataset, judged: Judged, card: Card, mark: Callable[[int], None]) -> None:
    """All pictures, to choose some by clicking."""
    st.html(
        '<p class="quiet">Click the images that a decision is about; Shift and click for a whole stretch.</p>'
    )
    pages = -(-len(card.indices) // A_PAGE)
    page = st.pagination(pages, key=f"closer-page-{card.key}") if pages > 1 else 1
    here = card.indices[(page - 1) * A_PAGE : page * A_PAGE]
    tiles = [tile(dataset, judged, int(index)) for index in here]
    chosen = np.array(picker(tiles, key=PICKER, version=f"{card.key}-{page}"), np.int64)
    chosen = chosen[np.isin(chosen, card.indices)]
    if act_on(dataset, chosen, acts.why(card), key="closer"):
        dialogs.close()
        st.rerun()
    if len(chosen) == 1 and st.button(
        "Find what looks like this", key="closer-like", type="tertiary", icon=":material/image_search:"
    ):
        mark(int(chosen[0]))
        dialogs.close()
        st.rerun()


def act_on(dataset: Dataset, chosen: NDArray[np.int64], because: str, *, key: str) -> bool:
    """Draw what can be done about chosen images, and do it; whether something was decided.

    Args:
        dataset: theirs.
        chosen: int64 (M,), possibly none.
        because: the reason that is recorded.
        key: what the keys of the buttons begin with.
    """
    none = len(chosen) == 0
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        words = "Click images to choose them" if none else f"{count(len(chosen), 'image')} chosen"
        st.html(f'<p class="chosen{" none" if none else ""}">{words}</p>', width="content")
        excluded = st.button("Exclude", type="primary", disabled=none, key=f"{key}-exclude")
        kept = st.button("Keep", disabled=none, key=f"{key}-keep")
        label = st.menu_button(
            "Relabel",
            range(len(dataset.classes)),
            format_func=lambda label: dataset.classes[label].title,
            disabled=none,
            key=f"{key}-relabel",
        )
        reason = st.menu_button("Flag", acts.FLAG_REASONS, disabled=none, key=f"{key}-flag")
    if excluded or kept:
        acts.decide(dataset, chosen, "exclude" if excluded else "keep", because=because)
    elif label is not None:
        acts.decide(dataset, chosen, "relabel", label=int(label), because=because)
    elif reason is not None:
        acts.decide(dataset, chosen, "flag", because=str(reason))
    return bool(excluded or kept or label is not None or reason is not None)


def tile(dataset: Dataset, judged: Judged, index: int, text: str | None = None) -> dict[str, object]:
    """One image as the picker takes it, with its class or another text below."""
    label = int(judged.labels[index])
    title = dataset.classes[label].title if label >= 0 else "no label"
    return {
        "id": index,
        "src": data_uri(thumbnail(dataset, index)),
        "text": title if text is None else text,
        "hint": pictures.hint(dataset, judged, index),
        "colour": pictures.colour_of(dataset, judged, index),
        "out": not bool(judged.included[index]),
    }
