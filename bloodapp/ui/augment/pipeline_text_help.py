"""Help for who writes a pipeline: the place of a mistake, and everything that can be written."""

import re
from difflib import get_close_matches
from html import escape

import streamlit as st

from bloodapp.augment.operations import OPERATIONS, Operation, Parameter
from bloodapp.errors import PipelineError
from bloodapp.ui import frame

_AROUND = 40
"""Characters shown on either side of a mistake."""


def caret(source: str, position: int) -> str:
    """The part of the text around a mistake, and under it a line with `^` at the place; two lines."""
    begin = source.rfind("\n", 0, position) + 1
    end = source.find("\n", position)
    line = source[begin : end if end >= 0 else len(source)]
    place = min(position - begin, len(line))
    first, last = max(0, place - _AROUND), min(len(line), place + _AROUND)
    before, after = "…" if first else "", "…" if last < len(line) else ""
    return f"{before}{line[first:last]}{after}\n{' ' * (len(before) + place - first)}^"


def mistake(source: str, error: PipelineError) -> None:
    """Show what is wrong with a pipeline's text, and where; what there is instead stands quietly below."""
    st.code(caret(source, error.position), language=None)
    told, _, available = str(error).partition(" Available: ")
    missing = re.search(r"can't find '(\w+)'", told)
    near = get_close_matches(missing.group(1), re.findall(r"\w+", available), n=1) if missing else []
    frame.error(f"{told} Did you mean {near[0]}?" if near else told)
    if available:
        st.html(f'<p class="quiet">There is: {escape(available)}</p>')


def operations() -> None:
    """A folded list of all operations with their numbers, drawn from their declarations."""
    with st.expander("What can be written"):
        st.caption(
            "Operations joined by `|`, values in brackets: `flip|rotate(15, black)|noise(8)`. "
            "`oneof(…; …)` takes one of its branches for each image, `oneof(batch; …; …)` for each batch; "
            "`sometimes(0.3; …)` takes its branch for 30 % of the images; `off(…)` keeps what is inside and does "
            "nothing. The name of a pipeline, yours too, stands for its text."
        )
        rows = "".join(_row(operation) for operation in OPERATIONS.values())
        st.html(f'<dl class="operations">{rows}</dl>')


def _row(operation: Operation) -> str:
    numbers = "".join(
        f"<div><i>{escape(p.name)}</i> {escape(_bounds(p))}. {escape(p.help)}</div>"
        for p in operation.parameters
    )
    return f"<dt>{escape(operation.name)}</dt><dd>{escape(operation.help)}{numbers}</dd>"


def _bounds(parameter: Parameter) -> str:
    """What a value may be, usually is, and at which it does nothing."""
    if parameter.words:
        return f"{', '.join(parameter.words)}; usually {parameter.words[int(parameter.default)]}"
    unit = f" {parameter.unit}" if parameter.unit else ""
    said = f"{parameter.low:g} to {parameter.high:g}{unit}, usually {parameter.default:g}"
    return said if parameter.neutral is None else f"{said}, {parameter.neutral:g} does nothing"
