"""The starter model: the run that ships with the project."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bloodapp.classes import DEFAULT_CLASSES
from bloodapp.errors import BloodappError
from bloodapp.evaluate import suite
from bloodapp.runs.run import Run, delete_run, list_runs, open_run
from bloodapp.train.recipes import recipe_named
from bloodapp.train.settings import from_settings


@pytest.fixture
def starter(home: Path) -> Run:
    """The starter, seen from an empty home."""
    return open_run("starter")


def test_it_ships_whole_small_and_read_only(starter: Run) -> None:
    """It is a finished run with the full contract, at most 10 MB, and nobody can delete it."""
    assert starter.shipped and starter.finished and starter.state() == "done"
    assert [run.name for run in list_runs()] == ["starter"]
    assert starter.classes == DEFAULT_CLASSES
    files = [path for path in starter.folder.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 10_000_000
    for name in (
        "config.json",
        "metrics.jsonl",
        "model.keras",
        "predictions.npz",
        "report.json",
        "split.parquet",
    ):
        assert (starter.folder / name).is_file(), name
    with pytest.raises(BloodappError, match="ships with the app"):
        delete_run(starter)


def test_it_was_made_by_our_own_recipe(starter: Run) -> None:
    """Its configuration reads as a recipe of today; only amounts differ from the recipe it names."""
    recipe = from_settings(starter.config["recipe"])
    named = recipe_named(recipe.name)
    assert (recipe.model, recipe.width, recipe.size, recipe.optimizer) == (
        named.model,
        named.width,
        named.size,
        named.optimizer,
    )


def test_it_carries_its_suite(starter: Run, run: Callable[..., str]) -> None:
    """Judged under all corruptions on first start, without its images: on the command line, in the tables, small."""
    found = suite.find(starter, "test")
    assert found is not None and found.finished, "its suite is of another model, or corruptions have changed"
    assert len(found.labels) == 595
    assert found.mean_corruption_error == pytest.approx(found.interval("mean_corruption_error").value)
    assert 0 < found.mean_corruption_error < 0.05
    files = list(found.folder.iterdir())
    assert found.folder.parent == starter.folder
    assert sum(path.stat().st_size for path in files) < 500_000
    figure = f"{100 * found.mean_corruption_error:.1f} %"
    assert figure in run("evaluate", "starter", "--corruptions")
    assert f"corruption error {figure}" in run("runs")


def test_its_card_credits_the_data_and_names_the_commands(starter: Run) -> None:
    """The card says where the cells come from, their licence, and how each figure was measured."""
    card = (starter.folder / "README.md").read_text()
    for words in ("Acevedo", "CC BY 4.0", "python -m bloodapp train", "python -m bloodapp evaluate starter"):
        assert words in card, words


def test_it_holds_on_unseen_real_cells(starter: Run, pbc96: Path) -> None:
    """On cells it never saw: at least 97 % clean and 88 % under the seeded shift."""
    from bloodapp.classify.predictor import Predictor
    from bloodapp.evaluate.evaluate import evaluate_run

    result = evaluate_run(starter, source=pbc96, part="val", predictor=Predictor(starter))
    assert result["n"] == 1712
    assert result["accuracy"] >= 0.97
    assert result["shifted_accuracy"] >= 0.88
    assert np.sum(result["confusion"]) == 1712
