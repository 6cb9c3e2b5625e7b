"""What the points of the map are coloured by: one group for each image, each group with a colour and a shape."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bloodapp.classes import CellClass
from bloodapp.data.decisions import Judged
from bloodapp.review.findings import KINDS

SHAPES = ("circle", "square", "diamond", "up", "cross", "star", "pentagon", "down")
"""As the browser draws them; told apart by shape as well, because eight colours are too many for many eyes."""

MOST_GROUPS = 32
"""More groups than these are drawn as one, the last."""

_NONE = "#8A94A0"
_COLOURS = ("#4C6EF5", "#F76707", "#12A87B", "#AE3EC9", "#E8A700", "#E03131", "#1C9FC4", "#7B5E3B")
_DECISIONS = (
    ("open", "Open", _NONE, "circle"),
    ("kept", "Kept", "#12A87B", "square"),
    ("excluded", "Excluded", "#E03131", "cross"),
    ("flagged", "Flagged", "#E8A700", "diamond"),
    ("relabelled", "Relabelled", "#7C5CE6", "up"),
)


@dataclass(frozen=True)
class Group:
    """Images that are drawn alike.

    Attributes:
        key: names it.
        title: what people read.
        colour: `#rrggbb`, legible on light and dark.
        shape: one of SHAPES.
    """

    key: str
    title: str
    colour: str
    shape: str


@dataclass(frozen=True, eq=False)
class Colouring:
    """Each of N images in one group.

    Attributes:
        groups: at most MOST_GROUPS; those of nothing to tell come first, and are drawn below the others.
        ids: uint8 (N,), positions in `groups`.
    """

    groups: tuple[Group, ...]
    ids: NDArray[np.uint8]

    @property
    def counts(self) -> NDArray[np.int64]:
        """How many images are in each group."""
        return np.bincount(self.ids, minlength=len(self.groups))


def by_class(labels: NDArray[np.integer], classes: Sequence[CellClass], none: str = "No label") -> Colouring:
    """Labels (N,), -1 = none, in the colours that the classes have everywhere."""
    last = MOST_GROUPS - 1
    found = [Group("none", none, _NONE, "circle")]
    for place, one in enumerate(classes[:last]):
        found.append(Group(one.key, one.title, one.colour, SHAPES[place % len(SHAPES)]))
    if len(classes) > last:
        found[-1] = Group("others", "Other classes", _COLOURS[-1], "down")
    ids = np.clip(np.asarray(labels, np.int64) + 1, 0, last)
    return _without_empty(found, ids)


def by_finding(findings: pd.DataFrame | None, number: int) -> Colouring:
    """The most urgent finding about each of N images; `findings` are sorted so."""
    kinds = list(KINDS)
    found = [Group("none", "Nothing found", _NONE, "circle")]
    for place, kind in enumerate(kinds):
        shape = SHAPES[(place + place // len(_COLOURS)) % len(SHAPES)]
        found.append(Group(kind, KINDS[kind].title, _COLOURS[place % len(_COLOURS)], shape))
    ids = np.zeros(number, np.int64)
    if findings is not None and len(findings):
        first = findings.drop_duplicates("index")
        places = {kind: place + 1 for place, kind in enumerate(kinds)}
        ids[first["index"].to_numpy()] = first["kind"].map(places).fillna(0).to_numpy(np.int64)
    return _without_empty(found, ids)


def by_decision(judged: Judged, given: NDArray[np.integer]) -> Colouring:
    """What was decided about each image; `given` (N,) are the labels before all decisions."""
    ids = np.where(judged.decided, 1, 0)
    ids[judged.decided & (judged.labels != given)] = 4
    ids[judged.flagged] = 3
    ids[~judged.included] = 2
    return _without_empty([Group(*one) for one in _DECISIONS], ids)


def _without_empty(groups: Sequence[Group], ids: NDArray[np.int64]) -> Colouring:
    """Only the groups that some image is in."""
    there = np.bincount(ids, minlength=len(groups)) > 0
    place = np.cumsum(there) - 1
    return Colouring(
        tuple(group for group, kept in zip(groups, there, strict=True) if kept), place[ids].astype(np.uint8)
    )
