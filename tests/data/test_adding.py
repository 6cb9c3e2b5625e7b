"""Datasets put together: classes, decisions, parents, sizes, and what the record says."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bloodapp import jobs
from bloodapp.classes import CellClass
from bloodapp.data.adding import add, merged_classes
from bloodapp.data.dataset import Dataset, list_datasets, open_dataset
from bloodapp.data.decisions import judge, record
from bloodapp.data.importing import import_source, store
from bloodapp.data.records import Record, Source
from bloodapp.errors import AlreadyExists, InvalidValue, NotFound, SourceError, Stopped
from bloodapp.workspace import datasets_folder

Run = Callable[..., str]


@pytest.fixture
def other(home: Path, tmp_path: Path, tiny_cells: tuple[np.ndarray, np.ndarray]) -> Dataset:
    """Twelve small images of three classes, one of them unknown to `tiny`."""
    names = np.array(["blast", "platelet", "ig"])
    images = np.ascontiguousarray(tiny_cells[0][:12, ::2, ::2])
    np.savez(tmp_path / "other.npz", images=images, labels=np.arange(12) % 3, classes=names)
    return import_source(tmp_path / "other.npz", size=48)


def test_both_are_in_it(tiny: Dataset, other: Dataset) -> None:
    """One after another, classes by key, the unknown one last; excluded ones left out, labels as decided."""
    record(tiny, [0, 1], "exclude")
    record(tiny, [2], "relabel", label=7)
    record(other, [3], "flag")
    both = add(["tiny", "other"], "both")
    assert [one.key for one in both.classes] == [*(one.key for one in tiny.classes), "blast"]
    assert (len(both), both.size) == (46 + 12, 96)
    assert (both.images[:46] == tiny.images[2:]).all()
    assert both.labels[0] == 7 and (both.labels[1:46] == tiny.labels[3:]).all()
    assert both.labels[46:].tolist() == [8, 7, 3] * 4
    assert both.items["name"][0] == "tiny/2" and both.items["name"][46] == "other/0"
    assert both.items["width"].tolist() == [96] * 46 + [48] * 12
    assert not judge(both).flagged.any()


def test_the_record_names_the_parents(tiny: Dataset, other: Dataset) -> None:
    """dataset.json says which datasets, in which state, and how many of each."""
    record(tiny, [5], "exclude")
    source = add(["other", "tiny"], "both").source
    assert (source["kind"], source["name"]) == ("added", "other + tiny")
    first, second = source["datasets"]
    assert (first["name"], first["fingerprint"], first["seq"]) == ("other", other.fingerprint, 0)
    assert (first["count"], first["left_out"], first["size"]) == (12, 0, 48)
    assert second["fingerprint"] == tiny.fingerprint
    assert (second["seq"], second["count"], second["left_out"]) == (1, 47, 1)
    assert add(["tiny", "other"], "small", size=48).size == 48


def test_what_has_no_label_stays_without_one(tiny: Dataset, tmp_path: Path) -> None:
    """Unlabelled images come along, to be labelled in the new dataset."""
    np.savez(tmp_path / "bare.npz", images=np.array(tiny.images[:5]))
    import_source(tmp_path / "bare.npz", labelled=False)
    assert (add(["tiny", "bare"], "both").labels[48:] == -1).all()


def test_copies_keep_their_family(tiny: Dataset) -> None:
    """Parents are rows of the new dataset; copies whose original is left out hang together by the first of them."""
    #        original, copies, a copy of a copy before it, another original with one copy
    parents = [-1, 0, 0, 4, 0, -1, 5, 3]
    rows = (
        Record(tiny.images[i], f"{i}", 0, "", 96, 96, "RGB", parent=parent)
        for i, parent in enumerate(parents)
    )
    family = store(Source("npz", "family", "", tiny.classes, 8, rows), "family", 96)
    whole = add(["tiny", "family"], "whole")
    assert whole.parents[48:].tolist() == [parent + 48 if parent >= 0 else -1 for parent in parents]
    record(family, [0, 3, 5], "exclude")
    part = add(["family", "tiny"], "part")
    #                             1   2  4  6   7, whose parent 3 came from 4
    assert part.parents[:5].tolist() == [-1, 0, 0, -1, 2]
    assert part.families[:5].tolist() == [0, 0, 0, 3, 0]
    record(family, [1, 2], "exclude")
    assert add(["family", "tiny"], "less").parents[:3].tolist() == [-1, -1, 0]


def test_a_child_before_its_parent_makes_no_circle(tiny: Dataset) -> None:
    """Where the original is left out and a copy's copy comes first, the copy stands for the family."""
    parents = [2, -1, 1, 1]
    rows = (Record(tiny.images[i], f"{i}", 0, "", 96, 96, "RGB", parent=parents[i]) for i in range(4))
    family = store(Source("npz", "family", "", tiny.classes, 4, rows), "family", 96)
    record(family, [1], "exclude")
    part = add(["family", "tiny"], "part")
    assert part.parents[:3].tolist() == [1, -1, 1]


def test_classes_keep_their_looks_unless_taken() -> None:
    """The second list's classes get a colour and a key that are free; spellings of the eight are the eight."""
    first = (CellClass("a", "A", "#4C6EF5", "1"), CellClass("ig", "IG", "#F76707", "2"))
    second = (CellClass("b", "B", "#4C6EF5", "1"), CellClass("Immature granulocytes", "x", "#000000", "5"))
    merged = merged_classes([first, second, (CellClass("c", "C", "#123456", "9"),)])
    assert [one.key for one in merged] == ["a", "ig", "b", "c"]
    assert merged[2].colour not in ("#4C6EF5", "#F76707") and merged[2].shortcut == "3"
    assert (merged[3].colour, merged[3].shortcut) == ("#123456", "9")
    assert len({one.colour for one in merged}) == 4


def test_refusals(tiny: Dataset, other: Dataset) -> None:
    """One alone, one twice, an unknown one, a taken name, nothing left: nothing is made."""
    with pytest.raises(InvalidValue, match="two or more different"):
        add(["tiny"], "new")
    with pytest.raises(InvalidValue, match="two or more different"):
        add(["tiny", "tiny"], "new")
    with pytest.raises(NotFound):
        add(["tiny", "none"], "new")
    with pytest.raises(AlreadyExists):
        add(["tiny", "other"], import_source("sample", name="taken").name)
    with pytest.raises(InvalidValue, match="one of the datasets"):
        add(["tiny", "other"], "tiny", replace=True)
    with pytest.raises(InvalidValue, match="out of bounds"):
        add(["tiny", "other"], "new", size=4)
    with pytest.raises(Stopped):
        add(["tiny", "other"], "new", stopped=lambda: True)
    record(tiny, range(48), "exclude")
    record(other, range(12), "exclude")
    with pytest.raises(SourceError, match="Nothing of tiny, other remains"):
        add(["tiny", "other"], "new")
    assert list_datasets() == ["other", "taken", "tiny"]
    assert not list(datasets_folder().glob(".making-*"))


def test_the_command(tiny: Dataset, other: Dataset, run: Run) -> None:
    """It prints the dataset, and says what was taken of each and what was resized."""
    record(tiny, [0], "exclude")
    assert run("add", "tiny", "other", "--name", "both").startswith("both  59 images  96 px  9 classes")
    said = run("add", "tiny", "other", "--name", "both", "--replace", stream="err").splitlines()
    assert "tiny: 47 images, 1 excluded left out" in said
    assert "other: 12 images, brought from 48 to 96 pixels" in said
    assert "choose another name" in run("add", "tiny", "other", "--name", "both", code=2, stream="err")


def test_the_job(tiny: Dataset, other: Dataset) -> None:
    """The job makes the dataset and gives its name."""
    record(tiny, [0], "exclude")
    job = jobs.submit("add", {"datasets": ["tiny", "other"], "name": "both"})
    assert jobs.perform(job) == "done"
    assert job.status()["result"] == {"dataset": "both", "count": 59, "left_out": 1}
    assert len(open_dataset("both")) == 59
