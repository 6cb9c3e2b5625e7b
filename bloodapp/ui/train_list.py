"""All trainings in a list: what they are, how they ended, what they score; newest first."""

from html import escape

import streamlit as st

from bloodapp.errors import BloodappError
from bloodapp.jobs.job import ACTIVE
from bloodapp.runs.run import Run, headline
from bloodapp.ui import frame, state, train_run
from bloodapp.ui.text import ago, count, percent

SHOWN = 8
"""Rows before "Show all"."""


def draw(runs: list[Run], shown: Run | None) -> None:
    """Draw the list; the run on show is marked."""
    if not runs:
        return
    own = [run for run in runs if not run.shipped]
    frame.section("Runs", count(len(own), "run") if own else "only the one that ships with the app so far")
    everything = bool(state.get("all_runs")) or len(runs) <= SHOWN
    with st.container(key="train-runs", gap=None):
        st.html(
            '<div class="run-row run-heading"><span>run</span><span>dataset</span><span>state</span>'
            "<span>clean</span><span>shifted</span><span>when</span></div>"
        )
        for run in runs if everything else runs[:SHOWN]:
            _row(run, here=shown is not None and run.name == shown.name)
    if not everything:
        label = f"Show all {len(runs)}"
        st.button(label, type="tertiary", on_click=state.put, args=("all_runs", True), key="train-all")


def _row(run: Run, *, here: bool) -> None:
    try:
        condition, scores = run.state(), headline(run)
    except BloodappError as error:
        frame.error(error)
        return
    clean, shifted = (scores or {}).get("accuracy"), (scores or {}).get("shifted_accuracy")
    notes = run.notes().strip().replace("\n", " ")
    sub = " · ".join(part for part in (run.recipe, notes[:80]) if part)
    when = "ships with the app" if run.shipped else ago(run.created)
    with st.container(
        key=f"run-{'here' if here else 'row'}-{run.name}", horizontal=True, vertical_alignment="center"
    ):
        st.html(
            f'<div class="run-row"><span><b>{escape(run.title)}</b><small>{escape(sub)}</small></span>'
            f"<span>{escape(run.dataset)}</span><span>{train_run.chip(condition)}</span>"
            f"<span>{percent(clean)}</span><span>{percent(shifted)}</span><span>{escape(when)}</span></div>"
        )
        st.button(
            "Open", key=f"open-{run.name}", on_click=open_run, args=(run.name,), disabled=here, width=72
        )
        busy = run.shipped or condition in ACTIVE
        with st.popover(
            "", icon=":material/delete:", type="tertiary", disabled=busy, width=52, key=f"ask-{run.name}"
        ):
            st.html(f"<div>Delete <b>{escape(run.name)}</b> with all it wrote? This cannot be undone.</div>")
            if st.button("Delete it for good", key=f"delete-{run.name}"):
                train_run.delete(run)


def open_run(name: str) -> None:
    """Show a run on this page, and choose it for the others."""
    state.choose_run(name)
    state.put("opened_run", name)
    state.put("new_training", False)
