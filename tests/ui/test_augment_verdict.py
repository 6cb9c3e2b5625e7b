"""The safety meter's words: as sure as its intervals, honest about limits, with names as they are written."""

import numpy as np
import pytest

from bloodapp.augment.pipelines import parse
from bloodapp.evaluate.safety import STRENGTHS, WHOLE, Curve, Safety
from bloodapp.ui.augment.verdict import notes, verdict

IMAGES = 120


def curve(name: str, text: str, *flips: int) -> Curve:
    """A curve with so many changed answers of 120 at each strength; the last count stands for those that follow."""
    counts = [*flips, *[flips[-1]] * (len(STRENGTHS) - len(flips))]
    answers = np.stack([np.arange(IMAGES) < changed for changed in counts]).astype(np.int64)
    expected, right = np.zeros_like(answers), answers == 0
    mixes = name in ("cutmix", "fouriermix")
    return Curve(name, parse(text), 1.0, mixes, None, expected, answers, 0.1 * answers, right)


def result(text: str, whole: tuple[int, ...], **alone: tuple[int, ...]) -> Safety:
    """What was measured: flips of the whole, and of each operation alone."""
    curves = (curve(WHOLE, text, *whole), *(curve(name, name, *flips) for name, flips in alone.items()))
    labels = np.zeros(IMAGES, np.int64)
    return Safety(curves, np.arange(IMAGES), labels, labels, 1.0, 1)


def said(measured: Safety) -> str:
    """The verdict at a threshold of 20 %."""
    return verdict(measured, "made", 0.2, "“flip”")


@pytest.mark.parametrize(
    ("flips", "words"),
    [
        (6, "<b>5 %</b> of the answers change, clearly under the limit of 20 % (95 %: 2–10 %)"),
        (27, "<b>22 %</b> of the answers change, about at the limit of 20 % (95 %: 16–31 %)"),
        (20, "<b>17 %</b> of the answers change, about at the limit of 20 % (95 %: 11–24 %)"),
        (60, "<b>50 %</b> of the answers change, clearly over the limit of 20 % (95 %: 41–59 %)"),
    ],
)
def test_it_goes_by_the_interval(flips: int, words: str) -> None:
    """Clearly over or under only with the whole interval."""
    assert words in said(result("brightness(0.2)", (0, flips)))


def test_where_it_begins_is_as_sure_as_it_is_known() -> None:
    """The strength of the estimate is called one; a clear one is said to be clear; unclear ones are about at it."""
    text = "brightness(0.2)"
    assert "From <b>× 1¼</b> on it is clearly over" in said(result(text, (0, 0, 0, 6, 6, 60)))
    assert (
        "By the estimate “augmented” becomes “destroyed” for this run from <b>× 1</b> on; it is clearly over "
        in (words := said(result(text, (0, 0, 0, 6, 27, 27, 60))))
    )
    assert "clearly over from × 1½ on." in words
    assert "clearly over at no strength up to × 2." in said(result(text, (0, 0, 0, 6, 27)))
    assert "Up to × 2 it stays clearly under: for this run nothing is destroyed yet." in said(
        result(text, (0, 6))
    )
    about = said(result(text, (0, 0, 0, 6, 6, 22, 20)))
    assert (
        "never clearly over, for this run; most change at × 1¼, about at the limit (95 %: 12–26 %)" in about
    )


def test_limits_and_operations_that_destroy_alone_are_named() -> None:
    """R4: twice as strong cannot be had, and what its choice hides is said."""
    words = said(result("r4", (0, 6), fouriermix=(0, 27), cutmix=(0, 60), randaugment=(0, 6)))
    assert "clearly under" in words
    assert "× 2 is not twice as strong here: fouriermix and cutmix are at their limit." in words
    assert (
        "Alone and at × 1 cutmix (50 %) is clearly over, and fouriermix (22 %) is about at the limit of 20 %."
        in words
    )
    one = said(result("flip|cutmix", (0, 6), cutmix=(0, 60), flip=(0,)))
    assert "cutmix is at its limit." in said(result("noise(5)|cutmix", (0, 6)))
    assert "Alone and at × 1 cutmix (50 %) is clearly over the limit of 20 %." in one
    destroyed = said(result("cutmix", (0, 60), cutmix=(0, 60)))
    assert "twice as strong" not in destroyed and "Alone" not in destroyed, (
        "nothing is added to what is said of the whole"
    )


def test_it_says_no_more_than_is_known() -> None:
    """Before anything is measured it is asking; with strength 1 alone there is one sentence."""
    measured = result("brightness(0.2)", (0, 6))
    measured.whole.answers[:4] = measured.whole.answers[5:] = -1
    assert "clearly under the limit" in said(measured) and "× 2" not in said(measured)
    measured.whole.answers[:] = -1
    assert said(measured) == "<b>Asking made…</b>"


def test_mixing_operations_are_named_as_they_are_written() -> None:
    """One puts, two put; in lower case, each once."""
    assert "fouriermix and cutmix put two images into one" in notes(
        result("r4", (0, 6), fouriermix=(0,), cutmix=(0,))
    )
    assert " cutmix puts two images into one" in notes(result("cutmix", (0, 6), cutmix=(0,)))
    assert "into one" not in notes(result("flip", (0, 6), flip=(0,)))
