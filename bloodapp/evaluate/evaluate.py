"""A run judged: on what it kept aside, from its files alone, or on any other labelled source."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from bloodapp.augment.corruptions import DRAWS, SHIFT_SEED, shifted
from bloodapp.classes import CellClass
from bloodapp.data.images import to_square
from bloodapp.errors import InvalidValue, NotFound, SourceError, Stopped
from bloodapp.evaluate import metrics, scores
from bloodapp.evaluate.metrics import Comparison, Interval
from bloodapp.evaluate.reading import labelled_blocks
from bloodapp.runs.run import Run

PARTS = ("test", "val")
"""The parts a run can be judged on by its files, the more honest one first."""

Progress = Callable[[int, int, str], None]

_NOT_SHIFTED = "This run has no answers under the shift."


class Predicts(Protocol):
    """What answers for a run: a `Predictor`, or anything like it."""

    size: int

    def predict(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Probabilities float32 (N, C) of images uint8 (N, S, S, 3)."""


@dataclass(frozen=True, eq=False)
class Judgement:
    """Labels and answers for N images over C classes, in one order.

    Attributes:
        classes: in the order of the probabilities.
        index: int64 (N,), rows of the dataset, or places in the source.
        labels: int64 (N,), what counts as true.
        probabilities: float32 (N, C) on the images as they are.
        shifted: float32 (N, C) on the same images under the seeded shift, or None.
    """

    classes: tuple[CellClass, ...]
    index: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]
    probabilities: npt.NDArray[np.float32]
    shifted: npt.NDArray[np.float32] | None

    def __len__(self) -> int:
        return len(self.index)

    @property
    def keys(self) -> list[str]:
        """The class keys, in order."""
        return [c.key for c in self.classes]

    def matrix(self, *, under_shift: bool = False) -> npt.NDArray[np.int64]:
        """The confusion matrix (C, C), clean or under the shift."""
        table = self.shifted if under_shift else self.probabilities
        if table is None:
            raise InvalidValue(_NOT_SHIFTED)
        return metrics.confusion(self.labels, table.argmax(1), len(self.classes))

    def comparison(self) -> Comparison:
        """Clean and shifted accuracy and the gap, with intervals."""
        clean = self.probabilities.argmax(1)
        hard = clean if self.shifted is None else self.shifted.argmax(1)
        return metrics.compare(self.labels, clean, hard)


def parts_of(run: Run) -> list[str]:
    """The parts a run has answers for, test before val; none before it has finished."""
    predictions = run.predictions()
    return [] if predictions is None else [part for part in PARTS if (predictions.part == part).any()]


def judgement(run: Run, part: str | None = None) -> Judgement:
    """What the run said about its own test part (or val, if it has no test) or the given part.

    Read from predictions.npz, without TensorFlow. Raises NotFound before the run has finished or for
    a part it does not have.
    """
    predictions = run.predictions()
    if predictions is None:
        raise NotFound("predictions of the run", run.name)
    available = parts_of(run)
    if part is None and available:
        part = available[0]
    if part is None or part not in available:
        raise NotFound(f"a part of run '{run.name}' called", str(part), available)
    chosen = predictions.only(part)
    return Judgement(
        run.classes,
        chosen.index,
        chosen.label.astype(np.int64),
        chosen.probabilities,
        chosen.shifted,
    )


def evaluate_run(
    run: Run,
    *,
    source: str | Path | None = None,
    part: str | None = None,
    predictor: Predicts | None = None,
    progress: Progress | None = None,
    stopped: Callable[[], bool] | None = None,
) -> dict[str, Any]:
    """Judge a run and give the figures as plain JSON.

    Without `source` the run's own part is read from its files (test if there is one). With `source` (a
    dataset's name, a path, `sample`) its labelled images are classified, as they are and under the
    seeded shift; a dataset counts with the labels that its decisions made, and without what they
    excluded. `part` then chooses one of the source's parts. `predictor` saves loading the model.

    Keys: run, source, part, n, skipped, the figures of `scores` (accuracy, balanced_accuracy, precision,
    recall, f1, auc, kappa), classes, per_class (a dict by class key), confusion (rows true), intervals as
    `<figure>_low` and `<figure>_high`, all of them again as `shifted_…`, gap, shift (what the draw does).
    A figure that cannot be known is None.
    """
    if source is None:
        used = part or next(iter(parts_of(run)), None)
        result, skipped = judgement(run, used), 0
    else:
        used = part
        result, skipped = _judge_source(run, source, part, predictor, progress, stopped)
    head = {"run": run.name, "source": None if source is None else str(source), "part": used}
    return {**head, "n": len(result), "skipped": skipped, **figures(result)}


def figures(result: Judgement) -> dict[str, Any]:
    """All figures of a judgement as plain JSON, see `evaluate_run`."""
    both = result.comparison()
    content: dict[str, Any] = {"classes": result.keys, **_half(result, "", both.clean)}
    if result.shifted is not None:
        content |= _half(result, "shifted_", both.shifted)
        content |= _spread("gap", both.gap)
        content["shift"] = DRAWS
    return content


def _half(result: Judgement, prefix: str, accuracy: Interval) -> dict[str, Any]:
    matrix = result.matrix(under_shift=bool(prefix))
    content: dict[str, Any] = {}
    for name, figure in overall(result, accuracy, under_shift=bool(prefix)).items():
        content |= _spread(f"{prefix}{name}", figure)
    table = metrics.per_class(matrix, result.keys)
    content[f"{prefix}per_class"] = {
        str(row.pop("class")): {name: _plain(value) for name, value in row.items()}
        for row in table.to_dict("records")
    }
    content[f"{prefix}confusion"] = matrix.tolist()
    return content


def overall(result: Judgement, accuracy: Interval, *, under_shift: bool) -> dict[str, Interval]:
    """The figures of `scores` by name, clean or under the shift, with the interval that the accuracy has elsewhere.

    Raises InvalidValue where there are no answers under the shift.
    """
    answers = result.shifted if under_shift else result.probabilities
    if answers is None:
        raise InvalidValue(_NOT_SHIFTED)
    # One accuracy has one interval, wherever it stands.
    return {**scores.scores(result.labels, answers), "accuracy": accuracy}


def _spread(name: str, figure: Interval) -> dict[str, Any]:
    ends = {f"{name}_low": _plain(figure.low), f"{name}_high": _plain(figure.high)}
    return {name: _plain(figure.value), **ends}


def _plain(value: Any) -> float | int | None:
    """A number as JSON knows it; None for NaN."""
    if isinstance(value, int | np.integer):
        return int(value)
    return None if math.isnan(value) else round(float(value), 6)


def _judge_source(
    run: Run,
    source: str | Path,
    part: str | None,
    predictor: Predicts | None,
    progress: Progress | None,
    stopped: Callable[[], bool] | None,
) -> tuple[Judgement, int]:
    """The run's answers on a source's labelled images, and how many images could not be used."""
    # First: a mistyped name should not wait for TensorFlow.
    blocks = labelled_blocks(run, source, part, progress=progress, stopped=stopped)
    model = predictor or _predictor(run)
    rows, labels, clean, hard, skipped = [], [], [], [], 0
    for block in blocks:
        if stopped and stopped():
            raise Stopped("Stopped before all images were judged: nothing was kept.")
        skipped += block.skipped
        if len(block.index):
            rows.append(block.index)
            labels.append(block.labels)
            clean.append(model.predict(_sized(block.images, model.size)))
            changed = shifted(block.images, SHIFT_SEED, keys=block.index)
            hard.append(model.predict(_sized(changed, model.size)))
        if progress:
            progress(block.done, block.total, "Judging, as they are and under the shift")
    if not rows:
        where = f"the part '{part}' of " if part else ""
        raise SourceError(f"There are no labelled images in {where}'{source}': nothing can be judged.")
    joined = np.concatenate
    return Judgement(run.classes, joined(rows), joined(labels), joined(clean), joined(hard)), skipped


def _sized(images: npt.NDArray[np.uint8], size: int) -> npt.NDArray[np.uint8]:
    return images if images.shape[1] == size else np.stack([to_square(image, size) for image in images])


def _predictor(run: Run) -> Predicts:
    from bloodapp.classify.predictor import Predictor  # TensorFlow, seven seconds

    return Predictor(run)
