"""`images.npy` while it grows: whole afterwards, and nothing that the disk refuses goes unheard."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from bloodapp.data import writing
from bloodapp.data.writing import ImagesFile

SIZE = 16


@pytest.fixture(autouse=True)
def small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every few images are sent to the disk, and most leave the cache."""
    monkeypatch.setattr(writing, "_FLUSH", 5_000)
    monkeypatch.setattr(writing, "_WARM", 20_000)


def blocks(count: int = 40) -> list[np.ndarray]:
    """Blocks of one to nine images, an empty one among them."""
    rng = np.random.default_rng(3)
    sizes = [0, *rng.integers(1, 10, count)]
    return [rng.integers(0, 256, (number, SIZE, SIZE, 3), dtype=np.uint8) for number in sizes]


def test_what_was_written_is_there(tmp_path: Path) -> None:
    """All images in their order, as NumPy reads them."""
    path = tmp_path / "images.npy"
    with ImagesFile(path, SIZE) as file:
        for block in blocks():
            file.append(block)
        file.finish()
    assert np.array_equal(np.load(path), np.concatenate(blocks()))


def test_an_unfinished_file_has_no_images(tmp_path: Path) -> None:
    """Whoever finds a file that was given up does not take it for a whole one."""
    path = tmp_path / "images.npy"
    with pytest.raises(KeyboardInterrupt), ImagesFile(path, SIZE) as file:
        file.append(blocks()[1])
        raise KeyboardInterrupt
    assert len(np.load(path)) == 0


def test_a_disk_that_fails_behind_the_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system tells of a failed write once, to the thread that sends: the next call says so, or the last."""
    heard = []

    def fsync(descriptor: int) -> None:
        if not heard:
            heard.append(descriptor)
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OSError, match="No space"), ImagesFile(tmp_path / "images.npy", SIZE) as file:
        for block in blocks():
            file.append(block)
        file.finish()
