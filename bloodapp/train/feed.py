"""The feed: shuffled, augmented batches from memory-mapped images, without holding them in memory."""

import itertools
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from bloodapp.augment import layers
from bloodapp.data.images import to_square
from bloodapp.train.recipes import Recipe


def training_batches(
    images: npt.NDArray[np.uint8],
    rows: npt.NDArray[np.int64],
    weights: npt.NDArray[np.float32],
    recipe: Recipe,
    size: int,
    epoch: Callable[[], int],
) -> tf.data.Dataset:
    """Endless (images float32 (B, S, S, 3) in 0–255, label weights float32 (B, C)), shuffled and augmented.

    `images` is the whole dataset (N, H, H, 3), `rows` the training rows, `weights` (N, C) one-hot labels,
    `size` the side S. Each pass over the feed begins with the order of the current `epoch()`, which derives
    from the recipe's seed, so that a continued run goes on with the order it would have had. One feed
    serves all epochs: the pipeline is traced once.
    """
    seed = int(np.random.SeedSequence([recipe.seed, epoch()]).generate_state(1)[0] % 2**31)
    draw = layers.build(recipe.pipeline, seed)

    def order() -> Iterator[npt.NDArray[np.int64]]:
        for number in itertools.count(epoch()):
            yield np.random.default_rng([recipe.seed, number]).permutation(rows)

    feed = tf.data.Dataset.from_generator(order, output_signature=tf.TensorSpec((None,), tf.int64)).unbatch()
    feed = feed.batch(layers.GROUP).map(_reader(images, weights, size), num_parallel_calls=1)
    feed = feed.map(draw, num_parallel_calls=tf.data.AUTOTUNE)
    return feed.rebatch(recipe.batch).prefetch(4)


def plain_batch(
    images: npt.NDArray[np.uint8], rows: npt.NDArray[np.int64], size: int
) -> npt.NDArray[np.float32]:
    """The rows as float32 (B, size, size, 3) in 0–255, resized where the dataset has another size."""
    picked = images[rows]
    if picked.shape[1] != size:
        picked = np.stack([to_square(image, size) for image in picked])
    return picked.astype(np.float32)


def _reader(images: npt.NDArray[np.uint8], weights: npt.NDArray[np.float32], size: int) -> object:
    classes = weights.shape[1]

    def gather(rows: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        return plain_batch(images, rows, size), weights[rows]

    def read(rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        batch, labels = tf.numpy_function(gather, [rows], (tf.float32, tf.float32))
        return tf.ensure_shape(batch, (None, size, size, 3)), tf.ensure_shape(labels, (None, classes))

    return read
