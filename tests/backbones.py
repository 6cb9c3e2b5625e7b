"""The networks of `keras.applications` beside ours, with the same weights: for quick and for full tests."""

from collections.abc import Callable

import keras
import numpy as np

from bloodapp.train import applications, models
from bloodapp.train.recipe import Recipe

CONVNEXTS: dict[str, Callable[..., keras.Model]] = {
    "convnexttiny": keras.applications.ConvNeXtTiny,
    "convnextsmall": keras.applications.ConvNeXtSmall,
    "convnextbase": keras.applications.ConvNeXtBase,
    "convnextlarge": keras.applications.ConvNeXtLarge,
    "convnextxlarge": keras.applications.ConvNeXtXLarge,
}
PEERS = applications.NETWORKS | CONVNEXTS

WITHIN = keras.applications
PREPROCESSING: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "vgg16": WITHIN.vgg16.preprocess_input,
    "vgg19": WITHIN.vgg19.preprocess_input,
    "resnet50": WITHIN.resnet.preprocess_input,
    "resnet50v2": WITHIN.resnet_v2.preprocess_input,
    "resnet101v2": WITHIN.resnet_v2.preprocess_input,
    "inceptionv3": WITHIN.inception_v3.preprocess_input,
    "mobilenetv2": WITHIN.mobilenet_v2.preprocess_input,
}
"""What the peers ask their users to do first; the others do it themselves."""

IMAGENET = ([0.485, 0.456, 0.406], [0.229**2, 0.224**2, 0.225**2])
"""Mean and variance of ImageNet in 0–1."""


def built(name: str, **settings: object) -> keras.Model:
    """The whole model over eight classes, for images of any size unless they have a `size`."""
    recipe = Recipe("r", "R", "", model=name, **settings)  # type: ignore[arg-type]
    return models.build(recipe, 8, any_size="size" not in settings)


def features(model: keras.Model) -> keras.Model:
    """From an image in 0–255 to the last map of its backbone."""
    return keras.Model(model.input, model.get_layer(models.EMBEDDING).input)


def stir(model: keras.Model, seed: int = 7) -> None:
    """Give every weight a value at which no layer is idle: a scale of 1e-6 would hide what its branch computes."""
    rng = np.random.default_rng(seed)
    for variable in model.weights:
        shape = tuple(variable.shape)
        if len(shape) >= 2:
            drawn = rng.standard_normal(shape, np.float32) / np.sqrt(np.prod(shape[:-1]), dtype=np.float32)
        elif "var" in variable.name or "gamma" in variable.name:  # a scale's variable is called so, too
            drawn = rng.uniform(0.5, 1.5, shape)
        else:
            drawn = rng.normal(0, 0.1, shape)
        variable.assign(drawn)


def peer_with_weights_of(ours: keras.Model, name: str) -> keras.Model:
    """The peer with the weights of our backbone, which are in its order; a ConvNeXt's in its shapes."""
    peer = PEERS[name](include_top=False, weights=None)
    weights = [variable for layer in models.backbone_layers(ours) for variable in layer.weights]
    for theirs, mine in zip(peer.weights, weights, strict=True):
        theirs.assign(np.reshape(mine, theirs.shape))
    for layer in peer.layers:
        if isinstance(layer, keras.layers.Normalization) and layer.weights:
            # As the weights of EfficientNetB3 bring it, and the correction that goes with them.
            layer.adapt_mean.assign(IMAGENET[0])
            layer.adapt_variance.assign(IMAGENET[1])
            layer.finalize_state()
    return peer


def difference(ours: keras.Model, peer: keras.Model, name: str, size: int) -> float:
    """The largest difference of the two last maps over two images of noise, as a share of the largest value."""
    images = np.random.default_rng(5).uniform(0, 255, (2, size, size, 3)).astype(np.float32)
    mine = features(ours).predict(images, verbose=0)
    theirs = peer.predict(PREPROCESSING.get(name, np.array)(images.copy()), verbose=0)
    assert mine.shape == theirs.shape
    assert theirs.std() > 1e-3, "nothing to compare"
    return float(np.abs(mine - theirs).max() / np.abs(theirs).max())
