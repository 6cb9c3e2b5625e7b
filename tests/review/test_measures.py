"""Measures with known answers: solid colours, ramps, checkerboards."""

import numpy as np
import pytest

from bloodapp.review.measures import joined, likeness, measure, thumbnails


def solid(value: int) -> np.ndarray:
    """One image of one grey."""
    return np.full((1, 96, 96, 3), value, np.uint8)


def texture(seed: int = 0) -> np.ndarray:
    """One image (1, 96, 96, 3) of noise over soft blobs."""
    rng = np.random.default_rng(seed)
    blobs = rng.uniform(60, 200, (12, 12, 3)).repeat(8, 0).repeat(8, 1)
    return np.clip(blobs + rng.normal(0, 8, blobs.shape), 0, 255).astype(np.uint8)[None]


@pytest.mark.parametrize("value", [0, 40, 128, 255])
def test_a_solid_colour_has_its_own_light_and_nothing_else(value: int) -> None:
    """A solid grey: light = mean = its value; no contrast, no entropy, nothing to be sharp."""
    measures = measure(solid(value))
    assert measures.light[0] == measures.upper[0] == measures.mean[0] == value
    assert measures.contrast[0] == measures.entropy[0] == 0
    assert np.isnan([measures.detail[0], measures.lines[0], measures.coarse[0]]).all()


def test_half_black_half_white_is_one_bit() -> None:
    """Two equally frequent shades: one bit of entropy, full contrast, the mean between them."""
    image = solid(0)
    image[:, :, 48:] = 255
    measures = measure(image)
    assert measures.entropy[0] == pytest.approx(1.0)
    assert measures.contrast[0] == 1.0
    assert measures.mean[0] == pytest.approx(127.5)


def test_all_256_shades_are_eight_bits() -> None:
    """Every shade equally often: eight bits of entropy."""
    shades = np.arange(256, dtype=np.uint8).repeat(36).reshape(1, 96, 96)
    assert measure(np.repeat(shades[..., None], 3, axis=3)).entropy[0] == pytest.approx(8.0)


def test_luminance_weighs_green_most() -> None:
    """Rec. 601: pure red, green and blue are 76, 149 and 28 bright."""
    images = np.zeros((3, 16, 16, 3), np.uint8)
    for channel in range(3):
        images[channel, ..., channel] = 255
    assert measure(images).mean.tolist() == [76, 149, 28]


def test_contrast_does_not_depend_on_the_lamp() -> None:
    """Half the light leaves the relative contrast as it is."""
    image = texture()
    dimmed = (image / 2).astype(np.uint8)
    assert measure(dimmed).contrast[0] == pytest.approx(measure(image).contrast[0], abs=0.02)


def test_a_checkerboard_is_sharper_than_a_ramp() -> None:
    """The finest pattern there is has the most detail, a straight ramp hardly any."""
    board = (np.indices((96, 96)).sum(axis=0) % 2 * 100 + 50).astype(np.uint8)
    ramp = np.tile(np.linspace(20, 230, 96).astype(np.uint8), (96, 1))
    coarse = np.kron(np.indices((12, 12)).sum(axis=0) % 2, np.ones((8, 8))) * 100 + 50
    images = np.stack([np.stack([plane] * 3, axis=-1) for plane in (board, coarse, ramp)]).astype(np.uint8)
    lines = measure(images).lines
    assert np.isnan(lines[0]) or lines[0] > lines[1]
    assert lines[1] > lines[2]


def test_blocks_join_to_the_whole() -> None:
    """Measuring in blocks gives what measuring at once gives."""
    images = np.concatenate([texture(seed) for seed in range(5)])
    whole, parts = measure(images), joined([measure(images[:2]), measure(images[2:])])
    assert np.array_equal(whole.detail, parts.detail)
    assert len(parts.take(np.array([0, 3]))) == 2


def test_likeness_is_one_for_the_same_and_for_a_brighter_copy() -> None:
    """A picture is wholly like itself, and like itself under more light; unlike another."""
    image = texture()
    brighter = np.clip(image * 1.1 + 5, 0, 255).astype(np.uint8)
    same, bright, other = likeness(thumbnails(np.concatenate([image, brighter, texture(1)])))
    assert same @ same == pytest.approx(1, abs=1e-5)
    assert same @ bright > 0.98
    assert abs(same @ other) < 0.6


def test_a_flat_picture_is_like_nothing() -> None:
    """A solid colour has a likeness of zeros."""
    assert not likeness(thumbnails(solid(128))).any()


@pytest.mark.parametrize("side", [8, 17, 28, 100, 224])
def test_any_size_can_be_measured(side: int) -> None:
    """Sizes that no block divides are measured too."""
    image = np.random.default_rng(side).integers(0, 256, (2, side, side, 3), dtype=np.uint8)
    assert np.isfinite(measure(image).detail).all()
    assert likeness(thumbnails(image)).shape == (2, 3 * min(side, 24) ** 2)


def stroked(down: int, right: int) -> np.ndarray:
    """One image (1, 96, 96, 3) of noise, moved 9 pixels along a direction while it was taken."""
    noise = np.random.default_rng(3).normal(128, 60, (130, 130, 3))
    images = [np.roll(noise, (k * down, k * right), (0, 1)) for k in range(9)]
    return np.clip(np.mean(images, axis=0)[17:113, 17:113], 0, 255).astype(np.uint8)[None]


def test_each_direction_of_movement_has_its_measure() -> None:
    """Along a row or a column `lines` falls, along a diagonal `slant`; sharp noise is sharp in both."""
    sharp = measure(np.random.default_rng(3).integers(0, 256, (1, 96, 96, 3), dtype=np.uint8))
    for direction in ((0, 1), (1, 0)):
        moved = measure(stroked(*direction))
        assert moved.lines[0] < sharp.lines[0] - 1 and moved.lines[0] < moved.slant[0]
    for direction in ((1, 1), (1, -1)):
        moved = measure(stroked(*direction))
        assert moved.slant[0] < sharp.slant[0] - 1 and moved.slant[0] < moved.lines[0]


def test_a_seam_from_edge_to_edge_is_a_whole_one() -> None:
    """Half and half: the whole line, in either direction; half the line is half of it; a ramp has none."""
    half, quarter = solid(200), solid(200)
    half[:, :, 48:] = 90
    quarter[:, :48, 48:] = 90
    turned = half.transpose(0, 2, 1, 3)
    ramp = np.repeat(np.tile(np.linspace(20, 230, 96).astype(np.uint8), (96, 1))[None, ..., None], 3, axis=3)
    assert measure(half).seam[0] == measure(turned).seam[0] == 1
    assert measure(quarter).seam[0] == pytest.approx(0.5, abs=0.02)
    assert measure(ramp).seam[0] == measure(solid(99)).seam[0] == 0


def test_a_checked_pattern_has_no_seam() -> None:
    """Where every line changes as much as its neighbours none stands out."""
    board = np.indices((96, 96)).sum(axis=0) % 2 * 200
    images = np.repeat(board[None, ..., None], 3, axis=3).astype(np.uint8)
    assert measure(images).seam[0] == 0


@pytest.mark.parametrize(
    ("colour", "red", "blue", "chroma"),
    [
        ((100, 100, 100), 0, 0, 0),
        ((200, 100, 100), np.log(2), 0, 100),
        ((100, 100, 200), 0, np.log(2), 100),
        ((50, 100, 25), -np.log(2), -np.log(4), 75),
        ((0, 0, 0), 0, 0, 0),
    ],
)
def test_a_solid_colour_leans_by_its_ratios(colour: tuple, red: float, blue: float, chroma: float) -> None:
    """Red and blue over green as logarithms, and the difference of the largest and the smallest channel."""
    got = measure(np.full((1, 96, 96, 3), colour, np.uint8))
    assert (got.red[0], got.blue[0]) == (pytest.approx(red, abs=1e-5), pytest.approx(blue, abs=1e-5))
    assert got.chroma[0] == chroma


def test_the_background_decides_the_lean_and_the_strongest_colour_the_chroma() -> None:
    """A small dark violet cell on white glass: no lean at all, and the colour of the cell."""
    image = solid(240)
    image[:, 30:50, 30:50] = (90, 20, 130)
    got = measure(image)
    assert got.red[0] == got.blue[0] == 0
    assert got.chroma[0] == 110


@pytest.mark.parametrize("value", [0, 7, 128, 255])
@pytest.mark.parametrize("side", [8, 24, 47, 48, 96, 100])
def test_thumbnails_of_a_solid_colour_are_that_colour(side: int, value: int) -> None:
    """24 pixels wide, or as they are when smaller; block means of one colour are that colour."""
    small = thumbnails(np.full((2, side, side, 3), value, np.uint8))
    assert small.dtype == np.uint8 and small.shape == (2, *[min(side, 24)] * 2, 3)
    assert (small == value).all()


def test_thumbnails_are_block_means() -> None:
    """Of 4 by 4 pixels at 96, each channel for itself, rounded to the nearest."""
    image = np.random.default_rng(2).integers(0, 256, (1, 96, 96, 3), dtype=np.uint8)
    means = image.reshape(1, 24, 4, 24, 4, 3).mean(axis=(2, 4))
    assert np.array_equal(thumbnails(image), np.floor(means + 0.5).astype(np.uint8))
    assert np.array_equal(measure(image, thumbnails(image)).chroma, measure(image).chroma)
