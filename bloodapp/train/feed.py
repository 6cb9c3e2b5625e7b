"""The feed: shuffled, augmented batches from memory-mapped images, without holding them in memory."""

import itertools
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from bloodapp.augment.drawing import build
from bloodapp.augment.keys import batch_key
from bloodapp.data.images import to_square
from bloodapp.train import blocks
from bloodapp.train.recipe import Recipe


def training_batches(
    images: npt.NDArray[np.uint8],
    rows: npt.NDArray[np.int64],
    weights: npt.NDArray[np.float32],
    recipe: Recipe,
    size: int,
    epoch: Callable[[], int],
    stains: npt.NDArray[np.float64] | None = None,
) -> tf.data.Dataset:
    """Endless (images float32 (B, S, S, 3) in 0–255, label weights float32 (B, C)), shuffled and augmented.

    `images` is the whole dataset (N, H, H, 3), `rows` the training rows, `weights` (N, C) one-hot labels,
    `size` the side S, `stains` the dataset's stain vectors (2, 3). The feed begins with the current `epoch()`.
    Rows and draws of a batch derive from the recipe's seed, its epoch and its number alone, so that a continued run
    goes on with the batches it would have had, and a preview can show any of them. One feed serves all epochs.
    With a recipe's `block` the images are read block by block and not mapped.
    """
    draw = build(recipe.pipeline, stains=stains)
    if recipe.block:
        feed = _from_blocks(images, rows, weights, recipe, size, epoch)
        return feed.map(draw, num_parallel_calls=tf.data.AUTOTUNE).prefetch(2)

    def batches() -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]]:
        for number in itertools.count(epoch()):
            for place, chosen in enumerate(epoch_batches(rows, recipe, number)):
                yield chosen, batch_key(recipe.seed, number, place)

    signature = (tf.TensorSpec((recipe.batch,), tf.int64), tf.TensorSpec((2,), tf.int32))
    feed = tf.data.Dataset.from_generator(batches, output_signature=signature)
    feed = feed.map(_reader(images, weights, size), num_parallel_calls=1)
    return feed.map(draw, num_parallel_calls=tf.data.AUTOTUNE).prefetch(2)


def epoch_batches(rows: npt.NDArray[np.int64], recipe: Recipe, epoch: int) -> Iterator[npt.NDArray[np.int64]]:
    """The rows of each batch of an epoch, counted from 0: every row once, but for those too few to fill a batch."""
    return blocks.batches(blocks.epoch_order(rows, recipe.seed, epoch, recipe.block), recipe.batch)


def plain_batch(
    images: npt.NDArray[np.uint8], rows: npt.NDArray[np.int64], size: int
) -> npt.NDArray[np.float32]:
    """The rows as float32 (B, size, size, 3) in 0–255, resized where the dataset has another size."""
    return _sized(images[rows], size)


def _sized(picked: npt.NDArray[np.uint8], size: int) -> npt.NDArray[np.float32]:
    if picked.shape[1] != size:
        picked = np.stack([to_square(image, size) for image in picked])
    return picked.astype(np.float32)


def _from_blocks(
    images: npt.NDArray[np.uint8],
    rows: npt.NDArray[np.int64],
    weights: npt.NDArray[np.float32],
    recipe: Recipe,
    size: int,
    epoch: Callable[[], int],
) -> tf.data.Dataset:
    """The same batches and keys from images that are read block by block; a block holds them as bytes."""
    reader = blocks.BlockReader(images, rows, recipe.seed, recipe.block, recipe.batch)
    classes = weights.shape[1]

    def batches() -> Iterator[tuple[npt.NDArray[np.int64], int, int, npt.NDArray[np.int32]]]:
        for now in itertools.count(epoch()):
            for place, (chosen, number) in enumerate(reader.batches(now)):
                yield chosen, now, number, batch_key(recipe.seed, now, place)

    def gather(
        chosen: npt.NDArray[np.int64], now: int, number: int
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        return _sized(reader.read(chosen, int(now), int(number)), size), weights[chosen]

    def read(chosen: tf.Tensor, now: tf.Tensor, number: tf.Tensor, key: tf.Tensor) -> tuple[tf.Tensor, ...]:
        batch, labels = tf.numpy_function(gather, [chosen, now, number], (tf.float32, tf.float32))
        return tf.ensure_shape(batch, (None, size, size, 3)), tf.ensure_shape(labels, (None, classes)), key

    whole = tf.TensorSpec((), tf.int64)
    signature = (tf.TensorSpec((recipe.batch,), tf.int64), whole, whole, tf.TensorSpec((2,), tf.int32))
    feed = tf.data.Dataset.from_generator(batches, output_signature=signature)
    return feed.map(read, num_parallel_calls=1)


def _reader(
    images: npt.NDArray[np.uint8], weights: npt.NDArray[np.float32], size: int
) -> Callable[..., tuple[tf.Tensor, ...]]:
    classes = weights.shape[1]

    def gather(rows: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        return plain_batch(images, rows, size), weights[rows]

    def read(rows: tf.Tensor, key: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        batch, labels = tf.numpy_function(gather, [rows], (tf.float32, tf.float32))
        return tf.ensure_shape(batch, (None, size, size, 3)), tf.ensure_shape(labels, (None, classes)), key

    return read
