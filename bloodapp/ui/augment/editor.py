"""The steps of a pipeline as a list that is edited in place: switches, sliders, order, branches.

The list is a component of its own, so that a pipeline of forty steps is drawn at once and the keyboard
keeps its place; what an edit means is decided by `bloodapp.augment.editing`.
"""

import math
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from bloodapp.augment.editing import OFF, perform
from bloodapp.augment.operations import GROUPS, OPERATIONS, Parameter
from bloodapp.augment.pipelines import Pipeline, Step, resolve
from bloodapp.augment.pipelines import text as pipeline_text
from bloodapp.errors import InvalidValue, PipelineError
from bloodapp.ui import state
from bloodapp.ui.augment import edits

KEY = "augment-editor"
_ANSWERED = "edit_answered"
_FOLDER = Path(__file__).parent
_UNFOLDED_UP_TO = 9
"""Steps in a pipeline, all told, up to which its choices are drawn unfolded; the same for choices within choices."""

_HISTORY = {"undo": edits.undo, "redo": edits.redo}
_SIGNS = {"degrees": "°", "pixels": " px", "grey levels": " grey levels", "bits": " bits"}
_PERCENT = {"share", "probability"}


def receive() -> str:
    """Perform the edit that the list has reported, if there is a new one, on the pipeline looked at.

    Call before anything is drawn. Returns what is wrong with the edit; empty when nothing is.
    """
    edit = (st.session_state.get(KEY) or {}).get("edit")
    if not isinstance(edit, dict) or edit.get("id") == state.get(_ANSWERED):
        return ""
    state.put(_ANSWERED, edit.get("id"))
    try:
        pipeline = resolve(edits.asked())
        # Made on a text that is no longer there (another tab, the back button): what is there now is drawn again.
        if edit.get("act") in _HISTORY:
            _HISTORY[edit["act"]]()
        elif edit.get("base") == pipeline_text(pipeline):
            edits.change(perform(pipeline, edit))
    except (InvalidValue, PipelineError) as error:
        return str(error)
    return ""


def draw(pipeline: Pipeline) -> None:
    """Draw the list of steps."""
    _component()(
        key=KEY,
        data={
            "version": pipeline_text(pipeline),
            "answered": state.get(_ANSWERED),
            "steps": described(pipeline),
            "groups": _groups(),
        },
        default={"edit": None},
        on_edit_change=lambda: None,
    )


def described(pipeline: Pipeline) -> list[dict[str, Any]]:
    """The steps as the list shows them: nested dicts of words, numbers and paths."""
    return _described(pipeline, (), unfolded=_count(pipeline) <= _UNFOLDED_UP_TO)


def fineness(parameter: Parameter, value: float) -> float:
    """The step of a slider: about 100 places, and fine enough for `value` to be one of them."""
    if parameter.whole:
        return 1
    size = 10.0 ** math.floor(math.log10((parameter.high - parameter.low) / 50))
    for fine in (size / part for part in (1, 2, 4, 10, 20, 100, 1000)):
        places = (value - parameter.low) / fine
        if math.isclose(places, round(places), abs_tol=1e-6):
            break
    return float(f"{fine:.6g}")


def _described(pipeline: Pipeline, path: tuple[int, ...], *, unfolded: bool) -> list[dict[str, Any]]:
    rows = []
    for place, outer in enumerate(pipeline.steps):
        here = (*path, place)
        inner, inside = outer, here
        # A single step that is off is drawn as itself, greyed; what else `off` holds is a frame of its own.
        while inner.name == OFF and len(inner.branches[0].steps) == 1:
            inner, inside = inner.branches[0].steps[0], (*inside, 0, 0)
        rows.append(_row(outer, inner, here, inside, unfolded=unfolded))
    return rows


def _row(
    outer: Step, step: Step, path: tuple[int, ...], inner: tuple[int, ...], *, unfolded: bool
) -> dict[str, Any]:
    operation = OPERATIONS[step.name]
    return {
        "path": list(path),
        "inner": list(inner),
        "kind": step.name,
        "title": _title(step),
        "help": operation.help.replace("`", ""),
        "on": outer.name != OFF,
        "parameters": [
            _parameter(parameter, value)
            for parameter, value in zip(operation.parameters, step.numbers, strict=True)
        ],
        "branches": [
            {
                "path": [*inner, number],
                "steps": _described(branch, (*inner, number), unfolded=unfolded),
            }
            for number, branch in enumerate(step.branches)
        ],
        "unfolded": unfolded or (len(path) > 1 and _count(Pipeline((step,))) <= _UNFOLDED_UP_TO),
        "brief": _brief(step),
    }


def _title(step: Step) -> str:
    if step.name == "oneof":
        return f"one of {len(step.branches)}"
    return "switched off" if step.name == OFF else step.name


def _brief(step: Step) -> str:
    """What a folded choice holds, in a line."""
    names = ", ".join(dict.fromkeys(_inside(step))) or "unchanged"
    if step.name == "sometimes":
        return f"{100 * step.numbers[0]:g} %: {names}"
    return f"per batch: {names}" if step.name == "oneof" and step.numbers[0] else names


def _parameter(parameter: Parameter, value: float) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "value": int(value) if parameter.whole else value,
        "low": parameter.low,
        "high": parameter.high,
        "step": fineness(parameter, value),
        "sign": _SIGNS.get(parameter.unit, f" {parameter.unit}" if parameter.unit else ""),
        "percent": parameter.name in _PERCENT,
        "words": list(parameter.words),
        "help": parameter.help.replace("`", ""),
    }


def _inside(step: Step) -> list[str]:
    names = []
    for branch in step.branches:
        for each in branch.steps:
            names += _inside(each) if each.branches else [each.name]
    return names


def _count(pipeline: Pipeline) -> int:
    return sum(1 + sum(_count(branch) for branch in step.branches) for step in pipeline.steps)


@cache
def _groups() -> list[dict[str, Any]]:
    return [
        {
            "title": group,
            "operations": [
                {"name": each.name, "help": each.help, "words": [list(one.words) for one in each.parameters]}
                for each in OPERATIONS.values()
                if each.group == group and each.name != OFF  # every step has a switch of its own
            ],
        }
        for group in GROUPS
    ]


@cache
def _component() -> Any:
    return st.components.v2.component(
        "bloodapp_pipeline_editor",
        html='<div class="editor"></div>',
        css=(_FOLDER / "pipeline_editor.css").read_text(encoding="utf-8"),
        js=(_FOLDER / "pipeline_editor.js").read_text(encoding="utf-8"),
    )
