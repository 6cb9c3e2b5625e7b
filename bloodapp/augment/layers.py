"""The layers behind each operation: KerasCV and Keras where they have one, ours (`own`) where no kept library does.

The one module that imports keras_cv, which gets no further releases. Each function takes float32 images
(B, S, S, 3) in 0–255 and the operation's numbers, scalars that may be tensors so that one graph serves every
strength, and draws by the key in force (`keyed`). `drawing` composes them to pipelines.
"""

import sys
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import keras
import keras_cv
import tensorflow as tf

from bloodapp.augment import keyed, own
from bloodapp.augment.parting import parted

RANGE = (0, 255)
_FILLS: tuple[dict[str, Any], ...] = (
    {"fill_mode": "reflect"},
    {"fill_mode": "nearest"},
    {"fill_mode": "constant", "fill_value": 0.0},
    {"fill_mode": "constant", "fill_value": 255.0},
)
_LOUDEST = 0.999  # a factor of 1 would divide by zero

Number = Any
"""A float, or a scalar float32 tensor."""

keyed.rewire(module for name, module in sys.modules.items() if name.startswith("keras_cv.src."))

# The one place that is written for AutoGraph: converted by itself, for to convert all doubles the time of tracing.
keras_cv.layers.Equalization.equalize_channel = tf.autograph.to_graph(
    keras_cv.layers.Equalization.equalize_channel
)


class _Between(keras_cv.core.FactorSampler):
    """KerasCV's uniform strengths with bounds that may be tensors."""

    def __init__(self, low: Number, high: Number) -> None:
        self.low, self.high = low, high

    def __call__(self, shape: Any = (), dtype: Any = "float32") -> tf.Tensor:
        return tf.cast(keyed.uniform(() if shape is None else shape, self.low, self.high), dtype)


class _Around(keras_cv.core.FactorSampler):
    """KerasCV's clipped normal strengths (RandAugment's) with numbers that may be tensors."""

    def __init__(self, mean: Number, stddev: Number, low: Number, high: Number) -> None:
        self.mean, self.stddev, self.low, self.high = mean, stddev, low, high

    def __call__(self, shape: Any = (), dtype: Any = "float32") -> tf.Tensor:
        drawn = keyed.normal(() if shape is None else shape, self.mean, self.stddev)
        return tf.cast(tf.clip_by_value(drawn, self.low, self.high), dtype)


def _call(layer: keras.layers.Layer, images: Any, **factors: Any) -> Any:
    """The layer's answer in training, with some attributes, its strengths, put in place of those it was made with."""
    for name, value in factors.items():
        setattr(layer, name, value)
    return layer(images, training=True)


@lru_cache(maxsize=1)
def keras_layers() -> dict[str, keras.layers.Layer]:
    """Keras's layers, made once outside of any graph: they hold a state, which is not used, that no graph may make."""
    made: dict[str, keras.layers.Layer] = {
        "shear": keras.layers.RandomShear(0.5, 0.5, fill_mode="reflect", dtype="float32"),
        "brightness": keras.layers.RandomBrightness(0.5, value_range=RANGE, dtype="float32"),
        "contrast": keras.layers.RandomContrast(0.5, value_range=RANGE, dtype="float32"),
    }
    for number, fill in enumerate(_FILLS):
        # Keras, not KerasCV: twice as fast, and the constant fill takes any grey level.
        made[f"rotate {number}"] = keras.layers.RandomRotation(0.5, dtype="float32", **fill)
        made[f"shift {number}"] = keras.layers.RandomTranslation(0.5, 0.5, dtype="float32", **fill)
        made[f"zoom {number}"] = keras.layers.RandomZoom((-0.5, 0.5), dtype="float32", **fill)
    for layer in made.values():
        layer.generator = keyed.KeySeeds()
    return made


def _flip(images: tf.Tensor, share: Number, axes: float) -> tf.Tensor:
    # KerasCV's, once for each axis: Keras's takes one draw for both, so that it only turns by 180°, and no rate.
    for axis, mode in ((1, "horizontal"), (2, "vertical")):
        if axes in (0, axis):
            layer = keras_cv.layers.RandomFlip(mode, rate=0.5, dtype="float32")
            images = _call(layer, images, rate=share)
    return images


def _rotate(images: tf.Tensor, angle: Number, fill: float) -> tf.Tensor:
    layer = keras_layers()[f"rotate {int(fill)}"]
    return _call(layer, images, factor=(-angle / 360, angle / 360))


def _shift(images: tf.Tensor, amount: Number, fill: float) -> tf.Tensor:
    layer = keras_layers()[f"shift {int(fill)}"]
    bounds = {"height_lower": -amount, "height_upper": amount, "width_lower": -amount, "width_upper": amount}
    return _call(layer, images, **bounds)


def _zoom(images: tf.Tensor, amount: Number, fill: float) -> tf.Tensor:
    layer = keras_layers()[f"zoom {int(fill)}"]
    return _call(layer, images, height_lower=-amount, height_upper=amount)


def _crop(images: tf.Tensor, amount: Number, aspect: Number) -> tf.Tensor:
    layer = keras_cv.layers.RandomCropAndResize(
        (images.shape[1], images.shape[2]),
        crop_area_factor=_Between(1 - amount, 1.0),
        aspect_ratio_factor=_Between(1 - aspect, 1 + aspect),
        dtype="float32",
    )
    layer.auto_vectorize = False  # a loop is traced in a fraction of the time, and draws by key
    return _call(layer, images)


def _shear(images: tf.Tensor, amount: Number) -> tf.Tensor:
    layer = keras_layers()["shear"]
    return _call(layer, images, x_factor=(0.0, amount), y_factor=(0.0, amount))


def _brightness(images: tf.Tensor, amount: Number) -> tf.Tensor:
    layer = keras_layers()["brightness"]
    return _call(layer, images, factor=(-amount, amount))


def _contrast(images: tf.Tensor, amount: Number) -> tf.Tensor:
    layer = keras_layers()["contrast"]
    return _call(layer, images, factor=(amount, amount))


def _saturation(images: tf.Tensor, amount: Number) -> tf.Tensor:
    # KerasCV counts 0.5 as unchanged, 0 as grey and 1 as fully saturated.
    half = tf.minimum(tf.convert_to_tensor(amount, tf.float32), _LOUDEST) / 2
    layer = keras_cv.layers.RandomSaturation(_Between(0.5 - half, 0.5 + half), dtype="float32")
    return _call(layer, images)


def _hue(images: tf.Tensor, amount: Number) -> tf.Tensor:
    # KerasCV halves its factor and draws a sign.
    layer = keras_cv.layers.RandomHue(_Between(0.0, 2 * amount), value_range=RANGE, dtype="float32")
    return _call(layer, images)


def _jitter(
    images: tf.Tensor, brightness: Number, contrast: Number, saturation: Number, hue: Number
) -> tf.Tensor:
    # The four layers that KerasCV's RandomColorJitter is made of, in its order; it takes no numbers of ours.
    return _hue(_saturation(_contrast(_brightness(images, brightness), contrast), saturation), hue)


def _channelshift(images: tf.Tensor, amount: Number) -> tf.Tensor:
    # KerasCV halves its factor and draws a sign.
    layer = keras_cv.layers.RandomChannelShift(RANGE, _Between(0.0, 2 * amount), dtype="float32")
    layer.auto_vectorize = False
    return _call(layer, images)


def _channelshuffle(images: tf.Tensor) -> tf.Tensor:
    return _call(keras_cv.layers.ChannelShuffle(groups=3, dtype="float32"), images)


def _grayscale(images: tf.Tensor) -> tf.Tensor:
    return _call(keras_cv.layers.Grayscale(output_channels=3, dtype="float32"), images)


def _solarize(images: tf.Tensor, threshold: Number) -> tf.Tensor:
    layer = keras_cv.layers.Solarization(
        RANGE, addition_factor=0.0, threshold_factor=_Between(threshold, 256.0), dtype="float32"
    )
    return _call(layer, images)


def _posterize(images: tf.Tensor, bits: Number) -> tf.Tensor:
    layer = keras_cv.layers.Posterization(RANGE, 4, dtype="float32")
    return _call(layer, images, _shift=tf.cast(8 - bits, tf.uint8))


def _equalize(images: tf.Tensor) -> tf.Tensor:
    return _call(keras_cv.layers.Equalization(RANGE, dtype="float32"), images)


def _autocontrast(images: tf.Tensor) -> tf.Tensor:
    return _call(keras_cv.layers.AutoContrast(RANGE, dtype="float32"), images)


def _sharpness(images: tf.Tensor, amount: Number) -> tf.Tensor:
    # KerasCV blends with a softened image: 0 leaves alone, 1 is the soft one, below 0 sharpens.
    layer = keras_cv.layers.RandomSharpness(_Between(-amount, amount), value_range=RANGE, dtype="float32")
    return _call(layer, images)


def _blur(images: tf.Tensor, sigma: Number, reach: int) -> tf.Tensor:
    layer = keras_cv.layers.RandomGaussianBlur(2 * reach + 1, _Between(0.0, sigma), dtype="float32")
    layer.auto_vectorize = False
    # The layer takes what lies outside for black, which would darken the edges.
    around = ((0, 0), (reach, reach), (reach, reach), (0, 0))
    return _call(layer, tf.pad(images, around, "SYMMETRIC"))[:, reach:-reach, reach:-reach]


def _jpeg(images: tf.Tensor, quality: Number) -> tf.Tensor:
    layer = keras_cv.layers.RandomJpegQuality(_Between(quality, 100.0), dtype="float32")
    layer.auto_vectorize = False
    # The layer expects images in 0–1 and would saturate others.
    return 255.0 * _call(layer, tf.clip_by_value(images / 255.0, 0.0, 1.0))


def _cutout(images: tf.Tensor, amount: Number) -> tf.Tensor:
    side = _Between(tf.minimum(0.1, amount), amount)
    layer = keras_cv.layers.RandomCutout(side, side, fill_value=0.0, dtype="float32")
    # The layer covers with one grey level for all; drawn on white, it tells where the rectangles are.
    covered = _call(layer, tf.ones_like(images)) < 0.5
    grey = keyed.uniform([tf.shape(images)[0], 1, 1, 1], 0, 3, tf.int32)
    return tf.where(covered, tf.gather(tf.constant([128.0, 0.0, 255.0]), grey), images)


def _gridmask(images: tf.Tensor, amount: Number) -> tf.Tensor:
    return _call(keras_cv.layers.GridMask(ratio_factor=_Between(0.0, amount), dtype="float32"), images)


def _randaugment(images: tf.Tensor, magnitude: Number, count: Number) -> tf.Tensor:
    # KerasCV's operations, their strengths and how often it passes one over; but it goes image by image, which takes
    # longer than to give each operation all its images at once, and here the number of operations may be a tensor.
    weak, strong = (keras_cv.layers.RandAugment(RANGE, magnitude=m, dtype="float32") for m in (0.0, 1.0))
    for one, other in zip(weak.layers, strong.layers, strict=True):
        _interpolate(one, other, magnitude)
    operations = [lambda some, layer=layer: (_call(layer, some),) for layer in weak.layers]

    def once(images: tf.Tensor) -> tf.Tensor:
        rows = tf.shape(images)[0]
        which = keyed.uniform([rows], 0, len(operations), tf.int32)
        which = tf.where(keyed.uniform([rows]) > weak.rate, len(operations), which)
        return parted(which, [*operations, lambda some: (some,)], images)[0]

    return keyed.repeated(count, once, images)


def _interpolate(weak: Any, strong: Any, magnitude: Number) -> None:
    """Make the layer of magnitude 0 one of `magnitude`: RandAugment's strengths are linear in it."""

    def between(name: str) -> Any:
        low, high = (getattr(one, name) for one in samplers)
        return low + magnitude * (high - low)

    for name, low in vars(weak).items():
        samplers = low, getattr(strong, name)
        kinds = {type(one) for one in samplers}
        if keras_cv.core.NormalFactorSampler in kinds:
            setattr(weak, name, _Around(*map(between, ("mean", "stddev", "min_value", "max_value"))))
        elif keras_cv.core.UniformFactorSampler in kinds:
            ends = [
                (one.lower, one.upper) if hasattr(one, "lower") else (one.value, one.value)
                for one in samplers
            ]
            lows, highs = zip(*ends, strict=True)
            low_now, high_now = (a + magnitude * (b - a) for a, b in (lows, highs))
            setattr(weak, name, _Between(low_now, high_now))
        elif name in ("height_lower", "height_upper", "width_lower", "width_upper"):
            setattr(weak, name, low + magnitude * (samplers[1] - low))


class _AugMix(keras_cv.layers.AugMix):
    """KerasCV's with strengths that grow: its own solarizes and posterizes the more, the lower the severity is."""

    def _posterize(self, image: tf.Tensor) -> tf.Tensor:
        shift = tf.cast(5 * self.severity_factor(), tf.uint8)
        cut = tf.bitwise.right_shift(tf.cast(image, tf.uint8), shift)
        return tf.cast(tf.bitwise.left_shift(cut, shift), tf.float32)

    def _solarize(self, image: tf.Tensor) -> tf.Tensor:
        return tf.where(image < 256.0 * (1 - self.severity_factor()), image, 255.0 - image)


def _augmix(images: tf.Tensor, severity: Number, chains: float) -> tf.Tensor:
    layer = _AugMix(RANGE, severity=0.5, num_chains=int(chains), name="augmix", dtype="float32")
    return _call(layer, images, severity_factor=_Between(tf.minimum(0.01, severity), severity))


def _cutmix(images: tf.Tensor, labels: tf.Tensor, alpha: Number) -> tuple[tf.Tensor, tf.Tensor]:
    # A fourth channel, each image's number, tells whose pixel each is: the layer's own labels count the whole
    # rectangle, also what of it lies outside the image.
    count = tf.shape(images)[0]
    number = tf.cast(tf.range(count), tf.float32)[:, None, None, None]
    marked = tf.concat([images, number * tf.ones_like(images[..., :1])], 3)
    mixed = _call(
        keras_cv.layers.CutMix(alpha=1.0, dtype="float32"), {"images": marked, "labels": labels}, alpha=alpha
    )["images"]
    whose = tf.cast(tf.round(mixed[..., 3]), tf.int32)
    seen = tf.reduce_mean(tf.one_hot(tf.reshape(whose, [count, -1]), count), axis=1)
    return mixed[..., :3], tf.linalg.matmul(seen, labels)


def _mixup(images: tf.Tensor, labels: tf.Tensor, alpha: Number) -> tuple[tf.Tensor, tf.Tensor]:
    mixed = _call(
        keras_cv.layers.MixUp(alpha=1.0, dtype="float32"), {"images": images, "labels": labels}, alpha=alpha
    )
    return mixed["images"], mixed["labels"]


class _FourierMix(keras_cv.layers.FourierMix):
    """KerasCV's with the spectrum's two parts told apart: its own takes two rows of it, and so waves all one way."""

    def _sample_mask_from_transform(self, decay: tf.Tensor, shape: tf.Tensor, ch: int = 1) -> tf.Tensor:
        parts = self._get_spectrum(self._apply_fftfreq(shape[0], shape[1]), decay, ch, shape[0], shape[1])
        mask = tf.signal.irfft2d(tf.complex(parts[..., 0], parts[..., 1]), shape)
        return mask[:1, : shape[0], : shape[1]]  # of which only the order of the pixels counts


def _fouriermix(
    images: tf.Tensor, labels: tf.Tensor, alpha: Number, decay: Number
) -> tuple[tf.Tensor, tf.Tensor]:
    mixed = _call(
        _FourierMix(alpha=0.5, name="fouriermix", dtype="float32"),
        {"images": images, "labels": labels},
        alpha=alpha,
        decay_power=tf.cast(decay, tf.float64),
    )
    return mixed["images"], mixed["labels"]


LAYERS: dict[str, Callable[..., tf.Tensor]] = {
    "flip": _flip,
    "quarterturn": own.quarterturn,
    "rotate": _rotate,
    "shift": _shift,
    "zoom": _zoom,
    "crop": _crop,
    "shear": _shear,
    "brightness": _brightness,
    "contrast": _contrast,
    "saturation": _saturation,
    "hue": _hue,
    "jitter": _jitter,
    "channelshift": _channelshift,
    "channelshuffle": _channelshuffle,
    "grayscale": _grayscale,
    "solarize": _solarize,
    "posterize": _posterize,
    "equalize": _equalize,
    "autocontrast": _autocontrast,
    "invert": own.invert,
    "scaleabs": own.scaleabs,
    "sharpness": _sharpness,
    "blur": _blur,
    "noise": own.noise,
    "jpeg": _jpeg,
    "cutout": _cutout,
    "gridmask": _gridmask,
    "stain": own.stain,
    "edges": own.edges,
    "corrupt": own.corrupt,
    "randaugment": _randaugment,
    "augmix": _augmix,
}
"""Images and an operation's numbers → images; without `share`, which `drawing` sees to."""

MIXERS: dict[str, Callable[..., tuple[tf.Tensor, tf.Tensor]]] = {
    "cutmix": _cutmix,
    "mixup": _mixup,
    "fouriermix": _fouriermix,
}
"""Images, label weights and an operation's numbers → images and label weights; without `share`."""
