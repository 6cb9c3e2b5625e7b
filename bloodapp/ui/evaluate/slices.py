"""Metrics by slices of the images: part, source, brightness, sharpness, size, finding."""

from functools import lru_cache
from html import escape
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import streamlit as st

from bloodapp.charts.slices import Row, slices_chart
from bloodapp.charts.style import CONFIG
from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.evaluate import measures, slices
from bloodapp.evaluate.evaluate import Judgement, judgement, parts_of
from bloodapp.evaluate.kinds import kinds
from bloodapp.evaluate.slices import FAMILIES, FEW, SURE, Slice
from bloodapp.review.marked import marked
from bloodapp.ui import css, frame, state
from bloodapp.ui.evaluate import images
from bloodapp.ui.evaluate.reading import PARTS, Reading, choose
from bloodapp.ui.standing import findings_stamp, identity
from bloodapp.ui.text import count, percent

FILTERS: tuple[str, ...] = ("slices", "slice")
"""Names in the address that this view keeps its choices under."""

STYLE = Path(__file__).with_name("slices.css")
_CHART = "evaluate-slices-chart"
_BOX = "evaluate-slice"


def draw(reading: Reading) -> None:
    """The accuracy of each slice, the surest loss first; beside it the images of the chosen one."""
    css.style(STYLE)
    _draw(reading)


@st.fragment
def _draw(reading: Reading) -> None:
    result, dataset = reading.result, reading.dataset
    if images.not_here(reading) or dataset is None:
        return
    if not measures.known(dataset, result.index):
        with st.spinner(f"Measuring light and focus of {count(len(result), 'image')}, once"):
            measures.measured(dataset, result.index)
    some = _slices(result, dataset.name, identity(dataset), findings_stamp(dataset))
    kinds = {"clean": "Clean"} | ({} if result.shifted is None else {"shifted": "Shifted"})
    under_shift = choose("slices", kinds, "Which images") == "shifted"
    answers = result.shifted if under_shift and result.shifted is not None else result.probabilities
    right = answers.argmax(1) == result.labels
    table = _judged(result, under_shift, some)
    parts = _of_the_parts(reading, under_shift)
    if table.empty and parts.empty:
        frame.section("Nothing to slice by", "All images are alike in what is known of them.")
        return
    st.html(f'<p class="says">{_sentence(table, some)}</p>')
    chosen = _chosen(table, some)
    left, beside = frame.columns("slices", [6, 5])
    with left:
        rows = _rows(table, some)
        figure = slices_chart(
            rows, float(right.mean()), chosen=chosen.key if chosen else None, under_shift=under_shift
        )
        st.plotly_chart(
            figure,
            key=_CHART,
            config=CONFIG,
            on_select=_keep,
            selection_mode="points",
            alt="Accuracy of each slice with its 95 % interval, the surest loss on top",
        )
        st.html(
            '<p class="quiet">Lines: 95 % intervals. Click on a row, or choose it, to see its images.</p>'
        )
        if chosen is not None:
            _box([some[place] for place in table["place"]], chosen)
    with beside:
        if chosen is not None:
            _images(reading, chosen, table, some, right, under_shift)
    with st.expander("All figures"):
        st.html(_figures(table, some, parts))
        st.html(f'<p class="quiet">{_small_print(table, some, dataset)}</p>')


@lru_cache(maxsize=8)
def _slices(result: Judgement, name: str, known_as: str, stamp: int) -> tuple[Slice, ...]:
    """The slices of the images of a judgement, by everything that is known of them; remembered."""
    del known_as, stamp  # parts of the key only: a dataset imported anew, another scan
    dataset = open_dataset(name)
    return kinds(dataset, result.index, marked(dataset))


@lru_cache(maxsize=16)
def _judged(result: Judgement, under_shift: bool, some: tuple[Slice, ...]) -> pd.DataFrame:
    answers = result.shifted if under_shift else result.probabilities
    assert answers is not None
    return slices.judge(some, answers.argmax(1) == result.labels, result.labels)


def _of_the_parts(reading: Reading, under_shift: bool) -> pd.DataFrame:
    """The run's parts as slices of all images that it has answers for; empty where there is only one."""
    parts = parts_of(reading.run)
    if len(parts) < 2:
        return slices.judge([], np.zeros(0, bool))
    right, names, labels = [], [], []
    for part in parts:
        one = reading.result if part == reading.part else judgement(reading.run, part)
        answers = one.shifted if under_shift and one.shifted is not None else one.probabilities
        right.append(answers.argmax(1) == one.labels)
        names.append(np.full(len(one), part))
        labels.append(one.labels)
    both = slices.by_value("part", np.concatenate(names), lambda part: PARTS[part])
    table = slices.judge(both, np.concatenate(right), np.concatenate(labels))
    return table.assign(title=[both[place].title for place in table["place"]])


def _chosen(table: pd.DataFrame, some: tuple[Slice, ...]) -> Slice | None:
    """The slice in the address, else the one of the surest loss."""
    by_key = {some[place].key: some[place] for place in table["place"]}
    asked = str(state.get("slice") or "")
    return by_key.get(asked) or next(iter(by_key.values()), None)


def _keep() -> None:
    points = st.session_state[_CHART]["selection"]["points"]
    if points:
        state.put("slice", str(next(iter(points[0]["customdata"]))))


def _box(some: list[Slice], chosen: Slice) -> None:
    """The chosen slice as a box, for whoever works with keys."""
    titles = {one.key: _name(one) for one in some}
    state.show(_BOX, chosen.key)
    st.selectbox(
        "Slice",
        list(titles),
        format_func=lambda key: titles.get(key, key),
        key=_BOX,
        on_change=lambda: state.put("slice", st.session_state[_BOX]),
        width=320,
    )


def _name(one: Slice) -> str:
    return f"{FAMILIES[one.family]}: {one.title}"


def _rows(table: pd.DataFrame, some: tuple[Slice, ...]) -> list[Row]:
    return [
        Row(
            key=some[row["place"]].key,
            title=_short(_name(some[row["place"]])),
            n=int(row["n"]),
            accuracy=float(row["accuracy"]),
            low=float(row["low"]),
            high=float(row["high"]),
            rest=float(row["rest"]),
            worse=bool(row["adjusted"] < SURE and row["difference"] < 0),
        )
        for row in table.to_dict("records")
    ]


def _short(name: str) -> str:
    return name if len(name) <= 32 else name[:31] + "…"


def _sentence(table: pd.DataFrame, some: tuple[Slice, ...]) -> str:
    """What the slices say, in one sentence that claims no more than the adjusted p-values do."""
    worse = table[(table["adjusted"] < SURE) & (table["difference"] < 0)]
    number = count(len(table), "slice")
    if worse.empty:
        return f"No kind of image is surely worse than the others, of the {number} looked at."
    row = worse.iloc[0]
    others = (
        f" {count(len(worse) - 1, 'other slice is', 'other slices are')} surely worse too."
        if len(worse) > 1
        else ""
    )
    one = some[int(row["place"])]
    said = (
        f"Weakest: <b>{escape(FAMILIES[one.family].lower())}, {escape(one.title)}</b>: {percent(row['accuracy'])} of "
        f"{count(int(row['n']), 'image')} right, {percent(row['rest'])} of the others: {_points(row)}. "
    )
    said += (
        "Its classes can explain that: with them the others would have "
        if row["expected"] <= row["high"]
        else "Its classes alone do not explain that: with them the others would have "
    )
    return f"{said}{percent(row['expected'])}.{others}".replace(" %", "\u00a0%")


def _points(row: pd.Series) -> str:
    value, low, high = (100 * float(row[key]) for key in ("difference", "difference_low", "difference_high"))
    return f"{_signed(value)} points (95 %: {_signed(low)} to {_signed(high)})"


def _signed(value: float) -> str:
    text = f"{abs(value):.1f}"
    return text if text == "0.0" else f"{'+' if value > 0 else '−'}{text}"


def _images(
    reading: Reading,
    chosen: Slice,
    table: pd.DataFrame,
    some: tuple[Slice, ...],
    right: npt.NDArray[np.bool_],
    under_shift: bool,
) -> None:
    """The images of a slice, the mistakes before the others, each the surest first."""
    row = table[table["place"] == some.index(chosen)].iloc[0]
    frame.section(_name(chosen), f"{count(int(row['wrong']), 'mistake')} in {count(int(row['n']), 'image')}")
    st.html(f'<p class="quiet">{_points(row)} beside the others.</p>')
    result = reading.result
    answers = result.shifted if under_shift and result.shifted is not None else result.probabilities
    inside = np.flatnonzero(chosen.inside)
    inside = inside[np.argsort(-answers[inside].max(1), kind="stable")]
    wrong, fine = inside[~right[inside]], inside[right[inside]][::-1]
    if len(wrong):
        images.show(reading, wrong, under_shift=under_shift, most=24, width=68)
    if len(fine):
        st.html('<p class="quiet">Named right, the least sure first:</p>')
        images.show(reading, fine, under_shift=under_shift, most=12, width=68)


def _figures(table: pd.DataFrame, some: tuple[Slice, ...], parts: pd.DataFrame) -> str:
    """All slices as a table, and under it the parts."""
    heads = ("slice", "images", "accuracy", "the others", "with its classes", "difference", "adjusted p")
    lines = [_line(_name(some[int(row["place"])]), row) for _, row in table.iterrows()]
    lines += [_line(f"Part: {row['title']}", row) for _, row in parts.iterrows()]
    return (
        '<div class="scroll"><table class="figures"><thead><tr>'
        + "".join(f"<th>{name}</th>" for name in heads)
        + f"</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def _line(name: str, row: pd.Series) -> str:
    low, high = 100 * row["low"], 100 * row["high"]
    ends = f"{_signed(100 * row['difference_low'])} to {_signed(100 * row['difference_high'])}"
    p = "&lt; 0.001" if row["adjusted"] < 0.001 else f"{row['adjusted']:.3f}"
    few = "<small>few</small>" if row["n"] < FEW else ""
    return (
        f"<tr><td>{escape(name)}</td><td>{int(row['n']):,}{few}</td>"
        f"<td>{100 * row['accuracy']:.1f}<small>{low:.1f} to {high:.1f}</small></td><td>{100 * row['rest']:.1f}</td>"
        f"<td>{100 * row['expected']:.1f}</td>"
        f"<td>{_signed(100 * row['difference'])}<small>{ends}</small></td><td>{p}</td></tr>"
    )


def _small_print(table: pd.DataFrame, some: tuple[Slice, ...], dataset: Dataset) -> str:
    told = [
        f"Of {len(table)} slices about {len(table) * SURE:.0f} would look different by chance at p &lt; 0.05: so p "
        "(Fisher's exact test) is adjusted for their number after Holm, and only what stays below 0.05 is called "
        "worse. Intervals are not adjusted.",
        "With its classes: the accuracy of the others if each class were as frequent among them as in the slice; "
        "where it is as low as the slice's own, the classes are hard, not the images.",
        "Brightness is the mean luminance, sharpness the variance of the Laplacian, both of the images as they are.",
    ]
    there = {one.family for one in some}
    if "source" not in there:
        told.append("No source: the names of the images tell no folders, or the same one.")
    if "size" not in there:
        told.append("No size: all originals had the same.")
    if "finding" not in there:
        told.append(
            "No findings: Review has found none among these images."
            if findings_stamp(dataset)
            else "No findings: scan the dataset in Review to slice by them."
        )
    return " ".join(told)
