"""What a corruption suite has found so far, read from its folder."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bloodapp import workspace
from bloodapp.augment.corruptions import ALL_CORRUPTIONS, CORRUPTIONS
from bloodapp.augment.severities import SEVERITIES
from bloodapp.classes import CellClass
from bloodapp.evaluate import robustness
from bloodapp.evaluate.evaluate import judgement
from bloodapp.evaluate.metrics import Interval
from bloodapp.evaluate.robustness import Baseline
from bloodapp.evaluate.suite_folder import SUMMARY, answers_file
from bloodapp.runs.predictions import FILE as PREDICTIONS
from bloodapp.runs.run import Run, open_run

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Suite:
    """What a run makes of a part's N images under the K corruptions that are through.

    Attributes:
        run: its name.
        part: `test` or `val`.
        folder: where it lies, see `suite_folder`.
        classes: in the order of the probabilities.
        index: int64 (N,), rows of the dataset.
        labels: int64 (N,), what counts as true.
        corruptions: names of the K corruptions, in the order of ALL_CORRUPTIONS.
        errors: float64 (K, 5, C), share of each class that is named otherwise; NaN for a class without images.
        clean_errors: float64 (C,), the same on the images as they are.
        shifted_errors: float64 (C,), under the seeded shift, or None.
        summary: what summary.json says, with intervals; None before the end.
    """

    run: str
    part: str
    folder: Path
    classes: tuple[CellClass, ...]
    index: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]
    corruptions: tuple[str, ...]
    errors: Floats
    clean_errors: Floats
    shifted_errors: Floats | None
    summary: dict[str, Any] | None

    @property
    def severities(self) -> tuple[int, ...]:
        """1 to 5."""
        return tuple(range(1, SEVERITIES + 1))

    @property
    def complete(self) -> bool:
        """Whether all fifteen are through."""
        return len(self.corruptions) == len(ALL_CORRUPTIONS)

    @property
    def finished(self) -> bool:
        """Whether all are through and summed up."""
        return self.complete and self.summary is not None

    @property
    def balanced_error(self) -> Floats:
        """Balanced error of each corruption at each severity, (K, 5)."""
        return robustness.balanced(self.errors)

    @property
    def by_corruption(self) -> dict[str, float]:
        """Balanced error of each corruption, the mean of the severities."""
        return {
            name: float(each.mean()) for name, each in zip(self.corruptions, self.balanced_error, strict=True)
        }

    @property
    def clean(self) -> float:
        """Balanced error on the images as they are."""
        return float(robustness.balanced(self.clean_errors))

    @property
    def shifted(self) -> float | None:
        """Balanced error under the seeded shift, or None."""
        return None if self.shifted_errors is None else float(robustness.balanced(self.shifted_errors))

    @property
    def mean_corruption_error(self) -> float:
        """Mean balanced error over MedMNIST-C's eleven corruptions, divided by nothing; NaN before they are through."""
        return self._mean(CORRUPTIONS)

    @property
    def mean_of_all(self) -> float:
        """The same over all fifteen."""
        return self._mean(ALL_CORRUPTIONS)

    @property
    def relative_error(self) -> robustness.Normalised:
        """BE_c and rBE_c against the benchmark's AlexNet; `robustness.normalised` takes any other baseline."""
        return self.against(robustness.ALEXNET)

    @property
    def as_baseline(self) -> Baseline:
        """This run as what others are divided by."""
        return Baseline(self.run, self.run, self.clean, self.by_corruption)

    def against(self, baseline: Baseline) -> robustness.Normalised:
        """BE_c and rBE_c of the eleven, against a baseline."""
        errors = {name: error for name, error in self.by_corruption.items() if name in CORRUPTIONS}
        return robustness.normalised(self.clean, errors, baseline)

    def interval(self, name: str) -> Interval | None:
        """`mean_corruption_error`, `mean_of_all`, `clean` or `shifted` with its 95 % interval; None before the end."""
        told = (self.summary or {}).get(name)
        return None if told is None else Interval(told["value"], told["low"], told["high"])

    def probabilities(self, name: str) -> npt.NDArray[np.float32]:
        """The run's answers under a corruption, float32 (5, N, C), rows as `index`."""
        path = answers_file(self.folder, name)
        return _read_answers(path, path.stat().st_mtime_ns)

    def _mean(self, names: Any) -> float:
        found = self.by_corruption
        return float(np.mean([found[name] for name in names])) if found.keys() >= set(names) else float("nan")


def read(run: Run, part: str, folder: Path) -> Suite | None:
    """What lies in the folder of the suite of this run; None before the first corruption is through."""
    there = tuple(name for name in ALL_CORRUPTIONS if answers_file(folder, name).exists())
    if not there:
        return None
    summary = folder / SUMMARY
    stamp = (
        (run.folder / PREDICTIONS).stat().st_mtime_ns,
        summary.stat().st_mtime_ns if summary.exists() else 0,
    )
    return _read(str(run.folder), part, folder, there, stamp)


@lru_cache(maxsize=8)
def _read(run_folder: str, part: str, folder: Path, there: tuple[str, ...], stamp: tuple[int, int]) -> Suite:
    del stamp  # part of the key only: predictions may be written anew, the summary comes last
    run = open_run(Path(run_folder))
    judged, classes = judgement(run, part), len(run.classes)
    errors = []
    for name in there:
        path = answers_file(folder, name)
        answers = _read_answers(path, path.stat().st_mtime_ns).argmax(2)
        errors.append(robustness.class_errors(judged.labels, answers, classes))
    shifted = judged.shifted
    try:
        told = workspace.read_json(folder / SUMMARY)
    except FileNotFoundError:
        told = None
    return Suite(
        run.name,
        part,
        folder,
        run.classes,
        judged.index,
        judged.labels,
        there,
        np.stack(errors),
        robustness.class_errors(judged.labels, judged.probabilities.argmax(1), classes),
        None if shifted is None else robustness.class_errors(judged.labels, shifted.argmax(1), classes),
        told,
    )


@lru_cache(maxsize=32)
def _read_answers(path: Path, stamp: int) -> npt.NDArray[np.float32]:
    del stamp  # part of the key only
    with np.load(path, allow_pickle=False) as archive:
        answers: npt.NDArray[np.float32] = archive["probabilities"].astype(np.float32, copy=False)
    return answers
