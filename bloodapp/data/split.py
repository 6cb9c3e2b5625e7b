"""Training, validation and test: stratified by class, look-alikes never parted.

A picture that lies in training and, re-saved, in validation makes a model look better than it is; so
pictures that are the same or nearly so form a group, and a group goes to one part as a whole.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from bloodapp.data.dataset import PARTS, Dataset
from bloodapp.data.neighbours import chains
from bloodapp.errors import InvalidValue

# Bits of 64. Of 11,959 real cells, 4 bits put 20 into pairs, the same as 0; 6 bits 42, into pairs; 8 bits 376,
# into groups of up to 5; at 10 chains of look-alikes grow together (776 cells), at 12 they swallow 6,700.
NEAR = 4


def duplicate_groups(dataset: Dataset, distance: int = NEAR) -> NDArray[np.int64]:
    """A group number for each image, int64 (N,): the same pixels, hashes at most `distance` bits apart,
    or made from one another, share it. Numbers run from 0 in the order of the first image.
    """
    items = dataset.items
    pixels = np.unique(items["sha256"].to_numpy(dtype="<U64"), return_inverse=True)[1]
    hashes, alike = np.unique(items["phash"].to_numpy(np.uint64), return_inverse=True)
    parents = items["parent"].to_numpy(np.int64)
    children = np.flatnonzero(parents >= 0)
    # Three layers of nodes: the images, the distinct pixels, the chains of near hashes.
    count = len(items)
    at_chain = count + len(items)
    everyone = np.arange(count)
    left = np.concatenate([everyone, everyone, children])
    right = np.concatenate([count + pixels, at_chain + chains(hashes, distance)[alike], parents[children]])
    size = at_chain + len(hashes)
    graph = coo_array((np.ones(len(left), np.int8), (left, right)), shape=(size, size))
    numbers = connected_components(graph, directed=False)[1][:count]
    return _renumbered(numbers)


def split(
    labels: NDArray[np.integer],
    groups: NDArray[np.integer],
    ratios: Sequence[float] = (0.7, 0.15, 0.15),
    seed: int = 0,
    parts: NDArray[np.str_] | None = None,
) -> NDArray[np.str_]:
    """The part of each image, (N,) of "train", "val" or "test": by class in the given ratios, groups whole.

    `ratios` are the shares of train, val and test; one may be 0. The same input and seed give the same
    split. With `parts`, images that have a given part keep it; if none has "val", it is taken out of the
    given training part. Raises InvalidValue for impossible ratios.
    """
    shares = np.asarray(ratios, np.float64)
    if shares.shape != (3,) or not np.isfinite(shares).all() or (shares < 0).any() or shares[0] <= 0:
        raise InvalidValue("The ratios must be three numbers for train, val and test, the first above 0.")
    shares = shares / shares.sum()
    result = np.full(len(labels), "", "<U5") if parts is None else np.array(parts, "<U5")
    if (result != "").all() and len(result) and "val" not in result and shares[1] > 0:
        again = result == "train"
        result[again] = split(labels[again], groups[again], (1 - shares[1], shares[1], 0), seed)
        return result
    _assign(result, np.asarray(labels), _renumbered(np.asarray(groups)), shares, np.random.default_rng(seed))
    return result


def folds(
    labels: NDArray[np.integer],
    groups: NDArray[np.integer],
    count: int,
    *,
    test_share: float = 0.0,
    seed: int = 0,
    parts: NDArray[np.str_] | None = None,
) -> NDArray[np.int64]:
    """The fold of each image, int64 (N,), 0 to count − 1; −1 for those of the test part, which is taken out first.

    By class, groups whole, folds of nearly one size. With `parts`, a given "test" stays the test part and no
    share is taken; what was given to train and val is dealt anew. The same input and seed give the same folds.
    Raises InvalidValue for fewer than two folds, or fewer groups than folds.
    """
    labels, groups = np.asarray(labels), _renumbered(np.asarray(groups))
    if count < 2:
        raise InvalidValue(f"There must be at least two folds, not {count}.")
    given = None if parts is None else np.where(np.asarray(parts) == "test", "test", "").astype("<U5")
    if given is not None and (given == "test").any():
        test = given == "test"
        torn = np.isin(groups, groups[test]) & (np.asarray(parts) == "")
        test |= torn  # an image without a part follows the copies of it that have one
    else:
        test = split(labels, groups, (1 - test_share, 0, test_share), seed) == "test"
    fold = np.full(len(labels), -1, np.int64)
    free = np.flatnonzero(~test)
    if len(np.unique(groups[free])) < count:
        raise InvalidValue(f"{len(free)} images are too few for {count} folds: take fewer folds.")
    kinds, kind = np.unique(labels[free], return_inverse=True)
    need = np.repeat(np.bincount(kind, minlength=len(kinds))[:, None] / count, count, axis=1)
    members: dict[int, list[int]] = {}
    for place in np.random.default_rng(seed).permutation(len(free)).tolist():
        members.setdefault(int(groups[free[place]]), []).append(place)
    # Large groups first, while there is room everywhere, single images class by class; of folds that need a class
    # alike, the emptiest.
    for group in sorted(members.values(), key=lambda group: (-len(group), kind[group[0]])):
        counts = np.bincount(kind[group], minlength=len(kinds))
        chosen = int((counts @ need + need.sum(0) / (len(free) + 1)).argmax())
        fold[free[group]] = chosen
        need[:, chosen] -= counts
    return fold


def _assign(
    result: NDArray[np.str_],
    labels: NDArray[np.integer],
    groups: NDArray[np.int64],
    shares: NDArray[np.float64],
    rng: np.random.Generator,
) -> None:
    """Fill the empty places of `result`: large groups first, each where it is needed most, then the single ones."""
    names = np.array(PARTS)
    kinds, kind = np.unique(labels, return_inverse=True)
    need = np.bincount(kind, minlength=len(kinds))[:, None] * shares
    fixed = np.flatnonzero(result != "")
    place = np.searchsorted(np.sort(names), result[fixed])
    where = np.argsort(names)[place]
    np.subtract.at(need, (kind[fixed], where), 1)
    # What belongs to a group with a given part follows it: the most common one, should they differ.
    votes = np.zeros((groups.max(initial=-1) + 1, 3), np.int64)
    np.add.at(votes, (groups[fixed], where), 1)
    sizes = np.bincount(groups)
    open_ = np.flatnonzero(result == "")
    led = open_[votes[groups[open_]].any(axis=1)]
    result[led] = names[votes[groups[led]].argmax(axis=1)]
    np.subtract.at(need, (kind[led], votes[groups[led]].argmax(axis=1)), 1)

    free = np.flatnonzero(result == "")
    free = free[rng.permutation(len(free))]
    several = free[sizes[groups[free]] > 1]
    members: dict[int, list[int]] = {}
    for index in several.tolist():
        members.setdefault(int(groups[index]), []).append(index)
    for group in sorted(members.values(), key=len, reverse=True):
        counts = np.bincount(kind[group], minlength=len(kinds))
        chosen = int(np.where(shares > 0, counts @ need, -np.inf).argmax())
        result[group] = names[chosen]
        need[:, chosen] -= counts
    single = free[sizes[groups[free]] == 1]
    for number in range(len(kinds)):
        mine = single[kind[single] == number]
        for index, chosen in zip(mine.tolist(), _apportion(len(mine), need[number], shares), strict=True):
            result[index] = names[chosen]


def _apportion(count: int, need: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.int64]:
    """`count` part numbers, divided as `need` asks: largest remainders, the shares where all needs are met."""
    wanted = np.where(shares > 0, np.clip(need, 0, None), 0)
    wanted = wanted if wanted.sum() > 0 else shares
    exact = wanted * count / wanted.sum()
    whole = np.floor(exact).astype(np.int64)
    for part in np.argsort(whole - exact, kind="stable")[: count - whole.sum()]:
        whole[part] += 1
    return np.repeat(np.arange(3), whole)


def _renumbered(numbers: NDArray[np.integer]) -> NDArray[np.int64]:
    """The same groups, numbered from 0 in the order of their first member."""
    _, first, inverse = np.unique(numbers, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]
