"""What is chosen for a new training: the recipe, what differs from it, the pipeline, the run it was taken from.

All of it is in the address, `?recipe=r3&set=epochs%3D20`: a link, a reload and the back button hold, and two tabs do
not disturb each other.
"""

import dataclasses
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlencode

from bloodapp.augment.pipelines import resolve
from bloodapp.errors import BloodappError
from bloodapp.runs.run import Run
from bloodapp.train import start
from bloodapp.train.launch import recipe_of
from bloodapp.train.recipe import Recipe, fields
from bloodapp.train.recipes import DEFAULT, RECIPES
from bloodapp.train.settings import checked, with_settings
from bloodapp.ui import background, state
from bloodapp.ui.address import told

RECIPE, CHANGES, AUGMENT, FROM = "recipe", "set", "augment", "from"
"""Names in the address: of the recipe, of what differs from it, of the pipeline chosen, of the run it came from."""

WHOLE = "whole"
"""The key of a problem that no single field has."""


def take_address(names: tuple[str, ...]) -> None:
    """An address that names a recipe says all that is chosen: what it leaves out is not chosen."""
    asked = told()
    if RECIPE in asked:
        for name in names:
            if name not in asked:
                state.put(name, None)


def recipe() -> Recipe:
    """The chosen recipe as it ships."""
    return RECIPES[name] if (name := state.get(RECIPE)) in RECIPES else RECIPES[DEFAULT]


def choose(name: str) -> None:
    """Choose a recipe, with nothing changed."""
    state.put_together({RECIPE: name, CHANGES: None, FROM: None})


def changes() -> dict[str, Any]:
    """The fields that differ from the recipe, by name, in the recipe's order; text that cannot be read stays text."""
    own = recipe()
    found = _read(str(state.get(CHANGES) or ""))
    return {name: value for name, value in found.items() if value != getattr(own, name)}


def differing() -> int:
    """How many fields differ from the recipe, a pipeline of one's own among them."""
    own = recipe()
    return len(changes()) + sum(pipeline != own.pipeline for pipeline in pipeline_change().values())


def change(name: str, value: Any) -> None:
    """Give one field a value; the recipe's own value is no change."""
    _keep({**changes(), name: value})


def reset(name: str | None = None) -> None:
    """Take one change back, or all of them."""
    _keep({} if name is None else {key: value for key, value in changes().items() if key != name})


def _keep(values: Mapping[str, Any]) -> None:
    state.put(CHANGES, _written(recipe(), values))


def _written(own: Recipe, values: Mapping[str, Any]) -> str | None:
    kept = {name: value for name, value in values.items() if value != getattr(own, name)}
    return urlencode({name: _text(value) for name, value in kept.items()}) or None


def duplicate(run: Run) -> None:
    """Fill the form with the recipe of a run and all that it had changed."""
    theirs = recipe_of(run)
    own = RECIPES.get(theirs.name, RECIPES[DEFAULT])
    differs = {each.name: getattr(theirs, each.name) for each in fields() if each.name != "pipeline"}
    pipeline = theirs.pipeline
    state.put_together(
        {
            RECIPE: own.name,
            CHANGES: _written(own, differs),
            AUGMENT: None if pipeline == own.pipeline else pipeline,
            FROM: run.name,
        }
    )


def settle() -> tuple[Recipe, dict[str, str]]:
    """The recipe with every change that can be read, and what is wrong, a sentence by field.

    What fits together with nothing is under `WHOLE`.
    """
    own, values = recipe(), dict[str, Any]()
    problems: dict[str, str] = {}
    for name, value in {**changes(), **pipeline_change()}.items():
        with _told(problems, name):
            values[name] = checked(_declared()[name], value)
        if name == "weights" and value in ("", "run:"):
            problems[name] = "Say which weights: choose a run, or give the path of a file."
    try:
        recipe_now = with_settings(own, values)
        resolve(
            recipe_now.pipeline
        )  # the file of saved pipelines may be damaged, which Augment can put aside
        if "weights" not in problems:
            with _told(problems, "weights"):
                start.check(recipe_now)
        return recipe_now, problems
    except BloodappError as error:
        # Which of the changes do not go together, the sentence says: it names the fields.
        return dataclasses.replace(own, **values), {**problems, WHOLE: str(error)}


@contextmanager
def _told(problems: dict[str, str], name: str) -> Iterator[None]:
    """Keep what goes wrong inside as the problem of this field."""
    try:
        yield
    except BloodappError as error:
        problems[name] = str(error)


def pipeline_change() -> dict[str, str]:
    """The pipeline chosen on the Augment page as a setting; nothing when none was chosen or it cannot be read."""
    asked = state.get(AUGMENT)
    with suppress(BloodappError):
        if asked:
            resolve(str(asked))
            return {"pipeline": str(asked)}
    return {}


def pipeline_problem() -> str:
    """Why the pipeline in the address cannot be taken; empty when it can."""
    try:
        resolve(str(state.get(AUGMENT) or "none"))
    except BloodappError as error:
        return f"The augmentation in the address cannot be read, the recipe's own is taken. {error}"
    return ""


@lru_cache(maxsize=1)
def _declared() -> dict[str, "dataclasses.Field[Any]"]:
    return {each.name: each for each in fields()}


@lru_cache(maxsize=64)
def _read_items(text: str) -> tuple[tuple[str, Any], ...]:
    given = dict(parse_qsl(text, keep_blank_values=True))
    found: list[tuple[str, Any]] = []
    for name, declared in _declared().items():
        if name not in given:
            continue
        try:
            found.append((name, checked(declared, given[name])))
        except BloodappError:
            # It stays as it was given: the form says what is wrong with it, and nothing starts until it is mended.
            found.append((name, _number(declared.default, given[name])))
    return tuple(found)


def _number(like: Any, text: str) -> Any:
    """A number out of its bounds, so that its field can show it; what is none stays text."""
    with suppress(ValueError):
        if type(like) is int:
            return int(text)
        if type(like) is float and math.isfinite(float(text)):
            return float(text)
    return text


def _read(text: str) -> dict[str, Any]:
    return dict(_read_items(text))


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def show_begun(run: Run) -> None:
    """Have a training that was just queued begin at once, and put it on show."""
    background.runner().wake()
    state.put_together({"run": run.name, "train": None})
