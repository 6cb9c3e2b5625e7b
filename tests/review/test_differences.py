"""What was done to a copy is told from its pixels: each known change on real shapes, alone and with others."""

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from bloodapp.data.dataset import Dataset
from bloodapp.review.differences import TURNS, difference, outlines, turned_back, unlike
from bloodapp.review.groups import alike
from tests.conftest import draw_tiny_cells

Image8 = NDArray[np.uint8]


@pytest.fixture(scope="module")
def cells() -> Image8:
    """Eight pictures, one of each class, lightly smoothed as a lens does."""
    smooth = draw_tiny_cells()[0][:8].astype(np.float32)
    for axis in (1, 2):
        smooth = (np.roll(smooth, 1, axis) + 2 * smooth + np.roll(smooth, -1, axis)) / 4
    return smooth.round().astype(np.uint8)


def saved(image: Image8, quality: int) -> Image8:
    """Saved as JPEG and read again."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer).convert("RGB"))


def lit(image: Image8, times: float) -> Image8:
    """Under another light."""
    return np.clip(np.rint(image * np.float32(times)), 0, 255).astype(np.uint8)


def moved(image: Image8, down: int, right: int) -> Image8:
    """Moved by pixels, the border repeated."""
    rows, columns = (np.clip(np.arange(96) - step, 0, 95) for step in (down, right))
    return image[rows[:, None], columns[None, :]]


def turned(image: Image8, mirrored: bool, quarters: int) -> Image8:
    """Mirrored left to right, then turned to the right."""
    return np.rot90(image[:, ::-1] if mirrored else image, -quarters)


def test_the_same_pixels_are_identical(cells: Image8) -> None:
    """No figure, nothing shown, nothing outlined."""
    found = difference(cells[0], cells[0].copy())
    assert (found.words, found.figures) == ("identical in every pixel", "")
    assert found.most == 0 and found.share == 0 and not found.places.any() and not found.moved


@pytest.mark.parametrize(("down", "right"), [(0, 2), (1, 0), (-1, 1), (3, -5)])
def test_a_shift_is_found_and_taken_back(cells: Image8, down: int, right: int) -> None:
    """Not one pixel differs then; those that the copy lacks are not compared."""
    for cell in cells:
        found = difference(cell, moved(cell, down, right))
        assert found.shift == (down, right)
        assert found.most == 0
        assert found.seen.sum() == (96 - abs(down)) * (96 - abs(right))
        assert (found.back[found.seen] == cell[found.seen]).all()


def test_a_shift_in_words(cells: Image8) -> None:
    """How far and which way, one pixel in the singular."""
    said = [
        difference(cells[2], moved(cells[2], down, right)).words for down, right in ((0, 2), (-1, 0), (2, -1))
    ]
    assert said == [
        "shifted by 2 pixels to the right, otherwise identical in every pixel",
        "shifted by 1 pixel up, otherwise identical in every pixel",
        "shifted by 1 pixel to the left and 2 down, otherwise identical in every pixel",
    ]


@pytest.mark.parametrize(("times", "said"), [(1.08, "brighter by 8 %"), (0.96, "darker by 4 %")])
def test_another_light_is_said_and_taken_back(cells: Image8, times: float, said: str) -> None:
    """Whatever is cut off at white; what is left is nothing."""
    for cell in cells:
        assert difference(cell, lit(cell, times)).words == f"{said}, otherwise identical in every pixel"


@pytest.mark.parametrize("turn", TURNS[1:])
def test_turned_and_mirrored_copies_are_turned_back(cells: Image8, turn: tuple[bool, int]) -> None:
    """Each of the seven other positions is named and leaves no difference."""
    for cell in cells:
        copy = turned(cell, *turn)
        assert (turned_back(copy, turn) == cell).all()
        found = difference(cell, copy)
        assert (found.turn, found.most) == (turn, 0)
    names = {(False, 1): "turned by 90° to the right", (True, 0): "mirrored", (False, 2): "turned by 180°"}
    assert found.words.startswith(names.get(turn, ""))


@pytest.mark.parametrize("quality", [40, 60, 75])
def test_compression_alone_is_no_change_of_the_picture(cells: Image8, quality: int) -> None:
    """It differs nearly everywhere, in no place of its own, and says why; also where the first is the re-saved one."""
    for cell in cells:
        found = difference(cell, saved(cell, quality))
        assert found.words == "re-saved: compression only"
        assert found.share > 0.5 and "differs in" in found.figures and not found.places.any()
    assert difference(saved(cells[0], quality), cells[0]).resaved


def test_several_changes_are_all_said(cells: Image8) -> None:
    """Turned, or moved and lit, and then saved."""
    for cell in cells:
        found = difference(cell, saved(lit(moved(cell, 1, -1), 1.05), 70))
        assert (found.shift, found.resaved) == ((1, -1), True)
        assert found.light == pytest.approx(1.05, abs=0.012)
        found = difference(cell, saved(turned(cell, False, 3), 60))
        assert (found.turn, found.resaved) == ((False, 3), True)


def test_a_place_that_was_changed_is_outlined(cells: Image8) -> None:
    """A dark patch: where, how many pixels, how much; nothing else is blamed for it."""
    copy = cells[1].copy()
    copy[20:32, 50:62] = 20
    found = difference(cells[1], copy)
    assert found.words == "changed in one place"
    assert (found.turn, found.shift, found.light, found.resaved) == (TURNS[0], (0, 0), 1.0, False)
    assert found.share == pytest.approx(144 / 96**2, abs=1e-4)
    assert found.figures == f"differs in 2 % of the pixels, by at most {found.most} of 255"
    rows, columns = np.nonzero(found.places)
    assert rows.min() < 20 and rows.max() > 31 and columns.min() < 50 and columns.max() > 61
    assert rows.min() >= 16 and columns.max() <= 65


def test_a_patch_in_a_resaved_and_moved_copy_is_still_outlined(cells: Image8) -> None:
    """Compression and a shift hide no change of the picture."""
    copy = moved(cells[1], 0, 2)
    copy[20:32, 50:62] = 120
    found = difference(cells[1], saved(copy, 70))
    assert found.shift == (0, 2) and found.number_of_places == 1


def test_another_picture_is_neither_turned_nor_moved(cells: Image8) -> None:
    """What brings two different pictures a little nearer is chance and is not said."""
    for cell in cells[1:]:
        found = difference(cells[0], cell)
        assert not found.moved and not found.resaved
        assert found.words.startswith(("changed in", "brighter by", "darker by"))


def test_noise_and_blur_are_not_called_compression(cells: Image8) -> None:
    """Only what JPEG can have made is said to be its work, also of a picture that was a JPEG before."""
    rng = np.random.default_rng(1)
    for cell in [*cells, *(saved(cell, 90) for cell in cells[:3])]:
        noisy = np.clip(cell + rng.normal(0, 4, cell.shape), 0, 255).astype(np.uint8)
        softer = sum(
            np.roll(cell.astype(np.uint16), step, (0, 1)) for step in ((0, 1), (1, 0), (0, -1), (-1, 0))
        )
        assert not difference(cell, noisy).resaved
        assert not difference(cell, (np.asarray(softer) // 4).astype(np.uint8)).resaved


def test_flat_pictures_differ_in_light_and_in_nothing_else() -> None:
    """Nothing to find a shift or a position by, and no error either."""
    grey = np.full((96, 96, 3), 120, np.uint8)
    assert difference(grey, grey + 12).words == "brighter by 10 %, otherwise identical in every pixel"
    assert difference(grey, 0 * grey).most == 120
    with pytest.raises(ValueError, match="one size"):
        difference(grey, grey[:48, :48])


def test_the_outline_runs_around_a_place() -> None:
    """The four sides of a square between the pixels; a hole has its own."""
    mask = np.zeros((8, 8), bool)
    mask[2:6, 3:7] = True
    assert sorted(outlines(mask)) == [(3, 2, 3, 6), (3, 2, 7, 2), (3, 6, 7, 6), (7, 2, 7, 6)]
    mask[3, 4] = False
    assert len(outlines(mask)) == 8
    assert len(outlines(np.ones((8, 8), bool))) == 4


def test_copies_are_ordered_by_how_unlike_they_are(cells: Image8) -> None:
    """The same turned is as like as itself; another cell is least like."""
    how = unlike(cells[0], np.stack([cells[0], turned(cells[0], True, 1), moved(cells[0], 2, 2), cells[5]]))
    assert how[0] == pytest.approx(0, abs=1e-5) and how[1] < 0.005 < how[2] < how[3]


def test_a_group_shows_each_picture_label_and_part_once(tiny: Dataset) -> None:
    """Images 0, 46 and 47 are one picture, 47 under another label; 5 is another picture and stands first."""
    laid = alike(tiny, np.array([0, 5, 46, 47]), 0)
    assert [(one.first, one.same) for one in laid] == [(5, False), (47, True), (46, True)]
    (only,) = alike(tiny, np.array([0, 46]), 46)
    assert only.indices.tolist() == [0] and only.same
    (both,) = alike(tiny, np.array([0, 46, 47]), 47)
    assert both.indices.tolist() == [0, 46]
