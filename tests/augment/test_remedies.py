"""Operations against corruptions: each can be read, drawn and is as strong as the severity."""

import numpy as np
import pytest

from bloodapp.augment.corruptions import ALL_CORRUPTIONS
from bloodapp.augment.pipelines import changes, resolve, text
from bloodapp.augment.remedies import REMEDIES, mended, remedy
from bloodapp.errors import NotFound


def test_every_corruption_has_a_remedy() -> None:
    """None is left out, and none is there twice."""
    assert list(REMEDIES) == list(ALL_CORRUPTIONS)


@pytest.mark.parametrize("name", ALL_CORRUPTIONS)
def test_a_remedy_is_a_pipeline_that_grows(name: str) -> None:
    """At each severity a text within the operation's bounds that changes something, and no two severities alike."""
    for size in (28, 96, 224):
        texts = [remedy(name, severity, size) for severity in range(1, 6)]
        assert len(set(texts)) == 5
        for one in texts:
            assert changes(resolve(one)) and text(resolve(one)) == one


def test_a_remedy_stands_behind_the_pipeline_once() -> None:
    """It is added after the last step, to names as to texts, and not a second time."""
    assert mended("none", "noise", 3, 96) == "sometimes(0.5; noise(18))"
    added = mended("flip|rotate(15)", "noise", 3, 96)
    assert added == "flip|rotate(15)|sometimes(0.5; noise(18))"
    assert mended(added, "noise", 3, 96) == added
    assert mended("gentle", "bubble", 2, 96).startswith("flip|rotate(180)|")
    with pytest.raises(NotFound, match="fog"):
        remedy("fog", 1, 96)


def test_a_blur_is_as_wide_as_the_corruption() -> None:
    """Out of focus at severity 5 is a disk of 6 px at 224, whose standard deviation is half its radius."""
    (step,) = resolve(remedy("defocus_blur", 5, 224)).steps
    assert step.branches[0].steps[0].numbers[0] == pytest.approx(np.hypot(6, 6) / 2 / np.sqrt(2), abs=0.05)
