"""A recipe's network, whole: images in 0–255 go in, probabilities come out; preprocessing and head are inside."""

from collections.abc import Callable

import keras
from keras import layers

from bloodapp.train import applications, convnext, head, mobilenetv3, scratch
from bloodapp.train.networks import network_named
from bloodapp.train.recipe import Recipe

EMBEDDING = "embedding"
_BEFORE = ("image", "seen", "resize", "scale")
# Of ImageNet, red green blue: as torchvision and keras.applications' "torch" mode have them, and their "caffe" mode.
_MEAN, _SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_CAFFE_MEAN = (123.68, 116.779, 103.939)

Backbone = Callable[[keras.KerasTensor, Recipe], keras.KerasTensor]

_BACKBONES: dict[str, Backbone] = {
    "resnet9": lambda x, recipe: scratch.resnet9(x, recipe.width),
    "tiny": lambda x, recipe: scratch.tiny(x, recipe.width),
    "r1cnn3": lambda x, recipe: scratch.r1cnn(x, 3),
    "r1cnn4": lambda x, recipe: scratch.r1cnn(x, 4),
    "r2basic": lambda x, recipe: scratch.r2basic(x),
    "r4base": lambda x, recipe: scratch.r4base(x),
    "mobilenetv3": lambda x, recipe: mobilenetv3.backbone(x, recipe.model),
    "convnext": lambda x, recipe: convnext.backbone(x, recipe.model),
}
"""By network or by family; all others are those of `keras.applications`."""


def build(recipe: Recipe, classes: int, *, any_size: bool = False, seen: int | None = None) -> keras.Model:
    """The recipe's network: (N, size, size, 3) float in 0–255 → (N, classes) float32 probabilities.

    The layer named `embedding` gives the pooled features. With `any_size` the side is left open, for
    training on growing images; `seen` is the side that the weights were trained at, to which the model
    then resizes what it is given. Weights are fresh; see `weights`. Follows the global precision policy.
    """
    network = network_named(recipe.model)
    flat = recipe.pooling == "flatten"
    side = None if any_size and not flat else recipe.size
    inputs = keras.Input((side, side, 3), name="image")
    x = inputs
    if seen and seen != recipe.size:
        x = layers.Resizing(seen, seen, "bicubic", antialias=True, dtype="float32", name="seen")(x)
    if recipe.resize:
        x = layers.Resizing(recipe.resize, recipe.resize, "bicubic", dtype="float32", name="resize")(x)
    made = _BACKBONES.get(network.name) or _BACKBONES.get(network.family)
    scaled = _scaled(x, network.scaling if recipe.scaling == "own" else recipe.scaling)
    features = made(scaled, recipe) if made else applications.backbone(scaled, network.name)
    pooled = _pooled(features, recipe.pooling)
    logits = _headed(pooled, recipe, classes)
    return keras.Model(
        inputs, layers.Softmax(dtype="float32", name="probabilities")(logits), name=recipe.model
    )


def backbone_layers(model: keras.Model) -> list[keras.Layer]:
    """The layers of a built model between its preprocessing and its pooling, first to last."""
    names = [layer.name for layer in model.layers]
    return [layer for layer in model.layers[: names.index(EMBEDDING)] if layer.name not in _BEFORE]


def _scaled(x: keras.KerasTensor, scaling: str) -> keras.KerasTensor:
    """The image as a scaling of `networks.SCALINGS` gives it, in float32 whatever the policy: 1/255 is lost in less."""
    if scaling == "bytes":
        return layers.Rescaling(1.0, dtype="float32", name="scale")(x)
    if scaling == "symmetric":
        return layers.Rescaling(1 / 127.5, offset=-1, dtype="float32", name="scale")(x)
    if scaling == "signed":
        return layers.Rescaling(1 / 128, offset=-1, dtype="float32", name="scale")(x)
    if scaling == "unit":
        return layers.Rescaling(1 / 255, dtype="float32", name="scale")(x)
    if scaling == "imagenet":
        factors = [1 / (255 * spread) for spread in _SPREAD]
        offsets = [-mean / spread for mean, spread in zip(_MEAN, _SPREAD, strict=True)]
        return layers.Rescaling(factors, offsets, dtype="float32", name="scale")(x)
    less = layers.Rescaling(1.0, [-mean for mean in _CAFFE_MEAN], dtype="float32", name="scale")(x)
    return keras.ops.flip(less, axis=-1)


def _pooled(features: keras.KerasTensor, pooling: str) -> keras.KerasTensor:
    made = {
        "average": layers.GlobalAveragePooling2D,
        "max": layers.GlobalMaxPooling2D,
        "flatten": layers.Flatten,
    }[pooling]
    return made(name=EMBEDDING, dtype="float32")(features)


def _headed(x: keras.KerasTensor, recipe: Recipe, classes: int) -> keras.KerasTensor:
    steps = head.parse(recipe.head)
    output = steps[-1] if steps and steps[-1].kind == "output" else head.Step("output")
    for place, step in enumerate(steps):
        name = f"head_{place}_{step.kind}"
        if step.kind == "dense":
            x = _dense(step, step.units, step.activation, name)(x)
        elif step.kind == "batchnorm":
            x = layers.BatchNormalization(dtype="float32", name=name)(x)
        elif step.kind == "activation":
            x = layers.Activation(step.activation, dtype="float32", name=name)(x)
        elif step.kind == "dropout":
            x = layers.Dropout(step.rate, seed=recipe.seed + place, dtype="float32", name=name)(x)
    return _dense(output, classes, "linear", "logits")(x)


def _dense(step: head.Step, units: int, activation: str, name: str) -> keras.layers.Dense:
    penalty = keras.regularizers.L1L2(step.l1, step.l2) if step.l1 or step.l2 else None
    return layers.Dense(
        units,
        activation=activation,
        kernel_initializer=step.initialiser,
        kernel_regularizer=penalty,
        dtype="float32",
        name=name,
    )
