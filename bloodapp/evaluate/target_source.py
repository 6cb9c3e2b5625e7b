"""The two sides of a target drop: images from elsewhere, without labels, and those that a run learned from.

Either side is a seeded sample of at most so many images; of a stream every image has the same chance, and nothing is
ever held but the sample (algorithm R: J. S. Vitter, "Random sampling with a reservoir", 1985).
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bloodapp.data.dataset import Dataset, list_datasets, open_dataset
from bloodapp.data.decisions import judge
from bloodapp.data.images import to_square
from bloodapp.data.sources import open_source
from bloodapp.errors import SourceError, Stopped
from bloodapp.runs.run import Run

MOST = 2_000
"""Images of either side that are looked at."""

_OFTEN = 32  # images between two reports of progress

Pixels = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Progress = Callable[[float, float | None, str], None]


@dataclass(frozen=True, eq=False)
class Side:
    """Some images of a source.

    Attributes:
        name: of the source, for people.
        images: uint8 (N, S, S, 3).
        names: of the images, in their order.
        index: int64 (N,), places in the source, ascending.
        sizes: int32 (N, 2), width and height of the originals.
        readable: how many images of the source can be read.
        unreadable: name and reason of each that cannot.
    """

    name: str
    images: Pixels
    names: tuple[str, ...]
    index: Ints
    sizes: npt.NDArray[np.int32]
    readable: int
    unreadable: tuple[tuple[str, str], ...] = ()

    def __len__(self) -> int:
        return len(self.index)


def read_target(
    source: str | Path,
    size: int,
    *,
    most: int = MOST,
    seed: int = 0,
    progress: Progress | None = None,
    stopped: Callable[[], bool] | None = None,
) -> Side:
    """At most `most` images of a SOURCE, drawn by the seed, as squares of `size`.

    Of a dataset without those that its decisions exclude. Raises SourceError if there is nothing to read.
    """
    if not Path(source).expanduser().exists() and str(source) in list_datasets():
        dataset = open_dataset(str(source))
        rows = np.flatnonzero(judge(dataset).included)
        if not len(rows):
            raise SourceError(f"All images of '{source}' are excluded: keep some, or choose other images.")
        return _of_dataset(dataset, rows, size, most, seed)
    opened = open_source(source, labelled=False, progress=progress, stopped=stopped)
    rng = np.random.default_rng(seed)
    kept: list[tuple[int, Pixels, str, tuple[int, int]]] = []
    unreadable: list[tuple[str, str]] = []
    readable = 0
    for place, record in enumerate(opened.records):
        if place % _OFTEN == 0:
            if stopped and stopped():
                raise Stopped("Stopped: nothing was compared.")
            if progress:
                progress(place, opened.count, f"Reading {opened.name}")
        if record.image is None:
            unreadable.append((record.name, record.error))
            continue
        readable += 1
        seat = len(kept) if len(kept) < most else int(rng.integers(readable))
        if seat < most:
            square = np.ascontiguousarray(to_square(record.image, size))
            kept[seat : seat + 1] = [(place, square, record.name, (record.width, record.height))]
    if not kept:
        why = f": {unreadable[0][1]}" if unreadable else "."
        raise SourceError(f"None of the {len(unreadable):,} images in '{opened.name}' can be read{why}")
    kept.sort(key=lambda one: one[0])
    places, images, names, sizes = zip(*kept, strict=True)
    return Side(
        opened.name,
        np.stack(images),
        names,
        np.array(places, np.int64),
        np.array(sizes, np.int32),
        readable,
        tuple(unreadable),
    )


def read_training(run: Run, dataset: Dataset, *, most: int = MOST, seed: int = 0) -> Side:
    """At most `most` of the images that the run learned from, drawn by the seed, as squares of its size.

    Raises SourceError for a run that names none.
    """
    split = run.split()
    rows = np.sort(split.loc[split["part"] == "train", "index"].to_numpy(np.int64))
    if not len(rows):
        raise SourceError(f"Run '{run.name}' does not say which images it learned from: choose another run.")
    return _of_dataset(dataset, rows, run.size, most, seed)


def seen_before(side: Side, run: Run, dataset: Dataset) -> int:
    """How many of the images are among those that the run learned from, pixel by pixel."""
    if dataset.size != run.size:
        return 0
    split = run.split()
    rows = split.loc[split["part"] == "train", "index"].to_numpy(np.int64)
    learned = set(dataset.items["sha256"].to_numpy()[rows])
    return sum(hashlib.sha256(image.tobytes()).hexdigest() in learned for image in side.images)


def _of_dataset(dataset: Dataset, rows: Ints, size: int, most: int, seed: int) -> Side:
    rng = np.random.default_rng(seed)
    chosen = np.sort(rng.permutation(rows)[:most])
    images = dataset.read(chosen)
    if dataset.size != size:
        images = np.stack([to_square(image, size) for image in images])
    items = dataset.items.iloc[chosen]
    return Side(
        dataset.name,
        images,
        tuple(items["name"].astype(str)),
        chosen,
        items[["width", "height"]].to_numpy(np.int32),
        len(rows),
    )
