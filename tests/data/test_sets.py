"""Sets of images that were chosen together."""

import numpy as np
import pytest

from bloodapp.data import sets
from bloodapp.data.dataset import Dataset
from bloodapp.errors import InvalidValue


def test_a_set_is_named_after_what_is_in_it(tiny: Dataset) -> None:
    """The same images in any order have one name, and come back ascending, each once."""
    name = sets.keep(tiny, [9, 3, 3, 40])
    assert sets.keep(tiny, np.array([40, 9, 3])) == name != sets.keep(tiny, [9, 3])
    found = sets.read(tiny, name)
    assert found is not None and found.tolist() == [3, 9, 40]


def test_images_that_do_not_exist_are_refused(tiny: Dataset) -> None:
    """In one sentence, and nothing is kept."""
    with pytest.raises(InvalidValue, match="images 0 to 47"):
        sets.keep(tiny, [3, 48])
    assert not (tiny.path / sets.FOLDER).exists()


@pytest.mark.parametrize("name", ["", "gone", "../items", "0123456789abcdef"])
def test_what_is_not_there_is_none(tiny: Dataset, name: str) -> None:
    """A name from a stale or made-up link."""
    assert sets.read(tiny, name) is None


def test_a_damaged_set_is_none(tiny: Dataset) -> None:
    """A torn file is as good as none."""
    name = sets.keep(tiny, [1, 2])
    (tiny.path / sets.FOLDER / f"{name}.npy").write_bytes(b"torn")
    assert sets.read(tiny, name) is None


def test_the_newest_are_kept(tiny: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest goes when there are too many."""
    monkeypatch.setattr(sets, "MOST", 3)
    names = [sets.keep(tiny, [k]) for k in range(5)]
    assert sets.read(tiny, names[-1]) is not None
    assert len(list((tiny.path / sets.FOLDER).glob("*.npy"))) == 3
