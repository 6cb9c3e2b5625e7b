"""Home: what is in the dataset, what state each step is in, the next thing to do."""

from functools import lru_cache
from html import escape
from pathlib import Path

import numpy as np
import streamlit as st

from bloodapp.charts.gap import RunPoint, gap_chart
from bloodapp.charts.style import CONFIG
from bloodapp.data.dataset import Dataset, delete_dataset, list_datasets, open_dataset
from bloodapp.errors import BloodappError
from bloodapp.jobs.job import submit
from bloodapp.runs.run import Run, headline, list_runs
from bloodapp.ui import background, frame, imports, state
from bloodapp.ui.standing import identity, judged
from bloodapp.ui.steps import Step, next_step
from bloodapp.ui.text import ago, count
from bloodapp.ui.thumbs import class_chip, data_uri, thumbnail

_A_ROW = 14
_MOST_RUNS = 12
_MOST_FILES = 50
_KINDS = {
    "npz": ".npz file",
    "folder": "folder",
    "zip": ".zip archive",
    "table": "table of paths and labels",
    "dataset": "another dataset",
    "sample": "drawn by this app",
    "planted": "a copy with known faults",
    "augmented": "another dataset and augmented copies",
    "added": "datasets put together",
}


def home(here: frame.Here) -> None:
    """Draw Home."""
    with st.container(key="home-imports"):  # in its place: what is open below stays so when one ends
        imports.watch_unfinished()
    if here.dataset is None:
        _welcome()
        return
    _summary(here.dataset, here.steps)
    sheet, path = frame.columns("top", [5, 2])
    with sheet:
        _classes(here.dataset)
    with path:
        _way(here.steps)
    gap, origin = frame.columns("bottom", [5, 2])
    with gap:
        _gap(here.run)
    with origin:
        _provenance(here.dataset)


def _welcome() -> None:
    frame.section("Begin with a dataset", "Nothing leaves this computer.")
    with st.container(border=True):
        imports.form(key="welcome")


def _summary(dataset: Dataset, line: tuple[Step, ...]) -> None:
    now = judged(dataset)
    remaining = len(now.indices)
    numbers = _counts(dataset)
    filled = numbers[numbers > 0]
    figures = [
        ("images", f"{len(dataset):,}"),
        ("remain after decisions", f"{remaining:,}"),
        ("classes", str(len(dataset.classes))),
        ("largest : smallest class", f"{filled.max() / filled.min():.1f} : 1" if len(filled) else "–"),
        ("image size", f"{dataset.size} × {dataset.size}"),
    ]
    with st.container(key="summary", horizontal=True, vertical_alignment="bottom", gap="large"):
        with st.container():
            frame.heading(dataset.name, _origin(dataset))
            frame.facts(figures)
        _next(dataset, next_step(line))


def _next(dataset: Dataset, step: Step) -> None:
    """The one primary button: the next thing to do."""
    label = {
        "Review": "Decide what stays" if "open" in step.state else "Find what does not belong",
        "Train": {"busy": "Watch the training", "attention": "See what happened"}.get(
            step.mood, "Train a model"
        ),
        "Evaluate": "See how good it is",
        "Classify": "Classify a new image",
    }.get(step.title, f"Go to {step.title}")
    with st.container(key="next", width=270, gap="small"):
        st.html(f'<div class="next"><span>Next</span><p>{escape(step.detail)}</p></div>')
        if st.button(
            label, type="primary", key="next-step", width="stretch", icon=":material/arrow_forward:"
        ):
            if step.title == "Review" and step.state == "not scanned":
                submit("scan", {"dataset": dataset.name}, title=f"Scan of {dataset.name}")
                background.runner().wake()
            st.switch_page(step.page, query_params=state.address())


def _classes(dataset: Dataset) -> None:
    frame.section("What is in it", "a few images of each class, as labelled now")
    st.html(_class_rows(dataset.name, identity(dataset), judged(dataset).seq))


def _way(line: tuple[Step, ...]) -> None:
    frame.section("Where you are")
    with st.container(key="way", gap=None):
        for step in line[1:]:
            with st.container(key=f"way-{step.title.lower()}", gap=None):
                st.html(
                    f'<div class="way {escape(step.mood)}"><i></i><div><b>{escape(step.title)}</b>'
                    f"<em>{escape(step.state)}</em><p>{escape(step.detail)}</p></div></div>"
                )
                frame.link(step.page, f"Open {step.title}")


def _gap(run: Run | None) -> None:
    frame.section("Does it hold on images that changed?")
    st.html(
        '<p class="quiet">The lower a point lies under the diagonal, the more a system loses when the images look '
        "different from those it learned from. Grey: what five teams of a course reported, scored by the course on "
        "images that nobody saw. In colour: your runs, on their own held-out images, clean and under a seeded "
        "realistic shift. The two are different tests and are shown together for orientation only.</p>"
    )
    points = _points(run)
    st.plotly_chart(gap_chart(runs=points, height=430), config=CONFIG, key="gap", width="stretch")


def _points(chosen: Run | None) -> list[RunPoint]:
    points = []
    for run in list_runs():
        if run.parent:
            continue
        try:
            figures = headline(run)
        except BloodappError:
            continue
        if not figures or figures["accuracy"] is None or figures["shifted_accuracy"] is None:
            continue
        points.append(
            RunPoint(
                run.name,
                float(figures["accuracy"]),
                float(figures["shifted_accuracy"]),
                int(figures["n"] or 0),
                str(figures["part"]),
                chosen is not None and run.name == chosen.name,
            )
        )
    return points[:_MOST_RUNS]


def _provenance(dataset: Dataset) -> None:
    frame.section("Where it comes from")
    st.html(_origin_table(dataset.name, identity(dataset)))
    _delete(dataset)


@lru_cache(maxsize=8)
def _origin_table(name: str, identity: str) -> str:
    """Source, time, originals and parts of a dataset as an HTML list; none of it ever changes."""
    dataset = open_dataset(name)
    items = dataset.items
    path = str(dataset.source.get("path") or dataset.source.get("name") or "–")
    rows = [
        ("Source", Path(path).name),
        ("Kind", _kind(dataset)),
        ("Imported", f"{str(dataset.facts.get('imported', ''))[:16].replace('T', ' ')} UTC"),
        ("Fingerprint", dataset.fingerprint[:12]),
        (
            "Originals",
            _most_common([f"{w} × {h}" for w, h in zip(items["width"], items["height"], strict=True)]),
        ),
        ("Colour mode", _most_common([str(mode) for mode in items["mode"]])),
        ("Parts given", _most_common([part or "none" for part in items["part"]])),
    ]
    rows += [
        (f"From {one['name']}", f"{count(one['count'], 'image')} · {one['fingerprint'][:12]}")
        for one in dataset.source.get("datasets", [])
    ]
    if drawn := dataset.source.get("drawn"):
        rows.append(("Copies drawn", f"{drawn:,} by {'; '.join(dataset.source.get('pipelines', []))}"))
    cells = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in rows)
    told = (("Passed over", "skipped", "reason"), ("Taken in part", "notes", "note"))
    for title, fact, key in told:
        if listed := [str(one[key]) for one in dataset.facts.get(fact) or []]:
            cells += f"<dt>{title}</dt><dd>{_unfolding(listed)}</dd>"
    return f'<dl class="origin">{cells}</dl>'


def _unfolding(listed: list[str]) -> str:
    """How many files, and when that is opened, the sentence about each of the first."""
    sentences = "".join(f"<li>{escape(sentence)}</li>" for sentence in listed[:_MOST_FILES])
    more = f"<li>and {len(listed) - _MOST_FILES:,} more</li>" if len(listed) > _MOST_FILES else ""
    return f"<details><summary>{count(len(listed), 'file')}</summary><ul>{sentences}{more}</ul></details>"


def _delete(dataset: Dataset) -> None:
    with st.popover("Delete this dataset", type="tertiary", icon=":material/delete:"):
        st.html(
            f"<p>Removes the images of <b>{escape(dataset.name)}</b> and every decision about them from this app. "
            "Your original files and trained runs stay.</p>"
        )
        if st.button(f"Delete '{dataset.name}' for good", key="delete", type="primary"):
            try:
                delete_dataset(dataset.name)
            except BloodappError as problem:
                frame.error(problem)
            else:
                state.choose_dataset(next(iter(list_datasets()), None))
                st.rerun()


def _origin(dataset: Dataset) -> str:
    when = ago(dataset.facts.get("imported"))
    return " · ".join(part for part in (_kind(dataset), f"imported {when}" if when else "") if part)


def _kind(dataset: Dataset) -> str:
    kind = str(dataset.source.get("kind", "–"))
    return _KINDS.get(kind, kind)


def _counts(dataset: Dataset) -> np.ndarray:
    """Images that remain in each class, int64 (C,)."""
    now = judged(dataset)
    return np.bincount(now.labels[now.indices], minlength=len(dataset.classes))


def _most_common(values: list[str], most: int = 3) -> str:
    """`96 × 96`, or `360 × 363 (12,901), 363 × 360 (770), and 3 more`."""
    names, numbers = np.unique(values, return_counts=True)
    order = np.argsort(-numbers)
    if len(order) == 1:
        return str(names[0])
    shown = ", ".join(f"{names[i]} ({numbers[i]:,})" for i in order[:most])
    return shown if len(order) <= most else f"{shown}, and {len(order) - most} more"


@lru_cache(maxsize=8)
def _class_rows(name: str, identity: str, seq: int) -> str:
    """A row of thumbnails for each class with its count as a bar, then what was left out; HTML."""
    dataset = open_dataset(name)
    now = judged(dataset)
    numbers = _counts(dataset)
    largest = max(int(numbers.max(initial=0)), 1)
    rng = np.random.default_rng(0)
    rows = []
    for label, cell_class in enumerate(dataset.classes):
        chosen = now.indices[now.labels[now.indices] == label]
        rows.append(_row(dataset, class_chip(cell_class), cell_class.colour, chosen, largest, rng))
    unlabelled = np.flatnonzero(now.included & (now.labels < 0))
    if len(unlabelled):
        rows.append(_row(dataset, class_chip(None), "#adb5bd", unlabelled, largest, rng))
    gone = np.flatnonzero(~now.included)
    if len(gone):
        chip = '<span class="chip"><i style="background:#868e96"></i>Left out</span>'
        rows.append(_row(dataset, chip, "#868e96", gone, largest, rng, "row out"))
    return f'<div class="classes">{"".join(rows)}</div>'


def _row(
    dataset: Dataset,
    chip: str,
    colour: str,
    indices: np.ndarray,
    largest: int,
    rng: np.random.Generator,
    kind: str = "row",
) -> str:
    shown = np.sort(rng.choice(indices, min(_A_ROW, len(indices)), replace=False))
    pictures = "".join(
        f'<img alt="image {i}" title="image {i}" src="{data_uri(thumbnail(dataset, i))}">' for i in shown
    )
    width = max(100 * min(len(indices) / largest, 1), 1 if len(indices) else 0)
    return (
        f'<div class="{kind}"><div class="who">{chip}<span class="count">{len(indices):,}</span>'
        f'<div class="bar"><i style="width:{width:.1f}%;background:{escape(colour)}"></i></div></div>'
        f'<div class="strip">{pictures}</div></div>'
    )
