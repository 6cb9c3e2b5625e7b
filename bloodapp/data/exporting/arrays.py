"""An export as one `.npz` that `numpy.load` opens: the course's arrays, or MedMNIST's by part."""

import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bloodapp.classes import DEFAULT_CLASSES
from bloodapp.data.dataset import PARTS
from bloodapp.data.exporting.chosen import Chosen, Told

_LEVEL = 3  # on photographs of cells level 6 takes half as long again and gains 0.1 %


def course(path: Path, chosen: Chosen, told: Told) -> None:
    """Write `images` uint8 (N, S, S, 3) and `labels` uint8 (N, 1), in the dataset's order.

    And `classes`, the names, where they are not the course's eight. The same images give the same file.
    """
    with _archive(path) as archive:
        _part(archive, "", chosen, told, 0)
        if chosen.dataset.classes != DEFAULT_CLASSES:
            _classes(archive, chosen)


def medmnist(path: Path, chosen: Chosen, told: Told) -> None:
    """Write `train_images`, `train_labels`, `val_images`, … as MedMNIST does, and `classes`, whichever they are.

    Images without a part go to train. A part without images is there, with no rows: MedMNIST's own loader asks for it.
    """
    with _archive(path) as archive:
        done = 0
        for part in PARTS:
            mask = chosen.parts == part
            one = chosen.only(mask | (chosen.parts == "") if part == "train" else mask)
            _part(archive, f"{part}_", one, told, done)
            done += len(one)
        _classes(archive, chosen)


def _archive(path: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL)


def _part(archive: zipfile.ZipFile, prefix: str, chosen: Chosen, told: Told, done: int) -> None:
    header = {"descr": "|u1", "fortran_order": False, "shape": (len(chosen), *chosen.shape)}
    with archive.open(member(f"{prefix}images.npy"), "w", force_zip64=True) as stream:
        np.lib.format.write_array_header_1_0(stream, header)
        for start, block in chosen.blocks():
            told(done + start)
            stream.write(np.ascontiguousarray(block).data)
    _write(archive, f"{prefix}labels.npy", chosen.labels.astype(np.uint8)[:, None])


def _classes(archive: zipfile.ZipFile, chosen: Chosen) -> None:
    _write(archive, "classes.npy", np.array([cell_class.key for cell_class in chosen.dataset.classes]))


def _write(archive: zipfile.ZipFile, name: str, array: NDArray[np.generic]) -> None:
    with archive.open(member(name), "w") as stream:
        np.lib.format.write_array(stream, array, allow_pickle=False)


def member(name: str, packed: int = zipfile.ZIP_DEFLATED) -> zipfile.ZipInfo:
    """An entry without a time, so that the same images give the same file."""
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.compress_type = packed
    entry.external_attr = 0o644 << 16
    return entry
