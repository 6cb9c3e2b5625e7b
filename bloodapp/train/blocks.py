"""Training images block by block: each read from the disk in order, used up, and freed before the next.

So a set larger than memory trains at the disk's speed and in little memory. Files are often sorted by class, and
a network that sees one class after the other learns none: a block is made of stretches spread over the whole file.
No TensorFlow.
"""

import threading
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from bloodapp.data.dataset import read_rows

STRETCHES = 32
"""Stretches of neighbouring rows that a block is made of, one from each 32nd of the file."""

Rows = npt.NDArray[np.int64]


def epoch_order(rows: Rows, seed: int, epoch: int, block: int = 0) -> list[Rows]:
    """The rows in the order of an epoch, block by block; with `block` 0 all at once, shuffled as a whole.

    Every row once. The blocks hold `block` rows or a little less, each as many from every 32nd of the file, and are
    shuffled within; which stretches come together, and when, changes from epoch to epoch. Derives from the seed and
    the epoch alone.
    """
    rng = np.random.default_rng([seed, epoch])
    if not block or block >= len(rows):
        return [rng.permutation(rows)]
    count = -(-len(rows) // block)
    stretches = np.array_split(np.sort(rows), count * STRETCHES)
    # Which stretch of each 32nd goes to which block.
    dealt = np.stack([part * count + rng.permutation(count) for part in range(STRETCHES)], axis=1)
    return [rng.permutation(np.concatenate([stretches[place] for place in each])) for each in dealt]


def whole_batches(order: list[Rows], size: int) -> list[Rows]:
    """The same order in blocks of full batches: what is left of one goes on to the next, and at the end is left out.

    An epoch of fewer rows than one batch repeats some.
    """
    if sum(map(len, order)) < size:
        return [np.resize(np.concatenate(order), size)]
    whole, rest = [], np.zeros(0, np.int64)
    for block in order:
        block = np.concatenate([rest, block])
        full = len(block) // size * size
        rest = block[full:]
        if full:
            whole.append(block[:full])
    return whole


def batches(order: list[Rows], size: int) -> Iterator[Rows]:
    """The rows of each full batch of an epoch."""
    for block in whole_batches(order, size):
        for start in range(0, len(block), size):
            yield block[start : start + size]


class BlockReader:
    """Gives images of batches whose blocks come one after the other; holds one block at a time.

    Nothing depends on what was asked before, only the speed does: a block that is not held is read.

    Attributes:
        held: which block is in memory, as (epoch, number); None before the first.
    """

    def __init__(self, images: npt.NDArray[np.uint8], rows: Rows, seed: int, block: int, batch: int) -> None:
        self.held: tuple[int, int] | None = None
        self._images, self._rows = images, rows
        self._seed, self._block, self._batch = seed, block, batch
        self._order: tuple[int, list[Rows]] = -1, []
        self._own = np.zeros(0, np.int64)
        self._pixels: npt.NDArray[np.uint8] | None = None
        self._lock = threading.Lock()

    def batches(self, epoch: int) -> Iterator[tuple[Rows, int]]:
        """The rows of each batch of an epoch, and the number of the block that holds them."""
        for number, block in enumerate(self._blocks(epoch)):
            for start in range(0, len(block), self._batch):
                yield block[start : start + self._batch], number

    def read(self, rows: Rows, epoch: int, number: int) -> npt.NDArray[np.uint8]:
        """The images, uint8 (n, …), of rows of that block of that epoch."""
        with self._lock:
            if self.held != (epoch, number):
                self._pixels = None  # freed before the next is read: memory is for one
                if self._order[0] != epoch:
                    self._order = epoch, self._blocks(epoch)
                self._own = np.unique(self._order[1][number])
                self._pixels = read_rows(self._images, self._own)
                self.held = epoch, number
            assert self._pixels is not None
            return self._pixels[np.searchsorted(self._own, rows)]

    def _blocks(self, epoch: int) -> list[Rows]:
        return whole_batches(epoch_order(self._rows, self._seed, epoch, self._block), self._batch)
