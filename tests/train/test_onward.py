"""Training on what is labelled so far: when there is enough, what is missing, and what the training will be."""

from dataclasses import replace

import pytest

from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import judge, record
from bloodapp.errors import InvalidValue
from bloodapp.runs.run import open_run
from bloodapp.runs.unseen import learned
from bloodapp.train.onward import FEWEST, onward, ready, recipe
from bloodapp.train.recipes import RECIPES
from bloodapp.train.settings import settings
from tests.made import make_run
from tests.review.unlabelled import without_labels


def test_what_is_missing_is_one_sentence(tiny: Dataset) -> None:
    """By class and number, until each has enough."""
    half = without_labels(tiny, labelled=0)
    said = ready(half, judge(half), 2)
    assert (said.enough, said.possible, said.counts) == (False, False, (0,) * 8)
    assert said.missing.startswith("Label 2 more of Basophil, 2 more of Eosinophil, ")
    assert said.missing.endswith(" and 2 more of Platelet: a training needs 2 images of each class.")
    for label in range(8):
        record(half, [2 * label, 2 * label + 1], "relabel", label=label)
    said = ready(half, judge(half), 2)
    assert (said.enough, said.possible, said.missing) == (True, True, "")
    record(half, [3], "exclude")
    said = ready(half, judge(half), 2)
    assert (said.enough, said.possible) == (False, True)
    assert said.missing == "Label 1 more of Eosinophil: a training needs 2 images of each class."
    assert not ready(tiny, judge(tiny)).enough
    assert FEWEST == 10


def test_the_recipe_goes_on_from_the_run(tiny: Dataset) -> None:
    """The run's own network and changes, from its weights, short and gentle, without reading a test part."""
    run = make_run(tiny, recipe=settings(replace(RECIPES["plain"], small_share=0.6, folds=0)))
    run.model_path.write_bytes(b"one")
    made = recipe(run)
    own = RECIPES["plain"]
    assert (made.model, made.width, made.pipeline) == (own.model, own.width, own.pipeline)
    assert made.weights == "run:made"
    assert made.learning_rate < own.learning_rate
    assert made.minutes <= 5
    assert made.test_share == 0
    assert recipe(open_run("starter")).weights == "run:starter"


def test_it_is_queued_on_what_is_labelled(tiny: Dataset) -> None:
    """The new run learns from the labelled images alone, from the weights of the one before, and the queue has it."""
    half = without_labels(tiny, labelled=24)
    record(half, [30], "relabel", label=2)
    run = onward(half, open_run("starter"))
    assert run.state() == "queued"
    assert run.dataset == "half"
    assert run.config["recipe"]["weights"] == "run:starter"
    assert set(run.split()["index"]) == {*range(24), 30}
    assert set(run.split()["part"]) == {"train", "val"}
    assert set(learned(run)) == set(run.split().loc[run.split()["part"] == "train", "index"])
    assert "half" in run.title


def test_several_networks_are_no_start(tiny: Dataset) -> None:
    """Who asks to go on from folds is told what to take instead."""
    run = make_run(tiny, recipe=settings(RECIPES["plain"]), series={"kind": "folds", "children": []})
    run.model_path.write_bytes(b"one")
    with pytest.raises(InvalidValue, match="several networks"):
        recipe(run)
