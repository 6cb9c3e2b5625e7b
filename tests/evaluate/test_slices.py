"""Slices hold what they say, and a planted loss is found while chance is not."""

import numpy as np
import pytest
from scipy import stats

from bloodapp.classes import DEFAULT_CLASSES
from bloodapp.evaluate import slices
from bloodapp.evaluate.slices import Slice


def test_fifths_hold_a_fifth_each_and_equal_values_together() -> None:
    """The lowest values are in the first; ties are not torn; NaN is nowhere and among no others."""
    values = np.r_[np.arange(100.0), np.nan]
    some = slices.fifths("brightness", values, slices.BRIGHTNESS)
    assert [one.inside.sum() for one in some] == [20] * 5
    assert some[0].inside[:20].all()
    assert not some[0].known[100]
    tied = slices.fifths("brightness", np.r_[np.zeros(90), np.arange(10.0)], slices.BRIGHTNESS)
    assert tied[0].inside[:91].all()
    assert slices.fifths("brightness", np.full(9, 3.0), slices.BRIGHTNESS) == []
    assert slices.fifths("brightness", np.full(9, np.nan), slices.BRIGHTNESS) == []


def test_sources_are_folders_but_not_those_of_parts_and_classes() -> None:
    """`train/basophil/slide 1/x.png` comes from slide 1; without folders there is no source."""
    names = [
        "train/basophil/slide 1/a.png",
        "test/ig/slide 1/b.png",
        "slide 2/Neutrophils/c.png",
        "platelet/d.png",
    ]
    some = slices.by_source(names, DEFAULT_CLASSES)
    assert {one.title: np.flatnonzero(one.inside).tolist() for one in some} == {
        "slide 1": [0, 1],
        "slide 2": [2],
        "no folder": [3],
    }
    assert slices.by_source(["0", "1"], DEFAULT_CLASSES) == []
    many = slices.by_source([f"s{i // 2}/x{i}.png" for i in range(80)], DEFAULT_CLASSES)
    assert len(many) == slices.MOST_SOURCES + 1
    assert sum(one.inside.sum() for one in many) == 80


def test_sizes_are_named_where_they_are_few() -> None:
    """Two sizes are two slices, many are fifths of the longer side, one is none."""
    assert [one.title for one in slices.by_size([96, 96, 64], [96, 96, 80])] == ["96 × 96", "64 × 80"]
    assert [one.title for one in slices.by_size(range(50), [1] * 50)] == list(slices.SIZES)
    assert slices.by_size([96, 96], [96, 96]) == []


def test_a_planted_loss_comes_first_and_is_sure() -> None:
    """A slice with three times the mistakes is on top, with an interval below 0 and a small adjusted p."""
    rng = np.random.default_rng(1)
    inside = np.arange(3000) < 400
    right = rng.random(3000) < np.where(inside, 0.8, 0.93)
    chance = [Slice("finding", f"{k}", rng.random(3000) < 0.2) for k in range(12)]
    table = slices.judge([*chance, Slice("brightness", "dark", inside)], right)
    first = table.iloc[0]
    assert first["place"] == 12
    assert first["n"] == 400
    assert first["difference_high"] < 0
    assert first["adjusted"] < 0.001
    assert first["accuracy"] == right[inside].mean()
    assert first["rest"] == right[~inside].mean()
    assert (table["difference_low"] < table["difference"]).all()


def test_a_hard_class_is_told_from_a_hard_kind_of_image() -> None:
    """A slice that is low only because it holds the hard class is expected to be as low; a hard slice is not."""
    labels = np.tile([0, 1], 500)
    hard = np.arange(1000) < 200
    right = (labels == 0) | (np.arange(1000) % 4 == 1)
    mostly = np.flatnonzero(labels == 1)[:300]
    inside = np.isin(np.arange(1000), mostly)
    row = slices.judge([Slice("source", "x", inside)], right, labels).iloc[0]
    assert row["difference"] < -0.3
    assert row["expected"] == pytest.approx(right[(labels == 1) & ~inside].mean())
    row = slices.judge([Slice("source", "x", hard)], right & ~hard, labels).iloc[0]
    assert row["expected"] == pytest.approx(row["rest"])
    assert slices.judge([Slice("source", "x", labels == 1)], right, labels)["expected"].iloc[0] == 1


def test_among_many_slices_chance_is_seldom_called_a_loss() -> None:
    """Without any difference, the adjusted p of 20 slices falls below 0.05 in at most 1 of 10 of 100 datasets."""
    rng = np.random.default_rng(2)
    called = bare = 0
    for _ in range(100):
        right = rng.random(600) < 0.85
        table = slices.judge([Slice("finding", str(k), rng.random(600) < 0.2) for k in range(20)], right)
        called += bool((table["adjusted"] < 0.05).any())
        bare += bool((table["p"] < 0.05).any())
    assert called <= 10 < bare


def test_the_interval_of_a_difference_covers() -> None:
    """In 500 datasets the true difference lies within the interval 93 to 98 times of 100."""
    rng = np.random.default_rng(3)
    inside = np.arange(400) < 80
    hits = 0
    for _ in range(500):
        right = rng.random(400) < np.where(inside, 0.85, 0.95)
        row = slices.judge([Slice("part", "x", inside)], right).iloc[0]
        hits += row["difference_low"] <= -0.10 <= row["difference_high"]
    assert 465 <= hits <= 490


@pytest.mark.parametrize(
    "counts", [(3, 20, 70, 90), (20, 20, 50, 90), (0, 5, 0, 7), (5, 5, 7, 7), (1, 400, 3, 9000)]
)
def test_fisher_is_scipys(counts: tuple[int, int, int, int]) -> None:
    """The exact p-value is that of `scipy.stats.fisher_exact`."""
    hits, n, other_hits, others = counts
    want = stats.fisher_exact([[hits, n - hits], [other_hits, others - other_hits]])[1]
    assert slices.fisher(*counts) == pytest.approx(want, rel=1e-9)


def test_holm_by_hand() -> None:
    """Holm's own steps, in the order given; never above 1, never out of order."""
    assert slices.holm([0.01, 0.04, 0.03]).tolist() == pytest.approx([0.03, 0.06, 0.06])
    assert slices.holm([0.9, 0.8]).tolist() == [1, 1]
    assert slices.holm([]).tolist() == []


def test_slices_of_none_and_of_all_are_left_out() -> None:
    """Neither has anything to be compared with."""
    right = np.ones(5, bool)
    table = slices.judge([Slice("part", "none", ~right), Slice("part", "all", right)], right)
    assert table.empty
    assert list(table)[:3] == ["place", "n", "wrong"]
