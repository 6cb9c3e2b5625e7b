"""What remains, written in the course's format and read back."""

from pathlib import Path

import numpy as np
import pytest

from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import judge, record
from bloodapp.data.export import export_course
from bloodapp.data.importing import import_source
from bloodapp.errors import SourceError


def test_what_remains(tiny: Dataset, tmp_path: Path) -> None:
    """Excluded images are gone, relabelled ones have their new label, and numpy opens the file."""
    record(tiny, [0, 46, 47], "exclude")
    record(tiny, [5], "relabel", label=2)
    out = tmp_path / "clean.npz"
    assert export_course(tiny, out) == 45
    with np.load(out, allow_pickle=False) as content:
        assert sorted(content) == ["images", "labels"]
        assert (content["images"] == tiny.images[1:46]).all()
        assert content["labels"].dtype == np.uint8
        assert content["labels"].shape == (45, 1)
        expected = tiny.labels[1:46].copy()
        expected[4] = 2
        assert (content["labels"][:, 0] == expected).all()


def test_an_export_comes_in_again(home: Path, tmp_path: Path, tiny_cells: tuple) -> None:
    """Imported again, an export is the same dataset, its own class names included."""
    file = tmp_path / "own.npz"
    np.savez(
        file, images=tiny_cells[0], labels=tiny_cells[1] % 3, classes=np.array(["cat", "platelet", "dog"])
    )
    own = import_source(file)
    export_course(own, tmp_path / "again.npz")
    again = import_source(tmp_path / "again.npz")
    assert again.fingerprint == own.fingerprint
    assert again.classes == own.classes


def test_the_same_state_gives_the_same_file(tiny: Dataset, tmp_path: Path) -> None:
    """Two exports are equal byte by byte."""
    export_course(tiny, tmp_path / "a.npz")
    export_course(tiny, tmp_path / "b.npz", judge(tiny))
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_broken_off_it_leaves_the_old_file(tiny: Dataset, tmp_path: Path) -> None:
    """Whatever interrupts the writing, the file that was there stays, and nothing else lies about."""
    out = tmp_path / "out" / "clean.npz"
    export_course(tiny, out)
    before = out.read_bytes()

    def stop(done: int, total: int, text: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_course(tiny, out, progress=stop)
    assert out.read_bytes() == before
    assert [file.name for file in out.parent.iterdir()] == ["clean.npz"]


def test_nothing_remains(tiny: Dataset, tmp_path: Path) -> None:
    """An export of nothing is a mistake."""
    record(tiny, range(48), "exclude")
    with pytest.raises(SourceError, match="Nothing of 'tiny' remains"):
        export_course(tiny, tmp_path / "clean.npz")
