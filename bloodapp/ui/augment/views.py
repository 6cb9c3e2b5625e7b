"""What a pipeline does to one's own cells, in four views: the preview, each operation, a sweep, the safety meter."""

from pathlib import Path

import streamlit as st

from bloodapp.augment.pipelines import Pipeline
from bloodapp.data.dataset import Dataset
from bloodapp.ui import css, state
from bloodapp.ui.augment import each, preview, safety, speed, sweep

STYLE = Path(__file__).with_name("views.css")
VIEWS = {"preview": "Preview", "each": "Each operation", "sweep": "Strengths", "safety": "Safety meter"}
"""The views, as the address and as people name them."""


def draw(dataset: Dataset, pipeline: Pipeline) -> None:
    """Draw the tools and the chosen view; the page has registered FILTERS with `state`."""
    css.style(STYLE)
    with st.container(key="augment-views"):
        view = _view()
        if view == "preview":
            preview.draw(dataset, pipeline)
        elif view == "each":
            each.draw(dataset, pipeline)
        elif view == "sweep":
            sweep.draw(dataset, pipeline)
        else:
            safety.draw(dataset, pipeline)
        speed.draw(dataset, pipeline)


def _view() -> str:
    chosen = str(state.get("view") or "")
    chosen = chosen if chosen in VIEWS else "preview"
    st.segmented_control(
        "What to look at",
        list(VIEWS),
        default=state.show("augment-view", chosen),
        key="augment-view",
        required=True,
        format_func=lambda one: VIEWS[one],
        label_visibility="collapsed",
        on_change=_keep_view,
    )
    return chosen


def _keep_view() -> None:
    picked = st.session_state["augment-view"]
    state.put("view", None if picked == "preview" else picked)
