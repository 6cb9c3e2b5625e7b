"""ConvNeXt (Liu et al., "A ConvNet for the 2020s", 2022) with depthwise layers, which a CPU computes far faster."""

import keras


def backbone(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """The ConvNeXt of that name, `convnexttiny` to `convnextxlarge`, without head and preprocessing."""
    raise NotImplementedError(name)
