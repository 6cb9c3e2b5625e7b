"""The backbones of `keras.applications`, each a function from a scaled image to its last map of features.

They are built onto the tensor that they are given, so that the whole model stays flat: each of their layers can be
named, counted, frozen and looked into.
"""

from collections.abc import Callable

import keras
from keras import applications, layers

NETWORKS: dict[str, Callable[..., keras.Model]] = {
    "vgg16": applications.VGG16,
    "vgg19": applications.VGG19,
    "resnet50": applications.ResNet50,
    "resnet50v2": applications.ResNet50V2,
    "resnet101v2": applications.ResNet101V2,
    "inceptionv3": applications.InceptionV3,
    "mobilenetv2": applications.MobileNetV2,
    "efficientnetb3": applications.EfficientNetB3,
    "efficientnetv2b0": applications.EfficientNetV2B0,
    "efficientnetv2s": applications.EfficientNetV2S,
}


def backbone(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """The network of that name, `vgg16` to `efficientnetv2s`, without its head and without preprocessing of its own.

    (N, H, W, 3), scaled as the network wants it → its last map of features; H and W may be None.
    """
    without = {"include_preprocessing": False} if name.startswith("efficientnetv2") else {}
    network = NETWORKS[name](include_top=False, weights=None, input_tensor=x, **without)
    pass_through(network)
    return network.output


def pass_through(model: keras.Model) -> None:
    """Let the preprocessing inside EfficientNetB3 leave its images as they are; other networks have none.

    Its Rescaling and Normalization cannot be left out, and their statistics come with the published weights. Since
    images are scaled before, and in one way for all networks, these two hand them on. To be called after such weights
    were loaded, too.
    """
    for layer in model.layers:
        if isinstance(layer, layers.Rescaling) and layer.name.startswith("rescaling"):
            layer.scale, layer.offset = 1.0, 0.0
        elif isinstance(layer, layers.Normalization):
            layer.adapt_mean.assign(keras.ops.zeros_like(layer.adapt_mean))
            layer.adapt_variance.assign(keras.ops.ones_like(layer.adapt_variance))
            layer.finalize_state()
