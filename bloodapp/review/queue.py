"""Findings as cards: what one click can decide together is one card, the most rewarding one first."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from bloodapp.data.decisions import Judged
from bloodapp.review.findings import KINDS

State = Literal["open", "flagged", "decided"]

# What is said about a group, the most telling first; the rest is about single images.
_OF_GROUPS = ("label_conflict", "leakage", "near_duplicate", "exact_duplicate")
_FEW_LABELS = 3
_COPIES = frozenset({"exact_duplicate", "near_duplicate"})


@dataclass(frozen=True, eq=False)
class Card:
    """One thing to decide: a group of images that belong together, or one image.

    Attributes:
        key: the same for the same findings, whatever was decided.
        kinds: what was found, worst first.
        indices: int64 (M,) the images, ascending; of a group the first is the one to keep.
        reason: in plain words, one sentence or two, without a full stop at the end.
        score: the worst score, 0 to 1.
        worth: how many faults one click is expected to settle; the queue's order.
        suggested: the label that is probably right, -1 = none.
        state: `open`, `flagged` (put aside) or `decided`.
    """

    key: str
    kinds: tuple[str, ...]
    indices: NDArray[np.int64]
    reason: str
    score: float
    worth: float
    suggested: int
    state: State

    @property
    def open(self) -> bool:
        """Whether something of it still waits for a decision."""
        return self.state == "open"

    @property
    def grouped(self) -> bool:
        """Whether it is about several images."""
        return len(self.indices) > 1


def cards(findings: pd.DataFrame, judged: Judged) -> list[Card]:
    """All cards of a dataset, decided ones too, the most rewarding first; the order does not change by deciding.

    Findings whose groups share an image are one card, and so are all findings about one image. A card is
    decided when all its images are, or when of copies at most one is left: that one is no duplicate any more.
    """
    if findings.empty:
        return []
    table = findings.assign(
        card=_together(findings["index"].to_numpy(), findings["group"].to_numpy()),
        trust=findings["kind"].map({kind: one.trust for kind, one in KINDS.items()}).fillna(0.5),
    )
    table = table.sort_values(["card", "index"], kind="stable")
    columns = {name: table[name].to_numpy() for name in table.columns}
    bounds = np.flatnonzero(np.diff(columns["card"], prepend=-1, append=-2))
    made = [
        _card({name: values[start:stop] for name, values in columns.items()}, judged)
        for start, stop in pairwise(bounds)
    ]
    return sorted(made, key=lambda card: (-card.worth, -card.score, card.indices[0]))


def _together(index: NDArray[np.int64], group: NDArray[np.int64]) -> NDArray[np.int32]:
    """For each finding the number of its card: images and groups are nodes, findings are edges."""
    nodes, images = np.unique(index, return_inverse=True)
    grouped = group >= 0
    ids, groups = np.unique(group[grouped], return_inverse=True)
    size = len(nodes) + len(ids)
    edges = coo_array(
        (np.ones(len(groups), bool), (images[grouped], len(nodes) + groups)), shape=(size, size)
    )
    _, component = connected_components(edges, directed=False)
    return component[images]


def _card(rows: dict[str, NDArray], judged: Judged) -> Card:
    indices = np.unique(rows["index"])
    worst: dict[str, float] = {}
    for kind, score in zip(rows["kind"].tolist(), rows["score"].tolist(), strict=True):
        worst[kind] = max(worst.get(kind, 0.0), score)
    kinds = tuple(sorted(worst, key=lambda kind: (-worst[kind] * _trust(kind), kind)))
    named = np.unique(rows["suggested"][rows["suggested"] >= 0])
    return Card(
        key=f"{'group' if len(indices) > 1 else 'image'}-{indices[0]}",
        kinds=kinds,
        indices=indices,
        reason=_reason(rows, worst),
        score=max(worst.values()),
        worth=_worth(rows, indices, worst),
        suggested=int(named[0]) if len(named) == 1 else -1,
        state=_state(rows, indices, judged),
    )


def _reason(rows: dict[str, NDArray], worst: dict[str, float]) -> str:
    """The most telling sentence about the group, then what else was found about its images."""
    together = [kind for kind in _OF_GROUPS if kind in worst][:1]
    alone = sorted((kind for kind in worst if kind not in _OF_GROUPS), key=lambda kind: -worst[kind])
    said = [str(rows["reason"][rows["kind"] == kind][0]) for kind in together + alone[:2]]
    return ". ".join(dict.fromkeys(said))


def _worth(rows: dict[str, NDArray], indices: NDArray[np.int64], worst: dict[str, float]) -> float:
    expected = rows["score"] * rows["trust"]
    by_image = np.zeros(len(indices))
    np.maximum.at(by_image, np.searchsorted(indices, rows["index"]), expected)
    if worst.keys() <= _COPIES:
        by_image[0] = 0  # the copies are the fault, the first is to be kept
    return float(by_image.sum())


def _state(rows: dict[str, NDArray], indices: NDArray[np.int64], judged: Judged) -> State:
    flagged = judged.flagged[indices]
    waiting = indices[~judged.decided[indices] & ~flagged]
    if len(waiting) == 1 < len(indices) and not judged.included[np.setdiff1d(indices, waiting)].any():
        about = rows["kind"][rows["index"] == waiting[0]]
        if np.isin(about, _OF_GROUPS).all():
            waiting = waiting[:0]
    if len(waiting):
        return "open"
    return "flagged" if flagged.any() else "decided"


def _trust(kind: str) -> float:
    return KINDS[kind].trust if kind in KINDS else 0.5


@dataclass(frozen=True, eq=False)
class Offer:
    """A decision about a whole card that takes one click.

    Attributes:
        key: `exclude`, `keep`, `first` (keep the first, exclude the rest) or `as-LABEL` (keep one that is
            labelled so, exclude the rest).
        title: what the button says.
        action: as the ledger calls it.
        indices: int64 (M,) the images it is about.
    """

    key: str
    title: str
    action: str
    indices: NDArray[np.int64]


def offers(card: Card, labels: NDArray[np.int16], titles: Sequence[str]) -> tuple[Offer, ...]:
    """The one-click decisions about a card, the advisable one first.

    Of mere copies one is worth keeping. Of a picture under several labels nobody knows which one is right, unless
    most of them agree; under two or three, each can be kept.

    Args:
        card: the card.
        labels: int16 (N,) of all images, as they are now.
        titles: of the classes, in the order of the labels.
    """
    if not card.grouped:
        return (
            Offer("exclude", "Exclude", "exclude", card.indices),
            Offer("keep", "Keep", "keep", card.indices),
        )
    count = len(card.indices)
    whole = "both" if count == 2 else f"all {count:,}"
    exclude = Offer("exclude", f"Exclude {whole}", "exclude", card.indices)
    keep = Offer("keep", f"Keep {whole}", "keep", card.indices)
    if "label_conflict" not in card.kinds:
        first = Offer("first", f"Keep the first, exclude {count - 1:,}", "exclude", card.indices[1:])
        return first, exclude, keep
    carried = [int(label) for label in np.unique(labels[card.indices]) if label >= 0]
    if len(carried) > _FEW_LABELS:
        return (
            exclude,
            Offer("first", f"Keep the first, exclude {count - 1:,}", "exclude", card.indices[1:]),
            keep,
        )
    one_of = sorted(carried, key=lambda label: label != card.suggested)
    chosen = tuple(_keep_as(card, label, labels, titles) for label in one_of)
    return (*chosen, exclude, keep) if card.suggested in carried else (exclude, *chosen, keep)


def _keep_as(card: Card, label: int, labels: NDArray[np.int16], titles: Sequence[str]) -> Offer:
    kept = card.indices[labels[card.indices] == label][0]
    return Offer(f"as-{label}", f"Keep {titles[label]}", "exclude", card.indices[card.indices != kept])


def matching(
    queue: list[Card], judged: Judged, *, kind: str = "", state: str = "", label: int | None = None
) -> list[Card]:
    """The cards of a kind, in a state, with an image of a label as it is now; empty and None mean any."""
    return [
        card
        for card in queue
        if (not kind or kind in card.kinds)
        and (not state or card.state == state)
        and (label is None or bool((judged.labels[card.indices] == label).any()))
    ]


def sheets(queue: list[Card], *, cards: int = 24, images: int = 120, shown: int = 12) -> list[list[Card]]:
    """The queue cut into pages of at most `cards` cards and `images` pictures, `shown` of a card; one page at least."""
    pages: list[list[Card]] = [[]]
    room = images
    for card in queue:
        needs = min(len(card.indices), shown)
        if pages[-1] and (len(pages[-1]) == cards or needs > room):
            pages.append([])
            room = images
        pages[-1].append(card)
        room -= needs
    return pages
