"""The Augment page: choose or write a pipeline, and see on one's own cells what it does.

The preview draws with the layers that train. It always sends the same number of images, so that a
traced pipeline is used again; what was drawn once is remembered by its pipeline, cells and seed.
"""

import importlib
import sys

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from bloodapp.augment.named import NONE, PIPELINES
from bloodapp.augment.pipelines import Pipeline, resolve
from bloodapp.augment.pipelines import text as pipeline_text
from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.errors import BloodappError, PipelineError
from bloodapp.train.recipes import DEFAULT, recipe_named
from bloodapp.ui import frame, pairs, pipeline_text_help, state
from bloodapp.ui.frame import Here
from bloodapp.ui.pipeline_chips import STYLE, chips
from bloodapp.ui.steps import judged

OWN = "own"
IMAGES = 24
"""Images in a preview, whatever is shown: 24 cells once, 12 twice or 8 three times."""

LOOKS = {1: "24 cells, once", 2: "12 cells, twice", 3: "8 cells, 3 times"}
FILTERS = ("pipeline", "class", "cells", "draw", "looks")
"""What the address carries: the pipeline looked at, a class's key, the two seeds and the looks at a cell."""

_ALL = "all"
_LAYERS = "bloodapp.augment.layers"


def draw(here: Here) -> None:
    """Draw the page for the chosen dataset."""
    assert here.dataset is not None
    dataset = here.dataset
    state.register("augment", FILTERS)
    st.html(STYLE)
    with st.container(key="augment"):
        left, right = st.columns([4, 9], gap="large")
    with right:
        indices = _cells(dataset)
        preview = st.container(key="augment-preview")
    with left:
        pipeline = _choose(preview)
    if pipeline is not None:
        frame.section(
            "What it does",
            "one after the other; values are drawn for each image, choices for every eight images",
        )
        st.html(chips(pipeline))
        # Last, so that everything else is on the page while TensorFlow loads.
        with preview:
            _preview(dataset, pipeline, indices)


def _choose(preview: DeltaGenerator) -> Pipeline | None:
    """The choice of a pipeline and the way into training; None while its text cannot be read.

    What is wrong with it is told where the preview would be.
    """
    chosen = _chosen()
    st.session_state["augment-choice"] = chosen if chosen in PIPELINES else OWN
    st.radio(
        "Pipeline",
        [*PIPELINES, OWN],
        key="augment-choice",
        format_func=lambda name: PIPELINES[name].title if name in PIPELINES else "My own",
        captions=[
            *(named.why for named in PIPELINES.values()),
            "Written as text, from any of the operations.",
        ],
        on_change=_choose_named,
    )
    if chosen not in PIPELINES:
        st.session_state["augment-own"] = chosen
        st.text_area(
            "Pipeline as text",
            key="augment-own",
            height="content",
            on_change=_write_own,
            help="Ctrl+Enter, or a click elsewhere, draws it.",
        )
        pipeline_text_help.operations()
    try:
        pipeline = resolve(chosen)
    except PipelineError as error:
        with preview:
            pipeline_text_help.mistake(chosen, error)
        pipeline = None
    if st.button(
        "Use this pipeline for training",
        type="primary",
        width="stretch",
        disabled=pipeline is None,
        key="augment-use",
    ):
        state.put("augment", chosen)
        state.choose_run(None)
        state.put("new_training", True)
        st.switch_page("pages/3_Train.py", query_params=state.address())
    return pipeline


def _chosen() -> str:
    """The pipeline looked at, as name or text: the one asked for, the one chosen for training, the recipe's."""
    default = recipe_named(DEFAULT).pipeline
    return str(state.get("pipeline") or state.get("augment") or default).strip() or NONE


def _choose_named() -> None:
    name = st.session_state["augment-choice"]
    if name != OWN:
        state.put("pipeline", name)
        return
    written = str(state.get("own_pipeline") or pipeline_text(resolve(_chosen())))
    # Nothing is a poor text to begin with, and a name alone would be that pipeline again.
    state.put("pipeline", PIPELINES["gentle"].text if written.strip() in PIPELINES else written)


def _write_own() -> None:
    written = st.session_state["augment-own"]
    state.put("own_pipeline", written)
    state.put("pipeline", written)


def _cells(dataset: Dataset) -> list[int]:
    """The tools over the preview; returns the positions of the cells to show, each once."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="augment-tools"):
        keys = [_ALL, *(each.key for each in dataset.classes)]
        titles = {_ALL: "All classes", **{each.key: each.title for each in dataset.classes}}
        wanted = state.get("class") if state.get("class") in keys else _ALL
        st.session_state["augment-class"] = wanted
        st.selectbox(
            "Cells of",
            keys,
            key="augment-class",
            format_func=lambda key: titles[key],
            width=190,
            on_change=lambda: state.put("class", _none_if(st.session_state["augment-class"], _ALL)),
        )
        looks = _number("looks", 2) if _number("looks", 2) in LOOKS else 2
        st.session_state["augment-looks"] = looks
        st.selectbox(
            "Show",
            list(LOOKS),
            key="augment-looks",
            format_func=lambda number: LOOKS[number],
            width=170,
            on_change=lambda: state.put("looks", st.session_state["augment-looks"]),
        )
        st.button("Draw again", icon=":material/casino:", on_click=_next, args=("draw",), key="augment-draw")
        st.button(
            "Other cells", icon=":material/shuffle:", on_click=_next, args=("cells",), key="augment-cells"
        )
    return pick(
        dataset, None if wanted == _ALL else keys.index(wanted) - 1, IMAGES // looks, _number("cells", 1)
    )


def pick(dataset: Dataset, label: int | None, count: int, seed: int) -> list[int]:
    """`count` positions of included, labelled images, as even over the classes as there are; [] if there are none.

    With `label` only of that class. When there are too few, some come again, so that the number is always the same.
    """
    remaining = judged(dataset)
    labels = remaining.labels[remaining.indices]
    rng = np.random.default_rng(seed)
    rows = [rng.permutation(remaining.indices[labels == k]) for k in np.unique(labels) if label in (None, k)]
    if not rows:
        return []
    longest = max(len(each) for each in rows)
    turns = [int(each[turn]) for turn in range(longest) for each in rows if turn < len(each)]
    return [turns[i % len(turns)] for i in range(count)]


def _preview(dataset: Dataset, pipeline: Pipeline, indices: list[int]) -> None:
    if not indices:
        frame.empty(
            "No cells to show",
            "No image of this class remains: choose another class, or bring some back in Review.",
        )
        return
    looks = IMAGES // len(indices)
    if pipeline.steps and _LAYERS not in sys.modules:
        with st.spinner("Loading the layers that train: about 10 s, once…", show_time=True):
            importlib.import_module(_LAYERS)
    try:
        with st.spinner("Drawing; a new pipeline takes some seconds, once…"):
            images, labels = _drawn(
                dataset.name,
                dataset.fingerprint,
                tuple(indices * looks),
                pipeline_text(pipeline),
                _number("draw", 1),
            )
    except BloodappError as error:
        frame.error(error)
        return
    st.html(pairs.sheet(dataset, indices, images, labels))
    st.html(
        f'<div class="quiet">Left the original, beside it what training would see. '
        f"Draw {_number('draw', 1)}, cells {_number('cells', 1)}: the same numbers show the same pictures.</div>"
    )


@st.cache_data(show_spinner=False, max_entries=48)
def _drawn(
    name: str, fingerprint: str, indices: tuple[int, ...], pipeline: str, seed: int
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    dataset = open_dataset(name)
    labels = judged(dataset).labels[list(indices)]
    images = np.stack([dataset.images[i] for i in indices])
    if pipeline == NONE:
        return images, np.eye(len(dataset.classes), dtype=np.float32)[labels]
    from bloodapp.augment.preview import preview  # TensorFlow: only when something must be drawn

    return preview(images, labels, len(dataset.classes), pipeline, seed)


def _number(key: str, default: int) -> int:
    """A whole number of the address; the default for anything else."""
    try:
        return max(0, int(state.get(key, default)))
    except (TypeError, ValueError):
        return default


def _next(key: str) -> None:
    state.put(key, _number(key, 1) + 1)


def _none_if(value: str, empty: str) -> str | None:
    return None if value == empty else value
