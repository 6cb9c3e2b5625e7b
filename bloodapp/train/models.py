"""The networks. Each takes images in 0–255 and gives probabilities; its preprocessing is inside."""

import keras
from keras import layers

from bloodapp.errors import NotFound
from bloodapp.train.recipes import Recipe

EMBEDDING = "embedding"


def build(recipe: Recipe, classes: int, *, any_size: bool = False, seen: int | None = None) -> keras.Model:
    """The recipe's network: (N, size, size, 3) float in 0–255 → (N, classes) float32 probabilities.

    The layer named `embedding` gives the pooled features. With `any_size` the side is left open, for
    training on growing images; `seen` is the side that the weights were trained at, to which the model
    then resizes what it is given. Follows the global precision policy.
    """
    if recipe.model not in _NETWORKS:
        raise NotFound("network", recipe.model, _NETWORKS)
    side = None if any_size else recipe.size
    inputs = keras.Input((side, side, 3), name="image")
    x = inputs
    if seen and seen != recipe.size:
        x = layers.Resizing(seen, seen, "bicubic", antialias=True, dtype="float32", name="resize")(x)
    features = _NETWORKS[recipe.model](layers.Rescaling(1 / 127.5, offset=-1)(x), recipe.width)
    pooled = layers.GlobalAveragePooling2D(name=EMBEDDING, dtype="float32")(features)
    dropped = layers.Dropout(recipe.dropout, seed=recipe.seed, dtype="float32")(pooled)
    logits = layers.Dense(classes, name="logits", dtype="float32")(dropped)
    return keras.Model(
        inputs, layers.Softmax(dtype="float32", name="probabilities")(logits), name=recipe.model
    )


def _conv(x: keras.KerasTensor, filters: int, kernel: int = 3, stride: int = 1) -> keras.KerasTensor:
    x = layers.Conv2D(filters, kernel, strides=stride, padding="same", use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization()(x))


def _residual(x: keras.KerasTensor, filters: int) -> keras.KerasTensor:
    return layers.Add()([x, _conv(_conv(x, filters), filters)])


def _resnet9(x: keras.KerasTensor, width: int) -> keras.KerasTensor:
    """ResNet-9 (Page, "How to train your ResNet", 2018) with strides in place of pooling and one more stage.

    Each stage halves the image by its first convolution: what tells cells of 96 pixels apart survives it,
    and a step costs a fifth of that of the original on a CPU (`make bench`).
    """
    x = _conv(x, width, kernel=5, stride=2)
    for factor in (2, 4, 8):
        x = _residual(_conv(x, factor * width, stride=2), factor * width)
    return x


def _tiny(x: keras.KerasTensor, width: int) -> keras.KerasTensor:
    """Three strided convolutions: for trying things out in seconds."""
    for factor in (1, 2, 4):
        x = _conv(x, factor * width, stride=2)
    return x


_NETWORKS = {"resnet9": _resnet9, "tiny": _tiny}
