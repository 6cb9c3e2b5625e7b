"""Distances of two sets: against SciPy, against closed forms, and against two halves of one set."""

import numpy as np
import pytest
from scipy.stats import norm

from bloodapp.evaluate.target_distance import axes, frechet, gap, halves, nearest, told_apart, wasserstein
from bloodapp.evaluate.target_measures import MEASURES

rng = np.random.default_rng(0)
BRIGHTNESS = MEASURES["brightness"]


def test_a_moved_distribution_is_as_far_as_it_was_moved() -> None:
    """Moving every value by three moves the distribution by three; itself is nowhere."""
    values = rng.normal(0, 2, 500)
    assert wasserstein(values, values) == 0
    assert wasserstein(values, values + 3) == pytest.approx(3)
    assert wasserstein(values, rng.permutation(values)) == pytest.approx(0, abs=1e-12)


def test_a_gap_is_in_units_of_the_middle_half() -> None:
    """Normal values moved by two deviations are 2 / 1.349 interquartile ranges away, and far."""
    train, target = rng.normal(100, 20, 4000), rng.normal(140, 20, 4000)
    found = gap(BRIGHTNESS, train, target)
    unit = 2 * norm.ppf(0.75)
    assert found.effect == pytest.approx(2 / unit, abs=0.08)
    assert found.wasserstein == pytest.approx(2 / unit, abs=0.08)
    assert (found.level, found.above, found.below) == ("far", True, False)


def test_chance_is_no_gap() -> None:
    """Of twenty drops of the same kind, of 1 to 300 images, hardly one is said to have moved."""
    train = rng.normal(100, 20, 1000)
    moved = [
        gap(BRIGHTNESS, train, rng.normal(100, 20, size), seed=number).moved
        for number, size in enumerate((1, 5, 30, 300) * 5)
    ]
    assert sum(moved) <= 1


def test_a_wider_distribution_has_moved_both_ways() -> None:
    """The medians agree, the spread does not: it is a gap, below and above."""
    found = gap(BRIGHTNESS, rng.normal(100, 10, 1000), rng.normal(100, 40, 1000))
    assert abs(found.effect) < 0.3
    assert found.moved and found.below and found.above


def test_what_nobody_knows_is_no_gap() -> None:
    """NaN are left out; a side of nothing but NaN has no gap."""
    train = np.append(rng.normal(100, 10, 50), np.nan)
    assert gap(BRIGHTNESS, train, np.full(3, np.nan)) is None
    assert gap(BRIGHTNESS, train, np.array([100.0, np.nan])) is not None


def test_equal_sets_cannot_be_told_apart() -> None:
    """The same rows on both sides: area one half, interval around it."""
    rows = rng.normal(size=(300, 8))
    told = told_apart(rows, rows.copy())
    assert told.auc == pytest.approx(0.5, abs=0.02)
    assert told.low < 0.5 < told.high
    assert told.a_distance < 0.1


def test_two_samples_of_one_kind_are_hardly_told_apart() -> None:
    """Two draws of the same normal distribution: one half lies in the interval."""
    told = told_apart(rng.normal(size=(400, 8)), rng.normal(size=(400, 8)))
    assert told.low - 0.02 < 0.5 < told.high + 0.02


def test_a_moved_set_is_told_apart_as_well_as_theory_says() -> None:
    """Normal sets whose means are d apart: the area is Φ(d / √2)."""
    told = told_apart(rng.normal(size=(800, 4)), rng.normal(size=(800, 4)) + np.array([1.5, 0, 0, 0]))
    assert told.auc == pytest.approx(norm.cdf(1.5 / np.sqrt(2)), abs=0.03)


def test_few_images_teach_no_classifier() -> None:
    """Below twenty on a side nothing is said."""
    assert told_apart(rng.normal(size=(300, 3)), rng.normal(size=(19, 3))) is None


def test_frechet_is_its_closed_form() -> None:
    """For one axis it is (m - n)² + (s - t)², and nothing for a set and itself."""
    one, other = rng.normal(0, 1, (500, 1)), rng.normal(3, 2, (400, 1))
    wanted = (one.mean() - other.mean()) ** 2 + (one.std(ddof=1) - other.std(ddof=1)) ** 2
    assert frechet(one, other) == pytest.approx(wanted)
    several = rng.normal(size=(200, 5)) @ rng.normal(size=(5, 5))
    assert frechet(several, several) == pytest.approx(0, abs=1e-6)


def test_nearest_agrees_with_a_plain_loop() -> None:
    """Mean distance to the ten nearest, with and without itself."""
    among, points = rng.normal(size=(300, 3)), rng.normal(size=(7, 3))
    apart = np.sort(np.linalg.norm(points[:, None] - among, axis=2), axis=1)
    np.testing.assert_allclose(nearest(points, among), apart[:, :10].mean(1))
    own = np.sort(np.linalg.norm(among[:, None] - among, axis=2), axis=1)
    np.testing.assert_allclose(nearest(among, among, itself=True), own[:, 1:11].mean(1))


def test_axes_are_the_directions_of_most_variance() -> None:
    """Points on a line lie on the first axis; a column that never changes does no harm."""
    along = rng.normal(size=(100, 1))
    features = np.concatenate([along, -2 * along, np.full((100, 1), 7.0)], 1).astype(np.float32)
    found = axes(features)
    points = found.of(features)
    assert np.isfinite(points).all()
    assert points[:, 0].var() > 0.999 * points.var(0).sum()


def test_halves_are_disjoint() -> None:
    """The first part is as large as asked, half of all at most; together they are all rows."""
    rows = np.arange(20.0)[:, None]
    first, rest = halves(rows, 5)
    assert (len(first), len(rest)) == (5, 15)
    assert sorted(np.concatenate([first, rest])[:, 0]) == list(range(20))
    assert len(halves(rows, 500)[0]) == 10
