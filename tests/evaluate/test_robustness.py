"""Balanced errors of many conditions, their mean and its interval, and the benchmark's two quotients."""

import math

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from bloodapp.augment.corruptions import CORRUPTIONS
from bloodapp.evaluate import robustness
from bloodapp.evaluate.robustness import ALEXNET, Baseline


def cells(seed: int = 0, n: int = 300, conditions: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """Labels (N,) of five classes, one of them rare, and answers (K, N) that are right more or less often."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(5, n, p=[0.4, 0.3, 0.15, 0.1, 0.05])
    share = rng.uniform(0.4, 0.95, (conditions, 1))
    answers = np.where(rng.random((conditions, n)) < share, labels, rng.integers(0, 5, (conditions, n)))
    return labels, answers


@pytest.mark.parametrize("seed", range(5))
def test_balanced_errors_are_scikit_learns(seed: int) -> None:
    """One minus scikit-learn's balanced accuracy, for each condition."""
    labels, answers = cells(seed)
    got = robustness.balanced(robustness.class_errors(labels, answers, 5))
    wanted = [1 - balanced_accuracy_score(labels, one) for one in answers]
    assert np.abs(got - wanted).max() < 1e-12


def test_a_class_without_images_does_not_count() -> None:
    """Its error is unknown, and the balanced error is the mean of the others."""
    errors = robustness.class_errors([0, 0, 1], [[0, 1, 1]], 3)
    assert errors[0, :2].tolist() == [0.5, 0.0] and math.isnan(errors[0, 2])
    assert robustness.balanced(errors).tolist() == [0.25]
    assert math.isnan(float(robustness.balanced([math.nan, math.nan])))


def test_the_mean_over_conditions_is_the_mean_of_their_balanced_errors() -> None:
    """What one figure an image gives is what all conditions give one by one."""
    labels, answers = cells()
    mean = robustness.mean_error(labels, (answers != labels).mean(0), 5)
    one_by_one = robustness.balanced(robustness.class_errors(labels, answers, 5)).mean()
    assert mean.value == pytest.approx(one_by_one, abs=1e-12)
    assert mean.low < mean.value < mean.high
    assert mean == robustness.mean_error(labels, (answers != labels).mean(0), 5)


def test_the_interval_covers() -> None:
    """Of 60 draws from a population with a known error, nearly all intervals hold it."""
    rng = np.random.default_rng(4)
    true, held = np.array([0.05, 0.2, 0.4]), 0
    for seed in range(60):
        labels = rng.integers(0, 3, 400)
        hard = rng.random(400)  # an image that fails under one condition is likelier to fail under the next
        wrong = np.mean([hard * rng.uniform(0.9, 1.1, 400) < true[labels] for _ in range(4)], axis=0)
        found = robustness.mean_error(labels, wrong, 3, seed=seed)
        held += found.low <= true.mean() <= found.high
    assert held >= 53


def test_the_quotients_are_as_defined() -> None:
    """BE_c divides the errors, rBE_c what is lost against clean images; the means are over the corruptions."""
    baseline = Baseline("other", "Other", 0.1, {"bubble": 0.2, "saturate": 0.5, "noise": 0.4})
    got = robustness.normalised(0.05, {"bubble": 0.1, "saturate": 0.25, "pixelate": 0.9}, baseline)
    assert got.balanced == pytest.approx({"bubble": 0.5, "saturate": 0.5})
    assert got.relative == pytest.approx({"bubble": 0.5, "saturate": 0.5})
    assert (got.mean_balanced, got.mean_relative) == (pytest.approx(0.5), pytest.approx(0.5))


def test_a_baseline_without_errors_divides_nothing() -> None:
    """No figure is made up where the baseline makes no error, or loses nothing to a corruption."""
    baseline = Baseline("other", "Other", 0.1, {"bubble": 0.1, "saturate": 0.0})
    got = robustness.normalised(0.05, {"bubble": 0.1, "saturate": 0.25}, baseline)
    assert got.balanced["bubble"] == 1 and math.isnan(got.balanced["saturate"])
    assert math.isnan(got.relative["bubble"]) and math.isnan(got.mean_relative)


def test_against_itself_every_quotient_is_one() -> None:
    """The published AlexNet divided by itself."""
    got = robustness.normalised(ALEXNET.clean, ALEXNET.errors, ALEXNET)
    assert list(got.balanced) == list(CORRUPTIONS)
    assert set(got.balanced.values()) == set(got.relative.values()) == {1.0}


def test_no_images_no_figure() -> None:
    """A part without images has no error."""
    assert math.isnan(robustness.mean_error([], [], 3).value)
