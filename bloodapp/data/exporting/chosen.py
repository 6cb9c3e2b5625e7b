"""Which images an export holds, and how they are read: in blocks, never as a whole."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bloodapp.data.dataset import Dataset

BLOCK = 256  # images a step: 7 MB at 96 pixels

Told = Callable[[int], None]
"""Called with how many images are written; what it raises breaks the export off."""


@dataclass(frozen=True, eq=False)
class Chosen:
    """The images of an export.

    Attributes:
        dataset: where they are read.
        rows: int64 (M,), their indices, ascending.
        labels: int16 (M,), as decided, -1 = none.
        parts: (M,) of "", "train", "val" or "test".
        seq: the last decision that this takes into account.
    """

    dataset: Dataset
    rows: NDArray[np.int64]
    labels: NDArray[np.int16]
    parts: NDArray[np.str_]
    seq: int

    def __len__(self) -> int:
        """How many images."""
        return len(self.rows)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of one image."""
        return (self.dataset.size, self.dataset.size, 3)

    @property
    def nbytes(self) -> int:
        """Of all pixels; no format that packs them takes noticeably more."""
        return len(self) * self.dataset.size * self.dataset.size * 3

    def only(self, part: NDArray[np.bool_]) -> "Chosen":
        """Those that a mask bool (M,) picks."""
        return Chosen(self.dataset, self.rows[part], self.labels[part], self.parts[part], self.seq)

    def blocks(self) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """The position of a block's first image, and the block, (n, S, S, 3)."""
        for start in range(0, len(self), BLOCK):
            yield start, self.dataset.read(self.rows[start : start + BLOCK])
