"""Metrics of a classifier from a confusion matrix, with bootstrap intervals. NumPy and SciPy only.

A confusion matrix has the true classes as rows and the predicted ones as columns. Whatever cannot
be known (the recall of a class that does not occur, the precision of one never predicted) is NaN.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import betaincinv
from scipy.stats import binom

from bloodapp.data.counts import Interval
from bloodapp.errors import InvalidValue

DRAWS = 2000
"""Resamples of a bootstrap: the 2.5 % quantile then rests on the 50 lowest draws."""

_TAIL = 0.025
IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Comparison:
    """The same images judged twice: as they are, and changed.

    Attributes:
        clean: accuracy on the images as they are.
        shifted: accuracy on the same images after the change.
        gap: clean minus shifted; its interval keeps the pairs together.
    """

    clean: Interval
    shifted: Interval
    gap: Interval


@dataclass(frozen=True)
class Paired:
    """Two models judged on the same images.

    Attributes:
        before: accuracy of the first.
        after: accuracy of the second.
        change: after minus before; its interval keeps the pairs together.
        mended: images that the first gets wrong and the second right.
        broken: images that the first gets right and the second wrong.
        n: images.
    """

    before: Interval
    after: Interval
    change: Interval
    mended: int
    broken: int
    n: int


def confusion(labels: npt.ArrayLike, predicted: npt.ArrayLike, classes: int) -> IntArray:
    """Count how often each class was taken for which: (C, C), rows true, columns predicted.

    `labels` and `predicted` are (N,) integers in 0..C-1; raises InvalidValue otherwise.
    """
    return _table((labels, predicted), classes)


def accuracy(matrix: npt.ArrayLike) -> FloatArray:
    """Share of right answers of one matrix (C, C) or many (..., C, C); NaN without images."""
    counts = np.asarray(matrix, np.float64)
    return _ratio(np.trace(counts, axis1=-2, axis2=-1), counts.sum((-2, -1)))


def recall(matrix: npt.ArrayLike) -> FloatArray:
    """Share of each true class that was found: (..., C)."""
    counts = np.asarray(matrix, np.float64)
    return _ratio(_hits(counts), counts.sum(-1))


def precision(matrix: npt.ArrayLike) -> FloatArray:
    """Share of the answers 'class k' that are right: (..., C)."""
    counts = np.asarray(matrix, np.float64)
    return _ratio(_hits(counts), counts.sum(-2))


def f1(matrix: npt.ArrayLike) -> FloatArray:
    """Harmonic mean of precision and recall as 2 TP / (2 TP + FP + FN): (..., C)."""
    counts = np.asarray(matrix, np.float64)
    return _ratio(2 * _hits(counts), counts.sum(-1) + counts.sum(-2))


def balanced_accuracy(matrix: npt.ArrayLike) -> FloatArray:
    """Mean recall over the classes that occur: (...)."""
    found = recall(matrix)
    known = ~np.isnan(found)
    return _ratio(np.where(known, found, 0.0).sum(-1), known.sum(-1))


def bootstrap(table: npt.ArrayLike, *, draws: int = DRAWS, seed: int = 0) -> IntArray:
    """Resample a table of counts as if its images had been drawn anew: (draws, *table.shape).

    Drawing N images with replacement is one multinomial draw over the table's cells (Efron and
    Tibshirani 1993, "An Introduction to the Bootstrap", ch. 6), so that no image is touched.
    A table of more than two axes keeps what belongs to one image together.
    """
    counts = np.asarray(table, np.int64)
    filled = np.flatnonzero(counts)
    drawn = np.zeros((draws, counts.size), np.int64)
    total = int(counts.sum())
    if total:
        shares = counts.ravel()[filled] / total
        drawn[:, filled] = np.random.default_rng(seed).multinomial(total, shares, size=draws)
    return drawn.reshape(draws, *counts.shape)


def share(hits: int, total: int) -> Interval:
    """`hits` of `total` images as a share with its 95 % bootstrap interval, exact and so the same wherever it stands.

    Of N images drawn anew with replacement, as many count as a binomial of N and the share says: its 2.5 % and 97.5 %
    quantiles are those that ever more resamples come to (Efron and Tibshirani 1993, ch. 6).
    """
    value = _ratio(hits, total)
    low, high = (binom.ppf(end, total, np.nan_to_num(value)) / max(total, 1) for end in (_TAIL, 1 - _TAIL))
    if not total:
        low = high = np.nan
    low, high = _widened(value, low, high, total)
    return Interval(float(value), float(low), float(high))


def interval(
    metric: Callable[[npt.ArrayLike], FloatArray],
    matrix: npt.ArrayLike,
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> Interval:
    """The figure `metric(matrix)` of accuracy or balanced accuracy with its 95 % bootstrap interval."""
    counts = np.asarray(matrix, np.int64)
    if metric is accuracy:
        return share(int(np.trace(counts)), int(counts.sum()))
    low, high = _quantiles(metric(bootstrap(counts, draws=draws, seed=seed)))
    value = float(metric(counts))
    low, high = _widened(np.float64(value), low, high, counts.sum())
    return Interval(value, float(low), float(high))


def per_class(
    matrix: npt.ArrayLike, keys: Sequence[str], *, draws: int = DRAWS, seed: int = 0
) -> pd.DataFrame:
    """Precision, recall and F1 of each class with 95 % bootstrap intervals, and the support.

    Columns: class, support, and for each figure `f`: f, f_low, f_high. One row a class, in order.
    """
    counts = np.asarray(matrix, np.int64)
    if counts.shape != (len(keys), len(keys)):
        raise InvalidValue(f"A matrix of {counts.shape} cannot be judged with {len(keys)} classes.")
    drawn = bootstrap(counts, draws=draws, seed=seed)
    frame = pd.DataFrame({"class": list(keys), "support": counts.sum(1)})
    bases = {"precision": counts.sum(0), "recall": counts.sum(1), "f1": counts.sum(1)}
    for name, metric in (("precision", precision), ("recall", recall), ("f1", f1)):
        value = metric(counts)
        low, high = _widened(value, *_quantiles(metric(drawn)), bases[name])
        frame[name], frame[f"{name}_low"], frame[f"{name}_high"] = value, low, high
    return frame


def compare(
    labels: npt.ArrayLike,
    clean: npt.ArrayLike,
    shifted: npt.ArrayLike,
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> Comparison:
    """Accuracy on images as they are and changed, and the gap, from the same resamples.

    All three are (N,) class numbers of the same images in the same order; `clean` and `shifted`
    are the predictions. What is resampled is the 2 by 2 table of right and wrong, clean by shifted.
    """
    given = np.asarray(labels)
    joint = _table((np.asarray(clean) != given, np.asarray(shifted) != given), 2)
    total = joint.sum()
    drawn = bootstrap(joint, draws=draws, seed=seed)

    # Net loss: right before and wrong after, less wrong before and right after.
    low, high = _quantiles(_ratio(drawn[:, 0, 1] - drawn[:, 1, 0], total))
    gap = Interval(float(_ratio(joint[0, 1] - joint[1, 0], total)), float(low), float(high))
    return Comparison(
        clean=share(int(joint[0].sum()), int(total)),
        shifted=share(int(joint[:, 0].sum()), int(total)),
        gap=gap,
    )


def paired(
    labels: npt.ArrayLike,
    before: npt.ArrayLike,
    after: npt.ArrayLike,
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> Paired:
    """Accuracy of two models on the same images and the change, from the same resamples.

    All three are (N,) class numbers in the same order. The interval of the change is the bootstrap's,
    widened where few images differ: it leaves out 0 only where McNemar's exact test rejects at 5 %.
    """
    judged = compare(labels, before, after, draws=draws, seed=seed)
    given = np.asarray(labels)
    right_before, right_after = np.asarray(before) == given, np.asarray(after) == given
    mended, broken = int((~right_before & right_after).sum()), int((right_before & ~right_after).sum())
    value, low, high = -judged.gap.value, -judged.gap.high, -judged.gap.low
    ends = _exact_ends(low, high, mended, broken, len(given))
    low, high = (float(end) for end in _unseen_ends(value, *ends, mended, broken, len(given)))
    change = Interval(value, low, high)
    return Paired(judged.clean, judged.shifted, change, mended, broken, len(given))


def paired_per_class(
    labels: npt.ArrayLike,
    before: npt.ArrayLike,
    after: npt.ArrayLike,
    keys: Sequence[str],
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> pd.DataFrame:
    """Recall and F1 of each class for two models on the same images, and the changes with 95 % intervals.

    Columns: class, support, mended, broken (among the images of the class), and for each figure `f` of
    recall and f1: f_before, f_after, f_change, f_low, f_high (of the change). One row a class, in order.
    """
    joint = _table((labels, before, after), len(keys))
    first, second = joint.sum(2), joint.sum(1)
    drawn = bootstrap(joint, draws=draws, seed=seed)
    drawn_first, drawn_second = drawn.sum(3), drawn.sum(2)
    support = joint.sum((1, 2))
    own = np.arange(len(keys))
    both = joint[own, own, own]
    mended, broken = second[own, own] - both, first[own, own] - both
    frame = pd.DataFrame({"class": list(keys), "support": support, "mended": mended, "broken": broken})
    for name, metric in (("recall", recall), ("f1", f1)):
        value = metric(second) - metric(first)
        low, high = _quantiles(metric(drawn_second) - metric(drawn_first))
        if name == "recall":
            low, high = _exact_ends(low, high, mended, broken, support)
        low, high = _unseen_ends(value, low, high, mended, broken, support)
        frame[f"{name}_before"], frame[f"{name}_after"] = metric(first), metric(second)
        frame[f"{name}_change"], frame[f"{name}_low"], frame[f"{name}_high"] = value, low, high
    return frame


def _exact_ends(low: Any, high: Any, mended: Any, broken: Any, base: Any) -> tuple[FloatArray, FloatArray]:
    """Widen the ends of a paired difference of shares where few of `base` images differ.

    With few of them resampling is too sure of itself. The ends reach at least as far as the exact interval
    of Clopper and Pearson (Biometrika 26, 1934) for the share of `mended` among the images that differ,
    which is McNemar's exact test turned round.
    """
    mended, broken = np.asarray(mended, np.float64), np.asarray(broken, np.float64)
    # betaincinv takes no 0 for a parameter; there the end is 0 or 1 by definition.
    least = np.where(mended > 0, betaincinv(np.maximum(mended, 1), broken + 1, _TAIL), 0.0)
    most = np.where(broken > 0, betaincinv(mended + 1, np.maximum(broken, 1), 1 - _TAIL), 1.0)
    differ = _ratio(mended + broken, base)
    return np.minimum(low, (2 * least - 1) * differ), np.maximum(high, (2 * most - 1) * differ)


def _unseen_ends(
    value: Any, low: Any, high: Any, mended: Any, broken: Any, base: Any
) -> tuple[FloatArray, FloatArray]:
    """Widen an end of a paired difference where no image went that way: resampling cannot draw one.

    It then lies as far from the value as the share that may still do so, 1 - 0.025 ** (1 / base).
    """
    unseen = 1 - _TAIL ** (1 / np.maximum(np.asarray(base, np.float64), 1))
    low = np.where(np.asarray(broken) == 0, np.minimum(low, value - unseen), low)
    high = np.where(np.asarray(mended) == 0, np.maximum(high, value + unseen), high)
    return np.maximum(low, -1.0), np.minimum(high, 1.0)


def _table(columns: Sequence[npt.ArrayLike], classes: int) -> IntArray:
    """Count the combinations of (N,) class numbers: (C,) * number of columns."""
    arrays = [np.asarray(column).astype(np.int64, copy=False).ravel() for column in columns]
    if len({len(array) for array in arrays}) > 1:
        raise InvalidValue("Labels and predictions differ in length.")
    for array in arrays:
        if len(array) and (array.min() < 0 or array.max() >= classes):
            raise InvalidValue(f"Labels and predictions must lie in 0..{classes - 1}.")
    shape = (classes,) * len(arrays)
    flat = np.ravel_multi_index(tuple(arrays), shape) if len(arrays[0]) else np.zeros(0, np.int64)
    return np.bincount(flat, minlength=classes ** len(arrays)).reshape(shape)


def _hits(counts: FloatArray) -> FloatArray:
    return np.diagonal(counts, axis1=-2, axis2=-1)


def _ratio(part: Any, whole: Any) -> FloatArray:
    """Divide; NaN where there is no whole."""
    part, whole = np.asarray(part, np.float64), np.asarray(whole, np.float64)
    return np.divide(part, whole, out=np.full(np.broadcast(part, whole).shape, np.nan), where=whole > 0)


def _quantiles(drawn: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The 2.5 % and 97.5 % quantiles over the first axis, leaving out the draws without the class."""
    known = ~np.isnan(drawn).all(0)
    low, high = np.full(drawn.shape[1:], np.nan), np.full(drawn.shape[1:], np.nan)
    if known.any():
        low[known], high[known] = np.nanquantile(drawn[:, known], (_TAIL, 1 - _TAIL), axis=0)
    return low, high


def _widened(value: Any, low: Any, high: Any, base: Any) -> tuple[FloatArray, FloatArray]:
    """Mend the ends where all or no answers are right: resampling cannot draw what never occurred.

    There the exact bound of Clopper and Pearson (Biometrika 26, 1934) for `base` images is taken,
    0.025 ** (1 / base) for all right and its mirror for none.
    """
    value, base = np.asarray(value, np.float64), np.asarray(base, np.float64)
    bound = _TAIL ** (1 / np.maximum(base, 1))
    low = np.where((value == 1) & (base > 0), np.minimum(low, bound), low)
    high = np.where((value == 0) & (base > 0), np.maximum(high, 1 - bound), high)
    return low, high
