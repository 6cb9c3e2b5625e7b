"""One image on its way from a source."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


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

    @classmethod
    def failed(cls, name: str, error: str, label: int = -1, part: str = "") -> "Record":
        """The record of a picture that could not be read."""
        return cls(None, name, label, part, 0, 0, "", error)
