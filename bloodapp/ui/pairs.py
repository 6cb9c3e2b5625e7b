"""Originals beside what a pipeline made of them, as one piece of HTML."""

from html import escape

import numpy as np
from numpy.typing import NDArray

from bloodapp.classes import CellClass
from bloodapp.data.dataset import Dataset
from bloodapp.ui.thumbs import data_uri, thumbnail


def sheet(
    dataset: Dataset, indices: list[int], images: NDArray[np.uint8], labels: NDArray[np.float32]
) -> str:
    """Cards of an original and its results, as HTML (styled by pipeline.css).

    Args:
        dataset: where the originals are from.
        indices: positions of the M originals.
        images: results, uint8 (L·M, S, S, 3): L looks at all M cells, one after the other.
        labels: label weights of the results, float32 (L·M, C).
    """
    count = len(indices)
    looks = len(images) // max(count, 1)
    width = 64 + 76 * looks
    cards = []
    for place, index in enumerate(indices):
        rows = [place + look * count for look in range(looks)]
        after = "".join(
            f'<img alt="result {number}" loading="lazy" src="{data_uri(images[row])}">'
            for number, row in enumerate(rows, start=1)
        )
        weights = labels[rows].mean(axis=0)
        name = words(weights, dataset.classes)
        hint = escape(f"{name}, image {index:,}", quote=True)
        cards.append(
            f'<figure title="{hint}"><div class="row">'
            f'<img class="before" alt="original" loading="lazy" src="{data_uri(thumbnail(dataset, index))}">'
            f'{after}</div><div class="edge" style="background:{band(weights, dataset.classes)}"></div>'
            f"<figcaption>{escape(name)}</figcaption></figure>"
        )
    columns = f"grid-template-columns:repeat(auto-fill,minmax({width}px,1fr))"
    return f'<div class="pairs" style="{columns}">{"".join(cards)}</div>'


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
