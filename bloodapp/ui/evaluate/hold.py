"""Will it hold: the corruption suite as a heat map, and what to do about its weakest cell."""

from collections.abc import Sequence
from functools import lru_cache
from html import escape
from pathlib import Path

import numpy as np
import numpy.typing as npt
import streamlit as st

from bloodapp.augment.corruptions import ALL_CORRUPTIONS, CORRUPTIONS
from bloodapp.charts.robustness import robustness_chart
from bloodapp.charts.style import CONFIG
from bloodapp.errors import BloodappError
from bloodapp.evaluate import suite as room
from bloodapp.evaluate.suite import Suite
from bloodapp.jobs.job import ACTIVE, Job
from bloodapp.ui import background, css, frame, state
from bloodapp.ui.evaluate import hold_cell, hold_figures
from bloodapp.ui.evaluate import images as evaluate_images
from bloodapp.ui.evaluate.reading import Reading
from bloodapp.ui.text import count, duration, plain

FILTERS: tuple[str, ...] = ("hold_class", "hold_cell", "hold_against")
"""Names in the address that this view keeps its choices under."""

STYLE = Path(__file__).with_name("hold.css")
_CHART = "evaluate-hold-chart"
_BOXES = ("hold-corruption-box", "hold-severity-box")
_ALL = "all"


def draw(reading: Reading) -> None:
    """Draw the view: the judgement under corruptions, the work on it, or how to have it made."""
    css.style(STYLE)
    job = room.job_of(reading.run, reading.part)
    working = job is not None and job.state() in ACTIVE
    found = room.find(reading.run, reading.part)
    if found is not None and found.finished and not working:
        _judged(reading, found)
        return
    if job is not None and working:
        frame.section("Judging under corruptions", "You may leave this page; the work goes on.")
        background.watch(job, key="hold")
        _so_far(reading)
        return
    _offer(reading, job, found)


def _offer(reading: Reading, job: Job | None, found: Suite | None) -> None:
    """What the suite is, how long it takes, and the button; or why it cannot be had."""
    run = reading.run
    if not run.model_path.exists():
        frame.section(
            "No model to ask", "This run keeps no model, so that it cannot be asked about other images."
        )
        return
    if evaluate_images.not_here(reading):
        return
    left = room.seconds(run, reading.part, len(reading.result))
    takes = f" It takes about {duration(left)} here, in the background." if left else ""
    images = count(len(reading.result), "image")
    if job is None:
        title, label = "Not judged under corruptions yet", f"Judge under {len(ALL_CORRUPTIONS)} corruptions"
        text = (
            f"Blur, light, stain, dirt and more, each at five strengths, on these {images}: it shows where this "
            f"run breaks before another microscope does.{takes}"
        )
    else:
        through = len(found.corruptions) if found else 0
        ended = job.state()
        said = {"failed": "did not work", "stopped": "was stopped"}.get(ended, "was interrupted")
        title = f"The judgement {said}, {through} of {len(ALL_CORRUPTIONS)} corruptions are through"
        label = "Go on"
        text = f"What is through was kept.{takes}"
        if ended == "failed":
            text = f"{job.status().get('error') or 'The reason is in its log.'} {text}"
    with st.container(key="empty-hold", border=True):
        st.html(f'<div class="empty"><h2>{escape(title)}</h2><p>{escape(text)}</p></div>')
        st.button(
            label,
            type="primary",
            key="hold-begin",
            icon=":material/play_arrow:",
            on_click=_begin,
            args=(reading,),
        )
    if found is not None:
        _map(reading, found)


def _begin(reading: Reading) -> None:
    try:
        room.submit(reading.run, reading.part)
    except BloodappError as error:
        st.toast(plain(str(error)), icon=":material/error:")
    else:
        background.runner().wake()


def _so_far(reading: Reading) -> None:
    """The rows that are through, redrawn now and then."""

    def look() -> None:
        found = room.find(reading.run, reading.part)
        if found is not None:
            names = _ordered(found)
            figure = robustness_chart(
                found.balanced_error[[found.corruptions.index(name) for name in names]],
                names,
                [_title(name) for name in names],
                clean=found.clean,
            )
            with st.container(key="hold-map"):
                st.plotly_chart(
                    figure, key="hold-so-far", config=CONFIG, alt="Error so far, by corruption and severity"
                )

    job = room.job_of(reading.run, reading.part)
    background.live(look, [job] if job else [], active=True, times=2)


def _judged(reading: Reading, found: Suite) -> None:
    hold_figures.headline(found)
    _map(reading, found)
    hold_figures.details(reading, found)


@st.fragment
def _map(reading: Reading, found: Suite) -> None:
    """The heat map, and beside it the images of the chosen cell."""
    which = _class_chosen(found)
    names = _ordered(found, which)
    table = _table(found, which)[[found.corruptions.index(name) for name in names]]
    clean = found.clean if which is None else float(found.clean_errors[which])
    cell = _cell(found, table, names)
    left, right = frame.columns("hold", [6, 5])
    with left, st.container(key="hold-map", gap="small"):
        figure = robustness_chart(
            table,
            names,
            [_title(name) for name in names],
            clean=clean,
            what="" if which is None else found.classes[which].title,
            chosen=cell,
        )
        st.plotly_chart(
            figure,
            key=_CHART,
            config=CONFIG,
            on_select=_keep_cell,
            selection_mode="points",
            alt="Share wrong by corruption and severity, the worst corruption first",
        )
        who = (
            "of all classes, each counting the same" if which is None else f"of {found.classes[which].title}"
        )
        st.html(
            f'<p class="quiet">Numbers: percent wrong {escape(who)}; {100 * clean:.1f} as they are. The worst first. '
            "Click on a cell, or choose it, to see what fails. * ours, beside the eleven of MedMNIST-C.</p>"
        )
        if cell is not None:
            _cell_boxes(names, found.severities, cell)
    with right:
        if cell is not None:
            hold_cell.draw(reading, found, cell, which)


def _class_chosen(found: Suite) -> int | None:
    """Whose error is on show: a class's place, or None for all, chosen in a box."""
    names = {_ALL: "All classes"} | {one.key: one.title for one in found.classes}
    current = str(state.get("hold_class") or _ALL)
    current = current if current in names else _ALL
    state.show("hold-class-box", current)
    st.selectbox(
        "Class",
        list(names),
        format_func=lambda key: names[key],
        key="hold-class-box",
        width=240,
        on_change=lambda: state.put(
            "hold_class",
            None if st.session_state["hold-class-box"] == _ALL else st.session_state["hold-class-box"],
        ),
    )
    return None if current == _ALL else [one.key for one in found.classes].index(current)


def _table(found: Suite, which: int | None) -> npt.NDArray[np.float64]:
    return found.balanced_error if which is None else found.errors[:, :, which]


def _ordered(found: Suite, which: int | None = None) -> list[str]:
    """The corruptions that are through, the worst first."""
    means = np.nan_to_num(_table(found, which).mean(1), nan=-1)
    return [found.corruptions[place] for place in np.argsort(-means, kind="stable")]


def _cell(found: Suite, table: npt.NDArray[np.float64], names: list[str]) -> tuple[str, int] | None:
    """The cell in the address, else the middle severity of the worst corruption."""
    name, _, severity = str(state.get("hold_cell") or "").rpartition("-")
    if name in names and severity.isdecimal() and int(severity) in found.severities:
        return name, int(severity)
    return (names[0], 3) if names else None


def _cell_boxes(names: Sequence[str], severities: Sequence[int], cell: tuple[str, int]) -> None:
    """The chosen cell as two boxes, for whoever works with keys."""

    def keep() -> None:
        name, severity = (st.session_state[box] for box in _BOXES)
        state.put("hold_cell", f"{name}-{severity}")

    with st.container(horizontal=True, gap="small"):
        state.show(_BOXES[0], cell[0])
        st.selectbox("Corruption", names, format_func=_title, key=_BOXES[0], on_change=keep, width=240)
        state.show(_BOXES[1], cell[1])
        st.selectbox("Severity", severities, key=_BOXES[1], on_change=keep, width=110)


def _keep_cell() -> None:
    points = st.session_state[_CHART]["selection"]["points"]
    if points:
        name, severity = list(points[0]["customdata"])[:2]
        # The mean has no images of its own: the strongest severity shows best what it is about.
        state.put("hold_cell", f"{name}-{int(severity) or 5}")


@lru_cache(maxsize=32)
def _title(name: str) -> str:
    return ALL_CORRUPTIONS[name].title + ("" if name in CORRUPTIONS else " *")
