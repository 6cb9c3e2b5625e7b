"""The detectors: pure functions from measures, hashes and labels to findings.

Quality is judged against the dataset itself: by how many robust standard deviations (1.4826 x the median
absolute deviation) a measure lies from the median of the distinct pictures, as P. J. Rousseeuw and C. Croux,
"Alternatives to the Median Absolute Deviation", JASA 88 (1993) describe it. The limits below were set on
11,959 real cells of the eight classes, of which they should flag next to none, and on the same cells blurred,
darkened and brightened. A score is 0.5 at a limit and nears 1 far beyond it.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bloodapp.data.neighbours import near_pairs
from bloodapp.review.findings import finding_table
from bloodapp.review.measures import Floats, Measures

Ints = NDArray[np.int64]

# Hashes of different cells come as close as 6 bits; shifting a cell by one pixel moves its hash by up to 10.
# So the hash proposes and the likeness decides: different cells stay below 0.96 at up to 10 bits, while
# re-saving (quality 30), a pixel's shift, light blur, noise or a change of brightness stay above.
NEAR_BITS = 10
NEAR_LIKENESS = 0.96

_PAIRS_AT_ONCE = 8192
# A group's first image is the one to keep, so it is a little less urgent than its copies.
_FIRST = 0.9


def pictures(sha256: Sequence[str] | NDArray[np.object_]) -> Ints:
    """For each image the position of the first with the same pixels, (N,)."""
    codes, _ = pd.factorize(np.asarray(sha256, object))
    return _first_of(codes)


def exact_duplicate(picture: Ints) -> pd.DataFrame:
    """Images with the same pixels; `picture` (N,) as from `pictures`."""
    index, group, size = _in_groups(picture, 2)
    score = (1 - 1 / size) * np.where(index == group, _FIRST, 1)
    reason = [f"The same picture as {_others(count - 1)}" for count in size]
    return finding_table("exact_duplicate", index, score, reason, group=group)


def candidates(hashes: NDArray[np.uint64], picture: Ints) -> tuple[Ints, Ints]:
    """Pairs of different pictures whose hashes are at most `NEAR_BITS` apart, as positions of their first images.

    Pictures that share a hash are paired with the first that has it only: nearly empty pictures may share one
    by the thousand.
    """
    firsts = np.unique(picture)
    distinct, first_with, which = np.unique(hashes[firsts], return_index=True, return_inverse=True)
    one, two = near_pairs(distinct, NEAR_BITS)
    sharing = np.flatnonzero(first_with[which] != np.arange(len(firsts)))
    left = np.concatenate([first_with[one], first_with[which[sharing]]])
    right = np.concatenate([first_with[two], sharing])
    a, b = firsts[left], firsts[right]
    return np.minimum(a, b), np.maximum(a, b)


def alike(pairs: tuple[Ints, Ints], images: Ints, thumbnails: Floats) -> Floats:
    """The likeness (M,) of each pair; `thumbnails` are those (`measures.likeness`) of the sorted positions `images`."""
    left, right = (np.searchsorted(images, side) for side in pairs)
    parts = [np.zeros(0, np.float32)]
    for start in range(0, len(left), _PAIRS_AT_ONCE):
        part = slice(start, start + _PAIRS_AT_ONCE)
        parts.append(np.einsum("ij,ij->i", thumbnails[left[part]], thumbnails[right[part]]))
    return np.concatenate(parts)


def near_duplicate(pairs: tuple[Ints, Ints], likeness: Floats, picture: Ints) -> pd.DataFrame:
    """Images that are nearly the same picture as the first of their group.

    Every member is like the group's first image itself: a chain of small steps joins nothing.

    Args:
        pairs: `candidates`.
        likeness: theirs, (M,), as from `alike`.
        picture: (N,) as from `pictures`; all images of a picture go with it.
    """
    chosen = likeness >= NEAR_LIKENESS
    left, right, value = pairs[0][chosen], pairs[1][chosen], likeness[chosen]
    leader: dict[int, int] = {}
    best: dict[int, float] = {}
    for a, b, how in sorted(zip(left.tolist(), right.tolist(), value.tolist(), strict=True)):
        if leader.setdefault(a, a) == a and b not in leader:
            leader[b] = a
            best[b] = how
            best[a] = max(best.get(a, 0.0), how)
    of_picture = np.full(len(picture), -1, np.int64)
    strength = np.zeros(len(picture))
    for member, first in leader.items():
        if member in best:
            of_picture[member], strength[member] = first, best[member]
    group, strength = of_picture[picture], strength[picture]
    index = np.flatnonzero(group >= 0)
    group, strength = group[index], strength[index]
    size = np.bincount(group, minlength=1)[group]
    score = (0.5 + 0.5 * (strength - NEAR_LIKENESS) / (1 - NEAR_LIKENESS)) * np.where(
        index == group, _FIRST, 1
    )
    reason = [f"Nearly the same picture as {_others(count - 1)}" for count in size]
    return finding_table("near_duplicate", index, score, reason, group=group)


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
    known = known[np.argsort(group[known], kind="stable")]
    bounds = np.flatnonzero(np.diff(group[known], prepend=-1, append=-1))
    tables = [finding_table("label_conflict", [], [], [])]
    for start, stop in pairwise(bounds):
        index = known[start:stop]
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


def dark(measures: Measures, distinct: NDArray[np.bool_]) -> pd.DataFrame:
    """Images whose lit background is much darker than usual; `distinct` (N,) marks one image of every picture.

    The brightest 1 % of the pixels is the empty glass, whatever the cell, so that large dark nuclei are no fault.
    """
    middle, spread = _usual(measures.light, distinct, 4)
    beyond = (middle - measures.light) / max(0.16 * middle, 6 * spread, 1)
    index = np.flatnonzero(beyond >= 1)
    shares = measures.light[index] / max(middle, 1)
    reason = [f"Its brightest parts have {share:.0%} of the usual light" for share in shares]
    return finding_table("dark", index, _score(beyond[index]), reason)


def bright(measures: Measures, distinct: NDArray[np.bool_]) -> pd.DataFrame:
    """Images whose background is burnt out, or that are bright all over; `distinct` as in `dark`."""
    upper, upper_spread = _usual(measures.upper, distinct, 2)
    mean, mean_spread = _usual(measures.mean, distinct, 5)
    over = (measures.upper - upper) / max(14, 6 * upper_spread)
    above = (measures.mean - mean) / (4.5 * mean_spread)
    beyond = np.maximum(over, above)
    index = np.flatnonzero(beyond >= 1)
    reason = np.where(
        over[index] >= above[index],
        "Its background is burnt out: brighter than that of the other images",
        "Bright all over, far above the other images",
    )
    return finding_table("bright", index, _score(beyond[index]), reason)


def blurred(measures: Measures, distinct: NDArray[np.bool_]) -> pd.DataFrame:
    """Images far softer than the others, by any of three measures; `distinct` as in `dark`.

    `detail` sees the lightest blur, `lines` a movement along one axis, `coarse` a blur that noise or
    compression has covered.
    """
    beyond = np.zeros(len(measures))
    for values, floor, limit in (
        (measures.detail, 0.08, 5.0),
        (measures.lines, 0.15, 5.5),
        (measures.coarse, 0.2, 4.8),
    ):
        middle, spread = _usual(values, distinct, floor)
        beyond = np.fmax(beyond, (middle - values) / (limit * spread))
    index = np.flatnonzero(beyond >= 1)
    reason = np.where(
        beyond[index] >= 1.5, "Far softer than the other images", "Softer than the other images"
    )
    return finding_table("blurred", index, _score(beyond[index]), reason)


def low_information(measures: Measures, distinct: NDArray[np.bool_]) -> pd.DataFrame:
    """Images of nearly one colour; `distinct` as in `dark`.

    Contrast is relative to the light and so not a matter of the lamp; entropy is in bits, about 6.4 for a
    cell and above 2.9 for the smallest platelet on an empty field.
    """
    contrast, _ = _usual(measures.contrast, distinct, 0.02)
    entropy, spread = _usual(measures.entropy, distinct, 0.3)
    pale = 0.36 * contrast / np.maximum(measures.contrast, 1e-3)
    plain = (entropy - measures.entropy) / max(entropy - 2.7, 6.5 * spread, 0.5)
    beyond = np.maximum(pale, plain)
    index = np.flatnonzero(beyond >= 1)
    flat = measures.contrast[index] < 0.02
    reason = np.where(
        flat,
        "Nothing but one colour",
        np.where(
            pale[index] >= plain[index],
            "Hardly any contrast: perhaps an empty field",
            "Few shades, little detail",
        ),
    )
    return finding_table("low_information", index, _score(beyond[index]), reason)


def _usual(values: Floats, distinct: NDArray[np.bool_], floor: float) -> tuple[float, float]:
    """Median and robust standard deviation (at least `floor`) of the distinct pictures that have the measure."""
    known = values[distinct & np.isfinite(values)]
    if not len(known):
        return 0.0, np.inf
    middle = float(np.median(known))
    return middle, max(1.4826 * float(np.median(np.abs(known - middle))), floor)


def _score(beyond: NDArray[np.floating]) -> NDArray[np.floating]:
    """0.5 at a limit, towards 1 far beyond it."""
    return 1 - 0.5 / np.maximum(beyond, 1)


def _first_of(codes: NDArray[np.integer]) -> Ints:
    _, first, which = np.unique(codes, return_index=True, return_inverse=True)
    return first[which].astype(np.int64)


def _in_groups(group: Ints, least: int) -> tuple[Ints, Ints, Ints]:
    """(positions, their group, its size) of the images in groups of at least `least`."""
    size = np.bincount(group, minlength=1)[group]
    index = np.flatnonzero(size >= least)
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
