"""Course and MedMNIST `.npz` files, streamed row by row out of the compressed member.

`numpy.load` would hold the whole array; here the header is read with `numpy.lib.format` and the rows
follow from the open member in blocks. Pickled arrays are never opened.
"""

import math
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from bloodapp.classes import DEFAULT_CLASSES, CellClass
from bloodapp.data.archives import AGAIN, damage_explained, refuse_bomb, refuse_empty
from bloodapp.data.images import MAX_SIDE, MIN_SIDE
from bloodapp.data.medmnist import classes_of_set, set_of
from bloodapp.data.naming import MAX_CLASSES, named, numbered
from bloodapp.data.records import Record, Source, printable
from bloodapp.errors import SourceError

_BLOCK_BYTES = 2 << 20
_SMALL_BYTES = 256 << 20  # bound of the arrays that are read as a whole: labels and class names
_OFFER = (
    "import it with --convert (in the app: tick 'Convert numbers to pixels') "
    "if they run from 0 to 1 or from 0 to 255"
)


@dataclass(frozen=True)
class _Images:
    """An array of images, as its header says.

    Attributes:
        prefix: before `images` in its name: "", `train_`, `val_` or `test_`.
        shape: (N, H, W, 3), or (N, H, W) and (N, H, W, 1) for grey ones.
        dtype: uint8, or with `convert` another number type.
        labels: int16 (N,), -1 for none.
    """

    prefix: str
    shape: tuple[int, ...]
    dtype: np.dtype
    labels: NDArray[np.int16]


def open_npz(path: Path, labelled: bool, convert: bool = False) -> Source:
    """The images of a `.npz`, streamed.

    Everything but the pixels is checked here, before the first image. Course files hold `images` uint8 (N, H, W, 3)
    and `labels` (N, 1), (N,) or one-hot (N, C); MedMNIST's hold `train_images`, `train_labels`, …; grey images lack
    the last axis or have 1 there. A `classes` array of names is heeded, as our own export writes it. With `convert`
    numbers of other types are taken, from 0 to 1 or from 0 to 255.
    """
    refuse_empty(path)
    called = f"'{printable(str(path))}'"
    medmnist = set_of(path)
    with damage_explained(path), zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        refuse_bomb(path, members)
        arrays = {m.filename.removesuffix(".npy") for m in members if m.filename.endswith(".npy")}
        parts = ("train", "val", "test")
        prefixes = [""] if "images" in arrays else [f"{p}_" for p in parts if f"{p}_images" in arrays]
        listed = ", ".join(f"'{printable(name[:40])}'" for name in sorted(arrays)[:12]) or "none"
        if not prefixes:
            raise SourceError(
                f"{called} has no array 'images': it holds {listed}; save the images under that name."
            )
        found: list[_Images] = []
        one_hot = 0
        for prefix in prefixes:
            shape, dtype = _image_shape(archive, called, f"{prefix}images", convert)
            if f"{prefix}labels" in arrays:
                labels, width = _labels(archive, called, f"{prefix}labels", shape[0])
                one_hot = max(one_hot, width)
            elif labelled:
                raise SourceError(
                    f"{called} has no array '{prefix}labels': it holds {listed}; save the labels under that name."
                )
            else:
                labels = np.full(shape[0], -1, np.int16)
            found.append(_Images(prefix, shape, dtype, labels))
        count = sum(images.shape[0] for images in found)
        if not count:
            raise SourceError(f"{called} holds no images: its array has 0 rows.")
        classes = _classes(archive, called, arrays, found, one_hot, medmnist)
    resolved = printable(str(path.resolve()))
    return Source("npz", printable(path.stem), resolved, classes, count, _records(path, called, found))


def _records(path: Path, called: str, found: list[_Images]) -> Iterator[Record]:
    with damage_explained(path), zipfile.ZipFile(path) as archive:
        scale = _scale(archive, called, found)
        for images in found:
            part = images.prefix.removesuffix("_")
            height, width = images.shape[1:3]
            mode = "RGB" if _is_colour(images.shape) else "L"
            row = 0
            for block in _stream(archive, called, images):
                if images.dtype != np.uint8:
                    block = np.rint(block * scale).astype(np.uint8)
                if mode == "L":
                    block = np.repeat(block.reshape(-1, height, width, 1), 3, axis=3)
                for image in block:
                    yield Record(
                        image, f"{part} {row}".strip(), int(images.labels[row]), part, width, height, mode
                    )
                    row += 1


def _scale(archive: zipfile.ZipFile, called: str, found: list[_Images]) -> float:
    """What to multiply the numbers with so that they run from 0 to 255; raises SourceError if nothing does that.

    All are looked at: whether one is above 1 decides, and it may be the last.
    """
    if all(images.dtype == np.uint8 for images in found):
        return 1.0
    above = -np.inf
    for images in found:
        for block in _stream(archive, called, images):
            low, high = float(block.min()), float(block.max())
            if not (low >= 0 and high <= 255):  # also of NaN
                raise SourceError(
                    f"The images in {called} hold {low:g} to {high:g}, but 0 to 1 or 0 to 255 is needed: "
                    "bring them to 0 … 255 and save them with .astype('uint8')."
                )
            above = max(above, high)
    whole = all(images.dtype.kind in "iu" for images in found)
    return 255.0 if above <= 1 and not whole else 1.0


def _is_colour(shape: tuple[int, ...]) -> bool:
    return len(shape) == 4 and shape[3] == 3


def _stream(archive: zipfile.ZipFile, called: str, images: _Images) -> Iterator[np.ndarray]:
    name = f"{images.prefix}images"
    with archive.open(f"{name}.npy") as stream:
        _header(stream, called, name)
        yield from _blocks(stream, images.shape, images.dtype)


def _blocks(stream: IO[bytes], shape: tuple[int, ...], dtype: np.dtype) -> Iterator[np.ndarray]:
    """The rows of an array in blocks of some megabytes; raises EOFError if they end too early."""
    row_bytes = math.prod(shape[1:]) * dtype.itemsize
    rows = max(1, _BLOCK_BYTES // row_bytes)
    for start in range(0, shape[0], rows):
        wanted = min(rows, shape[0] - start)
        yield np.frombuffer(_exactly(stream, wanted * row_bytes), dtype).reshape(wanted, *shape[1:])
    if stream.read(1):  # also makes zipfile compare the checksum, which it does at the very end only
        raise EOFError("more bytes than the header says")


def _exactly(stream: IO[bytes], count: int) -> bytes:
    content = stream.read(count)
    if len(content) != count:
        raise EOFError("fewer bytes than the header says")
    return content


def _header(stream: IO[bytes], called: str, name: str) -> tuple[tuple[int, ...], bool, np.dtype]:
    damaged = SourceError(f"The array '{name}' in {called} is damaged: {AGAIN}.")
    try:
        version = np.lib.format.read_magic(stream)
        if version == (1, 0):
            header = np.lib.format.read_array_header_1_0(stream)
        elif version == (2, 0):
            header = np.lib.format.read_array_header_2_0(stream)
        else:
            raise damaged
    except Exception as error:  # NumPy reads it as Python, and stumbles in all the ways of a parser
        raise damaged from error
    if header[2].hasobject:
        raise SourceError(
            f"The array '{name}' in {called} holds Python objects, which are never opened, for safety: "
            "save it as plain numbers."
        )
    if header[2].itemsize == 0 or any(type(side) is not int or side < 0 for side in header[0]):
        raise damaged
    return header


def _image_shape(
    archive: zipfile.ZipFile, called: str, name: str, convert: bool
) -> tuple[tuple[int, ...], np.dtype]:
    member = archive.getinfo(f"{name}.npy")
    with archive.open(member) as stream:
        shape, fortran, dtype = _header(stream, called, name)
        header_bytes = stream.tell()
    where = f"The array '{name}' in {called}"
    grey = (len(shape) == 3 and shape[2] not in (1, 3, 4)) or (len(shape) == 4 and shape[3] == 1)
    if not (grey or _is_colour(shape)) or 0 in shape[1:]:
        raise SourceError(
            f"{where} has the shape {shape}, but (number, height, width, 3) is needed: "
            "colour images, one after another, or grey ones without the last axis."
        )
    if dtype != np.uint8 and (dtype.kind not in "fiu" or not convert):
        remedy = _OFFER if dtype.kind in "fiu" else "save them with .astype('uint8')"
        raise SourceError(f"{where} is of type {dtype}, but uint8 is needed: {remedy}.")
    for reason, wrong in (("large", max(shape[1:3]) > MAX_SIDE), ("small", min(shape[1:3]) < MIN_SIDE)):
        if wrong:
            raise SourceError(
                f"The images in {called} are {shape[2]} x {shape[1]} pixels, too {reason} for single cells: "
                "save them with one cell each."
            )
    if fortran:
        raise SourceError(f"{where} is stored column by column: save it with np.ascontiguousarray(images).")
    if member.file_size != header_bytes + math.prod(shape) * dtype.itemsize:
        raise SourceError(f"{where} is cut short: {AGAIN}.")
    return shape, dtype


def _small(archive: zipfile.ZipFile, called: str, name: str) -> np.ndarray:
    """An array that is read as a whole."""
    member = archive.getinfo(f"{name}.npy")
    if member.file_size > _SMALL_BYTES:
        raise SourceError(f"The array '{name}' in {called} is too large to be what its name says.")
    with archive.open(member) as stream:
        shape, fortran, dtype = _header(stream, called, name)
        content = _exactly(stream, math.prod(shape) * dtype.itemsize)
        stream.read(1)
    return np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C")


def _labels(archive: zipfile.ZipFile, called: str, name: str, count: int) -> tuple[NDArray[np.int16], int]:
    """The labels as int16 (N,), and the number of classes if they were one-hot, else 0."""
    labels = _small(archive, called, name)
    where = f"The array '{name}' in {called}"
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
            f"{called} holds {count} images but {len(labels)} labels: save both anew, of the same rows."
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
    archive: zipfile.ZipFile,
    called: str,
    arrays: set[str],
    found: list[_Images],
    one_hot: int,
    medmnist: str,
) -> tuple[CellClass, ...]:
    """The class list: by name where the file has one or is a known set, the eight of the course, or numbered."""
    highest = max(int(images.labels.max(initial=-1)) for images in found)
    if "classes" in arrays:
        names = _small(archive, called, "classes")
        if names.ndim != 1 or names.dtype.kind != "U" or len(set(names.tolist())) <= highest:
            raise SourceError(
                f"The array 'classes' in {called} does not name the {highest + 1} classes of its labels: "
                "give it one different name a class."
            )
        if len(set(names.tolist())) < len(names) or len(names) > MAX_CLASSES:
            raise SourceError(
                f"The array 'classes' in {called} must hold 1 to {MAX_CLASSES} different names: save it again."
            )
        return named([printable(name) for name in names.tolist()])
    count = one_hot or highest + 1
    if medmnist:
        classes = classes_of_set(medmnist)
        if count > len(classes):
            raise SourceError(
                f"{called} has labels up to {count - 1}, but {medmnist} has {len(classes)} classes: "
                "give the file another name if it is another set."
            )
        return classes
    # Eight numbered classes are taken for the eight of blood, whatever the file is called. The course's own file may be
    # a part that lacks the last of them.
    if count == len(DEFAULT_CLASSES) or ("images" in arrays and not one_hot and count < len(DEFAULT_CLASSES)):
        return DEFAULT_CLASSES
    return numbered(count)
