"""A group of copies laid out to be compared: which of its images show and say the same, and which differ most."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bloodapp.data.dataset import Dataset
from bloodapp.review.copies import pictures
from bloodapp.review.differences import unlike

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Alike:
    """Images of a group that have the same pixels, the same given label and the same given part.

    Attributes:
        indices: int64 (M,), ascending; the first stands for all.
        same: whether their pixels are those of the image that the group is compared with.
    """

    indices: Ints
    same: bool

    @property
    def first(self) -> int:
        """The one that stands for all."""
        return int(self.indices[0])


def alike(dataset: Dataset, indices: Ints, kept: int) -> list[Alike]:
    """The images of a group besides the one they are compared with, the most different first.

    Decisions do not change the order: what is given counts, not what it was changed to. Identical images stand last,
    those that are labelled otherwise than the kept one before the others.

    Args:
        dataset: theirs.
        indices: int64 (M,) the images of the group, ascending.
        kept: one of them.
    """
    which = pictures(dataset.items["sha256"].to_numpy(object)[indices])
    own = which[np.searchsorted(indices, kept)]
    distinct = np.unique(which[which != own])
    how = np.zeros(len(indices))
    if len(distinct):
        how[distinct] = unlike(np.asarray(dataset.images[kept]), dataset.read(indices[distinct]))
    labels, parts = dataset.labels[indices], np.unique(dataset.parts[indices], return_inverse=True)[1]
    groups: dict[tuple[int, int, int], list[int]] = {}
    keys = zip(which.tolist(), labels.tolist(), parts.tolist(), indices.tolist(), strict=True)
    for picture, label, part, index in keys:
        if index != kept:
            groups.setdefault((picture, label, part), []).append(index)
    given = int(dataset.labels[kept])
    ordered = sorted(
        groups.items(), key=lambda one: (one[0][0] == own, -how[one[0][0]], one[0][1] == given, one[1][0])
    )
    return [Alike(np.array(members, np.int64), key[0] == own) for key, members in ordered]
