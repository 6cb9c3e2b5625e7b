"""The metrics agree with scikit-learn, and their intervals behave."""

import numpy as np
import pytest
from sklearn import metrics as sk

from bloodapp.errors import InvalidValue
from bloodapp.evaluate import metrics

KEYS = [f"c{i}" for i in range(8)]


def answers(n=800, classes=8, right=0.8, seed=0):
    """Labels and predictions of a classifier that is right with a known probability."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, n)
    predicted = np.where(rng.random(n) < right, labels, rng.integers(0, classes, n))
    return labels, predicted


@pytest.mark.parametrize("seed", range(3))
def test_confusion_agrees_with_scikit_learn(seed):
    """Rows are true classes and columns predicted ones, as in scikit-learn."""
    labels, predicted = answers(seed=seed)
    matrix = metrics.confusion(labels, predicted, 8)
    assert np.array_equal(matrix, sk.confusion_matrix(labels, predicted, labels=range(8)))


@pytest.mark.parametrize("seed", range(3))
def test_figures_agree_with_scikit_learn(seed):
    """Accuracy, balanced accuracy, precision, recall, F1 and support are scikit-learn's."""
    labels, predicted = answers(seed=seed)
    matrix = metrics.confusion(labels, predicted, 8)
    assert metrics.accuracy(matrix) == pytest.approx(sk.accuracy_score(labels, predicted))
    assert metrics.balanced_accuracy(matrix) == pytest.approx(sk.balanced_accuracy_score(labels, predicted))
    expected = sk.precision_recall_fscore_support(labels, predicted, labels=range(8), zero_division=np.nan)
    frame = metrics.per_class(matrix, KEYS)
    for name, column in zip(("precision", "recall", "f1", "support"), expected, strict=True):
        np.testing.assert_allclose(frame[name], column)


def test_classes_without_support_are_unknown_not_zero():
    """A class that neither occurs nor is predicted has NaN figures and spoils no mean."""
    labels, predicted = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1])
    matrix = metrics.confusion(labels, predicted, 4)
    frame = metrics.per_class(matrix, KEYS[:4])
    expected = sk.precision_recall_fscore_support(labels, predicted, labels=range(4), zero_division=np.nan)
    np.testing.assert_allclose(frame["recall"], expected[1])
    np.testing.assert_allclose(frame["precision"], expected[0])
    assert frame.loc[2:, ["precision", "recall", "f1", "recall_low", "recall_high"]].isna().all(axis=None)
    assert metrics.balanced_accuracy(matrix) == pytest.approx(0.75)


def test_a_class_that_is_predicted_but_never_occurs():
    """Its precision is 0, its recall unknown."""
    frame = metrics.per_class(metrics.confusion([0, 0], [0, 1], 2), KEYS[:2])
    assert frame.loc[1, "precision"] == 0
    assert np.isnan(frame.loc[1, "recall"])


def test_nothing_to_judge_is_unknown():
    """No images give NaN everywhere and no warning."""
    matrix = metrics.confusion([], [], 3)
    assert np.isnan(metrics.accuracy(matrix))
    assert np.isnan(metrics.balanced_accuracy(matrix))
    assert np.isnan(metrics.interval(metrics.accuracy, matrix).low)
    assert metrics.per_class(matrix, KEYS[:3])["f1"].isna().all()


def test_the_bootstrap_is_seeded():
    """The same seed gives the same interval, another seed another."""
    matrix = metrics.confusion(*answers(), 8)
    first = metrics.interval(metrics.balanced_accuracy, matrix, seed=1)
    assert first == metrics.interval(metrics.balanced_accuracy, matrix, seed=1)
    assert first != metrics.interval(metrics.balanced_accuracy, matrix, seed=2)


def test_resamples_keep_the_number_of_images():
    """Every resample holds as many images as the table, in its filled cells only."""
    matrix = metrics.confusion(*answers(n=97), 8)
    drawn = metrics.bootstrap(matrix, draws=50)
    assert drawn.shape == (50, 8, 8)
    assert (drawn.sum((1, 2)) == 97).all()
    assert (drawn[:, matrix == 0] == 0).all()


def test_intervals_agree_with_theory():
    """The interval of an accuracy is close to the normal approximation on many images."""
    labels, predicted = answers(n=4000, right=0.7)
    got = metrics.interval(metrics.accuracy, metrics.confusion(labels, predicted, 8))
    half = 1.96 * np.sqrt(got.value * (1 - got.value) / 4000)
    assert got.low == pytest.approx(got.value - half, abs=0.003)
    assert got.high == pytest.approx(got.value + half, abs=0.003)


def test_intervals_cover_the_truth():
    """In 100 repeated tests of 300 images the 95 % interval holds the true accuracy about 95 times."""
    truth = 0.8 + 0.2 / 8
    hits = 0
    for seed in range(100):
        got = metrics.interval(
            metrics.accuracy, metrics.confusion(*answers(n=300, seed=seed), 8), draws=500, seed=seed
        )
        hits += got.low <= truth <= got.high
    assert hits >= 88


def test_all_right_is_not_certain():
    """Without a single mistake the lower end is the exact binomial bound, not 100 %."""
    labels = np.zeros(20, int)
    got = metrics.interval(metrics.accuracy, metrics.confusion(labels, labels, 2))
    assert got.value == 1
    assert got.low == pytest.approx(0.025 ** (1 / 20))
    assert got.high == 1
    frame = metrics.per_class(metrics.confusion(labels, labels, 2), KEYS[:2])
    assert frame.loc[0, "recall_low"] == pytest.approx(0.025 ** (1 / 20))


def test_all_wrong_is_not_certain_either():
    """Without a single hit the upper end is the exact bound."""
    got = metrics.interval(metrics.accuracy, metrics.confusion(np.zeros(20, int), np.ones(20, int), 2))
    assert (got.value, got.low) == (0, 0)
    assert got.high == pytest.approx(1 - 0.025 ** (1 / 20))


def test_the_gap_keeps_pairs_together():
    """The gap's interval is narrower than the two accuracies taken apart would say."""
    labels, clean = answers(n=600, right=0.9)
    rng = np.random.default_rng(5)
    shifted = np.where(rng.random(600) < 0.1, (labels + 1) % 8, clean)
    got = metrics.compare(labels, clean, shifted)
    assert got.gap.value == pytest.approx(got.clean.value - got.shifted.value)
    assert got.gap.low > 0
    apart = (got.clean.high - got.shifted.low) - (got.clean.low - got.shifted.high)
    assert got.gap.high - got.gap.low < apart


def test_no_change_leaves_no_gap():
    """Equal predictions have a gap of exactly nothing."""
    labels, clean = answers()
    got = metrics.compare(labels, clean, clean)
    assert (got.gap.value, got.gap.low, got.gap.high) == (0, 0, 0)
    assert got.clean == got.shifted


def test_lengths_and_labels_are_checked():
    """Labels outside the classes and unequal lengths are refused in a sentence."""
    with pytest.raises(InvalidValue, match=r"0\.\.7"):
        metrics.confusion([8], [0], 8)
    with pytest.raises(InvalidValue, match="length"):
        metrics.confusion([0, 1], [0], 8)
    with pytest.raises(InvalidValue, match="classes"):
        metrics.per_class(np.zeros((2, 2), int), KEYS)
