"""The recipe's optimizer and loss."""

import keras

from bloodapp.train.recipe import Recipe


def optimizer(recipe: Recipe) -> keras.optimizers.Optimizer:
    """The recipe's optimizer, with its clipping and its moving average; the learning rate is set at every step."""
    raise NotImplementedError(recipe.optimizer)


def loss(recipe: Recipe) -> keras.losses.Loss:
    """The recipe's loss over label shares (N, C) and probabilities (N, C)."""
    raise NotImplementedError(recipe.loss)
