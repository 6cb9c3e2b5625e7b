"""The queue, laid out once a scan: what is decided changes the cards' states only, and those are read off arrays.

At 137,590 images there may be 12,000 cards; laying them out takes a second, their states some milliseconds.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bloodapp.data.decisions import Judged
from bloodapp.review.queue import OF_GROUPS, Card, State, cards

_STATES: tuple[State, ...] = ("open", "flagged", "decided")


class Laid:
    """The cards of some findings, for whatever is decided about them.

    Args:
        findings: those that reach their thresholds.
        judged: what was decided when it was laid out.
    """

    def __init__(self, findings: pd.DataFrame, judged: Judged) -> None:
        self._cards = cards(findings, judged)
        sizes = np.array([len(card.indices) for card in self._cards], np.int64)
        self._starts = np.cumsum(sizes) - sizes
        self._grouped = sizes > 1
        self._images = np.concatenate([np.zeros(0, np.int64), *(card.indices for card in self._cards)])
        faulty = np.zeros(len(judged.labels), bool)
        faulty[findings["index"].to_numpy()[~np.isin(findings["kind"].to_numpy(str), OF_GROUPS)]] = True
        self._merely = ~faulty[self._images]

    def now(self, judged: Judged) -> list[Card]:
        """All cards as they are decided now, in their order; the same as `queue.cards` makes."""
        states = [_STATES[state] for state in self._states(judged).tolist()]
        # From those given last: a decision changes few of them.
        self._cards = [
            card if card.state == state else replace(card, state=state)
            for card, state in zip(self._cards, states, strict=True)
        ]
        return self._cards

    def open(self, judged: Judged) -> int:
        """How many of them are open."""
        return int((self._states(judged) == _STATES.index("open")).sum())

    def _states(self, judged: Judged) -> NDArray[np.int64]:
        """The state of each card, int64 (M,), a place in _STATES."""
        if not len(self._images):
            return np.zeros(0, np.int64)
        flagged = judged.flagged[self._images]
        waiting = ~judged.decided[self._images] & ~flagged
        wait = self._sum(waiting)
        # Of copies the last one that is left is no duplicate any more, where nothing else was found about it.
        last = self._grouped & (wait == 1) & (self._sum(judged.included[self._images] & ~waiting) == 0)
        last &= self._sum(waiting & self._merely) == 1
        return np.where((wait > 0) & ~last, 0, np.where(self._sum(flagged) > 0, 1, 2))

    def _sum(self, which: NDArray[np.bool_]) -> NDArray[np.int64]:
        """How many of each card's images."""
        return np.add.reduceat(which.astype(np.int64), self._starts)
