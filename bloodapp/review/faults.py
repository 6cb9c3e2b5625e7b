"""Faults as they happen to a picture of a cell: copied with small changes, laid over another, blurred, badly lit.

Each takes an image uint8 (S, S, 3) RGB and a generator of random numbers, and gives a new image of the same
form. Lengths are in pixels of a 96-pixel image and grow with the size. What is not a plain copy has been through
a camera: half of the spoilt pictures are saved as JPEG once more, so that no detector learns the rounding.
"""

import io
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import convolve, gaussian_filter

Image8 = NDArray[np.uint8]
Random = np.random.Generator

_DIRECTIONS = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dy, dx) != (0, 0)]


def near_copy(image: Image8, rng: Random) -> Image8:
    """Nearly the same picture: saved again, up to 6 % brighter or darker, moved by a pixel, or several of these."""
    changes = (_saved_again, _relit, _moved)
    chosen = [change for change in changes if rng.random() < 0.65] or [changes[rng.integers(3)]]
    copy = image
    for change in rng.permutation(len(chosen)):
        copy = chosen[change](copy, rng)
    return copy if not np.array_equal(copy, image) else _moved(_saved_again(image, rng), rng)


def blend(image: Image8, other: Image8, rng: Random) -> Image8:
    """Two pictures laid over one another, each with 40 to 60 % of the light."""
    share = np.float32(rng.uniform(0.4, 0.6))
    return _camera(share * image + (1 - share) * other, rng)


def blurred(image: Image8, rng: Random) -> Image8:
    """Out of focus (a Gaussian of sigma 1.6 to 3.5, or a disc) or moved while it was taken, in any direction."""
    scale = image.shape[0] / 96
    way = rng.choice(3, p=(0.5, 0.25, 0.25))
    if way == 0:
        sigma = scale * rng.uniform(1.6, 3.5)
        return _camera(gaussian_filter(image.astype(np.float32), (sigma, sigma, 0)), rng)
    kernel = _disc(scale * rng.uniform(3, 6)) if way == 1 else _line(scale * rng.uniform(8, 16), rng)
    return _camera(convolve(image.astype(np.float32), kernel[..., None], mode="nearest"), rng)


def dark(image: Image8, rng: Random) -> Image8:
    """Too little light: 25 to 55 % of it, or a steep gamma curve."""
    if rng.random() < 0.65:
        return _camera(image * np.float32(rng.uniform(0.25, 0.55)), rng)
    return _camera(255 * (image / np.float32(255)) ** np.float32(rng.uniform(2, 3.5)), rng)


def bright(image: Image8, rng: Random) -> Image8:
    """Too much light: a quarter to two thirds more, lifted shadows, and what is over the top cut off."""
    return _camera(image * np.float32(rng.uniform(1.25, 1.65)) + np.float32(rng.uniform(15, 50)), rng)


SPOILERS: dict[str, Callable[[Image8, Random], Image8]] = {
    "near_duplicate": near_copy,
    "blurred": blurred,
    "dark": dark,
    "bright": bright,
}
"""The changes that take one image, by the kind of fault that they make."""


def _saved_again(image: Image8, rng: Random) -> Image8:
    return _jpeg(image, int(rng.integers(40, 91)))


def _relit(image: Image8, rng: Random) -> Image8:
    change = rng.uniform(0.02, 0.06) * rng.choice((-1, 1))
    return _whole(image * np.float32(1 + change))


def _moved(image: Image8, rng: Random) -> Image8:
    dy, dx = _DIRECTIONS[rng.integers(len(_DIRECTIONS))]
    height, width = image.shape[:2]
    padded = np.pad(image, ((1, 1), (1, 1), (0, 0)), mode="edge")
    return padded[1 - dy : 1 - dy + height, 1 - dx : 1 - dx + width]


def _camera(picture: NDArray[np.floating], rng: Random) -> Image8:
    """Whole numbers from 0 to 255, saved once more as a good JPEG in half of the cases."""
    image = _whole(picture)
    return _jpeg(image, int(rng.integers(86, 96))) if rng.random() < 0.5 else image


def _whole(picture: NDArray[np.floating]) -> Image8:
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def _jpeg(image: Image8, quality: int) -> Image8:
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer).convert("RGB"))


def _disc(radius: float) -> NDArray[np.float32]:
    reach = int(np.ceil(radius))
    rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    kernel = np.clip(radius + 0.5 - np.hypot(rows, columns), 0, 1)
    return (kernel / kernel.sum()).astype(np.float32)


def _line(length: float, rng: Random) -> NDArray[np.float32]:
    angle = rng.uniform(0, np.pi)
    reach = int(np.ceil(length / 2))
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1))
    for step in np.linspace(-length / 2, length / 2, 8 * reach + 1):
        # Each point of the path is shared among the four pixels around it.
        row, column = reach + step * np.sin(angle), reach + step * np.cos(angle)
        top, left = min(int(row), 2 * reach - 1), min(int(column), 2 * reach - 1)
        down, right = row - top, column - left
        kernel[top, left] += (1 - down) * (1 - right)
        kernel[top, left + 1] += (1 - down) * right
        kernel[top + 1, left] += down * (1 - right)
        kernel[top + 1, left + 1] += down * right
    return (kernel / kernel.sum()).astype(np.float32)
