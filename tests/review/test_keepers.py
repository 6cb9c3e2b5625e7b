"""Which copy is kept: each rule on groups whose answer is known."""

import numpy as np
import pytest

from bloodapp.review.keepers import RULES, keeper, majority_label, sharpness

GROUP = np.array([4, 9, 11, 30])


def labels(*values: int) -> np.ndarray:
    """Labels as the app holds them."""
    return np.array(values, np.int16)


def test_the_first_and_none() -> None:
    """The first is the lowest position; `none` keeps nothing; an empty group has nothing to keep."""
    same = labels(2, 2, 2, 2)
    assert keeper("first", GROUP, same) == 4
    assert keeper("none", GROUP, same) is None
    assert all(keeper(rule, GROUP[:0], same[:0]) is None for rule in RULES)


def test_the_majority_label_is_that_of_more_than_half() -> None:
    """Half is not enough; images without a label have no vote; where none has one, any copy will do."""
    assert majority_label(labels(1, 5, 5, 5)) == 5
    assert majority_label(labels(1, 1, 5, 5)) is None
    assert majority_label(labels(-1, -1, -1, 3)) == 3
    assert majority_label(labels(-1, -1)) == -1


def test_the_majority_keeps_the_first_that_carries_it() -> None:
    """And nothing when the labels are torn."""
    assert keeper("majority", GROUP, labels(1, 5, 5, 5)) == 9
    assert keeper("majority", GROUP, labels(1, 1, 5, 5)) is None
    assert keeper("majority", GROUP, labels(-1, -1, -1, -1)) == 4


def test_the_advice_passes_over_faulty_copies() -> None:
    """The first sound one of the majority; none if each has a fault of its own."""
    faulty = np.array([False, True, False, False])
    assert keeper("advised", GROUP, labels(1, 5, 5, 5), faulty=faulty) == 11
    assert keeper("advised", GROUP, labels(5, 5, 5, 5), faulty=np.ones(4, bool)) is None
    assert keeper("first", GROUP, labels(5, 5, 5, 5), faulty=np.ones(4, bool)) == 4


def test_the_sharpest_is_kept_and_the_first_of_equals() -> None:
    """What has nothing to be sharp is never sharper; without measures the rule says what it lacks."""
    same = labels(0, 0, 0, 0)
    assert keeper("sharpest", GROUP, same, np.array([0.1, 0.7, 0.7, np.nan])) == 9
    assert keeper("sharpest", GROUP, same, np.full(4, np.nan)) == 4
    with pytest.raises(ValueError, match="sharpness"):
        keeper("sharpest", GROUP, same)


def test_a_blurred_copy_is_less_sharp_and_exact_copies_tie() -> None:
    """The real measures: noise in colour blocks, the same again, the same blurred, and one flat picture."""
    rng = np.random.default_rng(0)
    sharp = rng.integers(0, 255, (48, 48, 3)).astype(np.uint8).repeat(2, 0).repeat(2, 1)
    soft = sharp.astype(np.float32)
    for axis in (0, 1):
        soft = (np.roll(soft, 1, axis) + 2 * soft + np.roll(soft, -1, axis)) / 4
    images = np.stack([np.zeros_like(sharp), soft.astype(np.uint8), sharp, sharp, np.zeros_like(sharp)])
    values = sharpness(images, np.array([1, 2, 3, 4]), np.array(["soft", "sharp", "sharp", "flat"], object))
    assert values[0] < values[1] == values[2]
    assert np.isnan(values[3])
    assert sharpness(images, np.zeros(0, np.int64), np.zeros(0, object)).shape == (0,)
