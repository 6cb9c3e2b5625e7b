"""The Review page: let the detectors look, then decide card by card what stays."""

from functools import lru_cache
from pathlib import Path

import pandas as pd
import streamlit as st

from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.errors import BloodappError
from bloodapp.jobs.job import ACTIVE, Job
from bloodapp.review.queue import Card, cards
from bloodapp.review.scan import read_findings
from bloodapp.review.thresholds import above, thresholds
from bloodapp.ui import background, css, frame, state
from bloodapp.ui.review import acts, around, effect, filters, ledger, pictures, replay, scan, scoreboard
from bloodapp.ui.review import queue as review_queue
from bloodapp.ui.steps import findings_stamp, identity
from bloodapp.ui.steps import judged as judged_now

_STYLE = Path(__file__).with_name("page.css")
VIEWS = {
    "queue": "Queue",
    "around": "Look around",
    "ledger": "Ledger",
    "scoreboard": "Scoreboard",
    "effect": "Did it help?",
}
"""The parts of the page, as the address and as people name them."""


def draw(here: frame.Here) -> None:
    """Draw the page; there is a dataset."""
    dataset = here.dataset
    assert dataset is not None, "the frame stops without a dataset"
    state.register("review", ("view", *around.NAMES, *filters.NAMES, *ledger.NAMES))
    css.style(_STYLE)
    css.style(pictures.class_dots(dataset.classes))
    acts.report()
    job = scan.last_scan(dataset)
    try:
        findings = _read(dataset.name, identity(dataset), findings_stamp(dataset))
    except BloodappError as problem:
        frame.error(problem)
        findings = None
    _heading(dataset, findings)
    if job is not None and _unfinished(job, findings):
        background.watch(job, key="scan", dismiss=findings is not None)
    if findings is None:
        if job is None or job.state() not in ACTIVE:
            scan.draw_first(dataset)
            replay.draw_offer(dataset, judged_now(dataset), primary=False)
        return
    view = _view()
    judged = judged_now(dataset)
    acts.saw(dataset, judged.seq)
    queue = _cards(dataset.name, identity(dataset), judged.seq, findings_stamp(dataset))
    if view == "queue":
        review_queue.draw(dataset, judged, queue, findings)
    elif view == "around":
        around.draw(dataset, judged)
    elif view == "ledger":
        ledger.draw(dataset, judged)
    elif view == "scoreboard":
        scoreboard.draw(dataset, judged, findings)
    else:
        effect.draw(dataset, judged)


def _view() -> str:
    """Which part of the page is shown; the address carries it."""
    chosen = str(state.get("view") or "")
    chosen = chosen if chosen in VIEWS else "queue"
    st.session_state["view-box"] = chosen
    st.segmented_control(
        "Part of Review",
        list(VIEWS),
        key="view-box",
        required=True,
        format_func=lambda one: VIEWS[one],
        label_visibility="collapsed",
        on_change=lambda: state.put("view", _unless_first(st.session_state["view-box"])),
    )
    return chosen


def _unless_first(view: str) -> str | None:
    return None if view == "queue" else view


def _heading(dataset: Dataset, findings: pd.DataFrame | None) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="review-heading"):
        frame.heading("Review", "What may not belong here. Nothing is deleted: every decision can be undone.")
        if findings is not None:
            scan.draw_state(dataset, findings)


def _unfinished(job: Job, findings: pd.DataFrame | None) -> bool:
    """Whether the last scan is to be shown: at work, or ended badly with nothing newer to look at."""
    now = job.state()
    if now in ACTIVE:
        return True
    return now != "done" and (findings is None or str(findings.attrs.get("scanned", "")) < job.created)


@lru_cache(maxsize=8)
def _read(name: str, identity: str, stamp: int) -> pd.DataFrame | None:
    del identity  # part of the key only: a name can be imported anew
    return read_findings(open_dataset(name)) if stamp else None


@lru_cache(maxsize=8)
def _cards(name: str, identity: str, seq: int, stamp: int) -> list[Card]:
    del seq  # part of the key only
    findings = _read(name, identity, stamp)
    if findings is None:
        return []
    dataset = open_dataset(name)
    return cards(above(findings, thresholds(dataset)), judged_now(dataset))
