"""Training images block by block: each read from the disk in order, used up, and freed before the next.

So a set larger than memory trains at the disk's speed and in little memory. Files are often sorted by class, and
a network that sees one class after the other learns none: a block is made of stretches spread over the whole file.
No TensorFlow.
"""

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


def batches(order: list[Rows], size: int) -> Iterator[Rows]:
    """The rows of each full batch of an epoch; an epoch of fewer rows than one batch repeats some."""
    rows = np.concatenate(order)
    if len(rows) < size:
        rows = np.resize(rows, size)
    for start in range(0, len(rows) - size + 1, size):
        yield rows[start : start + size]


def batches_read(
    images: npt.NDArray[np.uint8], order: list[Rows], size: int
) -> Iterator[tuple[npt.NDArray[np.uint8], Rows]]:
    """The images, uint8 (size, …), and the rows of each batch of `batches`, with one block in memory at a time."""
    if sum(len(block) for block in order) < size:
        order = [np.resize(np.concatenate(order), size)]
    over = (
        np.empty((0, *images.shape[1:]), np.uint8),
        np.zeros(0, np.int64),
    )  # what is left of a block that ends within a batch
    for block in order:
        ascending = np.unique(block)
        held = read_rows(images, ascending)
        at = np.searchsorted(ascending, block)
        begin, stop = 0, size - len(over[1])
        while stop <= len(block):
            yield (
                np.concatenate([over[0], held[at[begin:stop]]]),
                np.concatenate([over[1], block[begin:stop]]),
            )
            over = over[0][:0], over[1][:0]
            begin, stop = stop, stop + size
        over = np.concatenate([over[0], held[at[begin:]]]), np.concatenate([over[1], block[begin:]])
        del held  # before the next is read: memory is for one
