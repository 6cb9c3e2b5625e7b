"""The tools over the views of the Augment page: which cells, how many looks, which draw."""

import streamlit as st

from bloodapp.data.dataset import Dataset
from bloodapp.ui import state
from bloodapp.ui.augment.cells import number

LOOKS = {1: "24 cells, once", 2: "12 cells, twice", 3: "8 cells, 3 times"}
MOST = 1_000_000
"""The largest seed that can be typed."""

_ALL = "all"


def cells_of(dataset: Dataset) -> None:
    """The choice of a class."""
    titles = {_ALL: "All classes", **{each.key: each.title for each in dataset.classes}}
    wanted = state.get("class")
    st.session_state["augment-class"] = wanted if wanted in titles else _ALL
    st.selectbox(
        "Cells of",
        list(titles),
        key="augment-class",
        format_func=lambda key: titles[key],
        width=140,
        on_change=_keep_class,
    )


def looks() -> int:
    """The choice of how often each cell is shown."""
    chosen = number("looks", 1) if number("looks", 1) in LOOKS else 1
    st.session_state["augment-looks"] = chosen
    st.selectbox(
        "Show",
        list(LOOKS),
        key="augment-looks",
        format_func=lambda count: LOOKS[count],
        width=145,
        on_change=lambda: state.put("looks", st.session_state["augment-looks"]),
    )
    return chosen


def seed() -> int:
    """The draw's number, which can be typed, and the button that takes the next one."""
    chosen = min(number("draw", 1), MOST)
    st.session_state["augment-seed"] = chosen
    st.number_input(
        "Draw",
        0,
        MOST,
        key="augment-seed",
        width=76,
        on_change=lambda: state.put("draw", int(st.session_state["augment-seed"])),
    )
    st.button("Draw again", icon=":material/casino:", on_click=_next, args=("draw",), key="augment-draw")
    return chosen


def other_cells() -> None:
    """The button that takes other cells of the dataset."""
    st.button("Other cells", icon=":material/shuffle:", on_click=_next, args=("cells",), key="augment-cells")


def _keep_class() -> None:
    picked = st.session_state["augment-class"]
    state.put("class", None if picked == _ALL else picked)


def _next(key: str) -> None:
    state.put(key, min(number(key, 1), MOST - 1) + 1)
