"""Scanning from the Review page: the first scan, a deeper one, and doing it again."""

from html import escape

import pandas as pd
import streamlit as st

from bloodapp.data.dataset import Dataset
from bloodapp.jobs.job import ACTIVE, Job, list_jobs, submit
from bloodapp.review.features import feature_runs
from bloodapp.review.findings import KINDS
from bloodapp.review.scan import DEEP, DETECTED
from bloodapp.ui import background, frame
from bloodapp.ui.text import ago, count

_WAYS = {"fast": "Fast", "deep": "Deep"}
_FAST_TIME = "A few seconds for ten thousand images."
_DEEP_TIME = (
    "About a minute for ten thousand images, half of that for a few hundred; what the network saw is kept, so the next "
    "time is quicker."
)
_DEEP_MEANS = (
    "A network looks at every image too. It finds pictures that show no cell and labels that do not fit theirs, and "
    "it sees blends, blur and bad light that no single measure shows."
)
_TURNED = "Mirrored or turned copies too"
_TURNED_HELP = "Compares every image in eight positions: some seconds more for ten thousand images."


def draw_state(dataset: Dataset, findings: pd.DataFrame) -> None:
    """Draw when and how the findings were made, and the way to make them anew."""
    with st.container(horizontal=True, width="content", vertical_alignment="center"):
        st.html(f'<span class="quiet">{escape(_when(findings))}</span>', width="content")
        if at_work(dataset):  # a button of another kind: a popover would stay open
            st.button(
                "Scan again", key="rescan-busy", type="tertiary", icon=":material/refresh:", disabled=True
            )
            return
        with st.popover("Scan again", key="rescan", type="tertiary", icon=":material/refresh:"):
            _again(dataset, bool(findings.attrs.get("deep")), bool(findings.attrs.get("turned")))


def draw_first(dataset: Dataset) -> None:
    """Draw what the detectors look for, and the button that lets them."""
    with st.container(border=True, key="first-scan"):
        st.html(
            '<div class="empty"><h2>Find what does not belong</h2><p>The detectors look at every image, which takes '
            "seconds. They only point: what happens to an image is your decision, and nothing is deleted.</p></div>"
        )
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            first = st.button(
                f"Scan {count(len(dataset), 'image')}", key="scan", type="primary", icon=":material/search:"
            )
            deeper = st.popover("Look deeper too", key="scan-deeper", icon=":material/network_intelligence:")
            turned = st.checkbox(_TURNED, key="scan-turned", help=_TURNED_HELP)
        with deeper:
            _deep_form(dataset, "first", turned=turned)
        st.html(
            f'<h3 class="looked">Every scan looks for</h3><div class="looked">{_looked(DETECTED)}</div>'
            f'<h3 class="looked">A deep scan also looks for</h3><div class="looked">{_looked(DEEP)}'
            "<div><b>The same, seen better</b><p>Blends, blur, bad light and outliers, by what a network sees.</p>"
            "</div></div>"
        )
        if first:
            start(dataset, turned=turned)


def draw_deeper(dataset: Dataset, findings: pd.DataFrame, words: str) -> None:
    """After a fast scan draw a quiet line with the way to a deep one; after a deep scan nothing."""
    if findings.attrs.get("deep") or at_work(dataset):
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="look-deeper"):
        st.html(f'<span class="quiet">{escape(words)}</span>', width="content")
        with st.popover("Look deeper", key="queue-deeper", type="tertiary"):
            _deep_form(dataset, "queue", turned=bool(findings.attrs.get("turned")))


def start(dataset: Dataset, *, deep: bool = False, run: str | None = None, turned: bool = False) -> None:
    """Let the detectors look in the background, unless they do already, and draw the page anew."""
    if not at_work(dataset):
        params = {"dataset": dataset.name, "deep": deep, "run": run, "turned": turned}
        title = f"{'Deep scan' if deep else 'Scan'} of {dataset.name}"
        submit("scan", {name: value for name, value in params.items() if value}, title=title)
        background.runner().wake()
    st.rerun()


def last_scan(dataset: Dataset) -> Job | None:
    """The newest scan of a dataset, at work or ended."""
    return next(
        (job for job in list_jobs() if job.kind == "scan" and job.params.get("dataset") == dataset.name), None
    )


def at_work(dataset: Dataset) -> bool:
    """Whether a scan of a dataset waits or works."""
    job = last_scan(dataset)
    return job is not None and job.state() in ACTIVE


def _when(findings: pd.DataFrame) -> str:
    when, run = ago(findings.attrs.get("scanned")), findings.attrs.get("deep")
    said = f"deep scan with {run}, {when}" if run else f"scanned {when}"
    return f"{said}, turned copies too" if findings.attrs.get("turned") else said


def _looked(kinds: tuple[str, ...]) -> str:
    return "".join(
        f"<div><b>{escape(KINDS[kind].title)}</b><p>{escape(KINDS[kind].means)}</p></div>" for kind in kinds
    )


@st.fragment
def _again(dataset: Dataset, deep: bool, turned: bool) -> None:
    way = st.segmented_control(
        "How the detectors look",
        list(_WAYS),
        default="deep" if deep else "fast",
        key="rescan-way",
        required=True,
        format_func=_WAYS.__getitem__,
        label_visibility="collapsed",
    )
    turned = st.checkbox(_TURNED, value=turned, key="rescan-turned", help=_TURNED_HELP)
    if way == "deep":
        _deep_form(dataset, "again", turned=turned)
        return
    st.html(
        '<p class="scan-means">Measures, hashes and comparisons, without a network. Decisions stay as they are; the '
        f'findings are replaced.</p><p class="quiet scan-means">{_FAST_TIME}</p>'
    )
    if st.button(f"Scan {count(len(dataset), 'image')}", key="rescan-start"):
        start(dataset, turned=turned)


def _deep_form(dataset: Dataset, key: str, *, turned: bool) -> None:
    """What a deep scan adds, whose network looks, and the button."""
    st.html(f'<p class="scan-means">{_DEEP_MEANS}</p><p class="quiet scan-means">{_DEEP_TIME}</p>')
    names = [run.name for run in feature_runs()]
    if not names:
        st.html('<p class="scan-means">No finished run has a network to look with yet.</p>')
        frame.link("pages/3_Train.py", "Train a model first", ":material/arrow_forward:")
        return
    run = st.selectbox("With the network of", names, key=f"deep-run-{key}")
    if st.button(f"Deep scan of {count(len(dataset), 'image')}", key=f"deep-scan-{key}"):
        start(dataset, deep=True, run=run, turned=turned)
