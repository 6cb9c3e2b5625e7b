"""The ledger under fire: writers that are killed while they write, and undos in any order whatever."""

import random
import selectors
import shutil
import sqlite3
import subprocess
import sys
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from itertools import count, pairwise
from pathlib import Path
from typing import IO

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bloodapp.data import ledger
from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import ACTIONS, Event, Judged, append_events, judge, log, record, redo, undo
from bloodapp.data.exchange import export_log, replay_log
from bloodapp.data.importing import import_source
from bloodapp.errors import InvalidValue

WRITERS = 4
WANTED = 5_000
"""Acknowledged decisions."""

WRITING = """
import sys
from itertools import count
from bloodapp.data.dataset import open_dataset
from bloodapp.data.decisions import record

dataset, who = open_dataset("tiny"), sys.argv[1]
for number in count():
    images = [(number + place) % len(dataset) for place in range(1 + number % 6)]
    batch = record(dataset, images, "exclude", why=str(number), who=who)
    print(number, batch, flush=True)
"""


@dataclass
class Writer:
    """A process that decides as fast as it can, and what it has acknowledged: (its own number, the batch).

    Attributes:
        who: the name that it decides under, its own.
        process: the process.
        acknowledged: in the order in which it said so.
    """

    who: str
    process: "subprocess.Popen[str]"
    acknowledged: list[tuple[int, int]] = field(default_factory=list)

    @property
    def voice(self) -> IO[str]:
        """Where it says what is recorded."""
        assert self.process.stdout is not None
        return self.process.stdout

    @property
    def decisions(self) -> int:
        """How many decisions it has acknowledged."""
        return sum(size(number) for number, _ in self.acknowledged)

    def listen(self, line: str) -> None:
        """Take down what it says; the last word of one that was killed may be cut short and counts for nothing."""
        if line.endswith("\n"):
            number, batch = line.split()
            self.acknowledged.append((int(number), int(batch)))


def size(number: int) -> int:
    """How many images a writer's batch of that number is about."""
    return 1 + number % 6


def test_killed_writers_lose_nothing_that_they_acknowledged(tiny: Dataset) -> None:
    """Four processes decide at once and are killed at random until 5,000 decisions are acknowledged."""
    chance = random.Random(3)
    names = (f"writer-{number}" for number in count())
    writers: list[Writer] = []
    with ExitStack() as stack, selectors.DefaultSelector() as waiting:

        def start() -> None:
            who = next(names)
            process = stack.enter_context(
                subprocess.Popen([sys.executable, "-c", WRITING, who], stdout=subprocess.PIPE, text=True)
            )
            stack.callback(process.kill)
            writers.append(Writer(who, process))
            waiting.register(writers[-1].voice, selectors.EVENT_READ, writers[-1])

        def kill(writer: Writer) -> None:
            writer.process.kill()
            waiting.unregister(writer.voice)
            for line in writer.voice:  # what it had said before
                writer.listen(line)

        for _ in range(WRITERS):
            start()
        lives = chance.randint(1, 200)
        while sum(writer.decisions for writer in writers) < WANTED:
            for key, _ in waiting.select():
                key.data.listen(key.data.voice.readline())
                assert key.data.process.poll() is None, "a writer gave up by itself"
                lives -= 1
            if lives <= 0:
                kill(chance.choice([key.data for key in waiting.get_map().values()]))
                start()
                lives = chance.randint(1, 200)
        for key in list(waiting.get_map().values()):
            kill(key.data)

    assert len(writers) > 2 * WRITERS, "too few were killed to prove anything"
    assert_all_there(tiny, writers)


def assert_all_there(tiny: Dataset, writers: list[Writer]) -> None:
    """Every acknowledged batch is in the log, whole and in order; so is at most one more of each writer."""
    with closing(sqlite3.connect(tiny.path / ledger.FILE)) as connection:
        assert connection.execute("pragma integrity_check").fetchall() == [("ok",)]
        rows = connection.execute(
            'select seq, batch, "index", why, who from events order by rowid'
        ).fetchall()
    assert all(before[0] < after[0] for before, after in pairwise(rows))
    batches: dict[int, list[tuple[int, int, str, str]]] = {}
    for seq, batch, *what in rows:
        batches.setdefault(batch, []).append((seq, *what))
    assert list(batches) == sorted(batches)
    written: dict[str, list[tuple[int, int]]] = {writer.who: [] for writer in writers}
    for batch, events in batches.items():
        (number,), (who,) = {int(why) for _, _, why, _ in events}, {who for *_, who in events}
        assert [index for _, index, _, _ in events] == [(number + i) % 48 for i in range(size(number))]
        assert events[-1][0] - events[0][0] == len(events) - 1, "another's event in the middle of a batch"
        written[who].append((number, batch))
    for writer in writers:
        there = written[writer.who]
        assert [number for number, _ in there] == list(range(len(there)))
        assert there[: len(writer.acknowledged)] == writer.acknowledged
        assert len(there) <= len(writer.acknowledged) + 1
    assert log(tiny)["seq"].tolist() == [row[0] for row in rows][::-1]


IMAGES = range(4)
decided = st.tuples(
    st.sampled_from(ACTIONS),
    st.lists(st.sampled_from(IMAGES), min_size=1, max_size=3, unique=True),
    st.integers(0, 7),
)
undone = st.tuples(st.sampled_from(["undo event", "undo batch", "redo event"]), st.floats(0, 1))
histories = st.lists(st.one_of(decided, undone), max_size=16)


@pytest.fixture
def turned(tiny: Dataset, tmp_path: Path) -> tuple[Dataset, Dataset]:
    """The tiny dataset, and the same images imported again in another order."""
    # A stable order of the two copies under label 0: the first occurrence stays the first.
    order = np.random.default_rng(1).permutation(np.arange(1, 46))
    file = tmp_path / "turned.npz"
    order = np.concatenate([order, [0, 47, 46]])
    np.savez(file, images=tiny.images[order], labels=tiny.labels[order], order=order)
    other = import_source(file)
    for dataset in (tiny, other):
        shutil.copyfile(dataset.path / ledger.FILE, dataset.path / "empty.db")
    return tiny, other


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(history=histories)
@example(history=[("exclude", [1], 0), ("undo batch", 0.0), ("exclude", [1], 0), ("undo batch", 0.99)])
def test_any_history_is_worth_what_holds_of_it(
    turned: tuple[Dataset, Dataset], tmp_path: Path, history: list[tuple]
) -> None:
    """Undos out of order leave what deciding without the undone leaves; so does the log replayed on a new import."""
    tiny, other = turned
    empty(tiny)
    perform(tiny, history)
    events = [tuple(row) for row in log(tiny).iloc[::-1][COLUMNS].to_numpy().tolist()]
    said = judge(tiny)
    export_log(tiny, tmp_path / "log.csv")

    order = np.load(tmp_path / "turned.npz")["order"]
    empty(other)
    assert replay_log(other, tmp_path / "log.csv")["replayed"] == len(events)
    assert replay_log(other, tmp_path / "log.csv")["present"] == len(events)
    assert_same(judge(other), said, order)

    empty(tiny)
    held = [event for event in events if event[2] != "undo" and holds(event[0], events)]
    append_events(tiny, [Event(seq, seq, *what, None, "", "", "") for seq, *what, _ in held])
    assert_same(judge(tiny), said)


COLUMNS = ["seq", "index", "action", "label", "cancels"]


def empty(dataset: Dataset) -> None:
    """Begin with an empty log, the one that the import made."""
    (dataset.path / ledger.FILE).write_bytes((dataset.path / "empty.db").read_bytes())


def perform(dataset: Dataset, history: list[tuple]) -> None:
    """Decide and undo; what is undone, or holds, already is told and left alone."""
    for what, *about in history:
        if what in ACTIONS:
            images, label = about
            record(dataset, images, what, label=label if what == "relabel" else None)
            continue
        events = log(dataset)
        if events.empty:
            continue
        event = events.iloc[min(int(about[0] * len(events)), len(events) - 1)]
        try:
            if what == "undo event":
                undo(dataset, seq=int(event["seq"]))
            elif what == "undo batch":
                undo(dataset, batch=int(event["batch"]))
            else:
                redo(dataset, seq=int(event["seq"]))
        except InvalidValue as error:
            assert "is undone already" in str(error) or "is not undone" in str(error)


def holds(seq: int, events: list[tuple]) -> bool:
    """The rule, word by word: an event holds unless an undo of it holds."""
    return not any(cancels == seq and holds(undo, events) for undo, *_, cancels in events)


def assert_same(one: Judged, two: Judged, order: np.ndarray | None = None) -> None:
    """The same labels, membership and flags, image by image."""
    for name in ("labels", "included", "decided", "flagged"):
        expected = getattr(two, name)
        assert (getattr(one, name) == (expected if order is None else expected[order])).all(), name
