"""Known answers of CutMix, MixUp and FourierMix: labels are what is seen."""

import numpy as np
import pytest

from tests.augment.drawn import MIXERS, SIZE, alike, flat, mixed, one_hot

pytest.importorskip("bloodapp.augment.layers")

LEVELS = np.array([0, 30, 62, 97, 134, 170, 211, 255])
COLOURED = flat(*LEVELS)


def shares(images: np.ndarray) -> np.ndarray:
    """The share of each image's pixels that is of each of LEVELS, (N, 8)."""
    return (images[..., :1] == LEVELS).mean((1, 2))


@pytest.mark.parametrize("name", MIXERS)
def test_labels_are_weights(name: str) -> None:
    """Not below zero, one in sum, two labels at most, and each image keeps some of its own."""
    for seed in range(6):
        _, labels = mixed(name, COLOURED, seed)
        assert labels.min() >= 0 and np.allclose(labels.sum(1), 1, atol=1e-6)
        assert ((labels > 0).sum(1) <= 2).all()
        assert (labels[labels.argmax(1) != np.arange(8)].diagonal() >= 0).all()


@pytest.mark.parametrize("name", ["cutmix", "fouriermix"])
def test_labels_are_the_shares_of_the_pixels(name: str) -> None:
    """With an image a colour, each label's weight is the share of the pixels of its colour, to a thousandth."""
    for seed in range(12):
        found, labels = mixed(name, COLOURED, seed)
        assert np.isin(found, LEVELS).all(), "pixels that no image of the batch has"
        assert np.abs(shares(found) - labels).max() < 1e-3
        assert np.array_equal(found[..., 0], found[..., 1]) and np.array_equal(found[..., 0], found[..., 2])


def test_mixup_blends_by_its_labels() -> None:
    """Every pixel is the mean of the colours of the batch, weighted by the labels, to the rounding."""
    for seed in range(12):
        found, labels = mixed("mixup(1, 1)", COLOURED, seed)
        assert np.abs(found - (labels @ LEVELS)[:, None, None, None]).max() <= 0.501


def test_cutmix_puts_one_rectangle_in() -> None:
    """What is of another colour is a rectangle of one colour."""
    seen = 0
    for seed in range(6):
        found, _ = mixed("cutmix", COLOURED, seed)
        for image, level in zip(found[..., 0], LEVELS, strict=True):
            other = image != level
            seen += other.any()
            assert len(np.unique(image[other])) <= 1
            assert other.sum() == other.any(0).sum() * other.any(1).sum()
    assert seen > 20


@pytest.mark.parametrize("name", MIXERS)
def test_proportions_follow_alpha(name: str) -> None:
    """A small alpha leaves mostly one image, a large one mixes half and half."""

    def mostly_one(alpha: float) -> float:
        labels = np.concatenate([mixed(f"{name}(1, {alpha})", COLOURED, seed)[1] for seed in range(12)])
        return float((labels.max(1) > 0.95).mean())

    # A rectangle as large as the image lies half outside it, so that CutMix mixes more than it draws.
    assert mostly_one(0.05) > (0.4 if name == "cutmix" else 0.8)
    assert mostly_one(4) < 0.25


@pytest.mark.parametrize("name", MIXERS)
def test_partners_vary_and_soft_labels_are_carried(name: str) -> None:
    """Partners change with the key; labels that were weights before are mixed as they are."""
    partners = {tuple((mixed(name, COLOURED, seed)[1] > 0).ravel()) for seed in range(6)}
    assert len(partners) > 3
    soft = np.full((8, 8), 1 / 8, np.float32)
    found = mixed(name, COLOURED, 1, soft)[1]
    assert np.allclose(found, soft, atol=1e-6)


def test_share_of_a_mix_is_of_the_images() -> None:
    """Images that are passed over keep pixels and labels; about a third of 240 is mixed."""
    images = flat(*LEVELS.repeat(30), size=28)
    found, labels = mixed("mixup(0.33, 1)", images, 1, one_hot(8)[np.arange(8).repeat(30)])
    same = (found == images).all((1, 2, 3))
    assert (labels[same].max(1) == 1).all()
    assert 0.55 < same.mean() < 0.85


def test_fouriermix_borders_are_smooth_both_ways() -> None:
    """Parts hang together, as much across as down: few neighbours differ, and fewer with a higher decay."""

    def borders(decay: float) -> list[float]:
        found = np.concatenate([mixed(f"fouriermix(1, 4, {decay})", COLOURED, seed)[0] for seed in range(6)])
        return [float((np.diff(found[..., 0].astype(int), axis=axis) != 0).mean()) for axis in (1, 2)]

    rough, smooth = borders(1), borders(3)
    assert max(smooth) < 0.06 and max(smooth) < 0.5 * min(rough)
    for down, across in (rough, smooth):
        assert 0.7 < down / across < 1.4


def test_one_image_is_its_own_partner() -> None:
    """A batch of one is mixed with itself: unchanged."""
    for name in MIXERS:
        found, labels = mixed(name, alike(1, SIZE))
        assert np.abs(found.astype(int) - alike(1, SIZE)).max() <= 1 and np.allclose(
            labels, one_hot(1), atol=1e-6
        )
