"""The figures that stand for a run, each with a 95 % bootstrap interval: from accuracy to AUC and kappa.

The values are scikit-learn's. What comes from the confusion matrix is resampled as a table, 2,000 times. The
AUC needs the images: they are drawn anew 200 times, which is enough for a standard error (B. Efron and
R. Tibshirani 1993, "An Introduction to the Bootstrap", ch. 6: rarely more than 200) and the interval is 1.96 of
these around the AUC's logit, so that it never leaves 0..1.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from bloodapp.data.counts import kappa
from bloodapp.evaluate import metrics
from bloodapp.evaluate.metrics import DRAWS, FloatArray, Interval

AUC_DRAWS = 200
"""Resamples of the images behind an AUC's interval."""

TITLES = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "precision": "Precision",
    "recall": "Recall",
    "f1": "F1",
    "auc": "AUC",
    "kappa": "Cohen's κ",
}
"""What the figures are called, in their order."""

MEANS = {
    "accuracy": "The share of images that are named as labelled.",
    "balanced_accuracy": "The mean recall of the classes: each counts the same, however rare it is.",
    "precision": "Of the images taken for a class, the share that is labelled so; the mean of the classes.",
    "recall": "Of the images labelled as a class, the share that is found; the mean of the classes.",
    "f1": "The harmonic mean of precision and recall; the mean of the classes.",
    "auc": "How often an image of a class gets a higher probability for it than one of another class; the mean of the "
    "classes, each against the rest.",
    "kappa": "Agreement with the labels beyond what chance would bring; 1 is complete, 0 is chance.",
}
"""Each figure in one sentence."""

_Z = 1.959964
_TAIL = 0.025


@dataclass(frozen=True, eq=False)
class Scores:
    """The figures of N answers over C classes.

    Attributes:
        overall: as `scores` gives it.
        auc: (C, 3), the AUC of each class against the rest: value, low, high; NaN where it cannot be known.
    """

    overall: dict[str, Interval]
    auc: FloatArray


def scores(
    labels: npt.ArrayLike, probabilities: npt.ArrayLike, *, draws: int = DRAWS, seed: int = 0
) -> dict[str, Interval]:
    """Accuracy, balanced accuracy, precision, recall, F1, AUC and kappa with 95 % bootstrap intervals.

    `labels` is (N,) in 0..C-1, `probabilities` (N, C). Precision, recall and F1 are means over the classes that
    occur or are named, with 0 for what cannot be formed, as in scikit-learn; the AUC is the mean over the classes
    that occur, each against the rest. The AUC is resampled at most 200 times. Raises InvalidValue.
    """
    return score(labels, probabilities, draws=draws, seed=seed).overall


def score(
    labels: npt.ArrayLike, probabilities: npt.ArrayLike, *, draws: int = DRAWS, seed: int = 0
) -> Scores:
    """The same, and the AUC of each class."""
    table = np.asarray(probabilities)
    matrix = metrics.confusion(labels, table.argmax(1) if len(table) else [], table.shape[1])
    overall = _of_the_matrix(matrix, draws, seed)
    aucs, macro = _aucs(np.asarray(labels, np.int64).ravel(), table, min(draws, AUC_DRAWS), seed)
    overall["auc"] = macro
    return Scores({name: overall[name] for name in TITLES}, aucs)


def macro_precision(matrix: npt.ArrayLike) -> FloatArray:
    """Mean precision over the classes that occur or are named, 0 for one never named: (...)."""
    return _macro(matrix, metrics.precision(matrix))


def macro_recall(matrix: npt.ArrayLike) -> FloatArray:
    """Mean recall over the classes that occur or are named, 0 for one that does not occur: (...)."""
    return _macro(matrix, metrics.recall(matrix))


def macro_f1(matrix: npt.ArrayLike) -> FloatArray:
    """Mean F1 over the classes that occur or are named: (...)."""
    return _macro(matrix, metrics.f1(matrix))


def auc(labels: npt.ArrayLike, probabilities: npt.ArrayLike) -> FloatArray:
    """The area under the ROC curve of each class against the rest, ties counted half: (C,), NaN where it cannot be."""
    given, table = np.asarray(labels), np.asarray(probabilities)
    one = np.ones((len(given), 1))
    return np.array([_weighted_auc(table[:, k], given == k, one)[0] for k in range(table.shape[1])])


_OF_THE_MATRIX = {
    "balanced_accuracy": metrics.balanced_accuracy,
    "precision": macro_precision,
    "recall": macro_recall,
    "f1": macro_f1,
    "kappa": kappa,
}


def _of_the_matrix(matrix: metrics.IntArray, draws: int, seed: int) -> dict[str, Interval]:
    drawn = metrics.bootstrap(matrix, draws=draws, seed=seed)
    total = matrix.sum()
    found = {"accuracy": metrics.share(int(np.trace(matrix)), int(total))}
    for name, metric in _OF_THE_MATRIX.items():
        value = np.float64(metric(matrix))
        ends = metrics._quantiles(metric(drawn))
        low, high = metrics._widened(value, *ends, total)
        if name == "kappa" and value == 1:
            # The bound is one of the accuracy; what chance brings is as it was.
            by_chance = float((matrix.sum(0) * matrix.sum(1)).sum() / max(total, 1) ** 2)
            low = np.minimum(ends[0], (low - by_chance) / (1 - by_chance))
        elif name == "kappa" and value == 0:
            low, high = ends
        found[name] = Interval(float(value), float(low), float(high))
    return found


def _macro(matrix: npt.ArrayLike, figures: FloatArray) -> FloatArray:
    counts = np.asarray(matrix)
    there = (counts.sum(-1) + counts.sum(-2)) > 0
    return metrics._ratio(np.where(there, np.nan_to_num(figures), 0.0).sum(-1), there.sum(-1))


def _aucs(
    labels: metrics.IntArray, table: npt.NDArray[np.floating], draws: int, seed: int
) -> tuple[FloatArray, Interval]:
    """The AUC of each class with its interval (C, 3), and of their mean, from the same resamples of the images."""
    n, classes = table.shape
    found = np.full((classes, 3), np.nan)
    drawn = np.full((classes, draws), np.nan)
    support = np.bincount(labels, minlength=classes)
    known = np.flatnonzero((support > 0) & (support < n))
    if not len(known):
        return found, Interval(np.nan, np.nan, np.nan)
    times = _times_drawn(n, draws, seed)
    for k in known:
        found[k, 0], *drawn[k] = _weighted_auc(table[:, k], labels == k, times)
        found[k, 1:] = _around(found[k, 0], drawn[k], min(support[k], n - support[k]))
    value = float(found[known, 0].mean())
    # A draw may miss a class; its mean is then over the others.
    there = ~np.isnan(drawn)
    means = metrics._ratio(np.where(there, drawn, 0).sum(0), there.sum(0))
    return found, Interval(value, *_around(value, means, int(support[known].min())))


@lru_cache(maxsize=1)
def _times_drawn(n: int, draws: int, seed: int) -> npt.NDArray[np.float32]:
    """How often each of n images is drawn in each resample, (n, 1 + draws): a column of ones, then the resamples.

    Remembered: clean and shifted answers are of the same images, and are resampled alike.
    """
    rng = np.random.default_rng(seed)
    rows = np.ones((draws + 1, n), np.uint16)
    for row in rows[1:]:  # one at a time they stay in the processor's cache
        row[:] = np.bincount(rng.integers(0, n, n), minlength=n)
    times = np.ascontiguousarray(rows.T, np.float32)
    times.flags.writeable = False
    return times


def _weighted_auc(
    score: npt.NDArray[np.floating], positive: npt.NDArray[np.bool_], weights: npt.NDArray[np.floating]
) -> FloatArray:
    """The AUC of scores (N,) under each column of the weights (N, B): (B,), NaN where one side weighs nothing.

    It is the weighted share of pairs in order (H. B. Mann and D. R. Whitney, Ann. Math. Stat. 18, 1947). Sorted by
    score, a run of negatives and the run of positives after it make one block, in which the images' order no
    longer matters; a good classifier leaves few of them.
    """
    order = np.argsort(score, kind="stable")
    value, is_positive = score[order], positive[order]
    if not len(order):
        return np.full(weights.shape[1], np.nan)
    tie = np.cumsum(np.r_[False, value[1:] != value[:-1]])
    ups, downs = (np.bincount(tie, side) > 0 for side in (is_positive, ~is_positive))
    both = ups & downs
    # A block begins at a tie of both kinds, after one, and where negatives follow positives.
    begins = both | np.r_[False, both[:-1]] | (downs & np.r_[False, ups[:-1]])
    block = np.cumsum(begins)[tie]
    number = int(block[-1]) + 1
    share = np.ones(number)
    share[block] = np.where(both[tie], 0.5, 1.0)
    up, down = (_sums(weights, order[side], block[side], number) for side in (is_positive, ~is_positive))
    below = np.cumsum(down, axis=0)
    below += (share[:, None] - 1) * down
    return metrics._ratio(np.einsum("ij,ij->j", up, below), up.sum(0) * down.sum(0))


def _sums(
    weights: npt.NDArray[np.floating],
    images: npt.NDArray[np.int64],
    block: npt.NDArray[np.int64],
    number: int,
) -> FloatArray:
    """The weights (N, B) of some images summed over their blocks, ascending: (number, B)."""
    from scipy.sparse import csr_array  # five times as fast as add.reduceat, and gathers nothing

    ends = np.cumsum(np.bincount(block, minlength=number))
    ones = np.ones(len(images), weights.dtype)
    picks = csr_array((ones, images, np.r_[0, ends]), shape=(number, len(weights)))
    return np.asarray(picks @ weights, np.float64)


def _around(value: float, drawn: FloatArray, images: int) -> tuple[float, float]:
    """The interval of an AUC: 1.96 bootstrap standard errors around its logit, or the exact bound of a perfect one.

    Resampling cannot draw what never occurred: where no pair is out of order the lower end is 0.025 ** (1 / images)
    of the rarer side, as for an accuracy (see `metrics`).
    """
    known = drawn[~np.isnan(drawn)]
    error = float(known.std(ddof=1)) if len(known) > 1 else np.nan
    bound = _TAIL ** (1 / max(images, 1))
    if value in (0.0, 1.0):
        return (bound, 1.0) if value else (0.0, 1 - bound)
    reach = _Z * error / (value * (1 - value))
    return float(expit(logit(value) - reach)), float(expit(logit(value) + reach))
