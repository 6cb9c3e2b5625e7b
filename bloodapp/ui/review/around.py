"""Looking around: both ends of the dataset, and everything that looks like a marked picture."""

import streamlit as st

from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import Judged
from bloodapp.ui import state
from bloodapp.ui.review import ends, like, side

NAMES = ("like",)
"""What the address carries: the marked picture; without one, both ends are shown."""

_LAST = "like-last"
_MODES = {"ends": "Both ends", "like": "What looks like this"}


def draw(dataset: Dataset, judged: Judged) -> None:
    """Draw this part of the page, and beside it what remains and the last decisions."""
    marked = _marked(len(dataset))
    with st.container(key="review-body"):
        left, right = st.columns([7, 2.4], gap="large")
        with left:
            _modes(marked)
            if marked is None:
                ends.draw(dataset, judged, mark)
            else:
                like.draw(dataset, judged, marked, mark)
        with right:
            side.draw(dataset, judged)


def mark(index: int) -> None:
    """Lead to everything that looks like this image."""
    state.put("view", "around")
    state.put("like", str(index))
    state.put(_LAST, str(index))
    like.forget()


def open_ends() -> None:
    """Lead to both ends of the dataset."""
    state.put("view", "around")
    state.put("like", None)


def _modes(marked: int | None) -> None:
    st.session_state["around-mode"] = "ends" if marked is None else "like"
    st.segmented_control(
        "Look at",
        list(_MODES),
        key="around-mode",
        required=True,
        format_func=lambda one: _MODES[one],
        label_visibility="collapsed",
        on_change=_choose_mode,
    )


def _choose_mode() -> None:
    if st.session_state["around-mode"] == "ends":
        open_ends()
    else:
        mark(int(state.get(_LAST) or 0))


def _marked(size: int) -> int | None:
    """The marked picture as the address has it; what does not exist is passed over and taken out of the address."""
    asked = str(state.get("like") or "")
    index = int(asked) if asked.isdecimal() and len(asked) < 12 and int(asked) < size else None
    kept = None if index is None else str(index)
    if kept != state.get("like"):
        state.put("like", kept)
    return index
