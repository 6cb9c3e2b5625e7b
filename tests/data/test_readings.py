"""Blind readings: samples that can be drawn again, readings that are never lost, and labels that they never touch."""

import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from bloodapp.data import ledger
from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import judge, last_seq, record
from bloodapp.data.importing import import_source
from bloodapp.data.readings import (
    CANNOT_TELL,
    UNREAD,
    answers,
    draw,
    open_sample,
    readings,
    record_reading,
    samples,
    take_back,
    unread,
)
from bloodapp.errors import AlreadyExists, InvalidValue, NotFound
from tests.data.test_once import as_made_by_the_first_version


def test_a_sample_keeps_the_labels_of_its_moment(tiny: Dataset) -> None:
    """What is decided after the draw changes neither its images nor the labels that readers are compared with."""
    record(tiny, [0], "exclude")
    record(tiny, [1], "relabel", label=5)
    drawn = draw(tiny, 47, name="all", who="ada")
    before = judge(tiny).labels
    record(tiny, range(48), "relabel", label=7)
    record(tiny, [3], "exclude")
    kept = open_sample(tiny, "all")
    assert kept.index.tolist() == drawn.index.tolist()
    assert sorted(kept.index) == list(range(1, 48))
    assert kept.labels.tolist() == before[kept.index].tolist()
    assert (kept.how, kept.seed, kept.seq, kept.who) == ("simple", 0, 2, "ada")
    assert kept.when.endswith("Z")
    assert kept.index.tolist() != sorted(kept.index)  # in an order that says nothing


def test_the_same_seed_draws_the_same(tiny: Dataset) -> None:
    """A draw can be repeated, and another seed draws others."""
    one, two, three = draw(tiny, 20, seed=3), draw(tiny, 20, seed=3), draw(tiny, 20, seed=4)
    assert one.index.tolist() == two.index.tolist() != three.index.tolist()
    assert [each.name for each in samples(tiny)] == ["sample-3", "sample-2", "sample-1"]


def test_a_simple_draw_takes_each_image_as_likely(tiny: Dataset) -> None:
    """Over 100 draws of 12 of 48 each image comes about 25 times."""
    found = np.zeros(48)
    for seed in range(100):
        found[draw(tiny, 12, seed=seed).index] += 1
    assert found.sum() == 1200
    assert abs(found - 25).max() < 5 * np.sqrt(100 * 0.25 * 0.75)


def test_a_balanced_sample_is_as_even_as_the_classes_allow(tiny: Dataset) -> None:
    """Of a class with two images both come, and the others share what it lacks evenly."""
    record(tiny, np.flatnonzero(tiny.labels == 2)[2:], "exclude")
    drawn = draw(tiny, 30, how="balanced", seed=1)
    assert np.bincount(drawn.labels, minlength=8).tolist() == [4, 4, 2, 4, 4, 4, 4, 4]
    odd = [draw(tiny, 11, how="balanced", seed=seed) for seed in range(12)]
    assert all(sorted(np.bincount(one.labels, minlength=8)) == [1] * 5 + [2] * 3 for one in odd)
    assert (
        len({tuple(np.bincount(one.labels, minlength=8)) for one in odd}) > 3
    )  # not always the same classes twice


def test_what_cannot_be_drawn(tiny: Dataset) -> None:
    """Too many, none, an unknown way and a name that is taken are refused in a sentence."""
    for size in (0, 49):
        with pytest.raises(
            InvalidValue, match=f"48 labelled images to draw from: ask for 1 to 48, not {size}"
        ):
            draw(tiny, size)
    with pytest.raises(InvalidValue, match="drawn as: simple, balanced"):
        draw(tiny, 5, how="fair")  # type: ignore[arg-type]
    draw(tiny, 5, name="one")
    with pytest.raises(AlreadyExists, match="sample 'one' already"):
        draw(tiny, 5, name="one")
    with pytest.raises(InvalidValue, match="cannot be used as a name"):
        draw(tiny, 5, name="../one")
    with pytest.raises(NotFound, match=r"Can't find sample 'two'. Available: one"):
        open_sample(tiny, "two")
    record(tiny, range(48), "exclude")
    with pytest.raises(InvalidValue, match="no labelled images yet"):
        draw(tiny, 5)


def test_readings_count_the_last_that_holds(tiny: Dataset) -> None:
    """A second reading of an image replaces the first, and taken back the first counts again; readers stay apart."""
    sample = draw(tiny, 5)
    a, b, c, *_ = sample.index.tolist()
    record_reading(tiny, sample.name, a, 3, reader=" Ben  Ott ")
    again = record_reading(tiny, sample.name, a, 4, reader="Ben Ott")
    record_reading(tiny, sample.name, b, CANNOT_TELL, reader="Ben Ott")
    record_reading(tiny, sample.name, c, 1, reader="Cy")
    said = answers(tiny, sample)
    assert list(said) == ["Ben Ott", "Cy"]
    assert said["Ben Ott"].tolist() == [4, CANNOT_TELL, UNREAD, UNREAD, UNREAD]
    assert unread(tiny, sample, "Ben Ott").tolist() == sample.index[2:].tolist()
    assert unread(tiny, sample, "Cy").tolist() == sample.index[[0, 1, 3, 4]].tolist()
    assert unread(tiny, sample, "Dan").tolist() == sample.index.tolist()
    take_back(tiny, again, reader="Ben Ott")
    assert answers(tiny, sample)["Ben Ott"][0] == 3
    assert [one.cancelled for one in readings(tiny, sample.name)] == [False, True, False, False]
    take_back(tiny, 1, reader="Ben Ott")
    assert answers(tiny, sample)["Ben Ott"][0] == UNREAD
    take_back(tiny, 4, reader="Cy")
    assert list(answers(tiny, sample)) == ["Ben Ott"]


def test_reading_changes_no_label(tiny: Dataset) -> None:
    """Not a single event is in the log, whatever was read."""
    sample = draw(tiny, 10)
    for index in sample.index:
        record_reading(tiny, sample.name, int(index), 0, reader="Ben")
    assert last_seq(tiny) == 0
    assert (judge(tiny).labels == tiny.labels).all()


def test_what_cannot_be_read(tiny: Dataset) -> None:
    """A mistake leaves nothing behind."""
    sample = draw(tiny, 5)
    inside, outside = int(sample.index[0]), next(i for i in range(48) if i not in sample.index)
    for arguments, sentence in (
        ((sample.name, outside, 1, "Ben"), f"Image {outside} is not in the sample 'sample-1' of 'tiny'"),
        (("nowhere", inside, 1, "Ben"), "not in the sample 'nowhere'"),
        ((sample.name, inside, 8, "Ben"), "Label 8 is out of range"),
        ((sample.name, inside, -2, "Ben"), "Label -2 is out of range"),
        ((sample.name, inside, 1, "  "), "Say who reads"),
        ((sample.name, inside, 1, "x" * 101), "Say who reads"),
    ):
        name, index, label, reader = arguments
        with pytest.raises(InvalidValue, match=sentence):
            record_reading(tiny, name, index, label, reader=reader)
    seq = record_reading(tiny, sample.name, inside, 1, reader="Ben")
    with pytest.raises(InvalidValue, match="no reading 1 of Cy"):
        take_back(tiny, seq, reader="Cy")
    back = take_back(tiny, seq, reader="Ben")
    for number, sentence in ((seq, "taken back already"), (back, "no reading 2"), (99, "no reading 99")):
        with pytest.raises(InvalidValue, match=sentence):
            take_back(tiny, number, reader="Ben")
    assert len(readings(tiny, sample.name)) == 1


def test_a_reading_sent_twice_is_one(tiny: Dataset) -> None:
    """Eight threads that send the same readings get the same numbers; so does a take-back that comes twice."""
    sample = draw(tiny, 10)
    together = threading.Barrier(8)
    said: list[list[int]] = []

    def work() -> None:
        together.wait()
        said.append(
            [
                record_reading(tiny, sample.name, int(one), 2, reader="Ben", once=f"r{one}")
                for one in sample.index
            ]
        )

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(said) == 8
    assert all(each == said[0] for each in said)
    assert len(readings(tiny, sample.name)) == 10
    back = take_back(tiny, said[0][0], reader="Ben", once="back")
    assert take_back(tiny, said[0][0], reader="Ben", once="back") == back


def test_readings_are_only_ever_added(tiny: Dataset) -> None:
    """Nobody changes or removes one, nor a sample, not even with SQL of his own."""
    sample = draw(tiny, 5)
    record_reading(tiny, sample.name, int(sample.index[0]), 1, reader="Ben")
    with closing(sqlite3.connect(tiny.path / ledger.FILE)) as connection:
        for table, column in (("samples", "seed"), ("sampled", "label"), ("readings", "label")):
            for statement in (f"update {table} set {column} = 0", f"delete from {table}"):
                with pytest.raises(sqlite3.IntegrityError, match="only ever added"):
                    connection.execute(statement)


def test_an_older_log_takes_readings(tiny: Dataset) -> None:
    """A log of the first version is brought up to date by the first draw, with its decisions."""
    as_made_by_the_first_version(tiny)
    sample = draw(tiny, 47)
    assert 7 not in sample.index
    assert sample.seq == 1


def test_replacing_the_images_keeps_the_readings_aside(tiny: Dataset, tmp_path: Path) -> None:
    """They are of the old images, so they count for the new ones no more, but nobody's work is thrown away."""
    sample = draw(tiny, 5)
    record_reading(tiny, sample.name, int(sample.index[0]), 3, reader="Ben")
    np.savez(tmp_path / "other.npz", images=tiny.images[::-1], labels=tiny.labels[::-1])
    new = import_source(tmp_path / "other.npz", name="tiny", replace=True)
    assert samples(new) == []
    (kept,) = new.path.glob("readings-before-*.db")
    with closing(sqlite3.connect(kept)) as connection:
        assert connection.execute("select reader, label from readings").fetchall() == [("Ben", 3)]
    newer = import_source(tmp_path / "other.npz", name="tiny", replace=True)
    assert list(newer.path.glob("readings-before-*")) == []


READING = """
import sys
from itertools import count
from bloodapp.data.dataset import open_dataset
from bloodapp.data.readings import open_sample, record_reading

dataset = open_dataset("tiny")
sample = open_sample(dataset, "all")
for number in count():
    index = int(sample.index[number % len(sample)])
    print(record_reading(dataset, "all", index, number % 8, reader="Ben", once=f"{sys.argv[1]} {number}"), flush=True)
"""


def test_a_killed_reader_loses_nothing_that_was_acknowledged(tiny: Dataset) -> None:
    """Five readers in a row are killed while they read: every reading that was told is there, and the file is whole."""
    draw(tiny, 48, name="all")
    told: list[int] = []
    for life in range(5):
        with subprocess.Popen(
            [sys.executable, "-c", READING, str(life)], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            for number in count():
                line = process.stdout.readline()
                told.append(int(line))
                if number == 20 + 7 * life:
                    break
            process.kill()
            told += [int(line) for line in process.stdout if line.endswith("\n")]
    with closing(sqlite3.connect(tiny.path / ledger.FILE)) as connection:
        assert connection.execute("pragma integrity_check").fetchall() == [("ok",)]
        there = [seq for (seq,) in connection.execute("select seq from readings order by seq")]
    assert set(told) <= set(there)
    assert len(there) <= len(told) + 5  # each may have written one that it could not tell any more
