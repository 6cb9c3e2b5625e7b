"""The table of answers for images: class, confidence, every probability, and the likely set.

With the run's calibration confidences mean what they say, and a set holds the true class of at least 95 % of images
like those of the run's validation part; see `runs.calibration`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from bloodapp.classes import CellClass
from bloodapp.classify.pictures import Picture
from bloodapp.data.images import to_square
from bloodapp.data.sources import open_source
from bloodapp.errors import Stopped
from bloodapp.runs.calibration import Calibration, likely_set

BLOCK = 256


class Predicts(Protocol):
    """What is asked for answers: a `Predictor`, or anything like it."""

    classes: tuple[CellClass, ...]
    size: int

    def predict(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Probabilities float32 (N, C) of images uint8 (N, S, S, 3)."""


def answers(
    names: Sequence[str],
    probabilities: npt.NDArray[np.float32],
    errors: Sequence[str],
    classes: Sequence[CellClass],
    calibration: Calibration | None = None,
) -> pd.DataFrame:
    """The table of answers: one row an image, in the columns of `predict`.

    Columns: name, label (class key), confidence, p_<key> for each class, set (keys joined by `|`, most
    likely first), outlier, outlier_score, error. `probabilities` is (N, C) as the network gives them; a row with an
    error has neither label nor figures. The outlier columns stay empty: nothing measures that yet.

    With a calibration all probabilities are calibrated and the sets are its; without one a set is the fewest classes
    that hold 95 % of the probability.
    """
    given = np.asarray(probabilities, np.float32).reshape(len(names), len(classes))
    failed = np.array([bool(error) for error in errors], bool)
    table = np.array(calibration.apply(given) if calibration else given, np.float64)
    likely = calibration.sets(given) if calibration else likely_set(given)
    table[failed] = np.nan
    keys = np.array([c.key for c in classes])
    filled = np.where(failed[:, None], 0, table)
    best = filled.argmax(1) if len(names) else np.zeros(0, int)
    order = np.argsort(-filled, axis=1, kind="stable")
    sets = [
        "" if bad else "|".join(keys[k] for k in ranked if row[k])
        for bad, row, ranked in zip(failed, likely, order, strict=True)
    ]
    frame = pd.DataFrame({"name": list(names)})
    frame["label"] = np.where(failed, "", keys[best]).astype(object)
    frame["confidence"] = np.where(failed, np.nan, filled.max(1, initial=0))
    for column, key in enumerate(keys):
        frame[f"p_{key}"] = table[:, column]
    frame["set"] = pd.Series(sets, dtype=object)
    frame["outlier"] = ""
    frame["outlier_score"] = ""
    frame["error"] = pd.Series(list(errors), dtype=object)
    return frame


def to_csv(frame: pd.DataFrame) -> str:
    """The table as CSV: UTF-8, comma, header, lines ended as RFC 4180 asks."""
    return frame.to_csv(index=False, float_format="%.6f", lineterminator="\r\n")


def classify_pictures(
    pictures: Iterable[Picture], predictor: Predicts, calibration: Calibration | None = None
) -> pd.DataFrame:
    """The table of answers for pictures of the predictor's size, in their order."""
    return _table(pictures, predictor, calibration, lambda done: None)


def classify(
    source: str | Path,
    predictor: Predicts,
    calibration: Calibration | None = None,
    *,
    progress: Callable[[int, int, str], None] | None = None,
    stopped: Callable[[], bool] | None = None,
) -> pd.DataFrame:
    """The table of answers for a SOURCE, in its order: a path, a dataset's name, or `sample`.

    Pictures without class folders and `.npz` without labels will do. Raises SourceError if the source
    as a whole cannot be read, Stopped when asked to stop.
    """
    opened = open_source(source, labelled=False, progress=progress, stopped=stopped)

    def pictures() -> Iterator[Picture]:
        for record in opened.records:
            image = None if record.image is None else to_square(record.image, predictor.size)
            yield Picture(record.name, image, record.width, record.height, record.error)

    def told(done: int) -> None:
        if progress:
            progress(done, opened.count, "Classifying")
        if stopped and stopped():
            raise Stopped("Stopped: nothing was written.")

    return _table(pictures(), predictor, calibration, told)


def _table(
    pictures: Iterable[Picture],
    predictor: Predicts,
    calibration: Calibration | None,
    told: Callable[[int], None],
) -> pd.DataFrame:
    names: list[str] = []
    errors: list[str] = []
    tables: list[npt.NDArray[np.float32]] = []
    stream = iter(pictures)
    while block := list(islice(stream, BLOCK)):
        table = np.zeros((len(block), len(predictor.classes)), np.float32)
        readable = [row for row, picture in enumerate(block) if picture.image is not None]
        if readable:
            images = [picture.image for picture in block if picture.image is not None]
            table[readable] = predictor.predict(np.stack(images))
        names += [picture.name for picture in block]
        errors += [
            picture.error or ("" if picture.image is not None else "It cannot be read.") for picture in block
        ]
        tables.append(table)
        told(len(names))
    empty = np.zeros((0, len(predictor.classes)), np.float32)
    return answers(names, np.concatenate([empty, *tables]), errors, predictor.classes, calibration)
