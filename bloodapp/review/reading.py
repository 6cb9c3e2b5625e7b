"""A dataset being scanned: its blocks, what is told on the way, and what is known so far."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from os import cpu_count
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bloodapp.data.dataset import Dataset
from bloodapp.errors import Stopped

Ints = NDArray[np.int64]
Progress = Callable[[int, int, str], None]

_THREADS = min(cpu_count() or 1, 8)

# For the time left: a network's pass, and what is compared after it, take as long as so many passes without one.
_NETWORK = 8
_COMPARING = 3


@dataclass(frozen=True)
class Found:
    """What the scan knows so far.

    Attributes:
        tables: the findings, kind by kind.
        group: (N,) the position of the first of each image's group of copies, its own where it is alone.
    """

    tables: list[pd.DataFrame]
    group: Ints


class Reading:
    """A dataset being read, some passes over its images long, with what is told about it on the way."""

    def __init__(
        self, dataset: Dataset, progress: Progress, stopped: Callable[[], bool], passes: int
    ) -> None:
        self.dataset = dataset
        self._progress, self._stopped = progress, stopped
        self._total = len(dataset) * (1 if passes == 1 else 1 + _NETWORK * (passes - 1) + _COMPARING)
        self._before, self._weight = 0, 1

    def tell(self, done: int, text: str) -> None:
        """So many images of this pass are done."""
        self._progress(self._before + self._weight * done, self._total, text)

    def end(self, text: str) -> None:
        """All is looked at, whatever was foreseen."""
        self._progress(self._total, self._total, text)

    def next_pass(self) -> None:
        """The images are begun anew."""
        self._before += self._weight * len(self.dataset)
        self._weight = _NETWORK

    def check(self) -> None:
        """Raise Stopped if somebody asked for it."""
        if self._stopped():
            raise Stopped("The scan was stopped: nothing was changed.")


def in_threads(look: Callable[[Any], Any], blocks: Iterator[Any]) -> Iterator[Any]:
    """`look` at each block, in order; NumPy lets several threads work at once. Only a few blocks are held."""
    with ThreadPoolExecutor(_THREADS) as threads:
        waiting = [threads.submit(look, block) for block in islice(blocks, 2 * _THREADS)]
        while waiting:
            yield waiting.pop(0).result()
            waiting += [threads.submit(look, block) for block in islice(blocks, 1)]
