"""Several trained networks as one that answers for all of them; see `voting` for what it answers."""

from collections.abc import Sequence
from pathlib import Path

import keras
from keras import layers

from bloodapp.train.voting import MAJORITY

_SHARP = 1e4  # three times over: also where numbers are kept in 16 bits, which end at 65,504


def ensemble(paths: Sequence[Path], vote: str) -> keras.Model:
    """The saved networks, which take the same images, as one flat network: (N, S, S, 3) in 0–255 → (N, C).

    Made of Keras' own layers alone, so that it opens without our code and in safe mode. The layers of network k are
    called `k_` and their name, so that `1_embedding`, `2_embedding`, … are the features of all.
    """
    models = [keras.models.load_model(path, compile=False, safe_mode=True) for path in paths]
    if len(models) == 1:
        return models[0]
    image = keras.Input(models[0].input_shape[1:], name="image")
    copies = [_copy(model, image, f"{number}_") for number, model in enumerate(models, start=1)]
    answers = [copy.output for copy in copies]
    mean = layers.Average(dtype="float32", name="mean")(answers)
    if vote == MAJORITY:
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


def _copy(model: keras.Model, image: keras.KerasTensor, before: str) -> keras.Model:
    def renamed(layer: keras.Layer) -> keras.Layer:
        config = layer.get_config()
        config["name"] = before + layer.name
        return layer.__class__.from_config(config)

    copy = keras.models.clone_model(model, input_tensors=image, clone_function=renamed)
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
