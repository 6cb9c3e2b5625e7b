"""The learning rate as a function of where the training stands."""

from dataclasses import replace

import numpy as np
import pytest

from bloodapp.train.recipe import SCHEDULES, Recipe
from bloodapp.train.recipes import RECIPES
from bloodapp.train.schedules import SCHEDULES as KNOWN
from bloodapp.train.schedules import rate

EPOCHS = 20
BASE = replace(RECIPES["balanced"], learning_rate=2.0, warmup=0.2, decay_after=10, decay=0.9, cycle=4)


def rates(recipe: Recipe, points: int = 1001) -> np.ndarray:
    """The rates along a training."""
    return np.array([rate(recipe, share, share * EPOCHS) for share in np.linspace(0, 1, points)])


def test_every_schedule_is_there() -> None:
    """What a recipe may choose is what there is, and no rate is ever zero or above the peak."""
    assert tuple(KNOWN) == SCHEDULES
    for name in SCHEDULES:
        found = rates(replace(BASE, schedule=name))
        assert found.min() > 0 and found.max() == pytest.approx(2.0, rel=2e-3), name


def test_cosine_rises_to_the_peak_and_falls_to_nearly_nothing() -> None:
    """Half of the peak half-way down."""
    found = rates(replace(BASE, schedule="cosine"))
    assert np.argmax(found) == 200 and found[600] == pytest.approx(1.0) and found[-1] == pytest.approx(2e-3)
    assert rates(replace(BASE, schedule="cosine", warmup=0.0))[0] == 2.0


def test_constant_stays_after_its_warm_up() -> None:
    """Half of the peak half-way up."""
    found = rates(replace(BASE, schedule="constant"))
    assert found[100] == pytest.approx(1.0) and set(found[200:]) == {2.0}


def test_exponential_falls_by_the_same_share_each_epoch_after_the_first_ones() -> None:
    """Ten epochs at the peak, then 0.9 of the last epoch's rate in each, whatever step of it."""
    recipe = replace(BASE, schedule="exponential", warmup=0.0)
    each = [rate(recipe, epoch / EPOCHS, epoch) for epoch in range(EPOCHS)]
    assert each[:10] == [2.0] * 10
    assert each[10:] == pytest.approx([2.0 * 0.9**k for k in range(1, 11)])
    assert rate(recipe, 0.6, 12.7) == each[12]


def test_onecycle_has_its_peak_at_30_percent() -> None:
    """It begins at a 25th and ends at a 10,000th, without any warm-up of its own."""
    found = rates(replace(BASE, schedule="onecycle"))
    assert np.argmax(found) == 300
    assert found[0] == pytest.approx(2 / 25) and found[-1] == pytest.approx(2e-4)


def test_cyclic_is_a_triangle_of_so_many_epochs() -> None:
    """From a quarter up to the peak and down again, five times in twenty epochs."""
    found = rates(replace(BASE, schedule="cyclic"))
    assert found[0] == pytest.approx(0.5) and found[100] == pytest.approx(2.0)
    assert found[200] == pytest.approx(0.5) and found[50] == pytest.approx(1.25)
    assert found[:200] == pytest.approx(found[800:1000])


def test_a_phase_has_its_own_peak_and_a_plateau_scales_it() -> None:
    """Both multiply the whole schedule."""
    recipe = replace(BASE, schedule="cosine")
    assert rate(recipe, 0.5, 10, 1e-3, 0.3) == pytest.approx(rate(recipe, 0.5, 10) / 2 * 1e-3 * 0.3)
