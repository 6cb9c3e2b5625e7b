"""How far two readers agree: the share named alike, Cohen's κ, what they confuse, what is to be settled."""

from html import escape

import streamlit as st

from bloodapp.data import readings
from bloodapp.data.counts import Interval
from bloodapp.data.dataset import Dataset
from bloodapp.data.readings import Sample
from bloodapp.review.adjudication import LABEL, said
from bloodapp.review.agreement import Agreement, agree
from bloodapp.review.reading_table import reading_table
from bloodapp.ui import frame, state
from bloodapp.ui.review.labelling import reader, settle
from bloodapp.ui.text import count
from bloodapp.ui.thumbs import class_chip

_ONE, _TWO = "l_one", "l_two"
NAMES = (_ONE, _TWO)
_PAIRS = 6
_CAUTION = (
    "κ is the share of agreement beyond what chance alone would bring: 0 is chance, 1 is all alike. It depends on how "
    "common the classes are, so compare it only between samples that were drawn in the same way; the table says more."
)


def draw(dataset: Dataset) -> None:
    """Draw the part."""
    drawn = readings.samples(dataset)
    if not drawn:
        _nothing(
            "No sample has been read yet", "Draw a sample and have somebody read it, without its labels."
        )
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="label-agree-head"):
        sample = reader.choose_sample(dataset, drawn)
        answers = readings.answers(dataset, sample)
        chosen = _readers(list(answers)) if answers else None
        st.download_button(
            "Readings as CSV",
            lambda: reading_table(dataset, sample).to_csv(index=False, lineterminator="\r\n"),
            f"{dataset.name}-{sample.name}.csv",
            "text/csv",
            icon=":material/download:",
            type="tertiary",
            key="label-readings-csv",
            on_click="ignore",
        )
    if chosen is None:
        _nothing(f"Nobody has read {sample.name} yet", "Read it under Second reader; any part of it will do.")
        return
    _compare(dataset, sample, *chosen)


def name_of(who: str) -> str:
    """A reader as people read it."""
    return "Label at the time" if who == LABEL else who


def _readers(names: list[str]) -> tuple[str, str]:
    everyone = [LABEL, *names]
    usual = (names[0], names[1]) if len(names) > 1 else (LABEL, names[0])
    first, second = (
        one if (one := str(state.get(key) or "")) in everyone else fallback
        for key, fallback in zip(NAMES, usual, strict=True)
    )
    if first == second:
        second = next(one for one in reversed(everyone) if one != first)
    for key, chosen, title in ((_ONE, first, "One"), (_TWO, second, "The other")):
        state.show(f"label-{key}", chosen)
        st.selectbox(
            title,
            everyone,
            key=f"label-{key}",
            format_func=name_of,
            width=190,
            on_change=lambda key=key: state.put(key, st.session_state[f"label-{key}"]),
        )
    return first, second


def _compare(dataset: Dataset, sample: Sample, first: str, second: str) -> None:
    found = agree(said(dataset, sample, first), said(dataset, sample, second), len(dataset.classes))
    if not found.count:
        _nothing("No image was read by both", "They have to name some of the same images first.")
        return
    st.html(_figures(found, first, second, sample))
    left, right = frame.columns("agreement", [6, 4])
    with left:
        frame.section("Who said what", "images, by what each took them for")
        st.html(_table(dataset, found, first, second))
    with right:
        frame.section("Taken for one another")
        st.html(_confused(dataset, found))
    settle.draw(dataset, sample, first, second)


def _figures(found: Agreement, first: str, second: str, sample: Sample) -> str:
    alike = int(found.matrix.trace())
    blank_one, blank_two, _ = found.cannot_tell
    blank = [
        f"{escape(name_of(who))} could not tell {count(number, 'image')}"
        for who, number in ((first, blank_one), (second, blank_two))
        if number
    ]
    told = f" {' and '.join(blank)}, which count in neither figure." if blank else ""
    balanced = (
        " The sample holds as many of each class as there are: its agreement is not that of the whole dataset."
        if sample.how == "balanced"
        else ""
    )
    return (
        '<div class="agreed"><div><span>Named alike</span>'
        f"<b>{100 * found.observed.value:.1f} %</b>"
        f"<small>{alike:,} of {count(found.count, 'image')}, 95 %: {_interval(found.observed, 100, 1)}</small></div>"
        f'<div><span>Cohen\'s κ</span><b class="kappa">{_number(found.kappa.value)}</b>'
        f"<small>{_kappa_words(found.kappa)}</small></div>"
        f"<p>{_CAUTION}{told}{balanced}</p></div>"
    )


def _number(value: float) -> str:
    return "–" if value != value else f"{value:.3f}".replace("-", "−")


def _interval(one: Interval, scale: float, digits: int) -> str:
    low, high = (f"{scale * value:.{digits}f}".replace("-", "−") for value in (one.low, one.high))
    return f"{low} to {high}"


def _kappa_words(kappa: Interval) -> str:
    if kappa.value != kappa.value:
        return "not to be known: both name one class alone"
    return f"95 %: {_interval(kappa, 1, 2)}"


def _table(dataset: Dataset, found: Agreement, first: str, second: str) -> str:
    """A heat table, rows the first reader's: numbers on every cell, what they agree on in another tone."""
    matrix = found.matrix
    shown = [k for k in range(len(dataset.classes)) if matrix[k].any() or matrix[:, k].any()]
    most = max(int(matrix.max()), 1)
    head = "".join(f'<th scope="col">{class_chip(dataset.classes[k])}</th>' for k in shown)
    rows = []
    for a in shown:
        cells = []
        for b in shown:
            number = int(matrix[a, b])
            strength = 12 + 48 * (number / most) ** 0.5 if number else 0
            kind = "same" if a == b else "other" if number else "none"
            cells.append(
                f'<td class="{kind}" style="--strength:{strength:.0f}%">{f"{number:,}" if number else "·"}</td>'
            )
        rows.append(f'<tr><th scope="row">{class_chip(dataset.classes[a])}</th>{"".join(cells)}</tr>')
    return (
        f'<div class="scroll"><table class="heat"><caption>Rows: {escape(name_of(first))}. Columns: '
        f"{escape(name_of(second))}. On the diagonal they agree.</caption>"
        f"<thead><tr><td></td>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _confused(dataset: Dataset, found: Agreement) -> str:
    if not found.pairs:
        return '<p class="quiet">No two classes: they agree about every image that both named.</p>'
    most = found.pairs[0].count
    rows = []
    for pair in found.pairs[:_PAIRS]:
        a, b = (dataset.classes[k] for k in (pair.a, pair.b))
        rows.append(
            f"<li><div>{class_chip(a)} <span>and</span> {class_chip(b)}<b>{pair.count:,}</b></div>"
            f'<div class="bar"><i style="width:{100 * pair.count / most:.0f}%"></i></div>'
            f"<small>{100 * pair.share:.0f} % of the images that both name one of the two</small></li>"
        )
    more = len(found.pairs) - _PAIRS
    rest = f'<p class="quiet">and {count(more, "pair")} more</p>' if more > 0 else ""
    return f'<ul class="confused">{"".join(rows)}</ul>{rest}'


def _nothing(title: str, text: str) -> None:
    frame.empty(title, text)
    st.button(
        "Go to Second reader",
        key="label-to-reader",
        type="primary",
        on_click=state.put,
        args=("l_part", "reader"),
    )
