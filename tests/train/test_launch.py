"""Setting trainings up: the split that a recipe asks for, series, and runs made again."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import record
from bloodapp.data.importing import import_source
from bloodapp.errors import AlreadyExists, InvalidValue, NotFound
from bloodapp.jobs import list_jobs
from bloodapp.runs.run import list_runs, open_run
from bloodapp.train import launch
from bloodapp.train.parts import in_words, plan_folds, plan_split
from tests.train.trying import TINY


def with_items(dataset: Dataset, **columns: object) -> Dataset:
    """The dataset with other facts about its images: `part=…`, `parent=…`."""
    items = dataset.items.copy()
    for name, values in columns.items():
        items[name] = values
    items.to_parquet(dataset.path / "items.parquet", index=False)
    for name in ("items", "parts", "parents", "families"):
        dataset.__dict__.pop(name, None)
    return dataset


@pytest.mark.parametrize("shares", [(0.2, 0.0), (0.2, 0.08), (0.3, 0.3), (0.05, 0.05)])
def test_any_ratio(tiny: Dataset, shares: tuple[float, float]) -> None:
    """Every remaining image is in one part, and the parts have their shares."""
    plan, _ = plan_split(tiny, replace(TINY, val_share=shares[0], test_share=shares[1], stratified=False))
    assert sorted(plan["index"]) == list(range(48))
    counts = plan["part"].value_counts()
    for part, share in zip(("val", "test"), shares, strict=True):
        assert abs(counts.get(part, 0) - 48 * share) <= 1


def test_stratified_or_not(tiny: Dataset) -> None:
    """Stratified, each class gives its share; otherwise chance deals."""
    by_class = plan_split(tiny, TINY)[0].query("part == 'test'")["label"].value_counts()
    at_large = plan_split(tiny, replace(TINY, stratified=False))[0].query("part == 'test'")["label"]
    assert len(by_class) == 8 and by_class.max() <= 2
    assert at_large.value_counts().reindex(range(8), fill_value=0).max() > 2 or at_large.nunique() < 8


def test_grouped_or_not(tiny: Dataset) -> None:
    """Ungrouped, copies part in some seed; augmented copies train in any case, with an original that trains."""
    torn = False
    for seed in range(8):
        recipe = replace(TINY, seed=seed)
        parts = plan_split(tiny, recipe)[0].set_index("index")["part"]
        assert parts[0] == parts[46] == parts[47]
        loose = plan_split(tiny, replace(recipe, grouped=False))[0].set_index("index")["part"]
        torn |= len({loose[0], loose[46], loose[47]}) > 1
    assert torn


@pytest.mark.parametrize("grouped", [True, False])
@pytest.mark.parametrize("given", [True, False])
@pytest.mark.parametrize("kept", [True, False])
def test_augmented_copies_only_train(tiny: Dataset, grouped: bool, given: bool, kept: bool) -> None:
    """Whatever the recipe says and the dataset gives: no copy judges, and none trains whose original judges."""
    parent = np.full(48, -1)
    parent[24:] = np.arange(24)
    part = np.array(["test"] * 4 + ["val"] * 4 + ["train"] * 40) if given else np.full(48, "")
    copied = with_items(tiny, parent=parent, part=part)
    recipe = replace(TINY, grouped=grouped, keep_parts=kept, folds=3)
    splits = [
        plan_split(copied, recipe)[0],
        *plan_folds(copied, recipe).folds,
        plan_folds(copied, recipe).whole,
    ]
    for plan in splits:
        parts = plan.set_index("index")["part"]
        copies = parts[parts.index >= 24]
        assert len(copies) and set(copies) == {"train"}
        assert {parts.get(index - 24) for index in copies.index} <= {"train", None}


def test_given_parts_are_kept_or_not(tiny: Dataset) -> None:
    """As the recipe says; where they tear look-alikes, the words say so."""
    part = np.array(["test"] * 8 + ["val"] * 8 + ["train"] * 32)
    given = with_items(tiny, part=part)
    kept = plan_split(given, TINY)[0].set_index("index")["part"]
    assert kept.loc[list(range(48))].tolist() == part.tolist()
    assert "2 training images have a look-alike in val or test" in in_words(given, TINY).torn
    anew = plan_split(given, replace(TINY, keep_parts=False))[0].set_index("index")["part"]
    assert anew.loc[list(range(48))].tolist() != part.tolist()
    assert in_words(given, replace(TINY, keep_parts=False)).torn == ""
    # Of folds too, where each image is for itself.
    assert "look-alike" in in_words(given, replace(TINY, grouped=False, folds=4)).torn


def test_folds_judge_every_image_once(tiny: Dataset) -> None:
    """One test part for all; every other image is val in one fold and trains in the others."""
    plan = plan_folds(tiny, replace(TINY, folds=4))
    test = set(plan.whole.query("part == 'test'")["index"])
    assert 8 <= len(test) <= 12 and set(plan.whole["part"]) == {"train", "test"}
    val = [index for each in plan.folds for index in each.query("part == 'val'")["index"]]
    assert sorted(val) == sorted(set(range(48)) - test)
    for each in plan.folds:
        assert set(each.query("part == 'test'")["index"]) == test
        assert len(each) == 48


def test_a_split_in_words(tiny: Dataset) -> None:
    """How many images each part has, of one training and of folds."""
    told = in_words(tiny, TINY)
    assert told.parts == "31 images to learn from, 9 to choose the best epoch, 8 read once after training."
    assert told.counts == (31, 9, 8)
    text = in_words(tiny, replace(TINY, folds=4, test_share=0.0)).parts
    assert text.startswith("4 networks, each on about 36 images and judged on ")
    assert "no test part" in text


def test_a_series_is_set_up_whole(tiny: Dataset) -> None:
    """A parent and its trainings, with their own splits and seeds; only the parent is queued."""
    record(tiny, [5], "exclude")
    run = launch.start(tiny, replace(TINY, folds=3, seed=7), name="five", title="Five")
    assert (run.name, run.series, run.title, run.job.kind) == ("five", "folds", "Five", "series")
    assert [job.id for job in list_jobs()] == ["five"]
    children = run.children
    assert [child.name for child in children] == ["five-fold-1", "five-fold-2", "five-fold-3"]
    assert [child.config["recipe"]["seed"] for child in children] == [7, 8, 9]
    assert {child.config["recipe"]["folds"] for child in children} == {0}
    assert [child.config["fold"] for child in children] == [1, 2, 3]
    assert all(child.config["seq"] == run.config["seq"] == 1 for child in children)
    assert {"keras", "python", "numpy", "bloodapp", "tensorflow"} <= set(run.config["versions"])
    repeats = launch.start(tiny, TINY, repeats=2)
    assert repeats.series == "repeats"
    assert all(child.split().equals(repeats.split()) for child in repeats.children)
    assert launch.start(tiny, TINY, repeats=1).series == ""


def test_a_series_leaves_nothing_when_it_cannot_be(tiny: Dataset) -> None:
    """A name that is taken, too long, or folds of repeats: no folder stays."""
    launch.start(tiny, TINY, name="five-fold-2")
    with pytest.raises(AlreadyExists):
        launch.start(tiny, replace(TINY, folds=3), name="five")
    with pytest.raises(InvalidValue, match="cannot be used as a name"):
        launch.start(tiny, replace(TINY, folds=3), name="f" * 60)
    with pytest.raises(InvalidValue, match="not repeated"):
        launch.start(tiny, replace(TINY, folds=3), repeats=2)
    with pytest.raises(InvalidValue, match="repeats must be"):
        launch.start(tiny, TINY, repeats=1000)
    assert [run.name for run in list_runs() if not run.shipped] == ["five-fold-2"]


def test_again(tiny: Dataset, tiny_cells: tuple, tmp_path: Path) -> None:
    """The same recipe with changes on the same dataset, a series as a series; not when the dataset is gone."""
    run = launch.start(tiny, TINY, title="Mine")
    other = launch.again(run, batch=4)
    assert other.name != run.name and other.title == "Mine"
    assert {**other.config["recipe"], "batch": 8} == run.config["recipe"]
    series = launch.start(tiny, TINY, repeats=3)
    assert len(launch.again(series.children[1], batch=4).children) == 3
    with pytest.raises(InvalidValue, match="batch"):
        launch.again(run, batch=0)
    np.savez(tmp_path / "tiny.npz", images=tiny_cells[0][::-1], labels=tiny_cells[1][::-1])
    import_source(tmp_path / "tiny.npz", replace=True)
    with pytest.raises(InvalidValue, match="import 'tiny' again"):
        launch.again(run)


def test_again_with_a_pipeline_that_is_gone(tiny: Dataset) -> None:
    """A saved pipeline that was deleted, or means something else now, is taken as the text that it was."""
    from bloodapp.augment.saved import delete_pipeline, save_pipeline

    save_pipeline("mine", "flip|rotate(15)")
    run = launch.start(tiny, replace(TINY, pipeline="mine", copies="mine; invert", balance="mine"))
    assert launch.recipe_of(run).pipeline == "mine"
    assert (run.config["copies"], run.config["balance"]) == ("flip|rotate(15); invert", "flip|rotate(15)")
    delete_pipeline("mine")
    again = launch.again(open_run(run.name))
    for name in ("pipeline", "copies", "balance"):
        assert again.config[name] == run.config[name]


def test_class_weights_that_name_what_is_not_there_are_refused_at_once(tiny: Dataset) -> None:
    """A run or a class that nobody knows leaves no run behind."""
    for words in ("weakest:nobody", "unicorn=2"):
        with pytest.raises(NotFound):
            launch.start(tiny, replace(TINY, class_weights=words))
    assert [run for run in list_runs() if not run.shipped] == []
