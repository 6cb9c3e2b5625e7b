"""What an answer loses when a part of the image is hidden: a check on Grad-CAM that needs no gradient.

Occlusion sensitivity (M. D. Zeiler and R. Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014): a
patch is moved over the image, and where the probability of a class falls, there the network had looked. Here first with
a large patch, that can hide a nucleus whole, then with a smaller one, which tells places apart.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from bloodapp.errors import InvalidValue, Stopped

LEVELS = ((1 / 3, 1 / 6), (1 / 6, 1 / 12))
"""Sides of the patch and its steps, coarse to fine, in sides of the image."""

FILLS = ("border", "blur")
BLOCK = 128

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


class Predicts(Protocol):
    """What answers: a `Predictor`, or anything like it."""

    size: int

    def predict(self, images: Pixels) -> Floats:
        """Probabilities float32 (N, C) of images uint8 (N, S, S, 3)."""


@dataclass(frozen=True, eq=False)
class Occlusion:
    """The answers with patches hidden.

    Attributes:
        size: side of the image, in pixels.
        clean: float32 (C,), the probabilities with nothing hidden.
        levels: of each size of patch its places, int64 (K, 4): top, left, bottom, right; and what was answered with
            it hidden, float32 (K, C).
    """

    size: int
    clean: Floats
    levels: tuple[tuple[npt.NDArray[np.int64], Floats], ...]

    def falls(self, which: int) -> Floats:
        """How far the probability of a class falls when a place is hidden, float32 (S, S); negative where it rises.

        At each level the mean over the patches that hide the place, then the mean of the levels.
        """
        every = []
        for places, answers in self.levels:
            total, times = np.zeros((self.size, self.size)), np.zeros((self.size, self.size))
            for (top, left, bottom, right), answer in zip(places, answers, strict=True):
                total[top:bottom, left:right] += self.clean[which] - answer[which]
                times[top:bottom, left:right] += 1
            every.append(total / np.maximum(times, 1))
        return np.mean(every, axis=0).astype(np.float32)

    def map(self, which: int) -> Floats:
        """The falls of a class as a map of 0 to 1, float32 (S, S); all 0 where hiding takes nothing from it."""
        falls: Floats = np.maximum(self.falls(which), 0)
        return falls / np.float32(falls.max() or 1)

    def most(self, which: int) -> float:
        """The largest fall by a single patch, as a probability; 0 where none takes anything from the class."""
        return max(0.0, *(float((self.clean[which] - answers[:, which]).max()) for _, answers in self.levels))


def occlusion(
    image: Pixels,
    predictor: Predicts,
    *,
    fill: str = "border",
    levels: Sequence[tuple[float, float]] = LEVELS,
    progress: Callable[[int, int], None] | None = None,
    stopped: Callable[[], bool] | None = None,
) -> Occlusion:
    """Hide one part of an image after the other and ask what it shows.

    Args:
        image: uint8 (S, S, 3), of the predictor's size.
        predictor: who answers.
        fill: what takes the patch's place: `border`, the median colour of the image's border, or `blur`, the image
            so blurred that only its colours are left.
        levels: sides of the patch and its steps, in sides of the image.
        progress: told patches done and in all.
        stopped: asked after each block; raises Stopped when it says so.
    """
    size = predictor.size
    if image.shape != (size, size, 3) or image.dtype != np.uint8:
        raise InvalidValue(
            f"An image of ({size}, {size}, 3) uint8 is needed, not {image.dtype} {image.shape}."
        )
    ground = _ground(image, fill)
    grids = [_places(size, *level) for level in levels]
    every = np.concatenate([np.zeros((1, 4), np.int64), *grids])  # the first hides nothing
    answers = []
    for start in range(0, len(every), BLOCK):
        block = every[start : start + BLOCK]
        hidden = np.repeat(image[None], len(block), axis=0)
        for one, (top, left, bottom, right) in zip(hidden, block, strict=True):
            one[top:bottom, left:right] = ground[top:bottom, left:right]
        answers.append(predictor.predict(hidden))
        if progress:
            progress(min(start + BLOCK, len(every)), len(every))
        if stopped and stopped():
            raise Stopped("Stopped before every part had been hidden.")
    table = np.concatenate(answers)
    bounds = np.cumsum([1, *(len(grid) for grid in grids)])
    parts = [
        (grid, table[begin:end]) for grid, begin, end in zip(grids, bounds[:-1], bounds[1:], strict=True)
    ]
    return Occlusion(size, table[0], tuple(parts))


def agreement(one: npt.ArrayLike, other: npt.ArrayLike) -> float:
    """Spearman's rank correlation of two maps (S, S); NaN where one of them is flat."""
    from scipy.stats import rankdata

    ranks = [rankdata(np.asarray(each, np.float64).ravel()) for each in (one, other)]
    if any(np.ptp(each) == 0 for each in ranks):
        return float("nan")
    return float(np.corrcoef(*ranks)[0, 1])


def in_words(correlation: float) -> str:
    """What an agreement says of the two maps, in one sentence."""
    if correlation != correlation:
        return "One of the two maps is empty: they cannot be compared."
    said = f"Spearman's rank correlation of the two maps is {correlation:.2f}"
    if correlation >= 0.5:
        return f"Both ways point to the same places ({said})."
    if correlation >= 0.2:
        return f"The two ways agree in part ({said}): trust what both light up."
    return f"The two ways disagree ({said}): take neither map for the reason."


def _ground(image: Pixels, fill: str) -> Pixels:
    if fill == "border":
        edges = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
        return np.broadcast_to(np.rint(np.median(edges, axis=0)).astype(np.uint8), image.shape)
    if fill == "blur":
        from scipy.ndimage import gaussian_filter

        return gaussian_filter(image, (len(image) / 6, len(image) / 6, 0), mode="nearest")
    raise InvalidValue(f"A hidden part is filled with {' or '.join(FILLS)}, not '{fill}'.")


def _places(size: int, side: float, step: float) -> npt.NDArray[np.int64]:
    """Where a patch lies, int64 (K, 4); the outermost half outside, so that corners are hidden as often."""
    width, stride = max(1, round(side * size)), max(1, round(step * size))
    begins = np.arange(-(width - stride), size, stride)
    tops, lefts = (axis.ravel() for axis in np.meshgrid(begins, begins, indexing="ij"))
    places = np.stack([tops, lefts, tops + width, lefts + width], axis=1)
    return np.clip(places, 0, size).astype(np.int64)
