"""Perceptual hashes against the library they come from."""

import imagehash
import numpy as np
import pytest
from PIL import Image

from bloodapp.data.phash import hamming, perceptual_hashes, turned_hashes
from bloodapp.data.sample import draw_sample


@pytest.fixture(scope="module")
def drawn() -> np.ndarray:
    """The images of the drawn sample, shared because drawing takes a while."""
    return draw_sample().images


def by_imagehash(images: np.ndarray) -> list[int]:
    """The hexadecimal text that imagehash prints of each image, as a number."""
    return [int(str(imagehash.phash(Image.fromarray(image))), 16) for image in images]


def eight(image: np.ndarray) -> list[np.ndarray]:
    """An image as it is and mirrored left to right, top to bottom, both ways; then the same with swapped axes."""
    mirrored = [image, image[:, ::-1], image[::-1], image[::-1, ::-1]]
    return [np.ascontiguousarray(one) for one in (*mirrored, *(one.transpose(1, 0, 2) for one in mirrored))]


def test_hashes_are_those_of_imagehash(drawn: np.ndarray) -> None:
    """Bit for bit the same for every drawn cell, over several blocks."""
    hashes = perceptual_hashes(drawn)
    assert hashes.dtype == np.uint64
    assert hashes.tolist() == by_imagehash(drawn)


@pytest.mark.parametrize("side", [8, 28, 32, 33, 96, 97, 224])
def test_hashes_of_any_size_are_those_of_imagehash(side: int) -> None:
    """Noise, stripes, steps and flat pictures, larger and smaller than the 32 pixels that are hashed."""
    rng = np.random.default_rng(side)
    images = rng.integers(0, 256, (90, side, side, 3), dtype=np.uint8)
    images[:8] = np.arange(0, 256, 32, dtype=np.uint8)[:, None, None, None]
    images[8:16] = images[:8] // 2
    images[8:16, side // 2 :] += 40
    images[16:24] = images[16:24, :1]
    images[24:32] = np.maximum(images[24:32], images[24:32, ::-1])
    assert perceptual_hashes(images).tolist() == by_imagehash(images)


def test_no_images_have_no_hashes() -> None:
    """Nothing in, nothing out."""
    assert perceptual_hashes(np.zeros((0, 8, 8, 3), np.uint8)).shape == (0,)
    assert turned_hashes(np.zeros((0, 8, 8, 3), np.uint8)).shape == (0, 8)


def test_hamming_counts_bits() -> None:
    """The distance is the number of differing bits, highest bit included."""
    first = np.array([0, 0, 2**64 - 1, 2**63], np.uint64)
    second = np.array([0, 0b1011, 0, 0], np.uint64)
    assert hamming(first, second).tolist() == [0, 3, 64, 1]


def test_a_brighter_copy_is_near_and_another_picture_far(tiny_cells: tuple[np.ndarray, np.ndarray]) -> None:
    """A copy that was made brighter stays within four bits, another cell does not."""
    image, other = tiny_cells[0][0], tiny_cells[0][5]
    brighter = np.clip(image.astype(int) + 8, 0, 255).astype(np.uint8)
    hashes = perceptual_hashes(np.stack([image, brighter, other]))
    assert hamming(hashes[0], hashes[1]) <= 4
    assert hamming(hashes[0], hashes[2]) > 4


def test_turned_hashes_are_those_of_turned_images(drawn: np.ndarray) -> None:
    """Without turning a picture: next to no bit of any of the eight differs, and none of the first."""
    images = drawn[:120]
    found = turned_hashes(images)
    expected = np.array([by_imagehash(np.stack(eight(image))) for image in images], np.uint64)
    assert found.shape == (120, 8)
    assert np.array_equal(found[:, 0], expected[:, 0])
    differing = hamming(found, expected)
    assert (differing == 0).mean() > 0.9 and differing.max() <= 4
