"""The decisions as a person remembers them: one entry a click, undone or not."""

import pandas as pd

from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import UNDO, by_batch, log

COLUMNS = ["batch", "action", "count", "label", "why", "who", "when", "undone", "by"]


def history(dataset: Dataset) -> pd.DataFrame:
    """All batches but the undos themselves, newest first.

    Columns: batch, action, count, label (-1 = none), why, who, when, undone (whether none of it holds any more),
    by (the batch that undid it, undoing which restores it; -1 where nothing did).
    """
    events = log(dataset)
    undos = events[(events["action"] == UNDO) & ~events["cancelled"]]
    batch_of = events.set_index("seq")["batch"]
    undone_by = (
        pd.Series(undos["batch"].to_numpy(), index=undos["cancels"].map(batch_of)).groupby(level=0).max()
    )
    table = by_batch(events[events["action"] != UNDO]).rename(columns={"cancelled": "undone"})
    table["by"] = undone_by.reindex(table.index).fillna(-1).astype("int64")
    return table.reset_index()[COLUMNS]
