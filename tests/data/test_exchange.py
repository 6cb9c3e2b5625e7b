"""Exported decisions replayed on the same images, in another order, in another class order."""

import io
from pathlib import Path

import numpy as np
import pytest

from bloodapp.data import decisions
from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import judge, last_seq, log, record, undo
from bloodapp.data.exchange import export_log, replay_log
from bloodapp.data.importing import import_source
from bloodapp.errors import SourceError


def decided(tiny: Dataset) -> None:
    """A history with everything in it. Images 0, 46 and 47 are the same picture, 0 and 46 under one label."""
    first = record(tiny, [0, 46], "exclude", why='a "quoted", why', who="ada")
    undo(tiny, seq=2, who="bob")
    record(tiny, [5], "relabel", label=3)
    undo(tiny, batch=record(tiny, [6, 7], "exclude"))
    record(tiny, [8], "flag")
    assert first == 1


def counts(**said: int) -> dict[str, int]:
    """What a replay says, zero where nothing is given."""
    names = ("events", "replayed", "present", "missing", "changed", "overruled")
    return dict.fromkeys(names, 0) | said


def shuffled(tiny: Dataset, tmp_path: Path, order: np.ndarray) -> Dataset:
    """The same images and labels in another order."""
    file = tmp_path / "shuffled.npz"
    np.savez(file, images=tiny.images[order], labels=tiny.labels[order])
    return import_source(file)


def test_replayed_on_another_order(tiny: Dataset, tmp_path: Path) -> None:
    """Each decision finds its image again wherever it went, undone ones stay undone."""
    decided(tiny)
    # A stable shuffle of the two copies under label 0: the first occurrence stays the first.
    order = np.concatenate([np.arange(1, 46), [0, 47, 46]])
    other = shuffled(tiny, tmp_path, order)
    count = export_log(tiny, tmp_path / "log.csv")
    assert count == len(log(tiny)) == 9
    said = replay_log(other, tmp_path / "log.csv", dry=True)
    assert said == counts(events=9, replayed=9, changed=2)
    assert last_seq(other) == 0
    assert replay_log(other, tmp_path / "log.csv") == said
    here, there = judge(tiny), judge(other)
    assert (there.included == here.included[order]).all()
    assert (there.labels == here.labels[order]).all()
    assert (there.flagged == here.flagged[order]).all()
    columns = ["action", "label", "why", "who", "when", "cancelled", "batch"]
    assert log(other)[columns].equals(log(tiny)[columns])


def test_a_second_replay_changes_nothing(tiny: Dataset, tmp_path: Path) -> None:
    """Events that are there already are not added again, in the log they came from neither."""
    decided(tiny)
    export_log(tiny, tmp_path / "log.csv")
    assert replay_log(tiny, tmp_path / "log.csv") == counts(events=9, present=9)
    assert len(log(tiny)) == 9


def test_events_about_absent_images_are_counted(tiny: Dataset, tmp_path: Path) -> None:
    """What the other dataset lacks is passed over and counted, undos of it too."""
    decided(tiny)
    export_log(tiny, tmp_path / "log.csv")
    other = shuffled(tiny, tmp_path, np.array([i for i in range(48) if i not in (0, 6, 46)]))
    said = replay_log(other, tmp_path / "log.csv")
    assert said == counts(events=9, replayed=4, missing=5, changed=1)


def test_events_of_one_moment_stay_apart(
    tiny: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was done, undone and done again within a millisecond is three events elsewhere, too."""
    monkeypatch.setattr(decisions, "now", lambda: "2026-11-20T10:00:00.000Z")
    undo(tiny, batch=record(tiny, [1], "exclude"))
    record(tiny, [1], "exclude")
    record(tiny, [1], "keep")
    record(tiny, [1], "exclude")
    export_log(tiny, tmp_path / "log.csv")
    other = shuffled(tiny, tmp_path, np.arange(48)[::-1])
    for expected in (counts(events=5, replayed=5, changed=1), counts(events=5, present=5)):
        assert replay_log(other, tmp_path / "log.csv") == expected
        assert np.flatnonzero(~judge(other).included).tolist() == [46]


def test_what_a_replay_would_overrule_is_counted_before(tiny: Dataset, tmp_path: Path) -> None:
    """An image decided here, and otherwise there, is said; trying changes nothing."""
    record(tiny, [1, 2, 3], "exclude")
    export_log(tiny, tmp_path / "log.csv")
    other = shuffled(tiny, tmp_path, np.arange(48))
    record(other, [1, 40], "keep")
    said = replay_log(other, tmp_path / "log.csv", dry=True)
    assert said == counts(events=3, replayed=3, changed=3, overruled=1)
    assert judge(other).included.all()


def test_an_uploaded_log_is_replayed(tiny: Dataset, tmp_path: Path) -> None:
    """Bytes will do as well as a file."""
    record(tiny, [1, 2], "exclude", why="gone\nfor good")
    export_log(tiny, tmp_path / "log.csv")
    other = shuffled(tiny, tmp_path, np.arange(48)[::-1])
    assert replay_log(other, io.BytesIO((tmp_path / "log.csv").read_bytes()))["replayed"] == 2
    assert log(other)["why"].tolist() == ["gone\nfor good"] * 2
    with pytest.raises(SourceError, match="'this file' is no exported log"):
        replay_log(other, io.BytesIO(b"nothing"))


def test_replayed_under_another_class_order(tiny: Dataset, tmp_path: Path) -> None:
    """Labels travel by the names of their classes."""
    record(tiny, [5], "relabel", label=3)
    export_log(tiny, tmp_path / "log.csv")
    keys = [c.key for c in tiny.classes]
    file = tmp_path / "turned.npz"
    np.savez(file, images=tiny.images, labels=7 - tiny.labels, classes=np.array(keys[::-1]))
    other = import_source(file)
    assert replay_log(other, tmp_path / "log.csv")["replayed"] == 1
    assert other.classes[judge(other).labels[5]].key == keys[3]


def test_an_empty_log(tiny: Dataset, tmp_path: Path) -> None:
    """Nothing decided is a file with a header only."""
    assert export_log(tiny, tmp_path / "log.csv") == 0
    assert replay_log(tiny, tmp_path / "log.csv") == counts()


@pytest.mark.parametrize("content", ["", "a,b\n1,2\n"])
def test_a_file_that_is_no_log(tiny: Dataset, tmp_path: Path, content: str) -> None:
    """Another CSV is refused by what it lacks."""
    (tmp_path / "log.csv").write_text(content)
    with pytest.raises(SourceError, match="no exported log of decisions: it has no column 'sha256'"):
        replay_log(tiny, tmp_path / "log.csv")


def test_a_log_with_nonsense_in_it(tiny: Dataset, tmp_path: Path) -> None:
    """A row that cannot be an event stops the replay before anything is written."""
    record(tiny, [1, 2], "exclude")
    export_log(tiny, tmp_path / "log.csv")
    text = (tmp_path / "log.csv").read_text()
    for wrong in (text.replace("exclude", "explode"), text.replace(",1,1,", ",one,1,"), text[:100] + "\n"):
        (tmp_path / "wrong.csv").write_text(wrong)
        with pytest.raises(SourceError, match="no exported log of decisions"):
            replay_log(tiny, tmp_path / "wrong.csv")
    assert len(log(tiny)) == 2
    with pytest.raises(SourceError, match="Can't find"):
        replay_log(tiny, tmp_path / "absent.csv")
    with pytest.raises(SourceError, match="cannot be read"):
        replay_log(tiny, tmp_path)
    (tmp_path / "picture.csv").write_bytes(bytes(range(256)))
    with pytest.raises(SourceError, match="no exported log"):
        replay_log(tiny, tmp_path / "picture.csv")
