"""What the view on probabilities draws from: both tables of a part, calibrated and not, and what the sets rest on."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bloodapp.evaluate import calibration, conformal
from bloodapp.evaluate.calibration import Calibration, Scores
from bloodapp.evaluate.conformal import Judged
from bloodapp.evaluate.evaluate import judgement
from bloodapp.evaluate.rejection import Rejection, rejection
from bloodapp.runs.calibration import PART
from bloodapp.runs.predictions import FILE as PREDICTIONS
from bloodapp.runs.run import open_run
from bloodapp.ui.evaluate.reading import Reading

Table = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Belief:
    """One part of a run; tables by `clean` and, where it is known, `shifted`.

    Attributes:
        calibration: the run's, or None.
        why_not: why there is none, in a sentence.
        labels: int64 (N,).
        said: float32 (N, C) each, as the network says.
        calibrated: the same calibrated; without a calibration as they are.
        scores: by (table, whether calibrated).
        curves: what handing over brings, of the calibrated tables.
        own_curve: the curve of val, from which a bar is read; that of the part itself where there is no val.
    """

    calibration: Calibration | None
    why_not: str
    labels: Labels
    said: dict[str, Table]
    calibrated: dict[str, Table]
    scores: dict[tuple[str, bool], Scores]
    curves: dict[str, Rejection]
    own_curve: Rejection


@dataclass(frozen=True, eq=False)
class Promised:
    """Sets by one method.

    Attributes:
        labels: int64 (M,), of the images that the bar is fitted on.
        fitted: float64 (M, C), their doubts.
        rows: int64 (N,), positions in the part of the images that are judged.
        doubts: float64 (N, C) of these, clean and shifted.
        curves: float64 (P, 4) for each, see `conformal.coverages`.
    """

    labels: Labels
    fitted: npt.NDArray[np.float64]
    rows: npt.NDArray[np.int64]
    doubts: dict[str, npt.NDArray[np.float64]]
    curves: dict[str, npt.NDArray[np.float64]]


def read(reading: Reading) -> Belief:
    """The belief of a part; remembered until the run writes its predictions anew."""
    return _belief(*_key(reading))


def promised(reading: Reading, method: str) -> Promised:
    """The sets of a part by a method; remembered likewise. Only for a run with a calibration."""
    return _promised(*_key(reading), method)


def judged(reading: Reading, method: str, promise: float) -> dict[str, tuple[npt.NDArray[np.bool_], Judged]]:
    """The sets (N, C) for a promise and what they are worth, clean and shifted."""
    found, labels = promised(reading, method), read(reading).labels
    limit = conformal.bar(found.labels, found.fitted, promise)
    sets = {name: conformal.sets(doubts, limit) for name, doubts in found.doubts.items()}
    return {name: (each, conformal.judge(labels[found.rows], each)) for name, each in sets.items()}


def _key(reading: Reading) -> tuple[str, int, str]:
    folder = reading.run.folder
    return str(folder), (folder / PREDICTIONS).stat().st_mtime_ns, reading.part


@lru_cache(maxsize=8)
def _belief(folder: str, stamp: int, part: str) -> Belief:
    del stamp  # part of the key only: a continued run writes its predictions anew
    run = open_run(Path(folder))
    found = calibration.of(run)
    result = judgement(run, part)
    said = {"clean": result.probabilities}
    if result.shifted is not None:
        said["shifted"] = result.shifted
    calibrated = {name: found.apply(table) if found else table for name, table in said.items()}
    scores = {
        (name, after): calibration.scores(result.labels, table)
        for after, tables in ((False, said), *([(True, calibrated)] if found else []))
        for name, table in tables.items()
    }
    curves = {name: rejection(result.labels, table) for name, table in calibrated.items()}
    own = curves["clean"]
    if found and part != PART:
        val = judgement(run, PART)
        own = rejection(val.labels, found.apply(val.probabilities))
    why = "" if found else calibration.why_not(run)
    return Belief(found, why, result.labels, said, calibrated, scores, curves, own)


@lru_cache(maxsize=8)
def _promised(folder: str, stamp: int, part: str, method: str) -> Promised:
    belief = _belief(folder, stamp, part)
    assert belief.calibration is not None, "asked only where there is a calibration"
    # Each with draws of its own: what was drawn for one image says nothing of another.
    doubts = {
        name: conformal.doubts(table, method, seed=seed)
        for seed, (name, table) in enumerate(belief.calibrated.items())
    }
    rows, labels = np.arange(len(belief.labels)), belief.labels
    if part == PART:
        # Nothing may be judged by itself: one half fits, the other is judged.
        shuffled = np.random.default_rng(0).permutation(len(labels))
        half, rows = np.sort(shuffled[::2]), np.sort(shuffled[1::2])
        own_labels, fitted = labels[half], doubts["clean"][half]
    else:
        val = judgement(open_run(Path(folder)), PART)
        own_labels = val.labels
        fitted = conformal.doubts(belief.calibration.apply(val.probabilities), method, seed=len(doubts))
    doubts = {name: table[rows] for name, table in doubts.items()}
    curves = {
        name: conformal.coverages(own_labels, fitted, labels[rows], table) for name, table in doubts.items()
    }
    return Promised(own_labels, fitted, rows, doubts, curves)
