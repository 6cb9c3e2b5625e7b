"""Doubtful labels: confident learning on what the features say of every picture.

C. G. Northcutt, L. Jiang, I. L. Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels", JAIR 70
(2021), in the implementation of cleanlab, given out-of-fold probabilities of a linear classifier on the features.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bloodapp.review.findings import finding_table
from bloodapp.review.measures import Floats
from bloodapp.review.thresholds import FLOOR

Ints = NDArray[np.int64]

FOLDS = 5
_SHRINKAGE = 0.3
_STRENGTH = 90.0  # of the regression, over the number of images: the same restraint in small sets and large
_FEWEST = 2 * FOLDS  # images of a class; with fewer nothing is said about it


def mislabelled(
    features: Floats,
    labels: NDArray[np.int16],
    group: Ints,
    judged: NDArray[np.bool_],
    titles: Sequence[str],
    *,
    seed: int = 0,
) -> pd.DataFrame:
    """Images that look like another class than the one they are labelled, with the label that they look like.

    The score is the margin: by how much the probability of the likeliest other class exceeds that of the given
    one. What confident learning itself calls a wrong label scores at least 0.5.

    Args:
        features: (N, D), as of the layer before a classifier's last.
        labels: (N,), -1 = none.
        group: (N,) the position of the first of each image's group; copies are never on both sides of a fold.
        judged: (N,) which images show a cell that has a class at all; blends and foreign pictures have none.
        titles: of the classes, in the order of the labels.
        seed: of the folds.
    """
    chosen = np.flatnonzero(judged & (labels >= 0))
    numbers = np.bincount(labels[chosen], minlength=len(titles))
    kept = np.flatnonzero(numbers >= _FEWEST)
    chosen = chosen[np.isin(labels[chosen], kept)]
    if len(kept) < 2:
        return finding_table("mislabelled", [], [], [])
    given = np.searchsorted(kept, labels[chosen])
    fold = np.random.default_rng(seed).integers(0, FOLDS, len(group))[group[chosen]]
    probabilities = _out_of_fold(features[chosen], given, fold, len(kept))
    score = _doubt(given, probabilities)
    everyone = np.arange(len(chosen))
    others = probabilities.copy()
    others[everyone, given] = -1
    looks = others.argmax(axis=1)
    found = np.flatnonzero(score >= FLOOR)
    share = probabilities[everyone, looks][found]
    return finding_table(
        "mislabelled",
        chosen[found],
        score[found],
        [
            f"Labelled {titles[kept[own]]}, but looks like {_article(titles[kept[other]])} ({part:.0%})"
            for own, other, part in zip(given[found], looks[found], share, strict=True)
        ],
        suggested=kept[looks[found]],
    )


def _out_of_fold(features: Floats, given: Ints, fold: Ints, classes: int) -> NDArray[np.float64]:
    """Probabilities (N, C), each from a classifier that has not seen the image or a copy of it.

    Discriminant directions, on which a logistic regression is quick and, unlike the discriminants' own
    probabilities, not too sure of itself.
    """
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    probabilities = np.full((len(given), classes), 1 / classes)
    for number in range(FOLDS):
        mine, others = fold == number, fold != number
        if not mine.any() or len(np.unique(given[others])) < classes:
            continue
        model = make_pipeline(
            LinearDiscriminantAnalysis(solver="eigen", shrinkage=_SHRINKAGE),
            StandardScaler(),
            LogisticRegression(C=_STRENGTH / len(given), max_iter=300),
        )
        model.fit(features[others], given[others])
        probabilities[mine] = model.predict_proba(features[mine])
    return probabilities


def _doubt(given: Ints, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """How doubtful each label is (N,), from -1 for certain to 1."""
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    quality = get_label_quality_scores(given, probabilities, method="normalized_margin")
    wrong = find_label_issues(given, probabilities, filter_by="confident_learning", n_jobs=1)
    score: NDArray[np.float64] = 1 - 2 * quality
    return np.where(wrong & (score > 0), np.maximum(score, 0.5), score)


def _article(title: str) -> str:
    return f"{'an' if title[:1].lower() in 'aeiou' else 'a'} {title}"
