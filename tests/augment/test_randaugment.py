"""Our RandAugment and AugMix against KerasCV's."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.augment.drawn import Pixels, drawn, unlike

layers = pytest.importorskip("bloodapp.augment.layers")

ROOT = Path(__file__).resolve().parents[2]
IMAGES, SIDE, MAGNITUDE, COUNT = 1024, 32, 0.32, 5

BARE = f"""
import json
import keras
import keras_cv
import numpy as np
import tensorflow as tf
from tests.augment.drawn import unlike

keras.utils.set_random_seed(1)
images = np.tile(unlike(8, {SIDE}), ({IMAGES} // 8, 1, 1, 1)).astype(np.float32)
layer = keras_cv.layers.RandAugment((0, 255), {COUNT}, {MAGNITUDE}, dtype="float32")
batches = tf.data.Dataset.from_tensor_slices(images).batch(128).map(lambda some: layer(some, training=True))
found = np.concatenate([batch.numpy() for batch in batches])
print(json.dumps(np.abs(found - images).mean((1, 2, 3)).tolist()))
"""


def changes(found: Pixels, images: Pixels) -> np.ndarray:
    """The mean absolute change of each image, in grey levels."""
    return np.abs(found.astype(float) - images).mean((1, 2, 3))


def numbers(sampler: object) -> tuple[float, ...] | None:
    """What a sampler of KerasCV's, or ours in its place, draws from; None for what is no sampler."""
    import keras_cv

    if not isinstance(sampler, keras_cv.core.FactorSampler):
        return None
    for names in (
        ("mean", "stddev", "min_value", "max_value"),
        ("mean", "stddev", "low", "high"),
        ("lower", "upper"),
        ("low", "high"),
    ):
        if all(hasattr(sampler, name) for name in names):
            return tuple(float(getattr(sampler, name)) for name in names)
    return (float(sampler.value), float(sampler.value))  # type: ignore[attr-defined]


@pytest.mark.parametrize("magnitude", [0.0, 0.1, 0.32, 0.5, 0.9, 1.0])
def test_strengths_are_kerascvs(magnitude: float) -> None:
    """At any magnitude each operation of the list draws from KerasCV's own numbers, to a thousandth."""
    import keras_cv

    weak, strong, expected = (
        keras_cv.layers.RandAugment((0, 255), magnitude=m, dtype="float32").layers
        for m in (0.0, 1.0, magnitude)
    )
    compared = 0
    for one, other, own in zip(weak, strong, expected, strict=True):
        layers._interpolate(one, other, magnitude)
        for name, value in vars(own).items():
            wanted = numbers(value)
            if wanted is not None:
                found = numbers(getattr(one, name))
                assert found == pytest.approx(wanted, abs=1.1e-3), f"{type(own).__name__}.{name}"
                compared += 1
            elif name.endswith(("_lower", "_upper")):
                assert float(getattr(one, name)) == pytest.approx(value, abs=1e-5)
                compared += 1
    assert compared >= 10


def test_changes_are_distributed_as_kerascvs() -> None:
    """How much images change: the distributions of ours and of the bare layer, in a process without ours, are one.

    By the two-sample Kolmogorov–Smirnov statistic at the level 0.001.
    """
    done = subprocess.run([sys.executable, "-c", BARE], cwd=ROOT, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr[-2000:]
    theirs = np.sort(json.loads(done.stdout.splitlines()[-1]))
    images = np.tile(unlike(8, SIDE), (IMAGES // 8, 1, 1, 1))
    ours = np.sort(changes(drawn(f"randaugment({MAGNITUDE}, {COUNT})", images), images))
    at = np.concatenate([ours, theirs])
    apart = np.abs(np.searchsorted(ours, at, "right") - np.searchsorted(theirs, at, "right")).max() / IMAGES
    assert theirs.mean() > 10
    assert apart < 1.95 * np.sqrt(2 / IMAGES), (ours.mean(), theirs.mean())


def test_the_count_is_how_often_an_operation_is_drawn() -> None:
    """A function is applied as often as the count says, and draws anew each time; one in 11 is passed over."""
    from bloodapp.augment import keyed

    with keyed.drawing(tf.constant([1, 2])):
        for count in (0, 1, 8, tf.constant(5)):
            assert float(keyed.repeated(count, lambda some: some + 1, tf.zeros(3))[0]) == int(count)
        sums = keyed.repeated(4, lambda some: 10 * some + tf.floor(keyed.uniform([], 0, 10)), tf.zeros(1))
    assert len(set(f"{int(sums[0]):04}")) > 1
    images = np.tile(unlike(1, 28), (400, 1, 1, 1))
    unchanged = (changes(drawn("randaugment(1, 1)", images), images) == 0).mean()
    assert 1 / 11 - 0.06 < unchanged < 1 / 11 + 0.25  # some operations happen to do nothing
    assert (
        changes(drawn("randaugment(1, 6)", images), images).mean()
        > 1.2 * changes(drawn("randaugment(1, 1)", images), images).mean()
    )


def test_magnitude_grows() -> None:
    """Stronger magnitudes change more."""
    images = np.tile(unlike(8, 28), (25, 1, 1, 1))
    means = [changes(drawn(f"randaugment({m}, 3)", images), images).mean() for m in (0.05, 0.3, 0.9)]
    assert means[0] < 0.8 * means[1] and means[1] < 0.8 * means[2]


def test_augmix_grows_with_its_severity() -> None:
    """On a ramp, which its operations without a strength leave alone, it changes more and more.

    KerasCV's own changes as much at 0.1 as at 0.9: it solarizes and posterizes the more, the lower the severity is.
    """
    level = np.linspace(0, 255, 64)
    ramp = np.stack(np.broadcast_arrays(level[:, None], level[None], level[::-1, None]), 2)
    images = np.repeat(np.round(ramp).astype(np.uint8)[None], 96, 0)
    medians = [np.median(changes(drawn(f"augmix({s})", images), images)) for s in (0.02, 0.3, 0.9)]
    assert medians[0] < 0.6 * medians[1] and medians[1] < 0.85 * medians[2]
