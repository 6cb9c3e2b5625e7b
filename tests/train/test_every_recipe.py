"""Every recipe, all its ingredients kept, trained for real on the sample: the smallest network of each family."""

import pytest

from bloodapp import jobs
from bloodapp.data.importing import import_source
from bloodapp.evaluate.evaluate import judgement
from bloodapp.runs.run import headline, open_run
from bloodapp.train import launch, phases, settings
from bloodapp.train.recipe import Recipe
from bloodapp.train.recipes import RECIPES


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred images: enough for a batch of every part, and each of them costs time in sixteen trainings."""
    monkeypatch.setattr(settings, "TRIAL_IMAGES", 100)


@pytest.mark.usefixtures("home", "few")
@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES.keys())
def test_a_quick_trial_of_every_recipe_trains_and_reports(recipe: Recipe) -> None:
    """From the click to a model, its predictions, its report and a judgement, clean and shifted."""
    sample = import_source("sample")
    # What is its own is the folds: its network is that of `transfer`, which takes long to trace.
    if recipe.folds:
        recipe = settings.with_settings(recipe, {"model": RECIPES["r0"].model})
    run = launch.start(sample, recipe, shrink=True)
    while jobs.step() is not None:
        pass
    run = open_run(run.name)
    assert run.state() == "done", run.job.log()
    assert run.finished
    scores = headline(run)
    assert scores is not None and scores["part"] == "test"
    assert scores["accuracy"] is not None and scores["shifted_accuracy"] is not None
    assert len(judgement(run).labels) == scores["n"]
    trained = run.children or [run]
    assert len(trained) == (2 if recipe.folds else 1)
    for each in trained:
        assert len(each.metrics()) == len(phases.parse(recipe.phases))
