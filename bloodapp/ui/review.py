"""The Review page: let the detectors look, then decide card by card what stays."""

from functools import lru_cache
from html import escape
from pathlib import Path

import pandas as pd
import streamlit as st

from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.data.decisions import Judged
from bloodapp.errors import BloodappError
from bloodapp.jobs.job import ACTIVE, Job, list_jobs, submit
from bloodapp.review.findings import FILE, KINDS
from bloodapp.review.queue import Card, cards, offers, sheets
from bloodapp.review.scan import DETECTED, read_findings
from bloodapp.ui import (
    background,
    frame,
    review_acts,
    review_cards,
    review_closer,
    review_filters,
    review_pictures,
    review_side,
    state,
)
from bloodapp.ui.steps import identity
from bloodapp.ui.steps import judged as judged_now
from bloodapp.ui.text import ago, count

_STYLE = Path(__file__).with_name("review.css")
_ALL = {"advice": "Do what is advised: keep one of mere copies, exclude the rest", "keep": "Keep them all"}


def draw(here: frame.Here) -> None:
    """Draw the page; there is a dataset."""
    dataset = here.dataset
    assert dataset is not None, "the frame stops without a dataset"
    state.register("review", review_filters.NAMES)
    st.html(_STYLE)
    st.html(review_pictures.class_dots(dataset.classes))
    review_acts.report()
    job = _last_scan(dataset)
    try:
        findings = _read(dataset.name, identity(dataset), _stamp(dataset))
    except BloodappError as problem:
        frame.error(problem)
        findings = None
    _heading(dataset, job, findings)
    if job is not None and _unfinished(job, findings):
        background.watch(job, key="scan")
    if findings is None:
        if job is None or job.state() not in ACTIVE:
            _first_scan(dataset)
        return
    judged = judged_now(dataset)
    queue = _cards(dataset.name, identity(dataset), judged.seq, _stamp(dataset))
    with st.container(key="review-body"):
        left, right = st.columns([7, 2.4], gap="large")
        with left:
            _queue(dataset, judged, queue)
        with right:
            review_side.draw(dataset, judged)
    review_closer.draw(dataset, judged, queue)


def _heading(dataset: Dataset, job: Job | None, findings: pd.DataFrame | None) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="review-heading"):
        frame.heading("Review", "What may not belong here. Nothing is deleted: every decision can be undone.")
        if findings is None:
            return
        with st.container(horizontal=True, width="content", vertical_alignment="center"):
            st.html(
                f'<span class="quiet">scanned {ago(findings.attrs.get("scanned"))}</span>', width="content"
            )
            busy = job is not None and job.state() in ACTIVE
            if st.button(
                "Scan again", key="rescan", type="tertiary", icon=":material/refresh:", disabled=busy
            ):
                _start(dataset)


def _first_scan(dataset: Dataset) -> None:
    looked = "".join(
        f"<div><b>{escape(KINDS[kind].title)}</b><p>{escape(KINDS[kind].means)}</p></div>"
        for kind in DETECTED
    )
    with st.container(border=True, key="first-scan"):
        st.html(
            '<div class="empty"><h2>Find what does not belong</h2><p>The detectors look at every image. They only '
            "point: what happens to an image is your decision, and nothing is deleted.</p></div>"
        )
        if st.button(
            f"Scan {count(len(dataset), 'image')}", key="scan", type="primary", icon=":material/search:"
        ):
            _start(dataset)
        st.html(f'<div class="looked">{looked}</div>')


def _start(dataset: Dataset) -> None:
    submit("scan", {"dataset": dataset.name}, title=f"Scan of {dataset.name}")
    background.runner().wake()
    st.rerun()


def _queue(dataset: Dataset, judged: Judged, queue: list[Card]) -> None:
    if not queue:
        with st.container(border=True, key="clean"):
            st.html(
                '<div class="empty"><h2>Nothing found</h2><p>No copies, no conflicting labels, no dark, bright, '
                "blurred or empty image. That does not prove every label right.</p></div>"
            )
        return
    filters = review_filters.current(dataset, queue)
    chosen = filters.of(queue, judged, dataset)
    review_filters.draw(dataset, queue, filters, lambda: _at_once(dataset, judged, chosen))
    if not chosen:
        _nothing_here(queue, filters)
        return
    pages = sheets(chosen, shown=review_pictures.SHOWN)
    page = min(filters.page, len(pages))
    review_cards.draw(dataset, judged, pages[page - 1])
    review_filters.draw_pages(len(pages), page)


def _at_once(dataset: Dataset, judged: Judged, chosen: list[Card]) -> None:
    """What can be done about all cards of the filters with one decision, and so one undo."""
    if len(chosen) > 1:
        st.menu_button(
            f"Decide all {len(chosen):,}",
            ["advice", "keep"],
            key="all-cards",
            type="tertiary",
            format_func=lambda one: _ALL[one],
            on_click=_decide_all,
            args=(dataset, judged, chosen),
        )


def _decide_all(dataset: Dataset, judged: Judged, chosen: list[Card]) -> None:
    titles = [one.title for one in dataset.classes]
    wanted = st.session_state["all-cards"]
    possible = [offers(card, judged.labels, titles) for card in chosen]
    taken = [next(one for one in some if wanted == "advice" or one.key == "keep") for some in possible]
    indices = sorted({int(index) for offer in taken for index in offer.indices})
    because = ", ".join(
        dict.fromkeys(KINDS[kind].title for card in chosen for kind in card.kinds if kind in KINDS)
    )
    review_acts.decide(dataset, indices, taken[0].action, because=because)


def _nothing_here(queue: list[Card], filters: review_filters.Filters) -> None:
    with st.container(border=True, key="none-left"):
        if filters.show == "open" and not any(card.open for card in queue):
            flagged = sum(card.state == "flagged" for card in queue)
            aside = f" {count(flagged, 'card')} put aside." if flagged else ""
            st.html(
                f'<div class="empty"><h2>All decided</h2><p>Every finding has its decision.{aside} The history undoes '
                "any of them at any time.</p></div>"
            )
            frame.link("pages/3_Train.py", "Train a model on what remains", ":material/arrow_forward:")
            return
        why = {
            "flagged": "Nothing is put aside: flag what you want to look at again.",
            "decided": "Nothing is decided yet.",
        }.get("" if filters.kind or filters.labelled else filters.show, "No card matches these filters.")
        st.html(f'<div class="empty"><h2>Nothing here</h2><p>{why}</p></div>')
        if filters.kind or filters.labelled:
            st.button("Show every kind and class", key="clear-filters", on_click=review_filters.clear)


def _last_scan(dataset: Dataset) -> Job | None:
    return next(
        (job for job in list_jobs() if job.kind == "scan" and job.params.get("dataset") == dataset.name), None
    )


def _unfinished(job: Job, findings: pd.DataFrame | None) -> bool:
    """Whether the last scan is to be shown: at work, or ended badly with nothing newer to look at."""
    now = job.state()
    if now in ACTIVE:
        return True
    return now != "done" and (findings is None or str(findings.attrs.get("scanned", "")) < job.created)


def _stamp(dataset: Dataset) -> int:
    """When the findings were written; 0 without any."""
    try:
        return (dataset.path / FILE).stat().st_mtime_ns
    except OSError:
        return 0


@lru_cache(maxsize=8)
def _read(name: str, identity: str, stamp: int) -> pd.DataFrame | None:
    del identity  # part of the key only: a name can be imported anew
    return read_findings(open_dataset(name)) if stamp else None


@lru_cache(maxsize=8)
def _cards(name: str, identity: str, seq: int, stamp: int) -> list[Card]:
    del seq  # part of the key only
    findings = _read(name, identity, stamp)
    return [] if findings is None else cards(findings, judged_now(open_dataset(name)))
