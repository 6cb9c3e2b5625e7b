"""A recipe's network, whole: images in 0–255 go in, probabilities come out; preprocessing and head are inside."""

from collections.abc import Callable

import keras
from keras import layers

from bloodapp.errors import NotFound
from bloodapp.train import head, scratch
from bloodapp.train.networks import NETWORKS, network_named
from bloodapp.train.recipe import Recipe

EMBEDDING = "embedding"
_BEFORE = ("image", "seen", "resize", "scale")

Backbone = Callable[[keras.KerasTensor, Recipe], keras.KerasTensor]

_BACKBONES: dict[str, Backbone] = {
    "resnet9": lambda x, recipe: scratch.resnet9(x, recipe.width),
    "tiny": lambda x, recipe: scratch.tiny(x, recipe.width),
}


def build(recipe: Recipe, classes: int, *, any_size: bool = False, seen: int | None = None) -> keras.Model:
    """The recipe's network: (N, size, size, 3) float in 0–255 → (N, classes) float32 probabilities.

    The layer named `embedding` gives the pooled features. With `any_size` the side is left open, for
    training on growing images; `seen` is the side that the weights were trained at, to which the model
    then resizes what it is given. Weights are fresh; see `weights`. Follows the global precision policy.
    """
    if recipe.model not in _BACKBONES:
        raise NotFound("network", recipe.model, _BACKBONES)
    flat = recipe.pooling == "flatten"
    side = None if any_size and not flat else recipe.size
    inputs = keras.Input((side, side, 3), name="image")
    x = inputs
    if seen and seen != recipe.size:
        x = layers.Resizing(seen, seen, "bicubic", antialias=True, dtype="float32", name="seen")(x)
    if recipe.resize:
        x = layers.Resizing(recipe.resize, recipe.resize, "bicubic", dtype="float32", name="resize")(x)
    features = _BACKBONES[recipe.model](_scaled(x, recipe), recipe)
    pooled = _pooled(features, recipe.pooling)
    logits = _headed(pooled, recipe, classes)
    return keras.Model(
        inputs, layers.Softmax(dtype="float32", name="probabilities")(logits), name=recipe.model
    )


def backbone_layers(model: keras.Model) -> list[keras.Layer]:
    """The layers of a built model between its preprocessing and its pooling, first to last."""
    names = [layer.name for layer in model.layers]
    return [layer for layer in model.layers[: names.index(EMBEDDING)] if layer.name not in _BEFORE]


def _scaled(x: keras.KerasTensor, recipe: Recipe) -> keras.KerasTensor:
    kind = network_named(recipe.model).scaling if recipe.scaling == "own" else recipe.scaling
    if kind == "symmetric":
        return layers.Rescaling(1 / 127.5, offset=-1, name="scale")(x)
    if kind == "unit":
        return layers.Rescaling(1 / 255, name="scale")(x)
    raise NotImplementedError(kind)


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


assert set(_BACKBONES) <= set(NETWORKS)
