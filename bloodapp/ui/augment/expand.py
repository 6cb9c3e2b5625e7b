"""Making copies: the chosen pipeline drawn before any training, into a dataset beside the originals."""

from html import escape
from pathlib import Path

import numpy as np
import streamlit as st

from bloodapp.augment.expand import MOST_COPIES, Plan, checked_name, last_speed, plan
from bloodapp.augment.pipelines import Pipeline, text
from bloodapp.data.dataset import Dataset, free_name, list_datasets
from bloodapp.errors import BloodappError
from bloodapp.jobs.job import ACTIVE, Job, latest_job, submit
from bloodapp.ui import background, css, frame, state
from bloodapp.ui.text import count, duration
from bloodapp.ui.thumbs import class_chip

STYLE = Path(__file__).with_name("expand.css")
_WAYS = {"each": "Of every image", "balance": "To balance the classes"}
_WAYS_HELP = (
    "Of every image: each is copied equally often. To balance the classes: only so many as bring each class up to the "
    f"largest, at most {MOST_COPIES} of an image."
)
_BY = {"this": "This pipeline", "r3": "R3: low, medium and hard"}
_BY_HELP = "R3 trained with three sets of copies together, drawn by r3low, r3medium and r3hard."
_R3 = ("r3low", "r3medium", "r3hard")
_LOADING_S = 10.0  # what TensorFlow takes before the first copy


def draw(dataset: Dataset, pipeline: Pipeline) -> None:
    """Draw the folded section: how many copies, what that makes and takes, and their making while it runs."""
    css.style(STYLE)
    job = latest_job("expand", dataset.name)
    active = job is not None and job.state() in ACTIVE
    if active:
        st.session_state.setdefault("expand-box", True)
    with st.expander(
        "Make copies", key="expand-box", icon=":material/library_add:", on_change="rerun"
    ) as box:
        if not box.open:
            return
        if job is not None and job.state() != "done":
            background.watch(job, key="expand", dismiss=True)
            if active:
                return
        elif job is not None:
            _made(job)
        _form(dataset, pipeline)


@st.fragment
def _form(dataset: Dataset, pipeline: Pipeline) -> None:
    """What to make; changing it draws nothing else on the page."""
    st.html(
        '<p class="quiet">Training draws anew in every epoch and needs no copies. In a dataset of their own they can '
        "be looked at, balance the classes and go to other tools. No split parts a copy from its original.</p>"
    )
    by = st.segmented_control(
        "Drawn by",
        list(_BY),
        key="expand-by",
        default="this",
        required=True,
        format_func=_BY.__getitem__,
        help=_BY_HELP,
    )
    way = st.segmented_control(
        "Copies",
        list(_WAYS),
        key="expand-way",
        default="each",
        required=True,
        format_func=_WAYS.__getitem__,
        help=_WAYS_HELP,
    )
    copies = 1
    if way == "each":
        copies = int(
            st.number_input(
                "Copies of each image" + (" by each" if by == "r3" else ""),
                min_value=1,
                max_value=MOST_COPIES,
                value=1,
                key="expand-copies",
            )
        )
    try:
        pipelines = _R3 if by == "r3" else (text(pipeline),)
        planned = plan(dataset, pipelines, copies=copies, balance=way == "balance")
    except BloodappError as problem:
        st.html(f'<p class="quiet">{escape(str(problem))}</p>')
        return
    st.html(_counts(dataset, planned))
    st.html(f'<p class="quiet">{escape(_takes(dataset, planned))}</p>')
    kind = "balanced" if way == "balance" else "augmented"
    default = free_name(f"{dataset.name[:50]}-" + (f"r3-{kind}" if by == "r3" else kind))
    name = st.text_input("Name of the new dataset", value=default, key=f"expand-name-{default}").strip()
    if not st.button("Make the copies", key="expand", icon=":material/library_add:"):
        return
    try:
        checked_name(dataset, name)
    except BloodappError as problem:
        frame.error(problem)
        return
    submit(
        "expand",
        {
            "dataset": dataset.name,
            "name": name,
            "pipelines": list(planned.pipelines),
            "copies": copies,
            "balance": planned.balance,
        },
        title=f"Copies of {dataset.name}",
    )
    background.runner().wake()
    st.rerun()


def _made(job: Job) -> None:
    """The way to what the last job made, as long as it is there."""
    made = job.status().get("result") or {}
    name = made.get("dataset")
    if name not in list_datasets():
        return
    with st.container(key="expand-made", border=True):
        st.html(
            f"<p><b>{escape(name)}</b> is ready: {count(made['count'], 'image')}, {made['copies']:,} of them drawn.</p>"
        )
        if st.button("Open it", key="expand-open", icon=":material/arrow_forward:"):
            state.choose_dataset(name)
            st.switch_page("app.py", query_params=state.address())


def _counts(dataset: Dataset, planned: Plan) -> str:
    """Images of each class before and after, as an HTML table with bars."""
    largest = max(int(planned.after.max()), 1)
    rows = []
    for cell_class, before, after in zip(dataset.classes, planned.before, planned.after, strict=True):
        if after:
            widths = [100 * number / largest for number in (before, after - before)]
            rows.append(
                f"<tr><th>{class_chip(cell_class)}</th><td>{before:,}</td><td>→</td><td><b>{after:,}</b></td><td>"
                f'<div class="bar"><i style="width:{widths[0]:.1f}%"></i><s style="width:{widths[1]:.1f}%"></s></div>'
                "</td></tr>"
            )
    note = ""
    if len(planned.short):
        titles = ", ".join(dataset.classes[label].title for label in planned.short)
        note = (
            f'<p class="quiet">No image is copied more than {MOST_COPIES} times, so these stay smaller: '
            f"{escape(titles)}.</p>"
        )
    return f'<table class="before-after">{"".join(rows)}</table>{note}'


def _takes(dataset: Dataset, planned: Plan) -> str:
    """`2,760 images, 690 of them originals · 76 MB on disk · about 45 s`."""
    total = int(np.sum(planned.after))
    bytes_ = total * dataset.size**2 * 3
    room = f"{bytes_ / 1e9:.1f} GB" if bytes_ >= 1e9 else f"{max(bytes_ / 1e6, 1):,.0f} MB"
    parts = [f"{count(total, 'image')}, {planned.copies:,} of them drawn", f"{room} on disk"]
    if speed := last_speed(planned.pipelines, dataset.size):
        parts.append(f"about {duration(_LOADING_S + planned.copies / speed)}")
    return " · ".join(parts)
