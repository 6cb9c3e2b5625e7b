"""Originals beside what a pipeline made of them: cards that are pressed to see them large."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from bloodapp.classes import CellClass
from bloodapp.data.dataset import Dataset
from bloodapp.ui.standing import judged
from bloodapp.ui.thumbs import data_uri, thumbnail

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Picture:
    """One picture of a card.

    Attributes:
        src: a data URI.
        hint: what it shows, for the pointer and for screen readers.
        band: the CSS background of the bar under it.
    """

    src: str
    hint: str
    band: str


@dataclass(frozen=True)
class Card:
    """Pictures that belong together, an original and what became of it for instance.

    Attributes:
        id: reported when the card is pressed.
        pictures: side by side, the original first.
        text: under them; may be empty.
        chosen: whether it is the chosen one of a strip.
    """

    id: int
    pictures: tuple[Picture, ...]
    text: str = ""
    chosen: bool = False


def cards(
    shown: Sequence[Card],
    *,
    key: str,
    label: str,
    width: int,
    on_press: Callable[[int], None],
    strip: bool = False,
) -> None:
    """Draw cards that can be pressed by mouse and by keys.

    Args:
        shown: the cards.
        key: of the component.
        label: what the group of cards is, for screen readers.
        width: the least width of a card in CSS pixels.
        on_press: called with the id of the card that was pressed.
        strip: whether one card is chosen, and arrows choose.
    """

    def pressed() -> None:
        id_ = (st.session_state.get(key) or {}).get("pressed")
        if id_ is not None:
            on_press(int(id_))

    data = {"cards": [asdict(card) for card in shown], "label": label, "width": width, "strip": strip}
    _component()(key=key, data=data, on_pressed_change=pressed)


@cache
def _component() -> Any:
    return st.components.v2.component(
        "bloodapp_pairs",
        html='<div class="pairs" role="group"></div>',
        css=(_FOLDER / "pairs.css").read_text(encoding="utf-8"),
        js=(_FOLDER / "pairs.js").read_text(encoding="utf-8"),
    )


def pairs(
    dataset: Dataset, indices: list[int], images: NDArray[np.uint8], labels: NDArray[np.float32]
) -> list[Card]:
    """Cards of an original and its results; a card's id is its place among the originals.

    Args:
        dataset: where the originals are from.
        indices: positions of the M originals.
        images: results, uint8 (L·M, S, S, 3): L looks at all M cells, one after the other.
        labels: label weights of the results, float32 (L·M, C).
    """
    known = judged(dataset).labels
    made = []
    for place, index in enumerate(indices):
        own = dataset.classes[int(known[index])]
        before = Picture(
            data_uri(thumbnail(dataset, index)), f"original, {own.title}, image {index:,}", own.colour
        )
        rows = range(place, len(images), len(indices))
        after = [
            Picture(
                data_uri(images[row]),
                f"result: {words(labels[row], dataset.classes)}",
                band(labels[row], dataset.classes),
            )
            for row in rows
        ]
        made.append(Card(place, (before, *after), own.title))
    return made


def words(weights: NDArray[np.float32], classes: tuple[CellClass, ...]) -> str:
    """Label weights (C,) in words: `Monocyte`, or `60 % Monocyte, 40 % Basophil` when images were mixed."""
    parts = [
        (float(weight), each.title) for weight, each in zip(weights, classes, strict=True) if weight > 0.005
    ]
    parts.sort(key=lambda part: -part[0])
    if len(parts) == 1:
        return parts[0][1]
    return ", ".join(f"{100 * weight:.0f} % {title}" for weight, title in parts) or "no label"


def band(weights: NDArray[np.float32], classes: tuple[CellClass, ...]) -> str:
    """A CSS background of the classes' colours, each as wide as its weight (C,)."""
    stops, done = [], 0.0
    for weight, each in zip(weights, classes, strict=True):
        if weight > 0.005:
            stops.append(f"{each.colour} {100 * done:.0f}% {100 * (done + float(weight)):.0f}%")
            done += float(weight)
    return f"linear-gradient(90deg,{','.join(stops)})" if stops else "#adb5bd"
