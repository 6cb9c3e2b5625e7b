"""Beneath a run: its notes, its recipe with what differs from the shipped one first, and its log."""

from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any

import streamlit as st

from bloodapp.augment.pipelines import resolve
from bloodapp.errors import BloodappError, NotFound, PipelineError
from bloodapp.jobs.job import ACTIVE
from bloodapp.runs.run import Run, list_runs, open_run
from bloodapp.train import reproduce
from bloodapp.train.recipes import DEFAULT, RECIPES
from bloodapp.train.settings import from_settings, settings
from bloodapp.ui import frame
from bloodapp.ui.augment.pipeline_chips import chips
from bloodapp.ui.text import count

_UNSAID = ("name", "title", "why", "purpose", "pipeline")


def draw(run: Run, before: str) -> None:
    """Draw the three; the log comes first for a run that failed."""
    _verdict(run, before)
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
    if run.combined:
        _members(run)
        return
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
        "The rest, as the recipe has it" if own else "Settings",
        expanded=own is None,
        key=f"train-all-{run.name}",
    ):
        frame.facts(same)


def _members(run: Run) -> None:
    """What a run was put together from, and how it answers."""
    together = run.config["combined"]
    there = {one.name for one in list_runs()}
    named = [name if name in there else f"{name} (not here any more)" for name in together["members"]]
    frame.facts(
        [
            ("put together from", ", ".join(named)),
            ("answer", "–" if len(named) == 1 else str(together["how"])),
            ("test-time augmentation", "yes" if together["tta"] else "no"),
        ]
    )
    st.html('<p class="quiet">It was not trained and keeps all it needs: its members may be deleted.</p>')


def _verdict(run: Run, state: str) -> None:
    """Of a run that repeats another: whether it came to the same."""
    original = str(run.config.get("reproduces") or "")
    if not original or run.parent:
        return
    try:
        first = open_run(original)
        if run.report() is None or state in ACTIVE:
            said = f"It trains {first.title} again, to see whether it comes to the same."
        else:
            with st.spinner("Setting both side by side"):
                said = _compared(str(first.folder), str(run.folder), _stamps(first), _stamps(run))
    except NotFound:
        said = f"It was to reproduce {original}, which is not here any more."
    except BloodappError as error:
        frame.error(error)
        return
    st.html(f'<p class="said">{escape(said)}</p>')


def _stamps(run: Run) -> tuple[int, ...]:
    files = (run.folder / "report.json", run.model_path)
    return tuple(file.stat().st_mtime_ns if file.exists() else 0 for file in files)


@lru_cache(maxsize=16)
def _compared(first: str, again: str, before: tuple[int, ...], after: tuple[int, ...]) -> str:
    """The verdict in words; the stamps are part of the key only, since it reads all weights."""
    del before, after
    return str(reproduce.verdict(open_run(Path(first)), open_run(Path(again))))


def _plainly(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value) or "nothing"
