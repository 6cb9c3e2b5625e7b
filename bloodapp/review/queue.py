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
from bloodapp.review.keepers import Rule, keeper, majority_label

State = Literal["open", "flagged", "decided"]

# What is said about a group, the most telling first; the rest is about single images.
OF_GROUPS = ("label_conflict", "leakage", "near_duplicate", "exact_duplicate")
_TWINS = ("exact_duplicate", "near_duplicate")
_WRONG_LABEL = "mislabelled"
_FEW_LABELS = 3


@dataclass(frozen=True, eq=False)
class Card:
    """One thing to decide: a group of images that belong together, or one image.

    Attributes:
        key: the same for the same findings, whatever was decided.
        kinds: what was found, worst first.
        indices: int64 (M,) the images, ascending.
        faulty: int64, those of them that have a fault of their own, whatever they are copies of.
        doubtful: int64, those that look like `suggested`, an unlike label they carry.
        reason: in plain words, one sentence or two, without a full stop at the end.
        score: the worst score, 0 to 1.
        worth: how many faults one click is expected to settle; the queue's order.
        suggested: the label that is probably right, -1 = none.
        state: `open`, `flagged` (put aside) or `decided`.
    """

    key: str
    kinds: tuple[str, ...]
    indices: NDArray[np.int64]
    faulty: NDArray[np.int64]
    doubtful: NDArray[np.int64]
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
    table = findings.assign(card=_together(findings["index"].to_numpy(), findings["group"].to_numpy()))
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
    named = np.unique(rows["suggested"][rows["suggested"] >= 0])
    suggested = int(named[0]) if len(named) == 1 else -1
    wrong = (rows["kind"] == _WRONG_LABEL) & (rows["suggested"] == suggested)
    own = [kind not in (*OF_GROUPS, _WRONG_LABEL) for kind in rows["kind"].tolist()]
    return Card(
        key=f"{'group' if len(indices) > 1 else 'image'}-{indices[0]}",
        kinds=tuple(sorted(worst, key=lambda kind: (-worst[kind], kind))),
        indices=indices,
        faulty=np.unique(rows["index"][own]),
        doubtful=np.unique(rows["index"][wrong]) if suggested >= 0 else indices[:0],
        reason=_reason(rows, worst, len(indices)),
        score=max(worst.values()),
        worth=_worth(rows, indices),
        suggested=suggested,
        state=_state(rows, indices, judged),
    )


def _reason(rows: dict[str, NDArray], worst: dict[str, float], count: int) -> str:
    """What is said about the group, then the worst that was found about its images, and about how many of them."""
    together = [kind for kind in OF_GROUPS if kind in worst and kind not in _TWINS]
    together = together or [kind for kind in OF_GROUPS if kind in worst][:1]
    alone = sorted((kind for kind in worst if kind not in OF_GROUPS), key=lambda kind: -worst[kind])[:2]
    said = [str(rows["reason"][rows["kind"] == kind][0]) for kind in together]
    for kind in alone:
        about = rows["kind"] == kind
        reason, number = str(rows["reason"][about][0]), int(about.sum())
        if number < count:
            whom = "One of them" if number == 1 else f"{number:,} of them"
            reason = f"{whom}: {reason[:1].lower()}{reason[1:]}"
        said.append(reason)
    return ". ".join(dict.fromkeys(said))


def _worth(rows: dict[str, NDArray], indices: NDArray[np.int64]) -> float:
    """How many of the images are expected to be faulty: each as surely as the surest finding about it.

    That is what one click settles. Of copies the one to keep scores next to nothing.
    """
    by_image = np.zeros(len(indices))
    np.maximum.at(by_image, np.searchsorted(indices, rows["index"]), rows["score"])
    return float(by_image.sum())


def _state(rows: dict[str, NDArray], indices: NDArray[np.int64], judged: Judged) -> State:
    flagged = judged.flagged[indices]
    waiting = indices[~judged.decided[indices] & ~flagged]
    if len(waiting) == 1 < len(indices) and not judged.included[np.setdiff1d(indices, waiting)].any():
        about = rows["kind"][rows["index"] == waiting[0]]
        if np.isin(about, OF_GROUPS).all():
            waiting = waiting[:0]
    if len(waiting):
        return "open"
    return "flagged" if flagged.any() else "decided"


@dataclass(frozen=True, eq=False)
class Offer:
    """A decision about a card that takes one click.

    Attributes:
        key: `exclude`, `keep`, `suggested` (relabel as suggested), a keeper rule (keep the image it chooses, exclude
            the rest) or `as-LABEL` (keep one that is labelled so, exclude the rest).
        title: what the button says.
        action: as the ledger calls it.
        indices: int64 (M,) the images it is about.
        label: the new label of a relabel.
    """

    key: str
    title: str
    action: str
    indices: NDArray[np.int64]
    label: int | None = None


def offers(
    card: Card,
    judged: Judged,
    titles: Sequence[str],
    rule: Rule = "advised",
    sharpness: NDArray[np.float64] | None = None,
    pixels: NDArray[np.int64] | None = None,
) -> tuple[Offer, ...]:
    """The one-click decisions about a card, the advisable one first.

    Of mere copies one is worth keeping, if nothing else is wrong with it. Of a picture under several labels nobody
    knows which one is right, unless most of them agree; under two or three, each can be kept. A doubtful label is
    changed to the suggested one, unless the image has a worse fault.

    Args:
        card: the card.
        judged: what was decided: labels as they are now, and what is still there.
        titles: of the classes, in the order of the labels.
        rule: which image of a group is kept; `advised` leaves it to the findings.
        sharpness: (M,) of the card's images, as from `keepers.sharpness`, for the rule `sharpest`.
        pixels: (M,) how many their originals had, for the rule `largest`.
    """
    left = card.indices[judged.included[card.indices]]
    if not card.grouped or (len(left) == 1 and card.open):
        return _about_one(card, left if card.grouped else card.indices, titles)
    count = len(card.indices)
    whole = "both" if count == 2 else f"all {count:,}"
    exclude = Offer("exclude", f"Exclude {whole}", "exclude", card.indices)
    keep = Offer("keep", f"Keep {whole}", "keep", card.indices)
    others = (*_relabel(card, left, titles), keep)
    if not len(left):
        return exclude, *others
    kept = _kept(card, left, judged, rule, sharpness, pixels)
    if rule != "advised" or "label_conflict" not in card.kinds:
        return (exclude, *others) if kept is None else (_keep_one(card, kept, rule), exclude, *others)
    labels = judged.labels[left]
    carried = [int(label) for label in np.unique(labels) if label >= 0]
    agreed = majority_label(labels) if kept is not None else None
    if len(carried) > _FEW_LABELS:
        carried = [label for label in carried if label == agreed]
    one_of = [
        _keep_as(card, left[labels == label], label, titles)
        for label in sorted(carried, key=lambda label: label != agreed)
    ]
    if not one_of:
        return exclude, _keep_one(card, int(left[0]), "first"), *others
    return (*one_of, exclude, *others) if agreed in carried else (exclude, *one_of, *others)


def kept_by(
    card: Card,
    judged: Judged,
    rule: Rule,
    sharpness: NDArray[np.float64] | None = None,
    pixels: NDArray[np.int64] | None = None,
) -> Offer | None:
    """What a keeper rule does to a group: exclude all but the image it keeps. None when nothing is left of it."""
    left = card.indices[judged.included[card.indices]]
    if not len(left):
        return None
    kept = _kept(card, left, judged, rule, sharpness, pixels)
    return Offer("exclude", "Exclude all", "exclude", left) if kept is None else _keep_one(card, kept, rule)


def _kept(
    card: Card,
    left: NDArray[np.int64],
    judged: Judged,
    rule: Rule,
    sharpness: NDArray[np.float64] | None,
    pixels: NDArray[np.int64] | None,
) -> int | None:
    labels = judged.labels[left]
    if rule == "advised" and "label_conflict" not in card.kinds:
        labels = np.full_like(labels, -1)  # of mere copies any one will do
    return keeper(
        rule,
        left,
        labels,
        None if sharpness is None else sharpness[np.isin(card.indices, left)],
        np.isin(left, card.faulty),
        None if pixels is None else pixels[np.isin(card.indices, left)],
    )


def _about_one(card: Card, index: NDArray[np.int64], titles: Sequence[str]) -> tuple[Offer, ...]:
    exclude = Offer("exclude", "Exclude", "exclude", index)
    relabel = _relabel(card, index, titles)
    keep = Offer("keep", "Keep", "keep", index)
    own = [kind for kind in card.kinds if kind not in OF_GROUPS]
    worst = own[:1] == [_WRONG_LABEL]
    return (*relabel, exclude, keep) if worst else (exclude, *relabel, keep)


def _relabel(card: Card, among: NDArray[np.int64], titles: Sequence[str]) -> tuple[Offer, ...]:
    """The offer to believe the suggested label, if there is one; no offer else."""
    about = card.doubtful[np.isin(card.doubtful, among)]
    if not len(about):
        return ()
    return (Offer("suggested", f"Relabel as {titles[card.suggested]}", "relabel", about, card.suggested),)


def _keep_one(card: Card, kept: int, rule: Rule) -> Offer:
    rest = card.indices[card.indices != kept]
    first = kept == card.indices[0]
    named = {"sharpest": "the sharpest", "largest": "the largest"}
    which = named.get(rule) or ("the first" if first else f"image {kept:,}")
    return Offer(
        "first" if first and rule == "advised" else rule,
        f"Keep {which}, exclude {len(rest):,}",
        "exclude",
        rest,
    )


def _keep_as(card: Card, carrying: NDArray[np.int64], label: int, titles: Sequence[str]) -> Offer:
    sound = carrying[~np.isin(carrying, card.faulty)]
    kept = (sound if len(sound) else carrying)[0]
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
