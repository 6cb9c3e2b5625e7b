"""Looking around: runs at either end and look-alikes, on datasets whose answer is known."""

import numpy as np

from bloodapp.data.phash import perceptual_hashes, turned_hashes
from bloodapp.review.around import head_cut, like, tail_cut

CELLS = [f"cell {number}" for number in range(100)]


def test_a_tail_of_repeated_pictures_begins_where_it_begins() -> None:
    """Two pictures sixteen times at the end; a chance pair before them belongs to no run."""
    assert tail_cut([*CELLS, *["dog", "cat"] * 16]) == 100
    assert tail_cut([*CELLS[:90], "cell 3", *CELLS[91:], *["dog"] * 20]) == 100


def test_a_run_may_hold_a_few_strangers() -> None:
    """A cell among the memes ends no run, cells in their majority do."""
    memes = ["dog"] * 20
    assert tail_cut([*CELLS, *memes, "a cell", *memes]) == 100
    mixed = [name for number in range(30) for name in ("dog", f"other {number}", f"more {number}")]
    assert tail_cut([*CELLS, *mixed]) is None


def test_no_run_no_cut() -> None:
    """Distinct pictures, pairs, a few copies, one picture throughout and nothing at all have no tail."""
    assert tail_cut(CELLS) is None
    assert tail_cut(CELLS[:50] * 2) is None
    assert tail_cut([*CELLS, *["dog"] * 5]) is None
    assert tail_cut(["dog"] * 50) is None
    assert tail_cut([]) is None and head_cut([]) is None


def test_a_run_at_the_start_ends_where_it_ends() -> None:
    """The same from the other end, and on numbers as well as on text."""
    assert head_cut([*["dog"] * 16, *CELLS]) == 15
    assert head_cut(CELLS) is None
    assert tail_cut(np.array([*range(40), *[7777] * 12], np.uint64)) == 40


def test_look_alikes_come_by_distance_and_then_by_position() -> None:
    """Hashes that differ by 0, 1, 3 and 64 bits; the limit is included, the nearest of several marks counts."""
    hashes = np.array([0b111, 0, 2**64 - 1, 1, 0], np.uint64)
    index, bits = like(hashes, np.array([0], np.uint64), 3)
    assert index.tolist() == [1, 4, 3, 0] and bits.tolist() == [0, 0, 1, 3]
    assert like(hashes, np.array([0], np.uint64), 0)[0].tolist() == [1, 4]
    index, bits = like(hashes, np.array([0, 2**64 - 1], np.uint64), 1)
    assert index.tolist() == [1, 2, 4, 3] and bits.tolist() == [0, 0, 0, 1]


def test_a_flipped_or_turned_picture_is_found(tiny_cells: tuple[np.ndarray, np.ndarray]) -> None:
    """Each of the eight views of a cell is within a few bits of one of its eight hashes."""
    image = tiny_cells[0][5]
    views = [np.rot90(image, 1), image[:, ::-1], image[::-1], np.rot90(image[::-1], 3)]
    hashes = perceptual_hashes(np.stack([*views, tiny_cells[0][6]]))
    found, bits = like(hashes, turned_hashes(image[None])[0], 4)
    assert sorted(found.tolist()) == [0, 1, 2, 3] and bits.max() <= 4
    assert not len(like(hashes, perceptual_hashes(image[None]), 4)[0])
