"""Handing the least sure images to a person: known answers."""

import numpy as np
import pytest

from bloodapp.evaluate.rejection import bar_for, keep, rejection
from tests.runs.test_calibration import cells


def said(*confidence: float) -> np.ndarray:
    """Two classes, the first named with these confidences."""
    first = np.array(confidence)
    return np.stack([first, 1 - first], 1)


def test_a_curve_worked_out_by_hand() -> None:
    """The surest first; accuracy, shares handed over and the area under the risk."""
    curve = rejection([0, 1, 0, 0], said(0.9, 0.6, 0.8, 0.7))
    assert curve.confidence.tolist() == [0.9, 0.8, 0.7, 0.6]
    assert curve.accuracy == pytest.approx([1, 1, 1, 0.75])
    assert curve.handed_over == pytest.approx([0.75, 0.5, 0.25, 0])
    assert curve.area == pytest.approx(0.25 / 4)


def test_equally_sure_images_are_not_ordered() -> None:
    """They share their mistakes, whichever stands first, and no bar parts them."""
    one = rejection([0, 1, 0], said(0.8, 0.8, 0.9))
    other = rejection([1, 0, 0], said(0.8, 0.8, 0.9))
    assert one.errors.tolist() == other.errors.tolist() == [0, 0.5, 1]
    assert one.ends.tolist() == [True, False, True]


def test_what_it_takes_to_be_right() -> None:
    """The lowest bar that reaches the goal, and what it keeps; a goal out of reach keeps nothing."""
    curve = rejection([0, 1, 0, 0, 1], said(0.95, 0.9, 0.8, 0.7, 0.6))
    assert bar_for(curve, 0.75) == 0.7
    kept = keep(curve, bar_for(curve, 0.75))
    assert (kept.kept, kept.handed_over, kept.accuracy.value) == (4, pytest.approx(0.2), 0.75)
    assert bar_for(curve, 1.0) == 0.95
    nothing = rejection([1, 1], said(0.9, 0.8))
    assert keep(nothing, bar_for(nothing, 0.9)).handed_over == 1
    assert np.isnan(keep(nothing, 2.0).accuracy.value)


def test_a_share_is_reached_exactly() -> None:
    """99 of 100 are 99 %."""
    curve = rejection([1] + [0] * 99, said(0.6, *np.linspace(0.7, 0.9, 99)))
    assert keep(curve, bar_for(curve, 0.99)).handed_over == 0


def test_confidence_sorts_better_than_chance() -> None:
    """For probabilities without fault the risk falls as more is handed over, and the area is below the risk of all."""
    labels, table = cells(3000)
    curve = rejection(labels, table)
    assert curve.area < 0.6 * (1 - curve.accuracy[-1])
    assert curve.accuracy[1000] > curve.accuracy[2000] > curve.accuracy[-1]


def test_no_images_no_curve() -> None:
    """Nothing to sort is no error."""
    curve = rejection([], np.zeros((0, 2)))
    assert curve.n == 0
    assert np.isnan(curve.area)
    assert bar_for(curve, 0.9) == 2.0
