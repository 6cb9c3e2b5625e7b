"""A closer look at a card: all its pictures, some of which can be chosen and decided about."""

import numpy as np
import streamlit as st

from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import Judged
from bloodapp.review.queue import Card
from bloodapp.ui import review_acts
from bloodapp.ui import review_pictures as pictures
from bloodapp.ui.picker import picker
from bloodapp.ui.text import count
from bloodapp.ui.thumbs import data_uri, thumbnail

A_PAGE = 60
PICKER = "closer-picker"


def draw(dataset: Dataset, judged: Judged, queue: list[Card]) -> None:
    """Draw the dialog if one of these cards is to be looked at closer."""
    card = next((one for one in queue if one.key == review_acts.dialog()), None)
    if card is not None:
        _dialog(dataset, judged, card)


def ask_for(card: Card) -> None:
    """Open the dialog for a card, with nothing chosen."""
    st.session_state.pop(PICKER, None)
    review_acts.open_dialog(card.key)


@st.dialog("Choose images", width="large", on_dismiss=review_acts.close_dialog)
def _dialog(dataset: Dataset, judged: Judged, card: Card) -> None:
    st.html(
        '<p class="quiet">Click the images that a decision is about; Shift and click for a whole stretch.</p>'
    )
    pages = -(-len(card.indices) // A_PAGE)
    page = st.pagination(pages, key=f"closer-page-{card.key}") if pages > 1 else 1
    here = card.indices[(page - 1) * A_PAGE : page * A_PAGE]
    tiles = [_tile(dataset, judged, int(index)) for index in here]
    chosen = np.array(picker(tiles, key=PICKER, version=f"{card.key}-{page}"), np.int64)
    chosen = chosen[np.isin(chosen, card.indices)]
    because = review_acts.why(card)
    none = len(chosen) == 0
    st.html(f'<p class="chosen">{count(len(chosen), "image")} chosen</p>')
    with st.container(horizontal=True, gap="small"):
        if st.button("Exclude", type="primary", disabled=none, key="closer-exclude"):
            _close_after(dataset, chosen, "exclude", because)
        if st.button("Keep", disabled=none, key="closer-keep"):
            _close_after(dataset, chosen, "keep", because)
        label = st.menu_button(
            "Relabel",
            range(len(dataset.classes)),
            format_func=lambda label: dataset.classes[label].title,
            disabled=none,
            key="closer-relabel",
        )
        if label is not None:
            _close_after(dataset, chosen, "relabel", because, int(label))
        reason = st.menu_button("Flag", review_acts.FLAG_REASONS, disabled=none, key="closer-flag")
        if reason is not None:
            _close_after(dataset, chosen, "flag", str(reason))


def _close_after(
    dataset: Dataset, chosen: np.ndarray, action: str, because: str, label: int | None = None
) -> None:
    review_acts.decide(dataset, chosen, action, label=label, because=because)
    review_acts.close_dialog()
    st.rerun()


def _tile(dataset: Dataset, judged: Judged, index: int) -> dict[str, object]:
    label = int(judged.labels[index])
    return {
        "id": index,
        "src": data_uri(thumbnail(dataset, index)),
        "text": dataset.classes[label].title if label >= 0 else "no label",
        "hint": pictures.hint(dataset, judged, index),
        "colour": pictures.colour_of(dataset, judged, index),
        "out": not bool(judged.included[index]),
    }
