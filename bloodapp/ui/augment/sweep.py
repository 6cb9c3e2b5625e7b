"""One cell under growing strengths: the whole pipeline and each of its operations, a row each."""

from html import escape

import numpy as np
import streamlit as st

from bloodapp.augment.operations import OPERATIONS
from bloodapp.augment.pipelines import Pipeline, Step, changes, mixes, parse, scaled, uses
from bloodapp.augment.pipelines import text as pipeline_text
from bloodapp.augment.strengths import alone, capped
from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.errors import BloodappError
from bloodapp.ui import frame, pairs, state
from bloodapp.ui.augment import cells as augment_cells
from bloodapp.ui.augment import tools
from bloodapp.ui.augment.cells import IMAGES
from bloodapp.ui.thumbs import data_uri, thumbnail

STRENGTHS = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0)
"""Of what the pipeline says."""

OTHERS = 7
"""Cells drawn beside the chosen one: operations that mix need others."""

_WRITTEN = {0.25: "¼", 0.5: "½", 0.75: "¾", 1.25: "1¼", 1.5: "1½"}
_SIGNS = {"degrees": "°", "pixels": " px"}


def times(strength: float) -> str:
    """A strength as people write it: `× 1½`."""
    return f"× {_WRITTEN.get(strength, f'{strength:g}')}"


def draw(dataset: Dataset, pipeline: Pipeline) -> None:
    """Draw the tools, the strip of cells and the rows."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="augment-tools"):
        tools.cells_of(dataset)
        seed = tools.seed()
        tools.other_cells()
    indices = augment_cells.chosen(dataset, IMAGES)
    if not indices:
        augment_cells.none_left()
        return
    cell = _cell(dataset, indices)
    known = augment_cells.labels(dataset, [cell])[0]
    title = dataset.classes[int(known)].title
    batch = [cell, *[index for index in indices if index != cell][:OTHERS]]
    heads = "".join(f"<span>{times(strength)}</span>" for strength in STRENGTHS)
    with st.container(key="augment-sweep", gap=None):
        st.html(
            f'<div class="alone first"><div class="who"><b>{escape(title)}</b><span>image {cell:,}</span></div>'
            f'<div class="cells six heads">{heads}</div></div>'
        )
        try:
            with augment_cells.drawing(pipeline):
                hint = "All of it: every strength grows, probabilities stay."
                st.html(_row(dataset, batch, pipeline, seed, "whole pipeline", "", hint))
                for one in alone(pipeline):
                    if not one.off:
                        hint = OPERATIONS[one.step.name].help
                        st.html(_row(dataset, batch, one.pipeline, seed, one.step.name, one.values, hint))
        except BloodappError as error:
            frame.error(error)
            return
    st.html(
        '<p class="quiet">× 1 is what the pipeline says. Along a row everything random is the same, so that one thing '
        "grows. <b>limit</b>: the operation takes no more, and stays there.</p>"
    )


def _cell(dataset: Dataset, indices: list[int]) -> int:
    """The strip of cells and the one that is chosen: by the address, else the first."""
    asked = augment_cells.number("cell", indices[0])
    known = asked < len(dataset) and augment_cells.labels(dataset, [asked])[0] >= 0
    cell = asked if known and "-" not in str(state.get("cell")) else indices[0]
    labels = augment_cells.labels(dataset, indices)
    once = dict(zip(indices, labels.tolist(), strict=True))
    shown = []
    for index, label in once.items():
        own = dataset.classes[int(label)]
        picture = pairs.Picture(
            data_uri(thumbnail(dataset, index)), f"{own.title}, image {index:,}", own.colour
        )
        shown.append(pairs.Card(index, (picture,), chosen=index == cell))
    pairs.cards(
        shown,
        key="augment-strip",
        label="Choose a cell",
        width=48,
        on_press=lambda index: state.put("cell", index),
        strip=True,
    )
    return cell


def _row(
    dataset: Dataset, batch: list[int], pipeline: Pipeline, seed: int, name: str, values: str, hint: str
) -> str:
    labels = tuple(augment_cells.labels(dataset, batch).tolist())
    shown, touched = _drawn(
        dataset.name, dataset.fingerprint, tuple(batch), labels, pipeline_text(pipeline), seed
    )
    single = name in OPERATIONS
    if not single and not touched and changes(pipeline):
        what = "none" if uses(pipeline, "oneof") or uses(pipeline, "sometimes") else "nothing"
        values = f"{what} was drawn for this cell: try another draw"
    cells = []
    for strength, (src, said, band) in zip(STRENGTHS, shown, strict=True):
        limits = capped(pipeline, strength)
        value = _value(scaled(pipeline, strength).steps[0]) if single else ""
        hint_limit = escape(f"At the limit: {', '.join(limits)}", quote=True)
        limit = f'<b title="{hint_limit}">limit</b>' if limits else ""
        words = escape(f"{name} {times(strength)}: {said}", quote=True)
        cells.append(
            f'<span title="{words}"><img alt="{words}" src="{src}"><i style="background:{band}"></i>'
            f"<em>{escape(value)}{limit}</em></span>"
        )
    return (
        f'<div class="alone"><div class="who" title="{escape(hint, quote=True)}"><b>{escape(name)}</b>'
        f'<span>{escape(values)}</span></div><div class="cells six">{"".join(cells)}</div></div>'
    )


def _value(step: Step) -> str:
    """The first number of a step that is a strength, with its unit."""
    for parameter, value in zip(OPERATIONS[step.name].parameters, step.numbers, strict=True):
        if parameter.neutral is not None:
            return f"{value:.3g}{_SIGNS.get(parameter.unit, '')} "
    return ""


@st.cache_data(show_spinner=False, max_entries=256)
def _drawn(
    name: str,
    fingerprint: str,
    batch: tuple[int, ...],
    labels: tuple[int, ...],
    pipeline: str,
    seed: int,
) -> tuple[list[tuple[str, str, str]], bool]:
    """What becomes of the first image of a batch at each strength: (picture, its classes in words, its bar).

    And whether anything does, at any of them.

    Where nothing is mixed it is drawn several times, and the draw that changes most is followed along the row.
    """
    del fingerprint, labels  # part of the key only
    dataset, parsed = open_dataset(name), parse(pipeline)
    together = list(batch) if mixes(parsed) else [batch[0]] * len(batch)
    results = [
        augment_cells.draw_anew(dataset, together, scaled(parsed, strength), seed) for strength in STRENGTHS
    ]
    place = 0
    original = np.asarray(dataset.images[batch[0]])
    if not mixes(parsed):
        written = results[STRENGTHS.index(1.0)][0].astype(np.float32)
        place = int(np.abs(written - original).mean((1, 2, 3)).argmax())
    touched = any((images[place] != original).any() for images, _ in results)
    shown = [
        (
            data_uri(images[place]),
            pairs.words(weights[place], dataset.classes),
            pairs.band(weights[place], dataset.classes),
        )
        for images, weights in results
    ]
    return shown, touched
