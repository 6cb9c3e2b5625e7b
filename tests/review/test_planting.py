"""Planting: the same seed gives the same copy, and its truth says neither too little nor too much."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bloodapp.cli import main
from bloodapp.data.dataset import Dataset, list_datasets, open_dataset
from bloodapp.data.importing import import_source
from bloodapp.errors import AlreadyExists, InvalidValue, Stopped
from bloodapp.review.foreign import FAMILIES, MEMES
from bloodapp.review.measures import likeness
from bloodapp.review.planting import count_faults, plant
from bloodapp.review.truth import known_faults

PER_KIND = ("near_duplicate", "blend", "blurred", "dark", "bright", "mislabelled")


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One workspace for all tests that only read: drawing the sample takes a second."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("planting")
        patch.setenv("BLOODAPP_HOME", str(folder / "home"))
        yield folder


@pytest.fixture(scope="module")
def cells(shared_home: Path) -> Dataset:
    """200 good cells of the sample, each with a part."""
    sample = import_source("sample", name="sample")
    assert sample.truth is not None
    good = np.setdiff1d(np.arange(len(sample)), sample.truth["index"])[:200]
    file = shared_home / "cells.npz"
    # As MedMNIST has it, so that images come with parts.
    arrays = {}
    for part, chosen in (("train", good[:140]), ("val", good[140:170]), ("test", good[170:])):
        arrays[f"{part}_images"] = sample.images[chosen]
        arrays[f"{part}_labels"] = sample.labels[chosen][:, None].astype(np.uint8)
    np.savez(file, **arrays)
    return import_source(file, name="cells")


@pytest.fixture(scope="module")
def planted(cells: Dataset) -> Dataset:
    """The cells with the usual share of faults."""
    return plant(cells, "planted", seed=5)


def known(dataset: Dataset) -> pd.DataFrame:
    """The truth with the column `planted`."""
    assert dataset.truth is not None
    return known_faults(dataset.truth, dataset.labels)


def test_about_a_quarter_is_at_fault_in_the_usual_shares(planted: Dataset) -> None:
    """Of 200 cells 60 faults are made; every fault is counted once under its main kind."""
    faults = known(planted)
    faults = faults[faults["planted"]]
    assert count_faults(planted) == 60
    assert 0.24 < count_faults(planted) / len(planted) < 0.28
    counts = Counter(faults["kind"])
    assert {kind: counts[kind] for kind in PER_KIND} == {
        "near_duplicate": 11,
        "blend": 7,
        "blurred": 8,
        "dark": 4,
        "bright": 3,
        "mislabelled": 9,
    }
    assert counts["foreign"] == 7 and counts["exact_duplicate"] == 11


def test_the_same_seed_gives_the_same_copy(cells: Dataset, planted: Dataset) -> None:
    """Images, labels and truth repeat themselves; another seed gives others."""
    again, other = plant(cells, "again", seed=5), plant(cells, "other", seed=6)
    assert again.fingerprint == planted.fingerprint
    assert known(again).equals(known(planted))
    assert other.fingerprint != planted.fingerprint


def test_what_the_truth_does_not_name_is_untouched(cells: Dataset, planted: Dataset) -> None:
    """Each of the other images has the pixels, label, part and facts of one of the originals, and none is missing."""
    listed = set(known(planted).loc[known(planted)["planted"], "index"])
    rest = [index for index in range(len(planted)) if index not in listed]
    columns = ["sha256", "phash", "name", "width", "height", "mode", "label", "part"]
    originals = set(cells.items[columns].itertuples(index=False, name=None))
    kept = list(planted.items.loc[rest, columns].itertuples(index=False, name=None))
    assert set(kept) <= originals and len(set(kept)) == len(kept)
    in_place = known(planted)["kind"].isin(["blend", "blurred", "dark", "bright", "mislabelled"]).sum()
    assert len(kept) == len(cells) - in_place


def test_copies_are_what_they_are_called(planted: Dataset) -> None:
    """Exact copies share every pixel, near copies look alike and differ; both keep label and part."""
    truth, items = known(planted), planted.items
    for (kind, _), rows in truth[truth["group"] >= 0].groupby(["kind", "group"]):
        members = rows["index"].to_numpy()
        assert len(members) > 1
        assert len(set(items.loc[members, "part"])) == 1
        if kind == "near_duplicate":
            views = likeness(planted.images[members])
            assert (views @ views.T).min() > 0.9
            assert len(set(items.loc[members, "sha256"])) == len(members)
            assert len(set(items.loc[members, "label"])) == 1
            assert (~rows["planted"]).sum() == 1
        else:
            assert len(set(items.loc[members, "sha256"])) == 1


def test_no_picture_is_there_twice_unless_the_truth_says_so(planted: Dataset) -> None:
    """Whatever shares its pixels with another image is an exact duplicate by the truth."""
    twice = np.flatnonzero(planted.items["sha256"].duplicated(keep=False))
    truth = known(planted)
    assert set(twice) == set(truth.loc[truth["kind"] == "exact_duplicate", "index"])


def test_spoilt_images_differ_from_their_originals(cells: Dataset, planted: Dataset) -> None:
    """Blurred images have softer steps than their original, dark ones less light, bright ones more; labels stay."""
    truth = known(planted)
    by_name = {name: index for index, name in enumerate(cells.items["name"])}

    def light(images: np.ndarray) -> np.ndarray:
        return images.mean(axis=(1, 2, 3))

    def steps(images: np.ndarray) -> np.ndarray:
        return np.abs(np.diff(images.astype(float), axis=2)).mean(axis=(1, 2, 3))

    for kind, figure, most, least in (
        ("blurred", steps, 0.8, 0),
        ("dark", light, 0.9, 0),
        ("bright", light, np.inf, 1.05),
        ("blend", lambda images: images.std(axis=(1, 2, 3)), np.inf, 0),
    ):
        spoilt = truth.loc[truth["kind"] == kind, "index"].to_numpy()
        before = [by_name[name] for name in planted.items.loc[spoilt, "name"]]
        ratio = figure(planted.images[spoilt]) / figure(cells.images[before])
        assert ((ratio < most) & (ratio > least)).all(), kind
        assert (planted.labels[spoilt] == cells.labels[before]).all()
        assert (planted.images[spoilt] != cells.images[before]).any(axis=(1, 2, 3)).all()


def test_wrong_labels_are_wrong_and_nothing_else(cells: Dataset, planted: Dataset) -> None:
    """The pixels are the original's, the label is another, the truth knows the right one."""
    truth = known(planted)
    wrong = truth[truth["kind"] == "mislabelled"]
    given = planted.labels[wrong["index"]]
    right = dict(zip(cells.items["sha256"], cells.labels, strict=True))
    pixels = planted.items.loc[wrong["index"], "sha256"]
    assert [right[one] for one in pixels] == wrong["true_label"].tolist()
    assert (given != wrong["true_label"]).all() and (given >= 0).all()


def test_memes_come_again_and_again_under_many_labels(cells: Dataset) -> None:
    """With many faults there are groups of 5 to 20 that are foreign, duplicates and in conflict."""
    truth = known(plant(cells, "many", seed=1, faults=180))
    memes = truth[(truth["kind"] == "foreign") & (truth["group"] >= 0)]
    sizes = memes["group"].value_counts()
    assert len(sizes) and sizes.between(5, 20).all()
    for group in sizes.index:
        kinds = truth[truth["group"] == group].groupby("index")["kind"].apply(set)
        assert all(one == {"foreign", "exact_duplicate", "label_conflict"} for one in kinds)


def test_what_was_known_before_stays_known(planted: Dataset) -> None:
    """Planted in once more, the first faults are carried over, and no image gets a second one."""
    before, more = known(planted), plant(planted, "more", seed=2, faults=40)
    after = known(more)
    assert count_faults(more) == count_faults(planted) + 40
    assert (after["kind"].value_counts() - before["kind"].value_counts()).ge(0).all()
    assert not after.duplicated(["index", "kind"]).any()
    once = after[after["kind"].isin(PER_KIND) & after["planted"]]
    assert not once["index"].duplicated().any()
    for _, rows in after[after["kind"] == "exact_duplicate"].groupby("group"):
        assert more.items.loc[rows["index"], "sha256"].nunique() == 1


def test_foreign_pictures_are_all_different() -> None:
    """Each family draws another picture for another seed, the same for the same, at any size."""
    for family in FAMILIES:
        first, again, other = (family(np.random.default_rng(seed), 96) for seed in (1, 1, 2))
        assert first.shape == (96, 96, 3) and first.dtype == np.uint8
        assert np.array_equal(first, again) and not np.array_equal(first, other)
        assert family(np.random.default_rng(1), 64).shape == (64, 64, 3)
    assert all(meme(np.random.default_rng(1), 32).shape == (32, 32, 3) for meme in MEMES)


def test_a_dataset_of_one_class_gets_no_wrong_labels(tiny: Dataset, tmp_path: Path) -> None:
    """There is no other label to give; the faults are of the other kinds, as many as asked for."""
    file = tmp_path / "one.npz"
    np.savez(file, images=tiny.images[:40], labels=np.zeros((40, 1), np.uint8))
    made = plant(import_source(file), "made", faults=20)
    assert "mislabelled" not in set(known(made)["kind"])
    assert count_faults(made) == 20


def test_what_was_there_twice_is_known_and_left_alone(tiny: Dataset) -> None:
    """Three images of the tiny dataset are one picture under two labels: the truth says so, and no more."""
    made = plant(tiny, "made", faults=45)
    truth = known(made)
    same = np.flatnonzero(made.items["sha256"] == tiny.items["sha256"][0])
    rows = truth[truth["index"].isin(same)]
    assert len(same) == 3
    assert Counter(rows["kind"]) == {"exact_duplicate": 3, "label_conflict": 3}
    assert rows["group"].nunique() == 1 and set(rows["true_label"]) == {-1}
    assert Counter(rows.loc[rows["planted"], "kind"]) == {"exact_duplicate": 2, "label_conflict": 3}
    assert count_faults(made) == 48
    with pytest.raises(InvalidValue, match="45 images"):
        plant(tiny, "more", faults=46)


def test_a_taken_name_is_refused(tiny: Dataset) -> None:
    """Planting replaces nothing."""
    with pytest.raises(AlreadyExists):
        plant(tiny, "tiny")


def test_a_stopped_planting_leaves_nothing(tiny: Dataset, home: Path) -> None:
    """Neither a dataset nor a hidden folder stays."""
    with pytest.raises(Stopped):
        plant(tiny, "made", stopped=lambda: True)
    assert list_datasets() == ["tiny"]
    assert [path.name for path in (home / "datasets").iterdir() if path.name.startswith(".m")] == []


def test_a_killed_planting_leaves_no_dataset(tiny: Dataset) -> None:
    """Killed in the middle, there is no dataset of that name, and planting again works."""
    code = """
import sys
from bloodapp.data.dataset import open_dataset
from bloodapp.review.planting import plant

def progress(done, total, text):
    print("at work", flush=True)
    sys.stdin.readline()

plant(open_dataset("tiny"), "made", progress=progress)
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "at work\n"
        child.kill()
    assert list_datasets() == ["tiny"]
    assert len(plant(tiny, "made")) > len(tiny)


def test_the_command_line_says_what_was_planted(tiny: Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    """Name, images and faults on stdout, the kinds on stderr; a mistake is one line and 2."""
    assert main(["plant", "tiny", "--name", "made", "--seed", "3", "--faults", "10"]) == 0
    said = capsys.readouterr()
    made = open_dataset("made")
    assert said.out.split() == ["made", str(len(made)), "images", "13", "faulty"]
    assert "mislabelled" in said.err
    assert main(["plant", "tiny", "--name", "made"]) == 2
    assert "choose another name" in capsys.readouterr().err
