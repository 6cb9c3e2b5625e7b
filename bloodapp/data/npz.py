"""Course and MedMNIST `.npz` files, streamed row by row out of the compressed member.

`numpy.load` would hold the whole array; here the header is read with `numpy.lib.format` and the rows
follow from the open member in blocks. Pickled arrays are never opened.
"""

import math
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from bloodapp.classes import DEFAULT_CLASSES, CellClass
from bloodapp.data.images import MAX_SIDE
from bloodapp.data.records import Record
from bloodapp.errors import SourceError

MAX_CLASSES = 100  # more is no list of cell classes, but something else called "labels"
_BLOCK_BYTES = 2 << 20
_SMALL_BYTES = 256 << 20  # bound of the arrays that are read as a whole: labels and class names
_AGAIN = "copy, download or save it again"


@contextmanager
def damage_explained(path: Path, member: str = "") -> Iterator[None]:
    """Turn what `zipfile` raises for damaged, cut or locked archives into one sentence."""
    # The name is enough, and all that somebody who uploaded the file has ever seen of it.
    what = f"'{member}' in '{path.name}'" if member else f"'{path.name}'"
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        if not _begins_like_an_archive(path):
            raise SourceError(
                f"{what} is no {path.suffix or '.zip'} file, whatever its name says: "
                "choose the one that holds the images."
            ) from error
        raise SourceError(f"{what} is damaged or cut short: {_AGAIN}.") from error
    except NotImplementedError as error:
        raise SourceError(
            f"{what} is packed in a way that cannot be read here: pack it as a plain zip."
        ) from error
    except RuntimeError as error:  # zipfile's word for a password
        raise SourceError(f"{what} is protected by a password: pack it again without one.") from error
    except PermissionError as error:
        raise SourceError(f"{what} may not be read: give yourself the right to read it.") from error


def _begins_like_an_archive(path: Path) -> bool:
    with suppress(OSError), path.open("rb") as stream:
        return stream.read(2) == b"PK"
    return False


def open_npz(path: Path, labelled: bool) -> tuple[tuple[CellClass, ...], int, Iterator[Record]]:
    """The class list, the number of images and the stream of records of a `.npz`.

    Everything but the pixels is checked here, before the first image. Course files hold `images`
    uint8 (N, H, W, 3) and `labels` (N, 1), (N,) or one-hot (N, C); MedMNIST's hold `train_images`,
    `train_labels`, …. A `classes` array of names is heeded, as our own export writes it.
    """
    with damage_explained(path), zipfile.ZipFile(path) as archive:
        arrays = {m.filename.removesuffix(".npy") for m in archive.infolist() if m.filename.endswith(".npy")}
        parts = [("", "")] if "images" in arrays else []
        parts = parts or [
            (f"{part}_", part) for part in ("train", "val", "test") if f"{part}_images" in arrays
        ]
        listed = ", ".join(f"'{name}'" for name in sorted(arrays)[:12]) or "none"
        if not parts:
            raise SourceError(
                f"'{path}' has no array 'images': it holds {listed}; save the images under that name."
            )
        counts, labels = [], []
        one_hot = 0
        for prefix, _ in parts:
            shape = _image_shape(archive, path, f"{prefix}images")
            counts.append(shape[0])
            if f"{prefix}labels" in arrays:
                numbers, width = _labels(archive, path, f"{prefix}labels", shape[0])
                one_hot = max(one_hot, width)
            elif labelled:
                raise SourceError(
                    f"'{path}' has no array '{prefix}labels': it holds {listed}; save the labels under that name."
                )
            else:
                numbers = np.full(shape[0], -1, np.int16)
            labels.append(numbers)
        if not sum(counts):
            raise SourceError(f"'{path}' holds no images: its array has {counts[0]} rows.")
        classes = _classes(archive, path, arrays, labels, one_hot)
    return classes, sum(counts), _records(path, parts, labels)


def _records(path: Path, parts: list[tuple[str, str]], labels: list[NDArray[np.int16]]) -> Iterator[Record]:
    with damage_explained(path), zipfile.ZipFile(path) as archive:
        for (prefix, part), numbers in zip(parts, labels, strict=True):
            with archive.open(f"{prefix}images.npy") as stream:
                shape, _, _ = _header(stream, path, f"{prefix}images")
                height, width = shape[1:3]
                row = 0
                for block in _blocks(stream, shape):
                    for image in block:
                        name = f"{part} {row}".strip()
                        yield Record(image, name, int(numbers[row]), part, width, height, "RGB")
                        row += 1


def _blocks(stream: IO[bytes], shape: tuple[int, ...]) -> Iterator[NDArray[np.uint8]]:
    """The rows of an array in blocks of some megabytes; raises EOFError if they end too early."""
    row_bytes = math.prod(shape[1:])
    rows = max(1, _BLOCK_BYTES // row_bytes)
    for start in range(0, shape[0], rows):
        wanted = min(rows, shape[0] - start)
        yield np.frombuffer(_exactly(stream, wanted * row_bytes), np.uint8).reshape(wanted, *shape[1:])
    if stream.read(1):  # also makes zipfile compare the checksum, which it does at the very end only
        raise EOFError("more bytes than the header says")


def _exactly(stream: IO[bytes], count: int) -> bytes:
    content = stream.read(count)
    if len(content) != count:
        raise EOFError("fewer bytes than the header says")
    return content


def _header(stream: IO[bytes], path: Path, name: str) -> tuple[tuple[int, ...], bool, np.dtype]:
    try:
        version = np.lib.format.read_magic(stream)
        if version == (1, 0):
            header = np.lib.format.read_array_header_1_0(stream)
        elif version == (2, 0):
            header = np.lib.format.read_array_header_2_0(stream)
        else:
            raise ValueError(f"version {version}")
    except ValueError as error:
        raise SourceError(f"The array '{name}' in '{path}' is damaged: {_AGAIN}.") from error
    if header[2].hasobject:
        raise SourceError(
            f"The array '{name}' in '{path}' holds Python objects, which are never opened, for safety: "
            "save it as plain numbers."
        )
    return header


def _image_shape(archive: zipfile.ZipFile, path: Path, name: str) -> tuple[int, ...]:
    member = archive.getinfo(f"{name}.npy")
    with archive.open(member) as stream:
        shape, fortran, dtype = _header(stream, path, name)
        header_bytes = stream.tell()
    if len(shape) != 4 or shape[3] != 3 or 0 in shape[1:]:
        raise SourceError(
            f"The array '{name}' in '{path}' has the shape {shape}, but (number, height, width, 3) is needed: "
            "colour images, one after another."
        )
    if dtype != np.uint8:
        advice = "bring them to 0 … 255 and save them with .astype('uint8')"
        raise SourceError(
            f"The array '{name}' in '{path}' is of type {dtype}, but uint8 is needed: {advice}."
        )
    if max(shape[1:3]) > MAX_SIDE:
        raise SourceError(
            f"The images in '{path}' are {shape[2]} x {shape[1]} pixels: too large for single cells."
        )
    if fortran:
        raise SourceError(
            f"The array '{name}' in '{path}' is stored column by column: save it with np.ascontiguousarray(images)."
        )
    if member.file_size != header_bytes + math.prod(shape):
        raise SourceError(f"The array '{name}' in '{path}' is cut short: {_AGAIN}.")
    return shape


def _small(archive: zipfile.ZipFile, path: Path, name: str) -> np.ndarray:
    """An array that is read as a whole."""
    member = archive.getinfo(f"{name}.npy")
    if member.file_size > _SMALL_BYTES:
        raise SourceError(f"The array '{name}' in '{path}' is too large to be what its name says.")
    with archive.open(member) as stream:
        shape, fortran, dtype = _header(stream, path, name)
        content = _exactly(stream, math.prod(shape) * dtype.itemsize)
        stream.read(1)
    return np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C")


def _labels(archive: zipfile.ZipFile, path: Path, name: str, count: int) -> tuple[NDArray[np.int16], int]:
    """The labels as int16 (N,), and the number of classes if they were one-hot, else 0."""
    labels = _small(archive, path, name)
    where = f"The array '{name}' in '{path}'"
    if labels.dtype.kind not in "iufb":
        raise SourceError(
            f"{where} is of type {labels.dtype}, but whole numbers are needed: number the classes from 0."
        )
    if labels.ndim not in (1, 2) or (labels.ndim == 2 and labels.shape[1] == 0):
        raise SourceError(
            f"{where} has the shape {labels.shape}, but (N, 1), (N,) or one-hot (N, classes) is needed."
        )
    if len(labels) != count:
        raise SourceError(
            f"'{path}' holds {count} images but {len(labels)} labels: save both anew, of the same rows."
        )
    width = 0
    if labels.ndim == 2 and labels.shape[1] > 1:
        width = labels.shape[1]
        if not (np.isin(labels, (0, 1)).all() and (labels.sum(axis=1) == 1).all()):
            raise SourceError(f"{where} has several columns but is not one-hot: give one label an image.")
        labels = labels.argmax(axis=1)
    labels = labels.reshape(-1)
    if labels.dtype.kind == "f" and not np.array_equal(labels, np.floor(labels)):  # also false for NaN
        raise SourceError(
            f"{where} holds fractions, but whole numbers are needed: number the classes from 0."
        )
    if len(labels) and labels.min() < 0:
        raise SourceError(f"{where} holds negative labels ({labels.min():g}): number the classes from 0.")
    if len(labels) and max(labels.max(), width - 1) >= MAX_CLASSES:
        raise SourceError(
            f"{where} has labels up to {max(labels.max(), width - 1):g}, more than the {MAX_CLASSES} classes that are "
            "possible: number the classes from 0 without gaps."
        )
    return labels.astype(np.int16), width


def _classes(
    archive: zipfile.ZipFile, path: Path, arrays: set[str], labels: list[NDArray[np.int16]], one_hot: int
) -> tuple[CellClass, ...]:
    """The class list: by name where the file has one, the eight of the course, or numbered."""
    highest = max(int(part.max(initial=-1)) for part in labels)
    if "classes" in arrays:
        names = _small(archive, path, "classes")
        if names.ndim != 1 or names.dtype.kind != "U" or len(set(names.tolist())) <= highest:
            raise SourceError(
                f"The array 'classes' in '{path}' does not name the {highest + 1} classes of its labels."
            )
        return _named(names.tolist())
    count = one_hot or highest + 1
    # The course numbers its eight classes 0 to 7; a part of its file may lack the last of them.
    lacking = "images" in arrays and not one_hot and count < len(DEFAULT_CLASSES)
    if count == len(DEFAULT_CLASSES) or lacking:
        return DEFAULT_CLASSES
    return _named([f"class{number}" for number in range(count)])


def _named(names: list[str]) -> tuple[CellClass, ...]:
    """The class list with exactly these names in this order; the default classes among them keep their looks."""
    known = {cell_class.key: cell_class for cell_class in DEFAULT_CLASSES}
    palette = [cell_class.colour for cell_class in DEFAULT_CLASSES]
    return tuple(
        CellClass(
            name,
            known[name].title if name in known else name,
            known[name].colour if name in known else palette[number % len(palette)],
            str(number + 1) if number < 9 else "",
        )
        for number, name in enumerate(names)
    )
