"""Every decision about a dataset's images, as an append-only log with undo.

An event keeps, excludes, flags or relabels one image. Undo is an event too: it cancels one other event,
at any time, and may be undone itself. So nothing is ever lost, and what holds now is read off the log:

* an image's label is its last uncancelled relabel, else the given one;
* it is included unless its last uncancelled keep or exclude is an exclude;
* it is flagged if an uncancelled flag is later than every other uncancelled decision about it.

Two tabs or processes may record at once: each operation is one short connection and one transaction.
"""

import getpass
import sqlite3
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bloodapp.data import ledger
from bloodapp.data.dataset import Dataset, list_datasets
from bloodapp.errors import Busy, InvalidValue, NotFound
from bloodapp.workspace import now, read_json

if TYPE_CHECKING:
    import pandas as pd

ACTIONS = ("keep", "exclude", "flag", "relabel")
UNDO = "undo"
_PLACE = f"case action {' '.join(f'when {one!r} then {place}' for place, one in enumerate(ACTIONS))} end"


@dataclass(frozen=True, eq=False)
class Judged:
    """What the decisions make of a dataset. Its arrays are read-only.

    Attributes:
        labels: int16 (N,), the given label or the one it was changed to, -1 = none.
        included: bool (N,), whether the image takes part.
        decided: bool (N,), whether somebody kept, excluded or relabelled it.
        flagged: bool (N,), whether it was put aside to be looked at again.
        seq: the last event that this takes into account, 0 for none.
    """

    labels: NDArray[np.int16]
    included: NDArray[np.bool_]
    decided: NDArray[np.bool_]
    flagged: NDArray[np.bool_]
    seq: int

    @property
    def indices(self) -> NDArray[np.int64]:
        """What remains: the indices of the images that are included and have a label, ascending."""
        return np.flatnonzero(self.included & (self.labels >= 0))


def record(
    dataset: Dataset,
    indices: Sequence[int] | NDArray[np.integer],
    action: str,
    *,
    label: int | None = None,
    why: str = "",
    who: str | None = None,
    once: str | None = None,
) -> int:
    """Record one decision about some images, in one transaction, and give the number of its batch.

    `label` is the new label of a relabel and of nothing else. With `once`, the caller's own id of this act, a second
    call under the same id writes nothing and gives the first one's batch. Raises InvalidValue, and Busy if the log
    stays locked.
    """
    if action not in ACTIONS:
        raise InvalidValue(f"Can't find action '{action}'. Available: {', '.join(ACTIONS)}.")
    if (label is None) == (action == "relabel"):
        raise InvalidValue("A relabel needs a label, and no other action has one.")
    chosen = dict.fromkeys(int(index) for index in indices)
    return _append(dataset, action, dict.fromkeys(chosen, label), why, who, once)


def relabel(
    dataset: Dataset,
    labels: Mapping[int, int],
    *,
    why: str = "",
    who: str | None = None,
    once: str | None = None,
) -> int:
    """Give each of some images, by index, a label of its own, as one batch with one undo; otherwise as `record`."""
    return _append(dataset, "relabel", labels, why, who, once)


def _append(
    dataset: Dataset,
    action: str,
    chosen: Mapping[int, int | None],
    why: str,
    who: str | None,
    once: str | None,
) -> int:
    """One batch: an event for each image, with its label."""
    for label in chosen.values():
        if label is not None and not 0 <= label < len(dataset.classes):
            raise InvalidValue(
                f"Label {label} is out of range: '{dataset.name}' has the labels 0 to {len(dataset.classes) - 1}."
            )
    if not chosen:
        raise InvalidValue("No images are chosen: choose at least one.")
    if outside := [index for index in chosen if not 0 <= index < len(dataset)]:
        raise InvalidValue(
            f"Image {outside[0]} does not exist: '{dataset.name}' has the images 0 to {len(dataset) - 1}."
        )
    with writing(dataset) as connection:
        if (there := ledger.batch_of(connection, once)) is not None:
            return there
        batch = ledger.next_batch(connection)
        stamp = (why, who or user(), now())
        rows = [(batch, index, action, label, None, *stamp) for index, label in chosen.items()]
        ledger.insert(connection, rows)
        ledger.remember(connection, once, batch)
    return batch


def undo(
    dataset: Dataset,
    *,
    batch: int | None = None,
    seq: int | None = None,
    why: str = "",
    who: str | None = None,
    once: str | None = None,
) -> int:
    """Cancel a whole batch, or one event, and give the number of the batch that does it.

    Undoing an undo restores what it had cancelled. Of a batch, the events cancelled already stay so. `once` is the
    caller's id of this act, as in `record`.
    Raises InvalidValue if there is no such batch or event, or nothing of it is left to undo.
    """
    if (batch is None) == (seq is None):
        raise InvalidValue("Say which batch or which event to undo, one of the two.")
    column, number, what = ("batch", batch, "batch") if seq is None else ("seq", seq, "event")
    with writing(dataset) as connection:
        if (there := ledger.batch_of(connection, once)) is not None:
            return there
        found = connection.execute(
            f'select seq, "index" from events where {column} = ?', (number,)
        ).fetchall()
        if not found:
            raise InvalidValue(f"There is no {what} {number} in the log of '{dataset.name}'.")
        cancelled = ledger.cancelled(connection)
        left = [(at, index) for at, index in found if at not in cancelled]
        if not left:
            raise InvalidValue(f"{what.capitalize()} {number} is undone already.")
        new = ledger.next_batch(connection)
        stamp = (why, who or user(), now())
        ledger.insert(connection, [(new, index, UNDO, None, at, *stamp) for at, index in left])
        ledger.remember(connection, once, new)
    return new


def redo(dataset: Dataset, *, seq: int, why: str = "", who: str | None = None) -> int:
    """Make an event hold again by cancelling every undo of it that holds; gives the number of the batch that does it.

    Raises InvalidValue if there is no such event, or it holds.
    """
    with writing(dataset) as connection:
        found = connection.execute('select "index" from events where seq = ?', (seq,)).fetchone()
        if found is None:
            raise InvalidValue(f"There is no event {seq} in the log of '{dataset.name}'.")
        cancelled = ledger.cancelled(connection)
        undos = connection.execute("select seq from events where cancels = ? order by seq", (seq,))
        holding = [at for (at,) in undos if at not in cancelled]
        if not holding:
            raise InvalidValue(f"Event {seq} is not undone.")
        new = ledger.next_batch(connection)
        stamp = (why, who or user(), now())
        ledger.insert(connection, [(new, found[0], UNDO, None, at, *stamp) for at in holding])
    return new


def meanwhile(dataset: Dataset, indices: Iterable[int], *, after: int, batch: int) -> "list[Event]":
    """The decisions that hold about these images, newest first, later than event `after` and earlier than a batch.

    What somebody else decided between the look at the page and the click on it.
    """
    with ledger.reading(dataset.path) as connection:
        rows = connection.execute(
            'select seq, batch, "index", action, label, cancels, why, who, "when" from events '
            "where seq > ? and batch < ? and cancels is null order by seq desc",
            (after, batch),
        ).fetchall()
        cancelled = ledger.cancelled(connection) if rows else set()
    chosen = {int(index) for index in indices}
    return [Event(*row) for row in rows if row[2] in chosen and row[0] not in cancelled]


def log(dataset: Dataset, limit: int | None = None) -> "pd.DataFrame":
    """The events, newest first: seq, batch, index, action, label, cancels, why, who, when, cancelled.

    `label` and `cancels` are -1 where there is none; the action of an undo is `undo`.
    """
    import pandas as pd

    columns = ["seq", "batch", "index", "action", "label", "cancels", "why", "who", "when"]
    with ledger.reading(dataset.path) as connection:
        rows = connection.execute(
            'select seq, batch, "index", action, ifnull(label, -1), ifnull(cancels, -1), why, who, "when" '
            "from events order by seq desc limit ?",
            (-1 if limit is None else limit,),
        ).fetchall()
        cancelled = ledger.cancelled(connection)
    numbers = dict.fromkeys(["seq", "batch", "index", "label", "cancels"], "int64")
    table = pd.DataFrame(rows, columns=columns).astype(numbers)
    return table.assign(cancelled=table["seq"].isin(cancelled))


def batches(dataset: Dataset, limit: int | None = 20) -> "pd.DataFrame":
    """The batches, newest first: batch, action, count, label (-1 = none, or several), why, who, when, cancelled.

    A batch is cancelled when none of its events holds any more.
    """
    table = by_batch(log(dataset)).reset_index()
    return table.head(len(table) if limit is None else limit)


def by_batch(events: "pd.DataFrame") -> "pd.DataFrame":
    """Events as `log` gives them, one row a batch, in their order: action, count, label, why, who, when, cancelled."""
    return (
        events.assign(label=one_label(events))
        .groupby("batch", sort=False)
        .agg(
            action=("action", "first"),
            count=("index", "size"),
            label=("label", "first"),
            why=("why", "first"),
            who=("who", "first"),
            when=("when", "first"),
            cancelled=("cancelled", "all"),
        )
    )


def one_label(events: "pd.DataFrame") -> "pd.Series":
    """For each event the label that all of its batch have, -1 where they have none, or not the same."""
    labels = events.groupby("batch")["label"]
    return events["label"].where(labels.transform("min") == labels.transform("max"), -1)


def last_seq(dataset: Dataset) -> int:
    """The number of the last event, 0 if there is none."""
    with ledger.reading(dataset.path) as connection:
        return int(connection.execute("select ifnull(max(seq), 0) from events").fetchone()[0])


def judge(dataset: Dataset, upto: int | None = None) -> Judged:
    """Read what holds now off the log: labels, membership, what is decided and what is flagged.

    With `upto` what held when that event was the last one: nothing later counts, an undo neither.
    """
    with ledger.reading(dataset.path) as connection:
        return _judge(dataset, connection, upto)


def _judge(dataset: Dataset, connection: sqlite3.Connection, upto: int | None = None) -> Judged:
    end = ledger.NEWEST if upto is None else upto
    rows = connection.execute(
        f'select seq, "index", {_PLACE}, ifnull(label, -1) from events '
        "where cancels is null and seq <= ? order by seq",
        (end,),
    ).fetchall()
    last = connection.execute("select ifnull(max(seq), 0) from events where seq <= ?", (end,)).fetchone()[0]
    cancelled = ledger.cancelled(connection, end)
    events = np.array(rows, np.int64).reshape(-1, 4)
    index, place, label = events[~np.isin(events[:, 0], list(cancelled)), 1:].T
    flag, relabel = place == ACTIONS.index("flag"), place == ACTIONS.index("relabel")
    member = ~flag & ~relabel
    labels = np.array(dataset.labels, np.int16)
    included = np.ones(len(dataset), bool)
    decided = np.zeros(len(dataset), bool)
    flagged = np.zeros(len(dataset), bool)
    # Where an index is repeated, NumPy leaves the last of its values: the last event of each image counts.
    labels[index[relabel]] = label[relabel]
    included[index[member]] = place[member] == ACTIONS.index("keep")
    decided[index[~flag]] = True
    flagged[index] = flag
    for array in (labels, included, decided, flagged):
        array.flags.writeable = False
    return Judged(labels, included, decided, flagged, int(last))


@dataclass(frozen=True)
class Event:
    """One event of a log, of this one or of one that was exported elsewhere.

    Attributes:
        seq: its number in its log.
        batch: its batch there.
        index: the image here, None if there is no such image.
        action: one of ACTIONS, or `undo`.
        label: the new label of a relabel, None if there is no such class here; -1 and None for the rest.
        cancels: the number in its log of the event that an undo cancels.
        why: the reason given.
        who: whose decision it was.
        when: UTC ISO-8601.
    """

    seq: int
    batch: int
    index: int | None
    action: str
    label: int | None
    cancels: int | None
    why: str
    who: str
    when: str


def append_events(dataset: Dataset, events: Sequence[Event], *, dry: bool = False) -> dict[str, int]:
    """Append events of another log, oldest first, in one transaction, under new numbers; `dry` only counts.

    Gives counts: `events`, `replayed`, `present` (already in the log: the same image, action, label,
    who and when), `missing` (no such image, class or event to undo), and of images: `changed` (another
    label or membership than before), `overruled` (those of them that had been decided here).
    Raises ValueError for an unknown action.
    """
    counts = {"events": len(events), "replayed": 0, "present": 0, "missing": 0}
    with writing(dataset, dry=dry) as connection:
        before = _judge(dataset, connection)
        # Of events that are alike in all this, as those of one click after the other may be, the first there is
        # the first here, the second the second: none is taken for another.
        here: defaultdict[tuple[object, ...], deque[int]] = defaultdict(deque)
        for seq, *alike in connection.execute(
            'select seq, "index", action, label, cancels, who, "when" from events order by seq'
        ):
            here[tuple(alike)].append(int(seq))
        seqs: dict[int, int] = {}
        numbers: dict[int, int] = {}
        for event in events:
            if event.action not in (*ACTIONS, UNDO):
                raise ValueError(f"unknown action '{event.action}'")
            label = event.label if event.action == "relabel" else None
            cancels = seqs.get(event.cancels or 0) if event.action == UNDO else None
            lacks_label = event.action == "relabel" and (label is None or label < 0)
            if event.index is None or lacks_label or (event.action == UNDO and cancels is None):
                counts["missing"] += 1
                continue
            if same := here[(event.index, event.action, label, cancels, event.who, event.when)]:
                counts["present"] += 1
                seqs[event.seq] = same.popleft()
                continue
            if event.batch not in numbers:
                numbers[event.batch] = ledger.next_batch(connection)
            stamp = (event.why, event.who, event.when)
            cursor = connection.execute(
                ledger.INSERT,
                (numbers[event.batch], event.index, event.action, label, cancels, *stamp),
            )
            seqs[event.seq] = int(cursor.lastrowid or 0)
            counts["replayed"] += 1
        after = _judge(dataset, connection)
    changed = (before.labels != after.labels) | (before.included != after.included)
    return {**counts, "changed": int(changed.sum()), "overruled": int((changed & before.decided).sum())}


@contextmanager
def writing(dataset: Dataset, *, dry: bool = False) -> Iterator[sqlite3.Connection]:
    """A transaction on the ledger, if the dataset is still the one that was opened: else its indices mean others."""
    try:
        there = read_json(dataset.path / "dataset.json")["fingerprint"]
    except FileNotFoundError as error:
        raise NotFound("dataset", dataset.name, list_datasets()) from error
    if there != dataset.fingerprint:
        raise Busy(f"'{dataset.name}' was replaced by other images meanwhile: reload it, then decide.")
    with ledger.writing(dataset.path, dry=dry) as connection:
        yield connection


def user() -> str:
    """Whose account this runs under, empty where that cannot be known."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a user without a name, as in some containers
        return ""
