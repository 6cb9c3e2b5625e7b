"""Fixtures of the benchmarks: a workspace for all of them, the real cells in it, and the drawn sample."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bloodapp.data.dataset import Dataset
from bloodapp.data.importing import import_source


@pytest.fixture(scope="session")
def bench_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A workspace that all benchmarks share."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("bench") / "home"
        patch.setenv("BLOODAPP_HOME", str(folder))
        yield folder


@pytest.fixture(scope="session")
def course_file() -> Path:
    """The course file with real cells; skips aloud without it."""
    return named_by("BLOODAPP_COURSE_NPZ")


@pytest.fixture(scope="session")
def cells_archive() -> Path:
    """The archive of real cells; skips aloud without it."""
    return named_by("BLOODAPP_PBC96")


@pytest.fixture(scope="session")
def course(bench_home: Path, course_file: Path) -> Dataset:
    """The course file as a dataset called `course`; nothing is decided about it."""
    return import_source(course_file, name="course")


@pytest.fixture(scope="session")
def sample(bench_home: Path) -> Dataset:
    """The drawn sample, which is there without any data: 390 images."""
    return import_source("sample", name="sample")


def named_by(variable: str) -> Path:
    """The file that an environment variable names."""
    path = Path(os.environ.get(variable, ""))
    if not path.is_file():
        pytest.skip(f"needs the real cells: set {variable}")
    return path
