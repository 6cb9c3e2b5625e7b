"""Beneath a run: its notes, its recipe with what differs from the shipped one first, and its log."""

from html import escape
from importlib import import_module
from typing import Any

import streamlit as st

from bloodapp.augment.pipelines import resolve
from bloodapp.errors import BloodappError, PipelineError
from bloodapp.runs.run import Run, open_run
from bloodapp.train.recipes import DEFAULT, RECIPES
from bloodapp.train.settings import from_settings, settings
from bloodapp.ui import frame
from bloodapp.ui.pipeline_chips import chips
from bloodapp.ui.text import count

_UNSAID = ("name", "title", "why", "purpose", "pipeline")


def draw(run: Run, before: str) -> None:
    """Draw the three; the log comes first for a run that failed."""
    _verdict(run)
    first = "Log" if before == "failed" else "Notes"
    notes, recipe, log = st.tabs(["Notes", "Settings", "Log"], default=first, key=f"train-more-{run.name}")
    with notes:
        _notes(run)
    with recipe:
        _settings(run)
    with log:
        text = "" if run.shipped else run.job.log()
        st.code(
            text or "Nothing written yet.", language=None, height=260 if text.count("\n") > 10 else "content"
        )


def _notes(run: Run) -> None:
    key = f"notes-{run.name}"
    st.text_area(
        "Notes",
        run.notes(),
        key=key,
        label_visibility="collapsed",
        placeholder="What you tried and what it showed. Kept with the run.",
        disabled=run.shipped,
        on_change=lambda: run.write_notes(st.session_state[key]),
    )


def _settings(run: Run) -> None:
    given = run.config["recipe"]
    try:
        # The text as it was when the run began: a saved name may mean something else by now.
        st.html(chips(resolve(str(run.config.get("pipeline") or given.get("pipeline") or "none"))))
    except PipelineError as error:
        frame.error(error)
    own = RECIPES.get(str(given.get("name", "")))
    theirs = settings(from_settings({**settings(own or RECIPES[DEFAULT]), **given}))
    differs, same = [], []
    for name, value in theirs.items():
        if name in _UNSAID:
            continue
        if own is not None and value != getattr(own, name):
            differs.append((name, value, getattr(own, name)))
        else:
            same.append((name.replace("_", " "), _plainly(value)))
    if own is None:
        st.html('<p class="quiet">Its recipe does not ship with the app; this is all of it.</p>')
    elif differs:
        st.html(
            f'<p class="quiet">{count(len(differs), "change")} from the recipe {escape(own.title)}</p>'
            + "".join(
                f'<div class="change"><b>{escape(name.replace("_", " ").capitalize())}</b>'
                f"<span>{escape(_plainly(value))}</span><s>{escape(_plainly(old))}</s></div>"
                for name, value, old in differs
            )
        )
    else:
        st.html(f'<p class="quiet">As the recipe {escape(own.title)} ships</p>')
    with st.expander(
        "All settings" if own else "Settings", expanded=own is None, key=f"train-all-{run.name}"
    ):
        frame.facts(same)


def _verdict(run: Run) -> None:
    """Of a run that repeats another: whether it came to the same."""
    original = str(run.config.get("reproduces") or "")
    if not original:
        return
    try:
        first = open_run(original)
    except BloodappError:
        st.html(f'<p class="said">It was to reproduce {escape(original)}, which is not here any more.</p>')
        return
    if not run.finished:
        st.html(
            f'<p class="said">It trains {escape(first.title)} again, to see whether it comes to the same.</p>'
        )
        return
    reproduce = import_module("bloodapp.train.reproduce")

    try:
        st.html(f'<p class="said">{escape(str(reproduce.verdict(first, run)))}</p>')
    except BloodappError as error:
        frame.error(error)


def _plainly(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value) or "nothing"
