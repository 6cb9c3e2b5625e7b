"""The Train page: set a training up, follow it, come back to it.

It shows one of two things: the form for a new training, or one run. Under it lies the list of all runs.
The run on show is in the address (`?run=`); without one there, a training at work is shown by itself.
"""

from pathlib import Path

import streamlit as st

from bloodapp.jobs.job import ACTIVE
from bloodapp.runs.run import Run, list_runs
from bloodapp.ui import frame, state, train_list, train_new, train_run
from bloodapp.ui.frame import Here
from bloodapp.ui.pipeline_chips import STYLE as PIPELINE_STYLE

_STYLE = Path(__file__).with_name("train.css")

FILTERS = ("recipe", train_new.AUGMENT)
"""What the address carries besides dataset and run: the recipe's name and the chosen pipeline."""


def draw(here: Here) -> None:
    """Draw the page."""
    state.register("train", FILTERS)
    st.html(PIPELINE_STYLE)
    st.html(_STYLE)
    runs = list_runs()
    run = shown_run(here, runs)
    if run is not None:
        train_run.draw(run)
    elif here.dataset is not None:
        train_new.draw(here.dataset)
    else:
        frame.empty(
            "No dataset yet",
            "Training needs labelled images: import a dataset on Home, or begin with the built-in sample.",
            page="app.py",
            label="Choose a dataset",
        )
    train_list.draw(runs, run)


def shown_run(here: Here, runs: list[Run]) -> Run | None:
    """The run on show: the chosen one (a shipped one only when opened here), else the dataset's own at work."""
    chosen = next((run for run in runs if run.name == state.get("run")), None)
    if chosen is not None and (not chosen.shipped or state.get("opened_run") == chosen.name):
        return chosen
    if state.get("new_training") or here.dataset is None:
        return None
    mine = [run for run in runs if run.dataset == here.dataset.name and not run.shipped]
    at_work = next((run for run in mine if run.state() in ACTIVE), None)
    if at_work is not None:
        # Chosen from now on: whoever watches it to its end wants to see the end.
        state.choose_run(at_work.name)
    return at_work
