"""Each operation of a pipeline alone, on the same few cells, with how much it changes them."""

from html import escape

import numpy as np
import streamlit as st

from bloodapp.augment.operations import OPERATIONS
from bloodapp.augment.pipelines import Pipeline, parse
from bloodapp.augment.pipelines import text as pipeline_text
from bloodapp.augment.strengths import Alone, alone
from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.errors import BloodappError
from bloodapp.ui import frame, pairs
from bloodapp.ui.augment import cells as augment_cells
from bloodapp.ui.augment import tools
from bloodapp.ui.augment.cells import IMAGES
from bloodapp.ui.thumbs import data_uri, thumbnail

SHOWN = 8
"""Cells in a row; how much an operation changes is measured on all that are drawn."""

MUCH = 48.0
"""Grey levels at which the bar of a change is full."""


def draw(dataset: Dataset, pipeline: Pipeline) -> None:
    """Draw the tools, the originals and a row for each operation, one after the other as they are ready."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="augment-tools"):
        tools.cells_of(dataset)
        seed = tools.seed()
        tools.other_cells()
    indices = augment_cells.chosen(dataset, IMAGES)
    if not indices:
        augment_cells.none_left()
        return
    found = alone(pipeline)
    if not found:
        frame.empty(
            "Nothing to take apart",
            "This pipeline leaves every image as it is: add an operation at the left.",
        )
        return
    with st.container(key="augment-each", gap=None):
        st.html(_originals(dataset, indices))
        try:
            with augment_cells.drawing(pipeline):
                for one in found:
                    st.html(_operation(dataset, indices, one, seed))
        except BloodappError as error:
            frame.error(error)
            return
    st.html(
        '<p class="quiet">The number is the mean difference of grey levels (0 to 255) between original and result, '
        f"over {IMAGES} cells. "
        "Moving a cell changes many pixels and harms it little: the safety meter asks a model.</p>"
    )


def _originals(dataset: Dataset, indices: list[int]) -> str:
    known = augment_cells.labels(dataset, indices)
    cells = "".join(
        _cell(data_uri(thumbnail(dataset, index)), f"original, {own.title}, image {index:,}", own.colour)
        for index, own in zip(indices[:SHOWN], (dataset.classes[int(k)] for k in known), strict=False)
    )
    return f'<div class="alone first"><div class="who"><b>originals</b></div><div class="cells">{cells}</div></div>'


def _operation(dataset: Dataset, indices: list[int], one: Alone, seed: int) -> str:
    labels = tuple(augment_cells.labels(dataset, indices).tolist())
    shown, change = _drawn(
        dataset.name, dataset.fingerprint, tuple(indices), labels, pipeline_text(one.pipeline), seed
    )
    name = one.step.name
    notes = [one.values] if one.values else []
    if one.off:
        notes.append("switched off")
    elif one.often < 0.995:
        notes.append(f"in {100 * one.often:.0f} % of images")
    level = f"{change:.0f}" if change >= 1 or change == 0 else f"{change:.1f}"
    cells = "".join(_cell(src, f"{name}: {said}", band) for src, said, band in shown)
    return (
        f'<div class="alone{" off" if one.off else ""}">'
        f'<div class="who" title="{escape(OPERATIONS[name].help, quote=True)}"><b>{escape(name)}</b>'
        f"<span>{escape(' · '.join(notes))}</span>"
        f'<div class="change"><div class="bar"><i style="width:{100 * min(change / MUCH, 1):.0f}%"></i></div>'
        f'<em>{level}<span class="unit"> grey levels</span></em></div></div><div class="cells">{cells}</div></div>'
    )


def _cell(src: str, hint: str, band: str) -> str:
    said = escape(hint, quote=True)
    return (
        f'<span title="{said}"><img alt="{said}" loading="lazy" src="{src}">'
        f'<i style="background:{escape(band, quote=True)}"></i></span>'
    )


@st.cache_data(show_spinner=False, max_entries=256)
def _drawn(
    name: str,
    fingerprint: str,
    indices: tuple[int, ...],
    labels: tuple[int, ...],
    operation: str,
    seed: int,
) -> tuple[list[tuple[str, str, str]], float]:
    """What is shown of an operation, (picture, words, bar) for each cell, and the mean change in grey levels."""
    del fingerprint, labels  # part of the key only
    dataset = open_dataset(name)
    images, weights = augment_cells.draw_anew(dataset, list(indices), parse(operation), seed)
    originals = np.stack([dataset.images[index] for index in indices])
    change = float(np.abs(images.astype(np.float32) - originals).mean())
    shown = [
        (
            data_uri(images[i]),
            pairs.words(weights[i], dataset.classes),
            pairs.band(weights[i], dataset.classes),
        )
        for i in range(SHOWN)
    ]
    return shown, change
