"""The scoreboard on tables small enough to count by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bloodapp.review.findings import KINDS, combined, finding_table
from bloodapp.review.scoreboard import STEPS, average_precision, budget, kinds_of, score, scores, sweep
from bloodapp.review.thresholds import FLOOR
from bloodapp.review.truth import known_faults

LIMITS = dict.fromkeys(KINDS, 0.5)


def truth(*rows: tuple[int, str, int, bool]) -> pd.DataFrame:
    """A truth from rows of index, kind, group, planted."""
    table = pd.DataFrame(rows, columns=["index", "kind", "group", "planted"])
    return table.assign(true_label=np.int16(0))


BLUR = truth((0, "blurred", -1, True), (1, "blurred", -1, True), (2, "blurred", -1, True))
FOUND = finding_table("blurred", [0, 1, 7, 8], [0.9, 0.6, 0.7, 0.4], "Soft")
PAIR = truth((3, "exact_duplicate", 0, False), (5, "exact_duplicate", 0, True))


def test_a_detector_is_judged_at_its_threshold() -> None:
    """Of three faults two are found, and of three flagged images two are right."""
    got = score(FOUND, BLUR, "blurred", 0.5)
    assert (got.found.tolist(), got.missed.tolist()) == ([0, 1], [2])
    assert (got.right.tolist(), got.wrong.tolist()) == ([0, 1], [7])
    assert got.recall == got.precision == pytest.approx(2 / 3)


def test_the_sweep_agrees_with_each_threshold() -> None:
    """Every point of the curve is what judging at that threshold says; nothing flagged has no precision."""
    curve = sweep(FOUND, BLUR, "blurred")
    assert curve.thresholds[[0, -1]].tolist() == [FLOOR, 1] and len(curve.thresholds) == STEPS
    for threshold, precision, recall in zip(curve.thresholds, curve.precision, curve.recall, strict=True):
        one = score(FOUND, BLUR, "blurred", threshold)
        assert recall == one.recall
        assert (np.isnan(precision) and one.precision is None) or precision == one.precision
    assert np.isnan(curve.precision[-1])


def test_average_precision() -> None:
    """Scores 0.9 right, 0.7 wrong, 0.6 right, one fault never found: (1 + 2/3) / 3."""
    assert average_precision(FOUND, BLUR, "blurred") == pytest.approx((1 + 2 / 3) / 3)
    assert np.isnan(average_precision(FOUND, BLUR, "dark"))


def test_finding_either_twin_finds_the_copy() -> None:
    """The original alone flagged: the copy is found, the flagged image is right, and one fault was planted."""
    got = score(finding_table("exact_duplicate", [3], 0.8, "Same"), PAIR, "exact_duplicate", 0.5)
    assert (got.planted, got.found.tolist(), got.right.tolist()) == (1, [5], [3])


def test_the_one_to_keep_counts_with_its_copy() -> None:
    """It scores below the floor and is flagged with its copy all the same."""
    found = finding_table("exact_duplicate", [3, 5], [0.1, 0.9], "Same", group=3)
    got = score(found, PAIR, "exact_duplicate", 0.5)
    assert got.right.tolist() == [3, 5] and got.precision == 1


def test_another_copy_does_not_find_a_copy() -> None:
    """Of two copies of one image the first alone is flagged: the second is still missed."""
    three = truth(
        (3, "near_duplicate", 0, False), (5, "near_duplicate", 0, True), (6, "near_duplicate", 0, True)
    )
    got = score(finding_table("near_duplicate", [5], 0.8, "Alike"), three, "near_duplicate", 0.5)
    assert (got.found.tolist(), got.missed.tolist()) == ([5], [6])


def test_every_kind_that_flags_or_should_is_judged() -> None:
    """Blur is missed, darkness is flagged though none was planted, and other kinds are not mentioned."""
    found = finding_table("dark", [4], 0.9, "Dark")
    got = {one.kind: one for one in scores(found, BLUR, LIMITS)}
    assert set(got) == {"blurred", "dark"}
    assert got["blurred"].precision is None and got["blurred"].recall == 0
    assert got["dark"].recall is None and got["dark"].precision == 0


def test_the_budget_counts_distinct_images() -> None:
    """Looking at 9, 0, 3: nothing, a blurred one, an original whose copy is a fault."""
    known = pd.concat([BLUR, PAIR], ignore_index=True)
    got = budget([9, 0, 9, 3, 5, 0], known, 10)
    assert got.order.tolist() == [9, 0, 3, 5]
    assert got.found.tolist() == [0, 0, 1, 2, 2]
    assert (got.faults, got.images) == (4, 10)
    assert [got.share(n) for n in (0, 2, 3, 10)] == [0, 0.25, 0.5, 0.5]


def test_the_best_order_looks_at_originals_of_many_copies_first() -> None:
    """An original with two copies is worth two faults at one look; then the others, one by one."""
    three = [(3, "near_duplicate", 0, False), (5, "near_duplicate", 0, True), (6, "near_duplicate", 0, True)]
    got = budget([], pd.concat([BLUR, truth(*three)], ignore_index=True), 10)
    assert got.best.tolist() == [0, 2, 3, 4, 5]
    assert [got.best_share(n) for n in (1, 4, 9)] == [0.4, 1, 1]


def test_any_order_finds_a_copy_by_either_of_two_images() -> None:
    """Of ten images: a blurred one is among the first four in 40 %, a copy or its original in 1 - 6/10 x 5/9."""
    assert budget([], BLUR, 10).chance_share(4) == pytest.approx(0.4)
    assert budget([], PAIR, 10).chance_share(4) == pytest.approx(1 - 6 / 10 * 5 / 9)
    assert budget([], PAIR, 10).chance_share(10) == 1


def test_a_cartoon_is_not_found_by_its_twin() -> None:
    """A repeated cartoon is no mere copy: each of them has to be looked at."""
    known = truth(
        (1, "foreign", 0, True),
        (2, "foreign", 0, True),
        (1, "exact_duplicate", 0, False),
        (2, "exact_duplicate", 0, True),
    )
    assert budget([1], known, 3).found.tolist() == [0, 1]
    assert kinds_of(known) == {1: ("foreign",), 2: ("foreign", "exact_duplicate")}


def test_nothing_found_and_nothing_planted() -> None:
    """Empty tables are judged without a division by nothing."""
    nothing = combined([])
    assert budget(nothing["index"], BLUR, 10).share(5) == 0
    assert scores(nothing, BLUR[:0], LIMITS) == []
    assert sweep(nothing, BLUR, "blurred").recall.tolist() == [0] * STEPS


@settings(deadline=None, max_examples=40)  # a slow machine is no mistake
@given(st.permutations(range(10)))
def test_a_budget_never_falls_and_ends_with_everything(order: list[int]) -> None:
    """Whoever looks at all images has found all faults, whatever the order."""
    known = pd.concat([BLUR, PAIR], ignore_index=True)
    got = budget(order, known, 10)
    assert (np.diff(got.found) >= 0).all() and got.found[-1] == got.faults


def test_without_the_column_the_lowest_of_a_group_is_the_good_one() -> None:
    """And of a conflict those that carry the true label; foreign pictures are all at fault."""
    table = pd.DataFrame(
        [
            (1, "exact_duplicate", 0, 4),
            (1, "label_conflict", 0, 4),
            (2, "exact_duplicate", 0, 4),
            (2, "label_conflict", 0, 4),
            (3, "foreign", 1, -1),
            (5, "foreign", 1, -1),
            (6, "blurred", -1, 2),
        ],
        columns=["index", "kind", "group", "true_label"],
    )
    known = known_faults(table, np.array([0, 4, 5, 0, 0, 1, 2], np.int16))
    assert known["planted"].tolist() == [False, False, True, True, True, True, True]
    assert known_faults(known.assign(planted=True), np.zeros(7, np.int16))["planted"].all()
