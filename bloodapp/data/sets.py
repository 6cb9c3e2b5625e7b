"""Sets of images that were chosen together, a lasso's for instance: kept on disk, so that a link and a reload hold.

A set is named after what is in it. The newest are kept, in the dataset's folder; whoever asks for one that is gone
gets None.
"""

import hashlib
import re
from collections.abc import Sequence
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from bloodapp.data.dataset import Dataset
from bloodapp.errors import InvalidValue
from bloodapp.workspace import replacing

FOLDER = "sets"
MOST = 50
_NAME = re.compile(r"[0-9a-f]{16}")


def keep(dataset: Dataset, indices: Sequence[int] | NDArray[np.integer]) -> str:
    """Keep a set of images and give its name; raises InvalidValue for images that do not exist."""
    chosen = np.unique(np.asarray(indices, np.int64))
    if len(chosen) and not (chosen[0] >= 0 and chosen[-1] < len(dataset)):
        raise InvalidValue(f"'{dataset.name}' has the images 0 to {len(dataset) - 1} and no others.")
    name = hashlib.sha256(dataset.fingerprint.encode() + chosen.tobytes()).hexdigest()[:16]
    folder = dataset.path / FOLDER
    folder.mkdir(exist_ok=True)
    with replacing(folder / f"{name}.npy") as temporary, temporary.open("wb") as stream:
        np.save(stream, chosen, allow_pickle=False)
    for old in sorted(folder.glob("*.npy"), key=lambda path: path.stat().st_mtime_ns, reverse=True)[MOST:]:
        with suppress(OSError):
            old.unlink()
    return name


def read(dataset: Dataset, name: str) -> NDArray[np.int64] | None:
    """The images of a kept set, int64 (M,), ascending; None where it is gone or damaged."""
    if not _NAME.fullmatch(name):
        return None
    try:
        chosen: NDArray[np.int64] = np.load(dataset.path / FOLDER / f"{name}.npy", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    fits = chosen.dtype == np.int64 and chosen.ndim == 1
    return chosen if fits and (not len(chosen) or int(chosen[-1]) < len(dataset)) else None
