"""What a comparison of runs says: the sentences, the table, how it is computed, and what other judgements there are."""

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
import numpy.typing as npt
import streamlit as st

from bloodapp.charts.style import RUNS
from bloodapp.errors import BloodappError
from bloodapp.evaluate import compare as room
from bloodapp.evaluate import metrics, suite
from bloodapp.evaluate.compare import Difference, Shared, p_words, points
from bloodapp.evaluate.job import RESULT
from bloodapp.evaluate.metrics import Interval
from bloodapp.jobs.job import list_jobs
from bloodapp.runs.run import Run
from bloodapp.ui import frame
from bloodapp.ui.text import count
from bloodapp.workspace import read_json

_MOOD = {"better": "good", "worse": "bad", "open": ""}


def headline(titles: dict[str, str], clean: Sequence[Difference], hard: Sequence[Difference]) -> str:
    """For each other run who is better and by how much, as they are and under the shift, as HTML."""
    shifted = {one.second: one for one in hard}
    blocks = []
    for one in clean:
        first, second = titles[one.first], titles[one.second]
        said = [f"<h2>{escape(room.sentence(one, first, second))}</h2>"]
        if other := shifted.get(one.second):
            said.append(f"<p>{escape(_under_shift(other))}</p>")
        blocks.append(f'<div class="{_MOOD[one.verdict]}">{"".join(said)}</div>')
    return f'<div class="against-said">{"".join(blocks)}</div>'


def _under_shift(one: Difference) -> str:
    said = "they cannot be told apart:" if one.verdict == "open" else f"it is {one.verdict} by"
    return f"Under the shift {said} {room.amount(one)}."


def counted(on: Shared, which: str, titles: dict[str, str]) -> str:
    """On how many images, how many were left out, and whether labels differ, as HTML."""
    all_of = "both" if len(titles) == 2 else f"all {len(titles)}"
    where = f"in the test part of {all_of}" if which == room.TEST else f"in test or validation of {all_of}"
    said = [f"{count(len(on), 'image')} {where}, so that none has learned from them."]
    if on.left_out:
        said.append(
            f"{count(on.left_out, 'image')} that {titles[on.names[0]]} kept aside "
            f"{'is' if on.left_out == 1 else 'are'} left out: another has learned from them, or never saw them."
        )
    if which == room.HELD and on.in_test.sum() < len(on):
        said.append("Validation images chose the best epoch of some, which flatters a little.")
    if on.relabelled:
        said.append(
            f"Of all these {count(on.relabelled, 'image has', 'images have')} another label in one of the runs: "
            "the newest decisions count."
        )
    return f'<p class="quiet">{escape(" ".join(said))}</p>'


def table(runs: Sequence[Run], on: Shared, clean: Sequence[Difference], hard: Sequence[Difference]) -> str:
    """Each run's figures on these images, and how far the first is from it, as HTML."""
    summaries = {run.name: _corruption_error(run) for run in runs}
    suites = any(summaries.values())
    heads = ["run", "clean", "difference", "p", "shifted", "difference", "p"]
    heads += ["mean corruption error"] * suites
    first, rows = {one.second: one for one in clean}, []
    second = {one.second: one for one in hard}
    for number, run in enumerate(runs):
        cells = [_name(run, number)]
        for tables, found in ((on.answers, first), (on.shifted, second)):
            cells.append(_share(_accuracy(on, tables.get(run.name))))
            one = found.get(run.name)
            cells += ["", ""] if one is None else [_change(one), f"<b>{_p(one.adjusted)}</b>"]
        cells += [_share(summaries[run.name])] * suites
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    head = "".join(f"<th>{name}</th>" for name in heads)
    note = (
        "Differences: the first run less the one in the row, in points."
        + (
            " p after Holm’s correction for as many runs as are compared; each interval is for itself."
            if len(clean) > 1
            else ""
        )
        + (" Mean corruption error: lower is better; each run on its own images." if suites else "")
    )
    return (
        f'<div class="scroll against-table"><table class="figures"><thead><tr>{head}</tr></thead>'
        f'<tbody>{"".join(rows)}</tbody></table></div><p class="quiet">{escape(note)}</p>'
    )


def rows_of(one: Difference) -> npt.NDArray[np.float64]:
    """The chart's rows of a difference: accuracy, balanced accuracy, each class's recall; (2 + C, 3)."""
    overall = [[each.value, each.low, each.high] for each in (one.overall.change, one.balanced)]
    classes = one.per_class[["recall_change", "recall_low", "recall_high"]].to_numpy(np.float64)
    return np.concatenate([np.asarray(overall, np.float64), classes])


def how(on: Shared, which: str, clean: Sequence[Difference]) -> str:
    """What the figures rest on, in plain words, as HTML."""
    said = [
        "p is McNemar’s exact test: of the images that only one of two runs gets right, how likely is it that they "
        "fall so unevenly if both were equally good. It is shown rather than the mid-p value because it never claims a "
        "difference more often than it says, and because the interval beside it is never narrower than it allows. "
        + " ".join(
            f"{one.test.first} to {one.test.second} images: exact {p_words(one.test.exact)}, "
            f"mid-{p_words(one.test.mid)}."
            for one in clean
        ),
        "Intervals: 95 %, from 2,000 paired bootstrap resamples of the images. They are about the draw of the images; "
        "another seed would move both runs, too: repeats on Train show how far.",
    ]
    if len(clean) > 1:
        right = np.stack([on.answers[name].argmax(1) == on.labels for name in on.names], axis=1)
        q, p = room.cochran(right)
        said.append(
            f"With {len(clean)} comparisons the p-values are corrected after Holm, clean and shifted each for itself. "
            f"Cochran’s Q, whether all {len(on.names)} runs are equally often right: {q:.1f}, {p_words(p)}."
        )
    if which == room.TEST:
        said.append("A run that was chosen because it looked best here looks a little better than it is.")
    return '<div class="against-how quiet">' + "".join(f"<p>{escape(each)}</p>" for each in said) + "</div>"


def elsewhere(runs: Sequence[Run]) -> None:
    """What these runs scored on other datasets on which all of them were judged, if there are any."""
    names = [run.name for run in runs]
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for job in list_jobs():
        run, source = job.params.get("run"), str(job.params.get("source") or "")
        if job.kind == "evaluate" and source and run in names and job.state() == "done":
            try:
                found.setdefault(source, {}).setdefault(str(run), read_json(job.folder / RESULT))
            except (OSError, BloodappError):
                continue
    known = {source: each for source, each in found.items() if len(each) == len(names)}
    if not known:
        return
    frame.section(
        "Judged on other images", "Intervals of each; without a test, which needs answers image by image."
    )
    rows = []
    for source, each in known.items():
        for run in runs:
            result = each[run.name]
            figures = (_interval(result, name) for name in ("accuracy", "shifted_accuracy"))
            cells = [escape(source), escape(run.title), f"{result.get('n', 0):,}", *map(_share, figures)]
            rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    head = "".join(f"<th>{name}</th>" for name in ("images of", "run", "number", "clean", "shifted"))
    st.html(
        f'<div class="scroll"><table class="figures"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def mark(title: str, number: int) -> str:
    """A run's name with its colour, the one on show without, as HTML."""
    dot = f'<i style="background:{RUNS[(number - 1) % len(RUNS)]}"></i>' if number else ""
    return f'<span class="chip">{dot}{escape(title)}</span>'


def _name(run: Run, number: int) -> str:
    return mark(run.title, number) + ("" if number else "<small>this run</small>")


def _accuracy(on: Shared, answers: room.Answers | None) -> Interval | None:
    if answers is None:
        return None
    matrix = metrics.confusion(on.labels, answers.argmax(1), len(on.classes))
    return metrics.interval(metrics.accuracy, matrix)


def _share(figure: Interval | None) -> str:
    if figure is None:
        return "–"
    return f"{100 * figure.value:.1f}<small>{100 * figure.low:.1f} to {100 * figure.high:.1f}</small>"


def _change(one: Difference) -> str:
    change = one.overall.change
    ends = f"{points(change.low, signed=True)} to {points(change.high, signed=True)}"
    return f'<strong class="{_MOOD[one.verdict]}">{points(change.value, signed=True)}</strong><small>{ends}</small>'


def _p(p: float) -> str:
    return p_words(p).removeprefix("p ").removeprefix("= ")


def _corruption_error(run: Run) -> Interval | None:
    found = suite.summary(run)
    if not found or not found.get("mean_corruption_error"):
        return None
    told = found["mean_corruption_error"]
    return Interval(told["value"], told["low"], told["high"])


def _interval(result: dict[str, Any], name: str) -> Interval | None:
    figures = [result.get(key) for key in (name, f"{name}_low", f"{name}_high")]
    return None if None in figures else Interval(*(float(each) for each in figures if each is not None))
