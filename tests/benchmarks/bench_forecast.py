"""What a training was forecast to take against what it took: time and memory, start and reading included."""

import time
from dataclasses import replace

import numpy as np
import pytest

from bloodapp.data.dataset import Dataset
from bloodapp.jobs.runner import run_child
from bloodapp.train.forecast import forecast, measure
from bloodapp.train.launch import plan_split, start
from bloodapp.train.recipe import Recipe
from bloodapp.train.recipes import RECIPES
from tests.benchmarks.measure import PATIENCE_S
from tests.benchmarks.report import row

pytestmark = pytest.mark.timeout(3 * PATIENCE_S)

SHORT = replace(RECIPES["balanced"], minutes=0.0, epochs=4, images=2500)
CASES = {
    "balanced, four epochs": replace(SHORT, small_share=0.5),
    "the same with copies and a frozen phase": replace(
        SHORT, images=1200, small_share=0.0, copies="flip; r3low", phases="frozen(2)|full"
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_forecast(course: Dataset, name: str) -> None:
    """Seconds and memory as forecast right before the training, against those of the training itself."""
    recipe: Recipe = CASES[name]
    plan, _ = plan_split(course, recipe)
    train = plan["label"][plan["part"] == "train"].to_numpy()
    per_class = np.bincount(train, minlength=len(course.classes))
    run_child(measure(course, recipe))
    told = forecast(recipe, len(train), per_class=per_class)
    assert told.measured
    assert told.seconds
    assert told.memory_mib
    run = start(course, recipe)
    begun = time.monotonic()
    run_child(run.job)
    took = time.monotonic() - begun
    assert run.finished, run.job.log()
    row(f"forecast of {name}", [told.seconds], [took], unit="s", than="the training", images=len(train))
    memory = float((run.report() or {})["memory_mib"])
    row(
        f"memory forecast of {name}",
        [told.memory_mib],
        [memory],
        unit="MiB",
        than="the training",
        images=len(train),
    )
