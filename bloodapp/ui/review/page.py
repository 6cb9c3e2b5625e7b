"""The Review page: let the detectors look, look for yourself, label, and decide what stays."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import streamlit as st

from bloodapp.data import sets
from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import Judged
from bloodapp.errors import BloodappError
from bloodapp.jobs.job import ACTIVE, Job
from bloodapp.ui import background, css, frame, state
from bloodapp.ui.review import (
    acts,
    around,
    effect,
    filters,
    ledger,
    pictures,
    plane,
    queue,
    reading,
    scan,
    scoreboard,
)
from bloodapp.ui.review.gallery import view as gallery
from bloodapp.ui.review.labelling import view as labelling
from bloodapp.ui.standing import judged as judged_now

_STYLE = Path(__file__).with_name("page.css")


@dataclass(frozen=True)
class View:
    """One view of the page.

    Attributes:
        title: what it is called.
        draw: what draws it, from the dataset, what is decided and the findings.
        scanned: whether it shows nothing but the first scan before that.
        filters: the names in the address that it keeps its choices under.
    """

    title: str
    draw: Callable[[Dataset, Judged, pd.DataFrame | None], None]
    scanned: bool = False
    filters: tuple[str, ...] = ()


def _queue(dataset: Dataset, judged: Judged, findings: pd.DataFrame | None) -> None:
    queue.draw(dataset, judged, findings)


def _map(dataset: Dataset, judged: Judged, findings: pd.DataFrame | None) -> None:
    plane.draw(dataset, judged, findings, on_open=lambda images: open_in_gallery(dataset, images))


def _scoreboard(dataset: Dataset, judged: Judged, findings: pd.DataFrame | None) -> None:
    if findings is not None:
        scoreboard.draw(dataset, judged, findings)


VIEWS: dict[str, View] = {
    "queue": View("Queue", _queue, filters=filters.NAMES),
    "gallery": View(
        "Gallery", lambda dataset, judged, findings: gallery.draw(dataset), filters=gallery.NAMES
    ),
    "map": View("Map", _map, filters=plane.NAMES),
    "label": View(
        "Label", lambda dataset, judged, findings: labelling.draw(dataset), filters=labelling.NAMES
    ),
    "around": View(
        "Look around", lambda dataset, judged, findings: around.draw(dataset, judged), filters=around.NAMES
    ),
    "ledger": View(
        "Ledger", lambda dataset, judged, findings: ledger.draw(dataset, judged), filters=ledger.NAMES
    ),
    "scoreboard": View("Scoreboard", _scoreboard, scanned=True),
    "effect": View("Did it help?", lambda dataset, judged, findings: effect.draw(dataset, judged)),
}
"""The parts of the page, as the address and as people name them."""


def draw(here: frame.Here) -> None:
    """Draw the page; there is a dataset."""
    dataset = here.dataset
    assert dataset is not None, "the frame stops without a dataset"
    state.register("review", ("view", *(name for view in VIEWS.values() for name in view.filters)))
    css.style(_STYLE)
    css.style(pictures.class_dots(dataset.classes))
    acts.report()
    job = scan.last_scan(dataset)
    try:
        findings = reading.findings(dataset)
    except BloodappError as problem:
        frame.error(problem)
        findings = None
    _heading(dataset, findings)
    with st.container(key="review-scan"):  # in its place: what is being typed below stays when it ends
        if job is not None and _unfinished(job, findings):
            background.watch(job, key="scan", dismiss=findings is not None)
    view = VIEWS[_view()]
    judged = judged_now(dataset)
    acts.saw(dataset, judged.seq)
    if view.scanned and findings is None:
        queue.draw_first(dataset, judged)
        return
    view.draw(dataset, judged, findings)


def open_in_gallery(dataset: Dataset, indices: list[int]) -> None:
    """Show these images in the gallery, and nothing else."""
    gallery.show_set(dataset, sets.keep(dataset, indices), view="gallery")


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
        format_func=lambda one: VIEWS[one].title,
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
