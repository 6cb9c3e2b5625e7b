"""From which score on a finding counts, kind by kind: the detectors report down to a floor, people move the line.

A threshold is a score between `FLOOR` and 1; `DEFAULT` is where the detector itself draws the line. Those that
were moved are kept in the dataset's folder, so that the queue, another tab and the command line agree.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bloodapp.data.dataset import Dataset
from bloodapp.errors import InvalidValue, NotFound, Unreadable
from bloodapp.review.findings import KINDS
from bloodapp.workspace import read_json, write_json

FILE = "thresholds.json"
FLOOR = 0.25
"""No finding scores less, but the first of a group, which goes with its copies."""

DEFAULT = 0.5

CERTAIN = ("exact_duplicate", "label_conflict", "leakage")
"""The kinds that are facts and no estimates: moving a threshold would hide some of them and mean nothing."""


def thresholds(dataset: Dataset) -> dict[str, float]:
    """The threshold of every kind of finding: the one that was chosen, else `DEFAULT`."""
    try:
        moved = read_json(dataset.path / FILE)
    except (FileNotFoundError, Unreadable):  # damaged: a few numbers are lost, no decision
        moved = {}
    return {kind: _within(moved.get(kind, DEFAULT)) for kind in KINDS}


def choose_threshold(dataset: Dataset, kind: str, threshold: float | None) -> None:
    """Move the threshold of a kind, or with None put it back; raises NotFound and InvalidValue."""
    if kind not in KINDS:
        raise NotFound("kind of finding", kind, KINDS)
    if threshold is not None and not FLOOR <= threshold <= 1:
        raise InvalidValue(f"A threshold lies between {FLOOR} and 1, not at {threshold}.")
    moved = {name: value for name, value in thresholds(dataset).items() if value != DEFAULT}
    moved.pop(kind, None)
    if threshold is not None:
        moved[kind] = float(threshold)
    write_json(dataset.path / FILE, moved)


def above(findings: pd.DataFrame, limits: Mapping[str, float]) -> pd.DataFrame:
    """The findings that reach the threshold of their kind, in their order; see `reach`."""
    limit = findings["kind"].map(dict(limits)).fillna(DEFAULT).to_numpy()
    return findings[reach(findings) >= limit].reset_index(drop=True)


def reach(findings: pd.DataFrame) -> NDArray[np.float64]:
    """Up to which threshold each finding counts, (M,): its score.

    The first of a group, the one to keep, scores next to nothing itself and counts as long as any of its copies.
    """
    score = findings["score"].to_numpy()
    group = findings["group"].to_numpy()
    first = (group >= 0) & (group == findings["index"].to_numpy())
    best = findings.groupby(["kind", "group"], sort=False)["score"].transform("max").to_numpy()
    return np.where(first, best, score)


def _within(value: object) -> float:
    return min(max(float(value), FLOOR), 1.0) if isinstance(value, int | float) else DEFAULT
