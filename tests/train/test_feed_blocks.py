"""The feed block by block: every row once, the same every time, classes mixed, little memory, the same pixels."""

import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bloodapp.data.dataset import Dataset, read_rows
from bloodapp.errors import InvalidValue
from bloodapp.train.blocks import STRETCHES, BlockReader, batches, epoch_order
from bloodapp.train.recipe import Recipe
from bloodapp.train.recipes import RECIPES
from bloodapp.train.settings import with_settings

ROWS = np.random.default_rng(0).permutation(5000)[:4001]  # training rows: some of the file's, in any order
RECIPE = replace(RECIPES["balanced"], pipeline="none", batch=5, block=16, seed=3)


@pytest.fixture
def mapped(tmp_path: Path) -> np.ndarray:
    """5000 images of 2 × 2 pixels, mapped, whose pixels tell their row."""
    images = np.zeros((5000, 2, 2, 3), np.uint8)
    images[:, 0, 0, 0], images[:, 0, 0, 1] = np.arange(5000) // 256, np.arange(5000) % 256
    np.save(tmp_path / "images.npy", images)
    return np.load(tmp_path / "images.npy", mmap_mode="r")


def rows_of(images: np.ndarray) -> np.ndarray:
    """The rows that pixels of `mapped` tell."""
    return images[:, 0, 0, 0].astype(int) * 256 + images[:, 0, 0, 1]


@pytest.mark.parametrize("block", [0, 64, 300, 1000, 4000, 4001, 10**6])
def test_every_row_comes_once_in_an_epoch(block: int) -> None:
    """Whatever the block, its blocks hold all rows, none twice, and are hardly larger than asked for."""
    order = epoch_order(ROWS, seed=1, epoch=0, block=block)
    assert np.array_equal(np.sort(np.concatenate(order)), np.sort(ROWS))
    if block:
        assert max(map(len, order)) <= block + STRETCHES
        assert len(order) == -(-len(ROWS) // block)


def test_the_order_derives_from_seed_and_epoch() -> None:
    """The same twice, another in the next epoch and for another seed: other blocks, and in another order."""

    def order(seed: int, epoch: int) -> list[list[int]]:
        return [block.tolist() for block in epoch_order(ROWS, seed, epoch, block=300)]

    assert order(1, 4) == order(1, 4)
    for other in (order(1, 5), order(2, 4)):
        assert {frozenset(block) for block in other}.isdisjoint(map(frozenset, order(1, 4)))


def test_classes_mix_though_the_file_is_sorted() -> None:
    """Of a file sorted by its eight classes every block holds each class as often as the file, nearly."""
    labels = np.repeat(np.arange(8), [852, 2181, 1085, 2026, 849, 993, 2330, 1643])
    for block in epoch_order(np.arange(len(labels)), seed=1, epoch=0, block=1000):
        shares = np.bincount(labels[block], minlength=8) / len(block)
        assert np.abs(shares - np.bincount(labels) / len(labels)).max() < 2 / STRETCHES
        assert np.count_nonzero(np.bincount(labels[block[:64]], minlength=8)) >= 6


@pytest.mark.parametrize(("block", "size"), [(300, 64), (64, 100), (16, 64), (10**6, 64), (300, 5000)])
def test_what_is_read_is_what_the_order_says(mapped: np.ndarray, block: int, size: int) -> None:
    """Batches, those that two blocks share too, hold the images of the rows that they should."""
    reader = BlockReader(mapped, ROWS, 1, block, size)
    expected = list(batches(epoch_order(ROWS, 1, 0, block), size))
    read = list(reader.batches(0))
    assert len(read) == len(expected) == max(1, len(ROWS) // size)
    for (rows, number), wanted in zip(read, expected, strict=True):
        assert np.array_equal(rows, wanted) and np.array_equal(rows_of(reader.read(rows, 0, number)), wanted)
        assert reader.held == (0, number)
    again, number = read[0]
    assert np.array_equal(rows_of(reader.read(again, 0, number)), again)


def test_rows_are_read_in_any_order_and_amount(mapped: np.ndarray) -> None:
    """Reading and mapping give the same, for runs, single rows, repeated ones and none; a torn file is said."""
    for rows in ([3, 4, 5, 9, 2, 2, 3], [4999], [], list(range(5000))):
        assert np.array_equal(read_rows(mapped, np.array(rows, np.int64)), mapped[rows])
    with Path(str(mapped.filename)).open("r+b") as file:  # type: ignore[attr-defined]
        file.truncate(1000)
    with pytest.raises(Exception, match="shorter than its header says"):
        read_rows(mapped, np.array([4999]))


def test_memory_is_bounded_by_the_block(tmp_path: Path) -> None:
    """An epoch over 1.4 GB of images in blocks of 28 MB takes 80 MB at most, in a process of its own."""
    count = 50_000
    np.lib.format.open_memmap(tmp_path / "images.npy", "w+", np.uint8, (count, 96, 96, 3)).flush()
    code = f"""
import json
import numpy as np
from bloodapp.train.blocks import BlockReader
from tests.benchmarks.measure import peak

images = np.load({str(tmp_path / "images.npy")!r}, mmap_mode="r")
reader = BlockReader(images, np.arange({count}), 1, 1000, 64)
before = peak()
seen = sum(len(reader.read(rows, 0, number)) for rows, number in reader.batches(0))
print(json.dumps([seen, peak() - before]))
"""
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    seen, grown = json.loads(done.stdout)
    assert seen == count // 64 * 64
    assert grown < 80


def fed(dataset: Dataset, recipe: Recipe, size: int, first: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The batches that a training gets from its feed, beginning with an epoch."""
    from bloodapp.train import feed

    weights = np.eye(8, dtype=np.float32)[dataset.labels]
    rows = np.arange(40)[::-1].copy()
    for images, labels in feed.training_batches(dataset.images, rows, weights, recipe, size, lambda: first):
        yield images.numpy(), labels.numpy()


@pytest.mark.parametrize("size", [96, 48])
def test_the_feed_gives_these_batches(tiny: Dataset, size: int) -> None:
    """Pixels and labels of each batch are those of its rows, in an order that a continued run goes on with."""
    from bloodapp.train import feed

    rows = np.arange(40)[::-1].copy()
    wanted = [batch for epoch in (0, 1) for batch in feed.epoch_batches(rows, RECIPE, epoch)]
    assert len(wanted) == 16
    both = list(itertools.islice(fed(tiny, RECIPE, size, 0), 16))
    for (images, labels), chosen in zip(both, wanted, strict=True):
        assert np.array_equal(images, feed.plain_batch(tiny.images, chosen, size))
        assert np.array_equal(labels.argmax(1), tiny.labels[chosen])
    for (images, _), (again, _) in zip(both[8:], fed(tiny, RECIPE, size, 1), strict=False):
        assert np.array_equal(images, again)


def test_draws_do_not_depend_on_the_feed(tiny: Dataset) -> None:
    """With a block as large as the set, the batches are those of a training without blocks, bit for bit."""
    recipe = replace(RECIPE, pipeline="flip|brightness(0.3)|noise(12)")
    without, within = (fed(tiny, replace(recipe, block=block), 96, 0) for block in (0, 1000))
    for (images, labels), (others, other_labels) in itertools.islice(zip(without, within, strict=False), 10):
        assert np.array_equal(images, others) and np.array_equal(labels, other_labels)


def test_a_recipe_takes_a_block() -> None:
    """Off by default; a number of images within bounds."""
    assert RECIPES["balanced"].block == 0
    assert with_settings(RECIPES["balanced"], {"block": "4096"}).block == 4096
    with pytest.raises(InvalidValue, match="block must be a whole number"):
        with_settings(RECIPES["balanced"], {"block": -1})
