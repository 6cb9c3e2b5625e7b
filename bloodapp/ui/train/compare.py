"""Several runs side by side: curves over each other, scores with intervals, and what sets their settings apart."""

from collections.abc import Sequence
from functools import lru_cache
from html import escape
from pathlib import Path

import numpy as np
import streamlit as st

from bloodapp.charts.curves import overlay
from bloodapp.charts.style import CONFIG, RUNS
from bloodapp.errors import BloodappError
from bloodapp.evaluate import metrics, suite
from bloodapp.runs import compare
from bloodapp.runs.predictions import FILE as PREDICTIONS
from bloodapp.runs.run import Run, open_run
from bloodapp.ui import frame, state
from bloodapp.ui.text import count, duration, percent, plain
from bloodapp.ui.train import run_list
from bloodapp.ui.train import state as train_state

_PARTS = {"test": "test", "val": "validation"}
_KEPT = 64


def draw(runs: Sequence[Run]) -> None:
    """Draw the comparison of these runs, each in its own colour throughout."""
    colours = {run.name: RUNS[number % len(RUNS)] for number, run in enumerate(runs)}
    with st.container(horizontal=True, vertical_alignment="center", key="train-head"):
        st.html(
            f'<div class="run-head"><h2>{count(len(runs), "run")} compared</h2>'
            '<div class="quiet">Tick runs in the list below to add them or to take them out.</div></div>'
        )
        st.button(
            "New training",
            key="train-compose",
            icon=":material/add:",
            on_click=state.put_together,
            args=({"run": None, "train": "new"},),
        )
    _legend(runs, colours)
    try:
        _scores(runs, colours)
        _further(runs)
        _curves(runs, colours)
        _differences(runs, colours)
    except BloodappError as error:
        frame.error(error)


def _legend(runs: Sequence[Run], colours: dict[str, str]) -> None:
    with st.container(horizontal=True, key="compare-legend"):
        for run in runs:
            with st.container(
                horizontal=True,
                vertical_alignment="center",
                key=f"compared-{run.name}",
                width="content",
                gap=None,
            ):
                st.html(_mark(run, colours))
                st.button(
                    "",
                    icon=":material/close:",
                    type="tertiary",
                    help=plain(f"Take {run.title} out"),
                    key=f"uncompare-{run.name}",
                    on_click=run_list.choose,
                    args=(run.name, False),
                )


def _mark(run: Run, colours: dict[str, str]) -> str:
    return f'<span class="chip"><i style="background:{colours[run.name]}"></i>{escape(run.title)}</span>'


# Scores


def _scores(runs: Sequence[Run], colours: dict[str, str]) -> None:
    answered = [run for run in runs if (run.folder / PREDICTIONS).exists()]
    judged = compare.judged(answered) if len(answered) > 1 else compare.judged(runs)
    part = _PARTS.get(judged.part, "")
    frame.section("Scores", f"on the {part} part, with 95 % intervals" if part else "with 95 % intervals")
    if judged.why:
        st.html(f'<p class="said">{escape(judged.why)}</p>')
    heads = [
        "run",
        "images",
        "clean",
        "shifted",
        "gap",
        "corruption error",
        "balanced",
        "kept",
        "time",
        "parameters",
    ]
    first = answered[0] if answered else runs[0]
    if judged.same:
        heads.insert(5, "against the first")
    rows = []
    for run in runs:
        cells = [_mark(run, colours), *_figures(run, judged.part)]
        if judged.same:
            known = run is not first and run in answered
            cells.insert(5, _change(judged, first, run) if known else "–")
        rows.append("".join(f"<td>{cell}</td>" for cell in cells))
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    st.html(f'<div class="compare-scroll"><table class="compare"><tr>{head}</tr>{body}</table></div>')
    if missing := [run.title for run in runs if run not in answered]:
        has = "has" if len(missing) == 1 else "have"
        st.html(f'<p class="quiet">{escape(", ".join(missing))} {has} no results to judge.</p>')


def _further(runs: Sequence[Run]) -> None:
    """The way to the same runs on Evaluate, where they are tested and their images shown."""
    names = [run.name for run in runs if (run.folder / PREDICTIONS).exists()]
    if len(names) > 1:
        st.page_link(
            "pages/4_Evaluate.py",
            label="Tests, classes, and the images that they disagree on: on Evaluate",
            icon=":material/query_stats:",
            query_params={
                **state.address(),
                "run": names[0],
                "view": "compare",
                "against": ",".join(names[1:]),
            },
        )


def _figures(run: Run, part: str) -> list[str]:
    """Images, clean, shifted, gap, corruption error, balanced, kept epoch, time and parameters of a run, as HTML."""
    report = run.report() or {}
    epoch = train_state.best_epoch(run)
    rest = [
        f"epoch {epoch}" if epoch else "–",
        duration(report.get("seconds")),
        f"{report['parameters']:,}" if report.get("parameters") else "–",
    ]
    path = run.folder / PREDICTIONS
    if not path.exists():
        return ["–"] * 6 + rest
    *figures, balanced = _measured(str(run.folder), path.stat().st_mtime_ns, part)
    return [*figures, _corrupted(run, part), balanced, *rest]


def _corrupted(run: Run, part: str) -> str:
    """The mean corruption error, where the run was judged under corruptions."""
    told = suite.summary(run, part or None)
    figure = (told or {}).get("mean_corruption_error")
    return _within(metrics.Interval(figure["value"], figure["low"], figure["high"])) if figure else "–"


@lru_cache(maxsize=_KEPT)
def _measured(folder: str, stamp: int, part: str) -> tuple[str, ...]:
    del stamp  # part of the key only: a continued run writes its predictions anew
    run = open_run(Path(folder))
    predictions = run.predictions()
    assert predictions is not None
    chosen = part if part and (predictions.part == part).any() else ""
    chosen = chosen or next((each for each in compare.PARTS if (predictions.part == each).any()), "test")
    judged = predictions.only(chosen)
    answers = judged.probabilities.argmax(1)
    classes = len(run.classes)
    balanced = metrics.interval(metrics.balanced_accuracy, metrics.confusion(judged.label, answers, classes))
    size = f"{len(judged):,}" + ("" if chosen == part else f" {_PARTS[chosen]}")
    if judged.shifted is None:
        alone = metrics.interval(metrics.accuracy, metrics.confusion(judged.label, answers, classes))
        return size, _within(alone), "–", "–", _within(balanced)
    both = metrics.compare(judged.label, answers, judged.shifted.argmax(1))
    return size, _within(both.clean), _within(both.shifted), _within(both.gap), _within(balanced)


def _within(figure: metrics.Interval) -> str:
    return f"<b>{percent(figure.value)}</b><small>{100 * figure.low:.1f} to {100 * figure.high:.1f}</small>"


def _change(judged: compare.Judged, first: Run, run: Run) -> str:
    """How far a run's accuracy is from the first one's on the same images, and whether that is more than chance."""
    before, after = (judged.answers[one.name].argmax(1) for one in (first, run))
    change = metrics.paired(judged.labels, before, after).change
    sure = "sure" if change.low > 0 or change.high < 0 else ""
    ends = f"{100 * change.low:+.1f} to {100 * change.high:+.1f}"
    return f'<b class="{sure}">{100 * change.value:+.1f}</b><small>{ends}</small>'


# Curves


def _curves(runs: Sequence[Run], colours: dict[str, str]) -> None:
    losses = _lines(runs, colours, "val_loss")
    clean, shifted = _lines(runs, colours, "val_accuracy"), _lines(runs, colours, "val_shifted_accuracy")
    if not (losses or clean):
        return
    frame.section("Curves", "on the validation images" + (", dotted under the shift" if shifted else ""))
    with st.container(key="train-curves"):
        left, right = st.columns(2, gap="large")
    left.plotly_chart(
        overlay(losses, name="loss"), key="compare-loss", config=CONFIG, alt="Validation loss of each run"
    )
    right.plotly_chart(
        overlay(clean, name="accuracy", share=True, dashed=shifted),
        key="compare-accuracy",
        config=CONFIG,
        alt="Validation accuracy of each run, dotted under the shift",
    )


Line = tuple[str, str, list[float], list[float | None]]


def _lines(runs: Sequence[Run], colours: dict[str, str], column: str) -> list[Line]:
    table = compare.curves(runs, column)
    lines: list[Line] = []
    for run in runs:
        if run.name in table:
            line = table[run.name].dropna()
            lines.append((run.title, colours[run.name], line.index.tolist(), line.tolist()))
    return lines


# Settings


def _differences(runs: Sequence[Run], colours: dict[str, str]) -> None:
    table = compare.differences(runs)
    frame.section("What sets them apart", count(len(table), "setting") if len(table) else "")
    if table.empty:
        st.html('<p class="said">Nothing: they were set up alike, so that what differs is chance.</p>')
        return
    head = "".join(f"<th>{_mark(run, colours)}</th>" for run in runs)
    body = "".join(
        f"<tr><th>{escape(str(field).replace('_', ' '))}</th>"
        + "".join(f"<td>{escape(str(value))}</td>" for value in row)
        + "</tr>"
        for field, row in zip(table.index, np.asarray(table), strict=True)
    )
    st.html(
        f'<div class="compare-scroll"><table class="compare words"><tr><th></th>{head}</tr>{body}</table></div>'
    )
