"""What a source gives: one image after another, each with what is known of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bloodapp.classes import CellClass

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Record:
    """One image as its source gives it, or the reason why there is none.

    Attributes:
        image: RGB uint8 (H, W, 3); None if it could not be read.
        name: its name in the source: a file's path, or its row.
        label: position in the source's class list, -1 for none.
        part: "", "train", "val" or "test".
        width: of the original, in pixels.
        height: of the original, in pixels.
        mode: of the original, in Pillow's words.
        error: one sentence why it could not be read, else "".
        parent: position in the same source, of whose records none fails, of the image it was made from; -1 for none.
        note: one sentence on what of the original was left out, for instance its other pages, else "".
    """

    image: NDArray[np.uint8] | None
    name: str
    label: int
    part: str
    width: int
    height: int
    mode: str
    error: str = ""
    parent: int = -1
    note: str = ""

    @classmethod
    def failed(cls, name: str, error: str, label: int = -1, part: str = "") -> "Record":
        """The record of a picture that could not be read."""
        return cls(None, name, label, part, 0, 0, "", error)


Reader = Callable[[], Record]
"""Reads one image; may be called in any thread, and beside others."""


@dataclass(frozen=True)
class Source:
    """A source, opened: what is known before the first image is read, and the stream of its records.

    Attributes:
        kind: `npz`, `folder`, `zip`, `table`, `dataset`, `sample`, `planted` or `augmented`.
        name: a name for it, from its file or folder.
        path: where it lies; empty for the sample.
        classes: its class list; the labels of its records are positions in it.
        count: how many records it will give.
        records: the records in the order of the source, once; a folder's are sorted by path.
        truth: what is really wrong with its items, where that is known.
        facts: what else the dataset's record says of where it comes from; read when all records were given.
        readers: the same records again, in the same order, each as a function that reads it; None where they can
            only be read one after another.
        passed: what lies in the source and gives no record, by name, each with the reason.
    """

    kind: str
    name: str
    path: str
    classes: tuple[CellClass, ...]
    count: int
    records: Iterator[Record]
    truth: "pd.DataFrame | None" = None
    facts: dict[str, Any] = field(default_factory=dict)
    readers: Iterator[Reader] | None = None
    passed: tuple[tuple[str, str], ...] = ()


def printable(name: str) -> str:
    """A name from a disk or an archive as it can be shown and stored: one line, and text in any case.

    File systems allow line ends in names, and bytes that are no text.
    """
    if name.isprintable():
        return name
    text = name.encode("utf-8", "replace").decode("utf-8")
    return "".join(letter if letter.isprintable() else "?" for letter in text)
