"""Sets of classes that hold the true one as often as promised: coverage, sizes, images with large sets."""

from html import escape

import numpy as np
import numpy.typing as npt
import streamlit as st

from bloodapp.charts.belief import coverage_chart
from bloodapp.charts.confusion import short_name
from bloodapp.charts.style import CONFIG
from bloodapp.evaluate import conformal
from bloodapp.evaluate.conformal import PROMISES, Judged
from bloodapp.runs.calibration import PART, SET_PROMISE
from bloodapp.ui import frame, state, thumbs
from bloodapp.ui.evaluate import images
from bloodapp.ui.evaluate.belief_reading import Belief, judged, promised, read
from bloodapp.ui.evaluate.reading import PARTS, Reading, choose
from bloodapp.ui.text import count, percent, unbroken

FILTERS: tuple[str, ...] = ("promise", "sets")
"""Names in the address that these choices are kept under."""

_METHODS = {"lac": "Smallest", "aps": "Adaptive", "raps": "Adaptive, short"}
_MOST = 18
_BOX = "belief-promise"


@st.fragment
def draw(reading: Reading) -> None:
    """The promise and what comes of it."""
    belief = read(reading)
    frame.section("Sets that keep a promise", "Instead of one answer: all classes that an image may well be.")
    if belief.calibration is None:
        st.html(f'<p class="quiet">Sets need validation images to be fitted on. {escape(belief.why_not)}</p>')
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        promise = _promise()
        method = choose("sets", _METHODS, "How the sets are made")
    found = judged(reading, method, promise)
    st.html(f'<p class="belief-said">{unbroken(_said(reading, promise, found))}</p>')
    fitted = len(promised(reading, method).labels)
    st.html(f'<p class="quiet">{unbroken(_by_chance(fitted, promise, found["clean"][1]))}</p>')
    left, right = frame.columns("coverage", [1, 1])
    curves = promised(reading, method).curves
    with left:
        hard = curves.get("shifted")
        st.plotly_chart(
            coverage_chart(
                PROMISES, curves["clean"][:, :3], None if hard is None else hard[:, :3], promise=promise
            ),
            key="belief-coverage",
            config=CONFIG,
            alt="How often sets hold the true class over what they promise, clean and shifted",
        )
    with right:
        st.html(_table(found))
        st.html(f'<p class="quiet">{_METHOD_WORDS[method]} {unbroken(_of_classify(belief))}</p>')
    with st.expander("By class"):
        st.html(_by_class(reading, found))
    _unsure(reading, method, found["clean"][0])


def _promise() -> float:
    """The promise, kept in the address."""
    steps = [round(100 * promise) for promise in PROMISES]
    kept = str(state.get("promise") or "")
    current = int(kept) if kept.isdecimal() and int(kept) in steps else round(100 * SET_PROMISE)
    st.slider(
        "Promise: the true class is in the set",
        steps[0],
        steps[-1],
        state.show(_BOX, current),
        format="%d %%",
        key=_BOX,
        width=320,
        on_change=lambda: state.put("promise", str(st.session_state[_BOX])),
    )
    return current / 100


def _said(reading: Reading, promise: float, found: dict[str, tuple[npt.NDArray[np.bool_], Judged]]) -> str:
    """What became of the promise, in a sentence or two, as HTML."""
    clean = found["clean"][1]
    part = PARTS[reading.part].lower()
    interval = f"95 %: {100 * clean.coverage.low:.1f} to {100 * clean.coverage.high:.1f}"
    text = (
        f"Promised {100 * promise:.0f} %, kept <b>{percent(clean.coverage.value)}</b> ({interval}) on "
        f"{count(clean.n, 'image')} of the {part}; {percent(clean.single)} of the sets are a single answer."
    )
    if clean.empty:
        text += (
            f" {percent(clean.empty)} are empty: Classify leaves none so, but gives such an image the fewest classes "
            "that hold the promised probability together."
        )
    if "shifted" in found:
        hard = found["shifted"][1]
        text += f" Under the shift <b>{percent(hard.coverage.value)}</b>"
        broken = hard.coverage.high < promise
        text += (
            ": the promise is about images like those of the validation part, and others do not keep it."
            if broken
            else ": the promise holds there, too."
        )
    if reading.part == PART:
        text += " One half of these images fits the sets, the other half judges them."
    return text


def _by_chance(fitted: int, promise: float, one: Judged) -> str:
    """Where the coverage is to be expected with so many images, and whether it is there."""
    low, high = conformal.expected(fitted, one.n, promise)
    if not one.n or low == 1:
        return f"With {count(fitted, 'image')} to fit the sets on, this promise takes every class into each."
    told = (
        f"To be expected: {100 * low:.1f} to {100 * high:.1f} % in 95 of 100 cases, with {count(fitted, 'image')} to "
        f"fit the sets on and {one.n:,} to judge them"
    )
    if one.coverage.value < low:
        return f"{told}; this is less than chance explains."
    return f"{told}; this is more than chance explains." if one.coverage.value > high else f"{told}."


def _table(found: dict[str, tuple[npt.NDArray[np.bool_], Judged]]) -> str:
    heads = ("", "true class in it", "classes, mean", "one", "two or more", "none")
    rows = []
    for name, (_, one) in found.items():
        several = 1 - one.single - one.empty
        cells = [
            f"<td>{name.capitalize()}</td>",
            f"<td>{percent(one.coverage.value)}<small>{100 * one.coverage.low:.1f} to "
            f"{100 * one.coverage.high:.1f}</small></td>",
            f"<td>{one.size:.2f}</td>",
            *(f"<td>{percent(share)}</td>" for share in (one.single, max(several, 0.0), one.empty)),
        ]
        rows.append(f"<tr>{''.join(cells)}</tr>")
    head = "".join(f"<th>{name}</th>" for name in heads)
    return (
        f'<div class="scroll"><table class="figures belief"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _of_classify(belief: Belief) -> str:
    """What the sets of Classify and of the CSV do on the same images."""
    assert belief.calibration is not None, "asked only where there is a calibration"
    sets = belief.calibration.sets(belief.said["clean"])
    one = conformal.judge(belief.labels, sets)
    return (
        f"Classify and predict promise at least {100 * belief.calibration.promise:.0f} % with the smallest ones, and "
        "where such a set is empty give the fewest classes that hold as much probability together: "
        f"{percent(one.coverage.value)} kept here, {one.size:.2f} classes on average."
    )


def _by_class(reading: Reading, found: dict[str, tuple[npt.NDArray[np.bool_], Judged]]) -> str:
    names = list(found)
    heads = [
        "class",
        "images",
        *(f"in the set, {name}" for name in names),
        *(f"classes, {name}" for name in names),
    ]
    rows = []
    for place, cell_class in enumerate(reading.result.classes):
        cells = [
            f"<td>{thumbs.class_chip(cell_class)}</td>",
            f"<td>{found['clean'][1].class_count[place]:,}</td>",
        ]
        for name in names:
            value, low, high = found[name][1].class_coverage[place]
            known = value == value
            cells.append(
                f"<td>{100 * value:.1f} %<small>{100 * low:.0f} to {100 * high:.0f}</small></td>"
                if known
                else "<td>–</td>"
            )
        for name in names:
            size = found[name][1].class_size[place]
            cells.append(f"<td>{size:.2f}</td>" if size == size else "<td>–</td>")
        rows.append(f"<tr>{''.join(cells)}</tr>")
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    return (
        f'<div class="scroll"><table class="figures"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
        '<p class="quiet">The promise is about all images together: a hard class may have less, an easy one more.</p>'
    )


def _unsure(reading: Reading, method: str, sets: npt.NDArray[np.bool_]) -> None:
    """The images with the largest sets; where none has several classes, those without any."""
    if reading.dataset is None:
        return
    result, rows = reading.result, promised(reading, method).rows
    size = sets.sum(1)
    table = read(reading).calibrated["clean"][rows]
    several, none = np.flatnonzero(size > 1), np.flatnonzero(size == 0)
    if len(several):
        title, chosen = "The largest sets", several[np.argsort(-size[several], kind="stable")]
    else:
        title, chosen = (
            "Not sure enough for any class",
            none[np.argsort(table[none].max(1, initial=0), kind="stable")],
        )
    if not len(chosen):
        return
    shown = f"{len(chosen):,}" if len(chosen) <= _MOST else f"{_MOST} of {len(chosen):,}"
    st.html(
        f'<div class="belief-title"><b>{title}</b><span>{shown}; point at one to see its classes; '
        "the class under it is its label</span></div>"
    )
    chosen = chosen[:_MOST]
    titles, labels = [c.title for c in result.classes], result.labels[rows[chosen]]
    names, index = reading.dataset.items["name"].to_numpy(), result.index[rows[chosen]]
    captions, hints = [], []
    for place, label, row in zip(chosen, labels, index, strict=True):
        likeliest = np.argsort(-table[place], kind="stable")[: max(int(size[place]), 2)]
        said = ", ".join(f"{titles[k]} {100 * table[place, k]:.0f} %" for k in likeliest)
        amount = f"{size[place]} classes" if size[place] else f"{100 * table[place].max():.0f} % sure"
        captions.append(f"{amount}\n{short_name(result.classes[label])}")
        hints.append(f"{names[row]} (image {row}): {said}; labelled {titles[label]}")
    thumbs.grid(
        images.pictures(reading.dataset, index, under_shift=False),
        captions,
        colours=[result.classes[label].colour for label in labels],
        hints=hints,
        width=80,
    )


_METHOD_WORDS = {
    "lac": "Smallest: every class above one bar; where the run is right more often than promised, the least sure "
    "images get none (Sadinle 2019).",
    "aps": "Adaptive: the likeliest classes until they hold enough together, so unsure images get more (Romano 2020).",
    "raps": "Adaptive, short: the same with a fine for each class after the first (Angelopoulos 2021).",
}
