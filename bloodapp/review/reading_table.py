"""The readings of a sample as a table: what each reader has said of each image, beside the label at the time."""

import pandas as pd

from bloodapp.data.dataset import Dataset
from bloodapp.data.readings import CANNOT_TELL, Sample, readings

COLUMNS = ("sample", "place", "index", "name", "sha256", "label_then", "reader", "answer", "when")


def reading_table(dataset: Dataset, sample: Sample) -> pd.DataFrame:
    """One row for each image and reader that counts, in the sample's order, in the columns COLUMNS.

    `answer` and `label_then` are class keys, `cannot_tell` where the reader could not; places count from 1.
    """
    keys = {CANNOT_TELL: "cannot_tell"} | {label: one.key for label, one in enumerate(dataset.classes)}
    last = {
        (one.reader, one.index): one for one in readings(dataset, sample.name) if not one.cancelled
    }  # the last of each counts: they come oldest first
    readers = list(dict.fromkeys(reader for reader, _ in last))
    names, pixels = dataset.items["name"].to_numpy(object), dataset.items["sha256"].to_numpy(object)
    rows = []
    for place, (index, label) in enumerate(
        zip(sample.index.tolist(), sample.labels.tolist(), strict=True), 1
    ):
        for reader in readers:
            if (one := last.get((reader, index))) is not None:
                about = (sample.name, place, index, names[index], pixels[index], keys[label])
                rows.append((*about, reader, keys[one.label], one.when))
    return pd.DataFrame(rows, columns=list(COLUMNS))
