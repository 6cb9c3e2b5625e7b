"""Operations that no kept library has, in TensorFlow; they draw by the key in force (`keyed`).

As in `layers`: float32 images (B, S, S, 3) in 0–255 and the operation's numbers, which may be tensors.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from bloodapp.augment import keyed
from bloodapp.augment.corruptions import CORRUPTIONS
from bloodapp.augment.corruptions import corrupt as corrupted
from bloodapp.augment.stain import GROUND, STAINED, from_optical_density, optical_density

Number = Any
_WHITE = 255.0
_GROUND_LEVEL = 0.35  # of the way from the ground's colour to the farthest colour: less is background
_EDGE_LEVEL = 96.0  # grey levels of the Sobel gradient that are drawn black

_FINENESS = 4096.0  # steps of the table to a unit of absorbance: an error of 0.03 grey levels at most
_DARKEST = float(np.log(256))
_DENSITIES = optical_density(np.arange(256))
_LEVELS = from_optical_density(np.arange(int(np.ceil(_DARKEST * _FINENESS)) + 1) / _FINENESS)


def quarterturn(images: tf.Tensor) -> tf.Tensor:
    """Each image turned by 0, 90, 180 or 270 degrees."""
    turns = keyed.uniform([tf.shape(images)[0]], 0, 4, tf.int32)[:, None, None, None]
    across = tf.transpose(images, (0, 2, 1, 3))
    by = [images, across[:, ::-1], images[:, ::-1, ::-1], across[:, :, ::-1]]
    return tf.where(turns < 2, tf.where(turns == 0, by[0], by[1]), tf.where(turns == 2, by[2], by[3]))


def invert(images: tf.Tensor) -> tf.Tensor:
    """The negative."""
    return _WHITE - images


def scaleabs(images: tf.Tensor, alpha: Number, beta: Number) -> tf.Tensor:
    """|alpha · x + beta|, rounded and clipped, as OpenCV's convertScaleAbs."""
    return tf.clip_by_value(tf.round(tf.abs(alpha * images + beta)), 0.0, _WHITE)


def noise(images: tf.Tensor, sigma: Number, strength: float) -> tf.Tensor:
    """Gaussian noise of `sigma` grey levels (strength 1), or of as much as is drawn up to it (strength 0)."""
    spread = sigma
    if not strength:
        spread = keyed.uniform([tf.shape(images)[0], 1, 1, 1], 0.0, sigma)
    return images + spread * keyed.normal(tf.shape(images))


def stain(images: tf.Tensor, amount: Number, vectors: tf.Tensor, onto: tf.Tensor) -> tf.Tensor:
    """Azure B and eosin each times 1 ± `amount` at most, along `vectors` (2, 3) whose pseudo-inverse is `onto` (3, 2).

    The twin of `augment.stain.jitter`.
    """
    density = tf.gather(_DENSITIES, tf.cast(tf.round(tf.clip_by_value(images, 0.0, _WHITE)), tf.int32))
    red, green, blue = tf.split(density, 3, axis=3)
    # Sums written out, logarithm and exponential by table: a product of matrices and these two are not the same to
    # the last bit however the threads divide the work.
    amounts = tf.maximum(red * onto[0] + green * onto[1] + blue * onto[2], 0.0)
    stained = tf.clip_by_value(((red + green + blue) / 3.0 - GROUND) / (STAINED - GROUND), 0.0, 1.0)
    change = stained * amounts * keyed.uniform([tf.shape(images)[0], 1, 1, 2], -1.0, 1.0) * amount
    azure, eosin = tf.split(change, 2, axis=3)
    changed = density + azure * vectors[0] + eosin * vectors[1]
    place = tf.cast(tf.round(tf.clip_by_value(changed, 0.0, _DARKEST) * _FINENESS), tf.int32)
    return tf.gather(_LEVELS, place)


def edges(images: tf.Tensor, amount: Number) -> tf.Tensor:
    """The background white and the edges black, blended with the image: 0 the image, 1 the drawing alone.

    Background is what lies near the colour of the image's border (report R4); edges by Sobel.
    """
    border = tf.concat(
        [images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1]], axis=1
    )  # (B, 4 S, 3): the brightest half of it is ground, whatever else touches the border
    light = tf.reduce_mean(border, 2)
    brightest = tf.math.top_k(light, tf.shape(light)[1] // 2).indices
    ground = tf.reduce_mean(tf.gather(border, brightest, batch_dims=1), 1)[:, None, None, :]
    far = tf.norm(images - ground, axis=3, keepdims=True)
    farthest = tf.reduce_max(far, axis=(1, 2), keepdims=True)
    cell = tf.where(far > _GROUND_LEVEL * farthest, images, _WHITE)
    grey = tf.reduce_mean(images, 3, keepdims=True)
    gradient = tf.norm(tf.image.sobel_edges(grey)[..., 0, :], axis=3, keepdims=True)
    drawn = cell * (1.0 - tf.clip_by_value(gradient / _EDGE_LEVEL / 4.0, 0.0, 1.0))
    return images + amount * (drawn - images)


def corrupt(images: tf.Tensor, kind: float, severity: Number) -> tf.Tensor:
    """One of the corruptions, or any (kind 0), of a severity from 1 up to `severity`, drawn for each image; 0 none."""
    count = tf.shape(images)[0]
    highest = tf.cast(severity, tf.int32)
    drawn = tf.minimum(keyed.uniform([count], 1, tf.maximum(highest, 1) + 1, tf.int32), highest)
    which = tf.fill([count], int(kind) - 1) if kind else keyed.uniform([count], 0, len(CORRUPTIONS), tf.int32)
    found = tf.numpy_function(_corrupt_each, [images, which, drawn, keyed.seeds(count)], tf.float32)
    return tf.ensure_shape(found, images.shape)


def _corrupt_each(
    images: npt.NDArray[np.float32],
    which: npt.NDArray[np.int32],
    severity: npt.NDArray[np.int32],
    seeds: npt.NDArray[np.int32],
) -> npt.NDArray[np.float32]:
    names = list(CORRUPTIONS)
    pixels = np.round(images).astype(np.uint8)
    out = [
        corrupted(
            pixels[row : row + 1],
            names[which[row]],
            int(severity[row]),
            abs(int(seeds[row, 0])),
            keys=np.array([abs(int(seeds[row, 1]))]),
        )
        for row in range(len(pixels))
    ]
    return np.concatenate(out).astype(np.float32) if out else images
