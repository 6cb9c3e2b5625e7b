"""The map: every image of the dataset as a point, near those that are like it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.data.decisions import Judged
from bloodapp.errors import BloodappError
from bloodapp.jobs.job import ACTIVE
from bloodapp.review import plane
from bloodapp.review.findings import KINDS
from bloodapp.review.plane import Laid, Way
from bloodapp.review.proposals import proposers
from bloodapp.ui import background, css, frame, state
from bloodapp.ui.review import acts, pictures, predicted, reading
from bloodapp.ui.review.gallery import filters
from bloodapp.ui.review.map import component
from bloodapp.ui.review.map.colouring import Colouring, by_class, by_decision, by_finding
from bloodapp.ui.standing import identity
from bloodapp.ui.text import count, percent, plain
from bloodapp.ui.thumbs import data_uri, thumbnail

NAMES = ("map", "colour")
"""What the address carries: which plane, and what the points are coloured by."""

KEY = "review-map"
_STYLE = Path(component.__file__).with_name("view.css")
_LOOKING = "Looking at the images"
_CHOSEN, _FRESH, _LEFT = "map-chosen", "map-fresh", "map-left"
_PLANES = {"pixels": "Pixels", "features": "What a network saw", "neighbours": "Neighbours together"}
_COLOURS = {"class": "Class", "finding": "Finding", "decision": "Decision", "prediction": "Prediction"}
_MEANS = {
    "pixels": "Two directions carry {share} of what sets the pixels apart: light, colour and size. What lies far off "
    "is hardly a cell.",
    "features": "Two directions carry {share} of what the network of '{by}' saw: what overlaps here may lie apart in "
    "others.",
    "neighbours": "Who is near whom means something, by the network of '{by}'; how far groups are apart does not.",
}

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Shown:
    """What the map is about: a dataset, what is known about its images, where they lie and what colours them."""

    dataset: Dataset
    judged: Judged
    findings: pd.DataFrame | None
    answers: NDArray[np.integer] | None
    way: Way
    colour: str


def draw(
    dataset: Dataset,
    judged: Judged,
    findings: pd.DataFrame | None,
    *,
    on_open: Callable[[list[int]], None],
    answers: NDArray[np.integer] | None = None,
) -> None:
    """Draw the map.

    Args:
        dataset: whose images.
        judged: what was decided about them.
        findings: those of the last scan, or None: of these the map shows what reaches its threshold.
        on_open: called with images to open, ascending, or with a single one.
        answers: a class for each image, -1 = none; by default those of the run whose predictions Review shows.
    """
    css.style(_STYLE)
    if answers is None:
        answers = _answers(dataset)
    findings = None if findings is None else reading.counting(dataset)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium", key="map-choice"):
        way = _way(dataset)
        colour = _colour(findings, answers)
    laid = _laid(dataset, way, st.empty())
    if laid is not None:
        _board(_Shown(dataset, judged, findings, answers, way, colour), laid, on_open)


def _way(dataset: Dataset) -> Way:
    able = plane.ways(dataset)
    usual = next(way for way in reversed(able) if way != "neighbours" or plane.stamp(dataset, way))
    chosen: Way = next((way for way in able if way == state.get("map")), usual)
    _choice("map", "Where a point lies", {one: _PLANES[one] for one in able}, chosen)
    if len(able) == 1:
        st.html('<p class="quiet map-more">A deep scan adds what a network sees.</p>', width="content")
    return chosen


def _colour(findings: pd.DataFrame | None, answers: NDArray[np.integer] | None) -> str:
    able = dict(_COLOURS)
    if findings is None:
        del able["finding"]
    if answers is None:
        del able["prediction"]
    chosen = str(state.get("colour") or "class")
    chosen = chosen if chosen in able else "class"
    _choice("colour", "Colour by", able, chosen)
    return chosen


def _choice(name: str, label: str, able: dict[Any, str], chosen: str) -> None:
    box = f"map-{name}-box"
    st.session_state[box] = chosen
    st.segmented_control(
        label,
        list(able),
        key=box,
        required=True,
        format_func=lambda one: able[one],
        on_change=lambda: state.put(name, st.session_state[box]),
    )


def _laid(dataset: Dataset, way: Way, busy: DeltaGenerator) -> Laid | None:
    """The plane, if it is there; else it is laid out now, or a job for it is offered or shown.

    `busy` is where the progress shows; it is always there, as the map would be drawn anew if it moved on the page.
    """
    if (laid := _kept(dataset.name, identity(dataset), way, plane.stamp(dataset, way))) is not None:
        return laid
    if way == "neighbours":
        _offer(dataset)
        return None
    bar = busy.progress(0.0, _LOOKING)

    def tell(done: int, total: int) -> None:
        bar.progress(min(done / max(total, 1), 1.0), _LOOKING)

    try:
        return plane.lay_out(dataset, way, tell)
    except (BloodappError, OSError) as problem:
        frame.error(problem)
        return None
    finally:
        busy.empty()


def _offer(dataset: Dataset) -> None:
    job = plane.job_of(dataset)
    now = job.state() if job is not None else ""
    if job is not None and now != "done":
        background.watch(job, key="map-job", dismiss=now not in ACTIVE)
        return
    with st.container(key="empty-map", border=True):
        st.html(
            '<div class="empty"><h2>Not laid out yet</h2><p>Puts images that a network sees alike beside one another '
            "(t-SNE). It runs in the background, about half a minute.</p></div>"
        )
        st.button(
            "Lay it out",
            key="map-begin",
            type="primary",
            icon=":material/bubble_chart:",
            on_click=_begin,
            args=(dataset,),
        )


def _begin(dataset: Dataset) -> None:
    try:
        plane.begin(dataset)
        background.runner().wake()
    except (BloodappError, OSError) as problem:
        st.toast(plain(str(problem)), icon=":material/error:")


@st.fragment
def _board(shown: _Shown, laid: Laid, on_open: Callable[[list[int]], None]) -> None:
    """The map, what is chosen on it, and what can be done with that."""
    if state.get(_LEFT):
        state.put(_LEFT, None)
        state.rerun()

    def leave(indices: list[int]) -> None:
        state.put(_LEFT, True)
        on_open(indices)

    dataset, together = shown.dataset, shown.way == "neighbours"
    _acts(shown, component.unpacked(_chosen(dataset), len(dataset)), leave)
    colouring = _colouring(shown)
    component.show(
        KEY,
        points=_points(laid, together),
        colouring=colouring,
        groups=component.groups_file(
            colouring, None if shown.colour == "decision" else ~shown.judged.included
        ),
        by=shown.colour,
        equal=together,
        label=_in_words(shown, colouring),
        place=dataset.fingerprint[:16],
        asof=shown.judged.seq,
        chosen=_chosen(dataset),
        fresh=int(state.get(_FRESH) or 0),
        picture=_picture(shown, component.hovered(KEY)),
        on_choose=lambda bits: state.put(_CHOSEN, {dataset.fingerprint: bits}),
        on_open=lambda index: leave([index]),
    )
    said = _MEANS[shown.way].format(share=percent(sum(laid.explained)), by=laid.by)
    if laid.placed < len(dataset):
        said += f" {count(laid.placed, 'image')} were laid out, every other lies among those that look most like it."
    if any(one.key == "none" for one in colouring.groups) and shown.colour == "prediction":
        said += " The gallery has a run asked about all images."
    st.html(f'<p class="quiet">{escape(said)}</p>')


def _acts(shown: _Shown, chosen: Ints, leave: Callable[[list[int]], None]) -> None:
    none = len(chosen) == 0
    words = "Draw around points to choose their images" if none else _tally(shown, chosen)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="map-acts"):
        st.html(f'<p class="chosen{" none" if none else ""}">{escape(words)}</p>', width="stretch")
        st.button(
            "Open in the gallery",
            key="map-open",
            type="primary",
            disabled=none,
            on_click=leave,
            args=(chosen.tolist(),),
        )
        excluded = st.button("Exclude", key="map-exclude", disabled=none)
        reason = st.menu_button("Flag", acts.FLAG_REASONS, disabled=none, key="map-flag")
    if excluded or reason is not None:
        why = "Chosen on the map" if excluded else str(reason)
        acts.decide(shown.dataset, chosen, "exclude" if excluded else "flag", because=why)
        forget()
        st.rerun()


def forget() -> None:
    """Choose nothing on the map any more."""
    state.put(_CHOSEN, None)
    state.put(_FRESH, int(state.get(_FRESH) or 0) + 1)


def _chosen(dataset: Dataset) -> str:
    return str((state.get(_CHOSEN) or {}).get(dataset.fingerprint) or "")


def _tally(shown: _Shown, chosen: Ints) -> str:
    """How many images are chosen, and what most of them are: `1,234 images, 40 % Neutrophil, 22 % Monocyte`."""
    classes = shown.dataset.classes
    number = np.bincount(shown.judged.labels[chosen] + 1, minlength=len(classes) + 1)
    titles = ["no label", *(one.title for one in classes)]
    most = [which for which in np.argsort(-number, kind="stable")[:3] if number[which]]
    if len(chosen) == 1:
        return f"1 image, {titles[most[0]]}"
    shares = [f"{_share(number[which] / len(chosen))} {titles[which]}" for which in most]
    return ", ".join([count(len(chosen), "image"), *shares])


def _share(share: float) -> str:
    return "under 1 %" if share < 0.005 else f"{100 * share:.0f} %"


def _colouring(shown: _Shown) -> Colouring:
    dataset, judged = shown.dataset, shown.judged
    if shown.colour == "finding":
        return by_finding(shown.findings, len(dataset))
    if shown.colour == "decision":
        return by_decision(judged, dataset.labels)
    if shown.colour == "prediction" and shown.answers is not None:
        return by_class(shown.answers, dataset.classes, "Not asked")
    return by_class(judged.labels, dataset.classes)


def _in_words(shown: _Shown, colouring: Colouring) -> str:
    numbers = zip(colouring.groups, colouring.counts.tolist(), strict=True)
    parts = ", ".join(f"{number:,} {one.title}" for one, number in numbers)
    return f"Map of {count(len(shown.dataset), 'image')} by {_PLANES[shown.way].lower()}: {parts}"


def _picture(shown: _Shown, index: int | None) -> dict[str, Any] | None:
    """What the map shows of the image that is pointed at."""
    dataset, judged, answers = shown.dataset, shown.judged, shown.answers
    if index is None or not 0 <= index < len(dataset):
        return None
    label, *rest = pictures.hint(dataset, judged, index).split(" · ")[1:]
    if answers is not None and answers[index] >= 0:
        rest.insert(0, f"predicted {dataset.classes[int(answers[index])].title}")
    if shown.findings is not None:
        kinds = shown.findings.loc[shown.findings["index"] == index, "kind"].tolist()
        rest += [KINDS[kind].title.lower() for kind in kinds[:2] if kind in KINDS]
    return {
        "index": index,
        "src": data_uri(thumbnail(dataset, index)),
        "colour": pictures.colour_of(dataset, judged, index),
        "lines": [label[:1].upper() + label[1:], f"image {index:,}", *rest],
        "out": not bool(judged.included[index]),
    }


def _answers(dataset: Dataset) -> NDArray[np.integer] | None:
    """A class for each image, -1 where nothing is known: by the run of the gallery, else the first that knows some."""
    for run in (predicted.run_of(dataset, filters.run()), *proposers(dataset)):
        said = predicted.by_image(dataset, predicted.proposals(dataset, run))
        if said is not None:
            return said.label
    return None


@lru_cache(maxsize=8)
def _points(laid: Laid, equal: bool) -> bytes:
    return component.points_file(laid.points, equal=equal)


@lru_cache(maxsize=8)
def _kept(name: str, identity: str, way: Way, stamp: int) -> Laid | None:
    del identity  # part of the key only
    return plane.kept(open_dataset(name), way) if stamp else None
