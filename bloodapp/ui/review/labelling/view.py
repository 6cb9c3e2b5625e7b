"""The view Label: the queue of images without a label, a second reader, and how far readers agree."""

from pathlib import Path

import streamlit as st

from bloodapp.data.dataset import Dataset
from bloodapp.ui import css, state
from bloodapp.ui.review.labelling import agreement, beside, queue, reader

_PART = "l_part"
_STYLE = Path(__file__).with_name("view.css")
NAMES = (_PART, beside.RUN, *reader.NAMES, *agreement.NAMES)
"""What the address carries."""

_PARTS = {"queue": "Label queue", "reader": "Second reader", "agreement": "Agreement"}


def draw(dataset: Dataset) -> None:
    """Draw the part that is chosen."""
    css.style(_STYLE)
    part = _part()
    if part == "queue":
        beside.watch(dataset)
        queue.draw(dataset)
    elif part == "reader":
        reader.draw(dataset)
    else:
        agreement.draw(dataset)


def _part() -> str:
    chosen = str(state.get(_PART) or "")
    chosen = chosen if chosen in _PARTS else "queue"
    state.show("label-part", chosen)
    st.pills(
        "Part of Label",
        list(_PARTS),
        key="label-part",
        required=True,
        format_func=_PARTS.__getitem__,
        label_visibility="collapsed",
        on_change=lambda: state.put(_PART, _unless_first(st.session_state["label-part"])),
    )
    return chosen


def _unless_first(part: str) -> str | None:
    return None if part == "queue" else part
