"""Fixtures for every room: an empty home, a tiny dataset, and the real cells where they are there."""

import functools
import gc
import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bloodapp import workspace
from bloodapp.data.dataset import Dataset
from bloodapp.data.importing import import_source


def pytest_configure() -> None:
    """Have Ctrl-C reach what tests start: a shell has its background commands, and all their children, ignore it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, so that no worker is left alone with one: a browser's, then those of pages."""
    rooms = ("tests/browser/", "tests/augment/test_code", "tests/ui/", "tests/train/")
    items.sort(key=lambda item: [not item.nodeid.startswith(room) for room in rooms])


@pytest.fixture(scope="module", autouse=True)
def nothing_to_look_through() -> None:
    """Take what the files before have loaded out of the garbage collector's sight.

    Streamlit collects after every run of a page. Beside TensorFlow and all that tests have left, that takes a second.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty BLOODAPP_HOME of this test's own."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("BLOODAPP_HOME", str(folder))
    return folder


@pytest.fixture
def nothing_shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No run ships with the app."""
    monkeypatch.setattr(workspace, "shipped_runs_folder", lambda: tmp_path / "nothing shipped")


@functools.cache  # drawn once a process: hundreds of tests begin with it
def draw_tiny_cells(seed: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """48 round things, six of each of eight classes, that size and colour tell apart.

    Images uint8 (48, 96, 96, 3) and labels uint8 (48,), read-only. Images 46 and 47 are image 0 again, the first
    of them under its own label 0, the second under the wrong label 7. No other two are near-copies.
    """
    rng = np.random.default_rng(seed)
    labels = np.tile(np.arange(8, dtype=np.uint8), 6)
    labels[46] = 0
    rows, columns = np.mgrid[:96, :96]
    images = np.empty((48, 96, 96, 3), np.uint8)
    for image, label in zip(images, labels, strict=True):
        across, down = rng.uniform(34, 62, 2)
        stretch = rng.uniform(0.75, 1.3)
        distance = np.hypot((rows - down) * stretch, columns - across)
        ground = np.array([235, 215, 210]) + rng.normal(0, 14, (6, 6, 3)).repeat(16, 0).repeat(16, 1)
        cell = np.array([180 - 12 * label, 90 + 14 * label, 150 + 10 * (label % 4)])
        inside = (distance < 14 + 3 * label)[..., None]
        aside = rng.uniform(-9, 9, 2)
        nucleus = (np.hypot(rows - down - aside[0], columns - across - aside[1]) < 6 + label)[..., None]
        picture = np.where(nucleus, cell * 0.5, np.where(inside, cell, ground))
        image[:] = np.clip(picture + rng.normal(0, 5, picture.shape), 0, 255).astype(np.uint8)
    images[46] = images[47] = images[0]
    images.flags.writeable = labels.flags.writeable = False
    return images, labels


@pytest.fixture
def tiny_cells() -> tuple[np.ndarray, np.ndarray]:
    """The images and labels of `draw_tiny_cells`, this test's own."""
    images, labels = draw_tiny_cells()
    return images.copy(), labels.copy()


@pytest.fixture
def tiny(home: Path, tmp_path: Path, tiny_cells: tuple[np.ndarray, np.ndarray]) -> Dataset:
    """A tiny dataset called `tiny`: 48 images of 96 pixels, eight classes, see `draw_tiny_cells`."""
    images, labels = tiny_cells
    file = tmp_path / "tiny.npz"
    np.savez(file, images=images, labels=labels[:, None])
    return import_source(file)


def _file_named_by(variable: str) -> Path:
    path = Path(os.environ.get(variable, ""))
    if not path.is_file():
        pytest.skip(f"needs the real cells: set {variable}")
    return path


def archive_of_real_cells() -> Path:
    """The archive that `BLOODAPP_PBC96` names; without one the test is skipped."""
    return _file_named_by("BLOODAPP_PBC96")


@pytest.fixture
def course_npz() -> Path:
    """The raw course file with real cells, `BLOODAPP_COURSE_NPZ`."""
    return _file_named_by("BLOODAPP_COURSE_NPZ")


@pytest.fixture
def pbc96() -> Path:
    """The archive of real cells, `BLOODAPP_PBC96`."""
    return archive_of_real_cells()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs a command in this process, checks its exit code, and gives what it wrote to stdout (or stderr)."""
    from bloodapp import cli

    def command(*words: object, code: int = 0, stream: str = "out") -> str:
        capsys.readouterr()
        try:
            got = cli.main([str(word) for word in words])
        except SystemExit as end:
            got = int(end.code or 0)
        written = capsys.readouterr()
        assert got == code, written.err
        return str(getattr(written, stream))

    return command
