"""MobileNetV3 (Howard et al., "Searching for MobileNetV3", 2019) as report R2 built it: light and heavy, from scratch.

R2 gives the parameters of its two networks (1.7 and 42.3 million) and nothing of their shape, so that the shape is
ours: light is the table of MobileNetV3-Small with the last layer of Large, heavy is the table of Large 3.2 times as
wide. Both keep their last layer ahead of the pooling, with batch normalisation, so that the embedding is its average.
"""

from dataclasses import dataclass

import keras
from keras import layers

MOMENTUM = 0.9
"""What batch normalisation keeps of its statistics at each step. The paper's 0.99 is for hundreds of thousands of
steps; with the few hundred of an epoch on some ten thousand cells it would judge the epochs by statistics of older
weights."""


@dataclass(frozen=True)
class Block:
    """An inverted residual, one line of the paper's tables.

    Attributes:
        kernel: side of the depthwise convolution.
        inner: channels between the expansion and the projection.
        out: channels after it.
        squeeze: whether it weighs its inner channels by squeeze-and-excite.
        swish: whether it uses hard-swish, else ReLU.
        stride: of the depthwise convolution.
    """

    kernel: int
    inner: int
    out: int
    squeeze: bool
    swish: bool
    stride: int


# Table 2 of the paper, but for its last stride: that table is for 224 pixels and ends on 7 × 7 places. Of 96 pixels it
# would leave 3 × 3; without that stride 6 × 6 are left, for a third more work.
_SMALL = (
    Block(3, 16, 16, True, False, 2),
    Block(3, 72, 24, False, False, 2),
    Block(3, 88, 24, False, False, 1),
    Block(5, 96, 40, True, True, 2),
    Block(5, 240, 40, True, True, 1),
    Block(5, 240, 40, True, True, 1),
    Block(5, 120, 48, True, True, 1),
    Block(5, 144, 48, True, True, 1),
    Block(5, 288, 96, True, True, 1),
    Block(5, 576, 96, True, True, 1),
    Block(5, 576, 96, True, True, 1),
)
# Table 1 of the paper.
_LARGE = (
    Block(3, 16, 16, False, False, 1),
    Block(3, 64, 24, False, False, 2),
    Block(3, 72, 24, False, False, 1),
    Block(5, 72, 40, True, False, 2),
    Block(5, 120, 40, True, False, 1),
    Block(5, 120, 40, True, False, 1),
    Block(3, 240, 80, False, True, 2),
    Block(3, 200, 80, False, True, 1),
    Block(3, 184, 80, False, True, 1),
    Block(3, 184, 80, False, True, 1),
    Block(3, 480, 112, True, True, 1),
    Block(3, 672, 112, True, True, 1),
    Block(5, 672, 160, True, True, 2),
    Block(5, 960, 160, True, True, 1),
    Block(5, 960, 160, True, True, 1),
)
_STEM, _LAST = 16, 1280
_SHAPES: dict[str, tuple[tuple[Block, ...], float]] = {
    "mobilenetv3light": (_SMALL, 1.0),
    "mobilenetv3heavy": (_LARGE, 3.2),
}


def backbone(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """`mobilenetv3light` (1.69 million parameters over eight classes) or `mobilenetv3heavy` (42.3 million)."""
    blocks, width = _SHAPES[name]
    x = _normed(_plain(_eighths(_STEM * width), 3, "stem", 2)(x), "stem", swish=True)
    for number, block in enumerate(blocks):
        x = _block(x, block, width, f"block_{number}")
    x = _normed(_plain(_eighths(blocks[-1].inner * width), 1, "widen")(x), "widen", swish=True)
    return _normed(_plain(_eighths(_LAST * width), 1, "last")(x), "last", swish=True)


def _block(x: keras.KerasTensor, block: Block, width: float, name: str) -> keras.KerasTensor:
    begun, inner, out = x, _eighths(block.inner * width), _eighths(block.out * width)
    # Only the first block of Small and of Large expands nothing: its depthwise layer reads the stem.
    if inner != begun.shape[-1]:
        x = _normed(_plain(inner, 1, f"{name}_expand")(x), f"{name}_expand", block.swish)
    x = layers.DepthwiseConv2D(
        block.kernel, strides=block.stride, padding="same", use_bias=False, name=f"{name}_depthwise"
    )(x)
    x = _normed(x, f"{name}_depthwise", block.swish)
    if block.squeeze:
        x = _weighed(x, inner, name)
    x = layers.BatchNormalization(momentum=MOMENTUM, name=f"{name}_project_norm")(
        _plain(out, 1, f"{name}_project")(x)
    )
    if block.stride == 1 and begun.shape[-1] == out:
        x = layers.Add(name=f"{name}_add")([begun, x])
    return x


def _weighed(x: keras.KerasTensor, channels: int, name: str) -> keras.KerasTensor:
    """Squeeze-and-excite (Hu et al., 2018) with a quarter of the channels and a hard sigmoid, as in the paper."""
    squeezed = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_squeeze")(x)
    less = layers.Conv2D(_eighths(channels / 4), 1, activation="relu", name=f"{name}_reduce")(squeezed)
    weight = layers.Conv2D(channels, 1, activation="hard_sigmoid", name=f"{name}_excite")(less)
    return layers.Multiply(name=f"{name}_weigh")([x, weight])


def _plain(filters: int, kernel: int, name: str, stride: int = 1) -> layers.Conv2D:
    return layers.Conv2D(filters, kernel, strides=stride, padding="same", use_bias=False, name=name)


def _normed(x: keras.KerasTensor, name: str, swish: bool) -> keras.KerasTensor:
    x = layers.BatchNormalization(momentum=MOMENTUM, name=f"{name}_norm")(x)
    return layers.Activation("hard_silu" if swish else "relu", name=f"{name}_act")(x)


def _eighths(channels: float) -> int:
    """The nearest multiple of eight that is not less than nine tenths of it (the paper's own rounding)."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * channels else rounded + 8
