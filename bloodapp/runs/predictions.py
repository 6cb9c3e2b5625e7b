"""What a run said about the images it did not learn from: predictions.npz."""

from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from bloodapp import workspace
from bloodapp.errors import InvalidValue, Unreadable

FILE = "predictions.npz"


@dataclass(frozen=True)
class Predictions:
    """Probabilities of N images over the run's C classes, in the run's class order.

    Attributes:
        index: int64 (N,), rows of the dataset.
        part: str (N,), `val` or `test`.
        label: int16 (N,), the labels that the run took for true.
        probabilities: float32 (N, C).
        shifted: float32 (N, C) of the same images under the seeded realistic shift, or None.
    """

    index: NDArray[np.int64]
    part: NDArray[np.str_]
    label: NDArray[np.int16]
    probabilities: NDArray[np.float32]
    shifted: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.index)

    def only(self, part: str) -> "Predictions":
        """Those of one part."""
        rows = self.part == part
        shifted = None if self.shifted is None else self.shifted[rows]
        return Predictions(
            self.index[rows], self.part[rows], self.label[rows], self.probabilities[rows], shifted
        )


def write_predictions(folder: Path, predictions: Predictions) -> None:
    """Write the table into a run folder, atomically; raises InvalidValue when its shapes do not fit."""
    arrays = {
        "index": np.asarray(predictions.index, np.int64),
        "part": np.asarray(predictions.part, np.str_),
        "label": np.asarray(predictions.label, np.int16),
        "probabilities": np.asarray(predictions.probabilities, np.float32),
    }
    if predictions.shifted is not None:
        arrays["shifted"] = np.asarray(predictions.shifted, np.float32)
    _check(arrays)
    with workspace.replacing(folder / FILE) as temporary, temporary.open("wb") as stream:
        np.savez_compressed(stream, allow_pickle=False, **arrays)


def read_predictions(folder: Path) -> Predictions | None:
    """The table of a run folder; None when there is none yet, raises Unreadable when it is damaged."""
    try:
        # Opened here: NumPy does not close a file of its own that turns out to be damaged.
        with (folder / FILE).open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            read = {name: arrays[name] for name in arrays.files}
        _check(read)
    except FileNotFoundError:
        return None
    except (BadZipFile, ValueError, KeyError, EOFError, OSError, InvalidValue) as error:
        raise Unreadable(f"{FILE} in '{folder.name}' is damaged: {error}.") from error
    return Predictions(read["index"], read["part"], read["label"], read["probabilities"], read.get("shifted"))


def _check(arrays: dict[str, NDArray[np.generic]]) -> None:
    count = len(arrays["index"])
    probabilities = arrays["probabilities"]
    lengths_fit = all(len(array) == count for array in arrays.values())
    if probabilities.ndim != 2 or not lengths_fit:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise InvalidValue(f"Predictions need one row an image in every array, got {shapes}")
    if "shifted" in arrays and arrays["shifted"].shape != probabilities.shape:
        raise InvalidValue("Shifted probabilities need the shape of the others")
