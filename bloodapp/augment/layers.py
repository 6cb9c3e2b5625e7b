"""The layers behind each operation: KerasCV and Keras where they have one, ours where no kept library does.

The one module that imports keras_cv, which gets no further releases. The preview and the training
both draw with what `build` returns, so what one sees is what trains.
"""

import threading
from collections.abc import Callable
from typing import Any

import keras
import keras_cv
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from bloodapp.augment.pipelines import Pipeline, Step, resolve

RANGE = (0, 255)
GROUP = 8  # images that share one draw of `oneof` and `sometimes`; so untaken branches cost nothing
_FILLS: tuple[dict[str, Any], ...] = (
    {"fill_mode": "reflect"},
    {"fill_mode": "nearest"},
    {"fill_mode": "constant", "fill_value": 0.0},
    {"fill_mode": "constant", "fill_value": 255.0},
)

Transform = Callable[[tf.Tensor], tf.Tensor]
Draw = Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]


def build(pipeline: Pipeline | str, seed: int) -> Draw:
    """A function that augments one group of images, to be called in graph mode (tf.data or tf.function).

    Takes float32 images (B, H, W, 3) in 0–255 and label weights (B, C); returns the same shapes, the
    images clipped to 0–255. Draws derive from `seed`; within one thread the same calls give the same draws.
    Raises PipelineError for a text that cannot be read.
    """
    resolved = resolve(pipeline) if isinstance(pipeline, str) else pipeline
    # Layers that hold others (RandAugment) give them the global policy, which half precision would break.
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        apply = _chain(resolved, np.random.SeedSequence(seed))
    finally:
        keras.config.set_dtype_policy(policy)

    def draw(images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        changed = tf.clip_by_value(tf.cast(apply(images), tf.float32), 0.0, 255.0)
        return tf.ensure_shape(changed, images.shape), labels

    return draw


def _chain(pipeline: Pipeline, seeds: np.random.SeedSequence) -> Transform:
    transforms = [
        _transform(step, child)
        for step, child in zip(pipeline.steps, seeds.spawn(len(pipeline.steps)), strict=True)
    ]

    def apply(images: tf.Tensor) -> tf.Tensor:
        for transform in transforms:
            images = transform(images)
        return images

    return apply


def _transform(step: Step, seeds: np.random.SeedSequence) -> Transform:
    seed = int(seeds.generate_state(1)[0] % 2**31)
    if step.name in ("oneof", "sometimes"):
        branches = [
            _chain(branch, child)
            for branch, child in zip(step.branches, seeds.spawn(len(step.branches)), strict=True)
        ]
        generator = tf.random.Generator.from_seed(seed)
        if step.name == "oneof":
            return _one_of(branches, generator)
        return _sometimes(branches[0], step.numbers[0], generator)
    return BUILDERS[step.name](seed, *step.numbers)


def _one_of(branches: list[Transform], generator: tf.random.Generator) -> Transform:
    def apply(images: tf.Tensor) -> tf.Tensor:
        choice = generator.uniform((), 0, len(branches), dtype=tf.int32)
        return tf.switch_case(choice, [lambda b=branch: _as_float(b(images)) for branch in branches])

    return apply


def _sometimes(branch: Transform, probability: float, generator: tf.random.Generator) -> Transform:
    def apply(images: tf.Tensor) -> tf.Tensor:
        return tf.cond(
            generator.uniform(()) < probability, lambda: _as_float(branch(images)), lambda: _as_float(images)
        )

    return apply


def _as_float(images: tf.Tensor) -> tf.Tensor:
    return tf.cast(images, tf.float32)


class _Draws(keras_cv.core.FactorSampler):
    """KerasCV's uniform strengths from a generator that can be reseeded; its own draw from the graph's hidden state."""

    def __init__(self, low: float, high: float, seed: int) -> None:
        self.low, self.high = low, high
        self.generator = tf.random.Generator.from_seed(seed)

    def __call__(self, shape: Any = (), dtype: str = "float32") -> tf.Tensor:
        return tf.cast(self.generator.uniform(() if shape is None else shape, self.low, self.high), dtype)


class _NormalDraws(_Draws):
    """The same for KerasCV's clipped normal strengths (RandAugment)."""

    def __init__(self, mean: float, stddev: float, low: float, high: float, seed: int) -> None:
        super().__init__(low, high, seed)
        self.mean, self.stddev = mean, stddev

    def __call__(self, shape: Any = (), dtype: str = "float32") -> tf.Tensor:
        drawn = self.generator.normal(() if shape is None else shape, self.mean, self.stddev)
        return tf.cast(tf.clip_by_value(drawn, self.low, self.high), dtype)


def _seeded(layer: keras.layers.Layer, seed: int) -> keras.layers.Layer:
    """The KerasCV layer with every strength drawn from a generator of ours, those of layers inside it too."""
    for place, (name, value) in enumerate(sorted(vars(layer).items())):
        own = seed + 31 * place
        if isinstance(value, keras_cv.core.UniformFactorSampler):
            setattr(layer, name, _Draws(value.lower, value.upper, own))
        elif isinstance(value, keras_cv.core.NormalFactorSampler):
            setattr(
                layer, name, _NormalDraws(value.mean, value.stddev, value.min_value, value.max_value, own)
            )
    for place, inner in enumerate(getattr(layer, "layers", ()) or ()):
        _seeded(inner, seed + 1009 * (place + 1))
    return layer


def _training(layer: keras.layers.Layer, seed: int = 0) -> Transform:
    if type(layer).__module__.startswith("keras_cv"):
        _seeded(layer, seed)
    return lambda images: layer(images, training=True)


def _flip(seed: int) -> Transform:
    # Two layers: one with "horizontal_and_vertical" takes one draw for both, so that it only turns by 180°.
    across = keras.layers.RandomFlip("horizontal", seed=seed, dtype="float32")
    down = keras.layers.RandomFlip("vertical", seed=seed + 1, dtype="float32")
    return lambda images: down(across(images, training=True), training=True)


def _rotate(seed: int, angle: float, fill: float) -> Transform:
    # Keras, not KerasCV: twice as fast, and its constant fill takes any grey level.
    return _training(
        keras.layers.RandomRotation(angle / 360, seed=seed, dtype="float32", **_FILLS[int(fill)])
    )


def _shift(seed: int, amount: float, fill: float) -> Transform:
    return _training(
        keras.layers.RandomTranslation(amount, amount, seed=seed, dtype="float32", **_FILLS[int(fill)])
    )


def _zoom(seed: int, amount: float, fill: float) -> Transform:
    return _training(
        keras.layers.RandomZoom((-amount, amount), seed=seed, dtype="float32", **_FILLS[int(fill)])
    )


def _shear(seed: int, amount: float) -> Transform:
    return _training(
        keras.layers.RandomShear(amount, amount, fill_mode="reflect", seed=seed, dtype="float32")
    )


def _brightness(seed: int, amount: float) -> Transform:
    return _training(keras.layers.RandomBrightness(amount, value_range=RANGE, seed=seed, dtype="float32"))


def _contrast(seed: int, amount: float) -> Transform:
    return _training(keras.layers.RandomContrast(amount, value_range=RANGE, seed=seed, dtype="float32"))


def _saturation(seed: int, amount: float) -> Transform:
    # KerasCV counts 0.5 as unchanged, 0 as grey and 1 as fully saturated.
    low, high = 0.5 - amount / 2, 0.5 + amount / 2
    return _training(keras_cv.layers.RandomSaturation((low, high), seed=seed, dtype="float32"), seed)


def _hue(seed: int, amount: float) -> Transform:
    return _training(keras_cv.layers.RandomHue(amount, value_range=RANGE, seed=seed, dtype="float32"), seed)


def _channelshift(seed: int, amount: float) -> Transform:
    return _training(keras_cv.layers.RandomChannelShift(RANGE, amount, seed=seed, dtype="float32"), seed)


def _grayscale(seed: int) -> Transform:
    return _training(keras_cv.layers.Grayscale(output_channels=3, dtype="float32"))


def _sharpness(seed: int, amount: float) -> Transform:
    # KerasCV counts 0.5 as unchanged.
    low, high = 0.5 - amount / 2, 0.5 + amount / 2
    return _training(
        keras_cv.layers.RandomSharpness((low, high), value_range=RANGE, seed=seed, dtype="float32"), seed
    )


def _blur(seed: int, sigma: float) -> Transform:
    reach = max(1, int(np.ceil(2.5 * sigma)))
    layer = keras_cv.layers.RandomGaussianBlur(
        2 * reach + 1, (0.05, max(sigma, 0.06)), seed=seed, dtype="float32"
    )
    blur = _training(layer, seed)
    around = ((0, 0), (reach, reach), (reach, reach), (0, 0))
    # The layer takes what lies outside for black, which would darken the edges.
    return lambda images: blur(tf.pad(images, around, "REFLECT"))[:, reach:-reach, reach:-reach]


def _noise(seed: int, sigma: float) -> Transform:
    # Ours: keras.layers.GaussianNoise has one fixed strength for all images and no bound of its own.
    generator = tf.random.Generator.from_seed(seed)

    def apply(images: tf.Tensor) -> tf.Tensor:
        strength = generator.uniform((tf.shape(images)[0], 1, 1, 1), 0.0, sigma)
        return images + strength * generator.normal(tf.shape(images))

    return apply


def _jpeg(seed: int, quality: float) -> Transform:
    compress = _training(
        keras_cv.layers.RandomJpegQuality((int(quality), 96), seed=seed, dtype="float32"), seed
    )
    # The layer expects images in 0–1 and would saturate others.
    return lambda images: 255.0 * compress(tf.clip_by_value(images / 255.0, 0.0, 1.0))


def _cutout(seed: int, amount: float) -> Transform:
    side = (0.1, max(amount, 0.1))
    covers = [
        _training(
            keras_cv.layers.RandomCutout(side, side, fill_value=fill, seed=seed + i, dtype="float32"),
            seed + i,
        )
        for i, fill in enumerate((128.0, 0.0, 255.0))
    ]
    return _one_of(covers, tf.random.Generator.from_seed(seed))


def _gridmask(seed: int, amount: float) -> Transform:
    return _training(keras_cv.layers.GridMask(ratio_factor=(0, amount), seed=seed, dtype="float32"), seed)


def _solarize(seed: int) -> Transform:
    return _training(
        keras_cv.layers.Solarization(RANGE, threshold_factor=(96, 224), seed=seed, dtype="float32"), seed
    )


def _posterize(seed: int, bits: float) -> Transform:
    return _training(keras_cv.layers.Posterization(RANGE, int(bits), dtype="float32"))


def _randaugment(seed: int, magnitude: float, count: float) -> Transform:
    return _training(
        keras_cv.layers.RandAugment(
            RANGE, augmentations_per_image=int(count), magnitude=magnitude, seed=seed, dtype="float32"
        ),
        seed,
    )


BUILDERS: dict[str, Callable[..., Transform]] = {
    "flip": _flip,
    "rotate": _rotate,
    "shift": _shift,
    "zoom": _zoom,
    "shear": _shear,
    "brightness": _brightness,
    "contrast": _contrast,
    "saturation": _saturation,
    "hue": _hue,
    "channelshift": _channelshift,
    "grayscale": _grayscale,
    "sharpness": _sharpness,
    "blur": _blur,
    "noise": _noise,
    "jpeg": _jpeg,
    "cutout": _cutout,
    "gridmask": _gridmask,
    "solarize": _solarize,
    "posterize": _posterize,
    "randaugment": _randaugment,
}


class Traced:
    """A pipeline traced once as a graph and reseeded at every call, so that a seed alone decides what is drawn."""

    def __init__(self, pipeline: str) -> None:
        self._draw = tf.function(build(pipeline, seed=0), reduce_retracing=True)
        self._lock = threading.Lock()

    def __call__(
        self, images: npt.NDArray[np.uint8], labels: npt.NDArray[np.float32], seed: int
    ) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
        """Draw uint8 (N, S, S, 3) with label weights (N, C), in groups as training does; same shapes back."""
        count = len(images)
        places = np.resize(np.arange(count), -(-count // GROUP) * GROUP)
        drawn, mixed = [], []
        with self._lock:
            for start in range(0, len(places), GROUP):
                group = places[start : start + GROUP]
                batch = tf.constant(images[group], tf.float32), tf.constant(labels[group])
                if start == 0:
                    _reseed(self._draw.get_concrete_function(*batch), seed)
                image_group, label_group = self._draw(*batch)
                drawn.append(image_group.numpy())
                mixed.append(label_group.numpy())
        whole = np.round(np.concatenate(drawn)[:count]).astype(np.uint8)
        return whole, np.concatenate(mixed)[:count]


def _reseed(traced: Any, seed: int) -> None:
    """Set the state of every generator that the graph draws from: Philox states and Keras seed counters."""
    random = np.random.default_rng(seed)
    for variable in traced.variables:
        if variable.dtype.is_integer:
            state = random.integers(1, 2**31, variable.shape.as_list())
            variable.assign(tf.cast(state, variable.dtype))
