"""Measures with known answers: solid colours, ramps, checkerboards."""

import numpy as np
import pytest

from bloodapp.review.measures import joined, likeness, measure


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
    same, bright, other = likeness(np.concatenate([image, brighter, texture(1)]))
    assert same @ same == pytest.approx(1, abs=1e-5)
    assert same @ bright > 0.98
    assert abs(same @ other) < 0.6


def test_a_flat_picture_is_like_nothing() -> None:
    """A solid colour has a likeness of zeros."""
    assert not likeness(solid(128)).any()


@pytest.mark.parametrize("side", [8, 17, 28, 100, 224])
def test_any_size_can_be_measured(side: int) -> None:
    """Sizes that no block divides are measured too."""
    image = np.random.default_rng(side).integers(0, 256, (2, side, side, 3), dtype=np.uint8)
    assert np.isfinite(measure(image).detail).all()
    assert likeness(image).shape == (2, 3 * min(side, 24) ** 2)
