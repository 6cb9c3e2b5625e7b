"""A network asked of many images, block by block, so that work that is cut off goes on where it was."""

from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from bloodapp.classes import CellClass
from bloodapp.data.dataset import Dataset
from bloodapp.data.images import to_square
from bloodapp.errors import Unreadable
from bloodapp.jobs.reporter import Reporter
from bloodapp.workspace import read_json, write_json

BLOCK = 256

_PARTIAL, _BEGUN = "proposals.partial", "begun.json"

Floats = npt.NDArray[np.float32]


class Predicts(Protocol):
    """What gives probabilities: a `Predictor`, or anything like it."""

    classes: tuple[CellClass, ...]
    size: int

    def predict(self, images: npt.NDArray[np.uint8]) -> Floats:
        """Probabilities float32 (N, C) of images uint8 (N, S, S, 3)."""


def asked(
    dataset: Dataset,
    rows: npt.NDArray[np.int64],
    predictor: Predicts,
    context: Reporter,
    about: dict[str, Any],
) -> Floats:
    """The probabilities float32 (M, K) of these images as the network gives them.

    They are appended block by block to a file in the job's folder, which a continued job goes on with, if it is asked
    the same: `about` says by what.
    """
    width = len(predictor.classes)
    partial, begun = context.folder / _PARTIAL, context.folder / _BEGUN
    done = (
        partial.stat().st_size // (4 * width) // BLOCK * BLOCK
        if _same(begun, about) and partial.exists()
        else 0
    )
    write_json(begun, about)
    with partial.open("r+b" if done else "wb") as stream:
        stream.truncate(4 * width * done)
        stream.seek(0, 2)
        for start in range(done, len(rows), BLOCK):
            context.check()
            context.progress(start, len(rows), "Looking at the images")
            images = dataset.read(rows[start : start + BLOCK])
            if dataset.size != predictor.size:
                images = np.stack([to_square(image, predictor.size) for image in images])
            stream.write(np.asarray(predictor.predict(images), np.float32).tobytes())
            stream.flush()
    context.check()
    context.progress(len(rows), len(rows), "Keeping the proposals")
    return np.fromfile(partial, np.float32).reshape(len(rows), width)


def forget(folder: Path) -> None:
    """Remove from a job's folder what `asked` goes on from."""
    for name in (_PARTIAL, _BEGUN):
        (folder / name).unlink(missing_ok=True)


def _same(begun: Path, about: dict[str, Any]) -> bool:
    try:
        there = read_json(begun)
    except (OSError, Unreadable):
        return False
    return all(there.get(key) == value for key, value in about.items())
