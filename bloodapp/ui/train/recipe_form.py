"""A form drawn from a recipe's fields: help, bounds, choices and units come from their declarations alone.

Basic fields are in sight, the others under the heading of their group. What differs from the recipe is marked, and
listed to be taken back one by one.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import streamlit as st

from bloodapp.data.dataset import Dataset
from bloodapp.train.recipe import GROUPS, Recipe, fields
from bloodapp.ui import css, state
from bloodapp.ui.text import count, plain
from bloodapp.ui.train import choice, recipe_fields
from bloodapp.ui.train import words as train_words

_COLUMNS = 3
_LARGEST = 2**53 - 1  # that a browser counts to
_GROUP = "group"
WIDE = ("head", "phases", "copies")
"""Fields that take a row of their own."""


def draw(
    own: Recipe,
    now: Recipe,
    problems: Mapping[str, str],
    dataset: Dataset,
    *,
    skip: Sequence[str] = (),
    images: int | None = None,
) -> None:
    """Draw the form.

    Args:
        own: the recipe as it ships.
        now: the recipe with all changes that can be read.
        problems: what is wrong, a sentence by field; it stands under the field.
        dataset: what will be trained on.
        skip: names of fields that the page shows elsewhere.
        images: in the training part, where known.
    """
    changed = choice.changes()
    shown = [each for each in fields() if each.name not in skip]
    css.style(_marks(changed))
    form = _Form(own, now, changed, problems, dataset, images)
    form.rows([each for each in shown if not each.metadata["advanced"]])
    advanced = [each for each in shown if each.metadata["advanced"]]
    group = _groups(advanced, changed, problems)
    if group:
        with st.container(key="train-group"):
            form.rows([each for each in advanced if each.metadata["group"] == group])
    _changes(own, changed)


def _marks(changed: Mapping[str, Any]) -> str:
    """Style that marks the labels of changed fields, so that their names stay plain words."""
    labels = ", ".join(
        f'.st-key-recipe-{name} label [data-testid="stMarkdownContainer"] p' for name in changed
    )
    return f"{labels} {{ color: var(--violet); font-weight: 600; }}" if labels else ""


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


def _groups(
    advanced: "list[dataclasses.Field[Any]]", changed: Mapping[str, Any], problems: Mapping[str, str]
) -> str:
    """The headings of the folded fields with the number of changes under each; the one that is unfolded, if any."""

    def words(group: str) -> str:
        names = [each.name for each in advanced if each.metadata["group"] == group]
        number = sum(name in changed for name in names)
        wrong = " :material/error:" if any(name in problems for name in names) else ""
        return f"{group} :small[{number} changed]{wrong}" if number else group

    group = state.get(_GROUP) if state.get(_GROUP) in GROUPS else None
    state.show("train-groups", group)
    st.pills(
        "More settings",
        [group for group in GROUPS if any(each.metadata["group"] == group for each in advanced)],
        key="train-groups",
        format_func=words,
        on_change=lambda: state.put(_GROUP, st.session_state["train-groups"]),
    )
    return str(group or "")


def _changes(own: Recipe, changed: Mapping[str, Any]) -> None:
    """What differs from the recipe, each with a button that takes it back."""
    if not changed:
        return
    with st.container(key="train-changes", gap=None):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.html(f'<div class="quiet">{count(len(changed), "change")} from the recipe</div>')
            st.button("Take all back", type="tertiary", on_click=choice.reset, key="train-reset")
        for each in fields():
            if each.name not in changed:
                continue
            with st.container(horizontal=True, vertical_alignment="center", key=f"changed-{each.name}"):
                st.html(
                    f'<div class="change"><b>{escape(label(each))}</b>'
                    f"<span>{escape(_plainly(changed[each.name]))}</span>"
                    f"<s>{escape(_plainly(getattr(own, each.name)))}</s></div>"
                )
                st.button(
                    "",
                    icon=":material/undo:",
                    help=f"Take back: {label(each)}",
                    type="tertiary",
                    key=f"undo-{each.name}",
                    on_click=choice.reset,
                    args=(each.name,),
                )


def _plainly(value: Any) -> str:
    """A value as people read it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    return str(value) if value != "" else "nothing"


@dataclasses.dataclass(frozen=True)
class _Form:
    """One drawing of the form; what `draw` was given."""

    own: Recipe
    now: Recipe
    changed: Mapping[str, Any]
    problems: Mapping[str, str]
    dataset: Dataset
    images: int | None

    def rows(self, declared: "list[dataclasses.Field[Any]]") -> None:
        """The fields side by side, what counts for nothing left out, long texts below each other."""
        idle = train_words.idle(self.now)
        counting = [each for each in declared if each.name not in idle or each.name in self.changed]
        # Switches are lower than other widgets: side by side they stand in a line.
        narrow = sorted(
            (each for each in counting if each.name not in WIDE),
            key=lambda each: isinstance(each.default, bool),
        )
        for start in range(0, len(narrow), _COLUMNS):
            columns = st.columns(_COLUMNS, vertical_alignment="top")
            for column, each in zip(columns, narrow[start : start + _COLUMNS], strict=False):
                with column:
                    self._field(each)
        for each in counting:
            if each.name in WIDE:
                self._field(each)

    def _field(self, declared: "dataclasses.Field[Any]") -> None:
        name, key = declared.name, f"recipe-{declared.name}"
        value = self.changed.get(name, getattr(self.own, name))
        if not _can_show(declared, value):
            value = getattr(self.own, name)
        given: dict[str, Any] = {"label": plain(label(declared)), "help": declared.metadata["help"]}
        special = recipe_fields.DRAWN.get(name)
        if special:
            special(recipe_fields.Place(name, key, value, self.now, self.dataset, given))
        else:
            _plain_widget(declared, key, value, given)
        if name in self.problems:
            st.html(f'<p class="wrong" role="alert">{escape(self.problems[name])}</p>')
        elif said := train_words.meaning(name, self.now, self.images):
            st.html(f'<p class="meaning">{escape(said)}</p>')


def _can_show(declared: "dataclasses.Field[Any]", value: Any) -> bool:
    """Whether a field's widget can show a value, which may be anything that an address says."""
    if isinstance(declared.default, str):
        return not declared.metadata["choices"] or value in declared.metadata["choices"]
    return isinstance(value, int | float) and abs(value) <= _LARGEST


def _plain_widget(declared: "dataclasses.Field[Any]", key: str, value: Any, given: dict[str, Any]) -> None:
    """The widget that fits the field's kind, bounds and choices."""
    metadata, own = declared.metadata, declared.default
    state.show(key, value)
    given = {**given, "key": key, "on_change": _keep, "args": (declared.name,)}
    if isinstance(own, bool):
        st.toggle(**given)
    elif metadata["choices"]:
        st.selectbox(
            options=list(metadata["choices"]), format_func=recipe_fields.named(declared.name), **given
        )
    elif isinstance(own, int):
        # Without bounds: the browser would keep to itself what is beyond them, and nobody would say so.
        st.number_input(step=1, **given)
    elif isinstance(own, float):
        high = float(metadata["high"])
        st.number_input(step=step(min(value, high), high), format="%g", **given)
    else:
        st.text_input(**given)


def _keep(name: str) -> None:
    value = st.session_state[f"recipe-{name}"]
    if value is not None:
        choice.change(name, value)
