"""An export as single pictures, PNG and so without loss: class folders, the same in a `.zip`, or beside a table."""

import csv
import io
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bloodapp import workspace
from bloodapp.classes import to_json
from bloodapp.data.exporting.arrays import member
from bloodapp.data.exporting.chosen import Chosen, Told
from bloodapp.data.exporting.names import Names, class_folders, picture_name
from bloodapp.data.exporting.place import MARK

TABLE = "labels.csv"
COLUMNS = ("file", "label", "part", "name")
_THREADS = min(os.cpu_count() or 1, 4)  # that pack pictures; Pillow lets go of the interpreter meanwhile
_LEVEL = 4  # of PNG: on cells level 6 takes 1.4 times as long and gains 1 %


def folders(path: Path, chosen: Chosen, told: Told) -> None:
    """Write `PART/CLASS/NAME.png` into an empty folder; without a part or a label that folder is left out."""
    made: set[str] = set()

    def keep(name: str, content: bytes) -> None:
        folder = name.rpartition("/")[0]
        if folder not in made:
            (path / folder).mkdir(parents=True, exist_ok=True)
            made.add(folder)
        (path / name).write_bytes(content)

    _write(_in_class_folders(chosen), chosen, keep, told)
    keep(MARK, _record(chosen))


def archive(path: Path, chosen: Chosen, told: Told) -> None:
    """Write what `folders` writes as one `.zip`; the same images give the same file."""
    with zipfile.ZipFile(path, "w") as packed:

        def keep(name: str, content: bytes) -> None:
            packed.writestr(member(name, zipfile.ZIP_STORED), content)  # PNG is packed already

        _write(_in_class_folders(chosen), chosen, keep, told)
        keep(MARK, _record(chosen))


def table(path: Path, chosen: Chosen, told: Told) -> None:
    """Write `images/NAME.png` and `labels.csv` into an empty folder: file, label, part and the source's name.

    `label` is the class's key, empty for none; UTF-8, comma, header, RFC 4180.
    """
    (path / "images").mkdir()
    keys = [cell_class.key for cell_class in chosen.dataset.classes]
    with (path / TABLE).open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(COLUMNS)

        def files() -> Iterator[str]:
            names = Names()
            for index, label, part, name in _facts(chosen):
                file = f"images/{names.free(picture_name(name, index))}.png"
                rows.writerow((file, keys[label] if label >= 0 else "", part, name))
                yield file

        _write(files(), chosen, lambda name, content: (path / name).write_bytes(content), told)
    (path / MARK).write_bytes(_record(chosen))


def _in_class_folders(chosen: Chosen) -> Iterator[str]:
    names, classes = Names(), class_folders(chosen.dataset.classes)
    for index, label, part, name in _facts(chosen):
        folder = "/".join(one for one in (part, classes[label] if label >= 0 else "") if one)
        file = names.free(picture_name(name, index), folder)
        yield f"{folder}/{file}.png" if folder else f"{file}.png"


def _facts(chosen: Chosen) -> Iterator[tuple[int, int, str, str]]:
    """Index, label, part and the source's name of each image."""
    names = chosen.dataset.items["name"].to_numpy()
    for index, label, part in zip(chosen.rows, chosen.labels, chosen.parts, strict=True):
        yield int(index), int(label), str(part), str(names[index])


def _write(files: Iterator[str], chosen: Chosen, keep: Callable[[str, bytes], object], told: Told) -> None:
    with ThreadPoolExecutor(_THREADS) as pool:
        for start, block in chosen.blocks():
            told(start)
            for content in pool.map(_png, block):
                keep(next(files), content)


def _png(image: NDArray[np.uint8]) -> bytes:
    packed = io.BytesIO()
    Image.fromarray(image).save(packed, "PNG", compress_level=_LEVEL)
    return packed.getvalue()


def _record(chosen: Chosen) -> bytes:
    """What the export holds, as JSON; no time in it, so that the same images give the same file."""
    dataset = chosen.dataset
    content = {
        "format": workspace.FORMAT,
        "dataset": dataset.name,
        "fingerprint": dataset.fingerprint,
        "seq": chosen.seq,
        "images": len(chosen),
        "size": dataset.size,
        "classes": to_json(dataset.classes),
    }
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()
