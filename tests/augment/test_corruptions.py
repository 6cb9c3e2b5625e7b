"""The realistic shift."""

import numpy as np
import pytest

from bloodapp.augment import corruptions

IMAGES = np.random.default_rng(0).integers(40, 216, (12, 96, 96, 3), np.uint8)


def test_the_same_seed_gives_the_same_images() -> None:
    """The draw is a function of seed and key."""
    assert np.array_equal(corruptions.shifted(IMAGES, 5), corruptions.shifted(IMAGES, 5))
    assert not np.array_equal(corruptions.shifted(IMAGES, 5), corruptions.shifted(IMAGES, 6))


def test_the_draw_of_an_image_does_not_depend_on_the_batch() -> None:
    """An image is changed alike alone and among others."""
    keys = np.arange(100, 112)
    whole = corruptions.shifted(IMAGES, 5, keys=keys)
    alone = corruptions.shifted(IMAGES[7:8], 5, keys=keys[7:8])
    assert np.array_equal(whole[7], alone[0])


def test_every_image_is_changed_and_the_originals_are_not() -> None:
    """Each image gets at least two changes; the input stays as it was."""
    before = IMAGES.copy()
    out = corruptions.shifted(IMAGES)
    assert np.array_equal(IMAGES, before)
    assert out.dtype == np.uint8 and out.shape == IMAGES.shape
    distance = np.abs(out.astype(int) - IMAGES).mean((1, 2, 3))
    assert (distance > 3).all()


def test_no_change_destroys_an_image() -> None:
    """The middle of a shifted image still goes with that of the original."""
    ramp = np.tile(np.linspace(60, 200, 96)[None, :, None], (96, 1, 3)).astype(np.uint8)
    out = corruptions.shifted(np.repeat(ramp[None], 40, 0))
    for image in out:
        assert np.corrcoef(image.mean(2).ravel(), ramp.mean(2).ravel())[0, 1] > 0.75


@pytest.mark.parametrize("change", corruptions.CHANGES)
def test_each_change_changes(change: corruptions.Change) -> None:
    """Every change, alone, alters a picture and keeps its shape."""
    pixels = IMAGES[0].astype(np.float32)
    out = change(pixels, np.random.default_rng(1))
    assert out.shape == pixels.shape
    assert np.abs(out - pixels).mean() > 1
