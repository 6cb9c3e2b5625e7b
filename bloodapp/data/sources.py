"""Every kind of source, read as one stream of records: nothing is ever held as a whole.

    folders    a folder of class folders, with or without train, val and test above them
    archives   the same in a `.zip`, read in place
    npz        the course's `images` and `labels`, or MedMNIST's `train_images`, …; medmnist: which set, its classes
    tables     a CSV or Parquet file of paths and labels
    naming     which class a folder's name or a label means
    bloodmnist the words `bloodmnist`, `bloodmnist:64`, … and the download of the file that they mean

Besides these a source is the name of a dataset, or the word `sample`.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from bloodapp.data import bloodmnist, tables
from bloodapp.data.archives import open_zip
from bloodapp.data.dataset import list_datasets, open_dataset
from bloodapp.data.folders import Tree, open_folder, pictures, read_file
from bloodapp.data.images import SUFFIXES
from bloodapp.data.npz import open_npz
from bloodapp.data.records import Record, Source, printable
from bloodapp.errors import SourceError

__all__ = ["Source", "open_published", "open_source"]


def open_source(
    source: str | Path,
    *,
    labelled: bool = True,
    convert: bool = False,
    progress: bloodmnist.Progress | None = None,
    stopped: Callable[[], bool] | None = None,
) -> Source:
    """Open a source given by its path, by a dataset's name, or by the word `sample`, or `bloodmnist`.

    With `labelled=False` images without labels will do, for classifying: a `.npz` without labels, a
    folder or `.zip` of bare pictures, a single picture. Such records have the label -1. With `convert`
    the images of a `.npz` may be numbers from 0 to 1 or from 0 to 255 of any type. `progress` hears of a download,
    and `stopped` ends it.
    Raises SourceError, in one sentence that names the file and what to do.
    """
    if str(source) == "sample":  # a folder of that name is ./sample
        return _sample()
    if bloodmnist.is_word(source) and str(source) not in list_datasets():
        return open_published(source, progress, stopped)
    if "\0" in str(source):
        raise SourceError(f"'{printable(str(source))}' is no path: name a file or folder.")
    path = Path(os.path.expanduser(source))
    try:
        is_folder, is_file = path.is_dir(), path.is_file()
    except OSError as error:  # a name too long, a folder above that may not be entered
        raise SourceError(f"'{printable(str(source))}' cannot be opened: {error.strerror}.") from error
    if is_folder:
        table = path / tables.EXPORTED
        return tables.open_table(table, labelled) if table.is_file() else open_folder(path, labelled)
    if is_file:
        return _file(path, labelled, convert)
    shown = printable(str(source))
    if str(source) in list_datasets():
        return _dataset(str(source))
    if not labelled:
        raise SourceError(
            f"Can't find '{shown}': give a folder, .zip or .npz with pictures, a picture, or a dataset's name."
        )
    raise SourceError(
        f"Can't find '{shown}': give a .npz, a folder or .zip of class folders, a table, or 'sample'."
    )


def open_published(
    word: str | Path,
    progress: bloodmnist.Progress | None = None,
    stopped: Callable[[], bool] | None = None,
) -> Source:
    """The published set that a word means, downloaded unless it is there; raises as `bloodmnist.fetch` does."""
    path = bloodmnist.fetch(word, progress, stopped)
    return replace(_file(path, True, False), facts=bloodmnist.published(word).facts)


def _file(path: Path, labelled: bool, convert: bool) -> Source:
    suffix, shown = path.suffix.lower(), printable(str(path))
    if suffix == ".npz":
        return open_npz(path, labelled, convert)
    if suffix == ".zip":
        return open_zip(path, labelled)
    if suffix in tables.SUFFIXES:
        return tables.open_table(path, labelled)
    if suffix in SUFFIXES and not labelled:
        return pictures("folder", path, Tree([path.name]), lambda name: read_file(path, name), labelled)
    if not labelled:
        raise SourceError(
            f"'{shown}' cannot be read: give a folder, .zip or .npz with pictures, or a picture."
        )
    raise SourceError(
        f"'{shown}' cannot be imported: give a .npz, a folder or .zip of class folders, or a table of paths."
    )


def _sample() -> Source:
    from bloodapp.data.sample import draw_sample  # drawing code that nothing else needs

    drawn = draw_sample()
    count = len(drawn.images)
    height, width = drawn.images.shape[1:3]
    records = (
        Record(drawn.images[i], f"sample {i}", int(drawn.labels[i]), "", width, height, "RGB")
        for i in range(count)
    )
    return Source("sample", "sample", "", tuple(drawn.classes), count, records, drawn.truth)


def _dataset(name: str) -> Source:
    dataset = open_dataset(name)

    def records() -> Iterator[Record]:
        columns = ["name", "label", "part", "width", "height", "mode"]
        every = dataset.items[columns].itertuples(index=False)
        for image, facts, parent in zip(dataset.images, every, dataset.parents, strict=True):
            yield replace(Record(np.array(image), *facts), parent=int(parent))

    return Source("dataset", name, str(dataset.path), dataset.classes, len(dataset), records(), dataset.truth)
