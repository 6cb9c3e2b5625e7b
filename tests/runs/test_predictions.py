"""predictions.npz: written and read back, or refused."""

from pathlib import Path

import numpy as np
import pytest

from bloodapp.errors import InvalidValue, Unreadable
from bloodapp.runs.predictions import FILE, Predictions, read_predictions, write_predictions


def some(shifted: bool = True) -> Predictions:
    """Five images over three classes, two parts."""
    rng = np.random.default_rng(3)
    probabilities = rng.dirichlet([1, 1, 1], 5).astype(np.float32)
    return Predictions(
        np.array([3, 1, 4, 10, 5]),
        np.array(["val", "val", "test", "test", "val"]),
        np.array([0, 2, 1, 1, 0], np.int16),
        probabilities,
        probabilities[::-1] if shifted else None,
    )


@pytest.mark.parametrize("shifted", [True, False])
def test_round_trip(tmp_path: Path, shifted: bool) -> None:
    """What is read is what was written, with the types of the contract; nothing in the file is a pickle."""
    given = some(shifted)
    write_predictions(tmp_path, given)
    read = read_predictions(tmp_path)
    assert read is not None
    assert len(read) == 5
    for name, kind in (("index", np.int64), ("label", np.int16), ("probabilities", np.float32)):
        assert getattr(read, name).dtype == kind
        assert np.array_equal(getattr(read, name), getattr(given, name))
    assert read.part.tolist() == given.part.tolist()
    assert (read.shifted is not None) == shifted
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_one_part(tmp_path: Path) -> None:
    """The rows of a part, in all arrays."""
    test = some().only("test")
    assert test.index.tolist() == [4, 10]
    assert test.shifted is not None and test.shifted.shape == (2, 3)
    assert some(shifted=False).only("val").shifted is None


def test_none_yet(tmp_path: Path) -> None:
    """A run in its first epoch has none."""
    assert read_predictions(tmp_path) is None


def test_shapes_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    """Before anything is written."""
    given = some()
    short = Predictions(given.index[:4], given.part, given.label, given.probabilities)
    with pytest.raises(InvalidValue, match="one row an image"):
        write_predictions(tmp_path, short)
    narrow = Predictions(
        given.index, given.part, given.label, given.probabilities, given.probabilities[:, :2]
    )
    with pytest.raises(InvalidValue, match="Shifted"):
        write_predictions(tmp_path, narrow)
    assert not any(tmp_path.iterdir())


def test_damage_is_told(tmp_path: Path) -> None:
    """A torn file, a file of something else, and a pickle in it."""
    write_predictions(tmp_path, some())
    whole = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(Unreadable, match="damaged"):
        read_predictions(tmp_path)
    (tmp_path / FILE).write_text("not an archive")
    with pytest.raises(Unreadable):
        read_predictions(tmp_path)
    np.savez(tmp_path / FILE, index=np.arange(2), probabilities=np.array([{}, {}], object))
    with pytest.raises(Unreadable):
        read_predictions(tmp_path)
    np.savez(tmp_path / FILE, index=np.arange(2))
    with pytest.raises(Unreadable):
        read_predictions(tmp_path)
