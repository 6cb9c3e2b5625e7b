"""Several trained networks as one that answers for all of them; see `voting` for what it answers."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers

from bloodapp.train.voting import MAJORITY

_SHARP = 1e4  # three times over: also where numbers are kept in 16 bits, which end at 65,504


def ensemble(paths: Sequence[Path], vote: str, *, flips: bool = False) -> keras.Model:
    """The saved networks, which take the same images, as one flat network: (N, S, S, 3) in 0–255 → (N, C).

    Made of Keras' own layers alone, so that it opens without our code and in safe mode. The layers of network k are
    called `k_` and their name, so that `1_embedding`, `2_embedding`, … are the features of all. With `flips` each
    network answers with the mean over the eight views of `views`; they share its weights.
    """
    models = [keras.models.load_model(path, compile=False, safe_mode=True) for path in paths]
    if len(models) == 1 and not flips:
        return models[0]
    image = keras.Input(models[0].input_shape[1:], name="image")
    turned = views(image)[1:] if flips else []
    answers = [_answer(model, image, turned, f"{number}_") for number, model in enumerate(models, start=1)]
    mean = answers[0] if len(models) == 1 else layers.Average(dtype="float32", name="mean")(answers)
    if vote == MAJORITY and len(models) > 1:
        votes = layers.Average(dtype="float32", name="votes")(
            [_first(answer, f"{k}_") for k, answer in enumerate(answers, start=1)]
        )
        most = len(models) / (len(models) + 1)
        output = layers.Add(dtype="float32", name="probabilities")(
            [
                layers.Rescaling(most, dtype="float32", name="votes_share")(votes),
                layers.Rescaling(1 - most, dtype="float32", name="mean_share")(mean),
            ]
        )
    else:
        output = layers.Identity(dtype="float32", name="probabilities")(mean)
    return keras.Model(image, output, name="ensemble")


def views(image: keras.KerasTensor) -> list[keras.KerasTensor]:
    """The eight views of square images (N, S, S, 3): as they are first, then each turn by 90° and its mirror image.

    A mirror is a product with the identity turned round, and a quarter turn a mirror of the transpose: layers that
    every version of Keras opens in safe mode, exact for images in 0–255.
    """
    down, across = (_mirror(image.shape[1], axis) for axis in ("rows", "columns"))
    flat = layers.Permute((2, 1, 3), dtype="float32", name="transposed")(image)
    found = []
    for one in (image, flat):
        left = across(one)
        found += [one, left, down(one), down(left)]
    return found


def _mirror(side: int, axis: str) -> layers.EinsumDense:
    equation = "nhwc,hk->nkwc" if axis == "rows" else "nhwc,wk->nhkc"
    mirror = layers.EinsumDense(
        equation, (side, side, 3), trainable=False, dtype="float32", name=f"mirrored_{axis}"
    )
    mirror.build((None, side, side, 3))
    mirror.set_weights([np.eye(side, dtype=np.float32)[::-1]])
    return mirror


def _answer(
    model: keras.Model, image: keras.KerasTensor, turned: Sequence[keras.KerasTensor], before: str
) -> keras.KerasTensor:
    """A copy's answer to the image, or the mean of its answers to it and to its other views."""
    others: dict[int, list[keras.KerasTensor]] = {id(image): list(turned)}

    def on_all_views(layer: keras.Layer, *args: Any, **kwargs: Any) -> Any:
        answer = layer(
            *args, **kwargs
        )  # first, so that the layer's own output is the one to the image as it is
        found = [
            layer(*keras.tree.map_structure(lambda each, k=k: _other(each, k), args), **kwargs)
            for k in range(len(turned))
        ]
        for place, one in enumerate(keras.tree.flatten(answer)):
            others[id(one)] = [keras.tree.flatten(each)[place] for each in found]
        return answer

    def _other(each: Any, k: int) -> Any:
        return others[id(each)][k] if id(each) in others else each

    copy = _copy(model, image, before, on_all_views if turned else None)
    if not turned:
        return copy.output
    # Last the answer to the image as it is: Keras walks a copy from the last, and a layer's first call is its output.
    return layers.Average(dtype="float32", name=f"{before}views")([*others[id(copy.output)], copy.output])


def _copy(
    model: keras.Model, image: keras.KerasTensor, before: str, call: Callable[..., Any] | None = None
) -> keras.Model:
    made: dict[str, keras.Layer] = {}

    def renamed(layer: keras.Layer) -> keras.Layer:
        # Once each: a network that looks at several views calls the same layers for all of them.
        if layer.name not in made:
            config = layer.get_config()
            config["name"] = before + layer.name
            made[layer.name] = layer.__class__.from_config(config)
        return made[layer.name]

    copy = keras.models.clone_model(model, input_tensors=image, clone_function=renamed, call_function=call)
    for layer in model.layers:
        if layer.weights:
            copy.get_layer(before + layer.name).set_weights(layer.get_weights())
    return copy


def _first(answer: keras.KerasTensor, before: str) -> keras.KerasTensor:
    """One vote for the largest: the distance to it, so enlarged that the softmax leaves nothing of the others."""
    row = layers.Reshape((answer.shape[-1], 1), name=f"{before}row")(answer)
    largest = layers.GlobalMaxPooling1D(dtype="float32", name=f"{before}largest")(row)
    x = layers.Subtract(dtype="float32", name=f"{before}behind")([answer, largest])
    for step in "abc":
        x = layers.Rescaling(_SHARP, dtype="float32", name=f"{before}sharper_{step}")(x)
    return layers.Softmax(dtype="float32", name=f"{before}vote")(x)
