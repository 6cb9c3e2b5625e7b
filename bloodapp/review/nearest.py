"""The images that look most like one: by what a deep scan's network saw, else by colours and shapes.

Both are brought down to a few dozen principal directions first, so that one look among 137,590 images takes
milliseconds and 35 MB.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bloodapp.data.dataset import Dataset
from bloodapp.review.features import FILE
from bloodapp.review.features import kept_for as features_for
from bloodapp.review.plane import mean_colours

_DIRECTIONS = 64
_SIDE = 8
_SAMPLE = 4096
_BLOCK = 1024
_SEED = 0

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Space:
    """Where images lie to one another.

    Attributes:
        rows: float32 (N, D), of length 1 each.
        by: the run whose network saw them, or an empty string for colours and shapes alone.
    """

    rows: Floats
    by: str

    def around(
        self, index: int, count: int, among: NDArray[np.bool_] | None = None
    ) -> tuple[NDArray[np.int64], Floats]:
        """The `count` images nearest to one, the nearest first, and how like it they are: cosine, 1 the same.

        With `among`, bool (N,), only of those images; there may be fewer.
        """
        likeness = self.rows @ self.rows[index]
        if among is not None:
            likeness[~among] = -2
        likeness[index] = -2
        count = min(count, int((likeness > -2).sum()))
        best = np.argpartition(-likeness, max(count - 1, 0))[:count]
        best = best[np.argsort(-likeness[best], kind="stable")]
        return best.astype(np.int64), likeness[best]


def space(dataset: Dataset) -> Space:
    """The space of a dataset's images; without features kept it looks at every image, about a second for 13,759."""
    kept = features_for(dataset)
    if kept is not None:
        return Space(_unit(_reduced(kept[0])), kept[1])
    return Space(_unit(_reduced(mean_colours(dataset, _SIDE))), "")


def stamp(dataset: Dataset) -> int:
    """Changes when the features do."""
    try:
        return (dataset.path / FILE).stat().st_mtime_ns
    except OSError:
        return 0


def _reduced(values: NDArray[np.generic]) -> Floats:
    """The first principal directions of rows (N, D), float32; the directions are those of a seeded sample."""
    rng = np.random.default_rng(_SEED)
    chosen = np.sort(rng.permutation(len(values))[:_SAMPLE])
    sample = np.asarray(values[chosen], np.float32)
    mean = sample.mean(axis=0)
    scale = np.maximum(sample.std(axis=0), 1e-6)
    _, vectors = np.linalg.eigh(np.cov((sample - mean) / scale, rowvar=False).astype(np.float64))
    directions = vectors[:, ::-1][:, :_DIRECTIONS].astype(np.float32)
    found = np.empty((len(values), directions.shape[1]), np.float32)
    for start in range(0, len(values), _BLOCK):
        block = np.asarray(values[start : start + _BLOCK], np.float32)
        found[start : start + len(block)] = ((block - mean) / scale) @ directions
    return found


def _unit(rows: Floats) -> Floats:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
