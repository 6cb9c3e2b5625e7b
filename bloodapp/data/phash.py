"""Perceptual hashes: 64 bits that stay nearly the same when a picture is re-encoded, scaled or slightly blurred.

The hash is `imagehash.phash`, bit for bit: grey, 32x32, a cosine transform, its 8x8 lowest frequencies, above or
below their median. Here a block of pictures goes through each step at once.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.fft import dct

_BLOCK = 64  # pictures at once: 1.8 MB at 96 pixels, which stays in the processor's cache
_SIDE, _LOW = 32, 8
_PILES = 4
_THREADS = min(os.cpu_count() or 1, 4)

Floats = NDArray[np.float64]
T = TypeVar("T")


def perceptual_hashes(images: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """The hashes of uint8 (N, S, S, 3) images as uint64 (N,), first bit highest, as `str(imagehash.phash())`."""
    hashes = [_hashes(low) for low in _in_threads(_low_frequencies, images)]
    return np.concatenate([np.zeros(0, np.uint64), *hashes])


def turned_hashes(images: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """The hashes of images (N, S, S, 3) as they are, turned and mirrored: uint64 (N, 8), the first as they are.

    A turned picture has the same frequencies in another order, half of them with the other sign, so only the
    hashes are computed eight times. Pillow rounds a turned picture a little differently: of the eight hashes
    of 13,759 real ones 97 % had every bit, 3 % differed in two bits and four hashes in four.
    """
    hashes = [_turned(low) for low in _in_threads(_low_frequencies, images)]
    return np.concatenate([np.zeros((0, 8), np.uint64), *hashes])


def hamming(first: NDArray[np.uint64], second: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """In how many of the 64 bits two hashes differ; the arrays broadcast."""
    return np.bitwise_count(np.bitwise_xor(np.asarray(first, np.uint64), np.asarray(second, np.uint64)))


def _turned(low: Floats) -> NDArray[np.uint64]:
    """The hashes of the eight symmetries: as it is, mirrored along one axis or both; the same, axes swapped."""
    signs = np.where(np.arange(_LOW) % 2, -1.0, 1.0)  # a mirror changes the sign of the odd waves
    mirrored = [low, low * signs, low * signs[:, None], low * signs * signs[:, None]]
    return np.stack(
        [_hashes(one) for one in (*mirrored, *(one.transpose(0, 2, 1) for one in mirrored))], axis=1
    )


def _low_frequencies(images: NDArray[np.uint8]) -> Floats:
    """The lowest frequencies of the small grey pictures, float64 (N, 8, 8)."""
    # Not as products with a matrix of cosines: they would leave noise where a flat picture must give zeros.
    rows = dct(_small(images).astype(np.float64), axis=1)[:, :_LOW]
    return np.asarray(dct(rows, axis=2)[:, :, :_LOW])


def _small(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The pictures in grey at 32x32, uint8 (N, 32, 32), as Pillow shrinks each of them.

    Pillow shrinks along the rows, then along the columns. So all pictures go in below one another, where only the
    width changes, and then side by side, where only the height does; and in four piles that pass for the four
    channels of one picture, which takes half the time of four grey ones.
    """
    count, height, width = images.shape[:3]
    if missing := -count % _PILES:
        images = np.concatenate([images, np.zeros((missing, height, width, 3), np.uint8)])
    each = len(images) // _PILES
    piles = images.reshape(_PILES, each * height, width, 3)
    grey = Image.merge("CMYK", [Image.fromarray(pile).convert("L") for pile in piles])
    narrow = np.asarray(grey.resize((_SIDE, each * height), Image.Resampling.LANCZOS))
    rows = narrow.reshape(each, height, _SIDE, _PILES).swapaxes(0, 1)
    beside = Image.fromarray(rows.reshape(height, each * _SIDE, _PILES), "CMYK")
    low = np.asarray(beside.resize((each * _SIDE, _SIDE), Image.Resampling.LANCZOS))
    return low.reshape(_SIDE, each, _SIDE, _PILES).transpose(3, 1, 0, 2).reshape(-1, _SIDE, _SIDE)[:count]


def _hashes(low: Floats) -> NDArray[np.uint64]:
    values = low.reshape(len(low), _LOW * _LOW)
    bits = values > np.median(values, axis=1, keepdims=True)
    return np.packbits(bits, axis=1).view(">u8").ravel().astype(np.uint64)


def _in_threads(action: Callable[[NDArray[np.uint8]], T], images: NDArray[np.uint8]) -> Iterator[T]:
    """The action on one block of images after the other; Pillow and NumPy let several threads work at once."""
    blocks = (images[start : start + _BLOCK] for start in range(0, len(images), _BLOCK))
    if len(images) <= _BLOCK:
        yield from map(action, blocks)
        return
    with ThreadPoolExecutor(_THREADS) as threads:
        yield from threads.map(action, blocks)
