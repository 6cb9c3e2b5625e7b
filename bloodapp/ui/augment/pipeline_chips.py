"""A pipeline drawn as chips of operations with their values, as HTML; nested choices as rows inside a frame."""

from collections import Counter
from html import escape
from pathlib import Path

from bloodapp.augment.operations import OPERATIONS, Parameter
from bloodapp.augment.pipelines import Pipeline, Step
from bloodapp.augment.pipelines import text as pipeline_text

STYLE = Path(__file__).with_name("pipeline.css")
"""The style sheet of everything about pipelines, for `st.html`."""

_SIGNS = {"degrees": "°", "pixels": " px"}


def chips(pipeline: Pipeline) -> str:
    """The pipeline as HTML (styled by STYLE): one chip an operation, a frame for each `oneof` and `sometimes`."""
    if not pipeline.steps:
        return '<div class="pipe"><span class="nothing">unchanged</span></div>'
    return f'<div class="pipe">{_then().join(_step(step) for step in pipeline.steps)}</div>'


def brief(pipeline: Pipeline) -> str:
    """The pipeline as HTML in a line or two: of a `oneof` or `sometimes` only the names of what is inside."""
    steps = [step for step in pipeline.steps if step.name != "off"]
    if not steps:
        return chips(Pipeline())
    parts = [_choice_in_brief(step) if step.branches else _step(step) for step in steps]
    return f'<div class="pipe brief">{_then().join(parts)}</div>'


def _choice_in_brief(step: Step) -> str:
    # A branch that does nothing is a choice too.
    names = dict.fromkeys(name for branch in step.branches for name in _names(branch) or ["untouched"])
    heading = "one of" if step.name == "oneof" else f"{_percent(step.numbers[0])} of the {_drawn_for(step)}"
    hint = "\n".join(pipeline_text(branch) for branch in step.branches)
    return (
        f'<span class="op wide" title="{escape(hint, quote=True)}"><b>{heading}</b>'
        f"<span>{escape(', '.join(names) or 'nothing')}</span></span>"
    )


def _names(pipeline: Pipeline) -> list[str]:
    steps = [step for step in pipeline.steps if step.name != "off"]
    inside = [name for step in steps for branch in step.branches for name in _names(branch)]
    return [step.name for step in steps if not step.branches] + inside


def _drawn_for(step: Step) -> str:
    """What a choice is drawn for."""
    return "batches" if step.numbers[-1] else "images"


def _then() -> str:
    return '<span class="then">→</span>'


def _step(step: Step) -> str:
    operation = OPERATIONS[step.name]
    if step.branches:
        if step.name == "off":
            return f'<div class="choice off"><em>switched off</em>{chips(step.branches[0])}</div>'
        each = "each batch" if step.numbers[-1] else "each image"
        heading = f"in {_percent(step.numbers[0])} of the {_drawn_for(step)}"
        if step.name == "oneof":
            heading = f"one of {len(step.branches)} for {each}"
        # A branch that is there twice is a branch of double weight: one row, with how often it comes.
        rows = "".join(
            chips(branch) if times == 1 else f'<div class="often"><em>{times} ×</em>{chips(branch)}</div>'
            for branch, times in Counter(step.branches).items()
        )
        return (
            f'<div class="choice" title="{escape(operation.help, quote=True)}"><em>{heading}</em>{rows}</div>'
        )
    values = dict(zip((p.name for p in operation.parameters), step.numbers, strict=True))
    # The first number is the operation's strength; the others are shown where they are not the usual ones.
    shown = [
        _value(parameter, values[parameter.name], named=place > 0)
        for place, parameter in enumerate(operation.parameters)
        if place == 0 or values[parameter.name] != parameter.default
    ]
    numbers_said = (f"{_value(p, values[p.name], named=True)}: {p.help}" for p in operation.parameters)
    hint = " ".join([operation.help, *numbers_said])
    numbers = f"<span>{escape(', '.join(shown))}</span>" if shown else ""
    return f'<span class="op" title="{escape(hint, quote=True)}"><b>{escape(step.name)}</b>{numbers}</span>'


def _value(parameter: Parameter, value: float, *, named: bool) -> str:
    said = parameter.words[int(value)] if parameter.words else f"{value:g}{_unit(parameter)}"
    return f"{parameter.name} {said}" if named else said.replace("_", " ")


def _unit(parameter: Parameter) -> str:
    return _SIGNS.get(parameter.unit, f" {parameter.unit}" if parameter.unit else "")


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
