"""Which image of a group of copies is kept: the rules, as pure functions."""

from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bloodapp.review.measures import measure

Rule = Literal["advised", "first", "sharpest", "largest", "majority", "none"]

RULES: dict[Rule, str] = {
    "advised": "What is advised",
    "first": "The first",
    "sharpest": "The sharpest",
    "largest": "The largest original",
    "majority": "The majority label",
    "none": "None",
}
"""The rules, as people read them after "of copies keep"."""

_AT_ONCE = 64  # pictures that are measured together


def keeper(
    rule: Rule,
    indices: NDArray[np.int64],
    labels: NDArray[np.int16],
    sharpness: NDArray[np.float64] | None = None,
    faulty: NDArray[np.bool_] | None = None,
    pixels: NDArray[np.int64] | None = None,
) -> int | None:
    """The image of a group that a rule keeps, None to exclude them all.

    `majority` keeps the first that carries the label of more than half of the labelled images, and nothing where no
    label has so many; where none is labelled, the first. `sharpest` and `largest` keep the first of equals. What is
    advised is the majority among those without a fault of their own, and nothing if each has one.

    Args:
        rule: one of `RULES`.
        indices: int64 (M,) the images of the group, ascending, one at least.
        labels: int16 (M,) theirs, -1 = none.
        sharpness: (M,) theirs as from `sharpness`, NaN = nothing to be sharp; needed by `sharpest` alone.
        faulty: (M,) whether something of its own is wrong with it; needed by `advised` alone.
        pixels: (M,) how many its original had; needed by `largest` alone.
    """
    if rule == "none" or not len(indices):
        return None
    if rule == "first":
        return int(indices[0])
    if rule == "sharpest":
        if sharpness is None:
            raise ValueError("the sharpest of a group needs the sharpness of its images")
        return int(indices[np.argmax(np.where(np.isnan(sharpness), -np.inf, sharpness))])
    if rule == "largest":
        if pixels is None:
            raise ValueError("the largest original of a group needs the sizes of its originals")
        return int(indices[np.argmax(pixels)])
    sound = np.ones(len(indices), bool)
    if rule == "advised" and faulty is not None:
        sound = ~faulty
    wanted = majority_label(labels)
    if wanted is None:
        return None
    fit = indices[sound & ((labels == wanted) | (wanted < 0))]
    return int(fit[0]) if len(fit) else None


def majority_label(labels: NDArray[np.int16]) -> int | None:
    """The label of more than half of the labelled images, -1 if none is labelled, None if no label has so many."""
    known = labels[labels >= 0]
    if not len(known):
        return -1
    counts = np.bincount(known)
    most = int(counts.argmax())
    return most if 2 * counts[most] > len(known) else None


def sharpness(
    images: NDArray[np.uint8], indices: NDArray[np.int64], pictures: NDArray[np.object_]
) -> NDArray[np.float64]:
    """How sharp some images are, (M,): the mean of `detail` and `lines` of `measures`, NaN where nothing can be sharp.

    Copies of one picture are measured once, so they tie exactly.

    Args:
        images: uint8 (N, S, S, 3), all of them.
        indices: int64 (M,) those that are asked about.
        pictures: (M,) what tells their pictures from one another, the sha256 for instance.
    """
    which, distinct = pd.factorize(pictures)
    first = np.unique(which, return_index=True)[1] if len(which) else np.zeros(0, np.int64)
    values = np.full(len(distinct), np.nan)
    for start in range(0, len(first), _AT_ONCE):
        measured = measure(images[indices[first[start : start + _AT_ONCE]]])
        values[start : start + _AT_ONCE] = (measured.detail + measured.lines) / 2
    return values[which]
