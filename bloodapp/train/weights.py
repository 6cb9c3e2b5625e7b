"""What a network starts from: published ImageNet weights, a file, another run, or nothing."""

from collections.abc import Callable

import keras

from bloodapp.train.recipe import Recipe

Progress = Callable[[int, int, str], None]


def load(model: keras.Model, recipe: Recipe, progress: Progress | None = None) -> str:
    """Fill a built model with what the recipe starts from, and say in words what that was."""
    raise NotImplementedError(recipe.weights)
