"""Small networks from scratch, each a function from a scaled image to its last map of features."""

import keras
from keras import layers


def resnet9(x: keras.KerasTensor, width: int) -> keras.KerasTensor:
    """ResNet-9 (Page, "How to train your ResNet", 2018) with strides in place of pooling and one more stage.

    Each stage halves the image by its first convolution: what tells cells of 96 pixels apart survives it,
    and a step costs a fifth of that of the original on a CPU (`make bench`).
    """
    x = _conv(x, width, kernel=5, stride=2)
    for factor in (2, 4, 8):
        x = _residual(_conv(x, factor * width, stride=2), factor * width)
    return x


def tiny(x: keras.KerasTensor, width: int) -> keras.KerasTensor:
    """Three strided convolutions: for trying things out in seconds."""
    for factor in (1, 2, 4):
        x = _conv(x, factor * width, stride=2)
    return x


def _conv(x: keras.KerasTensor, filters: int, kernel: int = 3, stride: int = 1) -> keras.KerasTensor:
    x = layers.Conv2D(filters, kernel, strides=stride, padding="same", use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization()(x))


def _residual(x: keras.KerasTensor, filters: int) -> keras.KerasTensor:
    return layers.Add()([x, _conv(_conv(x, filters), filters)])


def r1cnn(x: keras.KerasTensor, convolutions: int) -> keras.KerasTensor:
    """Report R1's baseline: 3 × 3 convolutions of 32, 64, 128 (and 128) channels without borders, each halved."""
    return _halving(x, (32, 64, 128, 128)[:convolutions])


def r4base(x: keras.KerasTensor) -> keras.KerasTensor:
    """Report R4's base CNN: two convolutions, for a dense layer after them; their 32 and 64 channels are ours."""
    return _halving(x, (32, 64))


def r2basic(x: keras.KerasTensor) -> keras.KerasTensor:
    """Report R2's basic CNN of 314 k parameters; the report names no layers, so that all else is ours.

    Four convolutions whose average goes straight to the classes: 316 k parameters over eight.
    """
    return _halving(x, (32, 64, 128, 192))


def _halving(x: keras.KerasTensor, channels: tuple[int, ...]) -> keras.KerasTensor:
    for number in channels:
        x = layers.MaxPooling2D()(layers.Conv2D(number, 3, activation="relu")(x))
    return x
