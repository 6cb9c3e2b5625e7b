"""The pair of trainings is honest: one split, the same judges, nothing excluded among them, no copy across."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bloodapp import jobs
from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import record, undo
from bloodapp.data.importing import import_source
from bloodapp.data.split import duplicate_groups
from bloodapp.errors import AlreadyExists, InvalidValue
from bloodapp.runs.run import latest_run, list_runs, open_run
from bloodapp.train.effect import plan_pair, start_pair, untimed
from bloodapp.train.recipe import Recipe
from bloodapp.train.recipes import RECIPES
from bloodapp.train.settings import settings
from bloodapp.workspace import write_json
from tests.conftest import draw_tiny_cells
from tests.made import make_run

RECIPE = replace(RECIPES["balanced"], val_share=0.2, test_share=0.2)


@pytest.fixture
def dirty(home, tmp_path) -> Dataset:
    """240 images: 48 things five times, four copies of each with other noise, so that every copy is near its first.

    Every sixth thing is excluded with some of its copies, and the labels of four things are changed.
    """
    images, labels = draw_tiny_cells()
    rng = np.random.default_rng(0)
    copies = [np.clip(images + rng.normal(0, 2, images.shape), 0, 255).astype(np.uint8) for _ in range(4)]
    np.savez(tmp_path / "dirty.npz", images=np.concatenate([images, *copies]), labels=np.tile(labels, 5))
    dataset = import_source(tmp_path / "dirty.npz")
    things = np.arange(240) % 48
    record(dataset, np.flatnonzero((things % 6 == 0) & (np.arange(240) >= 96)), "exclude")
    record(dataset, np.flatnonzero(np.isin(things, [1, 3, 5, 9])), "relabel", label=7)
    return dataset


def part(plan: pd.DataFrame, name: str) -> dict[int, int]:
    """The images of one part with their labels."""
    rows = plan[plan["part"] == name]
    return dict(zip(rows["index"].tolist(), rows["label"].tolist(), strict=True))


@pytest.mark.parametrize("seed", range(4))
def test_both_are_judged_on_the_same_images_with_decided_labels(dirty: Dataset, seed: int) -> None:
    """Val and test are equal in both, in the same order, hold nothing excluded, and carry the decided labels."""
    pair = plan_pair(dirty, replace(RECIPE, seed=seed))
    for name in ("val", "test"):
        before, after = part(pair.before, name), part(pair.after, name)
        assert list(before.items()) == list(after.items()) and before
        for index, label in before.items():
            thing = index % 48
            assert not (thing % 6 == 0 and index >= 96), "an excluded image judges"
            assert label == (7 if thing in (1, 3, 5, 9) else dirty.labels[index])


@pytest.mark.parametrize("seed", range(4))
def test_before_learns_from_everything_as_given(dirty: Dataset, seed: int) -> None:
    """Its training part has the given labels and the excluded images; that after has neither."""
    pair = plan_pair(dirty, replace(RECIPE, seed=seed))
    before, after = part(pair.before, "train"), part(pair.after, "train")
    assert all(label == dirty.labels[index] for index, label in before.items())
    excluded = {i for i in range(240) if i % 48 % 6 == 0 and i >= 96}
    assert excluded & set(before) and not excluded & set(after)
    assert set(before) - set(after) == excluded & set(before)
    assert set(after) < set(before)
    changed = {i for i, label in after.items() if label != before[i]}
    assert changed == {i for i in after if i % 48 in (1, 3, 5, 9) and dirty.labels[i] != 7}
    assert pair.touched == (len(excluded & set(before)), len(changed))


@pytest.mark.parametrize("seed", range(4))
def test_no_group_crosses_parts(dirty: Dataset, seed: int) -> None:
    """Copies of a judged image, excluded ones too, are in no training part."""
    groups = duplicate_groups(dirty)
    assert len(np.unique(groups)) < 100, "the copies of this test are no copies"
    pair = plan_pair(dirty, replace(RECIPE, seed=seed))
    for plan in (pair.before, pair.after):
        where = plan.assign(group=groups[plan["index"]]).groupby("group")["part"].nunique()
        assert (where == 1).all()


def test_the_own_parts_of_a_dataset_do_not_leak(dirty: Dataset) -> None:
    """Where given parts tear a group, its members outside the judged part are used by neither training."""
    things = np.arange(240) % 48
    parts = np.select([things < 24, things < 32, things < 40], ["train", "val", "test"], "train")
    parts[(things >= 40) & (np.arange(240) >= 192)] = "test"  # the last copy of eight things that else train
    parts[(things == 30) & (np.arange(240) >= 192)] = (
        "test"  # one of an excluded thing, beside its val copies
    )
    dirty.items["part"] = parts
    pair = plan_pair(dirty, RECIPE)
    assert set(pair.before["index"]) - set(pair.after["index"])
    for plan in (pair.before, pair.after):
        for name in ("train", "val", "test"):
            assert set(parts[list(part(plan, name))]) == {name}, "an image left its own part"
        judges = plan[plan["part"] != "train"]["index"] % 48
        assert set(range(40, 48)) - {42} <= set(judges)
        assert not set(judges) & set(plan[plan["part"] == "train"]["index"] % 48)
        assert 192 + 30 not in set(plan["index"]), "excluded, and beside a judged copy"


def test_shares_are_those_of_the_recipe_and_dirt_is_spread(dirty: Dataset) -> None:
    """The test part holds about its share of what remains, and the training part its share of the excluded images."""
    pair = plan_pair(dirty, replace(RECIPE, test_share=0.3))
    assert pair.judged_on == "test"
    assert pair.images("test")[0] == pytest.approx(0.3 * 216, abs=16)
    assert pair.touched[0] == pytest.approx(0.5 * 24, abs=8)


def test_without_a_test_share_val_is_what_there_is(dirty: Dataset) -> None:
    """It judges, and the plan says so."""
    assert plan_pair(dirty, replace(RECIPE, test_share=0.0)).judged_on == "val"


def test_few_images_are_drawn_once_for_both(dirty: Dataset) -> None:
    """A recipe that takes few images takes the same ones before and after, but for what is excluded."""
    pair = plan_pair(dirty, replace(RECIPE, images=120))
    assert 100 < len(pair.before) <= 150
    assert set(pair.after["index"]) <= set(pair.before["index"])


def test_decisions_that_change_nothing_are_refused(tiny: Dataset) -> None:
    """Without a decision, with an undone one, or with kept and flagged images, both trainings would be the same."""
    for action in (None, "keep", "flag"):
        if action:
            record(tiny, [1, 2], action)
        with pytest.raises(InvalidValue, match="change no image that is trained on"):
            plan_pair(tiny, RECIPE)
    undo(tiny, batch=record(tiny, list(range(0, 40)), "exclude"))
    with pytest.raises(InvalidValue, match="change no image that is trained on"):
        start_pair(tiny, RECIPE)
    assert not jobs.list_jobs()


def test_the_runs_know_each_other(tiny: Dataset, nothing_shipped: None) -> None:
    """Both are queued, before first, with the same recipe and seed; titles and configs say which is which."""
    record(tiny, list(range(8, 24)), "exclude")
    before, after = start_pair(tiny, RECIPE, shrink=True)
    assert [job.id for job in reversed(jobs.list_jobs())] == [before.name, after.name]
    assert before.config["recipe"] == after.config["recipe"]
    assert before.config["recipe"]["epochs"] == 1
    assert (before.pair, after.pair) == (after.name, before.name)
    assert before.before_decisions and before.config["decisions"] == "none"
    assert not after.before_decisions and "decisions" not in after.config
    assert before.config["seq"] == after.config["seq"] == 16
    assert (before.title, after.title) == ("Before the decisions on tiny", "After the decisions on tiny")
    assert open_run(before.name).split()["index"].isin(range(8, 24)).any()
    assert latest_run("tiny", finished=False) == after


def test_names_are_claimed_together(tiny: Dataset) -> None:
    """A taken name leaves no half pair behind, and names made by themselves step aside."""
    record(tiny, list(range(8, 24)), "exclude")
    first, _ = start_pair(tiny, RECIPE, name="mine")
    assert first.name == "mine-before"
    jobs.job.delete_job(first.job)
    with pytest.raises(AlreadyExists, match="mine-after"):
        start_pair(tiny, RECIPE, name="mine")
    own = {run.name for run in list_runs() if not run.shipped}
    assert own == {"mine-after"}
    names = [run.name for _ in range(2) for run in start_pair(tiny, RECIPE)]
    assert len(set(names)) == 4 and names[0].endswith("-1-before") and names[3].endswith("-2-after")


def test_weights_that_may_have_seen_the_judges_are_refused(tiny: Dataset) -> None:
    """A pair starts from scratch."""
    record(tiny, [1, 2, 3], "exclude")
    with pytest.raises(InvalidValue, match="set weights to none"):
        start_pair(tiny, replace(RECIPE, weights="run:other"))


def test_a_real_pair_from_two_trainings_to_a_sentence(tiny: Dataset) -> None:
    """Quick and tiny, but real: both trainings run, judge the same images, and the comparison reads them."""
    from bloodapp.evaluate.effect import effect, pairs, sentence

    recipe: Recipe = replace(RECIPE, model="tiny", pipeline="none", precision="float32")
    record(tiny, [8, 10, 13, 15], "exclude")
    record(tiny, list(range(16, 24)), "relabel", label=1)
    start_pair(tiny, recipe, shrink=True)
    (pair,) = pairs(tiny)
    assert not pair.done
    for run in (pair.before, pair.after):
        assert jobs.step().id == run.name
    assert pair.done
    result = effect(pair)
    assert result.part == "test" and len(result.labels) == len(result.clean.before) > 0
    assert result.shifted is not None
    split = pair.before.split()
    assert sorted(result.index) == sorted(split.loc[split["part"] == "test", "index"])
    assert f"{len(result.labels)} test images" in sentence(result.clean.overall, result.part) or (
        "Cleaning" in sentence(result.clean.overall, result.part)
    )


def test_no_clock_ends_a_half(tiny: Dataset) -> None:
    """A limit in minutes becomes the same number of epochs for both, by the speed that a like run had here."""
    assert untimed(replace(RECIPE, minutes=0.0, epochs=7), 100).epochs == 7
    guessed = untimed(replace(RECIPE, minutes=10.0, epochs=40), 10_000)
    assert (guessed.minutes, guessed.epochs) == (0.0, 15)
    assert untimed(replace(RECIPE, minutes=10.0, epochs=40), 100).epochs == 40
    like = make_run(tiny, "like", recipe=settings(RECIPE))
    write_json(like.folder / "report.json", {**(like.report() or {}), "images_per_s": 100.0})
    assert untimed(replace(RECIPE, minutes=10.0, epochs=40), 10_000).epochs == 6
    record(tiny, list(range(8, 24)), "exclude")
    halves = [run.config["recipe"] for run in start_pair(tiny, replace(RECIPE, minutes=10.0, epochs=40))]
    assert [(half["minutes"], half["epochs"]) for half in halves] == [(0.0, 40)] * 2
