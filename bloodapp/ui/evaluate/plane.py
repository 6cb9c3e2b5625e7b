"""All images as the network sees them, on a plane, coloured by class."""

from functools import lru_cache
from html import escape
from pathlib import Path

import numpy as np
import numpy.typing as npt
import streamlit as st

from bloodapp.charts.plane import plane_chart
from bloodapp.charts.style import CONFIG
from bloodapp.classify.features import Features
from bloodapp.data.plane import Plane, principal
from bloodapp.evaluate.neighbours import K, Purity, purity
from bloodapp.evaluate.plane import centres
from bloodapp.runs.run import Run, list_runs
from bloodapp.ui import css, frame, state, thumbs
from bloodapp.ui.evaluate import features, flags, images
from bloodapp.ui.evaluate.reading import PARTS, Reading, choose
from bloodapp.ui.text import count, percent

FILTERS: tuple[str, ...] = ("plane", "seen_by")
"""Names in the address that this view keeps its choices under."""

PLANES = {"principal": "Principal components", "neighbours": "Neighbours together (t-SNE)"}
MOST = 60
_FEW, _HIGH = 16, 470
_CHART = "evaluate-plane-chart"
_STYLE = Path(__file__).with_name("plane.css")
_WHY = (
    "Each image becomes a point where the network's features put it: classes that lie apart are told apart easily, "
    "and a point among strangers deserves a look."
)

Ints = npt.NDArray[np.int64]


def draw(reading: Reading) -> None:
    """Draw the view."""
    css.style(_STYLE)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        seen_by = _network(reading)
        which = choose("plane", PLANES, "Which plane")
    found = features.there_or_offered(reading, seen_by, _WHY)
    if found is None:
        return
    if which == "neighbours" and not len(found.laid_out):
        st.html(
            '<p class="quiet">This plane is still being laid out, or was stopped: choose the other one.</p>'
        )
        return
    _on_the_plane(reading, found, which)
    _apart(reading, found)


def _network(reading: Reading) -> Run:
    """Whose features are shown: this run's, unless another one of the same images is chosen."""
    mine = reading.run
    others = [
        one
        for one in list_runs()
        if one.model_path.exists()
        and one.config["fingerprint"] == mine.config["fingerprint"]
        and not one.parent
        and one.series != "repeats"
        and one.name != mine.name
    ]
    able = {one.name: one for one in (mine, *others)}
    if len(able) == 1:
        return mine
    current = state.get("seen_by") if state.get("seen_by") in able else mine.name
    box = "evaluate-seen-by"
    state.show(box, current)
    st.selectbox(
        "Seen by the network of",
        list(able),
        format_func=lambda name: able[name].title + (" (this run)" if name == mine.name else ""),
        key=box,
        on_change=lambda: state.put(
            "seen_by", None if st.session_state[box] == mine.name else st.session_state[box]
        ),
        width=300,
    )
    return able[str(current)]


@st.fragment
def _on_the_plane(reading: Reading, found: Features, which: str) -> None:
    """The points, and beside them the images of those that are chosen."""
    rows, points, said, axes = _laid_out(found, which)
    labels, answers = _labels_and_answers(reading, found)
    classes = reading.result.classes
    left, right = frame.columns("plane", [7, 4])
    with left:
        figure = plane_chart(
            points,
            labels[rows],
            classes,
            found.index[rows],
            answers=answers[rows],
            centres=centres(points, labels[rows], len(classes)),
            axes=axes,
        )
        event = st.plotly_chart(
            figure,
            key=_CHART,
            config=CONFIG,
            on_select="rerun",
            selection_mode=("points", "lasso"),
            alt="All images as points where the network's features put them, coloured by class",
        )
        st.html(f'<p class="quiet">{escape(said)}</p>')
    with right:
        _chosen(reading, event.get("selection", {}).get("points", []), found, labels, answers)


def _laid_out(found: Features, which: str) -> tuple[Ints, npt.NDArray[np.float32], str, tuple[str, str]]:
    """Which features are shown, where, what to know about the plane, and what its axes are called."""
    every = len(found.index)
    if which == "neighbours":
        shown = (
            f"{len(found.laid_out):,} of {every:,} images, all of the test part among them."
            if len(found.laid_out) < every
            else ""
        )
        said = (
            "Who is near whom means something here; how far groups are apart and how large they are does not."
        )
        return found.laid_out, found.plane, f"{said} {shown}".strip(), ("", "")
    plane = _principal(found)
    one, two = plane.explained
    said = (
        f"These two directions carry {percent(one + two)} of what sets the images apart in {found.values.shape[1]:,} "
        "features: what overlaps here may lie apart in the others."
    )
    axes = (f"first component, {percent(one)} of the variance", f"second, {percent(two)}")
    return np.arange(every), plane.points, said, axes


@lru_cache(maxsize=4)
def _principal(found: Features) -> Plane:
    return principal(found.values)


def _labels_and_answers(reading: Reading, found: Features) -> tuple[Ints, Ints]:
    """The label of each of the features' images, and this run's answer on the part on show, -1 for the others."""
    result = reading.result
    labels, answers = found.label.copy(), np.full(len(found.index), -1, np.int64)
    order = np.argsort(found.index, kind="stable")
    at = np.searchsorted(found.index, result.index, sorter=order)
    place = order[np.minimum(at, len(order) - 1)]
    known = found.index[place] == result.index
    answers[place[known]] = result.probabilities.argmax(1)[known]
    labels[place[known]] = result.labels[known]
    return labels, answers


def _chosen(reading: Reading, points: list, found: Features, labels: Ints, answers: Ints) -> None:
    ids = np.unique([int(np.ravel(point["customdata"])[0]) for point in points]).astype(np.int64)
    ids = ids[np.isin(ids, found.index)]  # another network's features may be of other images
    if not len(ids):
        part = PARTS[reading.part].lower()
        frame.section("No point chosen", "Draw around some points, or click on one, to see their images.")
        wrong = int(((answers >= 0) & (answers != labels)).sum())
        st.html(
            f'<p class="quiet">Strong points are the {part}, faint ones the other images; crosses are '
            f"{count(wrong, 'wrong answer')}, in the colour of the label.</p>"
        )
        return
    order = np.argsort(found.index, kind="stable")
    rows = order[np.searchsorted(found.index, ids, sorter=order)]
    classes = reading.result.classes
    number = np.bincount(labels[rows], minlength=len(classes))
    tally = ", ".join(f"{number[k]:,} {classes[k].title}" for k in np.argsort(-number) if number[k])
    frame.section(count(len(ids), "image"), tally)
    dataset = reading.dataset
    if images.not_here(reading) or dataset is None:
        return
    titles = [one.title for one in classes]
    shown = rows[np.argsort(~((answers[rows] >= 0) & (answers[rows] != labels[rows])), kind="stable")][:MOST]
    named = [titles[answers[row]] if answers[row] >= 0 else "not asked" for row in shown]
    with st.container(horizontal=True):
        st.button(
            f"Flag {'it' if len(ids) == 1 else f'these {len(ids):,}'} for Review",
            key="evaluate-plane-flag",
            icon=":material/outlined_flag:",
            on_click=flags.flag,
            args=(dataset.name, ids.tolist()),
        )
        if len(ids) == 1 and st.button(
            "Why this answer?", key="evaluate-plane-why", icon=":material/search:"
        ):
            state.put_together({"view": "why", "image": str(ids[0])})
            st.rerun()  # the whole page, of which this is a fragment
    with st.container(height=_HIGH if len(shown) > _FEW else "content", border=False):
        thumbs.grid(
            images.pictures(dataset, found.index[shown], under_shift=False),
            [titles[labels[row]] for row in shown],
            colours=[classes[labels[row]].colour for row in shown],
            hints=[
                f"image {found.index[row]}: labelled {titles[labels[row]]}, answered: {name}"
                for row, name in zip(shown, named, strict=True)
            ],
            width=72,
        )
    if len(rows) > MOST:
        st.html(f'<div class="quiet">the first {MOST} of {len(rows):,}, wrong answers first</div>')


def _apart(reading: Reading, found: Features) -> None:
    """Which classes lie apart, as a table."""
    pure = _purity(found, reading.part, len(reading.result.classes))
    if not pure.count.sum():
        return
    classes = reading.result.classes
    order = np.argsort(np.nan_to_num(pure.own, nan=2), kind="stable")
    known = [k for k in order if pure.count[k]]
    worst, best = classes[known[0]], classes[known[-1]]
    frame.section(
        "Which classes lie apart",
        f"Of each image of the {PARTS[reading.part].lower()}, the {K} nearest training cells.",
    )
    st.html(
        f'<p class="mapsaid"><b>{escape(best.title)}</b> lies most apart: {percent(float(pure.own[known[-1]]))} of '
        f"its neighbours are its own. <b>{escape(worst.title)}</b> lies least apart, with "
        f"{percent(float(pure.own[known[0]]))}.</p>"
    )
    body = []
    for k in known:
        other = (
            "–"
            if pure.other[k] < 0
            else f"{thumbs.class_chip(classes[pure.other[k]])} {percent(float(pure.other_share[k]))}"
        )
        body.append(
            f"<tr><td>{thumbs.class_chip(classes[k])}</td><td>{pure.count[k]:,}</td>"
            f'<td><span class="puritybar"><i style="width:{100 * pure.own[k]:.1f}%"></i></span>'
            f'<span class="purityshare">{percent(float(pure.own[k]))}</span></td><td class="mixed">{other}</td></tr>'
        )
    st.html(
        '<div class="scroll"><table class="figures"><thead><tr><th>class</th><th>images</th>'
        '<th>neighbours of its own class</th><th class="mixed">mixed most with</th></tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )


@lru_cache(maxsize=8)
def _purity(found: Features, part: str, classes: int) -> Purity:
    rows, near = features.of_part(found, part)
    return purity(found.label[rows], found.label[near.rows], classes)
