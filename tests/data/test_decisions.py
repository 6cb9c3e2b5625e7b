"""The log of decisions: what holds, undo at any depth, many writers, and that nothing is ever lost."""

import random
import sqlite3
import subprocess
import sys
import threading
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np
import pytest

from bloodapp.data import decisions, ledger
from bloodapp.data.dataset import Dataset, delete_dataset
from bloodapp.data.decisions import batches, judge, last_seq, log, meanwhile, record, redo, undo
from bloodapp.data.importing import import_source
from bloodapp.errors import Busy, InvalidValue, NotFound, Unreadable


def test_without_decisions_everything_is_as_given(tiny: Dataset) -> None:
    """An empty log includes every image under its given label."""
    judged = judge(tiny)
    assert (judged.labels == tiny.labels).all()
    assert judged.labels.dtype == np.int16
    assert judged.included.all()
    assert not judged.decided.any()
    assert not judged.flagged.any()
    assert judged.seq == last_seq(tiny) == 0
    assert judged.indices.tolist() == list(range(48))
    assert log(tiny).empty
    assert batches(tiny).empty


def test_each_action(tiny: Dataset) -> None:
    """Exclude takes out, keep takes in, relabel changes the label, flag puts aside."""
    assert record(tiny, [1, 2, 3], "exclude", why="memes", who="ada") == 1
    assert record(tiny, [2], "keep") == 2
    assert record(tiny, np.array([4, 5]), "relabel", label=7) == 3
    assert record(tiny, [6], "flag") == 4
    judged = judge(tiny)
    assert np.flatnonzero(~judged.included).tolist() == [1, 3]
    assert judged.labels[[4, 5]].tolist() == [7, 7]
    assert np.flatnonzero(judged.decided).tolist() == [1, 2, 3, 4, 5]
    assert np.flatnonzero(judged.flagged).tolist() == [6]
    assert judged.seq == last_seq(tiny) == 7
    assert judged.indices.tolist() == [i for i in range(48) if i not in (1, 3)]
    newest = log(tiny, limit=2)
    assert newest["seq"].tolist() == [7, 6]
    assert newest[["index", "action", "label", "cancels"]].iloc[0].tolist() == [6, "flag", -1, -1]
    oldest = log(tiny).iloc[-1]
    assert (oldest["why"], oldest["who"], oldest["batch"], oldest["index"]) == ("memes", "ada", 1, 1)
    assert oldest["when"].endswith("Z")


def test_a_flag_is_answered_by_a_decision(tiny: Dataset) -> None:
    """What was put aside no longer is once it is decided, and is again when that is undone."""
    record(tiny, [1], "flag")
    keep = record(tiny, [1], "keep")
    assert not judge(tiny).flagged[1]
    undo(tiny, batch=keep)
    assert judge(tiny).flagged[1]
    assert not judge(tiny).decided[1]


def test_relabel_and_exclude_do_not_meddle(tiny: Dataset) -> None:
    """The label is the last relabel, the membership the last keep or exclude, whatever lies between."""
    record(tiny, [1], "exclude")
    record(tiny, [1], "relabel", label=5)
    record(tiny, [1], "relabel", label=6)
    assert not judge(tiny).included[1]
    assert judge(tiny).labels[1] == 6
    undo(tiny, seq=last_seq(tiny))
    assert judge(tiny).labels[1] == 5


def test_undo_of_a_batch_and_of_its_undo(tiny: Dataset) -> None:
    """A batch is undone in one go, at any later time, and comes back when the undo is undone."""
    first = record(tiny, [1, 2, 3], "exclude")
    record(tiny, [9], "exclude")
    back = undo(tiny, batch=first, why="they were cells")
    assert np.flatnonzero(~judge(tiny).included).tolist() == [9]
    assert batches(tiny)[["batch", "action", "count", "cancelled"]].to_numpy().tolist() == [
        [3, "undo", 3, False],
        [2, "exclude", 1, False],
        [1, "exclude", 3, True],
    ]
    assert batches(tiny)["why"].tolist() == ["they were cells", "", ""]
    again = undo(tiny, batch=back)
    assert np.flatnonzero(~judge(tiny).included).tolist() == [1, 2, 3, 9]
    undo(tiny, batch=again)
    assert np.flatnonzero(~judge(tiny).included).tolist() == [9]
    assert len(log(tiny)) == 4 + 3 + 3 + 3


def test_undo_of_one_event_then_of_its_batch(tiny: Dataset) -> None:
    """What was undone singly stays as it was when the rest of the batch goes and comes back."""
    batch = record(tiny, [1, 2, 3], "exclude")
    undo(tiny, seq=2)
    assert np.flatnonzero(~judge(tiny).included).tolist() == [1, 3]
    rest = undo(tiny, batch=batch)
    assert judge(tiny).included.all()
    undo(tiny, batch=rest)
    assert np.flatnonzero(~judge(tiny).included).tolist() == [1, 3]
    assert not batches(tiny, limit=None).set_index("batch")["cancelled"][batch]


def test_what_cannot_be_undone(tiny: Dataset) -> None:
    """Undoing twice, or what does not exist, or nothing in particular, is refused and leaves the log alone."""
    batch = record(tiny, [1, 2], "exclude")
    undo(tiny, batch=batch)
    before = last_seq(tiny)
    with pytest.raises(InvalidValue, match="Batch 1 is undone already"):
        undo(tiny, batch=batch)
    with pytest.raises(InvalidValue, match="Event 2 is undone already"):
        undo(tiny, seq=2)
    with pytest.raises(InvalidValue, match="no batch 99 in the log of 'tiny'"):
        undo(tiny, batch=99)
    with pytest.raises(InvalidValue, match="no event 99"):
        undo(tiny, seq=99)
    for wrong in ({}, {"batch": 1, "seq": 1}):
        with pytest.raises(InvalidValue, match="one of the two"):
            undo(tiny, **wrong)
    assert last_seq(tiny) == before


def test_redo_of_one_event(tiny: Dataset) -> None:
    """An event holds again however it was undone, and even if it was undone twice over."""
    batch = record(tiny, [1, 2], "exclude")
    first = undo(tiny, batch=batch)
    second = undo(tiny, batch=first)
    undo(tiny, seq=1)
    undo(tiny, batch=second)  # so the first undo holds again, and with it two undos of event 1
    redo(tiny, seq=1, who="ada", why="it was right")
    assert np.flatnonzero(~judge(tiny).included).tolist() == [1]
    assert log(tiny, limit=2)[["who", "why"]].to_numpy().tolist() == [["ada", "it was right"]] * 2
    with pytest.raises(InvalidValue, match="Event 1 is not undone"):
        redo(tiny, seq=1)
    with pytest.raises(InvalidValue, match="no event 99"):
        redo(tiny, seq=99)


def test_what_others_decided_meanwhile(tiny: Dataset) -> None:
    """Only what holds, about these images, after what was seen and before the decision itself."""
    record(tiny, [1], "keep", who="ada")
    seen = last_seq(tiny)
    record(tiny, [1, 2], "exclude", who="ada")
    undo(tiny, batch=record(tiny, [2], "flag", who="bob"))
    record(tiny, [9], "flag", who="bob")
    mine = record(tiny, [2, 1], "keep", who="cy")
    record(tiny, [1], "flag", who="dan")
    found = meanwhile(tiny, [1, 2], after=seen, batch=mine)
    assert [(one.index, one.action, one.who) for one in found] == [
        (2, "exclude", "ada"),
        (1, "exclude", "ada"),
    ]
    assert meanwhile(tiny, [1, 2], after=last_seq(tiny), batch=mine) == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (([1], "drop"), "Can't find action 'drop'. Available: keep, exclude, flag, relabel"),
        (([1], "undo"), "Can't find action 'undo'"),
        (([], "keep"), "No images are chosen"),
        (([48], "keep"), "Image 48 does not exist: 'tiny' has the images 0 to 47"),
        (([-1], "keep"), "Image -1 does not exist"),
        (([1], "relabel"), "A relabel needs a label"),
        (([1], "keep", 3), "no other action has one"),
        (([1], "relabel", 8), "Label 8 is out of range: 'tiny' has the labels 0 to 7"),
        (([1], "relabel", -1), "Label -1 is out of range"),
    ],
)
def test_what_cannot_be_recorded(tiny: Dataset, arguments: tuple, sentence: str) -> None:
    """A mistake is refused as a whole, in one sentence."""
    indices, action, *label = arguments
    with pytest.raises(InvalidValue, match=sentence):
        record(tiny, indices, action, label=label[0] if label else None)
    assert last_seq(tiny) == 0


def test_an_image_twice_in_a_batch_is_one_event(tiny: Dataset) -> None:
    """Choosing an image twice decides it once."""
    record(tiny, [3, 3, 1, 3], "exclude")
    assert log(tiny)["index"].tolist() == [1, 3]


def test_the_log_is_append_only(tiny: Dataset) -> None:
    """Nobody changes or removes an event, not even with SQL of his own."""
    record(tiny, [1], "exclude")
    with closing(sqlite3.connect(tiny.path / ledger.FILE)) as connection:
        for statement in ("update events set action = 'keep'", "delete from events"):
            with pytest.raises(sqlite3.IntegrityError, match="only ever added"):
                connection.execute(statement)
        for row in ("1, 1, 'relabel', null, null", "1, 1, 'undo', null, null", "1, 1, 'drop', null, null"):
            with pytest.raises(sqlite3.IntegrityError):
                connection.execute(
                    f'insert into events (batch, "index", action, label, cancels, why, who, "when") '
                    f"values ({row}, '', '', '')"
                )
        assert connection.execute("pragma journal_mode").fetchone() == ("wal",)
    assert len(log(tiny)) == 1


def naive(events: list[tuple[int, int, str, int, int]], given: list[int]) -> tuple[list[int], list[bool]]:
    """Labels and membership as the rules say it, word by word and slowly."""

    def holds(seq: int) -> bool:
        return not any(
            action == "undo" and cancels == seq and holds(at) for at, _, action, _, cancels in events
        )

    labels, included = list(given), [True] * len(given)
    for seq, index, action, label, _ in events:
        if action in ("keep", "exclude") and holds(seq):
            included[index] = action == "keep"
        if action == "relabel" and holds(seq):
            labels[index] = label
    return labels, included


@pytest.mark.parametrize("seed", range(8))
def test_any_history_gives_what_the_rules_say(tiny: Dataset, seed: int) -> None:
    """Random decisions and undos of anything, undos included, agree with the rules taken literally."""
    chance = random.Random(seed)
    for _ in range(40):
        action = chance.choice(["keep", "exclude", "relabel", "flag", "undo", "undo", "undo"])
        if action != "undo":
            label = chance.randrange(8) if action == "relabel" else None
            record(tiny, chance.sample(range(4), chance.randint(1, 3)), action, label=label)
        elif last := last_seq(tiny):
            try:
                undo(tiny, seq=chance.randint(1, last))
            except InvalidValue as error:
                assert "undone already" in str(error)
    columns = ["seq", "index", "action", "label", "cancels"]
    events = [tuple(row) for row in log(tiny)[columns].iloc[::-1].to_numpy().tolist()]
    labels, included = naive(events, tiny.labels.tolist())
    judged = judge(tiny)
    assert judged.labels.tolist() == labels
    assert judged.included.tolist() == included


RECORDING = """
import sys
from bloodapp.data.dataset import open_dataset
from bloodapp.data.decisions import record

dataset = open_dataset("tiny")
print("ready", flush=True)
sys.stdin.readline()
for number in range(100):
    record(dataset, [number % 48, (number + 1) % 48], "exclude", who=sys.argv[1])
"""


def test_two_processes_lose_nothing(tiny: Dataset) -> None:
    """Two processes that record at the same time each find all their decisions, in batches of their own."""
    (tiny.path / ledger.FILE).unlink()  # so that both find no log and make it
    with ExitStack() as stack:
        children = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", RECORDING, who],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for who in ("ada", "bob")
        ]
        for child in children:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
        for child in children:
            assert child.stdin is not None
            child.stdin.write("go\n")
            child.stdin.flush()
        for child in children:
            child.communicate()
            assert child.returncode == 0
    events = log(tiny)
    assert sorted(events["seq"]) == list(range(1, 401))
    assert events["who"].value_counts().to_dict() == {"ada": 200, "bob": 200}
    owners = events.groupby("batch")["who"].agg(["size", "nunique"])
    assert len(owners) == 200
    assert (owners["size"] == 2).all()
    assert (owners["nunique"] == 1).all()


def test_threads_lose_nothing(tiny: Dataset) -> None:
    """Several tabs of one server record at once."""

    def work() -> None:
        for number in range(20):
            record(tiny, [number], "flag")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(log(tiny)) == 80
    assert log(tiny)["batch"].nunique() == 80


def test_two_undos_of_one_batch(tiny: Dataset) -> None:
    """When two tabs undo the same batch at once, one does and the other is told."""
    batch = record(tiny, range(40), "exclude")
    told: list[str] = []

    def work() -> None:
        try:
            undo(tiny, batch=batch)
        except InvalidValue as error:
            told.append(str(error))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told == ["Batch 1 is undone already."] * 2
    assert len(log(tiny)) == 80


def test_a_batch_is_whole_or_not_there(tiny: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails in the middle of a batch leaves none of it."""
    real = ledger.INSERT

    def rows_then_failure(connection: sqlite3.Connection, rows: list) -> None:
        connection.execute(real, rows[0])
        raise RuntimeError("power cut")

    monkeypatch.setattr(ledger, "insert", rows_then_failure)
    with pytest.raises(RuntimeError):
        record(tiny, [1, 2], "exclude")
    assert last_seq(tiny) == 0


def test_a_log_that_stays_locked(tiny: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who holds the log too long makes the others say so; reading goes on meanwhile."""
    monkeypatch.setattr(ledger, "_WAIT_S", 0.05)
    with closing(sqlite3.connect(tiny.path / ledger.FILE, isolation_level=None)) as other:
        other.execute("begin immediate")
        with pytest.raises(Busy, match="being written by somebody else"):
            record(tiny, [1], "exclude")
        assert judge(tiny).included.all()


def test_a_log_of_a_newer_version_and_a_damaged_one(tiny: Dataset) -> None:
    """A log with unknown migrations is left alone; a damaged one is told."""
    with closing(sqlite3.connect(tiny.path / ledger.FILE)) as connection, connection:
        connection.execute("insert into migrations values ('m999_future', 'now')")
    with pytest.raises(Unreadable, match="newer version"):
        judge(tiny)
    (tiny.path / ledger.FILE).write_bytes(b"no database at all, but long enough to be looked at" * 20)
    with pytest.raises(Unreadable, match="damaged"):
        judge(tiny)


def test_a_dataset_replaced_or_deleted_meanwhile(tiny: Dataset, tmp_path: Path) -> None:
    """Decisions about images that are no longer there are refused, so that they do not hit others."""
    file = tmp_path / "other.npz"
    np.savez(file, images=tiny.images[::-1], labels=tiny.labels[::-1])
    import_source(file, name="tiny", replace=True)
    with pytest.raises(Busy, match="'tiny' was replaced"):
        record(tiny, [1], "exclude")
    delete_dataset("tiny")
    with pytest.raises(NotFound, match="Can't find dataset 'tiny'"):
        record(tiny, [1], "exclude")


def test_judged_arrays_are_read_only(tiny: Dataset) -> None:
    """What was judged cannot be changed by accident."""
    with pytest.raises(ValueError, match="read-only"):
        judge(tiny).included[0] = False


def test_every_action_is_known_to_the_log() -> None:
    """The actions are the four of the design."""
    assert decisions.ACTIONS == ("keep", "exclude", "flag", "relabel")


def test_what_held_at_an_earlier_event(tiny: Dataset) -> None:
    """Nothing later counts: no decision, and no undo, so that a training can be set up again as it was."""
    record(tiny, [1, 2], "exclude")
    record(tiny, [3], "relabel", label=5)
    then = judge(tiny)
    undo(tiny, seq=1)
    undo(tiny, seq=4)
    record(tiny, [9], "exclude")
    again = judge(tiny, upto=then.seq)
    assert again.seq == then.seq == 3
    for name in ("labels", "included", "decided", "flagged"):
        assert (getattr(again, name) == getattr(then, name)).all(), name
    assert judge(tiny, upto=4).included[1]  # the undo of the undo had not been made
    assert not judge(tiny, upto=5).included[1] and judge(tiny, upto=0).included.all()
    assert judge(tiny, upto=99).seq == judge(tiny).seq
