"""The images that two runs disagree on, with the answers of both side by side."""

from html import escape

import numpy as np
import streamlit as st

from bloodapp.data.dataset import Dataset
from bloodapp.evaluate.compare import Disagreements, Positions, Shared, disagreements
from bloodapp.ui import frame, thumbs
from bloodapp.ui.evaluate import flags, images
from bloodapp.ui.evaluate.compare_words import mark
from bloodapp.ui.evaluate.reading import Reading, choose
from bloodapp.ui.text import count, percent
from bloodapp.ui.thumbs import class_chip

FILTERS = ("against_other", "against_right")
"""Names in the address."""

_MOST = 24


def draw(reading: Reading, on: Shared, titles: dict[str, str]) -> None:
    """Draw who is right where, and the images of the chosen kind."""
    first, others = on.names[0], on.names[1:]
    with st.container(horizontal=True, vertical_alignment="center", key="against-images-head"):
        frame.section("Where they disagree")
        other = choose("against_other", {name: titles[name] for name in others}, "Which run")
    found = disagreements(on.labels, on.answers[first], on.answers[other])
    kinds = {
        "first": f"Only {titles[first]} is right, {len(found.first):,}",
        "second": f"Only {titles[other]} is right, {len(found.second):,}",
        "neither": f"Both are wrong, {len(found.neither):,}",
    }
    kind = choose("against_right", kinds, "Who is right")
    positions: Positions = getattr(found, kind)
    same = _same_mistake(on, other, found) if kind == "neither" else np.zeros(0, np.int64)
    st.html(f'<p class="quiet">{escape(_said(found, kind, len(same)))}</p>')
    if not len(positions) or images.not_here(reading):
        return
    dataset = reading.dataset
    assert dataset is not None
    marks = [mark(titles[name], on.names.index(name)) for name in (first, other)]
    cards = "".join(_card(dataset, on, (first, other), marks, int(at)) for at in positions[:_MOST])
    st.html(f'<div class="versus-sheet">{cards}</div>')
    if len(positions) > _MOST:
        st.html(f'<div class="quiet">the first {_MOST} of {len(positions):,}</div>')
    if len(same):
        st.button(
            f"Flag {'it' if len(same) == 1 else f'these {len(same)}'} for Review",
            key="against-flag",
            icon=":material/outlined_flag:",
            on_click=flags.flag,
            args=(dataset.name, on.index[same].tolist()),
        )
        flags.report()


def _said(found: Disagreements, kind: str, same: int) -> str:
    agreed = f"Both are right on {count(len(found.both), 'image')}."
    if not len(getattr(found, kind)):
        return f"There is no such image. {agreed}"
    if kind != "neither":
        return f"The surest wrong answer first. {agreed}"
    if not same:
        return f"The surest first; they never name the same wrong class. {agreed}"
    return (
        f"The surest first. On {count(same, 'image')} both name the same wrong class: there the label may be wrong. "
        f"{agreed}"
    )


def _same_mistake(on: Shared, other: str, found: Disagreements) -> Positions:
    named = [on.answers[name][found.neither].argmax(1) for name in (on.names[0], other)]
    return found.neither[named[0] == named[1]]


def _card(dataset: Dataset, on: Shared, names: tuple[str, str], marks: list[str], at: int) -> str:
    row, label = int(on.index[at]), int(on.labels[at])
    title = escape(
        f"{dataset.items['name'].iloc[row]} (image {row}), labelled {on.classes[label].title}", quote=True
    )
    answers = []
    for name, who in zip(names, marks, strict=True):
        table = on.answers[name][at]
        taken = int(table.argmax())
        verdict = "right" if taken == label else "wrong"
        answers.append(
            f'<div class="{verdict}"><em>{who}</em>{class_chip(on.classes[taken])}'
            f"<b>{percent(float(table[taken]))}</b></div>"
        )
    return (
        f'<figure class="versus" title="{title}"><img alt="{title}" loading="lazy" '
        f'src="{thumbs.data_uri(thumbs.thumbnail(dataset, row, 2))}">'
        f"<figcaption><p>{class_chip(on.classes[label])}</p>{''.join(answers)}</figcaption></figure>"
    )
