"""The last batches of decisions, read without the rest of the log, however long that is and however large they are."""

from dataclasses import dataclass

import numpy as np

from bloodapp.data import ledger
from bloodapp.data.dataset import Dataset


@dataclass(frozen=True)
class Batch:
    """One click's decisions.

    Attributes:
        batch: its number.
        action: `keep`, `exclude`, `flag` or `relabel`.
        count: about how many images.
        first: the first of them.
        label: the new label, -1 for none, or where they are not the same.
        why: the reason given.
        who: whose decision it was.
        when: UTC ISO-8601.
        cancelled: whether none of it holds any more.
    """

    batch: int
    action: str
    count: int
    first: int
    label: int
    why: str
    who: str
    when: str
    cancelled: bool


def recent(dataset: Dataset, limit: int) -> list[Batch]:
    """At most so many batches but the undos, the newest first."""
    with ledger.reading(dataset.path) as connection:
        rows = connection.execute(
            "select batch, action, count(*), min(seq), max(seq), ifnull(min(label), -1), ifnull(max(label), -1), "
            'why, who, "when" from events where batch in '
            "(select distinct batch from events where cancels is null order by batch desc limit ?) "
            "group by batch order by batch desc",
            (limit,),
        ).fetchall()
        gone = np.sort(np.fromiter(ledger.cancelled(connection), np.int64))
        told = []
        for batch, action, number, first, last, label, other, why, who, when in rows:
            # A batch is written in one transaction, so its events have numbers in a row.
            undone = int(np.diff(np.searchsorted(gone, [first, last + 1]))[0])
            index = connection.execute('select "index" from events where seq = ?', (first,)).fetchone()[0]
            one = label if label == other else -1
            told.append(Batch(batch, action, number, index, one, why, who, when, undone == number))
    return told
