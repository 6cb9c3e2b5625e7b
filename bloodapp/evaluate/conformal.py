"""Sets of classes that hold the true one as often as promised: split conformal prediction. From arrays.

A bar is fitted on images with known classes that the network has not learned from (`val`), so that a further image of
the same kind has its true class in its set with the promised probability, whatever the network: V. Vovk, A. Gammerman,
G. Shafer, "Algorithmic Learning in a Random World", 2005. The promise is about images like those: under a shift it
falls, and that is measured here too.

lac    classes with a probability above a bar: the smallest sets on average. M. Sadinle, J. Lei, L. Wasserman,
       J. Am. Stat. Assoc. 114, 2019. Where the network is right more often than promised, some stay empty.
aps    classes from the likeliest on until they hold enough together: larger where the network is unsure.
       Y. Romano, M. Sesia, E. Candès, NeurIPS 2020; with its random last class, without which coverage is too high.
raps   the same with a fine for long sets. A. Angelopoulos, S. Bates, J. Malik, M. Jordan, ICLR 2021.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import betaln, gammaln

from bloodapp.data.counts import wilson
from bloodapp.errors import InvalidValue
from bloodapp.evaluate.metrics import Interval
from bloodapp.runs.calibration import quantile, rank, remainder

METHODS = ("lac", "aps", "raps")

PROMISES = tuple(round(0.80 + 0.01 * step, 2) for step in range(20))
"""The promises that sets are judged for, 80 to 99 %."""

FREE, FINE = 1, 0.1
"""Of `raps`: so many classes come without a fine, each further one costs so much probability."""

Floats = npt.NDArray[np.float64]
Sets = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Judged:
    """What sets of N images over C classes are worth.

    Attributes:
        n: images.
        coverage: share of sets that hold the true class, with its 95 % interval (Wilson).
        size: mean number of classes in a set.
        single: share of sets of exactly one class.
        empty: share of sets without any.
        sizes: int64 (C + 1,), how many sets have 0, 1, … C classes.
        class_coverage: float64 (C, 3), coverage of the images of each class with its interval; NaN without images.
        class_size: float64 (C,), mean size of the sets of each class's images; NaN without images.
        class_count: int64 (C,).
    """

    n: int
    coverage: Interval
    size: float
    single: float
    empty: float
    sizes: npt.NDArray[np.int64]
    class_coverage: Floats
    class_size: Floats
    class_count: npt.NDArray[np.int64]


def doubts(probabilities: npt.ArrayLike, method: str = "lac", *, seed: int = 0) -> Floats:
    """How little each class belongs into the set of each image: (N, C) → float64 (N, C); what is below a bar does.

    `aps` and `raps` draw a number for each image by the seed. Raises InvalidValue for an unknown method.
    """
    table = np.asarray(probabilities, np.float64)
    if method == "lac":
        return remainder(table)
    if method not in METHODS:
        raise InvalidValue(f"There is no method '{method}' for sets. Available: {', '.join(METHODS)}.")
    order = np.argsort(-table, axis=1, kind="stable")
    ranked = np.take_along_axis(table, order, axis=1)
    drawn = np.random.default_rng(seed).random((len(table), 1))
    held = np.cumsum(ranked, axis=1) - drawn * ranked
    if method == "raps":
        held += FINE * np.maximum(np.arange(1, table.shape[1] + 1) - FREE, 0)
    found = np.empty_like(held)
    np.put_along_axis(found, order, held, axis=1)
    return found


def bar(labels: npt.ArrayLike, scores: npt.ArrayLike, promise: float) -> float:
    """The bar for a promise, from images with labels (N,) and their doubts (N, C); infinity where N is too small."""
    return quantile(_own(labels, scores), promise)


def bars_by_class(labels: npt.ArrayLike, scores: npt.ArrayLike, promise: float) -> Floats:
    """A bar for each class (C,), from its own images: the promise then holds for each (Vovk et al., "Mondrian")."""
    given, own = np.asarray(labels), _own(labels, scores)
    classes = range(np.asarray(scores).shape[1])
    return np.array([quantile(own[given == which], promise) for which in classes])


def sets(scores: npt.ArrayLike, limit: float | Floats) -> Sets:
    """The classes of each image whose doubt is not above the bar, or above that of the class: bool (N, C)."""
    chosen: Sets = np.asarray(scores, np.float64) <= limit
    return chosen


def judge(labels: npt.ArrayLike, chosen: npt.ArrayLike) -> Judged:
    """What sets (N, C) are worth for images with these labels (N,)."""
    given, table = np.asarray(labels, np.int64), np.asarray(chosen, bool)
    number, classes = table.shape
    held = table[np.arange(number), given]
    size = table.sum(1)
    sizes = np.bincount(size, minlength=classes + 1)
    count = np.bincount(given, minlength=classes)
    covered = np.bincount(given, held, minlength=classes)
    by_class = [wilson(int(hits), int(total)) for hits, total in zip(covered, count, strict=True)]
    total_size = np.bincount(given, size, minlength=classes)
    mean_size = np.divide(total_size, count, out=np.full(classes, np.nan), where=count > 0)
    return Judged(
        number,
        Interval(*wilson(int(held.sum()), number)),
        float(size.mean()) if number else float("nan"),
        float(sizes[1] / number) if number else float("nan"),
        float(sizes[0] / number) if number else float("nan"),
        sizes,
        np.array(by_class, np.float64),
        mean_size,
        count,
    )


def expected(fitted: int, judged: int, promise: float) -> tuple[float, float]:
    """The range of coverage to be expected in 95 of 100 cases: of `judged` images by a bar fitted on `fitted` others.

    What a bar covers of all further images is itself drawn with the images that it was fitted on: Beta distributed (V.
    Vovk, "Conditional validity of inductive conformal predictors", ACML 2012), so that the number covered among those
    judged is Beta-Binomial (A. Angelopoulos, S. Bates, "Conformal Prediction: A Gentle Introduction", 2023, section
    3.2). Both are 1 where the bar is infinite, NaN without images to judge.
    """
    if not judged:
        return float("nan"), float("nan")
    place = rank(fitted, promise)
    if place > fitted:
        return 1.0, 1.0
    hits = np.arange(judged + 1)
    ways = gammaln(judged + 1) - gammaln(hits + 1) - gammaln(judged - hits + 1)
    beyond = fitted + 1 - place
    held = np.cumsum(np.exp(ways + betaln(hits + place, judged - hits + beyond) - betaln(place, beyond)))
    low, high = (int(np.searchsorted(held, end)) for end in (0.025, 0.975))
    return low / judged, min(high, judged) / judged


def coverages(
    fitted_labels: npt.ArrayLike,
    fitted_scores: npt.ArrayLike,
    labels: npt.ArrayLike,
    scores: npt.ArrayLike,
    promises: Sequence[float] = PROMISES,
) -> Floats:
    """Coverage with its 95 % interval and mean size for each promise: float64 (P, 4).

    The bars are fitted on the first images, (M,) and (M, C), and judged on the others, (N,) and (N, C).
    """
    fitted, table = _own(fitted_labels, fitted_scores), np.asarray(scores, np.float64)
    # Sorted once: how many lie below a bar is then a search.
    own, every = np.sort(_own(labels, table)), np.sort(table, axis=None)
    rows = []
    for promise in promises:
        limit = quantile(fitted, promise)
        hits = int(np.searchsorted(own, limit, side="right"))
        size = np.searchsorted(every, limit, side="right") / max(len(own), 1)
        rows.append((*wilson(hits, len(own)), float(size)))
    return np.array(rows, np.float64).reshape(-1, 4)


def resplit(
    labels: npt.ArrayLike,
    probabilities: npt.ArrayLike,
    promise: float,
    *,
    method: str = "lac",
    times: int = 200,
    seed: int = 0,
) -> Floats:
    """Coverages (T,) of as many random halvings of the images: one half fits the bar, the other is judged.

    Their mean is to be the promise: the check that A. Angelopoulos and S. Bates, "A Gentle Introduction to Conformal
    Prediction", 2021, section 4.3, propose.
    """
    rng = np.random.default_rng(seed)
    own = _own(labels, doubts(probabilities, method, seed=seed))
    found = np.empty(times)
    for turn in range(times):
        shuffled = rng.permutation(own)
        half = len(own) // 2
        found[turn] = (shuffled[half:] <= quantile(shuffled[:half], promise)).mean()
    return found


def _own(labels: npt.ArrayLike, scores: npt.ArrayLike) -> Floats:
    """The doubt of each image's true class, (N,)."""
    given, table = np.asarray(labels, np.int64), np.asarray(scores, np.float64)
    own: Floats = table[np.arange(len(given)), given]
    return own
