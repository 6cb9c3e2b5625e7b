"""A training's state at the end of an epoch, whole or not at all: weights, optimizer, average, and the course.

`state.json` names the files that belong to it and is replaced last: a kill at any moment leaves the state of one whole
epoch. What it does not name any more is removed afterwards.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from bloodapp import workspace
from bloodapp.errors import Unreadable

Arrays = Sequence[npt.NDArray[Any]]
STATE = "state.json"


def read_state(folder: Path) -> dict[str, Any]:
    """What state.json says; empty before the first epoch has ended, and of versions that kept other files."""
    path = folder / STATE
    state = workspace.read_json(path) if path.exists() else {}
    return state if "best_file" in state else {}


def write_state(folder: Path, state: dict[str, Any]) -> None:
    """Replace state.json, and remove the files of epochs that it does not name."""
    workspace.write_json(folder / STATE, state)
    named = {state.get("last"), state.get("best_file")}
    for path in folder.glob("*.npz"):
        if path.name not in named:
            path.unlink(missing_ok=True)


def write_arrays(path: Path, **groups: Arrays) -> str:
    """Keep groups of arrays in a file, whole or not at all; the name of the file."""
    named = {f"{group}-{k}": array for group, arrays in groups.items() for k, array in enumerate(arrays)}
    with workspace.replacing(path) as temporary, temporary.open("wb") as stream:
        np.savez(stream, **named)  # type: ignore[arg-type]
    return path.name


def read_arrays(path: Path, group: str) -> list[npt.NDArray[Any]]:
    """The arrays of a group, in order; raises Unreadable."""
    try:
        with np.load(path, allow_pickle=False) as content:
            count = sum(name.startswith(f"{group}-") for name in content.files)
            return [content[f"{group}-{k}"] for k in range(count)]
    except (OSError, ValueError, KeyError) as error:
        raise Unreadable(
            f"The checkpoint {path.name} cannot be read ({error}): start a new training."
        ) from error


def remove(folder: Path) -> None:
    """Remove all checkpoints of a training that is done."""
    shutil.rmtree(folder, ignore_errors=True)


def optimizer_state(model: keras.Model) -> list[npt.NDArray[Any]]:
    """The variables of the model's optimizer, its count of steps and its learning rate among them."""
    return [np.asarray(variable.numpy()) for variable in model.optimizer.variables]


def restore_optimizer(model: keras.Model, state: Arrays) -> None:
    """Set a built optimizer of a compiled model to a state; raises Unreadable when it is another optimizer's."""
    variables = model.optimizer.variables
    if [tuple(variable.shape) for variable in variables] != [array.shape for array in state]:
        raise Unreadable("The checkpoint holds another optimizer's state: start a new training.")
    for variable, array in zip(variables, state, strict=True):
        variable.assign(array)


def reseed(model: keras.Model, seed: int, epoch: int) -> None:
    """Let dropout and its like draw from (seed, epoch, place) alone: Keras keeps no such state in its files.

    A draw of a later epoch is then the same whether or not the training was cut off before it.
    """
    places = [variable for variable in model.variables if variable.name == "seed_generator_state"]
    for number, variable in enumerate(places):
        drawn = int(np.random.SeedSequence([seed, epoch, number]).generate_state(1)[0]) >> 1
        variable.assign(np.array([drawn, 0]).astype(variable.dtype))
