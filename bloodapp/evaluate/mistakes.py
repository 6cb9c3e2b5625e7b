"""Which images went right, wrong or were unsure, and the mistakes worth a look. From arrays.

All functions answer with positions 0..N-1 into the arrays they are given, as int64.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

UNSURE_BELOW = 0.6
"""A prediction whose best class has less than this probability counts as unsure."""

Positions = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Sorted:
    """The images of one class by how the run did on them.

    Attributes:
        right: named as labelled, surest first.
        wrong: named otherwise, surest first: these deserve a look.
        unsure: best probability below the threshold, least sure first, right or not.
    """

    right: Positions
    wrong: Positions
    unsure: Positions


def sort_class(
    labels: npt.ArrayLike,
    probabilities: npt.ArrayLike,
    which: int,
    *,
    by: str = "label",
    unsure_below: float = UNSURE_BELOW,
) -> Sorted:
    """Sort the images of class `which` into right, wrong and unsure.

    `labels` is (N,), `probabilities` (N, C). With `by="label"` the images that carry the label,
    with `by="predicted"` those that the run takes for it.
    """
    given, table = np.asarray(labels), np.asarray(probabilities)
    predicted, sure = table.argmax(1), table.max(1)
    chosen = (given if by == "label" else predicted) == which
    unsure, right = sure < unsure_below, predicted == given
    surest = np.argsort(-sure, kind="stable")
    return Sorted(
        right=surest[(chosen & ~unsure & right)[surest]],
        wrong=surest[(chosen & ~unsure & ~right)[surest]],
        unsure=surest[::-1][(chosen & unsure)[surest[::-1]]],
    )


def confident_mistakes(
    labels: npt.ArrayLike, probabilities: npt.ArrayLike, limit: int | None = None
) -> pd.DataFrame:
    """The wrong answers, most confident first.

    Columns: position, label, predicted, confidence (of the predicted class), label_probability
    (what the run left for the given label).
    """
    given, table = np.asarray(labels, np.int64), np.asarray(probabilities)
    predicted = table.argmax(1)
    wrong = np.flatnonzero(predicted != given)
    confidence = table[wrong, predicted[wrong]]
    wrong = wrong[np.argsort(-confidence, kind="stable")][:limit]
    return pd.DataFrame(
        {
            "position": wrong,
            "label": given[wrong],
            "predicted": predicted[wrong],
            "confidence": table[wrong, predicted[wrong]],
            "label_probability": table[wrong, given[wrong]],
        }
    )


def cell(labels: npt.ArrayLike, probabilities: npt.ArrayLike, label: int, predicted: int) -> Positions:
    """The images behind one cell of the confusion matrix, surest first."""
    given, table = np.asarray(labels), np.asarray(probabilities)
    inside = np.flatnonzero((given == label) & (table.argmax(1) == predicted))
    return inside[np.argsort(-table[inside, predicted], kind="stable")]


def worst_cells(matrix: npt.ArrayLike, limit: int = 3) -> list[tuple[int, int, int]]:
    """The largest confusions off the diagonal as (true, predicted, count), largest first."""
    counts = np.array(matrix)
    np.fill_diagonal(counts, 0)
    order = np.argsort(-counts, axis=None, kind="stable")[:limit]
    pairs = [divmod(int(flat), counts.shape[1]) for flat in order]
    return [(true, taken, int(counts[true, taken])) for true, taken in pairs if counts[true, taken]]
