"""Known answers of stain jitter, edges and corruptions, against their NumPy twins."""

from typing import Any

import numpy as np
import pytest

from bloodapp.augment.corruptions import CORRUPTIONS
from bloodapp.augment.corruptions import corrupt as corrupted
from bloodapp.augment.keys import batch_key
from bloodapp.augment.stain import REFERENCE, jitter, optical_density
from tests.augment.drawn import SIZE, alike, drawn, flat, one_hot, unlike

pytest.importorskip("bloodapp.augment.layers")

UNPLACED = [one for one in CORRUPTIONS if one not in ("motion_blur", "stain_deposit", "bubble")]
"""Corruptions that draw nothing but their severity."""


def own(operation: str, images: np.ndarray, *numbers: Any) -> np.ndarray:
    """What one of our own operations makes of images under key 1, and what it draws first, uniform from 0 to 1."""
    import tensorflow as tf

    from bloodapp.augment import keyed
    from bloodapp.augment import own as ours

    with keyed.drawing(tf.constant(batch_key(1))):
        found: np.ndarray = getattr(ours, operation)(tf.constant(images, tf.float32), *numbers).numpy()
    return found


def test_stain_is_its_numpy_twin() -> None:
    """For the factors that were drawn, within a grey level of `augment.stain.jitter`."""
    import tensorflow as tf

    from bloodapp.augment import keyed

    images, onto = unlike(6), np.linalg.pinv(REFERENCE)
    found = own("stain", images, 0.6, tf.constant(REFERENCE, tf.float32), tf.constant(onto, tf.float32))
    with keyed.drawing(tf.constant(batch_key(1))):
        factors = keyed.uniform([6, 1, 1, 2], -1.0, 1.0).numpy()[:, 0, 0]
    expected = jitter(images, REFERENCE, 1 + 0.6 * factors, np.zeros((6, 2), np.float32))
    assert np.abs(expected - images).mean() > 2
    assert np.abs(found - expected).max() <= 1


def test_stain_leaves_white_alone_and_moves_along_the_dyes() -> None:
    """White stays white; of a colour that only azure B makes, absorbance changes along azure B, within the bound."""
    assert np.array_equal(drawn("stain(0.8)", flat(255)), flat(255))
    azure = np.round(256 * np.exp(-1.2 * REFERENCE[0]) - 1)
    found = drawn("stain(0.5)", flat(*[azure] * 64))[:, 0, 0]
    amounts = optical_density(found) @ np.linalg.pinv(REFERENCE)
    assert np.abs(amounts[:, 1]).max() < 0.06
    assert 0.56 < amounts[:, 0].min() < 0.75 and 1.65 < amounts[:, 0].max() < 1.84


def test_stain_goes_by_the_datasets_vectors() -> None:
    """Other stain vectors, another result."""
    import tensorflow as tf

    from bloodapp.augment.drawing import build

    images, labels, key = tf.constant(unlike(3), tf.float32), one_hot(3), tf.constant(batch_key(1))
    usual, other = (build("stain", stains=one)(images, labels, key)[0] for one in (None, REFERENCE[:, ::-1]))
    assert np.array_equal(usual, drawn("stain", unlike(3)))
    assert not np.array_equal(usual, other)


def test_edges_of_a_disk_are_a_ring() -> None:
    """An even image turns white; of a disk the ground turns white, its rim dark, and what lies within stays."""
    assert (drawn("edges", flat(0, 120, 255)) == 255).all()
    rows, columns = np.mgrid[:SIZE, :SIZE] - SIZE / 2
    away = np.hypot(rows, columns)
    disk = np.where(away[..., None] < 18, (150, 90, 160), (225, 215, 210)).astype(np.uint8)[None]
    found = drawn("edges", disk)[0]
    assert (found[away > 22] == 255).all()
    assert (found[away < 14] == (150, 90, 160)).all()
    rim = found[(away > 16.5) & (away < 18)]
    assert rim.mean() < 50 and (rim < 60).all(1).mean() > 0.6
    half = drawn("edges(0.5)", disk)[0].astype(float)
    assert np.abs(half - (found.astype(float) + disk[0]) / 2).max() <= 0.51


@pytest.mark.parametrize("kind", UNPLACED)
def test_corrupt_is_one_of_the_severities_up_to_its_own(kind: str) -> None:
    """Each image is what `corruptions.corrupt` makes at one of the severities 1 to 3, and all of them occur."""
    images = alike(24)
    found = drawn(f"corrupt({kind}, 3)", images)
    known = np.concatenate([corrupted(images[:1], kind, severity) for severity in (1, 2, 3)])
    same = (found[:, None] == known[None]).all((2, 3, 4))
    assert (same.sum(1) == 1).all() and same.any(0).all()


@pytest.mark.parametrize("kind", ["motion_blur", "stain_deposit", "bubble"])
def test_corrupt_draws_places_by_key(kind: str) -> None:
    """For the severities and seeds that were drawn, each image is what `corruptions.corrupt` makes of it."""
    import tensorflow as tf

    from bloodapp.augment import keyed

    images = unlike(5)
    found = own("corrupt", images, float(list(CORRUPTIONS).index(kind) + 1), 5.0)
    with keyed.drawing(tf.constant(batch_key(1))):
        severity, seeds = (
            keyed.uniform([5], 1, 6, tf.int32).numpy(),
            np.abs(keyed.seeds(5).numpy().astype(int)),
        )
    for row in range(5):
        one = corrupted(
            images[row : row + 1], kind, int(severity[row]), int(seeds[row, 0]), keys=seeds[row, 1:]
        )
        assert np.array_equal(found[row], one[0])


def test_any_corruption_is_any_of_them() -> None:
    """Among 120 images most kinds that draw no place are found, and all images are corrupted somehow."""
    images = alike(120, 28)
    found = drawn("corrupt(any, 1)", images)
    known = np.concatenate([corrupted(images[:1], kind, 1) for kind in UNPLACED])
    same = (found[:, None] == known[None]).all((2, 3, 4))
    assert same.any(0).all()
    shares = same.mean(0)
    assert (np.abs(shares - 1 / len(CORRUPTIONS)) < 4 * np.sqrt(1 / 11 * 10 / 11 / 120)).all()
