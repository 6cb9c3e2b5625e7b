"""Groups of look-alikes, and splits that never part them."""

from pathlib import Path

import numpy as np
import pytest

from bloodapp.data.dataset import Dataset
from bloodapp.data.importing import import_source
from bloodapp.data.split import duplicate_groups, folds, split
from bloodapp.errors import InvalidValue


def shares(parts: np.ndarray) -> list[float]:
    """The shares of train, val and test."""
    return [float((parts == part).mean()) for part in ("train", "val", "test")]


def test_copies_share_a_group(tiny: Dataset) -> None:
    """The same pixels share a number whatever their labels; numbers run in the order of the images."""
    groups = duplicate_groups(tiny)
    assert groups.dtype == np.int64
    assert groups[0] == groups[46] == groups[47] == 0
    assert groups[:46].tolist() == list(range(46))


def test_near_copies_and_children_share_a_group(home: Path, tmp_path: Path, tiny_cells: tuple) -> None:
    """A slightly brighter copy joins its original, at distance 0 it does not; a child joins its parent."""
    images = tiny_cells[0][:40].copy()
    images[39] = np.clip(images[3].astype(int) + 6, 0, 255)
    file = tmp_path / "near.npz"
    np.savez(file, images=images, labels=tiny_cells[1][:40])
    dataset = import_source(file)
    assert duplicate_groups(dataset)[39] == 3
    bits = bin(int(dataset.items["phash"][3]) ^ int(dataset.items["phash"][39])).count("1")
    if bits:
        assert duplicate_groups(dataset, distance=0)[39] != 3
    items = dataset.items.copy()
    items.loc[20, "parent"] = 10
    items.to_parquet(dataset.path / "items.parquet", index=False)
    del dataset.__dict__["items"]
    assert duplicate_groups(dataset)[20] == 10


def test_real_cells_do_not_run_together(home: Path, course_npz: Path) -> None:
    """Of the course file the two memes are two groups, and no chain of look-alikes swallows real cells."""
    groups = duplicate_groups(import_source(course_npz))
    memes, sizes = np.unique(groups[11_959:], return_counts=True)
    assert sorted(sizes) == [200, 1600]
    assert not np.isin(groups[:11_959], memes).any()
    assert np.bincount(groups[:11_959]).max() <= 3


@pytest.mark.parametrize("ratios", [(0.7, 0.15, 0.15), (0.8, 0.2, 0), (1, 0, 0), (8, 1, 1)])
def test_ratios_are_met_in_every_class(ratios: tuple[float, ...]) -> None:
    """Each class is divided as asked, to within one image."""
    labels = np.repeat(np.arange(5), [1000, 333, 71, 20, 10])
    parts = split(labels, np.arange(len(labels)), ratios, seed=1)
    for label in range(5):
        mine = parts[labels == label]
        for part, share in zip(("train", "val", "test"), np.array(ratios) / sum(ratios), strict=True):
            assert abs((mine == part).sum() - share * len(mine)) <= 1


def test_groups_are_never_parted() -> None:
    """Random groups, large ones and ones over several classes among them, stay whole; ratios hold nearly."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 8, 5000)
    groups = np.concatenate([rng.integers(0, 1500, 4000), np.full(400, 9999), rng.integers(5000, 9000, 600)])
    parts = split(labels, groups, (0.7, 0.15, 0.15), seed=3)
    for group in np.unique(groups):
        assert len(set(parts[groups == group])) == 1
    for label in range(8):
        assert shares(parts[labels == label]) == pytest.approx([0.7, 0.15, 0.15], abs=0.03)


def test_one_group_beyond_all_ratios() -> None:
    """A group that is most of the data goes to training, and the rest fills the other parts."""
    groups = np.concatenate([np.zeros(80, int), np.arange(1, 21)])
    parts = split(np.zeros(100, int), groups, (0.7, 0.15, 0.15), seed=0)
    assert set(parts[:80]) == {"train"}
    assert (parts == "val").sum() == (parts == "test").sum() == 10


def test_the_same_seed_gives_the_same_split() -> None:
    """A split can be made again; another seed gives another one."""
    labels, groups = np.arange(200) % 4, np.arange(200) // 2
    first = split(labels, groups, seed=5)
    assert (first == split(labels, groups, seed=5)).all()
    assert (first != split(labels, groups, seed=6)).any()


def test_the_numbers_of_groups_do_not_matter() -> None:
    """Group numbers are names only: other numbers for the same groups give the same split."""
    groups = np.arange(100) // 3
    assert (split(np.zeros(100, int), groups) == split(np.zeros(100, int), 1000 - 7 * groups)).all()


def test_given_parts_are_kept() -> None:
    """Images with a part keep it; the rest is divided so that the whole meets the ratios, groups with them."""
    labels = np.zeros(100, int)
    given = np.array(["test"] * 10 + [""] * 90)
    groups = np.arange(100)
    groups[50] = 0  # a copy of a test image
    parts = split(labels, groups, (0.7, 0.15, 0.15), parts=given)
    assert (parts[:10] == "test").all()
    assert parts[50] == "test"
    assert [(parts == part).sum() for part in ("train", "val", "test")] == [70, 15, 15]


def test_all_given_parts_are_returned() -> None:
    """Where every image has a part there is nothing to do, even for copies that lie in two."""
    given = np.array(["train", "val", "train", "val"])
    assert (split(np.zeros(4, int), np.zeros(4, int), parts=given) == given).all()


def test_validation_is_taken_out_of_training_where_none_is_given() -> None:
    """Given train and test only, training gives up its share for validation; test stays."""
    given = np.array(["train"] * 80 + ["test"] * 20)
    parts = split(np.zeros(100, int), np.arange(100), (0.75, 0.25, 0), parts=given)
    assert (parts[80:] == "test").all()
    assert (parts == "val").sum() == 20


def test_tiny_inputs() -> None:
    """No images, one image and one image a class still give parts."""
    assert split(np.zeros(0, int), np.zeros(0, int)).shape == (0,)
    assert split(np.zeros(1, int), np.zeros(1, int)).tolist() == ["train"]
    assert set(split(np.arange(8), np.arange(8))) == {"train"}


@pytest.mark.parametrize("ratios", [(0, 1, 1), (1, -1, 1), (1, 1), (float("nan"), 1, 1)])
def test_impossible_ratios(ratios: tuple[float, ...]) -> None:
    """Ratios that cannot be are refused."""
    with pytest.raises(InvalidValue, match="three numbers"):
        split(np.zeros(4, int), np.arange(4), ratios)


@pytest.mark.parametrize("seed", range(12))
def test_folds_hold_what_they_promise(seed: int) -> None:
    """Whatever the labels and groups: each image that is not test is in one fold, groups whole, classes by share."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 7))
    labels = rng.choice(5, 900, p=rng.dirichlet(np.full(5, 3.0)))
    groups = np.where(rng.random(900) < 0.7, np.arange(900), rng.integers(0, 200, 900))
    share = float(rng.choice([0.0, 0.1, 0.25]))
    fold = folds(labels, groups, count, test_share=share, seed=seed)
    assert set(fold.tolist()) == {*range(count), *([-1] if share else [])}
    assert np.mean(fold < 0) == pytest.approx(share, abs=0.02)
    for group in np.unique(groups):
        assert len(set(fold[groups == group])) == 1
    sizes = np.bincount(fold[fold >= 0], minlength=count)
    assert sizes.max() - sizes.min() <= 2
    for label in range(5):
        mine = fold[(labels == label) & (fold >= 0)]
        if len(mine) > 60:
            assert np.abs(np.bincount(mine, minlength=count) - len(mine) / count).max() <= 3
    assert (fold == folds(labels, groups, count, test_share=share, seed=seed)).all()
    assert (fold != folds(labels, groups, count, test_share=share, seed=seed + 100)).any()


def test_folds_of_few_images_are_of_one_size() -> None:
    """Six images of each of eight classes in five folds: none gets all that is over."""
    fold = folds(np.arange(48) % 8, np.arange(48), 5)
    assert sorted(np.bincount(fold)) == [9, 9, 10, 10, 10]


def test_folds_keep_a_given_test_part() -> None:
    """Nothing is taken beside it; copies of test images go with them; what was train or val is dealt anew."""
    parts = np.array(["test"] * 10 + ["train"] * 40 + ["val"] * 40 + [""] * 10)
    groups = np.arange(100)
    groups[95] = 3  # a copy of a test image
    fold = folds(np.zeros(100, int), groups, 4, test_share=0.5, parts=parts)
    assert np.flatnonzero(fold < 0).tolist() == [*range(10), 95]
    assert all(len(set(fold[some])) == 4 for some in (slice(10, 50), slice(50, 90)))


def test_impossible_folds() -> None:
    """One fold is none, and there must be a group for each."""
    with pytest.raises(InvalidValue, match="at least two folds"):
        folds(np.zeros(9, int), np.arange(9), 1)
    with pytest.raises(InvalidValue, match="too few for 5 folds"):
        folds(np.zeros(9, int), np.arange(9) % 4, 5)
