"""The table of answers for images: class, confidence, every probability, and the likely set."""

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

SET_MASS = 0.95
"""The classes of a row's `set` hold at least this much of the probability together."""

BLOCK = 256


class Predicts(Protocol):
    """What is asked for answers: a `Predictor`, or anything like it."""

    classes: tuple[CellClass, ...]
    size: int

    def predict(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Probabilities float32 (N, C) of images uint8 (N, S, S, 3)."""


def likely_set(probabilities: npt.ArrayLike, mass: float = SET_MASS) -> npt.NDArray[np.bool_]:
    """The fewest classes that hold `mass` of each row's probability together: (N, C) → bool (N, C)."""
    table = np.asarray(probabilities, np.float64)
    order = np.argsort(-table, axis=1, kind="stable")
    ranked = np.take_along_axis(table, order, axis=1)
    before = np.cumsum(ranked, axis=1) - ranked
    chosen = np.zeros(table.shape, bool)
    # A hair of slack: float32 probabilities need not sum to one.
    np.put_along_axis(chosen, order, before < mass - 1e-6, axis=1)
    return chosen


def answers(
    names: Sequence[str],
    probabilities: npt.NDArray[np.float32],
    errors: Sequence[str],
    classes: Sequence[CellClass],
) -> pd.DataFrame:
    """The table of answers: one row an image, in the columns of `predict`.

    Columns: name, label (class key), confidence, p_<key> for each class, set (keys joined by `|`, most
    likely first), outlier, outlier_score, error. `probabilities` is (N, C); a row with an error has
    neither label nor figures. The outlier columns stay empty: nothing measures that yet.
    """
    table = np.array(probabilities, np.float64).reshape(len(names), len(classes))
    failed = np.array([bool(error) for error in errors], bool)
    table[failed] = np.nan
    keys = np.array([c.key for c in classes])
    filled = np.where(failed[:, None], 0, table)
    best = filled.argmax(1) if len(names) else np.zeros(0, int)
    chosen, order = likely_set(filled), np.argsort(-filled, axis=1, kind="stable")
    sets = [
        "" if bad else "|".join(keys[k] for k in ranked if row[k])
        for bad, row, ranked in zip(failed, chosen, order, strict=True)
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


def classify_pictures(pictures: Iterable[Picture], predictor: Predicts) -> pd.DataFrame:
    """The table of answers for pictures of the predictor's size, in their order."""
    return _table(pictures, predictor, lambda done: None)


def classify(
    source: str | Path,
    predictor: Predicts,
    *,
    progress: Callable[[int, int, str], None] | None = None,
    stopped: Callable[[], bool] | None = None,
) -> pd.DataFrame:
    """The table of answers for a SOURCE, in its order: a path, a dataset's name, or `sample`.

    Pictures without class folders and `.npz` without labels will do. Raises SourceError if the source
    as a whole cannot be read, Stopped when asked to stop.
    """
    opened = open_source(source, labelled=False)

    def pictures() -> Iterator[Picture]:
        for record in opened.records:
            image = None if record.image is None else to_square(record.image, predictor.size)
            yield Picture(record.name, image, record.width, record.height, record.error)

    def told(done: int) -> None:
        if progress:
            progress(done, opened.count, "Classifying")
        if stopped and stopped():
            raise Stopped("Stopped: nothing was written.")

    return _table(pictures(), predictor, told)


def _table(pictures: Iterable[Picture], predictor: Predicts, told: Callable[[int], None]) -> pd.DataFrame:
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
    return answers(names, np.concatenate([empty, *tables]), errors, predictor.classes)
