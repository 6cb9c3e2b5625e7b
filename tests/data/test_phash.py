"""Perceptual hashes against the library they come from, distances against counting bits."""

import imagehash
import numpy as np
from PIL import Image

from bloodapp.data.phash import hamming, near_pairs, perceptual_hashes


def test_hashes_are_those_of_imagehash(tiny_cells: tuple[np.ndarray, np.ndarray]) -> None:
    """The number is the hexadecimal text that imagehash prints."""
    images = tiny_cells[0]
    expected = [int(str(imagehash.phash(Image.fromarray(image))), 16) for image in images]
    hashes = perceptual_hashes(images)
    assert hashes.dtype == np.uint64
    assert hashes.tolist() == expected


def test_no_images_have_no_hashes() -> None:
    """Nothing in, nothing out."""
    assert perceptual_hashes(np.zeros((0, 8, 8, 3), np.uint8)).shape == (0,)


def test_a_brighter_copy_is_near_and_another_picture_far(tiny_cells: tuple[np.ndarray, np.ndarray]) -> None:
    """A copy that was made brighter stays within four bits, another cell does not."""
    image, other = tiny_cells[0][0], tiny_cells[0][5]
    brighter = np.clip(image.astype(int) + 8, 0, 255).astype(np.uint8)
    hashes = perceptual_hashes(np.stack([image, brighter, other]))
    assert hamming(hashes[0], hashes[1]) <= 4
    assert hamming(hashes[0], hashes[2]) > 4


def test_hamming_counts_bits() -> None:
    """The distance is the number of differing bits, highest bit included."""
    first = np.array([0, 0, 2**64 - 1, 2**63], np.uint64)
    second = np.array([0, 0b1011, 0, 0], np.uint64)
    assert hamming(first, second).tolist() == [0, 3, 64, 1]


def test_near_pairs_are_all_pairs() -> None:
    """Chunked comparison finds just what comparing each with each finds, across chunk borders too."""
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 2**64, 700, dtype=np.uint64)
    hashes[600:] = hashes[:100] ^ (np.uint64(1) << rng.integers(0, 64, 100, dtype=np.uint64))
    first, second = near_pairs(hashes, 3)
    close = np.triu(hamming(hashes[:, None], hashes[None, :]) <= 3, 1)
    found = sorted(zip(first.tolist(), second.tolist(), strict=True))
    assert found == [tuple(pair) for pair in np.argwhere(close).tolist()]
    assert len(found) >= 100
