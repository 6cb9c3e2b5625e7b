"""Editing a pipeline step by step, without a page: every edit takes a pipeline and gives a new one.

A step's path is where it stands: `(2,)` is the third step, `(2, 1, 0)` the first step in its second
branch. A path of even length is a list of steps: `()` the pipeline itself, `(2, 1)` that branch.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace as altered
from typing import Any

from bloodapp.augment.operations import OPERATIONS
from bloodapp.augment.pipelines import Pipeline, Step
from bloodapp.errors import InvalidValue

Path = tuple[int, ...]

OFF = "off"
"""The operation that a step is wrapped in while it is switched off."""


def at(pipeline: Pipeline, path: Path) -> Step:
    """The step at a path of odd length; raises InvalidValue where there is none."""
    return _steps(pipeline, path[:-1])[_index(pipeline, path)]


def inside(pipeline: Pipeline, path: Path) -> Pipeline:
    """The list of steps at a path of even length: the pipeline itself or a branch; raises InvalidValue."""
    return Pipeline(_steps(pipeline, path))


def insert(pipeline: Pipeline, path: Path, step: Step) -> Pipeline:
    """The pipeline with a step put in at a path; one place past the end of a list appends to it."""
    steps = _steps(pipeline, path[:-1])
    if not path or not 0 <= path[-1] <= len(steps):
        raise _nothing(path)
    return _with_steps(pipeline, path[:-1], (*steps[: path[-1]], step, *steps[path[-1] :]))


def remove(pipeline: Pipeline, path: Path) -> Pipeline:
    """The pipeline without the step at a path."""
    return _replaced(pipeline, path, ())


def move(pipeline: Pipeline, path: Path, by: int) -> Pipeline:
    """The pipeline with a step moved within its list, -1 one place up, 1 down; at an end it stays."""
    steps = list(_steps(pipeline, path[:-1]))
    place = _index(pipeline, path)
    step = steps.pop(place)
    steps.insert(min(max(place + by, 0), len(steps)), step)
    return _with_steps(pipeline, path[:-1], tuple(steps))


def switch(pipeline: Pipeline, path: Path) -> Pipeline:
    """The pipeline with a step switched off, or what is inside a step that is off switched on again."""
    step = at(pipeline, path)
    if step.name == OFF:
        return _replaced(pipeline, path, step.branches[0].steps)
    return _replaced(pipeline, path, (Step(OFF, (), (Pipeline((step,)),)),))


def change(pipeline: Pipeline, path: Path, parameter: int, value: float) -> Pipeline:
    """The pipeline with one number of a step changed, by its place among the operation's parameters.

    Raises InvalidValue for a number out of its bounds.
    """
    step = at(pipeline, path)
    declared = OPERATIONS[step.name].parameters
    if not 0 <= parameter < len(declared):
        raise InvalidValue(f"'{step.name}' has no value number {parameter + 1}.")
    limits = declared[parameter]
    value = float(f"{value:.12g}")  # as the text will say it
    if not limits.low <= value <= limits.high or (limits.whole and value != int(value)):
        raise InvalidValue(f"{limits.name} of '{step.name}' cannot be {value:g}.")
    values = list(step.numbers[: max(parameter + 1, len(step.values))])
    values[parameter] = value
    return _replaced(pipeline, path, (altered(step, values=tuple(values)),))


def add_branch(pipeline: Pipeline, path: Path) -> Pipeline:
    """The pipeline with one more branch, that changes nothing yet, in the `oneof` at a path."""
    step = at(pipeline, path)
    if OPERATIONS[step.name].branches < 2:
        raise InvalidValue(f"'{step.name}' takes no further branch.")
    return _replaced(pipeline, path, (altered(step, branches=(*step.branches, Pipeline())),))


def remove_branch(pipeline: Pipeline, path: Path) -> Pipeline:
    """The pipeline without a branch, by the branch's path; raises InvalidValue where two must remain."""
    if not path or len(path) % 2:
        raise _nothing(path)
    step = at(pipeline, path[:-1])
    if not 0 <= path[-1] < len(step.branches):
        raise _nothing(path)
    if OPERATIONS[step.name].branches < 2 or len(step.branches) <= 2:
        raise InvalidValue(f"'{step.name}' cannot do with fewer branches: remove the step instead.")
    kept = (*step.branches[: path[-1]], *step.branches[path[-1] + 1 :])
    return _replaced(pipeline, path[:-1], (altered(step, branches=kept),))


def fresh(name: str) -> Step:
    """A new step with its usual values; branches, where it needs some, change nothing yet."""
    if name not in OPERATIONS:
        raise InvalidValue(f"There is no operation '{name}'.")
    return Step(name, (), (Pipeline(),) * OPERATIONS[name].branches)


def perform(pipeline: Pipeline, edit: Mapping[str, Any]) -> Pipeline:
    """The pipeline after an edit as the page reports it; raises InvalidValue for one that makes no sense.

    `act` says which: `insert` (with `name`, and where a value is
    to be another than usual `parameter` and `value`), `remove`, `move` (`by`), `switch`, `change` (`parameter`,
    `value`), `add_branch`, `remove_branch`; `path` is a list of whole numbers.
    """
    try:
        path = tuple(int(each) for each in edit["path"])
        acts: dict[str, Callable[[], Pipeline]] = {
            "insert": lambda: _inserted(pipeline, path, edit),
            "remove": lambda: remove(pipeline, path),
            "move": lambda: move(pipeline, path, int(edit["by"])),
            "switch": lambda: switch(pipeline, path),
            "change": lambda: change(pipeline, path, int(edit["parameter"]), float(edit["value"])),
            "add_branch": lambda: add_branch(pipeline, path),
            "remove_branch": lambda: remove_branch(pipeline, path),
        }
        return acts[edit["act"]]()
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidValue("This edit makes no sense here: reload the page.") from error


def _inserted(pipeline: Pipeline, path: Path, edit: Mapping[str, Any]) -> Pipeline:
    added = insert(pipeline, path, fresh(str(edit["name"])))
    if "parameter" not in edit:
        return added
    return change(added, path, int(edit["parameter"]), float(edit["value"]))


def _steps(pipeline: Pipeline, path: Path) -> tuple[Step, ...]:
    if len(path) % 2:
        raise _nothing(path)
    if not path:
        return pipeline.steps
    step = at(pipeline, path[:-1])
    if not 0 <= path[-1] < len(step.branches):
        raise _nothing(path)
    return step.branches[path[-1]].steps


def _index(pipeline: Pipeline, path: Path) -> int:
    if len(path) % 2 == 0 or not 0 <= path[-1] < len(_steps(pipeline, path[:-1])):
        raise _nothing(path)
    return path[-1]


def _replaced(pipeline: Pipeline, path: Path, by: Sequence[Step]) -> Pipeline:
    place = _index(pipeline, path)
    steps = _steps(pipeline, path[:-1])
    return _with_steps(pipeline, path[:-1], (*steps[:place], *by, *steps[place + 1 :]))


def _with_steps(pipeline: Pipeline, path: Path, steps: tuple[Step, ...]) -> Pipeline:
    if not path:
        return Pipeline(steps)
    step = at(pipeline, path[:-1])
    branches = (*step.branches[: path[-1]], Pipeline(steps), *step.branches[path[-1] + 1 :])
    return _replaced(pipeline, path[:-1], (altered(step, branches=branches),))


def _nothing(path: Path) -> InvalidValue:
    return InvalidValue(f"There is no step at {'.'.join(map(str, path)) or 'the top'}.")
