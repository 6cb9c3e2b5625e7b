"""An act with an id is done once, however often and by however many it is sent; older logs learn to remember acts."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from bloodapp.data import ledger
from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import judge, log, record, redo, undo
from bloodapp.data.exchange import export_log, replay_log
from bloodapp.errors import InvalidValue, Unreadable


def test_the_same_act_sent_again_is_one_batch(tiny: Dataset) -> None:
    """A second call under the same id writes nothing and answers as the first did, whatever came between."""
    first = record(tiny, [1, 2], "exclude", once="a")
    record(tiny, [3], "keep", once="b")
    assert record(tiny, [1, 2], "exclude", once="a") == first
    assert record(tiny, [1, 2], "exclude") == 3  # without an id every call counts
    assert len(log(tiny)) == 5


def test_the_same_undo_sent_again(tiny: Dataset) -> None:
    """An undo that arrives twice is no second undo, and no mistake either; under another id it is one."""
    batch = record(tiny, [1, 2], "exclude", once="a")
    back = undo(tiny, batch=batch, once="b")
    assert undo(tiny, batch=batch, once="b") == back
    assert judge(tiny).included.all()
    with pytest.raises(InvalidValue, match="undone already"):
        undo(tiny, batch=batch, once="c")
    undo(tiny, batch=back, once="c")  # what was refused was not remembered
    assert np.flatnonzero(~judge(tiny).included).tolist() == [1, 2]
    redo(tiny, seq=3)
    assert judge(tiny).included[1]
    assert record(tiny, [1, 2], "exclude", once="a") == batch  # done, though undone since
    assert judge(tiny).included[1]


def test_a_refused_act_may_be_sent_again(tiny: Dataset) -> None:
    """What was a mistake left nothing behind under its id."""
    with pytest.raises(InvalidValue):
        record(tiny, [99], "exclude", once="a")
    assert record(tiny, [9], "exclude", once="a") == 1
    assert not judge(tiny).included[9]


def test_many_threads_send_one_act(tiny: Dataset) -> None:
    """Of eight tabs that send the same acts at once each gets the same batches, and they are there once."""
    answers: list[list[int]] = []
    together = threading.Barrier(8)

    def work() -> None:
        together.wait()
        answers.append([record(tiny, [number], "flag", once=f"act {number}") for number in range(10)])

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 8
    assert all(each == answers[0] for each in answers)
    assert len(log(tiny)) == 10


def test_ids_do_not_travel(tiny: Dataset, tmp_path: Path) -> None:
    """The exported log is as it was, a replay finds its events, and an id means an act in this log alone."""
    record(tiny, [1, 2], "exclude", once="a")
    export_log(tiny, tmp_path / "log.csv")
    assert "once" not in (tmp_path / "log.csv").read_text().splitlines()[0]
    assert replay_log(tiny, tmp_path / "log.csv")["present"] == 2


def as_made_by_the_first_version(tiny: Dataset) -> None:
    """Put a log of the first version, with one decision in it, in the place of the dataset's own."""
    path = tiny.path / ledger.FILE
    for file in tiny.path.glob(f"{ledger.FILE}*"):
        file.unlink()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("pragma journal_mode = wal")
        connection.execute("create table migrations (name text primary key, applied text not null)")
        ledger.m001_events(connection)
        connection.execute("insert into migrations values ('m001_events', '2026-11-01T00:00:00Z')")
        ledger.insert(connection, [(1, 7, "exclude", None, None, "old", "ada", "2026-11-01T00:00:00Z")])


def test_a_log_of_the_first_version_is_brought_up_to_date(tiny: Dataset) -> None:
    """What was decided is still there, and acts are remembered from now on, however many open it at once."""
    as_made_by_the_first_version(tiny)
    together = threading.Barrier(4)
    said: list[int] = []

    def work() -> None:
        together.wait()
        said.append(record(tiny, [8], "exclude", once="new"))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said == [2] * 4
    assert np.flatnonzero(~judge(tiny).included).tolist() == [7, 8]
    assert log(tiny)["who"].tolist()[-1] == "ada"


def test_an_older_app_refuses_in_one_sentence(tiny: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """An app that does not know of acts leaves the log alone."""
    monkeypatch.setattr(ledger, "MIGRATIONS", ledger.MIGRATIONS[:1])
    with pytest.raises(
        Unreadable, match=r"^The decisions of 'tiny' were written by a newer version: update the app\.$"
    ):
        judge(tiny)


def test_what_was_done_cannot_be_forgotten(tiny: Dataset) -> None:
    """Nobody changes or removes the note of an act, not even with SQL of his own."""
    record(tiny, [1], "exclude", once="a")
    with closing(sqlite3.connect(tiny.path / ledger.FILE)) as connection:
        for statement in ("update acts set batch = 9", "delete from acts"):
            with pytest.raises(sqlite3.IntegrityError, match="only ever added"):
                connection.execute(statement)
