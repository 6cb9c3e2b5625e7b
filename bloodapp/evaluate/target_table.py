"""The images of a drop in the order in which to label them: as a table, and as a dataset for Review."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bloodapp.classes import CellClass
from bloodapp.data.dataset import Dataset
from bloodapp.data.importing import store
from bloodapp.data.records import Record
from bloodapp.data.sources import Source
from bloodapp.errors import InvalidValue

Arrays = dict[str, npt.NDArray[Any]]


def label_table(classes: Sequence[CellClass], arrays: Arrays, most: int | None = None) -> pd.DataFrame:
    """The first `most` images, or all, as a table: index, rank, name, place, label, predicted, confidence, uncertainty.

    `index` is the row of the dataset that `label_dataset` makes of as many, and `label` is empty: filled in with class
    keys, `decide DATASET --from FILE --action relabel` takes it. `place` is the image's place in the source. `arrays`
    are those of a `Target`.
    """
    order = arrays["order"][:most]
    probabilities = arrays["probabilities"][order]
    keys = np.array([each.key for each in classes])
    return pd.DataFrame(
        {
            "index": np.arange(len(order)),
            "rank": np.arange(1, len(order) + 1),
            "name": arrays["names"][order],
            "place": arrays["index"][order],
            "label": "",
            "predicted": keys[probabilities.argmax(1)],
            "confidence": probabilities.max(1).round(6),
            "uncertainty": arrays["unsure"][order].round(6),
        }
    )


def label_dataset(
    name: str,
    classes: Sequence[CellClass],
    images: npt.NDArray[np.uint8],
    arrays: Arrays,
    most: int,
    facts: dict[str, Any],
) -> Dataset:
    """Make a dataset of the first `most` images in the order in which to label them, without labels.

    `facts` go into its record of where it comes from. Raises AlreadyExists, InvalidValue.
    """
    order = arrays["order"][:most]
    if not len(order):
        raise InvalidValue("There are no images to label: drop some first.")
    side = images.shape[1]

    def records() -> Iterator[Record]:
        for row in order:
            yield Record(np.asarray(images[row]), str(arrays["names"][row]), -1, "", side, side, "RGB")

    source = Source("target", name, "", tuple(classes), len(order), records(), facts=facts)
    return store(source, name, side)
