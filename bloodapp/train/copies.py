"""A run's own copies of its training images, drawn once before it trains: several of each, or as many as balance.

Report R3 trained on three copies of each image, drawn at three strengths; report R2 brought every class up to the
largest. Only training images are copied. The layers that train draw them, so that the seed alone decides how they
look, and they lie in one file beside the run until it is done.
"""

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt

from bloodapp.augment.expand import balancing, checked_pipeline, drawn
from bloodapp.augment.pipelines import resolve
from bloodapp.augment.staining import for_pipeline
from bloodapp.data.dataset import Dataset, read_rows
from bloodapp.errors import SourceError, Stopped
from bloodapp.jobs.reporter import Reporter
from bloodapp.train.recipe import Recipe
from bloodapp.train.settings import copy_pipelines

FILE = "copies.npy"
_UNFINISHED = "copies.part"
_RESERVE = 256 << 20  # bytes of disk that stay free, for checkpoints and the log

Ints = npt.NDArray[np.int64]
Pixels = npt.NDArray[np.uint8]
Turn = tuple[int, str, Ints]


class ImagesAndCopies:
    """The images of a dataset and, behind them, copies: rows from the dataset's length on are the copies'.

    Rows are read, not mapped: neither file counts as this process's memory.

    Attributes:
        shape: (N + M, S, S, 3).
        dtype: uint8.
    """

    def __init__(self, images: Pixels, copies: Pixels) -> None:
        self.shape = (len(images) + len(copies), *images.shape[1:])
        self.dtype = images.dtype
        self._images, self._copies = images, copies

    def __len__(self) -> int:
        """The number of images and copies."""
        return self.shape[0]

    def __getitem__(self, rows: npt.NDArray[np.integer]) -> Pixels:
        """Some rows in their order, uint8 (n, S, S, 3)."""
        rows = np.asarray(rows)
        copied = rows >= len(self._images)
        if not copied.any():
            return read_rows(self._images, rows)
        found = np.empty((len(rows), *self.shape[1:]), self.dtype)
        found[~copied] = read_rows(self._images, rows[~copied])
        found[copied] = read_rows(self._copies, rows[copied] - len(self._images))
        return found


def prepare(
    dataset: Dataset,
    rows: Ints,
    labels: npt.NDArray[np.int64],
    recipe: Recipe,
    folder: Path,
    stains: npt.NDArray[np.float64] | None,
    context: Reporter,
) -> tuple[Pixels, Ints, npt.NDArray[np.int64]]:
    """The training images with the copies that the recipe asks for: images, training rows and labels.

    Args:
        dataset: of N images.
        rows: int64 (n,), the training rows.
        labels: int64 (N,), −1 where an image takes no part.
        recipe: its `copies`, `balance` and `seed` decide all.
        folder: the run's; copies that it holds already are taken as they are, unfinished ones are drawn anew.
        stains: the dataset's stain vectors (2, 3); found where a pipeline needs them and they are None.
        context: of the job.

    Returns what it was given where the recipe asks for no copies. Else `images` answers to `images[rows]`, `shape` and
    `len` as an array of N + M images, and rows and labels are longer by M. Raises SourceError where the disk has no
    room, Stopped, InvalidValue for a pipeline that cannot draw copies, and PipelineError.
    """
    turns = list(_turns(recipe, rows, labels))
    parents = np.concatenate([np.zeros(0, np.int64), *(chosen for _, _, chosen in turns)])
    if not len(parents):
        return dataset.images, rows, labels
    shape = (len(parents), dataset.size, dataset.size, 3)
    if not _whole(folder / FILE, shape):
        if stains is None:
            stains = for_pipeline(dataset, *(resolve(pipeline) for _, pipeline, _ in turns))
        _draw(dataset, turns, labels, recipe.seed, stains, folder, shape, context)
    copies = np.load(folder / FILE, mmap_mode="r", allow_pickle=False)
    # Feeds ask for rows, a shape and a length, and that it has.
    images = cast(Pixels, ImagesAndCopies(dataset.images, copies))
    return (
        images,
        np.concatenate([rows, len(dataset) + np.arange(len(parents))]),
        np.concatenate([labels, labels[parents]]),
    )


def discard(folder: Path) -> None:
    """Remove the copies of a run that is done."""
    for name in (FILE, _UNFINISHED):
        (folder / name).unlink(missing_ok=True)


def count(recipe: Recipe, per_class: Ints) -> int:
    """How many copies the recipe asks for of training images of so many a class, int64 (C,)."""
    labels = np.repeat(np.arange(len(per_class)), per_class)
    return sum(len(chosen) for _, _, chosen in _turns(recipe, np.arange(len(labels)), labels))


def _turns(recipe: Recipe, rows: Ints, labels: npt.NDArray[np.int64]) -> Iterator[Turn]:
    """The number of each copy, from 1, the pipeline that draws it, and the rows that get it."""
    each = copy_pipelines(recipe.copies)
    for number, pipeline in enumerate(each, start=1):
        yield number, checked_pipeline(pipeline), rows
    if recipe.balance and len(rows):
        pipeline = checked_pipeline(recipe.balance)
        counts = (1 + len(each)) * np.bincount(labels[rows])
        times = balancing(labels[rows], counts, recipe.seed)
        for number in range(1, int(times.max()) + 1):
            yield len(each) + number, pipeline, rows[times >= number]


def _whole(path: Path, shape: tuple[int, ...]) -> bool:
    """Whether the copies are there; only a file that was finished has that name."""
    return path.exists() and np.load(path, mmap_mode="r", allow_pickle=False).shape == shape


def _draw(
    dataset: Dataset,
    turns: list[Turn],
    labels: npt.NDArray[np.int64],
    seed: int,
    stains: npt.NDArray[np.float64] | None,
    folder: Path,
    shape: tuple[int, ...],
    context: Reporter,
) -> None:
    unfinished = folder / _UNFINISHED
    unfinished.unlink(missing_ok=True)
    needed, free = int(np.prod(shape)) + _RESERVE, shutil.disk_usage(folder).free
    if free < needed:
        raise SourceError(
            f"The copies of the training images need {needed / 1e9:.1f} GB of disk and {free / 1e9:.1f} GB are free: "
            "make room, or empty copies and balance."
        )
    done = 0
    try:
        # Written, not mapped: a disk that fills up meanwhile is then an error and not the end of the process.
        with unfinished.open("wb") as file, closing(drawn(dataset, turns, labels, seed, stains)) as blocks:
            header = {"descr": "|u1", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
            context.progress(0, 1, f"Drawing copies, 0 of {shape[0]:,}")
            for _, chosen, images in blocks:
                if context.stopped():
                    raise Stopped("Stopped while the copies were drawn: there was nothing to keep.")
                file.write(np.ascontiguousarray(images).data)
                done += len(chosen)
                context.progress(0, 1, f"Drawing copies, {done:,} of {shape[0]:,}")
        unfinished.replace(folder / FILE)
    finally:
        unfinished.unlink(missing_ok=True)
