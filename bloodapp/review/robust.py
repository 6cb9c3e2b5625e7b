"""What is usual, said so that faults do not change it, and how far beyond it something is, as a score."""

import numpy as np
from numpy.typing import NDArray


def middle_and_spread(values: NDArray[np.floating], floor: float) -> tuple[float, float]:
    """Median and robust standard deviation (1.4826 x the median absolute deviation), which is at least `floor`."""
    middle = float(np.median(values))
    return middle, max(1.4826 * float(np.median(np.abs(values - middle))), floor)


def scored(beyond: NDArray[np.floating]) -> NDArray[np.floating]:
    """The score of what is so far beyond its limit, 1 at the limit: 0.5 there, towards 1 beyond, falling to 0 below."""
    return np.where(beyond >= 1, 1 - 0.5 / np.maximum(beyond, 1), 0.5 * beyond)
