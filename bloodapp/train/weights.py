"""What a network starts from: published ImageNet weights, a file, another run, or nothing."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import keras

from bloodapp.classes import CellClass
from bloodapp.errors import BloodappError, SourceError
from bloodapp.runs.run import open_run
from bloodapp.train import applications, convnext, published, start
from bloodapp.train.models import EMBEDDING, backbone_layers
from bloodapp.train.networks import network_named
from bloodapp.train.recipe import Recipe
from bloodapp.train.settings import start_run

_UNFIT = (OSError, ValueError, KeyError, TypeError)
"""What Keras and h5py raise for a file that is damaged or holds something else."""


def load(
    model: keras.Model,
    recipe: Recipe,
    progress: published.Progress | None = None,
    classes: Sequence[CellClass] = (),
) -> str:
    """Fill a model that `models.build` made with what the recipe starts from, and say in words what that was.

    A head begins anew unless that of a run or a file answers the same: same layers and, where the training's
    `classes` are given and a run is started from, the same classes. Raises NotFound, InvalidValue and SourceError.
    """
    start.check(recipe)
    if recipe.weights == "none":
        return "The network begins from scratch."
    if recipe.weights == "imagenet":
        _load_published(model, published.fetch(recipe, progress))
        return f"The backbone begins with the ImageNet weights of {network_named(recipe.model).title}."
    if name := start_run(recipe):
        run = open_run(name)
        with_head = _load_ours(model, run.model_path, start.same_head(recipe, run, classes or run.classes))
        return _said(f"run '{name}'", with_head)
    path = start.file_of(recipe)
    if path.name.endswith(".keras"):
        return _said(str(path), _load_ours(model, path, True))
    if path.name.endswith(".weights.h5"):
        return _said(str(path), _load_weights(model, path))
    _load_published(model, path)
    return _said(str(path), False)


def _said(source: str, with_head: bool) -> str:
    return f"The {'network' if with_head else 'backbone'} begins with the weights of {source}" + (
        "." if with_head else ", the head anew."
    )


def _load_published(model: keras.Model, path: Path) -> None:
    """A file in the form of keras.applications, without a head: matched by the order of the layers."""
    try:
        if network_named(model.name).family == "convnext":
            convnext.load_published(model, path)
        else:
            _backbone(model).load_weights(path)
            applications.pass_through(model)
    except BloodappError:
        raise
    except _UNFIT as error:
        raise _unfit(model, path, error) from error


def _load_weights(model: keras.Model, path: Path) -> bool:
    """A file in the form of `save_weights`; says whether the head could be taken, too."""
    learned = [layer for layer in model.layers[_place(model) :] if layer.weights]
    fresh = [layer.get_weights() for layer in learned]
    try:
        _load_named(model, path)
        return True
    except _UNFIT:
        # Keras may have filled some layers of the head before it met the one that does not fit.
        for layer, values in zip(learned, fresh, strict=True):
            layer.set_weights(values)
    try:
        _load_named(_backbone(model), path)
    except _UNFIT as error:
        raise _unfit(model, path, error) from error
    return False


def _load_named(model: keras.Model, path: Path) -> None:
    with warnings.catch_warnings():
        # Keras warns of each of its own containers that a file of a model of another depth lacks.
        warnings.simplefilter("ignore", UserWarning)
        model.load_weights(path)


def _load_ours(model: keras.Model, path: Path, head: bool) -> bool:
    """A whole model of ours; says whether its head was taken, too, which it is if `head` and its shapes fit."""
    try:
        other = keras.models.load_model(path, compile=False, safe_mode=True)
    except _UNFIT as error:
        raise _unfit(model, path, error) from error
    if EMBEDDING not in [layer.name for layer in other.layers]:
        raise _unfit(model, path, "it was not made by this app")
    if not _copied(backbone_layers(other), backbone_layers(model)):
        raise _unfit(model, path, "its layers are others")
    return head and _copied(other.layers[_place(other) :], model.layers[_place(model) :])


def _copied(theirs: Sequence[keras.Layer], ours: Sequence[keras.Layer]) -> bool:
    """Copy the weights layer by layer if all shapes are the same; says whether they were."""
    theirs, ours = ([layer for layer in layers if layer.weights] for layers in (theirs, ours))
    if [_shapes(layer) for layer in theirs] != [_shapes(layer) for layer in ours]:
        return False
    for source, target in zip(theirs, ours, strict=True):
        target.set_weights(source.get_weights())
    return True


def _shapes(layer: keras.Layer) -> list[tuple[int, ...]]:
    return [tuple(weight.shape) for weight in layer.weights]


def _place(model: keras.Model) -> int:
    return [layer.name for layer in model.layers].index(EMBEDDING)


def _backbone(model: keras.Model) -> keras.Model:
    return keras.Model(model.input, model.get_layer(EMBEDDING).input)


def _unfit(model: keras.Model, path: Path, why: Exception | str) -> SourceError:
    if isinstance(why, OSError):
        why = "it is damaged or no file of weights"
    elif isinstance(why, Exception):
        why = "its layers are others"
    return SourceError(
        f"{path} does not hold the weights of {network_named(model.name).title}: {why}. "
        "Give weights another file, or set model and width to the network that it holds."
    )
