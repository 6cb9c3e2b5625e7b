"""The same picture more than once: exact and near copies, under several labels, or in several parts.

Of a group of copies the first is the one to keep: it scores next to nothing, its copies next to 1.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bloodapp.data.dataset import PARTS
from bloodapp.data.neighbours import leaders
from bloodapp.review.findings import finding_table
from bloodapp.review.measures import Floats, likeness

Ints = NDArray[np.int64]
Thumbnails = NDArray[np.uint8]

# Hashes of different cells come as close as 6 bits; shifting a cell by one pixel moves its hash by up to 10.
# So the hash proposes and the likeness decides: of 11,959 real cells two different ones at most 10 bits apart are
# 0.95 alike and all others less, while a copy that was saved again at quality 40, moved by a pixel and brightened by
# 6 % stays above 0.97.
NEAR_BITS = 10
NEAR_LIKENESS = 0.956
_FLOOR_LIKENESS = 0.935

_PART_TITLES = {"train": "training", "val": "validation", "test": "test"}

# Whoever has to keep one of several keeps the first.
_TO_KEEP = 0.02


def pictures(sha256: Sequence[str] | NDArray[np.object_]) -> Ints:
    """For each image the position of the first with the same pixels, (N,)."""
    codes, _ = pd.factorize(np.asarray(sha256, object))
    _, first, which = np.unique(codes, return_index=True, return_inverse=True)
    return first[which].astype(np.int64)


def exact_duplicate(picture: Ints) -> pd.DataFrame:
    """Images with the same pixels; `picture` (N,) as from `pictures`. The more copies, the more urgent."""
    index, group, size = _in_groups(picture)
    score = np.where(index == group, _TO_KEEP, 0.99 - 0.02 / size)
    reason = [f"The same picture as {_others(count - 1)}" for count in size]
    return finding_table("exact_duplicate", index, score, reason, group=group)


def near_copies(hashes: NDArray[np.uint64], picture: Ints, small: Thumbnails) -> tuple[Ints, Floats]:
    """Which images are nearly the same picture, without comparing all with all.

    Args:
        hashes: (N,), or (N, 8) as `phash.turned_hashes` gives them, to find turned and mirrored copies as well.
        picture: (N,) as from `pictures`; all images of a picture go with it.
        small: thumbnails (N, T, T, 3) of the images.

    Returns the position of the first of each image's group (N,), its own where it is alone, and how alike the
    image is to that first (N,), 1 for the first itself.
    """
    firsts = np.unique(picture)
    # All flat pictures share a hash and none is like another: comparing each with each would find nothing.
    firsts = firsts[_shows_something(small)[firsts]]
    turns = 1 if hashes.ndim == 1 else hashes.shape[1]

    alike = np.ones(len(firsts), np.float32)

    def same(one: int, others: Ints) -> NDArray[np.bool_]:
        how = _likeness(small[firsts[one]], small[firsts[others]], turns)
        taken: NDArray[np.bool_] = how >= _FLOOR_LIKENESS
        alike[others[taken]] = how[taken]  # for good: what is taken is asked about no more
        return taken

    led = leaders(hashes[firsts], NEAR_BITS, same)
    group, how = picture.copy(), np.ones(len(picture), np.float32)
    there = np.isin(picture, firsts)
    place = np.searchsorted(firsts, picture[there])
    group[there], how[there] = firsts[led[place]], alike[place]
    return group, how


def near_duplicate(group: Ints, alike: Floats, picture: Ints) -> pd.DataFrame:
    """Images that are nearly the same picture as the first of their group; from `near_copies` and `pictures`."""
    pictures_in = np.bincount(group[np.unique(picture)], minlength=len(group))
    index = np.flatnonzero(pictures_in[group] > 1)
    size = np.bincount(group)[group[index]]
    # 0.5 at the limit, 0.9 where a pixel's shift is, towards 1 for a copy that was only saved again.
    sure = np.interp(
        alike[index], (_FLOOR_LIKENESS, NEAR_LIKENESS, NEAR_LIKENESS + 0.014, 1), (0.25, 0.5, 0.9, 0.98)
    )
    score = np.where(picture[index] == group[index], _TO_KEEP, sure)
    reason = [f"Nearly the same picture as {_others(count - 1)}" for count in size]
    return finding_table("near_duplicate", index, score, reason, group=group[index])


def label_conflict(
    group: Ints, picture: Ints, labels: NDArray[np.int16], titles: Sequence[str]
) -> pd.DataFrame:
    """Images of one group that carry different labels.

    Args:
        group: (N,) the group of each image, -1 = none: the same picture, or nearly.
        picture: (N,) as from `pictures`; only words the reason.
        labels: (N,), -1 = none; images without a label take no part.
        titles: of the classes, in the order of the labels.
    """
    known = np.flatnonzero((group >= 0) & (labels >= 0))
    tables = [finding_table("label_conflict", [], [], [])]
    for index in _together(group, known):
        carried = np.bincount(labels[index], minlength=len(titles)) / len(index)
        if np.count_nonzero(carried) < 2:
            continue
        own = carried[labels[index]]
        clear = carried.max() > 0.5
        tables.append(
            finding_table(
                "label_conflict",
                index,
                1 - 0.5 * own,
                _conflict_reasons(index, picture, labels, titles),
                group=group[index],
                suggested=np.where(clear & (own < 0.5), carried.argmax(), -1),
            )
        )
    return pd.concat(tables, ignore_index=True)


def leakage(group: Ints, parts: NDArray[np.str_]) -> pd.DataFrame:
    """Images of one group that lie in different given parts: what is learned from is also what is judged on.

    The copy in the part that judges later stays, test before validation before training; the others score high.

    Args:
        group: (N,) the group of each image, -1 = none: the same picture, or nearly.
        parts: (N,) of "", "train", "val" or "test"; images without a part take no part.
    """
    rank = np.array([PARTS.index(part) if part in PARTS else -1 for part in parts.tolist()], np.int64)
    known = np.flatnonzero((group >= 0) & (rank >= 0))
    tables = [finding_table("leakage", [], [], [])]
    for index in _together(group, known):
        own = rank[index]
        if own.min() == own.max():
            continue
        where = " and ".join(_PART_TITLES[PARTS[place]] for place in np.unique(own))
        last = index[own == own.max()]
        tables.append(
            finding_table(
                "leakage",
                index,
                np.where(np.isin(index, last), _TO_KEEP, 0.97),
                f"The same picture lies in {where}",
                group=group[index],
            )
        )
    return pd.concat(tables, ignore_index=True)


def _likeness(one: Thumbnails, others: Thumbnails, turns: int) -> Floats:
    """How alike thumbnails (M, T, T, 3) are to one (T, T, 3); with turns in the best of their eight positions."""
    first = likeness(one[None])[0]
    best = likeness(others) @ first
    if turns > 1:
        for flipped in (others, others[:, :, ::-1]):
            for quarter in range(4):
                best = np.maximum(best, likeness(np.rot90(flipped, quarter, axes=(1, 2))) @ first)
    return best


def _shows_something(small: Thumbnails) -> NDArray[np.bool_]:
    """Which thumbnails (N,) are not of one colour."""
    blocks = [likeness(small[start : start + 4096]).any(axis=1) for start in range(0, len(small), 4096)]
    return np.concatenate([np.zeros(0, bool), *blocks])


def _together(group: Ints, chosen: Ints) -> list[Ints]:
    """The chosen positions, those of one group together."""
    ordered = chosen[np.argsort(group[chosen], kind="stable")]
    bounds = np.flatnonzero(np.diff(group[ordered], prepend=-1, append=-1))
    return [ordered[start:stop] for start, stop in pairwise(bounds)]


def _in_groups(group: Ints) -> tuple[Ints, Ints, Ints]:
    """(positions, their group, its size) of the images that are not alone in theirs."""
    size = np.bincount(group, minlength=1)[group]
    index = np.flatnonzero(size > 1)
    return index, group[index], size[index]


def _conflict_reasons(
    index: Ints, picture: Ints, labels: NDArray[np.int16], titles: Sequence[str]
) -> list[str]:
    same = "The same picture" if len(np.unique(picture[index])) == 1 else "Nearly the same picture"
    if len(index) == 2:
        return [f"{same} as one other, which is labelled {titles[label]}" for label in labels[index[::-1]]]
    different = len(np.unique(labels[index]))
    return [f"{same} as {_others(len(index) - 1)}, which carry {different} different labels"] * len(index)


def _others(count: int) -> str:
    return "one other" if count == 1 else f"{count:,} others"
