"""A dataset on disk: images that never change, one row of facts an image, and where they came from.

The folder holds `dataset.json`, `images.npy` and `items.parquet`; decisions and findings are written
beside them by others. A folder whose name begins with a dot is no dataset: it is being made, or going.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bloodapp.classes import CellClass, from_json
from bloodapp.errors import NotFound, Unreadable
from bloodapp.workspace import checked_name, datasets_folder, is_held, read_json

if TYPE_CHECKING:
    import pandas as pd

PARTS = ("train", "val", "test")
MAKING = ".making-"
REPLACED = ".replaced-"
LOCK = ".lock"
_OWN_FIELDS = {"format", "name", "classes", "size", "fingerprint", "source"}


@dataclass(frozen=True)
class Dataset:
    """A dataset, opened for reading. Its images and given labels never change; decisions do.

    Attributes:
        path: its folder.
        name: its name.
        classes: its own class list; labels are positions in it.
        size: side of its square images in pixels.
        fingerprint: sha256 over the items' pixels and given labels, in hex.
        source: `kind`, `name`, `path`, where it was imported from.
        facts: the rest of `dataset.json`: `count`, `skipped`, `imported`.
    """

    path: Path
    name: str
    classes: tuple[CellClass, ...]
    size: int
    fingerprint: str
    source: dict[str, Any] = field(compare=False)
    facts: dict[str, Any] = field(compare=False)

    def __len__(self) -> int:
        """The number of images."""
        return int(self.facts["count"])

    @cached_property
    def images(self) -> NDArray[np.uint8]:
        """All images, uint8 (N, S, S, 3) RGB, mapped from disk, read-only."""
        try:
            images = np.load(self.path / "images.npy", mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise Unreadable(
                f"The images of dataset '{self.name}' cannot be read: import it again."
            ) from error
        if images.shape != (len(self), self.size, self.size, 3) or images.dtype != np.uint8:
            raise Unreadable(f"The images of dataset '{self.name}' do not fit its records: import it again.")
        return images

    def blocks(self, size: int) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """All images, `size` at a time: the position of a block's first image, and the block, (n, S, S, 3).

        The blocks are read, not mapped: pages of a mapped file count as this process's memory as long as it lives,
        and ten times the course's images are 3.8 GB.
        """
        step = self.size * self.size * 3
        begin = self.images.offset  # type: ignore[attr-defined]  # says so when the file is missing or damaged
        with (self.path / "images.npy").open("rb") as file:
            file.seek(begin)
            for start in range(0, len(self), size):
                count = min(size, len(self) - start)
                block = np.fromfile(file, np.uint8, count * step)
                yield start, block.reshape(count, self.size, self.size, 3)

    def read(self, rows: NDArray[np.integer]) -> NDArray[np.uint8]:
        """The images of some rows in their order, uint8 (n, S, S, 3), read and not mapped, as those of `blocks`."""
        return read_rows(self.images, rows)

    @cached_property
    def items(self) -> "pd.DataFrame":
        """One row an image, in the order of `images`; shared, so copy it before changing it.

        Columns: index, sha256 (hex, of the pixels), phash (uint64), name, width, height, mode (of the
        original), label (int16, -1 = none), part ("", train, val, test), parent (index, -1 = none).
        """
        return self._table("items.parquet")

    @cached_property
    def labels(self) -> NDArray[np.int16]:
        """The GIVEN labels, int16 (N,), -1 = none; what decisions made of them says `decisions.judge`."""
        labels: NDArray[np.int16] = self.items["label"].to_numpy(np.int16, copy=True)
        labels.flags.writeable = False
        return labels

    @cached_property
    def parts(self) -> NDArray[np.str_]:
        """The given parts, (N,) of "", "train", "val" or "test"."""
        return self.items["part"].to_numpy(dtype="<U5")

    @cached_property
    def parents(self) -> NDArray[np.int64]:
        """The image that each was made from, int64 (N,), -1 for the originals."""
        return self.items["parent"].to_numpy(np.int64)

    @cached_property
    def families(self) -> NDArray[np.int64]:
        """The image that each was made from in the end, int64 (N,), itself for the originals."""
        family = np.where(self.parents >= 0, self.parents, np.arange(len(self)))
        while (family[family] != family).any():
            family = family[family]
        return family

    @cached_property
    def truth(self) -> "pd.DataFrame | None":
        """What is really wrong with it, where that is known; else None.

        One row per (index, kind): index, kind, group (-1 = none), true_label (-1 = no single cell), and perhaps
        planted: whether the image is a fault itself, or only the good one of its group. `review.truth` reads it.
        """
        return self._table("truth.parquet") if (self.path / "truth.parquet").exists() else None

    def _table(self, name: str) -> "pd.DataFrame":
        import pandas as pd  # half a second, which a mere list of datasets need not wait for

        try:
            return pd.read_parquet(self.path / name)
        except (OSError, ValueError) as error:
            raise Unreadable(f"{name} of dataset '{self.name}' cannot be read: import it again.") from error


def read_rows(images: NDArray[np.uint8], rows: NDArray[np.integer]) -> NDArray[np.uint8]:
    """Some rows of images (N, …) in their order; of mapped ones read from their file, a run of rows at a time.

    The pages of a mapped file count as this process's memory as long as it is mapped.
    """
    file = getattr(images, "filename", None)
    if file is None:
        return images[rows]
    begin: int = images.offset  # type: ignore[attr-defined]
    step = images[0].nbytes
    found = np.empty((len(rows), *images.shape[1:]), images.dtype)
    bounds = [0, *(np.flatnonzero(np.diff(rows) != 1) + 1).tolist(), len(rows)]
    with open(file, "rb", buffering=0) as stream:
        for start, stop in pairwise(bounds):
            if start < stop:
                stream.seek(begin + int(rows[start]) * step)
                if stream.readinto(found[start:stop].data) != (stop - start) * step:
                    raise Unreadable(f"'{file}' is shorter than its header says: import the dataset again.")
    return found


def dataset_path(name: str) -> Path:
    """The folder that a dataset of this name has or would have; raises InvalidValue for an unusable name."""
    return datasets_folder() / checked_name(name)


def free_name(wanted: str) -> str:
    """The name, or with the first number from 2 that no dataset has; raises InvalidValue for an unusable name."""
    name, number = wanted, 2
    while dataset_path(name).exists():
        name = f"{wanted}-{number}"
        number += 1
    return name


def list_datasets() -> list[str]:
    """The names of all datasets, sorted."""
    restore_replaced()
    found = datasets_folder().glob("*/dataset.json")
    return sorted(file.parent.name for file in found if not file.parent.name.startswith("."))


def open_dataset(name: str) -> Dataset:
    """The dataset of this name; raises NotFound, or Unreadable if its record is damaged.

    Opening an unchanged dataset again gives the same object, with its tables read already.
    """
    folder = datasets_folder() / name
    names = list_datasets()
    if name not in names:
        raise NotFound("dataset", name, names)
    stamp = (folder / "dataset.json").stat()
    return _read(folder, (stamp.st_mtime_ns, stamp.st_ino))


def delete_dataset(name: str) -> None:
    """Delete a dataset and all decisions about it; raises NotFound."""
    folder = open_dataset(name).path
    # Moved aside first: it is gone at once and for everybody, however long the deleting takes.
    going = Path(tempfile.mkdtemp(prefix=MAKING, dir=folder.parent))
    shutil.rmtree(folder.with_name(f"{REPLACED}{name}"), ignore_errors=True)  # or it would come back
    os.rename(folder, going / name)
    shutil.rmtree(going, ignore_errors=True)


def restore_replaced() -> None:
    """Bring back a dataset whose replacing was killed between its two moves."""
    for old in datasets_folder().glob(f"{REPLACED}*"):
        target = old.with_name(old.name.removeprefix(REPLACED))
        if not target.exists() and not is_held(datasets_folder() / LOCK):
            with suppress(OSError):
                os.rename(old, target)


@lru_cache(maxsize=16)
def _read(folder: Path, stamp: tuple[int, int]) -> Dataset:
    del stamp  # part of the key only: a replaced dataset is another one
    content = read_json(folder / "dataset.json")
    try:
        return Dataset(
            path=folder,
            name=folder.name,
            classes=from_json(content["classes"]),
            size=int(content["size"]),
            fingerprint=str(content["fingerprint"]),
            source=dict(content["source"]),
            facts={key: value for key, value in content.items() if key not in _OWN_FIELDS},
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Unreadable(
            f"dataset.json in '{folder.name}' is incomplete: import the dataset again."
        ) from error
