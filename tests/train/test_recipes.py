"""Recipes and their fields."""

import dataclasses
import json

import pytest

from bloodapp.augment.pipelines import resolve
from bloodapp.errors import InvalidValue, NotFound, PipelineError
from bloodapp.train import phases, recipes
from bloodapp.train import settings as fields_of
from bloodapp.train.networks import NETWORKS
from bloodapp.train.recipe import Recipe
from bloodapp.train.recipe import fields as recipe_fields


def test_every_field_says_what_it_is_and_where_it_ends() -> None:
    """Each settable field has a help text, and bounds or choices where it is no text or switch."""
    for declared in recipe_fields():
        meta = declared.metadata
        assert meta["help"].endswith("."), declared.name
        if isinstance(declared.default, (int, float)) and not isinstance(declared.default, bool):
            assert meta["low"] <= declared.default <= meta["high"], declared.name
        if meta["choices"]:
            assert declared.default in meta["choices"]


@pytest.mark.parametrize("recipe", recipes.RECIPES.values(), ids=recipes.RECIPES.keys())
def test_shipped_recipes_obey_their_own_bounds(recipe: Recipe) -> None:
    """Every shipped recipe passes its own validation, survives JSON and has a pipeline that reads."""
    values = {f.name: getattr(recipe, f.name) for f in recipe_fields()}
    assert fields_of.with_settings(recipe, values) == recipe
    assert fields_of.from_settings(json.loads(json.dumps(fields_of.settings(recipe)))) == recipe
    assert recipe.why
    resolve(recipe.pipeline)


def test_text_from_the_command_line_becomes_the_fields_type() -> None:
    """Settings given as text are read as the field's type."""
    changed = fields_of.with_settings(
        recipes.RECIPES[recipes.DEFAULT], {"epochs": "3", "learning_rate": "1e-4", "class_weights": "none"}
    )
    assert (changed.epochs, changed.learning_rate, changed.class_weights) == (3, 1e-4, "none")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("epochs", "0", "epochs must be a whole number from 1 to 1000, not '0'"),
        ("epochs", "2.5", "a whole number"),
        ("learning_rate", "fast", "must be a number from 1e-07 to 10"),
        ("learning_rate", "nan", "must be a number"),
        ("model", "resnet", "must be one of resnet9, tiny"),
        ("class_weights", "maybe", "none, balanced, weakest:RUN"),
        ("test_share", "0.5", "less than a tenth for training"),
    ],
)
def test_a_value_out_of_bounds_is_refused_in_words(name: str, value: str, words: str) -> None:
    """The refusal names the field, what it takes and what it was given."""
    settings = {name: value, **({"val_share": "0.5"} if name == "test_share" else {})}
    with pytest.raises(InvalidValue, match=words.replace("(", r"\(")):
        fields_of.with_settings(recipes.RECIPES["balanced"], settings)


def test_unknown_names_list_what_there_is() -> None:
    """An unknown recipe or field names the known ones; a bad pipeline points at its place."""
    with pytest.raises(NotFound, match="balanced"):
        recipes.recipe_named("best")
    with pytest.raises(NotFound, match="epochs"):
        fields_of.with_settings(recipes.RECIPES["balanced"], {"epoch": "3"})
    with pytest.raises(PipelineError, match="Character 6"):
        fields_of.with_settings(recipes.RECIPES["balanced"], {"pipeline": "flip|flop"})


@pytest.mark.parametrize("recipe", recipes.RECIPES.values(), ids=recipes.RECIPES.keys())
def test_quick_keeps_every_ingredient(recipe: Recipe) -> None:
    """Quick changes only how much is done and how large the network is, never what."""
    small = fields_of.quick(recipe)
    amounts = {
        "images",
        "epochs",
        "minutes",
        "batch",
        "width",
        "model",
        "weights",
        "size",
        "small_size",
        "resize",
    }
    amounts |= {"phases", "folds"}
    for declared in dataclasses.fields(recipe):
        if declared.name not in amounts:
            assert getattr(small, declared.name) == getattr(recipe, declared.name)
    kinds = [[phase.kind for phase in phases.parse(each.phases)] for each in (small, recipe)]
    assert kinds[0] == kinds[1]
    assert small.epochs == len(kinds[0]) and small.images <= 256
    assert NETWORKS[small.model].family == NETWORKS[recipe.model].family
    assert bool(small.resize) == bool(recipe.resize) and bool(small.folds) == bool(recipe.folds)
