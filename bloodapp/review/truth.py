"""What is known of the faults of a dataset: which images are faulty, and which only stand beside a fault."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

COPIES = ("exact_duplicate", "near_duplicate")


def known_faults(truth: pd.DataFrame, labels: NDArray[np.int16]) -> pd.DataFrame:
    """The truth of a dataset with the column `planted` (bool): whether an image is at fault itself.

    Every member of a group of copies has its row, the good original included; that one is not planted. Where
    the table does not say which it was, it is the lowest index of a group of copies, and the rightly labelled
    ones of a conflict.

    Args:
        truth: `Dataset.truth`: index, kind, group, true_label and perhaps planted.
        labels: the given labels of the dataset, (N,).
    """
    known = truth.reset_index(drop=True)
    if "planted" in known.columns:
        return known.astype({"planted": bool})
    first = known.groupby(["kind", "group"])["index"].transform("min")
    copied = known["kind"].isin(COPIES) & (known["group"] >= 0)
    conflict = known["kind"] == "label_conflict"
    right = labels[known["index"].to_numpy()] == known["true_label"].to_numpy()
    return known.assign(planted=~(copied & (known["index"] == first)) & ~(conflict & right))
