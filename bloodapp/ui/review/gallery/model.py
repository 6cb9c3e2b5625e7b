"""Whose predictions the gallery shows, and having a run asked about all images."""

import streamlit as st

from bloodapp.data.dataset import Dataset
from bloodapp.errors import BloodappError
from bloodapp.jobs.job import ACTIVE
from bloodapp.review import proposals as room
from bloodapp.review.proposals import Proposals
from bloodapp.runs.run import Run
from bloodapp.ui import frame, state
from bloodapp.ui.review.gallery import filters
from bloodapp.ui.text import ago, count, plain

_WRONG = "gallery-model-wrong"


def draw(dataset: Dataset, run: Run | None, says: Proposals | None) -> None:
    """Draw the box that the run is chosen in; nothing where no run knows a class of this dataset."""
    if run is None:
        return
    with st.popover(f"Model: {plain(run.title)}", key="gallery-model"):
        runs = {one.name: one.title for one in room.proposers(dataset)}
        if run.name in runs and len(runs) > 1:
            state.show("gallery-run", run.name)
            st.selectbox(
                "Predictions of",
                list(runs),
                key="gallery-run",
                format_func=lambda name: runs[name],
                on_change=lambda: filters.choose_run(str(st.session_state["gallery-run"])),
            )
        number = 0 if says is None else len(says)
        if says is not None and says.whole:
            st.html(f'<p class="quiet">Asked about {count(number, "image")}, {ago(says.when)}.</p>')
            return
        known = f"It has said something about {count(number, 'image')} only. " if number else ""
        st.html(f'<p class="quiet">{known}Predictions sort, filter and stand under each image.</p>')
        job = room.job_of(dataset, run)
        if job is not None and job.state() in ACTIVE:
            st.html(
                '<p class="quiet">It is at work: the menu shows how far, and the page follows when it is done.</p>'
            )
            return
        st.button(
            f"Ask about all {len(dataset):,} images",
            key="gallery-ask",
            type="primary",
            on_click=_ask,
            args=(dataset, run),
        )
        if wrong := state.get(_WRONG):
            frame.error(wrong)
            state.put(_WRONG, None)


def _ask(dataset: Dataset, run: Run) -> None:
    try:
        room.propose(dataset, run)
    except BloodappError as problem:
        state.put(_WRONG, str(problem))
