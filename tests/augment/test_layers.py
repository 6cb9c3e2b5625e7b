"""The layers behind the operations."""

import numpy as np
import pytest

from bloodapp.augment.named import PIPELINES
from bloodapp.augment.operations import OPERATIONS

layers = pytest.importorskip("bloodapp.augment.layers")

SMOOTH = np.add.outer(np.sin(np.arange(48) / 7), np.cos(np.arange(48) / 5))
IMAGE = np.clip(128 + 50 * SMOOTH[..., None] * np.array([1.0, 0.6, -0.8]), 0, 255).astype(np.uint8)
IMAGE[10:20, 12:30] = (200, 40, 60)
IMAGES = np.repeat(IMAGE[None], 16, 0)
LABELS = np.eye(8, dtype=np.float32)[np.arange(16) % 8]
PLAIN = [name for name, operation in OPERATIONS.items() if not operation.branches]
FIXED = {"grayscale", "posterize"}  # these draw nothing


def test_every_operation_has_a_builder_and_the_reverse() -> None:
    """What is declared is what can be built."""
    assert set(layers.BUILDERS) == set(PLAIN)


@pytest.mark.parametrize("name", PLAIN)
def test_an_operation_draws_anew_for_each_image_and_call_and_stays_in_range(name: str) -> None:
    """Equal images come out different within a batch and between calls; a seed repeats them all."""
    draw = layers.Traced(name)
    out, labels = draw(IMAGES, LABELS, 3)
    assert out.shape == IMAGES.shape and out.dtype == np.uint8
    assert np.array_equal(labels, LABELS)
    assert np.abs(out.astype(int) - IMAGES).max() > 0
    again, _ = draw(IMAGES, LABELS, 3)
    assert np.array_equal(out, again)
    if name not in FIXED:
        assert len(np.unique(out.reshape(16, -1), axis=0)) > 2, "one draw for the whole group"
        other, _ = draw(IMAGES, LABELS, 4)
        assert not np.array_equal(out, other)
        assert not np.array_equal(out[:8], out[8:]), "the second group repeats the first"


def test_sometimes_and_oneof_draw_for_groups() -> None:
    """Probability 0 leaves the images alone, 1 changes all; oneof takes each branch now and then."""
    assert np.array_equal(layers.Traced("sometimes(0; grayscale)")(IMAGES, LABELS, 1)[0], IMAGES)
    grey = layers.Traced("sometimes(1; grayscale)")(IMAGES, LABELS, 1)[0]
    assert (grey.max(-1) == grey.min(-1)).all()
    draw = layers.Traced("oneof(none; grayscale)")
    same = [np.array_equal(draw(IMAGES[:8], LABELS[:8], seed)[0], IMAGES[:8]) for seed in range(16)]
    assert 2 < sum(same) < 14


@pytest.mark.parametrize("name", PIPELINES)
def test_named_pipelines_draw(name: str) -> None:
    """Each shipped pipeline builds, draws in range and keeps the number of images, whatever it is."""
    out, _ = layers.Traced(name)(IMAGES[:11], LABELS[:11], 1)
    assert out.shape == IMAGES[:11].shape
    assert out.min() >= 0 and out.max() > out.min()


def test_none_is_the_identity() -> None:
    """The empty pipeline gives back what it is given."""
    assert np.array_equal(layers.Traced("none")(IMAGES, LABELS, 1)[0], IMAGES)


def test_stronger_noise_changes_more() -> None:
    """The number in the text is the strength that is drawn."""
    weak, strong = (
        np.abs(layers.Traced(f"noise({sigma})")(IMAGES, LABELS, 1)[0].astype(int) - IMAGES).mean()
        for sigma in (4, 40)
    )
    assert strong > 4 * weak


def test_half_precision_elsewhere_does_not_reach_the_layers() -> None:
    """Pipelines stay in float32 when the training runs in bfloat16."""
    import keras

    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        out, _ = layers.Traced("randaugment(0.3, 1)")(IMAGES, LABELS, 1)
    finally:
        keras.config.set_dtype_policy("float32")
    assert out.shape == IMAGES.shape
