"""Expansion: originals and their copies in one dataset, the same every time, never parted, whole or not at all."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bloodapp import jobs
from bloodapp.augment.expand import BLOCK, MOST_COPIES, expand, plan
from bloodapp.augment.preview import preview
from bloodapp.data import importing
from bloodapp.data.dataset import Dataset, list_datasets, open_dataset
from bloodapp.data.decisions import record
from bloodapp.data.importing import import_source
from bloodapp.data.split import duplicate_groups
from bloodapp.errors import AlreadyExists, InvalidValue, PipelineError, SourceError, Stopped
from bloodapp.review.scan import scan
from bloodapp.train.launch import plan_split
from bloodapp.train.recipes import RECIPES
from bloodapp.train.settings import with_settings
from tests.conftest import draw_tiny_cells

PIPELINE = "flip|brightness(0.3)"


@pytest.fixture(scope="module")
def module_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One workspace for the tests that only read."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("expand")
        patch.setenv("BLOODAPP_HOME", str(folder / "home"))
        yield folder


@pytest.fixture(scope="module")
def cells(module_home: Path) -> Dataset:
    """70 cells in given parts, of which image 3 is excluded and image 5 relabelled as 0."""
    images, labels = (
        np.concatenate(both) for both in zip(draw_tiny_cells(1), draw_tiny_cells(2), strict=True)
    )
    rng = np.random.default_rng(0)
    order = rng.permutation(np.setdiff1d(np.arange(96), [46, 47, 94, 95]))[:70]
    arrays = {}
    for part, rows in (("train", order[:40]), ("val", order[40:55]), ("test", order[55:])):
        arrays |= {f"{part}_images": images[rows], f"{part}_labels": labels[rows][:, None]}
    np.savez(module_home / "cells.npz", **arrays)
    dataset = import_source(module_home / "cells.npz", name="cells")
    record(dataset, [3], "exclude")
    record(dataset, [5], "relabel", label=0)
    return dataset


@pytest.fixture(scope="module")
def expanded(cells: Dataset) -> Dataset:
    """Two copies of each of them by each of two pipelines."""
    return expand(cells, "expanded", (PIPELINE, "noise(20)"), copies=2, seed=4)


def remaining(dataset: Dataset) -> np.ndarray:
    """The rows of the cells that remain."""
    return np.setdiff1d(np.arange(len(dataset)), [3])


def test_originals_come_first_as_they_are_decided(cells: Dataset, expanded: Dataset) -> None:
    """The included images in their order, with their pixels, names and parts, labels as decided, and no parent."""
    rows = remaining(cells)
    count = len(rows)
    assert len(expanded) == 5 * count
    assert np.array_equal(expanded.images[:count], cells.images[rows])
    kept = ["sha256", "phash", "name", "width", "height", "mode", "part"]
    assert (
        expanded.items.loc[: count - 1, kept].to_numpy().tolist()
        == cells.items.loc[rows, kept].to_numpy().tolist()
    )
    labels = cells.labels.copy()
    labels[5] = 0
    assert np.array_equal(expanded.labels[:count], labels[rows])
    assert (expanded.parents[:count] == -1).all()


def test_a_copy_has_its_parents_label_part_and_a_name_of_its_own(expanded: Dataset) -> None:
    """Each copy names the row of its original in the new dataset; four of each, numbered, none like its original."""
    count = len(expanded) // 5
    parents = expanded.parents[count:]
    assert np.array_equal(parents, np.tile(np.arange(count), 4))
    for column in ("label", "part", "width"):
        values = expanded.items[column].to_numpy()
        assert (values[count:] == values[parents]).all()
    names = expanded.items["name"]
    assert names[count + 1] == f"{names[1]}~augmented-1" and names[4 * count + 1] == f"{names[1]}~augmented-4"
    assert (expanded.images[count:] != expanded.images[parents]).any(axis=(1, 2, 3)).mean() > 0.95


def test_copies_are_what_the_preview_draws(cells: Dataset, expanded: Dataset) -> None:
    """A block of a copy is the batch of that number in the epoch of that number, drawn by the layers that train."""
    rows = remaining(cells)
    count = len(rows)
    labels = expanded.labels[:count]
    for number, pipeline in ((1, PIPELINE), (2, "noise(20)"), (3, PIPELINE)):
        for block, start in enumerate(range(0, count, BLOCK)):
            chosen = slice(start, min(start + BLOCK, count))
            drawn, _ = preview(
                cells.images[rows[chosen]], labels[chosen], 8, pipeline, 4, epoch=number, batch=block
            )
            at = number * count
            assert np.array_equal(drawn, expanded.images[at + chosen.start : at + chosen.stop])


def test_the_same_arguments_give_the_same_dataset(cells: Dataset, expanded: Dataset) -> None:
    """Images and labels repeat themselves, bit for bit; another seed gives others."""
    again = expand(cells, "again", (PIPELINE, "noise(20)"), copies=2, seed=4)
    assert again.fingerprint == expanded.fingerprint
    assert again.items.equals(expanded.items)
    other = expand(cells, "other", (PIPELINE, "noise(20)"), copies=2, seed=5)
    assert other.fingerprint != expanded.fingerprint


def test_the_record_says_how_it_was_made(cells: Dataset, expanded: Dataset) -> None:
    """Kind, the dataset it comes from, its fingerprint and last decision, pipelines as text, copies and seed."""
    told = expanded.source
    assert (told["kind"], told["dataset"], told["fingerprint"]) == ("augmented", "cells", cells.fingerprint)
    assert (told["seq"], told["copies"], told["balance"], told["seed"]) == (2, 2, False, 4)
    assert told["pipelines"] == [PIPELINE, "noise(20)"] and told["drawn"] == 4 * len(remaining(cells))


@pytest.mark.parametrize("keep_parts", [True, False])
@pytest.mark.parametrize("seed", [1, 2])
def test_no_split_parts_a_copy_from_its_original(expanded: Dataset, keep_parts: bool, seed: int) -> None:
    """Whatever the split, given or drawn, copies lie beside their original in train, and nowhere else."""
    recipe = with_settings(RECIPES["balanced"], {"keep_parts": keep_parts, "seed": seed, "val_share": 0.3})
    chosen, _ = plan_split(expanded, recipe)
    part = chosen.set_index("index")["part"]
    assert set(part) == {"train", "val", "test"}
    parents = pd.Series(expanded.parents)
    copied = parents[parents >= 0]
    original_trains = part.reindex(copied).to_numpy() == "train"
    assert np.array_equal(copied.index.isin(part.index), original_trains) and original_trains.any()
    assert (part[copied.index[original_trains]] == "train").all()


def test_a_copy_of_an_expanded_dataset_keeps_families_together(cells: Dataset, expanded: Dataset) -> None:
    """Expanded again without some originals, and imported by its name, families are the same as they were."""
    twice = expand(cells, "once", PIPELINE, seed=9)
    count = len(remaining(cells))
    record(twice, [0, 1], "exclude")
    again = expand(twice, "twice", "noise(9)", balance=False)
    assert len(again) == 2 * (2 * count - 2)
    family = np.concatenate([np.arange(2, count), np.arange(count)])
    expected = np.concatenate([family, family])
    for made in (again, import_source("twice", name="thrice")):
        groups = duplicate_groups(made, distance=0)
        same = groups[:, None] == groups[None]
        assert np.array_equal(same, expected[:, None] == expected[None])


def test_without_the_originals_copies_still_know_each_other(cells: Dataset) -> None:
    """The first copy of an image stands for it: later ones name it as their parent."""
    made = expand(cells, "copies-only", PIPELINE, copies=3, originals=False)
    count = len(remaining(cells))
    assert len(made) == 3 * count
    assert (made.parents[:count] == -1).all()
    assert np.array_equal(made.parents[count:], np.tile(np.arange(count), 2))


def test_balancing_copies_small_classes_evenly(cells: Dataset) -> None:
    """Every class comes to the largest one's size, its images copied about as often; the largest gets none."""
    made = expand(cells, "even", (PIPELINE, "noise(20)"), balance=True)
    planned = plan(cells, PIPELINE, balance=True)
    assert len(set(np.bincount(made.labels))) == 1
    assert np.array_equal(planned.after, np.bincount(made.labels))
    largest = planned.before.argmax()
    times = np.bincount(made.parents[made.parents >= 0], minlength=len(planned.rows))
    assert np.array_equal(times, planned.times)
    for label in range(8):
        mine = times[planned.labels == label]
        assert np.ptp(mine) <= 1 and (label != largest or not mine.any())
    assert not len(planned.short)


def test_balancing_stops_at_fifty_copies_of_an_image(home: Path, tmp_path: Path) -> None:
    """A class of one image beside one of 120 comes to 51, and the plan says that it stays smaller."""
    images, _ = draw_tiny_cells()
    labels = np.zeros(121, np.uint8)
    labels[0] = 1
    np.savez(tmp_path / "one.npz", images=np.resize(images, (121, 96, 96, 3)), labels=labels[:, None])
    planned = plan(import_source(tmp_path / "one.npz"), "flip", balance=True)
    assert planned.after[:2].tolist() == [120, 1 + MOST_COPIES] and planned.short.tolist() == [1]
    assert planned.copies == MOST_COPIES


@pytest.mark.parametrize(
    ("pipeline", "options", "said"),
    [
        ("r4", {}, r"fouriermix, cutmix.*one label.*train with"),
        ("none", {}, "changes nothing"),
        ("off(noise(12))", {}, "changes nothing"),
        ("sometimes(0.5; flip(0))", {}, "changes nothing"),
        ("none", {"balance": True}, "changes nothing"),
        ((), {}, "at least one pipeline"),
        ("flip", {"copies": 0}, "from 1 to 50"),
        ("flip", {"copies": 51}, "from 1 to 50"),
        ("flip", {"seed": -1}, "seed"),
    ],
)
def test_what_makes_no_sense_is_refused(cells: Dataset, pipeline: str, options: dict, said: str) -> None:
    """Mixed labels, pipelines that do nothing and numbers out of their bounds: one sentence, nothing made."""
    with pytest.raises(InvalidValue, match=said):
        expand(cells, "refused", pipeline, **options)
    assert "refused" not in list_datasets()


def test_names_and_empty_datasets_are_refused(tiny: Dataset) -> None:
    """A bad or taken name, its own name, a text that cannot be read, and a dataset of which nothing is left."""
    with pytest.raises(InvalidValue, match="cannot be used as a name"):
        expand(tiny, "../out", "flip")
    with pytest.raises(AlreadyExists):
        expand(tiny, "tiny", "flip")
    with pytest.raises(InvalidValue, match="its own copies"):
        expand(tiny, "tiny", "flip", replace=True)
    with pytest.raises(PipelineError):
        expand(tiny, "made", "flip|")
    one_each = [int(np.flatnonzero(tiny.labels == label)[0]) for label in range(8)]
    record(tiny, np.setdiff1d(np.arange(48), one_each), "exclude")
    with pytest.raises(InvalidValue, match="equally many"):
        expand(tiny, "made", "flip", balance=True)
    record(tiny, one_each, "exclude")
    with pytest.raises(InvalidValue, match="left to copy"):
        expand(tiny, "made", "flip")
    assert list_datasets() == ["tiny"]


def test_a_stopped_expansion_leaves_nothing(tiny: Dataset, home: Path) -> None:
    """Stopped while copies are drawn, neither a dataset nor a hidden folder stays."""
    seen: list[str] = []
    with pytest.raises(Stopped, match="nothing of 'made' was kept"):
        expand(
            tiny,
            "made",
            "flip",
            copies=50,
            progress=lambda done, total, text: seen.append(text),
            stopped=lambda: bool(seen) and seen[-1].startswith("Drawing copies"),
        )
    assert "Loading the layers that train" in seen
    assert sorted(path.name for path in (home / "datasets").iterdir()) == [".lock", "tiny"]


def test_a_full_disk_is_said_in_a_sentence(
    tiny: Dataset, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is needed and what is free; nothing stays."""
    monkeypatch.setattr(importing, "_RESERVE", 1 << 60)
    with pytest.raises(SourceError, match="GB of disk"):
        expand(tiny, "made", "flip")
    assert list_datasets() == ["tiny"]


def test_a_killed_expansion_leaves_no_dataset(tiny: Dataset) -> None:
    """Killed in the middle there is no dataset of that name, and the next attempt sweeps what lay about."""
    code = """
import sys
from bloodapp.augment.expand import expand
from bloodapp.data.dataset import open_dataset

def progress(done, total, text):
    if done >= 48:
        print("at work", flush=True)
        sys.stdin.readline()

expand(open_dataset("tiny"), "made", "flip", progress=progress)
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "at work\n"
        child.kill()
    assert list_datasets() == ["tiny"]
    made = expand(tiny, "made", "flip")
    assert len(made) == 96
    assert sorted(path.name for path in made.path.parent.iterdir()) == [".lock", "made", "tiny"]


def test_the_job_expands(tiny: Dataset) -> None:
    """The job `expand` makes the dataset, tells how far it is, and says what it made; a refusal is its error."""
    params = {"dataset": "tiny", "name": "made", "pipelines": ["flip"], "copies": 2}
    job = jobs.submit("expand", params)
    jobs.step()
    assert job.status()["result"] == {"dataset": "made", "count": 144, "copies": 96}
    assert open_dataset("made").source["dataset"] == "tiny"
    again = jobs.submit("expand", params)
    jobs.step()
    assert again.state() == "failed" and "choose another name" in again.status()["error"]


def test_a_scan_leaves_remembered_copies_alone(tiny: Dataset) -> None:
    """The scan finds in an expanded dataset what it finds in the originals, image by image, and no copy of ours."""
    before = scan(tiny)
    made = expand(tiny, "made", "noise(6)", copies=2)
    after = scan(made)
    columns = ["index", "kind", "group", "suggested", "reason"]
    assert len(before) and after[columns].equals(before[columns])
    assert np.allclose(after["score"], before["score"])
