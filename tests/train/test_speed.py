"""Speeds: measured for real on a tiny network, kept in one file, and found again by what they are of."""

from dataclasses import replace
from itertools import count

import numpy as np
import pytest

from bloodapp import jobs, workspace
from bloodapp.augment.pipelines import parse
from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import record
from bloodapp.errors import Stopped, Unreadable
from bloodapp.train import speed
from bloodapp.train.recipes import RECIPES
from bloodapp.train.speed import Speed

TINY = replace(
    RECIPES["balanced"], model="tiny", width=8, size=48, small_size=32, batch=8, precision="float32"
)
ONE = Speed("flip", 96, 64, "resnet9", 32, "float32", "CPU", drawn=1900.0, learned=450.0, together=440.0)


def test_the_feed_the_network_and_both_are_measured(tiny: Dataset) -> None:
    """All three figures are there for a pipeline with mixed labels; progress ends at its end."""
    told: list[tuple[float, float]] = []
    made = speed.measure(
        tiny,
        parse("flip|sometimes(0.5; mixup)|stain"),
        TINY,
        seconds=0.05,
        progress=lambda done, total, text: told.append((done, total)),
    )
    assert min(made.drawn, made.learned, made.together) > 0
    assert 0 < made.share <= 1
    assert (made.size, made.batch, made.model, made.width) == (48, 8, "tiny", 8)
    assert made.precision == "float32"
    assert told[-1][0] == told[-1][1]
    assert set(made.costs) in (set(), {"flip", "mixup", "stain"})


def test_what_starves_is_taken_apart(tiny: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a training would wait, each operation has its own cost, weighed by how often it is met."""
    monkeypatch.setattr(
        speed._Bench, "learned", lambda self, seconds, pipeline=None: 50.0 if pipeline else 100.0
    )
    rates = {"none": 1000.0, "flip": 1000.0, "randaugment": 100.0, "blur": 200.0}
    monkeypatch.setattr(
        speed._Bench,
        "drawn",
        lambda self, pipeline, seconds: rates[pipeline.steps[-1].name if pipeline.steps else "none"],
    )
    made = speed.measure(tiny, parse("flip|off(noise)|sometimes(0.1; randaugment)|blur"), TINY, seconds=0.01)
    assert made.starves
    assert made.share == 0.5
    assert made.costs == pytest.approx({"flip": 0.0, "randaugment": 0.0009, "blur": 0.004})
    assert made.costliest == "blur"


def test_measured_as_a_job_and_found_again(tiny: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """The job keeps its result under the pipeline's text and the recipe's network; nothing is found for others."""
    monkeypatch.setitem(RECIPES, "tiny", TINY)
    job = jobs.submit("speed", {"dataset": "tiny", "pipeline": "flip", "recipe": "tiny", "seconds": 0.02})
    assert jobs.perform(job) == "done"
    found = speed.known(parse("flip"), TINY)
    assert found is not None
    assert job.status()["result"]["together"] == found.together
    assert speed.known(parse("flip(0.4)"), TINY) is None
    assert speed.known(parse("flip"), replace(TINY, width=16)) is None


def test_a_measurement_replaces_the_one_before(home: object) -> None:
    """One entry for a pipeline, network and device; other devices beside it; the newest is what is known."""
    speed.keep(ONE)
    speed.keep(replace(ONE, device="GPU", drawn=5000.0))
    speed.keep(replace(ONE, drawn=2000.0))
    assert [(one.device, one.drawn) for one in speed.speeds()] == [("GPU", 5000.0), ("CPU", 2000.0)]
    found = speed.known(parse("flip"), RECIPES["balanced"])
    assert found is not None
    assert found.drawn == 2000.0


def test_a_damaged_file_is_no_measurement(home: object) -> None:
    """What cannot be read, or was written by another version, counts as not measured and can be replaced."""
    path = workspace.home() / speed.FILE
    path.write_text("{")
    assert speed.speeds() == []
    workspace.write_json(path, {"speeds": [{"pipeline": "flip", "unknown": 1}, "nonsense"]})
    assert speed.speeds() == []
    speed.keep(ONE)
    assert speed.speeds() == [ONE]


def test_starving_begins_below_three_quarters() -> None:
    """The share is of the network's own speed, and never above one."""
    assert not ONE.starves
    assert replace(ONE, together=300.0).starves
    assert replace(ONE, together=500.0).share == 1
    assert ONE.costliest == ""


def test_rates_leave_out_what_was_ready_before() -> None:
    """The first batches do not count; the rest is images by the clock."""
    times = iter(np.arange(0, 100, 0.5))
    assert speed.rate(count(), 64, 2.0, clock=lambda: float(next(times))) == 4 * 64 / 2.0


def test_it_stops_and_says_when_nothing_is_left(tiny: Dataset) -> None:
    """A stop is heard before the measuring; without a labelled image there is nothing to measure with."""
    with pytest.raises(Stopped):
        speed.measure(tiny, parse("flip"), TINY, stopped=lambda: True)
    record(tiny, list(range(len(tiny))), "exclude")
    with pytest.raises(Unreadable, match="nothing to measure"):
        speed.measure(tiny, parse("flip"), TINY, seconds=0.01)
