"""Known answers of the operations that move pixels."""

import numpy as np
import pytest

from tests.augment.drawn import SIZE, Pixels, alike, drawn, flat

pytest.importorskip("bloodapp.augment.layers")

COUNT = 64
ROWS, COLUMNS = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2


def spots(*places: tuple[float, float, float]) -> Pixels:
    """COUNT images, black but for round spots: (row, column) from the centre and the standard deviation, in pixels."""
    spread = [
        np.exp(-((ROWS - row) ** 2 + (COLUMNS - column) ** 2) / (2 * size**2)) for row, column, size in places
    ]
    picture = np.clip(255 * np.sum(spread, 0), 0, 255)
    return np.repeat(np.repeat(np.round(picture).astype(np.uint8)[None, :, :, None], 3, 3), COUNT, 0)


def ramps() -> Pixels:
    """COUNT images that tell where a pixel comes from: red grows with the column, green with the row, by 2 a pixel."""
    picture = np.stack([2 * COLUMNS + 128, 2 * ROWS + 128, 0 * ROWS], 2)
    return np.repeat(picture.astype(np.uint8)[None], COUNT, 0)


def middles(images: Pixels) -> np.ndarray:
    """The centre of mass of each image, (row, column) from the centre, in pixels: (N, 2)."""
    light = images.mean(3)
    total = light.sum((1, 2))
    return np.stack([(light * ROWS).sum((1, 2)) / total, (light * COLUMNS).sum((1, 2)) / total], 1)


def slopes(channel: np.ndarray, axis: int) -> np.ndarray:
    """The mean growth of the inner pixels from one to the next along an axis of (N, S, S), per image."""
    inner = channel[:, 24:40, 24:40].astype(float)
    return np.diff(inner, axis=axis).mean((1, 2))


def spans(values: np.ndarray, bound: float, slack: float = 0.02) -> bool:
    """Whether values fill the range from -bound to bound and do not leave it."""
    return (
        np.abs(values).max() <= bound * (1 + slack)
        and values.max() > 0.75 * bound
        and values.min() < -0.75 * bound
    )


@pytest.mark.parametrize(
    ("text", "back"),
    [
        ("flip(1)", np.s_[:, ::-1, ::-1]),
        ("flip(1, horizontal)", np.s_[:, :, ::-1]),
        ("flip(1, vertical)", np.s_[:, ::-1]),
    ],
)
def test_flips_mirror(text: str, back: tuple) -> None:
    """At a share of 1 every image is its mirror image, to the pixel."""
    images = alike(4)
    assert np.array_equal(drawn(text, images), images[back])


def test_flip_draws_each_axis_for_itself() -> None:
    """All four of unchanged, mirrored across, down and both occur, a quarter each."""
    images = alike(200, 28)
    found = drawn("flip", images)
    ways = (images, images[:, :, ::-1], images[:, ::-1], images[:, ::-1, ::-1])
    shares = [(found == way).all((1, 2, 3)).mean() for way in ways]
    assert sum(shares) == 1 and min(shares) > 0.13 and max(shares) < 0.37


def test_quarter_turns_are_exact() -> None:
    """Every image is one of the four turns, pixel for pixel, and all four occur."""
    images = alike(COUNT, 28)
    found = drawn("quarterturn", images)
    turns = np.stack([np.rot90(images[0], k) for k in range(4)])
    same = (found[:, None] == turns[None]).all((2, 3, 4))
    assert (same.sum(1) == 1).all() and same.any(0).all()


@pytest.mark.parametrize("angle", [20, 90])
def test_rotate_turns_about_the_centre_within_its_bound(angle: float) -> None:
    """A spot beside the centre keeps its distance, and its angles fill the range to either side."""
    found = middles(drawn(f"rotate({angle}, black)", spots((0, 18, 3))))
    assert np.allclose(np.hypot(*found.T), 18, atol=0.4)
    assert spans(np.degrees(np.arctan2(found[:, 0], found[:, 1])), angle)


def test_shift_moves_both_ways_within_its_bound() -> None:
    """A spot moves by up to a tenth of the side, along either axis for itself, and stays round."""
    found = middles(drawn("shift(0.1, black)", spots((0, 0, 3))))
    for along in found.T:
        assert spans(along, 0.1 * SIZE)
    assert abs(np.corrcoef(found.T)[0, 1]) < 0.5


def test_shift_moves_a_single_pixel() -> None:
    """The light of one bright pixel lies on four neighbours at most and is not lost."""
    images = np.zeros((COUNT, SIZE, SIZE, 3), np.uint8)
    images[:, 32, 32] = 200
    found = drawn("shift(0.3, black)", images)
    assert ((found > 0).any(3).sum((1, 2)) <= 4).all()
    assert np.allclose(found[..., 0].sum((1, 2), dtype=int), 200, atol=3)


def test_zoom_scales_about_the_centre() -> None:
    """Two spots keep their middle; their distance changes within 1 / (1 ± amount), height and width alike."""
    across = drawn("zoom(0.3, black)", spots((0, -12, 2), (0, 12, 2)))
    down = drawn("zoom(0.3, black)", spots((-12, 0, 2), (12, 0, 2)))
    assert np.abs(middles(across)).max() < 0.2
    scales = np.abs(COLUMNS * across.mean(3)).sum((1, 2)) / across.mean(3).sum((1, 2)) / 12
    alike_down = np.abs(ROWS * down.mean(3)).sum((1, 2)) / down.mean(3).sum((1, 2)) / 12
    assert np.allclose(scales, alike_down, rtol=0.02)
    assert scales.min() > 0.98 / 1.3 and scales.max() < 1.02 / 0.7
    assert scales.min() < 0.85 and scales.max() > 1.2


def test_crop_keeps_area_and_aspect_within_their_bounds() -> None:
    """The part that is seen, read off two ramps, has 0.6 to 1 of the area and sides alike to a fifth."""
    found = drawn("crop(0.4, 0.2)", ramps())
    width, height = slopes(found[..., 0], 2) / 2, slopes(found[..., 1], 1) / 2
    area, aspect = width * height, width / height
    assert area.min() > 0.58 and area.max() < 1.02 and area.min() < 0.68 and area.max() > 0.9
    assert aspect.min() > 0.76 and aspect.max() < 1.26 and aspect.std() > 0.04
    square = drawn("crop(0.4)", ramps())
    assert np.allclose(slopes(square[..., 0], 2), slopes(square[..., 1], 1), atol=0.14)
    assert len(np.unique(square[:, 32, 32], axis=0)) > 8, "always the same part"


def test_shear_slants_within_its_bound() -> None:
    """The slants, read off two ramps, fill the range to either side, sideways and upwards."""
    found = drawn("shear(0.2)", ramps())
    for channel, along, across in ((0, 2, 1), (1, 1, 2)):
        slant = slopes(found[..., channel], across) / slopes(found[..., channel], along)
        assert spans(slant, 0.2, slack=0.25)


@pytest.mark.parametrize("text", ["rotate(180, {})", "shift(0.3, {})", "zoom(0.4, {})"])
def test_fills_are_what_they_are_called(text: str) -> None:
    """Of a grey image black and white leave something black or white; the others leave it grey."""
    grey = flat(*[100] * 16)
    for word, levels in (("mirror", {100}), ("edge", {100}), ("black", {0, 100}), ("white", {100, 255})):
        found = drawn(text.format(word), grey)
        flat_levels = {level for level in np.unique(found) if (found == level).mean() > 0.01}
        assert flat_levels == levels, word


def test_mirror_and_edge_differ_at_the_border() -> None:
    """Beside a moved ramp the edge is stretched, level, and the mirror image turns back."""
    for word, falls in (("edge", False), ("mirror", True)):
        found = drawn(f"shift(0.5, {word})", ramps())[..., 0].astype(int)
        moved = found[:, 32, 0] == found[:, 32, 4]
        assert moved.any() != falls
        assert ((np.diff(found[:, 32]) < 0).sum(1) > 3).any() == falls
