"""The training cells that look most like an image to a network: the nearest in the space of its features."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

K = 8
_BLOCK = 512

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Nearest:
    """The k nearest of N for each of Q, the nearest first.

    Attributes:
        rows: int64 (Q, k), positions among the N.
        distance: float32 (Q, k), cosine distance: 0 the same direction, 1 none in common.
    """

    rows: Ints
    distance: Floats


def nearest(queries: npt.ArrayLike, among: npt.ArrayLike, k: int = K, itself: Ints | None = None) -> Nearest:
    """The nearest rows of `among` (N, D) for each of `queries` (Q, D), by cosine; exact, block by block.

    `itself`, int64 (Q,), is where a query lies among the N, so that it is not its own neighbour; -1 where it does not.
    Of fewer than k, all.
    """
    asked, known = unit(queries), unit(among)
    k = min(k, max(len(known) - (itself is not None), 0))
    rows, distance = np.zeros((len(asked), k), np.int64), np.zeros((len(asked), k), np.float32)
    for start in range(0, len(asked) if k else 0, _BLOCK):
        here = slice(start, start + _BLOCK)
        likeness = asked[here] @ known.T
        if itself is not None:
            own = np.flatnonzero(itself[here] >= 0)
            likeness[own, itself[here][own]] = -2
        best = np.argpartition(-likeness, k - 1, axis=1)[:, :k]
        order = np.argsort(-np.take_along_axis(likeness, best, axis=1), axis=1, kind="stable")
        rows[here] = np.take_along_axis(best, order, axis=1)
        distance[here] = 1 - np.take_along_axis(likeness, rows[here], axis=1)
    return Nearest(rows, np.maximum(distance, 0))


def unit(values: npt.ArrayLike) -> Floats:
    """Rows (N, D) of length 1, float32; a row of zeros stays one."""
    table = np.asarray(values, np.float32)
    return table / np.maximum(np.linalg.norm(table, axis=1, keepdims=True), 1e-12)


@dataclass(frozen=True, eq=False)
class Purity:
    """How the classes lie in the space of the features.

    Attributes:
        count: int64 (C,), images asked about.
        own: float64 (C,), mean share of neighbours with the image's own label; NaN of a class without images.
        other: int64 (C,), the class that most of the other neighbours have; -1 where there are none.
        other_share: float64 (C,), mean share of neighbours of that class.
    """

    count: Ints
    own: npt.NDArray[np.float64]
    other: Ints
    other_share: npt.NDArray[np.float64]


def purity(labels: npt.ArrayLike, around: npt.ArrayLike, classes: int) -> Purity:
    """How pure the neighbourhoods of each class are: `labels` (Q,) and those of their neighbours `around` (Q, k)."""
    own, found = np.asarray(labels, np.int64), np.asarray(around, np.int64)
    table = np.zeros((classes, classes))
    np.add.at(table, (np.repeat(own, found.shape[1]), found.ravel()), 1)
    count = np.bincount(own, minlength=classes)
    share = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    mine = np.where(count > 0, np.diag(share), np.nan)
    np.fill_diagonal(share, 0)
    strongest = share.max(axis=1)
    other = np.where(strongest > 0, share.argmax(axis=1), -1)
    return Purity(count.astype(np.int64), mine, other, strongest)


def in_words(around: npt.ArrayLike, titles: list[str], answer: int, label: int | None) -> str:
    """What the labels of an image's neighbours (k,) say of the answer and of the label, in one sentence."""
    found = np.asarray(around, np.int64)
    if not len(found):
        return "There is no training cell to compare it with."
    number = np.bincount(found, minlength=len(titles))
    most, k = int(number.argmax()), len(found)
    share = f"{number[most]} of the {k} nearest training cells are labelled {titles[most]}"
    if 2 * number[most] <= k:
        return f"The nearest training cells do not agree: no class has more than {number[most]} of {k}."
    if label is None or label == answer:
        return (
            f"{share}, which is the answer."
            if most == answer
            else f"{share}, not {titles[answer]} as answered."
        )
    if most == answer:
        return f"{share}: they speak for the answer and against the label {titles[label]}."
    if most == label:
        return f"{share}: they speak for the label and against the answer {titles[answer]}."
    return f"{share}: neither the answer nor the label."
