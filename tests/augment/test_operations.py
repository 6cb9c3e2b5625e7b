"""What holds for every operation: taken from the declarations, so that none can be forgotten."""

from itertools import product

import numpy as np
import pytest

from bloodapp.augment.operations import GROUPS, OPERATIONS
from bloodapp.augment.pipelines import Pipeline, Step, idle, parse
from tests.augment.drawn import (
    CLASSES,
    MIXERS,
    PLAIN,
    SIZE,
    alike,
    called,
    drawn,
    mixed,
    one_hot,
    strengths,
    unlike,
)

layers = pytest.importorskip("bloodapp.augment.layers")

UNDRAWN = {"grayscale", "posterize", "equalize", "autocontrast", "invert", "scaleabs", "edges"}
"""These do the same to every image, whatever the key; all others draw."""

PASSED_OVER = {"randaugment", "augmix", "jpeg"}
"""Zero strength is the image itself only since it is passed over: the lists of the first two hold operations without a
strength, and JPEG at its best quality still takes colours by fours."""

OFF_BY = {"hue": 1.01, "jitter": 1.01}
"""Grey levels by which an operation at zero strength may miss, 0.51 for others: colours to a wheel and back."""

WHOLE = sorted(set(PLAIN) - set(MIXERS))


def test_every_operation_has_a_layer_and_the_reverse() -> None:
    """What is declared is what can be drawn, and stands in a group."""
    assert set(layers.LAYERS) | set(layers.MIXERS) == set(PLAIN)
    assert set(layers.MIXERS) == set(MIXERS)
    assert {operation.group for operation in OPERATIONS.values()} == set(GROUPS)


def test_defaults_lie_within_their_bounds() -> None:
    """Defaults and neutral values are within what they may be, and words are whole numbers from 0."""
    for parameter in (one for operation in OPERATIONS.values() for one in operation.parameters):
        assert parameter.low <= parameter.default <= parameter.high
        assert parameter.neutral is None or parameter.low <= parameter.neutral <= parameter.high
        if parameter.words:
            assert parameter.whole and (parameter.low, parameter.high) == (0, len(parameter.words) - 1)


@pytest.mark.parametrize("name", PLAIN)
def test_zero_strength_is_the_identity(name: str) -> None:
    """At zero strength images and labels come back as they were; also where the operation is really called."""
    images, step = unlike(4), strengths(name)
    assert idle(step), "it has no strength that turns it off"
    found, labels = mixed(Pipeline((step,)), images)
    assert np.array_equal(found, images) and np.array_equal(labels, one_hot(4))
    if name not in PASSED_OVER:
        assert np.abs(called(step, images) - images).max() <= OFF_BY.get(name, 0.51)


@pytest.mark.parametrize("name", PLAIN)
def test_shape_type_and_range(name: str) -> None:
    """Whatever the size and number of the images, none at all included, they come back as many, of that size."""
    for size, count in ((SIZE, 5), (SIZE, 1), (SIZE, 0), (28, 2), (96, 2)):
        images = unlike(count, size) if count else alike(1, size)[:0]
        found, labels = mixed(name, images)
        assert found.shape == images.shape and found.dtype == np.uint8
        assert labels.shape == (count, CLASSES) and labels.dtype == np.float32
        assert np.allclose(labels.sum(1), 1, atol=1e-5)


@pytest.mark.parametrize("name", PLAIN)
def test_what_is_drawn_is_finite_and_in_range_at_both_ends_of_every_bound(name: str) -> None:
    """Noise under each number at its lowest and highest, all lowest, all highest, each word: 0–255 and whole."""
    import tensorflow as tf

    from bloodapp.augment.drawing import build

    parameters = OPERATIONS[name].parameters
    usual = [p.default for p in parameters]
    tried = {tuple(usual), tuple(p.low for p in parameters), tuple(p.high for p in parameters)}
    for place, parameter in enumerate(parameters):
        values = range(len(parameter.words)) if parameter.words else (parameter.low, parameter.high)
        tried |= {(*usual[:place], float(value), *usual[place + 1 :]) for value in values}
    noise = np.random.default_rng(3).integers(0, 256, (3, SIZE, SIZE, 3)).astype(np.float32)
    noise[1], noise[2] = 0, 255
    for values in sorted(tried):
        draw = build(Pipeline((Step(name, values),)))
        found, labels = (
            one.numpy() for one in draw(tf.constant(noise), tf.constant(one_hot(3)), tf.constant([5, 7]))
        )
        assert np.isfinite(found).all() and found.min() >= 0 and found.max() <= 255, values
        assert np.array_equal(found, np.round(found)), values
        assert np.isfinite(labels).all() and np.allclose(labels.sum(1), 1, atol=1e-4), values


@pytest.mark.parametrize("name", PLAIN)
def test_the_key_alone_decides(name: str) -> None:
    """The same key gives the same, another one another; equal images come out different, unless nothing is drawn."""
    images = unlike(8) if name in MIXERS else alike(8)
    first, again, other = (drawn(name, images, seed) for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, images), "it does nothing at its defaults"
    if name in UNDRAWN:
        assert np.array_equal(first, other)
        assert (first == first[0]).all()
    else:
        assert not np.array_equal(first, other)
        if name not in MIXERS:
            assert len(np.unique(first.reshape(8, -1), axis=0)) > 2, "one draw for the whole batch"


@pytest.mark.parametrize("name", PLAIN)
def test_a_training_draws_what_a_preview_draws(name: str) -> None:
    """In the graph of tf.data, bit for bit what an eager call gives, images and labels."""
    import tensorflow as tf

    from bloodapp.augment.drawing import build
    from bloodapp.augment.keys import batch_key

    images, labels = unlike(5), one_hot(5)
    one = tf.data.Dataset.from_tensors((tf.constant(images, tf.float32), labels, batch_key(1)))
    found, weights = next(iter(one.map(build(parse(name)))))
    expected, expected_weights = mixed(name, images)
    assert np.array_equal(found.numpy(), expected)
    assert np.array_equal(weights.numpy(), expected_weights)


@pytest.mark.parametrize(
    "name", [name for name in PLAIN if any(p.name == "share" for p in OPERATIONS[name].parameters)]
)
def test_share_is_the_share_of_images(name: str) -> None:
    """Of 200 images about 60 are done to at a share of 0.3, and all or none at 1 and 0 (flip: along each axis)."""
    images = unlike(200, 28)
    step = Step(name, tuple(0.3 if p.name == "share" else p.default for p in OPERATIONS[name].parameters))
    changed = (drawn(Pipeline((step,)), images) != images).any((1, 2, 3)).mean()
    # flip: either axis; quarterturn: not by 0 degrees; channelshuffle: 5 of 6 orders; a mix may leave no trace
    expected = {"flip": 0.51, "quarterturn": 0.225, "channelshuffle": 0.25}.get(name, 0.3)
    assert abs(changed - expected) < 4 * np.sqrt(expected * (1 - expected) / 200) + (
        0.06 if name in MIXERS else 0
    )


@pytest.mark.parametrize("name", WHOLE)
def test_stronger_changes_more(name: str) -> None:
    """At a fifth of the way from nothing to its default an operation changes less than at its default."""
    images = unlike(16)

    def change(share: float) -> float:
        parameters = OPERATIONS[name].parameters
        values = (
            p.default if p.neutral is None else p.neutral + share * (p.default - p.neutral)
            for p in parameters
        )
        rounded = (float(round(v)) if p.whole else v for p, v in zip(parameters, values, strict=True))
        found = drawn(Pipeline((Step(name, tuple(rounded)),)), images)
        return float(np.abs(found.astype(int) - images).mean())

    weak, usual = change(0.2), change(1.0)
    assert usual > 1.15 * weak and usual > 0.2


def test_half_precision_elsewhere_does_not_reach_the_layers() -> None:
    """Operations traced while a training computes in bfloat16 are those traced in float32, to the last bit."""
    import keras

    from bloodapp.augment import drawing

    image, cached = unlike(3, 28), drawing._traced
    for name in ("randaugment", "augmix", "fouriermix", "jitter", "rotate", "equalize"):
        before = drawn(name, image)
        keras.config.set_dtype_policy("mixed_bfloat16")
        try:
            drawing._traced = cached.__wrapped__
            after = drawn(name, image)
        finally:
            drawing._traced = cached
            keras.config.set_dtype_policy("float32")
        assert np.array_equal(before, after), name


def test_every_pair_of_words_is_drawn_differently() -> None:
    """A word is no decoration: two words of one parameter give two results for some image."""
    images = unlike(4)
    for name, operation in OPERATIONS.items():
        for place, parameter in enumerate(operation.parameters):
            if not parameter.words or operation.branches or name == "corrupt":
                continue
            usual = [p.default for p in operation.parameters]
            found = [
                drawn(Pipeline((Step(name, (*usual[:place], float(word), *usual[place + 1 :])),)), images)
                for word in range(len(parameter.words))
            ]
            for one, other in product(range(len(found)), repeat=2):
                assert one == other or not np.array_equal(found[one], found[other]), (name, one, other)
