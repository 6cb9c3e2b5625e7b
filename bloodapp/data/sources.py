"""Every kind of source, read as one stream of records: nothing is ever held as a whole.

A source is a `.npz` (the course's `images` and `labels`, or MedMNIST's `train_images`, …), a folder or a
`.zip` of class folders, with or without train, val and test above them, the name of a dataset, or the
word `sample`. Archives are read in place: no name inside one ever becomes a path on disk.
"""

import os
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from bloodapp.classes import DEFAULT_CLASSES, CellClass, class_list, default_key
from bloodapp.data.dataset import list_datasets, open_dataset
from bloodapp.data.images import SUFFIXES, decode
from bloodapp.data.npz import damage_explained, open_npz
from bloodapp.data.records import Record
from bloodapp.errors import SourceError

if TYPE_CHECKING:
    import pandas as pd

MAX_PICTURE_BYTES = 256 << 20  # one picture in a folder or archive
# Pictures hardly shrink in an archive. One that would unpack to more than this many times its size is a bomb.
MAX_RATIO = 100
_HARMLESS_BYTES = 1 << 30  # … unless all of it is small
_PART_NAMES = {"train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val"}
_PART_NAMES |= {"test": "test", "testing": "test"}


@dataclass(frozen=True)
class Source:
    """A source, opened: what is known before the first image is read, and the stream of its records.

    Attributes:
        kind: `npz`, `folder`, `zip`, `dataset`, `sample`, `planted` or `augmented`.
        name: a name for it, from its file or folder.
        path: where it lies; empty for the sample.
        classes: its class list; the labels of its records are positions in it.
        count: how many records it will give.
        records: the records in the order of the source, once; a folder's are sorted by path.
        truth: what is really wrong with its items, where that is known.
        facts: what else the dataset's record says of where it comes from; read when all records were given.
    """

    kind: str
    name: str
    path: str
    classes: tuple[CellClass, ...]
    count: int
    records: Iterator[Record]
    truth: "pd.DataFrame | None" = None
    facts: dict[str, Any] = field(default_factory=dict)


def open_source(source: str | Path, *, labelled: bool = True) -> Source:
    """Open a source given by its path, by a dataset's name, or by the word `sample`.

    With `labelled=False` images without labels will do, for classifying: a `.npz` without labels, a
    folder or `.zip` of bare pictures, a single picture. Such records have the label -1.
    Raises SourceError, in one sentence that names the file and what to do.
    """
    if str(source) == "sample":  # a folder of that name is ./sample
        return _sample()
    path = Path(os.path.expanduser(source))
    if path.is_dir():
        return _folder(path, labelled)
    if path.is_file():
        suffix = path.suffix.lower()
        if suffix == ".npz":
            classes, count, records = open_npz(path, labelled)
            return Source("npz", path.stem, str(path.resolve()), classes, count, records)
        if suffix == ".zip":
            return _zip(path, labelled)
        if suffix in SUFFIXES and not labelled:
            return _pictures(
                "folder", path, [PurePosixPath(path.name)], lambda name: path.read_bytes(), labelled
            )
        if not labelled:
            raise SourceError(
                f"'{path}' cannot be read: give a folder, .zip or .npz with pictures, or a picture."
            )
        raise SourceError(f"'{path}' cannot be imported: give a .npz, or a folder or .zip of class folders.")
    if str(source) in list_datasets():
        return _dataset(str(source))
    if not labelled:
        raise SourceError(
            f"Can't find '{source}': give a folder, .zip or .npz with pictures, a picture, or a dataset's name."
        )
    raise SourceError(f"Can't find '{source}': give a .npz, a folder or .zip of class folders, or 'sample'.")


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


def _folder(path: Path, labelled: bool) -> Source:
    files = (PurePosixPath(file.relative_to(path).as_posix()) for file in path.rglob("*") if file.is_file())
    names = sorted(name for name in files if _wanted(name))

    def read(name: PurePosixPath) -> bytes:
        file = path / name
        if file.stat().st_size > MAX_PICTURE_BYTES:
            raise SourceError(f"'{name}' is too large for a picture of one cell: remove it.")
        return file.read_bytes()

    return _pictures("folder", path, names, read, labelled)


def _zip(path: Path, labelled: bool) -> Source:
    with damage_explained(path), zipfile.ZipFile(path) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
    for member in members:
        name = member.filename.replace("\\", "/")
        if name.startswith("/") or ":" in name.split("/")[0] or ".." in name.split("/"):
            raise SourceError(
                f"'{path}' holds a name that leads out of it, '{name}': pack it again from its folder."
            )
    unpacked = sum(member.file_size for member in members)
    if unpacked > max(_HARMLESS_BYTES, MAX_RATIO * path.stat().st_size):
        raise SourceError(
            f"'{path}' would unpack to {unpacked / 1e9:.0f} GB, which pictures cannot: do not trust this file."
        )
    by_name = {PurePosixPath(m.filename.replace("\\", "/")): m for m in members}
    names = [name for name in by_name if _wanted(name)]
    opened: list[zipfile.ZipFile] = []

    def read(name: PurePosixPath) -> bytes:
        if by_name[name].file_size > MAX_PICTURE_BYTES:
            raise SourceError(
                f"'{name}' is too large for a picture of one cell: pack the archive without it."
            )
        if by_name[name].flag_bits & 0x1:
            raise SourceError(f"'{path}' is protected by a password: pack it again without one.")
        if not opened:
            opened.append(zipfile.ZipFile(path))
        with damage_explained(path, str(name)):
            return opened[0].read(by_name[name])

    def close() -> None:
        for archive in opened:
            archive.close()

    return _pictures("zip", path, names, read, labelled, close)


def _pictures(
    kind: str,
    path: Path,
    names: Sequence[PurePosixPath],
    read: Callable[[PurePosixPath], bytes],
    labelled: bool,
    close: Callable[[], None] = lambda: None,
) -> Source:
    """A source of single pictures whose folders say their class and part."""
    if not names:
        wanted = (
            "it should hold one folder of pictures for each class"
            if labelled
            else "give a folder, .zip or .npz with pictures"
        )
        raise SourceError(f"'{path}' holds no pictures: {wanted}.")
    wrapped = _wrapped(names)
    places = [_place(name, wrapped) for name in names]
    folders = sorted({folder for _, folder in places if folder})
    if labelled and not folders:
        raise SourceError(
            f"'{path}' holds pictures but no class folders: put each class into a folder of its name."
        )
    classes = class_list(folders) if folders else DEFAULT_CLASSES
    keys = [cell_class.key for cell_class in classes]
    # Two folders may mean one default class ("ig", "Immature granulocytes"); other names are their own keys.
    positions = {
        folder: keys.index(folder if folder in keys else default_key(folder) or "") for folder in folders
    }

    def records() -> Iterator[Record]:
        try:
            for name, (part, folder) in zip(names, places, strict=True):
                label = positions[folder] if folder else -1
                if labelled and not folder:
                    yield Record.failed(str(name), "It lies in no class folder.", label, part)
                    continue
                try:
                    decoded = decode(read(name), str(name))
                except (SourceError, OSError) as error:
                    yield Record.failed(str(name), str(error), label, part)
                    continue
                yield Record(
                    decoded.image, str(name), label, part, decoded.width, decoded.height, decoded.mode
                )
        finally:
            close()

    return Source(kind, path.stem, str(path.resolve()), classes, len(names), records())


def _wanted(name: PurePosixPath) -> bool:
    """Whether a file is meant as a picture: not hidden, not what macOS adds to archives."""
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in name.parts)
    return not hidden and name.suffix.lower() in SUFFIXES


def _wrapped(names: Sequence[PurePosixPath]) -> int:
    """How many folders lie around all class folders: archives often wrap everything in one."""
    depth = 0
    while True:
        heads = {name.parts[depth] if len(name.parts) > depth + 2 else "" for name in names}
        head = heads.pop()
        if heads or not head or head.lower() in _PART_NAMES or default_key(head):
            return depth
        depth += 1


def _place(name: PurePosixPath, wrapped: int) -> tuple[str, str]:
    """The part and the class folder of a picture, each "" if it has none."""
    folders = name.parts[wrapped:-1]
    if folders and folders[0].lower() in _PART_NAMES:
        return _PART_NAMES[folders[0].lower()], folders[1] if len(folders) > 1 else ""
    return "", folders[0] if folders else ""
