"""What is gained by handing the least sure images to a person: accuracy of the rest, from arrays.

The curve of risk over coverage and the area under it: Y. Geifman and R. El-Yaniv, "Selective Classification for Deep
Neural Networks", NeurIPS 2017.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bloodapp.data.counts import wilson
from bloodapp.evaluate.metrics import Interval

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Rejection:
    """N images, the surest first.

    Attributes:
        confidence: float64 (N,), falling.
        errors: float64 (N,), mistakes among the first 1, 2, … N; images equally sure share theirs.
        ends: bool (N,), whether the next image is less sure, so that a bar on the confidence can lie there.
    """

    confidence: Floats
    errors: Floats
    ends: npt.NDArray[np.bool_]

    @property
    def n(self) -> int:
        """How many images there are."""
        return len(self.confidence)

    @property
    def accuracy(self) -> Floats:
        """Share right among the surest 1, 2, … N, float64 (N,)."""
        return 1 - self.errors / np.arange(1, self.n + 1)

    @property
    def handed_over(self) -> Floats:
        """Share of the images handed to a person when the surest 1, 2, … N are kept, float64 (N,)."""
        return 1 - np.arange(1, self.n + 1) / max(self.n, 1)

    @property
    def area(self) -> float:
        """The mean share of mistakes over all N shares kept (AURC), 0 to 1; lower is better."""
        return float((1 - self.accuracy).mean()) if self.n else float("nan")


@dataclass(frozen=True)
class Kept:
    """What comes of a bar on the confidence.

    Attributes:
        bar: the least confidence that is kept; above 1 nothing is.
        kept: images kept.
        handed_over: share of the images handed to a person.
        accuracy: share right of those kept, with its 95 % interval (Wilson); NaN where none is.
    """

    bar: float
    kept: int
    handed_over: float
    accuracy: Interval


def rejection(labels: npt.ArrayLike, probabilities: npt.ArrayLike) -> Rejection:
    """Order N images by the probability (N, C) of the class that each is named."""
    table, given = np.asarray(probabilities, np.float64), np.asarray(labels)
    if not len(given):
        return Rejection(np.zeros(0), np.zeros(0), np.zeros(0, bool))
    sure, wrong = table.max(1), (table.argmax(1) != given).astype(np.float64)
    order = np.argsort(-sure, kind="stable")
    sure, wrong = sure[order], wrong[order]
    ends = np.append(sure[1:] < sure[:-1], True)
    # Which of equally sure images comes first is no matter: each counts as their mean.
    group = np.append(0, np.cumsum(ends[:-1]))
    mean = np.bincount(group, wrong) / np.bincount(group)
    return Rejection(sure, np.cumsum(mean[group]), ends)


def bar_for(curve: Rejection, accuracy: float) -> float:
    """The lowest bar on the confidence that leaves at least this share right among those kept; 2 where none does."""
    # A hair of slack, or 99 right of 100 would not be 99 %.
    reached = np.flatnonzero(curve.ends & (curve.accuracy >= accuracy - 1e-9))
    return float(curve.confidence[reached[-1]]) if len(reached) else 2.0


def keep(curve: Rejection, bar: float) -> Kept:
    """What comes of keeping the images that are at least this sure."""
    kept = int((curve.confidence >= bar).sum())
    wrong = round(float(curve.errors[kept - 1])) if kept else 0
    share = 1 - kept / curve.n if curve.n else float("nan")
    return Kept(bar, kept, share, Interval(*wilson(kept - wrong, kept)))
