"""Where a network looks: Grad-CAM. Imports TensorFlow.

Gradient-weighted class activation mapping (R. R. Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks
via Gradient-based Localization", ICCV 2017): the channels of a map of features, each weighted by how much the score of
a class grows with it on average, added up; what is negative speaks for other classes and is left out.

Where a place of the map lies in the image is measured, not assumed: TensorFlow pads strided convolutions at the right
and below, so that a place looks up to half its own width further down than an even grid would have it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from bloodapp.classify.predictor import Predictor, last_of_each_size, networks
from bloodapp.errors import InvalidValue

BATCHES = (2, 16)
"""Shapes that are traced for: the answer and the label of one image do not wait for a padded batch."""

LOGITS = "logits"

_NOISE = 4
"""Images of noise on which a map's offset is measured."""

_Maps = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


@dataclass(frozen=True, eq=False)
class _Network:
    """One network of a model: its maps of features by their side in places, and its scores (N, C)."""

    maps: dict[int, keras.KerasTensor]
    scores: keras.KerasTensor


class Explainer:
    """What lights up in the images that a predictor is asked about.

    Attributes:
        predictor: whose network it is.
        sides: the sides of the maps that can be asked for, in places, finest first; the last is the default.
    """

    def __init__(self, predictor: Predictor) -> None:
        """Look through the predictor's network; raises InvalidValue if it has no map of features."""
        self.predictor = predictor
        model = predictor.model
        self._networks = [_network(model, before) for before in networks(model) or [""]]
        if not all(network.maps for network in self._networks):
            raise InvalidValue(
                f"The model of run '{predictor.run.name}' keeps no map of the image that could be shown: "
                "hide parts of the image instead."
            )
        self.sides = tuple(sorted({side for one in self._networks for side in one.maps}, reverse=True))
        self._traced: dict[int, _Maps] = {}

    def maps(
        self, images: npt.NDArray[np.uint8], classes: npt.ArrayLike, *, side: int | None = None
    ) -> npt.NDArray[np.float32]:
        """How much each place speaks for a class, float32 (N, S, S) of 0 to 1, the most in an image being 1.

        Of several networks in one, the mean of their maps. All 0 where nothing speaks for the class.

        Args:
            images: uint8 (N, S, S, 3).
            classes: (N,), the class that is asked about, in the run's order.
            side: of the map of features; the last one's unless said otherwise. Of networks that have none of this side,
                the nearest.

        Raises InvalidValue for images of another shape and classes that are none.
        """
        size, of = self.predictor.size, np.asarray(classes, np.int32).reshape(-1)
        if images.dtype != np.uint8 or images.shape != (len(of), size, size, 3):
            raise InvalidValue(
                f"Run '{self.predictor.run.name}' takes uint8 images of ({len(of)}, {size}, {size}, 3), "
                f"not {images.dtype} {images.shape}."
            )
        if len(of) and not 0 <= of.min() <= of.max() < len(self.predictor.classes):
            raise InvalidValue(f"There are {len(self.predictor.classes)} classes, counted from 0.")
        batch = BATCHES[0] if len(of) <= BATCHES[0] else BATCHES[1]
        found = [np.zeros((0, size, size), np.float32)]
        for start in range(0, len(of), batch):
            here = slice(start, start + batch)
            count = len(of[here])
            pixels = np.zeros((batch, size, size, 3), np.uint8)
            pixels[:count] = images[here]
            asked = np.zeros(batch, np.int32)
            asked[:count] = of[here]
            with self.predictor.lock:
                answer = self._of_side(side or self.sides[-1])(tf.constant(pixels), tf.constant(asked))
            found.append(answer.numpy()[:count])
        return np.concatenate(found)

    def _of_side(self, side: int) -> _Maps:
        if side not in self._traced:
            chosen = [
                (network.maps[min(network.maps, key=lambda one: (abs(one - side), one))], network.scores)
                for network in self._networks
            ]
            self._traced[side] = _traced(self.predictor.model, chosen, self.predictor.size)
        return self._traced[side]


def _network(model: keras.Model, before: str) -> _Network:
    maps = [one for one in last_of_each_size(model, before) if len(one.shape) == 4 and one.shape[1] > 1]
    return _Network({int(one.shape[1]): one for one in maps}, _scores(model, before))


def _scores(model: keras.Model, before: str) -> keras.KerasTensor:
    """What a network says of the classes ahead of its softmax, else its probabilities.

    A sure answer's probability hardly moves whatever changes; the score behind it does.
    """
    layers = {layer.name: layer for layer in model.layers}
    if before + LOGITS in layers:
        return layers[before + LOGITS].output
    last = layers.get(before + "probabilities", model.layers[-1])
    return last.input if isinstance(last, keras.layers.Softmax) else model.outputs[0]


def _traced(
    model: keras.Model, chosen: list[tuple[keras.KerasTensor, keras.KerasTensor]], size: int
) -> _Maps:
    """Images in 0 to 255 and classes (N,) → maps float32 (N, size, size); traced once a shape, on first use."""
    some = keras.Model(model.input, [tensor for pair in chosen for tensor in pair])
    spread = [_enlarging(features, _offset(model, features, size), size) for features, _ in chosen]

    @tf.function(autograph=False)
    def maps(images: tf.Tensor, classes: tf.Tensor) -> tf.Tensor:
        pixels = tf.cast(images, tf.float32)
        with tf.GradientTape() as tape:
            tape.watch(pixels)  # a frozen network's weights are not watched
            found = tf.nest.flatten(some(pixels, training=False))
            features, scores = found[::2], found[1::2]
            # The networks know nothing of each other, so that the sum has the slope of each.
            asked = tf.add_n(
                [tf.gather(tf.cast(one, tf.float32), classes, axis=1, batch_dims=1) for one in scores]
            )
        slopes = tape.gradient(asked, features)
        return tf.add_n([_map(*one) for one in zip(features, slopes, spread, strict=True)]) / len(features)

    return maps


def _map(
    features: tf.Tensor, slopes: tf.Tensor, spread: tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]
) -> tf.Tensor:
    features, slopes = tf.cast(features, tf.float32), tf.cast(slopes, tf.float32)
    weights = tf.reduce_mean(slopes, axis=(1, 2), keepdims=True)
    lit = tf.nn.relu(tf.reduce_sum(weights * features, axis=-1))
    large = tf.einsum("yh,nhw,xw->nyx", spread[0], lit, spread[1])
    return tf.math.divide_no_nan(large, tf.reduce_max(large, axis=(1, 2), keepdims=True))


def _offset(model: keras.Model, features: keras.KerasTensor, size: int) -> npt.NDArray[np.float64]:
    """How far down and to the right of its even share of the image a place of the map looks, pixels (2,).

    From where in images of noise the slopes of the places in the middle lie (the effective receptive field: W. Luo
    et al., NIPS 2016).
    """
    middle = [slice((side - 1) // 2, side // 2 + 1) for side in features.shape[1:3]]
    noise = np.random.default_rng(0).integers(0, 256, (_NOISE, size, size, 3))
    pixels = tf.constant(noise, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(pixels)
        seen = keras.Model(model.input, features)(pixels, training=False)[:, middle[0], middle[1]]
        strength = tf.reduce_sum(tf.square(tf.cast(seen, tf.float32)))
    energy = np.square(tape.gradient(strength, pixels).numpy().astype(np.float64)).sum(axis=(0, 3))
    if not energy.sum() > 0:
        return np.zeros(2)
    places = np.arange(size) - (size - 1) / 2
    return np.array([energy.sum(1) @ places, energy.sum(0) @ places]) / energy.sum()


def _enlarging(
    features: keras.KerasTensor, offset: npt.NDArray[np.float64], size: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """What rows and columns (size, side) of an image are made of by linear interpolation of a map's places."""
    matrices = []
    for side, moved in zip(features.shape[1:3], offset, strict=True):
        at = np.clip((np.arange(size) + 0.5 - moved) * side / size - 0.5, 0, side - 1)
        matrices.append(np.maximum(0, 1 - np.abs(at[:, None] - np.arange(side))).astype(np.float32))
    return matrices[0], matrices[1]
