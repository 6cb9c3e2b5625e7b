"""The trainings that wait or work, in the order of their turns: progress, time left, a way to stop or take out."""

from html import escape
from pathlib import Path

import streamlit as st

from bloodapp.errors import BloodappError
from bloodapp.jobs.job import ACTIVE, Job, list_jobs, request_stop
from bloodapp.jobs.kinds import lane
from bloodapp.runs.run import Run, open_run
from bloodapp.ui import background, frame
from bloodapp.ui.state import rerun
from bloodapp.ui.text import count, time_left
from bloodapp.ui.train import run_list
from bloodapp.ui.train import state as train_state


def draw(shown: Run | None) -> None:
    """Draw the queue; nothing when no training but the one on show is in it."""
    entries = _entries()
    # A search alone is seen where it was asked for, and the run on show where it is shown.
    seen = () if shown is None else (shown.name, shown.parent)
    if all(job.id in seen or _run(job.folder) is None for job, _ in entries):
        return
    waiting = sum(state == "queued" for _, state in entries)
    note = f"{count(waiting, 'training')} waiting, one at a time" if waiting else "at work"
    frame.section("Queue", note)

    def rows() -> None:
        now = _entries()
        if [(job.id, state) for job, state in now] != [(job.id, state) for job, state in entries]:
            rerun()
        with st.container(key="train-queue", gap=None):
            for number, (job, state) in enumerate(now, 1):
                _row(number, job, state, here=shown is not None and job.id == shown.name)

    background.live(rows, [job for job, _ in entries], active=True)


def _entries() -> list[tuple[Job, str]]:
    """Every job of the lane of trainings that waits or works, the one at work first; parts of a series are its own."""
    active = [
        (job, state)
        for job in list_jobs()
        if lane(job.kind) == "train" and (state := job.state()) in ACTIVE and not _part(job)
    ]
    return sorted(active, key=lambda each: (each[1] == "queued", each[0].created, each[0].id))


def _part(job: Job) -> bool:
    run = _run(job.folder)
    return bool(run and run.parent)


def _run(folder: Path) -> Run | None:
    try:
        return open_run(folder)
    except BloodappError:
        return None


def _row(number: int, job: Job, state: str, *, here: bool) -> None:
    status, run = job.status(), _run(job.folder)
    stopping = job.stopping()
    said = "stopping" if stopping else str(status.get("text") or "") if state == "running" else ""
    kind = run.made_of if run else ""
    words = " · ".join(part for part in (kind, said, time_left(status.get("eta_s"))) if part)
    title = (run.title if run else "") or background.title_of(job)
    done = 100 * (background.share(status) or 0)
    with st.container(horizontal=True, vertical_alignment="center", key=f"queue-{job.id}", height="content"):
        st.html(
            f'<div class="queue-row"><span>{number}</span><div><b>{escape(title)}</b>'
            f"<small>{escape(words or 'waiting for its turn')}</small></div>"
            f"{train_state.chip(state if run or state == 'queued' else 'working')}"
            f'<div class="bar"><i style="width:{done:.1f}%"></i></div></div>'
        )
        if run:
            st.button(
                "Open",
                key=f"queue-open-{job.id}",
                disabled=here,
                on_click=run_list.open_run,
                args=(run.name,),
                width=72,
            )
        label = "Stopping…" if stopping else "Take out" if state == "queued" else "Stop"
        if st.button(label, key=f"queue-stop-{job.id}", disabled=stopping, width=100):
            request_stop(job)
            st.rerun()
