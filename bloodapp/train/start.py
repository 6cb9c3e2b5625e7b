"""What a training starts from, checked before it is queued and without loading TensorFlow. Loading is in `weights`."""

from collections.abc import Sequence
from pathlib import Path

from bloodapp.classes import CellClass
from bloodapp.errors import InvalidValue
from bloodapp.runs.run import Run, open_run
from bloodapp.train import head
from bloodapp.train.networks import network_named
from bloodapp.train.recipe import Recipe
from bloodapp.train.settings import from_settings, start_run

SUFFIXES = (".keras", ".weights.h5", ".h5")
"""Files of weights: whole models of ours, weights as Keras saves them, and as `keras.applications` publishes them."""


def check(recipe: Recipe) -> None:
    """Raise what a user can mend of the recipe's `weights`: NotFound or InvalidValue.

    A run must be finished and of the same network; its classes and head may differ. A file must be there and
    called as one of `SUFFIXES`. Whether published weights can be fetched is not asked.
    """
    if start_run(recipe):
        _check_network(recipe, open_run(start_run(recipe)))
    elif recipe.weights not in ("none", "imagenet"):
        file_of(recipe)


def file_of(recipe: Recipe) -> Path:
    """The file that a recipe's `weights` names; raises InvalidValue where there is none or it is of another kind."""
    path = Path(recipe.weights).expanduser()
    if not path.name.endswith(SUFFIXES):
        raise InvalidValue(
            f"weights is none, imagenet, run:NAME or a file that ends in {', '.join(SUFFIXES)}, "
            f"not '{recipe.weights}'."
        )
    if not path.is_file():
        raise InvalidValue(f"There is no file {path}: give weights the path of one that is there.")
    return path


def same_head(recipe: Recipe, run: Run, classes: Sequence[CellClass]) -> bool:
    """Whether the head that a run has learned answers what this recipe asks: same layers, pooling and classes."""
    used = from_settings(run.config["recipe"])
    keys = [each.key for each in classes]
    shapes = [
        [(step.kind, step.units, step.activation) for step in head.parse(r.head)] for r in (used, recipe)
    ]
    return (
        shapes[0] == shapes[1]
        and used.pooling == recipe.pooling
        and keys == [each.key for each in run.classes]
    )


def _check_network(recipe: Recipe, run: Run) -> None:
    if not run.finished:
        raise InvalidValue(f"'{run.name}' has no finished model to start from: choose another run.")
    if run.config.get("series") or run.combined:
        raise InvalidValue(f"'{run.name}' is several networks that answer together: start from one of them.")
    used, network = from_settings(run.config["recipe"]), network_named(recipe.model)
    if used.model != recipe.model or (network.by_width and used.width != recipe.width):
        raise InvalidValue(
            f"'{run.name}' is a {_described(used)} and this recipe trains a {_described(recipe)}: "
            f"set model{' and width' if network.by_width else ''} to those of the run, or weights to none."
        )


def _described(recipe: Recipe) -> str:
    by_width = network_named(recipe.model).by_width
    return f"{recipe.model} of width {recipe.width}" if by_width else recipe.model
