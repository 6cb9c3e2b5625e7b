"""A training's own copies: as many as asked for, the same every time, of training images alone, whole or not at all."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bloodapp.augment import expand
from bloodapp.augment.preview import preview
from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.data.importing import import_source
from bloodapp.errors import InvalidValue, SourceError, Stopped
from bloodapp.train import copies, feed
from bloodapp.train.blocks import BlockReader
from bloodapp.train.recipes import RECIPES
from tests.conftest import draw_tiny_cells

PLAIN = replace(RECIPES["balanced"], pipeline="none", seed=7, batch=8)
TWICE = replace(PLAIN, copies="flip; brightness(0.3)|flip")
BALANCED = replace(PLAIN, balance="flip|shift(0.1)")


class Told:
    """A job's context that remembers what was said, and stops after so many looks."""

    def __init__(self, looks: int | None = None) -> None:
        self.said: list[str] = []
        self.looks = looks

    def progress(self, done: float, total: float | None, text: str = "", **extra: Any) -> None:
        """Remember the text."""
        self.said.append(text)

    def stopped(self) -> bool:
        """Whether that many looks were taken."""
        if self.looks is not None:
            self.looks -= 1
        return self.looks == 0


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dataset]:
    """96 cells; the first 80 train, the others are val."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("copies")
        patch.setenv("BLOODAPP_HOME", str(folder / "home"))
        images, labels = (
            np.concatenate(both) for both in zip(draw_tiny_cells(1), draw_tiny_cells(2), strict=True)
        )
        np.savez(folder / "cells.npz", images=images, labels=labels[:, None])
        import_source(folder / "cells.npz")
        yield open_dataset("cells")


def given(dataset: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """The training rows, of which class 0 has most, and all labels; three images take no part."""
    labels = dataset.labels.astype(np.int64)
    rows = np.setdiff1d(np.arange(80), [9, 10, 11])
    labels[[9, 10, 11]] = -1
    return rows, labels


def test_one_copy_of_each_by_each_pipeline(cells: Dataset, tmp_path: Path) -> None:
    """Behind the dataset's images come those of the first pipeline, then the second's, as the layers draw them."""
    rows, labels = given(cells)
    told = Told()
    images, all_rows, all_labels = copies.prepare(cells, rows, labels, TWICE, tmp_path, None, told)
    assert images.shape == (96 + 2 * 77, 96, 96, 3)
    assert (len(images), images.dtype) == (250, np.uint8)
    assert np.array_equal(all_rows, np.concatenate([rows, np.arange(96, 250)]))
    assert np.array_equal(all_labels, np.concatenate([labels, labels[rows], labels[rows]]))
    last = rows[64:]  # the second block of the second copy
    drawn, _ = preview(
        cells.images[last], labels[last], 8, "brightness(0.3)|flip", TWICE.seed, epoch=2, batch=1
    )
    assert np.array_equal(images[96 + 77 + np.arange(64, 77)], drawn)
    assert told.said[0] == "Drawing copies, 0 of 154"
    assert told.said[-1] == "Drawing copies, 154 of 154"


def test_any_rows_in_any_order(cells: Dataset, tmp_path: Path) -> None:
    """Rows of images and copies mixed, repeated or of one kind come in the order asked for; so do those of a block."""
    rows, labels = given(cells)
    images, all_rows, _ = copies.prepare(cells, rows, labels, TWICE, tmp_path, None, Told())
    whole = np.concatenate([cells.images, np.load(tmp_path / copies.FILE)])
    for asked in ([249, 0, 100, 0, 96], [3, 2], [200], []):
        wanted = np.array(asked, np.int64)
        assert np.array_equal(images[wanted], whole[wanted])
    reader = BlockReader(images, all_rows, seed=1, block=40, batch=8)
    chosen, number = list(reader.batches(0))[-1]
    assert np.array_equal(reader.read(chosen, 0, number), whole[chosen])


@pytest.mark.parametrize("block", [0, 64])
def test_the_feed_takes_them(cells: Dataset, tmp_path: Path, block: int) -> None:
    """An epoch of the feed holds every image and every copy that trains once, with its label."""
    rows, labels = given(cells)
    recipe = replace(TWICE, batch=33, block=block)
    images, rows, labels = copies.prepare(cells, rows, labels, recipe, tmp_path, None, Told())
    weights = np.zeros((len(labels), 8), np.float32)
    weights[labels >= 0, labels[labels >= 0]] = 1
    batches = feed.training_batches(images, rows, weights, recipe, 96, lambda: 0)
    seen = {
        (image.astype(np.uint8).tobytes(), int(label.argmax()))
        for batch in batches.take(len(rows) // 33)
        for image, label in zip(*(each.numpy() for each in batch), strict=True)
    }
    assert seen == {
        (image.tobytes(), int(label)) for image, label in zip(images[rows], labels[rows], strict=True)
    }


def test_balance_reaches_the_largest_class(cells: Dataset, tmp_path: Path) -> None:
    """Every class of the training part has as many as the largest had, beside other copies as well; val stays."""
    rows, labels = given(cells)
    for recipe, times in ((BALANCED, 1), (replace(BALANCED, copies="flip"), 2)):
        folder = tmp_path / str(times)
        folder.mkdir()
        _, all_rows, all_labels = copies.prepare(cells, rows, labels, recipe, folder, None, Told())
        before, after = (np.bincount(all_labels[each], minlength=8) for each in (rows, all_rows))
        assert before.min() < before.max()
        assert (after == times * before.max()).all()
        assert not np.isin(np.arange(80, 96), all_rows).any()
        assert copies.count(recipe, before) == len(all_rows) - len(rows)


def test_the_seed_alone_decides(cells: Dataset, tmp_path: Path) -> None:
    """The same bytes in another folder; other ones for another seed."""
    rows, labels = given(cells)
    made = []
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        (tmp_path / name).mkdir()
        copies.prepare(cells, rows, labels, replace(TWICE, seed=seed), tmp_path / name, None, Told())
        made.append((tmp_path / name / copies.FILE).read_bytes())
    assert made[0] == made[1] != made[2]


def test_broken_off_and_made_again(cells: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What breaks half-way, or is killed, leaves nothing that counts; the next attempt gives the same bytes."""
    rows, labels = given(cells)
    (tmp_path / "whole").mkdir()
    copies.prepare(cells, rows, labels, TWICE, tmp_path / "whole", None, Told())
    drawing, blocks = expand.drawn, []

    def breaking(*args: Any) -> Iterator[Any]:
        for block in drawing(*args):
            blocks.append(block)
            if len(blocks) == 3:
                raise OSError("no more")
            yield block

    monkeypatch.setattr(copies, "drawn", breaking)
    with pytest.raises(OSError, match="no more"):
        copies.prepare(cells, rows, labels, TWICE, tmp_path, None, Told())
    assert not list(tmp_path.glob("copies*"))
    (tmp_path / copies._UNFINISHED).write_bytes(b"half of it, and then a kill")
    monkeypatch.undo()
    copies.prepare(cells, rows, labels, TWICE, tmp_path, None, Told())
    assert (tmp_path / copies.FILE).read_bytes() == (tmp_path / "whole" / copies.FILE).read_bytes()
    assert not (tmp_path / copies._UNFINISHED).exists()


def test_finished_copies_are_taken_as_they_are(cells: Dataset, tmp_path: Path) -> None:
    """A continued training draws nothing; one that is done leaves nothing."""
    rows, labels = given(cells)
    first = copies.prepare(cells, rows, labels, TWICE, tmp_path, None, Told())
    again = Told()
    second = copies.prepare(cells, rows, labels, TWICE, tmp_path, None, again)
    assert again.said == []
    assert np.array_equal(first[0][first[1]], second[0][second[1]])
    copies.discard(tmp_path)
    assert not list(tmp_path.iterdir())
    copies.discard(tmp_path)


def test_without_copies_all_stays(cells: Dataset, tmp_path: Path) -> None:
    """A recipe that asks for none, or whose classes are even, gets back what it gave, and no file is made."""
    rows, labels = given(cells)
    even = np.concatenate([np.flatnonzero(labels[:80] == label)[:3] for label in range(8)])
    for recipe, chosen in ((PLAIN, rows), (BALANCED, even)):
        images, all_rows, all_labels = copies.prepare(cells, chosen, labels, recipe, tmp_path, None, Told())
        assert images is cells.images
        assert all_rows is chosen
        assert all_labels is labels
    assert not list(tmp_path.iterdir())


def test_it_stops(cells: Dataset, tmp_path: Path) -> None:
    """A stop while they are drawn is heard within a block, and leaves no file."""
    rows, labels = given(cells)
    told = Told(looks=2)
    with pytest.raises(Stopped):
        copies.prepare(cells, rows, labels, TWICE, tmp_path, None, told)
    assert told.said[-1] == "Drawing copies, 64 of 154"
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_seen_before(cells: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence says how much room is needed, and nothing is begun."""
    rows, labels = given(cells)
    usage = shutil.disk_usage(tmp_path)._replace(free=10**6)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(SourceError, match=r"0\.3 GB of disk and 0\.0 GB are free"):
        copies.prepare(cells, rows, labels, TWICE, tmp_path, None, Told())
    assert not list(tmp_path.iterdir())


def test_a_pipeline_that_mixes_labels_draws_no_copies(cells: Dataset, tmp_path: Path) -> None:
    """A copy has one label."""
    rows, labels = given(cells)
    with pytest.raises(InvalidValue, match="mixes labels"):
        copies.prepare(cells, rows, labels, replace(PLAIN, copies="mixup"), tmp_path, None, Told())
