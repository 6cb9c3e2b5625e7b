"""Thresholds: what reaches them, where they are kept, what is refused."""

import numpy as np
import pytest

from bloodapp.data.dataset import Dataset
from bloodapp.errors import InvalidValue, NotFound
from bloodapp.review.findings import combined, finding_table
from bloodapp.review.thresholds import (
    CERTAIN,
    DEFAULT,
    FILE,
    FLOOR,
    above,
    choose_threshold,
    reach,
    thresholds,
)


def test_a_finding_reaches_as_far_as_its_score_and_the_one_to_keep_as_its_copies() -> None:
    """The first of a group scores next to nothing and is shown as long as its copy is."""
    table = combined(
        [
            finding_table("near_duplicate", [2, 9], [0.02, 0.8], "near", group=2),
            finding_table("blurred", [2, 5], [0.3, 0.6], "soft"),
        ]
    )
    reached = {
        (index, kind): far
        for index, kind, far in zip(table["index"], table["kind"], reach(table), strict=True)
    }
    assert reached == {
        (2, "near_duplicate"): 0.8,
        (9, "near_duplicate"): 0.8,
        (2, "blurred"): 0.3,
        (5, "blurred"): 0.6,
    }
    assert above(table, {"near_duplicate": 0.81, "blurred": 0.6})["index"].tolist() == [5]
    assert sorted(above(table, {"near_duplicate": 0.8, "blurred": 0.7})["index"]) == [2, 9]
    assert above(table[:0], {}).empty


def test_a_threshold_is_kept_and_put_back(tiny: Dataset) -> None:
    """Every kind has one; those that were moved are in the dataset's folder, a damaged file is the default."""
    assert set(thresholds(tiny).values()) == {DEFAULT} and set(CERTAIN) < set(thresholds(tiny))
    choose_threshold(tiny, "blurred", 0.35)
    choose_threshold(tiny, "dark", FLOOR)
    assert (thresholds(tiny)["blurred"], thresholds(tiny)["dark"]) == (0.35, FLOOR)
    choose_threshold(tiny, "blurred", None)
    assert (thresholds(tiny)["blurred"], thresholds(tiny)["dark"]) == (DEFAULT, FLOOR)
    (tiny.path / FILE).write_text("{", encoding="utf-8")
    assert set(thresholds(tiny).values()) == {DEFAULT}


def test_thresholds_that_make_no_sense_are_refused(tiny: Dataset) -> None:
    """Unknown kinds and numbers outside are told in a sentence."""
    with pytest.raises(NotFound, match="fuzzy"):
        choose_threshold(tiny, "fuzzy", 0.5)
    for number in (FLOOR - 0.01, 1.01, float(np.nan)):
        with pytest.raises(InvalidValue, match="lies between"):
            choose_threshold(tiny, "blurred", number)
