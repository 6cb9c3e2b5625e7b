"""A moving average of a network's weights, which is judged and kept while the weights themselves go on training."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf


class MovingAverage:
    """The average of all weights of a model, the statistics of batch normalisation among them.

    Each step keeps a share of the old average: `kept`, and less in the first steps, (1 + t)/(10 + t) at step t, so that
    the average soon forgets where the weights began (the rule of tf.train.ExponentialMovingAverage). It belongs to the
    model and not to its optimizer, so that it goes on when a new phase begins with a new optimizer.
    """

    def __init__(self, model: keras.Model, kept: float) -> None:
        self.model, self.kept = model, kept
        self._averages = [tf.Variable(weight.numpy(), trainable=False) for weight in model.weights]
        self._update = tf.function(self._updated)

    def step(self, number: int) -> None:
        """Take in the weights after the training's step of that number, from 1."""
        kept = min(self.kept, (1 + number) / (10 + number))
        self._update(tf.constant(1 - kept, tf.float32))

    def _updated(self, taken: tf.Tensor) -> None:
        for average, weight in zip(self._averages, self.model.weights, strict=True):
            value = tf.cast(tf.convert_to_tensor(weight.value), average.dtype)
            average.assign_sub(tf.cast(taken, average.dtype) * (average - value))

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The model has the averaged weights inside the block, and its own again after it."""
        own = self.model.get_weights()
        self.model.set_weights(self.get())
        try:
            yield
        finally:
            self.model.set_weights(own)

    def get(self) -> list[npt.NDArray[np.floating]]:
        """The averaged weights, in the order of `model.weights`."""
        return [average.numpy() for average in self._averages]

    def set(self, weights: Sequence[npt.NDArray[np.floating]]) -> None:
        """Go on from these, as `get` gave them."""
        for average, weight in zip(self._averages, weights, strict=True):
            average.assign(weight)
