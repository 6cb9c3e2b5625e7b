"""A form drawn from a recipe's fields: help, bounds, choices and units come from their declarations alone."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import streamlit as st

from bloodapp.train.recipe import Recipe, fields
from bloodapp.ui import state

KEPT = "settings"
"""Where the changed fields are kept: a dict of field name to value."""

_COLUMNS = 3


def changed() -> dict[str, Any]:
    """The fields that the user changed, by name."""
    return dict(state.get(KEPT) or {})


def reset() -> None:
    """Forget all changes."""
    state.put(KEPT, {})


def draw(recipe: Recipe, *, skip: Sequence[str] = ()) -> None:
    """Draw the form: basic fields in sight, advanced ones folded. Changes are kept, see `changed`.

    Args:
        recipe: the recipe as it ships; a field that goes back to its value is no change any more.
        skip: names of fields that the page shows elsewhere.
    """
    shown = [each for each in fields() if each.name not in skip]
    _rows(recipe, [each for each in shown if not each.metadata["advanced"]])
    advanced = [each for each in shown if each.metadata["advanced"]]
    count = sum(each.name in changed() for each in advanced)
    with st.expander("Advanced settings" + (f" · {count} changed" if count else ""), key="train-advanced"):
        _rows(recipe, advanced)
    if changed():
        st.button("Back to the recipe's own settings", type="tertiary", on_click=reset, key="train-reset")


def label(declared: "dataclasses.Field[Any]") -> str:
    """What a field is called for people: `learning_rate` → `Learning rate`, with its unit."""
    unit = declared.metadata["unit"]
    words = declared.name.replace("_", " ").capitalize()
    return f"{words} ({unit})" if unit and unit != declared.name else words


def step(value: float, high: float) -> float:
    """A sensible step for a number: one digit in the place of its first figure, 1 for large ranges."""
    if high > 100:
        return 1.0
    return float(10 ** math.floor(math.log10(abs(value)))) if value else 0.01


def _rows(recipe: Recipe, declared: "list[dataclasses.Field[Any]]") -> None:
    for start in range(0, len(declared), _COLUMNS):
        columns = st.columns(_COLUMNS, vertical_alignment="bottom")
        for column, each in zip(columns, declared[start : start + _COLUMNS], strict=False):
            with column:
                _widget(recipe, each)


def _widget(recipe: Recipe, declared: "dataclasses.Field[Any]") -> None:
    name, metadata = declared.name, declared.metadata
    own = getattr(recipe, name)
    key = f"recipe-{name}"
    st.session_state[key] = changed().get(name, own)
    given: dict[str, Any] = {
        "label": label(declared),
        "key": key,
        "help": metadata["help"],
        "on_change": _keep,
        "args": (name, own),
    }
    if isinstance(own, bool):
        st.toggle(**given)
    elif metadata["choices"]:
        st.selectbox(options=list(metadata["choices"]), **given)
    elif isinstance(own, int):
        st.number_input(min_value=int(metadata["low"]), max_value=int(metadata["high"]), step=1, **given)
    elif isinstance(own, float):
        low, high = float(metadata["low"]), float(metadata["high"])
        st.number_input(min_value=low, max_value=high, step=step(own, high), format="%g", **given)
    else:
        st.text_input(**given)


def _keep(name: str, own: Any) -> None:
    value = st.session_state[f"recipe-{name}"]
    now = {key: old for key, old in changed().items() if key != name}
    state.put(KEPT, now if value == own or value is None else {**now, name: value})
