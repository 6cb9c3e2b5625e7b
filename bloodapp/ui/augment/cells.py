"""The user's own cells for the views of the Augment page, and what a pipeline makes of them.

The same number of images goes into every drawing, so that a traced pipeline is used again by every
view; what was drawn once is remembered by its pipeline, cells and seed.
"""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from bloodapp.augment.pipelines import Pipeline, parse
from bloodapp.augment.pipelines import text as pipeline_text
from bloodapp.augment.staining import for_pipeline
from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.ui import frame, state
from bloodapp.ui.standing import judged

IMAGES = 24
"""Images in every drawing, whatever is shown of them."""

_LAYERS = "bloodapp.augment.layers"


def pick(dataset: Dataset, label: int | None, count: int, seed: int) -> list[int]:
    """`count` positions of included, labelled images, as even over the classes as there are; [] if there are none.

    With `label` only of that class. When there are too few, some come again, so that the number is always the same.
    """
    remaining = judged(dataset)
    labels = remaining.labels[remaining.indices]
    rng = np.random.default_rng(seed)
    rows = [rng.permutation(remaining.indices[labels == k]) for k in np.unique(labels) if label in (None, k)]
    if not rows:
        return []
    longest = max(len(each) for each in rows)
    turns = [int(each[turn]) for turn in range(longest) for each in rows if turn < len(each)]
    return [turns[i % len(turns)] for i in range(count)]


def chosen(dataset: Dataset, count: int) -> list[int]:
    """The cells that the address asks for: of a class or of all, by the seed of the cells."""
    keys = [each.key for each in dataset.classes]
    wanted = state.get("class")
    return pick(dataset, keys.index(wanted) if wanted in keys else None, count, number("cells", 1))


def labels(dataset: Dataset, indices: list[int]) -> NDArray[np.int16]:
    """The labels of images as the decisions left them, int16 (N,)."""
    known: NDArray[np.int16] = judged(dataset).labels[indices]
    return known


def none_left() -> None:
    """Say that there is no cell to show."""
    frame.empty(
        "No cells to show",
        "No image of this class remains: choose another class, or bring some back in Review.",
    )


def number(key: str, default: int) -> int:
    """A whole number of the address; the default for anything else."""
    try:
        return max(0, int(state.get(key, default)))
    except (TypeError, ValueError):
        return default


@contextmanager
def drawing(*pipelines: Pipeline) -> Iterator[None]:
    """Around whatever draws with these pipelines: loads TensorFlow where it is needed, and says what takes long."""
    if any(pipeline.steps for pipeline in pipelines) and _LAYERS not in sys.modules:
        with st.spinner("Loading TensorFlow, which draws and trains: about 10 s, once…", show_time=True):
            importlib.import_module(_LAYERS)
    with st.spinner("Drawing; a new structure is prepared first, which takes some seconds, once…"):
        yield


def drawn(
    dataset: Dataset, indices: list[int], pipeline: Pipeline, seed: int
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """What the pipeline makes of the dataset's images: uint8 (N, S, S, 3) and label weights float32 (N, C).

    Raises BloodappError. Remembered; call inside `drawing`.
    """
    labels = tuple(judged(dataset).labels[indices].tolist())
    return _drawn(dataset.name, dataset.fingerprint, tuple(indices), labels, pipeline_text(pipeline), seed)


@st.cache_data(show_spinner=False, max_entries=48)
def _drawn(
    name: str,
    fingerprint: str,
    indices: tuple[int, ...],
    labels: tuple[int, ...],
    pipeline: str,
    seed: int,
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    del fingerprint, labels  # part of the key only: a name can be imported anew, a cell relabelled
    return draw_anew(open_dataset(name), list(indices), parse(pipeline), seed)


def draw_anew(
    dataset: Dataset, indices: list[int], pipeline: Pipeline, seed: int
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The same as `drawn`, not remembered: for who keeps less than whole images of it."""
    labels = judged(dataset).labels[indices]
    images = np.stack([dataset.images[index] for index in indices])
    if not pipeline.steps:
        return images, np.eye(len(dataset.classes), dtype=np.float32)[labels]
    from bloodapp.augment.preview import preview  # TensorFlow: only when something must be drawn

    return preview(
        images, labels, len(dataset.classes), pipeline, seed, stains=for_pipeline(dataset, pipeline)
    )
