"""Which images went right, wrong or were unsure, and the mistakes worth a look. From arrays.

All functions answer with positions 0..N-1 into the arrays they are given, as int64.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

UNSURE_BELOW = 0.6
"""A prediction whose best class has less than this probability counts as unsure."""

_ROUNDING = 1e-6
"""A threshold is the mean of many float32: whoever misses it by so little has reached it."""

Positions = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Sorted:
    """The images of one class by how the run did on them, each by the probability of this class.

    Attributes:
        right: named as labelled, the most probable first.
        wrong: named otherwise, first those that deserve a look: what carries the label and is least probable, or what
            was taken for it and is most probable.
        unsure: best probability below the threshold, right or not, the most probable first.
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
    chosen = np.flatnonzero((given if by == "label" else predicted) == which)
    likely = chosen[np.argsort(-table[chosen, which], kind="stable")]
    unsure, right = sure[likely] < unsure_below, (predicted == given)[likely]
    wrong = likely[~unsure & ~right]
    return Sorted(
        right=likely[~unsure & right],
        wrong=wrong[::-1] if by == "label" else wrong,
        unsure=likely[unsure],
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


def doubtful_labels(labels: npt.ArrayLike, probabilities: npt.ArrayLike) -> pd.DataFrame:
    """The labels that look wrong, most doubtful first, by confident learning.

    C. G. Northcutt, L. Jiang, I. L. Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels", JAIR 70
    (2021): the threshold of a class is the mean probability that the images labelled so have for it; an image counts
    as one of another class when it reaches that class's threshold, of several the likeliest. Those that the run
    itself takes for their label are left out. Ranked by the normalised margin, the probability of the given label less
    that of the likeliest other class. The probabilities must be of images that the run has not learned from.

    Columns as those of `confident_mistakes`, where `predicted` is the class that the image looks like, and margin
    (-1 to 1, lower is more doubtful).
    """
    given, table = np.asarray(labels, np.int64), np.asarray(probabilities)
    everyone = np.arange(len(given))
    own = table[everyone, given]
    sums, counts = (np.bincount(given, weight, table.shape[1]) for weight in (own, None))
    # No image can reach the threshold of a class that does not occur.
    thresholds = np.divide(sums, counts, out=np.full(table.shape[1], np.inf), where=counts > 0)
    reached = table >= thresholds - _ROUNDING
    looks = np.where(reached, table, -1).argmax(1)
    best = table.argmax(1) if len(table) else given
    found = np.flatnonzero(reached.any(1) & (looks != given) & (best != given))
    others = table[found].copy()
    others[np.arange(len(found)), given[found]] = -1
    margin = own[found] - others.max(1, initial=-1)
    order = np.argsort(margin, kind="stable")
    found, margin = found[order], margin[order]
    return pd.DataFrame(
        {
            "position": found,
            "label": given[found],
            "predicted": looks[found],
            "confidence": table[found, looks[found]],
            "label_probability": own[found],
            "margin": margin,
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
