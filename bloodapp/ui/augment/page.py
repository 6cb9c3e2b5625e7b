"""The Augment page: choose, edit or write a pipeline at the left, see on one's own cells what it does at the right."""

import streamlit as st

from bloodapp.augment.pipelines import Pipeline, resolve
from bloodapp.data.dataset import Dataset
from bloodapp.errors import PipelineError, Unreadable
from bloodapp.ui import css, frame, state
from bloodapp.ui.augment import choice, copy, editor, edits, expand, lost, pipeline_text_help, saved, views
from bloodapp.ui.augment.pipeline_chips import STYLE
from bloodapp.ui.frame import Here

_WAYS = {"steps": "Steps", "text": "Text"}


def draw(here: Here) -> None:
    """Draw the page for the chosen dataset."""
    assert here.dataset is not None
    state.register("augment", edits.FILTERS)
    css.style(STYLE)
    dataset = here.dataset
    # No fragment around both: the frame costs 6 ms, and only so does an edit break off a preview that is being drawn.
    with st.container(key="augment"):
        left, right = st.columns([5, 8], gap="large")
    with left:
        pipeline = _left(dataset)
    with right:
        if pipeline is None:
            frame.empty("Nothing to show yet", "The pipeline cannot be read: what is wrong stands beside.")
        else:
            views.draw(dataset, pipeline)


def _left(dataset: Dataset) -> Pipeline | None:
    """The pipeline and everything that is done to it; None while it cannot be read."""
    try:
        wrong = editor.receive()
        lost.notice()
        choice.draw()
    except Unreadable as error:
        lost.damaged(error)
        return None
    pipeline, problem = _read()
    if st.button(
        "Use this pipeline for training",
        type="primary",
        width="stretch",
        disabled=pipeline is None,
        key="augment-use",
    ):
        state.put("augment", edits.asked())
        state.choose_run(None)
        st.switch_page("pages/3_Train.py", query_params={**state.address(), "train": "new"})
    saved.draw_deleted()
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="augment-bar"):
        way = _way(readable=pipeline is not None)
        _history()
        if pipeline is not None:
            saved.draw(pipeline)
            copy.draw(dataset, pipeline)
    if way == "text" or pipeline is None:
        _text(problem)
    else:
        if wrong:
            frame.error(wrong)
        editor.draw(pipeline)
    if pipeline is not None:
        expand.draw(dataset, pipeline)
    return pipeline


def _read() -> tuple[Pipeline | None, PipelineError | None]:
    try:
        return resolve(edits.asked()), None
    except PipelineError as error:
        return None, error


def _way(*, readable: bool) -> str:
    """Whether the steps or the text are edited; a text that cannot be read only as text."""
    way = state.get("pipeline_way") if readable and state.get("pipeline_way") in _WAYS else "steps"
    way = way if readable else "text"
    st.session_state["augment-way"] = way
    st.segmented_control(
        "Edit as",
        list(_WAYS),
        key="augment-way",
        required=True,
        format_func=lambda one: _WAYS[one],
        label_visibility="collapsed",
        disabled=not readable,
        on_change=lambda: state.put("pipeline_way", st.session_state["augment-way"]),
    )
    return str(way)


def _history() -> None:
    ways = (
        ("undo", "Undo the last change; Ctrl+Z in the list", edits.undo, edits.can_undo()),
        ("redo", "Do it again; Ctrl+Shift+Z in the list", edits.redo, edits.can_redo()),
    )
    for way, words, act, possible in ways:
        st.button(
            "",
            icon=f":material/{way}:",
            help=words,
            type="tertiary",
            key=f"augment-{way}",
            disabled=not possible,
            on_click=act,
        )


def _text(problem: PipelineError | None) -> None:
    written = edits.asked()
    shown = written if problem else edits.written_out()
    st.session_state["augment-own"] = shown
    st.text_area(
        "Pipeline as text",
        key="augment-own",
        height="content",
        on_change=lambda: edits.write(st.session_state["augment-own"]),
        help="Ctrl+Enter, or a click elsewhere, draws it.",
    )
    if problem:
        pipeline_text_help.mistake(written, problem)
    pipeline_text_help.operations()
