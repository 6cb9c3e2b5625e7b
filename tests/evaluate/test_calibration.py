"""Reliability, calibration error and scores of probabilities: known answers, and intervals that hold."""

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, log_loss

from bloodapp.evaluate.calibration import (
    brier,
    classwise_error,
    expected_calibration_error,
    near,
    reliability,
    scores,
)
from tests.runs.test_calibration import cells

LABELS = np.array([0, 1, 0, 1])
TABLE = np.array([[0.9, 0.1], [0.95, 0.05], [0.6, 0.4], [0.2, 0.8]])


def test_a_diagram_worked_out_by_hand() -> None:
    """Bins of equal width hold the images of their confidences; a confidence on the edge belongs below."""
    found = reliability(LABELS, TABLE)
    assert found.count.tolist() == [1, 1, 1, 1]
    assert found.low == pytest.approx([0.5, 0.7, 0.8, 0.9])
    assert found.confidence == pytest.approx([0.6, 0.8, 0.9, 0.95])
    assert found.right[:, 0].tolist() == [1, 1, 1, 0]
    assert (found.right[:, 1] <= found.right[:, 0]).all() and (found.right[:, 2] >= found.right[:, 0]).all()


def test_bins_of_equal_size() -> None:
    """As many images in each, in the order of their confidence."""
    labels, table = cells(1003)
    found = reliability(labels, table, 10, equal_mass=True)
    assert set(found.count) == {100, 101}
    assert (np.diff(found.confidence) > 0).all()
    assert (found.low[1:] >= found.high[:-1]).all()
    whole = (found.count * found.right[:, 0]).sum() / found.count.sum()
    assert whole == pytest.approx((table.argmax(1) == labels).mean())


def test_the_error_is_that_of_the_diagram() -> None:
    """ECE is the mean distance of the bins from the diagonal, by their counts."""
    labels, table = cells(500, 2.0)
    found = reliability(labels, table, 15)
    apart = np.abs(found.right[:, 0] - found.confidence) * found.count
    assert expected_calibration_error(labels, table) == pytest.approx(apart.sum() / 500)
    assert scores(labels, table, draws=50).ece.value == pytest.approx(apart.sum() / 500)


@pytest.mark.parametrize("seed", range(5))
def test_scores_are_those_of_scikit_learn(seed: int) -> None:
    """Likelihood and Brier score on random cases, the latter as half of ours for two classes."""
    labels, table = cells(300, 1.5, seed)
    table = table.astype(np.float64) / table.sum(1, keepdims=True, dtype=np.float64)
    found = scores(labels, table, draws=50)
    assert found.nll.value == pytest.approx(log_loss(labels, table, labels=range(8)), abs=1e-12)
    two = table[:, :2] / table[:, :2].sum(1, keepdims=True)
    binary = (labels > 3).astype(int)
    assert brier(binary, two) == pytest.approx(2 * brier_score_loss(binary, two[:, 1]), abs=1e-12)


def test_intervals_hold_the_truth() -> None:
    """Of an over-confident model and of a faultless one, at least 50 of 60 intervals hold the true ECE."""
    for sharpness in (1.0, 2.0):
        truth = expected_calibration_error(*cells(100_000, sharpness, seed=99))
        found = [scores(*cells(800, sharpness, seed), draws=200).ece for seed in range(60)]
        assert sum(one.low <= max(truth, 0) <= one.high for one in found) >= 50


def test_chance_alone_makes_an_error() -> None:
    """A faultless model shows about the ECE that is said to be chance's, and its interval reaches 0."""
    found = [scores(*cells(800, 1.0, seed), draws=200) for seed in range(40)]
    shown = np.mean([one.ece.value for one in found])
    assert shown == pytest.approx(np.mean([one.chance for one in found]), rel=0.1)
    assert sum(one.ece.low == 0 for one in found) >= 36


def test_each_class_has_an_error_of_its_own() -> None:
    """A model whose second class is half as likely as it says: that class stands out."""
    rng = np.random.default_rng(1)
    table = rng.dirichlet([1, 1, 1], 4000)
    true = table.copy()
    true[:, 1] /= 2
    true[:, 0] += table[:, 1] / 2
    labels = (true.cumsum(1) > rng.random((4000, 1))).argmax(1)
    found = classwise_error(labels, table)
    assert found[2] < 0.03 < found[1]


def test_answers_near_a_confidence() -> None:
    """About 90 %: the band widens until it holds enough images, or there is none."""
    table = np.array([[0.9, 0.1]] * 40 + [[0.99, 0.01]] * 60)
    labels = np.array([0] * 30 + [1] * 10 + [0] * 60)
    said, right, number = near(labels, table) or (0, None, 0)
    assert (said, number) == (pytest.approx(0.9), 40)
    assert right is not None and right.value == 0.75
    assert near(labels[:20], table[:20]) is None


def test_nothing_is_not_known() -> None:
    """Without images there are no figures, and no error."""
    empty = np.zeros((0, 3))
    assert np.isnan(scores([], empty).ece.value)
    assert len(reliability([], empty).count) == 0
    assert near([], empty) is None
