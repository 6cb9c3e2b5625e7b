"""The queue that is laid out once: after any decisions its cards are those that would be made anew."""

import numpy as np
import pandas as pd
import pytest

from bloodapp.data.decisions import Judged
from bloodapp.review.findings import combined, finding_table
from bloodapp.review.laid import Laid
from bloodapp.review.queue import cards


@pytest.fixture
def findings() -> pd.DataFrame:
    """Copies, copies in conflict of which one has a fault of its own, near copies, and single images."""
    return combined(
        [
            finding_table("exact_duplicate", [0, 1, 2], 0.67, "same", group=0),
            finding_table("label_conflict", [0, 1, 2], 0.8, "conflict", group=0),
            finding_table("near_duplicate", [4, 5, 7], 0.7, "near", group=4),
            finding_table("exact_duplicate", [13, 14], 0.7, "same", group=13),
            finding_table("blurred", [1, 9, 11], 0.6, "soft"),
            finding_table("mislabelled", [11, 14], 0.5, "unlike", suggested=[3, 4]),
        ]
    )


def drawn(rng: np.random.Generator) -> Judged:
    """Decisions about 16 images, as a log can leave them."""
    labels = rng.integers(-1, 8, 16).astype(np.int16)
    decided = rng.random(16) < rng.random()
    included = ~decided | (rng.random(16) < 0.4)
    return Judged(labels, included, decided, (rng.random(16) < 0.15) & included, 0)


@pytest.mark.parametrize("seed", range(40))
def test_it_follows_every_decision(findings: pd.DataFrame, seed: int) -> None:
    """States, order and everything else are as if the cards were made anew, however often decided between."""
    rng = np.random.default_rng(seed)
    laid = Laid(findings, drawn(rng))
    for now in (drawn(rng), drawn(rng)):
        anew = cards(findings, now)
        assert [(card.key, card.state) for card in laid.now(now)] == [(card.key, card.state) for card in anew]
        assert laid.open(now) == sum(card.open for card in anew)


def test_the_draws_reach_every_state(findings: pd.DataFrame) -> None:
    """Among them are copies of which the last one left counts as decided though nobody decided about it."""
    states: set[str] = set()
    settled = 0
    for seed in range(40):
        now = drawn(np.random.default_rng(seed))
        for card in Laid(findings, now).now(now):
            states.add(card.state)
            settled += card.state == "decided" and not now.decided[card.indices].all()
    assert states == {"open", "flagged", "decided"}
    assert settled


def test_without_findings_there_are_no_cards(findings: pd.DataFrame) -> None:
    """No card, none open."""
    now = drawn(np.random.default_rng(0))
    laid = Laid(findings.head(0), now)
    assert laid.now(now) == []
    assert laid.open(now) == 0
