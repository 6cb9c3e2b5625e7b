"""What the decisions changed: a finished pair of runs, before and after them, compared image by image.

`train.effect` sets such a pair up and says why it is fair. Here are the newest pair of a dataset, found in
the runs' own files, and the comparison: paired, because both judge the same images, with 95 % intervals.

The intervals are about the draw of the images. They do not know that another seed would move both
trainings; so the sentence speaks of this pair, and several pairs with different seeds show how far they agree.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bloodapp.classes import CellClass
from bloodapp.data.dataset import Dataset
from bloodapp.errors import InvalidValue, NotFound
from bloodapp.evaluate import metrics
from bloodapp.evaluate.evaluate import judgement, parts_of
from bloodapp.evaluate.metrics import Paired
from bloodapp.runs.run import Run, list_runs
from bloodapp.workspace import finite

_PARTS = {"test": "test", "val": "validation"}


@dataclass(frozen=True)
class Pair:
    """The same recipe and seed before and after the decisions.

    Attributes:
        before: the run on the dataset as given.
        after: the run on what the decisions left.
    """

    before: Run
    after: Run

    @property
    def seed(self) -> int:
        """The seed of both."""
        return int(self.after.config["recipe"].get("seed", 0))

    @property
    def seq(self) -> int:
        """The last decision that the pair takes into account."""
        return int(self.after.config["seq"])

    @property
    def done(self) -> bool:
        """Whether both trainings went to their end; one that was stopped early is no fair half."""
        return all(run.state() == "done" and run.report() is not None for run in (self.before, self.after))


@dataclass(frozen=True, eq=False)
class View:
    """The answers of both runs under one condition: the images as they are, or under the shift.

    Attributes:
        before: int64 (N,), the classes that the run before named.
        after: int64 (N,), those of the run after.
        overall: accuracy before, after and the change.
        per_class: as `metrics.paired_per_class` gives it.
    """

    before: npt.NDArray[np.int64]
    after: npt.NDArray[np.int64]
    overall: Paired
    per_class: pd.DataFrame


@dataclass(frozen=True, eq=False)
class Effect:
    """Both runs judged on the same images.

    Attributes:
        part: `test` or `val`.
        classes: in the order of the labels.
        index: int64 (N,), rows of the dataset.
        labels: int64 (N,), what the decisions say they are.
        clean: on the images as they are.
        shifted: on the same images under the seeded shift, or None.
    """

    part: str
    classes: tuple[CellClass, ...]
    index: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]
    clean: View
    shifted: View | None

    def changed(self, view: View) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Positions of the images that went from wrong to right, and of those from right to wrong."""
        before, after = view.before == self.labels, view.after == self.labels
        return np.flatnonzero(~before & after), np.flatnonzero(before & ~after)


def pairs(dataset: Dataset) -> list[Pair]:
    """The pairs of trainings on this dataset of which both halves are still there, newest first."""
    named = {
        run.name: run
        for run in list_runs()
        if run.pair and run.dataset == dataset.name and run.config.get("fingerprint") == dataset.fingerprint
    }
    return [
        Pair(named[run.pair], run) for run in named.values() if not run.before_decisions and run.pair in named
    ]


def pair_of(run: Run) -> Pair:
    """The pair that a run is one half of; raises NotFound when the other is gone or there never was one."""
    other = next((one for one in list_runs() if run.pair and one.name == run.pair), None)
    if other is None:
        raise NotFound("other half of the run", run.name)
    return Pair(run, other) if run.before_decisions else Pair(other, run)


def effect(pair: Pair) -> Effect:
    """Compare a finished pair on the test part, or on val where there is none.

    Raises NotFound before both have predictions, InvalidValue if they do not judge the same images.
    """
    parts = [part for part in parts_of(pair.before) if part in parts_of(pair.after)]
    part = parts[0] if parts else None
    before, after = judgement(pair.before, part), judgement(pair.after, part)
    same = np.array_equal(before.index, after.index) and np.array_equal(before.labels, after.labels)
    if not same or before.keys != after.keys:
        raise InvalidValue(
            f"'{pair.before.name}' and '{pair.after.name}' do not judge the same images with the same labels, "
            "so they cannot be compared: train before and after again."
        )
    labels, keys = after.labels, after.keys
    clean = compared(labels, before.probabilities.argmax(1), after.probabilities.argmax(1), keys)
    hard = None
    if before.shifted is not None and after.shifted is not None:
        hard = compared(labels, before.shifted.argmax(1), after.shifted.argmax(1), keys)
    return Effect(str(part), after.classes, after.index, labels, clean, hard)


def compared(labels: npt.ArrayLike, before: npt.ArrayLike, after: npt.ArrayLike, keys: list[str]) -> View:
    """The answers of two models, (N,) class numbers each, for images with these labels."""
    first, second = np.asarray(before, np.int64), np.asarray(after, np.int64)
    return View(
        first,
        second,
        metrics.paired(labels, first, second),
        metrics.paired_per_class(labels, first, second, keys),
    )


def verdict(overall: Paired) -> str:
    """`helped`, `hurt` or `open`, by the interval of the change as it is shown: to a tenth of a point."""
    low, high = (round(100 * end, 1) for end in (overall.change.low, overall.change.high))
    return "helped" if low > 0 else "hurt" if high < 0 else "open"


def sentence(overall: Paired, part: str, *, under_shift: bool = False) -> str:
    """The change in one sentence that claims no more than its interval."""
    change = overall.change
    figures = f"{points(change.value)} points (95 % interval {points(change.low)} to {points(change.high)})"
    where = " under the shift" if under_shift else ""
    name = _PARTS.get(part, part)
    said = {
        "helped": f"Cleaning helped{where} in this pair",
        "hurt": f"Cleaning hurt{where} in this pair",
        "open": f"No difference{where} that these {overall.n:,} {name} images can show",
    }[verdict(overall)]
    return f"{said}: {figures}."


def points(share: float) -> str:
    """A change of a share as percentage points, `+1.8`, `−0.9`; `0.0` has no sign, an unknown one is a dash."""
    if share != share:
        return "–"
    rounded = round(100 * share, 1)
    return "0.0" if rounded == 0 else f"{'+' if rounded > 0 else '−'}{abs(rounded):.1f}"


def report(pair: Pair, result: Effect) -> dict[str, Any]:
    """The comparison as plain JSON: shares 0..1, changes after minus before, unknown figures null."""

    def told(view: View | None) -> dict[str, Any] | None:
        if view is None:
            return None
        one = view.overall
        return {
            "before": one.before.value,
            "after": one.after.value,
            "change": one.change.value,
            "low": one.change.low,
            "high": one.change.high,
            "mended": one.mended,
            "broken": one.broken,
            "per_class": view.per_class.to_dict("records"),
        }

    content: dict[str, Any] = finite(
        {
            "before": pair.before.name,
            "after": pair.after.name,
            "part": result.part,
            "n": len(result.labels),
            "sentence": sentence(result.clean.overall, result.part),
            "clean": told(result.clean),
            "shifted": told(result.shifted),
        }
    )
    return content
