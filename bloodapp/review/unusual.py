"""Pictures unlike all others, seen without any network: far from the middle of the principal components.

So the memes of the course were found by one of its teams ("the points far from the origin of the PCA").
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bloodapp.review.findings import finding_table
from bloodapp.review.robust import middle_and_spread, scored
from bloodapp.review.thresholds import FLOOR

COMPONENTS = 24
_LIMIT = 6.5
_MOST = 20_000  # pictures that the components are computed from


def outlier(small: NDArray[np.uint8], distinct: NDArray[np.bool_]) -> pd.DataFrame:
    """Images far from the others in the plane of the principal components, or far off that plane.

    Both distances as M. Hubert, P. J. Rousseeuw, K. Vanden Branden, "ROBPCA" (Technometrics 47, 2005) draw them
    in their outlier map, here from ordinary components of the distinct pictures. `small` are thumbnails
    (N, T, T, 3); `distinct` (N,) marks one image of every picture, so that a meme pasted 1,600 times does not
    become the usual.
    """
    firsts = np.flatnonzero(distinct)
    if len(firsts) < 3 * COMPONENTS:
        return finding_table("outlier", [], [], [])
    learned = _flat(small, firsts[:: max(len(firsts) // _MOST, 1)])
    middle = np.median(learned, axis=0)
    learned -= middle
    variances, axes = np.linalg.eigh(learned.T @ learned / len(learned))
    axes, variances = axes[:, ::-1][:, :COMPONENTS], variances[::-1][:COMPONENTS]
    within, off = _distances(small, middle, axes, variances)
    beyond = np.maximum(_far(within, distinct), _far(off, distinct)) / _LIMIT
    score = scored(beyond)
    index = np.flatnonzero(score >= FLOOR)
    return finding_table(
        "outlier", index, score[index], "Its colours and shapes are unlike those of all other images"
    )


def _flat(small: NDArray[np.uint8], chosen: NDArray[np.int64] | slice) -> NDArray[np.float32]:
    """Thumbnails at half their resolution as rows of numbers."""
    side = small.shape[1] // 2 * 2
    some = small[chosen, :side, :side].astype(np.float32)
    halved = some[:, ::2, ::2] + some[:, 1::2, ::2] + some[:, ::2, 1::2] + some[:, 1::2, 1::2]
    halved *= np.float32(0.25)
    flat: NDArray[np.float32] = halved.reshape(len(some), -1)
    return flat


def _distances(
    small: NDArray[np.uint8],
    middle: NDArray[np.float32],
    axes: NDArray[np.float32],
    variances: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Within the plane in standard deviations of its axes, and off the plane in grey levels, (N,) each."""
    within, off = np.empty(len(small), np.float32), np.empty(len(small), np.float32)
    for start in range(0, len(small), 4096):
        part = slice(start, start + 4096)
        rows = _flat(small, part) - middle
        places = rows @ axes
        within[part] = np.sqrt((places**2 / np.maximum(variances, 1e-6)).sum(axis=1))
        off[part] = np.sqrt(np.maximum((rows**2).sum(axis=1) - (places**2).sum(axis=1), 0))
    return within, off


def _far(distance: NDArray[np.float32], distinct: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The logarithm of a distance in robust standard deviations of that of the distinct pictures."""
    log = np.log(np.maximum(distance, 1e-6))
    middle, spread = middle_and_spread(log[distinct], 0.05)
    return (log - np.float32(middle)) / np.float32(spread)
