"""The backbones of `keras.applications`, each a function from a scaled image to its last map of features."""

import keras


def backbone(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """The network of that name without its head and without preprocessing of its own."""
    raise NotImplementedError(name)
