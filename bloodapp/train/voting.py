"""How several networks answer together: averaged probabilities, or the majority.

Of arrays alone; `ensemble` makes one network of them.

The majority is of the networks' first answers; where classes have as many votes each, the mean of the probabilities
decides. So that the answer is a share of each class too, the votes and the mean count as one network more:
(votes + mean) / (networks + 1), whose largest is always the majority's.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

AVERAGE, MAJORITY = "average", "majority"

Probabilities = npt.NDArray[np.float32]


def together(answers: Sequence[Probabilities], vote: str) -> Probabilities:
    """The common answer float32 (N, C) of several networks, each (N, C); `vote` is `average` or `majority`."""
    mean: npt.NDArray[np.float64] = np.stack(answers).mean(axis=0, dtype=np.float64)
    if vote == MAJORITY and len(answers) > 1:
        votes = np.stack([_first(one) for one in answers]).sum(axis=0)
        mean = (votes + mean) / (len(answers) + 1)
    return mean.astype(np.float32)


def _first(answers: Probabilities) -> npt.NDArray[np.float64]:
    """One vote a row for its largest probability, shared where several are exactly as large."""
    largest = (answers == answers.max(1, keepdims=True)).astype(np.float64)
    return largest / largest.sum(1, keepdims=True)
