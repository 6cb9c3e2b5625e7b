"""Blind readings: somebody names the images of a random sample once more, without seeing their labels.

A sample is drawn from the labelled images and kept with their labels as they were then. A reading says what one reader
takes one image of it for, or that it cannot be told; the reader's last reading that was not taken back counts. Both
lie beside the decisions and, as they do, are only ever added. A reading never changes a label: what two readers
disagree about is settled by a decision (`review.adjudication`).

How far readers agree says `review.agreement`.
"""

import sqlite3
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from bloodapp.data import ledger
from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import judge, user, writing
from bloodapp.errors import AlreadyExists, InvalidValue, NotFound
from bloodapp.workspace import checked_name, now

How = Literal["simple", "balanced"]
HOWS: tuple[How, ...] = get_args(How)
"""How a sample is drawn: every image as likely as any, or as many of each class as there are."""

UNREAD, CANNOT_TELL = -2, -1
"""What stands in place of a label: not read yet, and read without a name for it."""

_LONGEST_NAME = 100


@dataclass(frozen=True, eq=False)
class Sample:
    """A random draw of labelled images, in the order in which they are read.

    Attributes:
        name: its name.
        how: `simple` or `balanced`.
        seed: of the draw.
        seq: the last decision that its labels take into account.
        who: who drew it.
        when: UTC ISO-8601.
        index: int64 (n,), the images, shuffled.
        labels: int16 (n,), their labels as they were then. Not for a reader's eyes.
    """

    name: str
    how: How
    seed: int
    seq: int
    who: str
    when: str
    index: NDArray[np.int64]
    labels: NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.index)


@dataclass(frozen=True)
class Reading:
    """What one reader said of one image of a sample.

    Attributes:
        seq: its number; later ones are higher.
        sample: the sample's name.
        index: the image.
        label: its class, or CANNOT_TELL.
        reader: who read it.
        when: UTC ISO-8601.
        cancelled: whether it was taken back.
    """

    seq: int
    sample: str
    index: int
    label: int
    reader: str
    when: str
    cancelled: bool


def draw(
    dataset: Dataset,
    size: int,
    *,
    how: How = "simple",
    seed: int = 0,
    name: str | None = None,
    who: str | None = None,
) -> Sample:
    """Draw a sample of `size` of the included and labelled images, and keep it; copies that the app made are left out.

    `balanced` takes as many of each class as there are, and of the others what a small class lacks: classes that are
    rare are then judged, but the agreement is no longer that of the dataset at large. The same labels and seed give
    the same sample. Without a name it becomes sample-1, sample-2, … Raises InvalidValue, AlreadyExists.
    """
    if how not in HOWS:
        raise InvalidValue(f"Can't find '{how}'. A sample is drawn as: {', '.join(HOWS)}.")
    judged = judge(dataset)
    rows = judged.indices[dataset.parents[judged.indices] < 0]
    if not 1 <= size <= len(rows):
        raise InvalidValue(
            f"'{dataset.name}' has {len(rows):,} labelled images to draw from: ask for 1 to {len(rows):,}, not {size}."
            if len(rows)
            else f"'{dataset.name}' has no labelled images yet: label some, then draw a sample of them."
        )
    rng = np.random.default_rng(seed)
    mixed = rng.permutation(rows)
    labels = judged.labels[mixed]
    chosen = mixed[:size] if how == "simple" else mixed[rng.permutation(_balanced(labels, size))]
    with writing(dataset) as connection:
        name = _free_name(connection, name)
        connection.execute(
            "insert into samples values (?, ?, ?, ?, ?, ?)",
            (name, how, seed, judged.seq, who or user(), now()),
        )
        connection.executemany(
            "insert into sampled values (?, ?, ?, ?)",
            [(name, place, int(one), int(judged.labels[one])) for place, one in enumerate(chosen)],
        )
    return open_sample(dataset, name)


def samples(dataset: Dataset) -> list[Sample]:
    """All samples of a dataset, newest first."""
    with ledger.reading(dataset.path) as connection:
        rows = connection.execute(
            'select name, how, seed, seq, who, "when" from samples order by "when" desc, name desc'
        ).fetchall()
        return [_sample(connection, row) for row in rows]


def open_sample(dataset: Dataset, name: str) -> Sample:
    """The sample of that name; raises NotFound."""
    with ledger.reading(dataset.path) as connection:
        row = connection.execute(
            'select name, how, seed, seq, who, "when" from samples where name = ?', (name,)
        ).fetchone()
        if row is None:
            names = [each for (each,) in connection.execute("select name from samples")]
            raise NotFound("sample", name, names)
        return _sample(connection, row)


def record_reading(
    dataset: Dataset, sample: str, index: int, label: int, *, reader: str, once: str | None = None
) -> int:
    """Record what a reader takes an image of a sample for, or CANNOT_TELL, and give the reading's number.

    With `once`, the caller's own id of this reading, a second call under the same id writes nothing and gives the
    first one's number. Raises InvalidValue, NotFound, and Busy if the ledger stays locked.
    """
    reader = checked_reader(reader)
    if not CANNOT_TELL <= label < len(dataset.classes):
        raise InvalidValue(
            f"Label {label} is out of range: '{dataset.name}' has the labels 0 to {len(dataset.classes) - 1}, and "
            f"{CANNOT_TELL} means that it cannot be told."
        )
    with writing(dataset) as connection:
        if (there := _done(connection, once)) is not None:
            return there
        found = connection.execute(
            'select 1 from sampled where sample = ? and "index" = ?', (sample, int(index))
        ).fetchone()
        if found is None:
            raise InvalidValue(f"Image {index} is not in the sample '{sample}' of '{dataset.name}'.")
        return _insert(connection, sample, int(index), label, None, reader, once)


def take_back(dataset: Dataset, seq: int, *, reader: str, once: str | None = None) -> int:
    """Take a reading of one's own back, and give the number of the event that does it.

    What the reader had said of the image before counts again, if anything. `once` is as in `record_reading`.
    Raises InvalidValue if there is no such reading of this reader, or it was taken back already.
    """
    reader = checked_reader(reader)
    with writing(dataset) as connection:
        if (there := _done(connection, once)) is not None:
            return there
        found = connection.execute(
            'select sample, "index" from readings where seq = ? and reader = ? and cancels is null',
            (seq, reader),
        ).fetchone()
        if found is None:
            raise InvalidValue(f"There is no reading {seq} of {reader} in '{dataset.name}'.")
        if connection.execute("select 1 from readings where cancels = ?", (seq,)).fetchone():
            raise InvalidValue(f"Reading {seq} was taken back already.")
        return _insert(connection, *found, None, seq, reader, once)


def readings(dataset: Dataset, sample: str) -> list[Reading]:
    """All readings of a sample, oldest first, those that were taken back too."""
    with ledger.reading(dataset.path) as connection:
        rows = connection.execute(
            'select seq, sample, "index", label, reader, "when", '
            "exists (select 1 from readings as undo where undo.cancels = readings.seq) "
            "from readings where sample = ? and cancels is null order by seq",
            (sample,),
        ).fetchall()
    return [
        Reading(seq, name, index, label, reader, when, bool(cancelled))
        for seq, name, index, label, reader, when, cancelled in rows
    ]


def seq_of(dataset: Dataset, once: str) -> int | None:
    """The number of what was written down under the caller's own id, None where nothing was."""
    with ledger.reading(dataset.path) as connection:
        return _done(connection, once)


def answers(dataset: Dataset, sample: Sample) -> dict[str, NDArray[np.int16]]:
    """What each reader has said of the images of a sample, in its order: int16 (n,), UNREAD and CANNOT_TELL below 0.

    Readers come in the order in which they began.
    """
    place = {int(one): at for at, one in enumerate(sample.index)}
    said: dict[str, NDArray[np.int16]] = {}
    for one in readings(dataset, sample.name):
        row = said.setdefault(one.reader, np.full(len(sample), UNREAD, np.int16))
        if not one.cancelled:
            row[place[one.index]] = one.label
    return {reader: row for reader, row in said.items() if (row != UNREAD).any()}


def unread(dataset: Dataset, sample: Sample, reader: str) -> NDArray[np.int64]:
    """The images of a sample that a reader has not read yet, in the order in which they are read, int64 (m,)."""
    said = answers(dataset, sample).get(" ".join(reader.split()))
    return sample.index if said is None else sample.index[said == UNREAD]


def checked_reader(reader: str) -> str:
    """A reader's name without needless blanks; raises InvalidValue for none, or one that is too long."""
    reader = " ".join(reader.split())
    if not 1 <= len(reader) <= _LONGEST_NAME:
        raise InvalidValue(f"Say who reads: a name of 1 to {_LONGEST_NAME} letters.")
    return reader


def _balanced(labels: NDArray[np.int16], size: int) -> NDArray[np.int64]:
    """`size` places, the first of each class, then the second of each, and so on: as even as the classes allow."""
    order = np.argsort(labels, kind="stable")
    counts = np.unique(labels[order], return_counts=True)[1]
    turn = np.concatenate([np.arange(count) for count in counts])
    # Within a turn as they were mixed, so that no class is always the one that comes too late.
    return order[np.lexsort((order, turn))][:size]


def _free_name(connection: sqlite3.Connection, name: str | None) -> str:
    names = {each for (each,) in connection.execute("select name from samples")}
    if name is None:
        return next(one for one in (f"sample-{n}" for n in range(1, len(names) + 2)) if one not in names)
    if checked_name(name) in names:
        raise AlreadyExists(f"There is a sample '{name}' already: choose another name.")
    return name


def _sample(connection: sqlite3.Connection, row: tuple[str, How, int, int, str, str]) -> Sample:
    drawn = connection.execute(
        'select "index", label from sampled where sample = ? order by place', (row[0],)
    ).fetchall()
    table = np.array(drawn, np.int64).reshape(-1, 2)
    return Sample(*row, table[:, 0].copy(), table[:, 1].astype(np.int16))


def _done(connection: sqlite3.Connection, once: str | None) -> int | None:
    found = connection.execute("select seq from readings where once = ?", (once,)).fetchone()
    return None if found is None else int(found[0])


def _insert(connection: sqlite3.Connection, *values: object) -> int:
    """Append (sample, index, label, cancels, reader, once) and give its number."""
    cursor = connection.execute(
        'insert into readings (sample, "index", label, cancels, reader, once, "when") values (?, ?, ?, ?, ?, ?, ?)',
        (*values, now()),
    )
    return int(cursor.lastrowid or 0)
