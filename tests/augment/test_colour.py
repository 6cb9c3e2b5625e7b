"""Known answers of the operations on colour, focus and camera, and of those that cover."""

import colorsys

import numpy as np
import pytest
from PIL import Image, ImageOps

from tests.augment.drawn import SIZE, alike, cell, drawn, flat, unlike

pytest.importorskip("bloodapp.augment.layers")

RANDOM = np.random.default_rng(1).integers(0, 256, (4, SIZE, SIZE, 3)).astype(np.uint8)
RAMP = np.repeat(np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1), 3, 3)  # every grey level once


def test_invert_is_the_negative() -> None:
    """255 - x."""
    assert np.array_equal(drawn("invert", RANDOM), 255 - RANDOM)


@pytest.mark.parametrize(("alpha", "beta"), [(1.5, 0), (0.4, 20), (2, -100), (1, -128), (0, 7)])
def test_scaleabs_is_opencvs(alpha: float, beta: float) -> None:
    """|alpha · x + beta|, rounded and clipped, also where the sum falls below zero."""
    expected = np.clip(np.round(np.abs(alpha * RANDOM.astype(np.float32) + beta)), 0, 255)
    assert np.array_equal(drawn(f"scaleabs({alpha}, {beta})", RANDOM), expected)


@pytest.mark.parametrize("bits", [1, 3, 7])
def test_posterize_keeps_the_upper_bits(bits: int) -> None:
    """All lower bits are zero."""
    assert np.array_equal(drawn(f"posterize({bits})", RANDOM), RANDOM >> (8 - bits) << (8 - bits))


def test_solarize_inverts_what_is_brighter_than_a_threshold() -> None:
    """On a ramp each image has a threshold from 128 up: levels below stay, the others are their negative."""
    found = drawn("solarize(128)", np.repeat(RAMP, 50, 0))[..., 0].reshape(50, 256).astype(int)
    levels = np.arange(256)
    thresholds = (found == levels).sum(1)
    for image, threshold in zip(found, thresholds, strict=True):
        assert np.array_equal(image, np.where(levels < threshold, levels, 255 - levels))
    assert thresholds.min() >= 128 and thresholds.min() < 145 and thresholds.max() > 240


def test_grayscale_is_the_luma() -> None:
    """0.2989 red + 0.587 green + 0.114 blue, in all three channels."""
    expected = RANDOM @ np.array([0.2989, 0.587, 0.114])
    assert np.abs(drawn("grayscale", RANDOM) - expected[..., None]).max() <= 0.6


def test_brightness_adds_within_its_bound() -> None:
    """All channels of a grey image move alike, by up to a fifth of 255 to either side."""
    found = drawn("brightness(0.2)", flat(*[128] * 64)).astype(int) - 128
    assert (found == found[:, :1, :1, :1]).all()
    assert np.abs(found).max() <= 52 and found.max() > 40 and found.min() < -40


def test_contrast_keeps_the_mean() -> None:
    """Means stay, distances from them are multiplied by 0.5 to 1.5."""
    soft = np.repeat((110 + 40 * (RANDOM[:1] / 255.0)).round().astype(np.uint8), 64, 0)
    found = drawn("contrast(0.5)", soft)
    assert np.abs(found.mean((1, 2)) - soft.mean((1, 2))).max() < 0.6
    factors = found.std((1, 2)).mean(1) / soft.std((1, 2)).mean(1)
    assert factors.min() > 0.49 and factors.max() < 1.51 and factors.min() < 0.65 and factors.max() > 1.35


def test_saturation_fades_to_grey_and_leaves_grey_alone() -> None:
    """Grey stays grey; a colour's distance from grey goes from hardly any to more than before, its hue stays."""
    assert np.array_equal(drawn("saturation(0.9)", flat(40, 200)), flat(40, 200))
    found = drawn("saturation(0.9)", flat(*[(170, 120, 140)] * 64))[:, 0, 0].astype(int)
    spread = found.max(1) - found.min(1)
    assert spread.min() < 15 and spread.max() > 90
    assert (found[:, 0] == 170).all(), "in HSV the brightest channel stays"
    vivid = found[spread > 20]
    hues = [colorsys.rgb_to_hsv(*(one / 255))[0] for one in vivid]
    assert np.ptp(hues) < 0.02


def test_hue_turns_within_its_share_of_the_wheel() -> None:
    """The turns of a red fill the range to either side and do not leave it; brightness stays."""
    for amount in (0.05, 0.3):
        found = drawn(f"hue({amount})", flat(*[(200, 40, 40)] * 64))[:, 0, 0]
        turns = np.array([(colorsys.rgb_to_hsv(*(one / 255))[0] + 0.5) % 1 - 0.5 for one in found])
        assert np.abs(turns).max() <= amount + 0.003
        assert turns.max() > 0.8 * amount and turns.min() < -0.8 * amount
        assert np.abs(found.max(1).astype(int) - 200).max() <= 1


def test_jitter_is_its_parts() -> None:
    """With three strengths at zero the fourth is what it is alone, within its bound."""
    light = drawn("jitter(0.2, 0, 0, 0)", flat(*[128] * 64)).astype(int) - 128
    assert np.abs(light).max() <= 52 and light.max() > 40 and light.min() < -40
    assert np.abs(drawn("jitter(0, 0.5, 0.5, 0)", flat(90)).astype(int) - 90).max() <= 1
    red = drawn("jitter(0, 0, 0, 0.1)", flat(*[(200, 40, 40)] * 32))[:, 0, 0]
    turns = np.array([(colorsys.rgb_to_hsv(*(one / 255))[0] + 0.5) % 1 - 0.5 for one in red])
    assert 0.07 < np.abs(turns).max() <= 0.103


def test_channels_shift_each_by_its_own_amount() -> None:
    """Every channel moves by up to the amount of 255, to either side, not together."""
    moved = drawn("channelshift(0.2)", flat(*[128] * 64)).astype(int)[:, 0, 0] - 128
    assert np.abs(moved).max() <= 52 and moved.max() > 40 and moved.min() < -40
    assert np.abs(np.corrcoef(moved.T)[np.triu_indices(3, 1)]).max() < 0.5


def test_channels_are_exchanged() -> None:
    """Every image has its three channels in one of six orders, and all six occur."""
    found = drawn("channelshuffle", flat(*[(10, 100, 200)] * 80))
    orders = {tuple(image) for image in found.reshape(-1, 3).tolist()}
    assert len(orders) == 6 and all(sorted(order) == [10, 100, 200] for order in orders)
    assert (found == found[:, :1, :1]).all()


def test_autocontrast_reaches_black_and_white() -> None:
    """Each channel is stretched, evenly, to 0 and 255; a channel of one level stays."""
    images = unlike(3)
    found = drawn("autocontrast", images)
    assert (found.min((1, 2)) == 0).all() and (found.max((1, 2)) == 255).all()
    low, high = images.min((1, 2), keepdims=True), images.max((1, 2), keepdims=True)
    assert np.abs(found - 255.0 * (images - low) / (high - low)).max() <= 1
    assert np.array_equal(drawn("autocontrast", flat(77)), flat(77))


def test_equalize_is_pillows() -> None:
    """Within two grey levels of ImageOps.equalize, where the brightest level is the rarest as well.

    KerasCV divides by what is left of the pixels without the rarest level, Pillow without the brightest.
    """
    dark = (255 * np.random.default_rng(2).random((3, SIZE, SIZE, 3)) ** 2).astype(np.uint8)
    for images in (dark, RAMP):
        expected = np.stack([np.asarray(ImageOps.equalize(Image.fromarray(image))) for image in images])
        assert np.abs(drawn("equalize", images).astype(int) - expected).max() <= 2


@pytest.mark.parametrize("sigma", [4, 20])
def test_fixed_noise_has_the_standard_deviation_that_it_names(sigma: float) -> None:
    """To 3 %, around zero, for each pixel and channel for itself."""
    noise = drawn(f"noise({sigma}, fixed)", flat(*[128] * 8)).astype(float) - 128
    assert noise.std() == pytest.approx(sigma, rel=0.03)
    assert abs(noise.mean()) < 0.2
    assert abs(np.corrcoef(noise[..., 0].ravel(), noise[..., 1].ravel())[0, 1]) < 0.03
    assert abs(np.corrcoef(noise[:, 1:].ravel(), noise[:, :-1].ravel())[0, 1]) < 0.03


def test_drawn_noise_reaches_up_to_what_it_names() -> None:
    """The images' deviations fill the range from none to sigma."""
    each = (drawn("noise(20)", flat(*[128] * 64)).astype(float) - 128).std((1, 2, 3))
    assert each.max() < 20.6 and each.max() > 17 and each.min() < 3


def test_blur_keeps_the_mean_and_what_is_even() -> None:
    """An even image stays, at its border too; others keep their mean and lose their detail."""
    assert np.array_equal(drawn("blur(5)", flat(0, 100, 255)), flat(0, 100, 255))
    images = np.repeat(RANDOM, 4, 0)
    found = drawn("blur(3)", images)
    assert np.abs(found.mean((1, 2)) - images.mean((1, 2))).max() < 2
    assert found.std((1, 2, 3)).min() < 20 < images.std((1, 2, 3)).min()


def test_sharpness_softens_and_sharpens() -> None:
    """Some of the images lose contrast at their edges and others gain; an even one stays."""
    assert np.array_equal(drawn("sharpness(1)", flat(100)), flat(100))
    edge = [np.abs(np.diff(image.astype(float), axis=0)).max() for image in drawn("sharpness(1)", alike(32))]
    plain = np.abs(np.diff(cell().astype(float), axis=0)).max()
    assert min(edge) < 0.8 * plain and max(edge) > 1.1 * plain


def test_jpeg_loses_more_the_lower_its_quality() -> None:
    """At 95 and above hardly anything on a smooth image, at 5 and above a lot; colours are not saturated."""
    rows, columns = np.mgrid[:SIZE, :SIZE] / SIZE
    smooth = np.stack([100 + 90 * rows, 80 + 100 * columns, 120 + 50 * rows * columns], 2)
    images = np.repeat(np.round(smooth).astype(np.uint8)[None], 32, 0)
    lost = [
        np.abs(drawn(f"jpeg({quality})", images).astype(float) - images).mean((1, 2, 3))
        for quality in (95, 50, 5)
    ]
    assert lost[0].max() < 1.5
    assert lost[0].mean() < lost[1].mean() < lost[2].mean() and lost[2].max() > 4


def test_cutout_covers_one_rectangle_with_grey_black_or_white() -> None:
    """Its sides are a tenth to the amount of the image's, where it does not reach over the border; all three occur."""
    found = drawn("cutout(0.4)", flat(*[60] * 64))
    covered = (found != 60).any(3)
    levels = [set(image[where].ravel().tolist()) for image, where in zip(found, covered, strict=True)]
    assert set().union(*levels) == {0, 128, 255} and all(len(one) == 1 for one in levels)
    for where in covered:
        height, width = where.any(1).sum(), where.any(0).sum()
        assert where.sum() == height * width, "not a rectangle"
        assert min(height, width) >= 1 and max(height, width) <= 0.4 * SIZE + 1
    assert covered.any((0,)).mean() > 0.9, "always the same place"


def test_gridmask_covers_squares_up_to_its_share() -> None:
    """Black squares; their share of an image is amount² at most, give or take the cells that the border cuts."""
    covered = (drawn("gridmask(0.5)", flat(*[200] * 48)) == 0).all(3).mean((1, 2))
    assert covered.max() < 0.5**2 * 1.6 and covered.max() > 0.15 and covered.min() < 0.05
    assert set(np.unique(drawn("gridmask(0.5)", flat(*[200] * 8)))) == {0, 200}
