"""The preview: 24 results beside the cells they came from, each of which can be seen large."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from bloodapp.augment.pipelines import Pipeline, mixes
from bloodapp.data.dataset import Dataset
from bloodapp.errors import BloodappError
from bloodapp.ui import dialogs, frame, pairs, state, thumbs
from bloodapp.ui.augment import cells, tools
from bloodapp.ui.augment.cells import IMAGES

DRAWS = 5
"""Draws of one cell beside its original."""

_ZOOM = "zoom"
_PLACE = "augment_zoom"
_WIDE = 1280


def draw(dataset: Dataset, pipeline: Pipeline) -> None:
    """Draw the tools and the cards; a pressed card opens large."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="augment-tools"):
        tools.cells_of(dataset)
        looks = tools.looks()
        seed = tools.seed()
        tools.other_cells()
    indices = cells.chosen(dataset, IMAGES // looks)
    if not indices:
        cells.none_left()
        return
    try:
        with st.container(key="augment-room"), cells.drawing(pipeline):
            images, labels = cells.drawn(dataset, indices * looks, pipeline, seed)
            pairs.cards(
                pairs.pairs(dataset, indices, images, labels),
                key="augment-pairs",
                label="Originals beside results: press one to see it large",
                width=58 + 62 * looks,
                on_press=_open,
            )
    except BloodappError as error:
        frame.error(error)
        return
    st.html(f'<p class="quiet">{_legend(pipeline)}</p>')
    place = state.get(_PLACE)
    if isinstance(place, int) and place < len(indices) and dialogs.drawn(_ZOOM):
        _zoom(dataset, pipeline, indices, looks, place, seed)


def _legend(pipeline: Pipeline) -> str:
    said = "Left the original, beside it what training would see. Click one, or press Enter on it, to see it large."
    if mixes(pipeline):
        said += " The bar under a picture shows its classes, as wide as their share of the label."
    return said


def _open(place: int) -> None:
    state.put(_PLACE, place)
    dialogs.show(_ZOOM)


@st.dialog("One cell, drawn again and again", width=_WIDE, on_dismiss=dialogs.close)
def _zoom(
    dataset: Dataset, pipeline: Pipeline, indices: list[int], looks: int, place: int, seed: int
) -> None:
    """The cell in real pixels: the original, the draw that was pressed and the next ones."""
    results = []
    try:
        with cells.drawing(pipeline):
            for number in range(seed, seed + DRAWS):
                images, labels = cells.drawn(dataset, indices * looks, pipeline, number)
                results.append((f"draw {number}", images[place], labels[place]))
    except BloodappError as error:
        frame.error(error)
        return
    original = np.asarray(dataset.images[indices[place]])
    label = cells.labels(dataset, indices)[place]
    own = np.eye(len(dataset.classes), dtype=np.float32)[label]
    figures = [_figure(dataset, f"original, image {indices[place]:,}", original, own)]
    figures += [_figure(dataset, *result) for result in results]
    st.html(f'<div class="large" style="--real:{dataset.size}px">{"".join(figures)}</div>')


def _figure(dataset: Dataset, text: str, image: NDArray[np.uint8], weights: NDArray[np.float32]) -> str:
    said = pairs.words(weights, dataset.classes)
    return (
        f'<figure><img alt="{text}: {said}" src="{thumbs.exact_uri(image)}">'
        f'<i style="background:{pairs.band(weights, dataset.classes)}"></i>'
        f"<figcaption><b>{text}</b><span>{said}</span></figcaption></figure>"
    )
