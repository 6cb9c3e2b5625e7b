"""What clean and shifted accuracy mean together, in one honest sentence, and how far it is to be trusted."""

from collections.abc import Mapping
from typing import Any

from bloodapp.evaluate.metrics import Comparison
from bloodapp.runs.readings import read_words

USEFUL = 0.7
"""Below this clean accuracy the gap is not what to talk about."""


def sentence(both: Comparison, n: int, *, has_shift: bool) -> str:
    """The gap between clean and shifted on `n` images in one honest sentence."""
    if not has_shift:
        return "Not judged on shifted images: this accuracy does not say how the run does on slides from elsewhere."
    gap = both.gap
    if both.clean.high < USEFUL:
        return "It is wrong too often to be of use yet; a gap says little before the first figure is good."
    if gap.low > 0:
        return (
            f"Shifted images cost {100 * gap.value:.1f} points (95 %: {100 * gap.low:.1f} to "
            f"{100 * gap.high:.1f}): on slides from elsewhere expect the lower figure, or less."
        )
    return (
        f"On these {n:,} images no loss can be told from chance. That holds for the changes drawn "
        "here; another laboratory may bring others."
    )


def reads(part: str, report: Mapping[str, Any]) -> str:
    """How a part's images came by their figures: read how often, or used to choose."""
    if part == "val":
        return "The best epoch was chosen on it, so it flatters a little."
    return read_words(report, "It") or "It was kept aside during training."
