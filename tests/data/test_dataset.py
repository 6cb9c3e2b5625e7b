"""A dataset on disk: opening, listing, deleting, and what a damaged one answers."""

import json
import os

import numpy as np
import pytest

from bloodapp.data.dataset import (
    REPLACED,
    Dataset,
    dataset_path,
    delete_dataset,
    list_datasets,
    open_dataset,
)
from bloodapp.errors import InvalidValue, NotFound, Unreadable
from bloodapp.workspace import datasets_folder


def test_columns_and_types(tiny: Dataset) -> None:
    """Images and items have the agreed columns, types and order, and cannot be changed through the dataset."""
    assert len(tiny) == 48
    assert tiny.images.shape == (48, 96, 96, 3)
    assert tiny.images.dtype == np.uint8
    assert not tiny.images.flags.writeable
    assert not tiny.labels.flags.writeable
    expected = ["index", "sha256", "phash", "name", "width", "height", "mode", "label", "part", "parent"]
    assert tiny.items.columns.tolist() == expected
    assert tiny.items["index"].tolist() == list(range(48))
    assert str(tiny.items["phash"].dtype) == "uint64"
    assert tiny.labels.dtype == np.int16
    assert set(tiny.parts) == {""}
    assert tiny.truth is None


@pytest.mark.parametrize("size", [1, 7, 48, 100])
def test_blocks_are_the_images(tiny: Dataset, size: int) -> None:
    """All images in order, each once, the last block shorter; a block may be written to."""
    blocks = list(tiny.blocks(size))
    assert [start for start, _ in blocks] == list(range(0, 48, size))
    assert all(len(block) <= size and block.flags.writeable for _, block in blocks)
    assert np.array_equal(np.concatenate([block for _, block in blocks]), tiny.images)


def test_opening_again_gives_the_same_object(tiny: Dataset) -> None:
    """An unchanged dataset is opened once: its tables are read only once a process."""
    assert open_dataset("tiny") is tiny


def test_an_unknown_name_lists_the_known_ones(tiny: Dataset) -> None:
    """The answer to a wrong name, or to a path, holds the right names."""
    for name in ("tinny", "../tiny", ""):
        with pytest.raises(NotFound, match=r"Can't find dataset .* Available: tiny\."):
            open_dataset(name)
    with pytest.raises(InvalidValue, match="cannot be used as a name"):
        dataset_path("../tiny")


def test_an_empty_home_has_no_datasets(home: object) -> None:
    """Listing creates nothing and finds nothing."""
    assert list_datasets() == []
    assert not datasets_folder().exists()


def test_deleting(tiny: Dataset) -> None:
    """A deleted dataset is gone with all its files."""
    delete_dataset("tiny")
    assert list_datasets() == []
    assert [file.name for file in datasets_folder().iterdir() if file.is_dir()] == []
    with pytest.raises(NotFound):
        delete_dataset("tiny")


def test_hidden_folders_are_no_datasets(tiny: Dataset) -> None:
    """A dataset that is still being made is not listed, however complete it looks."""
    os.rename(tiny.path, tiny.path.with_name(".making-abc"))
    assert list_datasets() == []


def test_a_replacing_that_was_killed_between_its_moves(tiny: Dataset) -> None:
    """The old dataset comes back when somebody next looks; but not once it was deleted."""
    aside = tiny.path.with_name(f"{REPLACED}tiny")
    os.rename(tiny.path, aside)
    assert list_datasets() == ["tiny"]
    assert len(open_dataset("tiny")) == 48
    aside.mkdir()
    delete_dataset("tiny")
    assert list_datasets() == []


def damaged(tiny: Dataset, **changes: object) -> None:
    """Rewrite the record with other content."""
    file = tiny.path / "dataset.json"
    content = json.loads(file.read_text())
    content.update(changes)
    file.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"format": 99}, "newer version"),
        ({"classes": None}, "incomplete: import the dataset again"),
        ({"size": "big"}, "incomplete"),
        ({"format": None}, "not one of this app's files"),
    ],
)
def test_a_damaged_record(tiny: Dataset, changes: dict[str, object], sentence: str) -> None:
    """A record of a newer version, or an incomplete one, is told apart from a bug."""
    damaged(tiny, **changes)
    with pytest.raises(Unreadable, match=sentence):
        open_dataset("tiny")


def test_damaged_tables(tiny: Dataset) -> None:
    """Images or items that cannot be read, or do not fit, say so."""
    damaged(tiny, count=47)
    with pytest.raises(Unreadable, match="do not fit"):
        _ = open_dataset("tiny").images
    damaged(tiny, count=48, imported="again")
    (tiny.path / "images.npy").write_bytes(b"nothing")
    with pytest.raises(Unreadable, match="images of dataset 'tiny' cannot be read"):
        _ = open_dataset("tiny").images
    (tiny.path / "items.parquet").write_bytes(b"nothing")
    with pytest.raises(Unreadable, match=r"items\.parquet of dataset 'tiny' cannot be read"):
        _ = open_dataset("tiny").items
