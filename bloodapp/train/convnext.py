"""ConvNeXt (Liu et al., "A ConvNet for the 2020s", 2022) with depthwise layers, which a CPU computes far faster.

The layers are those of `keras.applications`, in its order and with its parameters, so that the weights published for
it fit. But its 7×7 convolutions are grouped ones, which TensorFlow computes on a CPU some 30 times more slowly than
its depthwise layer, and the scale of each branch is a layer of its own making; here that is a depthwise convolution of
one pixel, so that a saved model holds plain Keras layers only and loads anywhere.
"""

from dataclasses import dataclass
from pathlib import Path

import h5py
import keras
import numpy as np
import numpy.typing as npt
from keras import layers

from bloodapp.errors import InvalidValue

EPSILON = 1e-6
SCALE = 1e-6
"""What the scale of a branch begins at (appendix A of the paper)."""
_LAST = "norm"


@dataclass(frozen=True)
class Shape:
    """One ConvNeXt, of four stages.

    Attributes:
        depths: blocks of each stage.
        widths: channels of each stage.
    """

    depths: tuple[int, int, int, int]
    widths: tuple[int, int, int, int]


SHAPES = {
    # Woo et al., "ConvNeXt V2", 2023, table 8; without the response normalisation of that paper.
    "convnextatto": Shape((2, 2, 6, 2), (40, 80, 160, 320)),
    "convnexttiny": Shape((3, 3, 9, 3), (96, 192, 384, 768)),
    "convnextsmall": Shape((3, 3, 27, 3), (96, 192, 384, 768)),
    "convnextbase": Shape((3, 3, 27, 3), (128, 256, 512, 1024)),
    "convnextlarge": Shape((3, 3, 27, 3), (192, 384, 768, 1536)),
    "convnextxlarge": Shape((3, 3, 27, 3), (256, 512, 1024, 2048)),
}


def backbone(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """The ConvNeXt of that name, `convnextatto` to `convnextxlarge`, without head and preprocessing.

    (N, H, W, 3), less the mean and by the spread of ImageNet → (N, H/32, W/32, the last width), normalised as
    `keras.applications` has it without its top.
    """
    shape = SHAPES[name]
    for stage, (depth, width) in enumerate(zip(shape.depths, shape.widths, strict=True)):
        if stage:
            x = layers.LayerNormalization(epsilon=EPSILON, name=f"downsampling_{stage}_norm")(x)
            x = layers.Conv2D(width, 2, strides=2, name=f"downsampling_{stage}_conv")(x)
        else:
            x = layers.Conv2D(width, 4, strides=4, name="stem_conv")(x)
            x = layers.LayerNormalization(epsilon=EPSILON, name="stem_norm")(x)
        for number in range(depth):
            x = x + _branch(x, width, f"stage_{stage}_block_{number}")
    return layers.LayerNormalization(epsilon=EPSILON, name=_LAST)(x)


def _branch(x: keras.KerasTensor, width: int, name: str) -> keras.KerasTensor:
    x = layers.DepthwiseConv2D(7, padding="same", name=f"{name}_depthwise")(x)
    x = layers.LayerNormalization(epsilon=EPSILON, name=f"{name}_norm")(x)
    x = layers.Dense(4 * width, name=f"{name}_widen")(x)
    x = layers.Activation("gelu", name=f"{name}_gelu")(x)
    x = layers.Dense(width, name=f"{name}_narrow")(x)
    x = layers.DepthwiseConv2D(
        1, use_bias=False, depthwise_initializer=keras.initializers.Constant(SCALE), name=f"{name}_scale"
    )(x)
    # Where the peer may leave a branch out of a training step, which it does at a rate of 0: its layers are counted.
    return layers.Activation("linear", name=f"{name}_identity")(x)


def load_published(model: keras.Model, path: Path) -> None:
    """Fill the ConvNeXt inside a model with the weights of a file of `keras.applications` (.h5, "notop").

    A grouped kernel (7, 7, 1, C) becomes a depthwise one (7, 7, C, 1), a scale (C,) one of (1, 1, C, 1). Raises
    InvalidValue where the file holds another network, and leaves the model as it was.
    """
    ours = [variable for layer in _own(model) for variable in layer.weights]
    theirs = _read(path)
    if [_without_ones(one) for one in ours] != [_without_ones(one) for one in theirs]:
        raise InvalidValue(f"The weights in '{path.name}' are not those of a {model.name} without its top.")
    for variable, value in zip(ours, theirs, strict=True):
        variable.assign(value.reshape(variable.shape))


def _own(model: keras.Model) -> list[keras.Layer]:
    """The layers of a model as far as the last of its ConvNeXt; those before the first have no weights."""
    names = [layer.name for layer in model.layers]
    return model.layers[: names.index(_LAST) + 1]


def _read(path: Path) -> list[npt.NDArray[np.float32]]:
    """The arrays of a legacy weights file, layer by layer, in the order in which the file names them."""
    with h5py.File(path) as file:
        return [
            np.asarray(file[layer][weight])
            for layer in _names(file, "layer_names")
            for weight in _names(file[layer], "weight_names")
        ]


def _names(group: h5py.Group, attribute: str) -> list[str]:
    return [name.decode() if isinstance(name, bytes) else name for name in group.attrs[attribute]]


def _without_ones(array: keras.Variable | npt.NDArray[np.float32]) -> tuple[int, ...]:
    return tuple(side for side in array.shape if side != 1)
