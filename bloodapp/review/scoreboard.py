"""How good the detectors are where the truth is known: precision, recall, and what a review of so many images finds.

A fault is an image that is at fault itself (`truth.known_faults`). A copy counts as found when it or the good one of
its group was flagged, since whoever looks at either sees both. A flagged image is right when the truth has a
row of that kind for it, so that both twins of a pair are.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bloodapp.review.findings import KINDS
from bloodapp.review.thresholds import FLOOR, reach
from bloodapp.review.truth import COPIES

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

STEPS = 76
"""Thresholds of a curve: every hundredth from the floor to 1."""


@dataclass(frozen=True)
class Score:
    """What a detector makes of the faults of its kind at a threshold; all arrays hold positions of images, sorted.

    Attributes:
        kind: a key of `KINDS`.
        threshold: the score from which on a finding counts.
        found: faults that were found.
        missed: faults that were not.
        right: flagged images that the truth names.
        wrong: flagged images that it does not.
    """

    kind: str
    threshold: float
    found: Ints
    missed: Ints
    right: Ints
    wrong: Ints

    @property
    def planted(self) -> int:
        """How many faults of this kind there are."""
        return len(self.found) + len(self.missed)

    @property
    def flagged(self) -> int:
        """How many images were flagged."""
        return len(self.right) + len(self.wrong)

    @property
    def recall(self) -> float | None:
        """Share of the faults that were found; None where there are none."""
        return len(self.found) / self.planted if self.planted else None

    @property
    def precision(self) -> float | None:
        """Share of the flagged images that are right; None where nothing was flagged."""
        return len(self.right) / self.flagged if self.flagged else None


@dataclass(frozen=True)
class Sweep:
    """Precision and recall as the threshold moves, each (`STEPS`,); precision is NaN where nothing is flagged."""

    thresholds: Floats
    precision: Floats
    recall: Floats


@dataclass(frozen=True)
class Budget:
    """What looking at the images one after the other finds, in the order of the findings.

    Attributes:
        order: the flagged images, each once, most urgent first, (M,).
        found: how many of the faults the first 0, 1, … M of them hold, (M + 1,).
        best: the same for the best order there is, up to all faults, (B + 1,).
        faults: how many faults there are, of any kind.
        copies: how many of them are mere copies, which their original finds too.
        images: how many images the dataset has.
    """

    order: Ints
    found: Ints
    best: Ints
    faults: int
    copies: int
    images: int

    def share(self, looked_at: int) -> float:
        """The share of the faults that the first so many images hold; after the last finding nothing more."""
        return float(self.found[min(looked_at, len(self.order))] / max(self.faults, 1))

    def best_share(self, looked_at: int) -> float:
        """The share that so many images hold at most."""
        return float(self.best[min(looked_at, len(self.best) - 1)] / max(self.faults, 1))

    def chance_share(self, looked_at: int) -> float:
        """The share that so many images hold in any order, on average."""
        left = max(self.images - looked_at, 0)
        # A copy is missed when neither it nor its original is among them.
        missed_copy = left * max(left - 1, 0) / max(self.images * (self.images - 1), 1)
        missed = left / max(self.images, 1)
        copies = self.copies / max(self.faults, 1)
        return 1 - copies * missed_copy - (1 - copies) * missed


def score(findings: pd.DataFrame, known: pd.DataFrame, kind: str, threshold: float) -> Score:
    """Judge one detector.

    Args:
        findings: down to the floor, as `scan.read_findings` gives them.
        known: the truth, as from `truth.known_faults`.
        kind: a key of `KINDS`.
        threshold: the score from which on a finding counts.
    """
    one = _one(findings, known, kind)
    flagged, found = one.index[one.strength >= threshold], one.fault_strength >= threshold
    right = np.isin(flagged, one.true)
    return Score(
        kind,
        threshold,
        one.faults[found],
        one.faults[~found],
        np.sort(flagged[right]),
        np.sort(flagged[~right]),
    )


def scores(findings: pd.DataFrame, known: pd.DataFrame, limits: Mapping[str, float]) -> list[Score]:
    """Judge every detector that flags or should flag something, in the order of the vocabulary."""
    judged = [score(findings, known, kind, limits[kind]) for kind in KINDS]
    return [one for one in judged if one.planted or one.flagged]


def sweep(findings: pd.DataFrame, known: pd.DataFrame, kind: str) -> Sweep:
    """Precision and recall of one detector at every threshold; arguments as in `score`."""
    one = _one(findings, known, kind)
    steps = np.linspace(FLOOR, 1, STEPS).round(4)
    right = np.isin(one.index, one.true)
    precision, recall = _figures(one, right, steps)
    return Sweep(steps, precision, recall)


def average_precision(findings: pd.DataFrame, known: pd.DataFrame, kind: str) -> float:
    """The area under precision over recall, 0 to 1: the sum of precision times gained recall, score by score."""
    one = _one(findings, known, kind)
    if not len(one.faults):
        return float("nan")
    steps = np.unique(one.strength)[::-1]
    precision, recall = _figures(one, np.isin(one.index, one.true), steps)
    return float(np.sum(np.diff(recall, prepend=0.0) * np.nan_to_num(precision)))


def budget(order: Iterable[int], known: pd.DataFrame, images: int) -> Budget:
    """What a review finds that looks at the images in this order; an image that comes again is not looked at again.

    Args:
        order: positions of images, most urgent first: the column `index` of the findings that count.
        known: the truth, as from `truth.known_faults`.
        images: how many images the dataset has.
    """
    distinct = pd.unique(np.fromiter(order, np.int64))
    place = np.full(images, len(distinct), np.int64)
    place[distinct] = np.arange(len(distinct))
    planted = known[known["planted"]]
    faults = np.unique(planted["index"].to_numpy(np.int64))
    # Only what is nothing but a copy is seen by seeing its original: a cartoon is not.
    copies_only = planted["kind"].isin(COPIES).groupby(planted["index"]).all()
    original = pd.concat([_originals(known, kind) for kind in COPIES])
    original = original[copies_only.reindex(original.index, fill_value=False).to_numpy(bool)]
    original = original[~original.index.duplicated()].reindex(faults)
    instead = np.where(original.isna(), faults, original.fillna(0).to_numpy(np.int64))
    seen = np.minimum(place[faults], place[instead])
    gained = np.bincount(seen, minlength=len(distinct) + 1)[: len(distinct)]
    at_once = np.sort(np.unique(instead, return_counts=True)[1])[::-1]
    return Budget(
        order=distinct,
        found=np.concatenate([[0], np.cumsum(gained)]),
        best=np.concatenate([[0], np.cumsum(at_once)]),
        faults=len(faults),
        copies=int((instead != faults).sum()),
        images=images,
    )


def kinds_of(known: pd.DataFrame) -> dict[int, tuple[str, ...]]:
    """What each faulty image is at fault for, by its position."""
    planted = known[known["planted"]]
    kinds: dict[int, tuple[str, ...]] = {}
    for index, kind in zip(planted["index"].tolist(), planted["kind"].tolist(), strict=True):
        kinds[index] = (*kinds.get(index, ()), kind)
    return kinds


@dataclass(frozen=True)
class _One:
    """One kind: flagged images and how strongly, those that the truth names, faults and how strongly found."""

    index: Ints
    strength: Floats
    true: Ints
    faults: Ints
    fault_strength: Floats


def _one(findings: pd.DataFrame, known: pd.DataFrame, kind: str) -> _One:
    mine = findings[findings["kind"] == kind]
    by_image = pd.Series(reach(mine), index=mine["index"].to_numpy(np.int64))
    true = known[known["kind"] == kind]
    faults = np.unique(true.loc[true["planted"], "index"].to_numpy(np.int64))
    found = np.asarray(by_image.reindex(faults, fill_value=-np.inf), np.float64)
    if kind in COPIES:
        twin = _originals(known, kind).reindex(faults, fill_value=-1).to_numpy(np.int64)
        found = np.maximum(found, np.asarray(by_image.reindex(twin, fill_value=-np.inf), np.float64))
    return _One(
        by_image.index.to_numpy(np.int64),
        np.asarray(by_image, np.float64),
        true["index"].to_numpy(np.int64),
        faults,
        found,
    )


def _originals(known: pd.DataFrame, kind: str) -> pd.Series:
    """The good one of the group of every copy of a kind, by the copy's position."""
    mine = known[(known["kind"] == kind) & (known["group"] >= 0)]
    good = mine[~mine["planted"]].groupby("group")["index"].min()
    copies = mine[mine["planted"] & mine["group"].isin(good.index)]
    return pd.Series(
        good.reindex(copies["group"]).to_numpy(np.int64), index=copies["index"].to_numpy(np.int64)
    )


def _figures(one: _One, right: NDArray[np.bool_], steps: Floats) -> tuple[Floats, Floats]:
    """(precision, recall) at each threshold."""
    flagged = (one.strength[None] >= steps[:, None]).sum(axis=1)
    hits = ((one.strength[None] >= steps[:, None]) & right[None]).sum(axis=1)
    found = (one.fault_strength[None] >= steps[:, None]).sum(axis=1)
    precision = np.where(flagged > 0, hits / np.maximum(flagged, 1), np.nan)
    return precision, found / max(len(one.faults), 1)
