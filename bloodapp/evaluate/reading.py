"""Labelled images of any source, block by block, in the class order of a run."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bloodapp.classes import CellClass
from bloodapp.data.dataset import Dataset, list_datasets, open_dataset
from bloodapp.data.decisions import judge
from bloodapp.data.images import to_square
from bloodapp.data.sources import Source, open_source
from bloodapp.errors import SourceError
from bloodapp.runs.run import Run

BLOCK = 512

_Map = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Block:
    """Some labelled images of a source.

    Attributes:
        index: int64 (B,), rows of the dataset, or places in the source.
        labels: int64 (B,), in the run's class order.
        images: uint8 (B, S, S, 3).
        skipped: images passed over since the last block: unreadable, or without a label.
        done: how far the source has been read.
        total: how long it is.
    """

    index: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]
    images: npt.NDArray[np.uint8]
    skipped: int
    done: int
    total: int


def labelled_blocks(
    run: Run,
    source: str | Path,
    part: str | None = None,
    *,
    progress: Callable[[int, int, str], None] | None = None,
    stopped: Callable[[], bool] | None = None,
) -> Iterator[Block]:
    """The labelled images of a SOURCE, or of one part of it, in blocks of at most 512.

    A dataset's name gives what its decisions leave, with the labels they made; for the dataset that the
    run learned from, `part` is the run's own. A path is streamed and its pictures made squares of the
    run's size; where it is downloaded first, `progress` hears of that and `stopped` ends it.
    Raises SourceError at once if the source cannot be read or has a class the run does not
    know.
    """
    if not Path(source).expanduser().exists() and str(source) in list_datasets():
        dataset = open_dataset(str(source))
        return _of_dataset(run, dataset, part, _class_map(run, dataset.classes, str(source)))
    opened = open_source(source, progress=progress, stopped=stopped)
    return _of_source(run, opened, part, _class_map(run, opened.classes, str(source)))


def _of_dataset(run: Run, dataset: Dataset, part: str | None, to_run: _Map) -> Iterator[Block]:
    judged = judge(dataset)
    rows = judged.indices
    if part is not None and dataset.fingerprint == run.config["fingerprint"]:
        split = run.split()
        rows = np.intersect1d(rows, split.loc[split["part"] == part, "index"])
    elif part is not None:
        rows = rows[dataset.parts[rows] == part]
    for start in range(0, len(rows), BLOCK):
        block = rows[start : start + BLOCK]
        done = min(start + BLOCK, len(rows))
        yield Block(block, to_run[judged.labels[block]], dataset.images[block], 0, done, len(rows))


def _of_source(run: Run, opened: Source, part: str | None, to_run: _Map) -> Iterator[Block]:
    index: list[int] = []
    labels: list[int] = []
    images: list[npt.NDArray[np.uint8]] = []
    skipped = 0
    for place, record in enumerate(opened.records):
        if part in (None, record.part):
            if record.image is None or record.label < 0:
                skipped += 1
            else:
                index.append(place)
                labels.append(int(to_run[record.label]))
                images.append(to_square(record.image, run.size))
        if len(index) == BLOCK or (place == opened.count - 1 and (index or skipped)):
            pixels = np.stack(images) if images else np.zeros((0, run.size, run.size, 3), np.uint8)
            numbers = np.array(index, np.int64), np.array(labels, np.int64)
            yield Block(*numbers, pixels, skipped, place + 1, opened.count)
            index, labels, images, skipped = [], [], [], 0


def _class_map(run: Run, classes: tuple[CellClass, ...], name: str) -> _Map:
    """Where each class of a source stands in the run's list."""
    keys = [c.key for c in run.classes]
    missing = [c.key for c in classes if c.key not in keys]
    if missing:
        raise SourceError(
            f"Run '{run.name}' cannot be judged on '{name}': it does not know the class"
            f"{'es' if len(missing) > 1 else ''} {', '.join(missing)}, only {', '.join(keys)}."
        )
    return np.array([keys.index(c.key) for c in classes], np.int64)
