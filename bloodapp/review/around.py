"""Looking around by hand: where a run of repeated pictures begins or ends, and what looks like a marked picture."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bloodapp.data.phash import hamming

# A picture that occurs so often is no chance copy; a run of fewer images is no run.
_MANY = 3
_LEAST = 8
# One image that occurs once outweighs so many repeated ones: a run may have a few strangers, not be half of them.
_STRANGER = 3


def tail_cut(pictures: Sequence[Any] | NDArray[Any]) -> int | None:
    """The image from which on nearly every picture occurs many times, None without such a run at the end.

    The run is the end of the dataset in which repeated pictures (three times or more) most outweigh the others,
    three to one. A run that is the whole dataset is none.

    Args:
        pictures: (N,) what tells one picture from another, in the order of the images: sha256, or the
            perceptual hash, which also joins re-saved copies.
    """
    if not len(pictures):
        return None
    codes, _ = pd.factorize(np.asarray(pictures))
    repeated = np.bincount(codes)[codes] >= _MANY
    weight = np.cumsum(np.where(repeated, 1, -_STRANGER)[::-1])[::-1]
    cut = int(weight.argmax())
    return cut if cut > 0 and weight[cut] >= _LEAST else None


def head_cut(pictures: Sequence[Any] | NDArray[Any]) -> int | None:
    """The last image up to which nearly every picture occurs many times, None without such a run at the start.

    As `tail_cut`, from the other end.
    """
    cut = tail_cut(np.asarray(pictures)[::-1])
    return None if cut is None else len(pictures) - 1 - cut


def like(
    hashes: NDArray[np.uint64], marked: NDArray[np.uint64], distance: int
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """What looks like a marked picture: (positions, bits by which they differ), the most alike first.

    Args:
        hashes: uint64 (N,) the perceptual hashes of all images.
        marked: uint64 (K,) that of the marked picture, or those of it flipped and turned; the nearest counts.
        distance: how many of the 64 bits may differ.
    """
    apart = hamming(hashes[:, None], np.asarray(marked, np.uint64)[None, :]).min(axis=1)
    index = np.flatnonzero(apart <= distance)
    order = np.argsort(apart[index], kind="stable")
    return index[order], apart[index][order]
