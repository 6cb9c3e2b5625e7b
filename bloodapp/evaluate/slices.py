"""Whether a run is worse on some kind of image: accuracy by slices, each against all other images. From arrays.

Looking at many slices finds a bad one by chance. So every difference has an interval, and its p-value is
adjusted for the number of slices looked at.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import gammaln

from bloodapp.classes import CellClass, default_key
from bloodapp.data.counts import wilson

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

FAMILIES = {
    "part": "Part",
    "source": "Source",
    "brightness": "Brightness",
    "sharpness": "Sharpness",
    "size": "Original size",
    "finding": "Finding",
}
"""By what images are sliced, in the order in which it is told."""

BRIGHTNESS = ("darkest fifth", "darker fifth", "middle fifth", "brighter fifth", "brightest fifth")
SHARPNESS = ("most blurred fifth", "softer fifth", "middle fifth", "sharper fifth", "sharpest fifth")
SIZES = ("smallest fifth", "smaller fifth", "middle fifth", "larger fifth", "largest fifth")
"""What the fifths of a measure are called, the lowest first."""

SURE = 0.05
"""A slice whose adjusted p-value lies below is called worse, or better."""

FEW = 20
"""A slice of fewer images is shown, but hardly anything can be said about it."""

MOST_SOURCES = 12
"""Folders beyond the largest so many are one slice."""

_PARTS = {"train", "val", "valid", "validation", "test", "training"}


@dataclass(frozen=True, eq=False)
class Slice:
    """Some of N images.

    Attributes:
        family: a key of FAMILIES.
        title: what people read.
        inside: bool (N,), which images it holds.
        known: bool (N,), the images it is compared among, or None for all: those of which the family's measure is
            known.
    """

    family: str
    title: str
    inside: Bools
    known: Bools | None = None

    @property
    def key(self) -> str:
        """What tells it from the others, in the address."""
        return f"{self.family}:{self.title}"


def fifths(family: str, values: npt.ArrayLike, titles: Sequence[str]) -> list[Slice]:
    """Slices by the quintiles of a measure (N,); NaN belongs to none, equal values stay together.

    Of a measure with a single value there are none.
    """
    given = np.asarray(values, np.float64)
    known = ~np.isnan(given)
    if not known.any() or np.nanmin(given) == np.nanmax(given):
        return []
    edges = np.quantile(given[known], np.arange(1, len(titles)) / len(titles))
    place = np.searchsorted(edges, given, side="left")
    return [Slice(family, title, known & (place == k), known) for k, title in enumerate(titles)]


def by_value(family: str, values: npt.ArrayLike, title: Callable[[str], str] = str) -> list[Slice]:
    """One slice for each value (N,) that occurs, the most frequent first; none where all are equal."""
    given = np.asarray(values)
    found, place, counts = np.unique(given, return_inverse=True, return_counts=True)
    if len(found) < 2:
        return []
    order = np.argsort(-counts, kind="stable")
    return [Slice(family, title(str(found[k])), place == k) for k in order]


def by_size(width: npt.ArrayLike, height: npt.ArrayLike) -> list[Slice]:
    """Slices by the original size in pixels: each size where there are few, else fifths of the longer side."""
    wide, high = np.asarray(width, np.int64), np.asarray(height, np.int64)
    names = np.array([f"{w} × {h}" for w, h in zip(wide, high, strict=True)], dtype=object).astype(str)
    if len(np.unique(names)) <= len(SIZES):
        return by_value("size", names)
    return fifths("size", np.maximum(wide, high), SIZES)


def by_source(names: npt.ArrayLike, classes: Sequence[CellClass]) -> list[Slice]:
    """Slices by the folder that an image's name tells, without the folders of parts and classes."""
    own = {c.key.lower() for c in classes} | {c.title.lower() for c in classes}
    folder: dict[str, str] = {}

    def source(path: str) -> str:
        parts = [part for part in path.replace("\\", "/").split("/")[:-1] if part]
        kept = [
            part
            for part in parts
            if part.lower() not in own and part.lower() not in _PARTS and default_key(part) is None
        ]
        return "/".join(kept)

    found = np.empty(len(np.asarray(names)), dtype=object)
    for place, name in enumerate(np.asarray(names, dtype=object)):
        above = str(name).rpartition("/")[0]
        if above not in folder:
            folder[above] = source(str(name))
        found[place] = folder[above]
    slices = by_value("source", found.astype(str), lambda name: name or "no folder")
    if len(slices) <= MOST_SOURCES + 1:
        return slices
    others = np.logical_or.reduce([one.inside for one in slices[MOST_SOURCES:]])
    title = f"{len(slices) - MOST_SOURCES} smaller folders"
    return [*slices[:MOST_SOURCES], Slice("source", title, others)]


def by_finding(index: npt.NDArray[np.int64], marks: Mapping[str, npt.NDArray[np.int64]]) -> list[Slice]:
    """Slices of the images of these rows (N,) by what they were marked as, and one of those without any mark."""
    found = [Slice("finding", title, np.isin(index, rows)) for title, rows in marks.items()]
    found = [one for one in found if one.inside.any()]
    marked = np.logical_or.reduce([one.inside for one in found]) if found else np.zeros(len(index), bool)
    if marked.sum() >= FEW:  # of fewer it would say nothing that their own rows do not
        found.append(Slice("finding", "no finding", ~marked))
    return found


def judge(slices: Sequence[Slice], right: npt.ArrayLike, labels: npt.ArrayLike | None = None) -> pd.DataFrame:
    """The accuracy of each slice beside that of all other images, the surest loss first.

    `right` is bool (N,), `labels` (N,) their classes. Columns: place (in `slices`), n, wrong, accuracy, low, high,
    rest (the accuracy of the others), expected (that of the others if they had the slice's classes in its numbers,
    which tells a hard kind of image from a hard class; NaN without labels), difference (slice minus rest),
    difference_low, difference_high, p, adjusted. Intervals are 95 %: of an accuracy Wilson's, of a difference
    Newcombe's hybrid of two of them (R. G. Newcombe, Stat. Med. 17, 1998, method 10); p is Fisher's exact two-sided
    one, adjusted by S. Holm (Scand. J. Stat. 6, 1979) over all slices here. Slices that hold no image, or all, are
    left out.
    """
    given = np.asarray(right, bool)
    rows, expected = [], []
    for number, one in enumerate(slices):
        outside = ~one.inside if one.known is None else one.known & ~one.inside
        images, rest = int(one.inside.sum()), int(outside.sum())
        if images and rest:
            rows.append((number, images, int(given[one.inside].sum()), rest, int(given[outside].sum())))
            expected.append(
                np.nan if labels is None else _expected(np.asarray(labels), given, one.inside, outside)
            )
    place, n, hits, others, other_hits = np.array(rows, np.int64).reshape(-1, 5).T
    accuracy, low, high = _shares(hits, n)
    beside, beside_low, beside_high = _shares(other_hits, others)
    difference = accuracy - beside
    p = np.array([fisher(hit, one, other, rest) for _, one, hit, rest, other in rows], np.float64)
    table = pd.DataFrame(
        {
            "place": place,
            "n": n,
            "wrong": n - hits,
            "accuracy": accuracy,
            "low": low,
            "high": high,
            "rest": beside,
            "expected": np.array(expected, np.float64),
            "difference": difference,
            "difference_low": difference - np.hypot(accuracy - low, beside_high - beside),
            "difference_high": difference + np.hypot(high - accuracy, beside - beside_low),
            "p": p,
            "adjusted": holm(p),
        }
    )
    return table.sort_values("difference_high", kind="stable", ignore_index=True)


def _expected(labels: npt.NDArray[np.integer], right: Bools, inside: Bools, outside: Bools) -> float:
    """The accuracy outside, weighted by how often each class occurs inside; that of all for a class not outside."""
    number = int(labels.max()) + 1
    images = np.bincount(labels[outside], minlength=number)
    hits = np.bincount(labels[outside], right[outside], number)
    recall = np.divide(hits, images, out=np.full(number, right[outside].mean()), where=images > 0)
    return float(recall[labels[inside]].mean())


def _shares(hits: npt.NDArray[np.int64], count: npt.NDArray[np.int64]) -> Floats:
    """Shares and their 95 % intervals (Wilson), (3, M)."""
    found = [wilson(int(got), int(n)) for got, n in zip(hits, count, strict=True)]
    return np.array(found, np.float64).reshape(-1, 3).T


def fisher(hits: int, n: int, other_hits: int, others: int) -> float:
    """The two-sided p-value of Fisher's exact test that two shares are equal, `hits` of `n` and so on."""
    if 2 * (hits + other_hits) > n + others:  # the same the other way round, with fewer terms
        hits, other_hits = n - hits, others - other_hits
    total, all_hits = n + others, hits + other_hits
    possible = np.arange(max(0, all_hits - others), min(n, all_hits) + 1)
    log = _log_ways(n, possible) + _log_ways(others, all_hits - possible) - _log_ways(total, all_hits)
    # As unlikely as what was seen, or more; equal terms differ by rounding.
    chosen = log <= log[hits - possible[0]] + 1e-7
    return float(min(np.exp(log[chosen]).sum(), 1.0))


def holm(p: npt.ArrayLike) -> Floats:
    """P-values (M,) adjusted for their number: S. Holm, Scand. J. Stat. 6, 1979."""
    given = np.asarray(p, np.float64)
    order = np.argsort(given, kind="stable")
    steps = given[order] * np.arange(len(given), 0, -1)
    adjusted = np.empty_like(given)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def _log_ways(n: npt.ArrayLike, k: npt.ArrayLike) -> Floats:
    """The logarithm of the binomial coefficient."""
    many, few = np.asarray(n, np.float64), np.asarray(k, np.float64)
    ways: Floats = gammaln(many + 1) - gammaln(few + 1) - gammaln(many - few + 1)
    return ways
