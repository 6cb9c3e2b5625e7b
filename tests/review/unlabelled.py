"""Datasets in which labels are missing, and what a network would say of their images, for tests of labelling."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bloodapp.classes import CellClass
from bloodapp.data.dataset import Dataset
from bloodapp.data.importing import store
from bloodapp.data.records import Record
from bloodapp.data.sources import Source
from bloodapp.errors import Stopped


def without_labels(dataset: Dataset, name: str = "half", labelled: int = 20) -> Dataset:
    """The same images as another dataset, of which only the first `labelled` have their labels."""

    def records() -> Iterator[Record]:
        for index, image in enumerate(dataset.images):
            label = int(dataset.labels[index]) if index < labelled else -1
            yield Record(np.array(image), f"slide-{index}.png", label, "", 96, 96, "RGB")

    return store(Source("folder", name, "", dataset.classes, len(dataset), records()), name, 96)


class Guesses:
    """Stands for a predictor: the answer to each image is drawn from its pixels, the same every time.

    Attributes:
        classes: whose probabilities it gives.
        asked: how many images it was shown.
    """

    size = 96

    def __init__(self, classes: tuple[CellClass, ...]) -> None:
        self.classes, self.asked = classes, 0

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Probabilities float32 (N, C)."""
        self.asked += len(images)
        rows = [
            np.random.default_rng(int(image.sum())).dirichlet(np.ones(len(self.classes))) for image in images
        ]
        return np.array(rows, np.float32).reshape(-1, len(self.classes))


class Said:
    """Stands for a job's context; breaks off at the so-manieth look."""

    def __init__(self, folder: Path, looks: int = 10_000) -> None:
        self.folder, self.looks = folder, looks
        self.told: list[tuple[Any, ...]] = []
        folder.mkdir(parents=True, exist_ok=True)

    def progress(self, *words: Any) -> None:
        """Remember it."""
        self.told.append(words)

    def check(self) -> None:
        """Count down."""
        self.looks -= 1
        if self.looks < 0:
            raise Stopped("Stopped.")
