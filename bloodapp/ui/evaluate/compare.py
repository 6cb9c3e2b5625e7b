"""Two or more runs on the same images: tests of their difference, and where they disagree."""

from collections.abc import Sequence
from functools import lru_cache
from html import escape
from pathlib import Path

import streamlit as st

from bloodapp.charts.agreement import Beside, difference_chart
from bloodapp.charts.style import CONFIG, RUNS
from bloodapp.errors import BloodappError
from bloodapp.evaluate import compare as room
from bloodapp.evaluate.compare import Difference, Shared
from bloodapp.runs.predictions import FILE as PREDICTIONS
from bloodapp.runs.run import Run, list_runs, open_run
from bloodapp.ui import css, frame, state
from bloodapp.ui.evaluate import compare_images, compare_words
from bloodapp.ui.evaluate.reading import Reading, choose
from bloodapp.ui.text import count, plain

FILTERS: tuple[str, ...] = ("against", "against_on", "against_shift", *compare_images.FILTERS)
"""Names in the address that this view keeps its choices under."""

STYLE = Path(__file__).with_name("compare.css")
_NOBODY = "-"
_MOST = len(RUNS)
_SHIFTS = {"clean": "As they are", "shifted": "Under the shift"}


def draw(reading: Reading) -> None:
    """Draw the view: which runs, who is better by how much, by class, and the images they disagree on."""
    css.style(STYLE)
    offered = candidates(reading.run)
    if not offered:
        frame.empty(
            "No other run to compare with",
            "A comparison needs a second run that has finished on the same dataset: train one with another recipe.",
            page="pages/3_Train.py",
            label="Train another",
        )
        return
    with st.container(horizontal=True, vertical_alignment="bottom", key="against-head"):
        others = _choice(reading.run, offered)
        if not others:
            st.html('<p class="quiet">Choose a run to compare this one with.</p>')
            return
        runs = [reading.run, *others]
        try:
            every = shared(runs)
        except BloodappError as error:
            frame.error(error)
            compare_words.elsewhere(runs)
            return
        which = _which(every)
    on = every.only(which)
    titles = {run.name: run.title for run in runs}
    clean, hard = (differences(runs, which, under_shift=shift) for shift in (False, True))
    st.html(compare_words.headline(titles, clean, hard))
    st.html(compare_words.counted(on, which, titles))
    st.html(compare_words.table(runs, on, clean, hard))
    _chart(on, titles, clean, hard)
    compare_images.draw(reading, on, titles)
    with st.expander("How this is computed", key="against-how"):
        st.html(compare_words.how(on, which, clean))
    st.page_link(
        "pages/3_Train.py",
        label="Their curves and settings side by side, on Train",
        icon=":material/compare_arrows:",
        query_params={**state.address(), "train": "compare", "compare": ",".join(titles)},
    )


def candidates(run: Run) -> list[Run]:
    """The other runs with answers of their own on the same dataset, newest first."""
    return [
        one
        for one in list_runs()
        if one.name != run.name
        and not one.parent
        and one.config.get("fingerprint") == run.config["fingerprint"]
        and (one.folder / PREDICTIONS).exists()
    ]


def shared(runs: Sequence[Run]) -> Shared:
    """`compare.shared`, remembered until one of the runs writes its predictions anew."""
    return _shared(*_key(runs))


def differences(runs: Sequence[Run], which: str, *, under_shift: bool) -> list[Difference]:
    """`compare.differences` of the first from the others, remembered alike."""
    return _differences(*_key(runs), which, under_shift)


def _key(runs: Sequence[Run]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    stamps = (run.folder / PREDICTIONS for run in runs)
    return tuple(str(run.folder) for run in runs), tuple(file.stat().st_mtime_ns for file in stamps)


@lru_cache(maxsize=16)
def _shared(folders: tuple[str, ...], stamps: tuple[int, ...]) -> Shared:
    del stamps  # part of the key only: a continued run writes its predictions anew
    return room.shared([open_run(Path(folder)) for folder in folders])


@lru_cache(maxsize=32)
def _differences(
    folders: tuple[str, ...], stamps: tuple[int, ...], which: str, under_shift: bool
) -> list[Difference]:
    return room.differences(_shared(folders, stamps).only(which), under_shift=under_shift)


def _choice(run: Run, offered: list[Run]) -> list[Run]:
    """The runs to compare with: those in the address, at first the newest other one."""
    known = {one.name: one for one in offered}
    asked = str(state.get("against") or "")
    names = [name for name in asked.split(",") if name in known]
    if not names and asked != _NOBODY:
        names = [offered[0].name]
    box = f"against-{run.name}"
    state.show(box, names)
    st.multiselect(
        f"Compare {plain(run.title)} with",
        list(known),
        key=box,
        format_func=lambda name: known[name].title,
        max_selections=_MOST,
        placeholder="Choose runs",
        width=560,
        on_change=lambda: state.put("against", ",".join(st.session_state[box]) or _NOBODY),
    )
    return [known[name] for name in names]


def _which(every: Shared) -> str:
    """On which of the shared images: the test images of all where there are any, or all that nobody learned from."""
    tests, held = int(every.in_test.sum()), len(every)
    if not tests:
        return room.HELD
    if tests == held:
        return room.TEST
    return choose(
        "against_on",
        {room.TEST: f"Test of all, {tests:,}", room.HELD: f"Test or validation, {held:,}"},
        "On which images",
    )


def _chart(on: Shared, titles: dict[str, str], clean: list[Difference], hard: list[Difference]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="against-chart-head"):
        frame.section("Class by class", "recall of each class; lines are 95 % intervals")
        shown = choose("against_shift", _SHIFTS, "Which images") if hard else "clean"
    chosen = hard if shown == "shifted" else clean
    rows = ["Accuracy", "Balanced accuracy", *(c.title for c in on.classes)]
    beside = [Beside(titles[one.second], compare_words.rows_of(one)) for one in chosen]
    st.plotly_chart(
        difference_chart(rows, beside, overall=2),
        key="against-chart",
        config=CONFIG,
        alt="Differences of accuracy, balanced accuracy and each class's recall with intervals, "
        + ", ".join(escape(titles[one.second]) for one in chosen),
    )
    st.html(
        f'<p class="quiet">Strong lines do not touch 0. Of {count(len(on.classes), "class", "classes")} one may do so '
        "by chance.</p>"
    )
