"""Perceptual hashes: 64 bits that stay nearly the same when a picture is re-encoded, scaled or slightly blurred.

The hash is `imagehash.phash`: grey, 32x32, a cosine transform, its 8x8 lowest frequencies, above or below
their median.
"""

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image

_CHUNK = 512  # rows of the comparison held at once: 512 x 20,000 hashes are 80 MB


def perceptual_hashes(images: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """The hashes of uint8 (N, S, S, 3) images as uint64 (N,), first bit highest, as `str(imagehash.phash())`."""
    if not len(images):
        return np.zeros(0, np.uint64)
    bits = np.stack([imagehash.phash(Image.fromarray(image)).hash.ravel() for image in images])
    return np.packbits(bits, axis=1).view(">u8").ravel().astype(np.uint64)


def hamming(first: NDArray[np.uint64], second: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """In how many of the 64 bits two hashes differ; the arrays broadcast."""
    return np.bitwise_count(np.bitwise_xor(np.asarray(first, np.uint64), np.asarray(second, np.uint64)))


def near_pairs(hashes: NDArray[np.uint64], distance: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All pairs (i, j), i < j, of hashes that are at most `distance` bits apart, as two int64 arrays.

    Compares all with all: hand it the distinct hashes only. 12,000 take about a third of a second.
    """
    first: list[NDArray[np.int64]] = [np.zeros(0, np.int64)]
    second: list[NDArray[np.int64]] = [np.zeros(0, np.int64)]
    for start in range(0, len(hashes), _CHUNK):
        rows, columns = np.nonzero(
            hamming(hashes[start : start + _CHUNK, None], hashes[None, start:]) <= distance
        )
        later = columns > rows
        first.append(rows[later] + start)
        second.append(columns[later] + start)
    return np.concatenate(first), np.concatenate(second)
