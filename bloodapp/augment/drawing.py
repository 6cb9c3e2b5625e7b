"""Pipelines drawn: each operation traced once for all its strengths, composed to what previews and trainings call.

A pipeline is never traced as a whole by the preview: its operations are, one by one, when they are first needed,
and any pipeline of them is drawn without waiting. A training composes the same traced operations to its graph, so
that what one sees is what trains, bit for bit.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from bloodapp.augment import keyed
from bloodapp.augment.keys import place_key
from bloodapp.augment.layers import LAYERS, MIXERS, keras_layers
from bloodapp.augment.operations import OPERATIONS
from bloodapp.augment.parting import parted
from bloodapp.augment.pipelines import Pipeline, Step, changes, idle, resolve
from bloodapp.augment.stain import REFERENCE

Draw = Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]
Pair = tuple[tf.Tensor, tf.Tensor]

_REACHES = (2, 4, 8, 13)
"""Half widths of the blur's kernel that are traced: the least that holds 2.5 standard deviations is taken."""

_tracing = threading.RLock()


def _as_written() -> bytes:
    options = tf.compat.v1.ConfigProto(allow_soft_placement=True)
    options.graph_options.rewrite_options.disable_meta_optimizer = True
    return bytes(options.SerializeToString())


_AS_WRITTEN = _as_written()


def build(pipeline: Pipeline | str, *, stains: npt.NDArray[np.float64] | None = None) -> Draw:
    """A function that augments a batch: eagerly or in tf.data, with the same result to the last bit.

    It takes float32 images (B, S, S, 3) in 0–255, label weights float32 (B, C) and a key int32 (2,), see `keys`;
    it returns the same shapes, the images in whole grey levels. The key alone decides what is drawn. `stains` are
    the dataset's stain vectors (2, 3), the reference's where there are none. Raises PipelineError for a text that
    cannot be read.
    """
    resolved = resolve(pipeline) if isinstance(pipeline, str) else pipeline
    vectors = np.asarray(REFERENCE if stains is None else stains, np.float32)

    def draw(images: tf.Tensor, labels: tf.Tensor, key: tf.Tensor) -> Pair:
        drawn, mixed = _run(resolved, images, labels, key, (), vectors)
        return tf.round(drawn), mixed

    return draw


def draw_batch(
    pipeline: Pipeline,
    images: npt.NDArray[np.uint8],
    weights: npt.NDArray[np.float32],
    key: npt.NDArray[np.int32],
    stains: npt.NDArray[np.float64] | None = None,
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    """The same on arrays: images uint8 (N, S, S, 3) and label weights float32 (N, C), the same shapes back."""
    if not len(images):  # some of KerasCV's layers cannot, and no training asks for it
        return images.copy(), weights.copy()
    draw = build(pipeline, stains=stains)
    drawn, mixed = draw(tf.constant(images, tf.float32), tf.constant(weights), tf.constant(key))
    return drawn.numpy().astype(np.uint8), mixed.numpy()


def _run(
    pipeline: Pipeline,
    images: tf.Tensor,
    labels: tf.Tensor,
    key: tf.Tensor,
    path: tuple[int, ...],
    vectors: Any,
) -> Pair:
    for place, step in enumerate(pipeline.steps):
        if not idle(step):
            images, labels = _step(step, images, labels, key, (*path, place), vectors)
    return images, labels


def _step(
    step: Step, images: tf.Tensor, labels: tf.Tensor, key: tf.Tensor, path: tuple[int, ...], vectors: Any
) -> Pair:
    own_key = key + tf.constant(place_key(path))
    if step.name not in ("oneof", "sometimes"):
        return _called(
            _operation(step, int(images.shape[1])), images, labels, _numbers(step, vectors), own_key
        )

    def branch(number: int) -> Callable[[tf.Tensor, tf.Tensor], Pair]:
        if number >= len(step.branches) or not changes(step.branches[number]):
            return lambda some, weights: (some, weights)
        return lambda some, weights: _run(step.branches[number], some, weights, key, (*path, number), vectors)

    # What `sometimes` does else is a branch as well, an empty one.
    branches = [branch(number) for number in range(max(2, len(step.branches)))]
    per_batch = bool(step.numbers[-1])
    count = 1 if per_batch else tf.shape(images)[0]
    if step.name == "oneof":
        which = tf.random.stateless_uniform([count], own_key, 0, len(branches), tf.int32)
    else:
        drawn = tf.random.stateless_uniform([count], own_key)
        which = tf.cast(drawn >= step.numbers[0], tf.int32)
    if per_batch:
        return tf.switch_case(which[0], [lambda b=one: b(images, labels) for one in branches])
    drawn, mixed = parted(which, branches, images, labels)
    return drawn, mixed


def _called(operation: Any, *arguments: tf.Tensor) -> Pair:
    """The traced operation's answer: as it is written, also where TensorFlow would rearrange its arithmetic.

    Called eagerly a graph is optimized, in tf.data it is not, and the two differ in the last bit.
    """
    if not tf.executing_eagerly():
        return operation(*arguments)
    images, labels = tf.raw_ops.StatefulPartitionedCall(
        args=[*arguments, *operation.captured_inputs],
        Tout=[tf.float32, tf.float32],
        f=operation,
        config_proto=_AS_WRITTEN,
    )
    return tf.ensure_shape(images, arguments[0].shape), labels


def _numbers(step: Step, vectors: Any) -> tf.Tensor:
    numbers = np.asarray(step.numbers, np.float32)
    if step.name != "stain":
        return tf.constant(numbers)
    onto = np.linalg.pinv(vectors).astype(np.float32)
    return tf.constant(np.concatenate([numbers, vectors.ravel(), onto.ravel()]))


def _operation(step: Step, size: int) -> Any:
    """The traced function of an operation: images, labels, its numbers and a key → images and labels."""
    fixed: dict[int, Any] = {
        place: value
        for place, (parameter, value) in enumerate(
            zip(OPERATIONS[step.name].parameters, step.numbers, strict=True)
        )
        if parameter.words or (step.name, parameter.name) == ("augmix", "chains")
    }
    if step.name == "blur":
        fixed[-1] = next(
            reach for reach in _REACHES if 2.5 * step.numbers[0] <= reach or reach == _REACHES[-1]
        )
    return _traced(step.name, tuple(sorted(fixed.items())), size)


@lru_cache(maxsize=512)
def _traced(name: str, fixed: tuple[tuple[int, Any], ...], size: int) -> Any:
    """One operation at one image size as a graph, with what is no tensor in it (words, kernel sizes) `fixed`."""
    known = dict(fixed)
    parameters = OPERATIONS[name].parameters
    share = next((place for place, one in enumerate(parameters) if one.name == "share"), None)
    wants_share = name == "flip"

    def apply(images: tf.Tensor, labels: tf.Tensor, values: tf.Tensor, key: tf.Tensor) -> Pair:
        numbers: list[Any] = [known.get(place, values[place]) for place in range(len(parameters))]
        chosen = None if share is None or wants_share else numbers.pop(share)
        if name == "blur":
            numbers.append(known[-1])
        if name == "stain":
            numbers += [tf.reshape(values[-12:-6], (2, 3)), tf.reshape(values[-6:], (3, 2))]
        with _in_float32(), keyed.drawing(key):
            if chosen is not None:
                taken = keyed.uniform([tf.shape(images)[0]]) < chosen
            if name in MIXERS:
                drawn, mixed = MIXERS[name](images, labels, *numbers)
            else:
                drawn, mixed = LAYERS[name](images, *numbers), labels
        drawn = tf.clip_by_value(tf.cast(drawn, tf.float32), 0.0, 255.0)
        if chosen is not None:
            drawn = tf.where(taken[:, None, None, None], drawn, images)
            mixed = tf.where(taken[:, None], mixed, labels)
        return tf.ensure_shape(drawn, images.shape), tf.ensure_shape(mixed, labels.shape)

    signature = (
        tf.TensorSpec((None, size, size, 3), tf.float32),
        tf.TensorSpec((None, None), tf.float32),
        tf.TensorSpec((None,), tf.float32),
        tf.TensorSpec((2,), tf.int32),
    )
    with _tracing, tf.init_scope():  # for whoever composes it to a graph of his own as well
        keras_layers()
        return tf.function(apply, input_signature=signature, autograph=False).get_concrete_function()


@contextmanager
def _in_float32() -> Iterator[None]:
    """Layers that hold others (RandAugment) give them the global policy, which half precision would break."""
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(policy)
