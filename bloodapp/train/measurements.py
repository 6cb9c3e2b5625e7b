"""What `cost` and `speed` share: the images that they measure with, and a file that keeps what was measured last."""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import judge
from bloodapp.errors import Unreadable
from bloodapp.train.recipe import Recipe
from bloodapp.workspace import home, read_json, write_json

KEPT = 300
"""Measurements that a file holds; the oldest go."""

Kept = TypeVar("Kept")
Ints = npt.NDArray[np.int64]


def images_to_learn(dataset: Dataset, recipe: Recipe) -> tuple[Ints, Ints, npt.NDArray[np.float32]]:
    """The labels of all images (N,), rows enough for a few batches, and one-hot labels (N, C); raises Unreadable."""
    judged = judge(dataset)
    if not len(judged.indices):
        raise Unreadable(f"No labelled image of '{dataset.name}' remains: there is nothing to measure with.")
    labels = np.asarray(judged.labels, np.int64)
    shares = np.zeros((len(dataset), len(dataset.classes)), np.float32)
    shares[judged.indices, labels[judged.indices]] = 1
    # A batch needs so many rows; which ones is no matter of speed.
    rows = np.resize(judged.indices, max(len(judged.indices), 4 * recipe.batch)).astype(np.int64)
    return labels, rows, shares


def kept(file: str, field: str, made: Callable[[Mapping[str, Any]], Kept]) -> list[Kept]:
    """All measurements in a file of the home, oldest first; a damaged file counts as none."""
    try:
        given = read_json(home() / file).get(field, [])
    except (FileNotFoundError, Unreadable):
        return []
    found = []
    for one in given if isinstance(given, list) else []:
        with suppress(TypeError, KeyError, AttributeError):  # written by another version
            found.append(made(one))
    return found


def write(file: str, field: str, measurements: Sequence[Any]) -> None:
    """Write the newest of the measurements, dataclasses; the caller holds the file (`workspace.held_at_home`)."""
    write_json(home() / file, {field: [asdict(one) for one in measurements[-KEPT:]]})


def busy_now() -> bool:
    """Whether other processes have kept half of the cores at work for the last minute; False where nobody tells."""
    with suppress(OSError, AttributeError):
        return os.getloadavg()[0] > 0.5 * (os.cpu_count() or 1)
    return False
