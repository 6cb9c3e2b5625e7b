"""MobileNetV3 (Howard et al., 2019) as report R2 built it: light and heavy, with hard-swish, from scratch."""

import keras


def backbone(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """`mobilenetv3light` (about 1.7 million parameters) or `mobilenetv3heavy` (about 42.3 million)."""
    raise NotImplementedError(name)
