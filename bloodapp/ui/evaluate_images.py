"""The images behind the figures: sorted by how the run did, its mistakes, and a flag for Review."""

from collections.abc import Sequence
from functools import lru_cache
from html import escape
from typing import Any

import numpy as np
import numpy.typing as npt
import streamlit as st

from bloodapp.augment.corruptions import SHIFT_SEED, shifted
from bloodapp.data import decisions
from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.errors import BloodappError
from bloodapp.evaluate import mistakes as room
from bloodapp.ui import frame, state, thumbs
from bloodapp.ui.evaluate_reading import Reading, choose
from bloodapp.ui.steps import judged
from bloodapp.ui.text import count, percent, plain

MOST = 60
A_PAGE = 24
WHY = "flagged in Evaluate"

GROUPS = {
    "right": ("Right", "surest first", "var(--good)"),
    "wrong": ("Wrong", "surest first", "var(--bad)"),
    "unsure": ("Unsure", "least sure first", "var(--warn)"),
}


@st.fragment
def predictions(reading: Reading) -> None:
    """The images of one class, sorted into right, wrong and unsure."""
    classes = reading.result.classes
    with st.container(horizontal=True, vertical_alignment="bottom"):
        names = {c.key: c.title for c in classes}
        current = state.get("class") if state.get("class") in names else classes[0].key
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
        below = st.slider(
            "Unsure below",
            30,
            99,
            round(100 * room.UNSURE_BELOW),
            format="%d %%",
            key="evaluate-unsure",
            width=220,
            help="A prediction whose best class has a lower probability counts as unsure, right or not.",
        )
    which = [c.key for c in classes].index(current)
    result = reading.result
    found = room.sort_class(result.labels, result.probabilities, which, by=by, unsure_below=below / 100)
    if not_here(reading):
        return
    columns = frame.columns("groups", [1, 1, 1])
    for column, (name, (title, order, colour)) in zip(columns, GROUPS.items(), strict=True):
        positions = getattr(found, name)
        with column:
            st.html(
                f'<div class="group"><i style="background:{colour}"></i><b>{title}</b>'
                f"<span>{len(positions):,}{' · ' + order if len(positions) > 1 else ''}</span></div>"
            )
            show(reading, positions, most=36, width=64)


@st.fragment
def mistakes(reading: Reading) -> None:
    """The wrong answers the run was most sure of, each with a flag for Review."""
    result = reading.result
    table = room.confident_mistakes(result.labels, result.probabilities)
    if table.empty:
        frame.section("No mistakes", f"All {count(len(result), 'image')} are named as labelled.")
        return
    frame.section(
        f"{count(len(table), 'mistake')}, the surest first",
        "A sure mistake is often a wrong label. Flag it, and Review shows it again.",
    )
    if not_here(reading):
        return
    dataset = reading.dataset
    assert dataset is not None
    pages = -(-len(table) // A_PAGE)
    page = st.pagination(pages, key="evaluate-page") if pages > 1 else 1
    flagged = judged(dataset).flagged
    with st.container(key="evaluate-mistakes"):
        for row in table.iloc[(page - 1) * A_PAGE : page * A_PAGE].to_dict("records"):
            index = int(result.index[row["position"]])
            with st.container(key=f"mistake-{index}", gap="xsmall"):
                _card(reading, index, row)
                if flagged[index]:
                    st.button(
                        "Flagged",
                        key=f"unflag-{index}",
                        icon=":material/flag:",
                        type="tertiary",
                        help="Take the flag back",
                        on_click=_unflag,
                        args=(dataset.name, index),
                    )
                else:
                    st.button(
                        "Flag",
                        key=f"flag-{index}",
                        icon=":material/outlined_flag:",
                        type="tertiary",
                        help="Show this image in Review",
                        on_click=flag,
                        args=(dataset.name, [index]),
                    )
    frame.link("pages/1_Review.py", "Open Review", ":material/rule:")


def show(
    reading: Reading,
    positions: npt.NDArray[np.int64],
    *,
    under_shift: bool = False,
    most: int = MOST,
    width: int = 80,
) -> None:
    """A contact sheet of the images at these positions, with what they were taken for and how surely."""
    result, dataset = reading.result, reading.dataset
    if dataset is None or not len(positions):
        return
    shown = positions[:most]
    table = result.shifted if under_shift and result.shifted is not None else result.probabilities
    named = table[shown].argmax(1)
    sure = table[shown].max(1)
    names = dataset.items["name"].to_numpy()
    rows = result.index[shown]
    titles = [c.title for c in result.classes]
    thumbs.grid(
        pictures(dataset, rows, under_shift=under_shift),
        [f"{100 * s:.0f} %" for s in sure],
        colours=[result.classes[k].colour for k in named],
        hints=[
            f"{names[row]} (image {row}): labelled {titles[label]}, taken for {titles[k]} with {percent(s)}"
            for row, label, k, s in zip(rows, result.labels[shown], named, sure, strict=True)
        ],
        width=width,
    )
    if len(positions) > most:
        st.html(f'<div class="quiet">the first {most} of {len(positions):,}</div>')


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


def flag(name: str, indices: Sequence[int]) -> None:
    """Flag images of a dataset for Review, as one batch."""
    try:
        decisions.record(open_dataset(name), indices, "flag", why=WHY)
    except BloodappError as error:
        st.toast(plain(str(error)), icon=":material/error:")
    else:
        st.toast(f"{count(len(indices), 'image')} flagged for Review.", icon=":material/flag:")


def _unflag(name: str, index: int) -> None:
    try:
        dataset = open_dataset(name)
        events = decisions.log(dataset)
        mine = events[(events["index"] == index) & (events["action"] == "flag") & ~events["cancelled"]]
        for seq in mine["seq"]:
            decisions.undo(dataset, seq=int(seq), why=WHY)
    except BloodappError as error:
        st.toast(plain(str(error)), icon=":material/error:")


def _card(reading: Reading, index: int, row: dict[Any, Any]) -> None:
    result, dataset = reading.result, reading.dataset
    assert dataset is not None
    label, named = (result.classes[int(row[name])] for name in ("label", "predicted"))
    left = f"; {percent(row['label_probability'])} was left for {label.title}"
    title = escape(f"{dataset.items['name'].iloc[index]} (image {index}){left}", quote=True)
    st.html(
        f'<div class="mistake" title="{title}">'
        f'<img alt="{title}" src="{thumbs.data_uri(thumbs.thumbnail(dataset, index, 2))}">'
        f"<div>{thumbs.class_chip(named)}<b>{percent(row['confidence'])}</b></div>"
        f"<div><em>labelled</em>{thumbs.class_chip(label)}</div></div>"
    )


@lru_cache(maxsize=2048)
def _changed(name: str, fingerprint: str, row: int) -> bytes:
    del fingerprint  # part of the key only: a name can be imported anew
    image = np.asarray(open_dataset(name).images[row])[None]
    return thumbs.jpeg(shifted(image, SHIFT_SEED, keys=np.array([row]))[0])
