"""Kinds of images that a run may be worse on: everything that is known of a dataset's images, as slices."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from bloodapp.data.dataset import Dataset
from bloodapp.evaluate import measures, slices
from bloodapp.evaluate.slices import Slice

Marks = Mapping[str, npt.NDArray[np.int64]]
"""Rows of a dataset that were marked, by what they were marked as; `review.marked` gives those of the last scan."""


def kinds(dataset: Dataset, index: npt.NDArray[np.int64], marks: Marks) -> tuple[Slice, ...]:
    """The images of these rows int64 (N,) by source, light, focus, original size and what was found about them."""
    items, found = dataset.items.iloc[index], measures.measured(dataset, index)
    return (
        *slices.by_source(items["name"].to_numpy(), dataset.classes),
        *slices.fifths("brightness", found.brightness, slices.BRIGHTNESS),
        *slices.fifths("sharpness", found.sharpness, slices.SHARPNESS),
        *slices.by_size(items["width"].to_numpy(), items["height"].to_numpy()),
        *slices.by_finding(index, marks),
    )
