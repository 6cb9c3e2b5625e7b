"""Costs: steps measured for real on a tiny network, kept in one file, and summed up to what a training will take."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bloodapp import jobs, workspace
from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import record
from bloodapp.jobs.job import request_stop
from bloodapp.train import cost, costs, judge, measurements, phases
from bloodapp.train import forecast as forecasting
from bloodapp.train.costs import Cost, Step
from bloodapp.train.forecast import forecast, measure
from bloodapp.train.recipe import Recipe
from bloodapp.train.recipes import RECIPES
from tests.train.trying import TINY

LARGE = replace(
    RECIPES["balanced"], size=96, small_size=96, minutes=0.0, epochs=10, val_share=0.1, test_share=0.1
)
FROZEN = Step(
    "frozen", 96, seconds=0.1, first=2.1, evaluate=0.001, memory_mib=900, gpu_memory_mib=None, trainable=10
)
FULL = Step(
    "full", 96, seconds=0.3, first=5.3, evaluate=0.001, memory_mib=1500, gpu_memory_mib=None, trainable=90
)
SMALL = replace(FULL, size=64, seconds=0.15, first=4.15, evaluate=0.0005)
TWO_PHASES = replace(
    TINY, size=48, small_size=48, pipeline="flip", copies="flip", average=0.9, phases="frozen(1)|full"
)


def kept(recipe: Recipe, *steps: Step, **more: Any) -> Cost:
    """A measurement of the recipe, kept as the job keeps it."""
    made = Cost(costs.deciding(recipe), steps, device="CPU", parameters=100, **more)
    costs.keep(made)
    return made


def test_one_phase_is_summed_up(home: object) -> None:
    """The start, the first step, every epoch's steps, judging and checkpoint, and the reading at the end."""
    kept(LARGE, FULL, start=8.0, save=0.5, shift=0.01)
    told = forecast(LARGE, 6400)  # val and test have 800 each
    epoch = 100 * 0.3 + (800 + 800) * 0.001 + 0.5
    reading = 1600 * (2 * 0.001 + 0.01) + 5.3 / 2
    assert told.seconds == pytest.approx(8.0 + 800 * 0.01 + 5.0 + 10 * epoch + reading)
    assert (told.epochs, told.measured, told.memory_mib) == (10, True, 1500)
    assert (told.parameters, told.trainable_parameters) == (100, 90)
    assert told.basis == "213 images/s measured on this computer"


def test_phases_have_their_own_steps(home: object) -> None:
    """Four epochs of the head and six of all cost what each costs, and the longer phase decides the memory."""
    recipe = replace(LARGE, phases="frozen(4, rate=1e-3)|full")
    kept(recipe, FROZEN, FULL)
    told, judging = forecast(recipe, 6400), 1600 * 0.001
    epochs = 4 * (100 * 0.1 + judging) + 6 * (100 * 0.3 + judging)
    assert told.seconds == pytest.approx(2.0 + 5.0 + epochs + 1600 * 0.002 + 5.3 / 2)
    only_head = forecast(replace(LARGE, phases="frozen"), 6400)
    assert (only_head.memory_mib, only_head.trainable_parameters) == (900, 10)


def test_phases_that_were_not_measured_go_by_the_next_that_learns_more(home: object) -> None:
    """A share of the layers costs at most what all do; of more than was measured nothing is known."""
    kept(LARGE, FULL)
    whole = forecast(LARGE, 6400)
    halves = forecast(replace(LARGE, phases="share(0.5, 5)|full"), 6400)
    assert halves.seconds == pytest.approx(whole.seconds + 5.0)  # traced twice
    other = replace(LARGE, batch=16)
    kept(other, FROZEN)
    assert not forecast(other, 6400).measured


def test_smaller_images_are_cheaper(home: object) -> None:
    """Six of ten epochs on small images, by their own measurement; of a phase without one by the other's ratio."""
    recipe = replace(LARGE, small_size=64, small_share=0.6)
    kept(recipe, SMALL, FROZEN, FULL)
    small, large = 100 * 0.15 + 1600 * 0.0005, 100 * 0.3 + 1600 * 0.001
    told = forecast(recipe, 6400)
    reading = 1600 * 0.002 + 5.3 / 2
    assert told.seconds == pytest.approx(4.0 + 6 * small + 5.0 + 4 * large + reading)
    frozen = forecast(replace(recipe, phases="frozen(6)|full"), 6400)
    saved = 6 * 100 * (0.15 - 0.05)
    assert frozen.seconds == pytest.approx(told.seconds - saved - (4.0 - (2.1 - 0.05)))


def test_minutes_end_it(home: object) -> None:
    """Three minutes hold the epochs that fit; what is read before and after is on top."""
    recipe = replace(LARGE, minutes=3.0, epochs=400)
    kept(recipe, FULL)
    told = forecast(recipe, 6400)
    assert told.epochs == pytest.approx(175 / 31.6, abs=0.1)
    assert 180 <= told.seconds <= 180 + 1.6 + 3.2 + 2.7


def test_copies_folds_and_repeats_multiply(home: object) -> None:
    """Copies make epochs longer and are drawn once; folds and repeats are so many trainings."""
    plain = forecast_of(LARGE, 6400)
    copied = replace(LARGE, copies="flip; rotate(9)")
    assert forecast_of(copied, 6400, copy=0.01) == pytest.approx(plain + 2 * 6400 * 0.01 + 10 * 2 * 100 * 0.3)
    assert forecast(LARGE, 6400, repeats=3).seconds == pytest.approx(3 * plain)
    # In five folds of 7,200 each trains on 5,760 and is judged on 1,440, a thousand of them shifted.
    folds = forecast(replace(LARGE, folds=5), 6400).seconds
    each = 5.0 + 10 * (90 * 0.3 + 2440 * 0.001) + (1440 + 800) * 0.002 + 5.3 / 2
    assert folds == pytest.approx(5 * each)


def test_balance_counts_what_each_class_lacks(home: object) -> None:
    """By the classes' own counts where they are known, otherwise half as many again."""
    recipe = replace(LARGE, balance="flip")
    even = forecast_of(recipe, 6400, per_class=np.array([3200, 3200]))
    assert even == pytest.approx(forecast_of(LARGE, 6400))
    uneven = forecast_of(recipe, 6400, per_class=np.array([4800, 1600, 0]))
    assert uneven == pytest.approx(even + 10 * 50 * 0.3)
    assert forecast_of(recipe, 6400) == pytest.approx(uneven)


def forecast_of(recipe: Recipe, images: int, copy: float = 0.0, **more: Any) -> float:
    """The seconds of a recipe whose steps cost `FULL`."""
    kept(recipe, FULL, copy=copy)
    seconds = forecast(recipe, images, **more).seconds
    assert seconds is not None
    return seconds


def test_memory_that_does_not_fit(home: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """The forecast says so before anything starts, and which batch would fit; where none does, what else helps."""
    monkeypatch.setattr(forecasting, "memory_total_mib", lambda: 1200.0)
    kept(LARGE, FULL, fixed_mib=700.0)  # 12.5 a picture of 64
    told = forecast(LARGE, 6400)
    assert told.smaller_batch == 16
    assert told.trouble == "It wants 1.5 GB and this computer has 1.2 GB: a batch of 16 would fit."
    kept(LARGE, FULL, fixed_mib=1200.0)
    told = forecast(LARGE, 6400)
    assert told.smaller_batch is None
    assert told.trouble.endswith("take a smaller network or smaller images.")
    kept(LARGE, replace(FULL, memory_mib=1000, gpu_memory_mib=7800), gpu_total_mib=8000.0, fixed_mib=600.0)
    told = forecast(LARGE, 6400)
    assert "the GPU has 7.8 GB: a batch of 32 would fit" in told.trouble
    monkeypatch.setattr(forecasting, "memory_total_mib", lambda: None)
    kept(LARGE, FULL)
    assert forecast(LARGE, 6400).trouble == ""


def test_what_decides_a_step_is_asked_for(home: object) -> None:
    """Another batch, head or pipeline is another cost; other epochs, rates and seeds are not."""
    kept(LARGE, FULL)
    for same in ({"epochs": 3}, {"learning_rate": 0.1}, {"seed": 5}, {"head": "dropout( 0.2 )"}):
        assert forecast(replace(LARGE, **same), 6400).measured, same
    for other in ({"batch": 32}, {"head": "dropout(0.2)|dense(9)"}, {"pipeline": "flip"}, {"model": "tiny"}):
        assert not forecast(replace(LARGE, **other), 6400).measured, other
    assert not forecast(replace(LARGE, size=64, small_size=64), 6400).measured


def test_measurements_of_the_like_are_kept_together(home: object) -> None:
    """A new one replaces its own phases and sizes and leaves the others; the file holds the newest; damage is none."""
    kept(LARGE, FROZEN, FULL)
    kept(LARGE, replace(FULL, seconds=0.4))
    (one,) = costs.costs()
    assert {step.phase: step.seconds for step in one.steps} == {"frozen": 0.1, "full": 0.4}
    for batch in range(1, measurements.KEPT + 1):
        asked = {**costs.deciding(LARGE), "batch": batch}
        if batch in (1, 2, measurements.KEPT):
            costs.keep(Cost(asked, (FULL,)))
    assert len(costs.costs()) == 4
    path = workspace.home() / costs.FILE
    workspace.write_json(path, {"costs": [{"asked": {}}, "nonsense", {"asked": {}, "steps": [{"x": 1}]}]})
    assert costs.costs() == []
    path.write_text("{")
    assert costs.costs() == []
    assert not forecast(LARGE, 6400).measured


def test_of_many_phases_few_are_measured() -> None:
    """The least, the middle and the most that learns, the costliest last; small images in that one only."""
    recipe = replace(LARGE, small_size=64, phases="unfreeze(6, 1)")
    names = [(costs.phase_name(phase), size) for phase, size in cost.wanted(recipe)]
    assert names == [("full", 64), ("frozen", 96), ("share(0.5)", 96), ("full", 96)]
    assert [costs.phase_name(each) for each, _ in cost.wanted(replace(LARGE, phases="last(3)"))] == [
        "last(3)"
    ]
    assert costs.phase_name(phases.Phase("last", 3, 7, 0.1)) == "last(3)"


def test_measured_as_a_job(tiny: Dataset) -> None:
    """A tiny network's two phases, copies and checkpoint are measured, and the forecast is made of them."""
    job = measure(tiny, TWO_PHASES)
    job.params["seconds"] = 0.2
    assert jobs.perform(job) == "done", job.log()
    found = costs.known(TWO_PHASES)
    assert found is not None
    assert {(step.phase, step.size) for step in found.steps} == {("frozen", 48), ("full", 48)}
    frozen, full = found.steps
    assert 0 < full.seconds <= full.first
    assert 0 < frozen.trainable < full.trainable <= found.parameters
    assert min(full.evaluate, full.memory_mib, found.save, found.shift, found.copy, found.start) > 0
    assert found.fixed_mib <= 1.5 * full.memory_mib
    result = job.status()["result"]
    assert result["parameters"] == found.parameters
    assert result["trainable_parameters"] == full.trainable
    told = forecast(TWO_PHASES, 38)
    assert told.measured
    assert told.seconds is not None
    assert told.seconds > 0
    assert not list(job.folder.glob("*.npz"))
    assert forecasting.LIVE_SHIFTED == judge.LIVE_SHIFTED


def test_it_stops_and_says_when_nothing_is_left(tiny: Dataset) -> None:
    """A stop is heard and keeps nothing; without a labelled image there is nothing to measure with."""
    job = measure(tiny, TWO_PHASES)
    request_stop(job)
    assert jobs.perform(job) == "stopped"
    record(tiny, list(range(len(tiny))), "exclude")
    job = measure(tiny, TWO_PHASES)
    assert jobs.perform(job) == "failed"
    assert "nothing to measure with" in job.status()["error"]
    assert costs.costs() == []


def test_memory_that_ran_out_is_said(tiny: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where not even the measuring fits, the job fails with a sentence and half the batch."""

    def full(*args: Any, **more: Any) -> Cost:
        raise MemoryError

    monkeypatch.setattr(cost, "measure", full)
    job = measure(tiny, TWO_PHASES)
    assert jobs.perform(job) == "failed"
    assert "a batch of 4" in job.status()["error"]
    assert job.status()["smaller_batch"] == 4
