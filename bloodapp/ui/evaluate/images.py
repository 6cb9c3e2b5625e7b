"""The images behind the figures: sorted by how the run did, its mistakes, and a flag for Review."""

from collections.abc import Sequence
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import streamlit as st

from bloodapp.augment.corruptions import SHIFT_SEED, shifted
from bloodapp.charts.bars import probability_histogram
from bloodapp.charts.confusion import short_name
from bloodapp.charts.style import CONFIG
from bloodapp.classes import CellClass
from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.evaluate import mistakes as room
from bloodapp.ui import css, frame, state, thumbs
from bloodapp.ui.evaluate import flags
from bloodapp.ui.evaluate.reading import Reading, choose
from bloodapp.ui.standing import judged
from bloodapp.ui.text import count, percent

MOST = 60
A_PAGE = 24
MISTAKES: tuple[str, ...] = ("sort", "mistakes_page")
PREDICTIONS: tuple[str, ...] = ("class", "by", "unsure")
"""What the address carries for the two views."""

_PAGE = "evaluate-page"
_UNSURE = "evaluate-unsure"
_BELOW = (30, 99)  # percent that a probability may be asked to have

GROUPS = {
    "right": ("Right", "var(--good)"),
    "wrong": ("Wrong", "var(--bad)"),
    "unsure": ("Unsure", "var(--warn)"),
}
_SORTS = {"sure": "Surest first", "labels": "Likely wrong labels"}
_USUAL = round(100 * room.UNSURE_BELOW)
_STYLE = Path(__file__).with_name("images.css")


@st.fragment
def predictions(reading: Reading) -> None:
    """The images of one class by its probability, sorted into right, wrong and unsure."""
    classes = reading.result.classes
    with st.container(horizontal=True, vertical_alignment="bottom"):
        names = {c.key: c.title for c in classes}
        current = state.get("class") if state.get("class") in names else classes[_hardest(reading)].key
        state.show("evaluate-class", current)
        st.selectbox(
            "Class",
            list(names),
            format_func=lambda key: names[key],
            key="evaluate-class",
            on_change=lambda: state.put("class", st.session_state["evaluate-class"]),
            width=240,
        )
        by = choose("by", {"label": "labelled so", "predicted": "taken for it"}, "Which images")
        below = _whole("unsure", *_BELOW, _USUAL)
        st.slider(
            "Unsure below",
            *_BELOW,
            state.show(_UNSURE, below),
            format="%d %%",
            key=_UNSURE,
            on_change=lambda: _keep("unsure", _UNSURE, _USUAL),
            width=220,
            help="A prediction whose best class has a lower probability counts as unsure, right or not.",
        )
    which = [c.key for c in classes].index(current)
    result = reading.result
    found = room.sort_class(result.labels, result.probabilities, which, by=by, unsure_below=below / 100)
    groups = {name: getattr(found, name) for name in GROUPS}
    total = sum(map(len, groups.values()))
    if not total:
        said = "labelled so" if by == "label" else "taken for it"
        st.html(f'<p class="quiet">No image of this part is {said}. Choose another class.</p>')
        return
    st.plotly_chart(
        probability_histogram(
            {name: result.probabilities[positions, which] for name, positions in groups.items()},
            names[current],
        ),
        key="evaluate-probabilities",
        config=CONFIG,
        alt=f"How many images have which probability of {names[current]}: right, wrong and unsure",
    )
    if not_here(reading):
        return
    order = {
        "right": "the most probable first",
        "wrong": "the least probable first" if by == "label" else "the most probable first",
        "unsure": "the most probable first",
    }
    columns = frame.columns("groups", [1, 1, 1])
    for column, (name, (title, colour)) in zip(columns, GROUPS.items(), strict=True):
        positions = groups[name]
        with column:
            st.html(
                f'<div class="group"><i style="background:{colour}"></i><b>{title}</b>'
                f"<span>{len(positions):,}, {percent(len(positions) / total)}"
                f"{' · ' + order[name] if len(positions) > 1 else ''}</span></div>"
            )
            show(reading, positions, most=36, width=72, of=which, labels=by == "predicted")
    wrong = "the label and → " if by == "predicted" else "→ "
    st.html(
        f'<p class="quiet">Under each image: the probability of {escape(names[current])}, then the class that the run '
        f"named; where it is wrong, {wrong}that class.</p>"
    )


def _hardest(reading: Reading) -> int:
    """The place of the class with the most mistakes."""
    result = reading.result
    wrong = result.labels[result.probabilities.argmax(1) != result.labels]
    return int(np.bincount(wrong, minlength=len(result.classes)).argmax())


def mistakes(reading: Reading) -> None:
    """The wrong answers the run was most sure of, or the labels that look wrong, each with a flag for Review."""
    css.style(_STYLE)
    _mistakes(reading)


@st.fragment
def _mistakes(reading: Reading) -> None:
    result = reading.result
    kind = choose("sort", _SORTS, "Which mistakes", forget=("mistakes_page",))
    if kind == "labels":
        table = room.doubtful_labels(result.labels, result.probabilities)
        title, note = (
            count(len(table), "label") + " to look at",
            "The most doubtful first, by confident learning.",
        )
    else:
        table = room.confident_mistakes(result.labels, result.probabilities)
        title = f"{count(len(table), 'mistake')}, the surest first"
        note = "A sure mistake is often a wrong label."
    if table.empty and kind == "labels":
        frame.section("No label looks wrong", "No image is surely one of another class.")
        return
    if table.empty:
        frame.section("No mistakes", f"All {count(len(result), 'image')} are named as labelled.")
        return
    frame.section(title, note)
    if not_here(reading):
        return
    dataset = reading.dataset
    assert dataset is not None
    rows = table.to_dict("records")
    for row in rows:
        row["index"] = int(result.index[row["position"]])
    pages = -(-len(rows) // A_PAGE)
    page = _whole("mistakes_page", 1, pages, 1)
    shown = rows[(page - 1) * A_PAGE : page * A_PAGE]
    now = judged(dataset)
    current = flags.bar(dataset, [row["index"] for row in shown], now.flagged | now.decided)
    with st.container(key="evaluate-mistakes"):
        for row in shown:
            index = row["index"]
            # A card keeps its key when the frame comes to it or goes, and with it the keyboard's focus.
            with st.container(key=f"mistake-{index}", gap="xsmall"):
                _card(reading, index, row, framed=index == current)
                flags.button(dataset, index, bool(now.flagged[index]))
    if pages > 1:
        usual = state.show(_PAGE, page)
        st.pagination(
            pages, default=usual or 1, key=_PAGE, on_change=lambda: _keep("mistakes_page", _PAGE, 1)
        )
    if kind == "labels":
        with st.expander("How these are found"):
            st.html(
                "<p>Each class has a threshold: the mean probability that the images labelled so have for it. An image "
                "whose probability of another class reaches that class's threshold is counted as one of it. They "
                "are ranked by the margin between the given label and the likeliest other class. This is confident "
                "learning (Northcutt, Jiang and Chuang, JAIR 70, 2021); the run has not learned from these images, "
                "which the method asks for.</p>"
            )
    frame.link("pages/1_Review.py", "Open Review", ":material/rule:")


def _whole(name: str, low: int, high: int, usual: int) -> int:
    """A whole number of the address, brought between the two; the usual one where there is none."""
    try:
        return min(max(int(str(state.get(name))), low), high)
    except ValueError:
        return usual


def _keep(name: str, box: str, usual: int) -> None:
    """Keep the number of a box in the address, unless it is the usual one."""
    number = st.session_state[box]
    state.put(name, None if number == usual else number)


def show(
    reading: Reading,
    positions: npt.NDArray[np.int64],
    *,
    under_shift: bool = False,
    most: int = MOST,
    width: int = 80,
    of: int | None = None,
    labels: bool = True,
) -> None:
    """A contact sheet of the images at these positions, with what they were taken for and how surely.

    The number is the probability of the class that was named, or of the class `of`. Of a wrong answer the label stands
    under it, too, unless `labels` is False: where it is the same for all and stands above them.
    """
    result, dataset = reading.result, reading.dataset
    if dataset is None or not len(positions):
        return
    shown = positions[:most]
    table = result.shifted if under_shift and result.shifted is not None else result.probabilities
    named = table[shown].argmax(1)
    sure = table[shown].max(1)
    said = sure if of is None else table[shown, of]
    names = dataset.items["name"].to_numpy()
    rows = result.index[shown]
    titles = [c.title for c in result.classes]
    thumbs.grid(
        pictures(dataset, rows, under_shift=under_shift),
        [
            f"{100 * s:.0f} %\n{answer(result.classes, int(label), int(k), labels=labels)}"
            for s, label, k in zip(said, result.labels[shown], named, strict=True)
        ],
        colours=[result.classes[k].colour for k in named],
        hints=[
            f"{names[row]} (image {row}): labelled {titles[label]}, taken for {titles[k]} with {percent(s)}"
            for row, label, k, s in zip(rows, result.labels[shown], named, sure, strict=True)
        ],
        width=width,
    )
    if len(positions) > most:
        st.html(f'<div class="quiet">the first {most} of {len(positions):,}</div>')


def answer(classes: Sequence[CellClass], label: int, named: int, *, labels: bool = True) -> str:
    """The lines of a caption that tell an answer apart without its colour: the class, or label and → wrong class."""
    said = short_name(classes[named])
    if label == named:
        return said
    return f"{short_name(classes[label])}\n→ {said}" if labels else f"→ {said}"


def not_here(reading: Reading) -> bool:
    """Whether the images are not here; says so, and what to do."""
    if reading.dataset is not None:
        return False
    run = reading.run
    frame.empty(
        "The images are not here",
        f"This run was made from the dataset '{run.dataset}', which is not on this computer. Its figures are "
        "complete; to see the images, import the same file.",
        page="app.py",
        label="Import a dataset",
    )
    return True


def decided_since(reading: Reading) -> int:
    """How many of the judged images have another label now, or are excluded."""
    if reading.dataset is None or reading.run.shipped:
        return 0
    now = judged(reading.dataset)
    index = reading.result.index
    return int((~now.included[index] | (now.labels[index] != reading.result.labels)).sum())


def pictures(dataset: Dataset, rows: npt.NDArray[np.int64], *, under_shift: bool) -> Sequence[bytes]:
    """The images of these rows as JPEG, as they are or as the shift made them."""
    if not under_shift:
        return [thumbs.thumbnail(dataset, int(row)) for row in rows]
    return [_changed(dataset.name, dataset.fingerprint, int(row)) for row in rows]


def _card(reading: Reading, index: int, row: dict[Any, Any], *, framed: bool) -> None:
    result, dataset = reading.result, reading.dataset
    assert dataset is not None
    label, named = (result.classes[int(row[name])] for name in ("label", "predicted"))
    left = f"; {percent(row['label_probability'])} was left for {label.title}"
    title = escape(f"{dataset.items['name'].iloc[index]} (image {index}){left}", quote=True)
    st.html(
        f'<div class="mistake{" framed" if framed else ""}" title="{title}">'
        f'<img alt="{title}" src="{thumbs.data_uri(thumbs.thumbnail(dataset, index, 2))}">'
        f"<div>{thumbs.class_chip(named)}<b>{percent(row['confidence'])}</b></div>"
        f"<div><em>labelled</em>{thumbs.class_chip(label)}</div></div>"
    )


@lru_cache(maxsize=2048)
def _changed(name: str, fingerprint: str, row: int) -> bytes:
    del fingerprint  # part of the key only: a name can be imported anew
    image = np.asarray(open_dataset(name).images[row])[None]
    return thumbs.jpeg(shifted(image, SHIFT_SEED, keys=np.array([row]))[0])
