"""What counts of images say: a share with its interval, and agreement beyond chance."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Z = 1.959964
"""The standard normal's 97.5 % quantile: as many standard errors to either side hold 95 %."""


@dataclass(frozen=True)
class Interval:
    """A figure and the 95 % interval around it.

    Attributes:
        value: the figure itself, NaN if it cannot be known.
        low: lower end, 2.5 % quantile.
        high: upper end, 97.5 % quantile.
    """

    value: float
    low: float
    high: float


def wilson(hits: int, count: int) -> tuple[float, float, float]:
    """A share and its 95 % interval (E. B. Wilson, J. Am. Stat. Assoc. 22, 1927): value, low, high; NaN of none."""
    if not count:
        return (float("nan"),) * 3
    share, square = hits / count, Z**2
    middle = (share + square / (2 * count)) / (1 + square / count)
    reach = Z / (1 + square / count) * np.sqrt(share * (1 - share) / count + square / (4 * count**2))
    return share, max(0.0, float(middle - reach)), min(1.0, float(middle + reach))


def kappa(matrix: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Cohen's kappa (J. Cohen, Educ. Psychol. Meas. 20, 1960) of matrices (..., C, C); NaN for a single class."""
    counts = np.asarray(matrix, np.float64)
    total = counts.sum((-2, -1))
    by_chance = np.asarray((counts.sum(-1) * counts.sum(-2)).sum(-1))
    agreed = np.trace(counts, axis1=-2, axis2=-1) * total
    # One class alone leaves nothing beyond chance; its products are integers, so they cancel exactly.
    beyond = total * total - by_chance
    return np.divide(agreed - by_chance, beyond, out=np.full(by_chance.shape, np.nan), where=beyond > 0)
