"""Which images to label first: those that the run is unsure of, far from all it has learned, and unlike each other.

A core-set by farthest first (O. Sener, S. Savarese, "Active learning for convolutional neural networks: a core-set
approach", ICLR 2018) that begins from the training images, with each distance weighted by how unsure the run is, as
BADGE joins the two (J. T. Ash et al., "Deep batch active learning by diverse, uncertain gradient lower bounds",
ICLR 2020).
"""

import numpy as np
import numpy.typing as npt

Table = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_LEAST = 0.02  # a sure answer is not looked at last whatever it is far from: the run may be sure and wrong


def uncertainty(probabilities: npt.ArrayLike) -> Table:
    """Entropy of each answer (N, C) as a share of the most there can be, float64 (N,) in 0 to 1."""
    shares = np.clip(np.asarray(probabilities, np.float64), 1e-12, 1)
    shares /= shares.sum(1, keepdims=True)
    return -(shares * np.log(shares)).sum(1) / np.log(max(shares.shape[1], 2))


def label_first(unsure: Table, points: Table, learned: Table) -> Ints:
    """All images in the order in which to label them, int64 (N,).

    Each next one has the largest product of `unsure` (N,) and the distance of its `points` (N, K) to the nearest image
    that is labelled: one of `learned` (M, K), which may be none, or one before it. Copies of one before it come last.
    """
    weights = np.maximum(unsure, _LEAST)
    apart = _nearest(points, learned)
    left = np.ones(len(points), bool)
    order = []
    for _ in range(len(points)):
        # Where nothing is labelled yet, all are as far, and the least sure comes first.
        worth = np.where(left, weights * np.where(np.isinf(apart), 1.0, apart), -1.0)
        chosen = int(worth.argmax())
        order.append(chosen)
        left[chosen] = False
        apart = np.minimum(apart, np.sqrt(((points - points[chosen]) ** 2).sum(1)))
    return np.array(order, np.int64)


def _nearest(points: Table, learned: Table) -> Table:
    found = np.full(len(points), np.inf)
    for start in range(0, len(learned), 256):
        block = learned[start : start + 256]
        apart = (points**2).sum(1)[:, None] + (block**2).sum(1) - 2 * points @ block.T
        found = np.minimum(found, np.maximum(apart, 0).min(1))
    return np.sqrt(found)
