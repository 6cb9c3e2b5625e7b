"""The choice of a recipe by what it is for: headings, and under each its recipes as cards."""

from html import escape

import streamlit as st

from bloodapp.train.recipe import Recipe
from bloodapp.train.recipes import PURPOSES, RECIPES
from bloodapp.ui import css, frame, state
from bloodapp.ui.text import plain
from bloodapp.ui.train import choice, words

_PURPOSE = "purpose"
"""Where the heading on show is kept, while no recipe of it is chosen."""

_FINAL = ("r0", "r1", "r2heavy", "r3", "r4")
"""The system that each report ends with."""


def draw() -> None:
    """Draw the headings and the recipes of the one on show; the chosen one is marked."""
    chosen = choice.recipe()
    came_from = state.get(choice.FROM)
    purpose = state.get(_PURPOSE) if state.get(_PURPOSE) in PURPOSES else chosen.purpose
    # Said in the heading: with an element of its own, here one moment and gone the next, the browser would draw the
    # cards anew while they have the focus, and the next key would reach nothing.
    elsewhere = chosen.purpose != purpose
    frame.section(
        "Recipe", f"chosen: {chosen.title}, under {chosen.purpose}" if elsewhere else "by what it is for"
    )
    state.show("train-purpose", purpose)
    st.segmented_control(
        "What it is for",
        PURPOSES,
        key="train-purpose",
        required=True,
        label_visibility="collapsed",
        on_change=lambda: state.put(_PURPOSE, st.session_state["train-purpose"]),
    )
    offered = [recipe for recipe in RECIPES.values() if recipe.purpose == purpose]
    # Within a report its final system comes first; recipes of no report keep their order.
    offered.sort(key=lambda recipe: (_report(recipe), recipe.name not in _FINAL))
    names = [recipe.name for recipe in offered]
    box = f"train-recipe-{PURPOSES.index(purpose)}"
    state.show(box, chosen.name if chosen.name in names else None)
    css.style(_headings(offered))
    with st.container(key="train-recipes"):
        st.radio(
            "Recipe",
            names,
            key=box,
            format_func=lambda name: plain(RECIPES[name].title),
            captions=[_caption(recipe) for recipe in offered],
            label_visibility="collapsed",
            on_change=_choose,
            args=(box,),
        )
    if came_from:
        _origin(str(came_from))


def _report(recipe: Recipe) -> str:
    """The report that a recipe is from, `R2`; empty for others."""
    return recipe.title.partition(",")[0] if recipe.purpose == PURPOSES[-1] else ""


def _headings(offered: list[Recipe]) -> str:
    """Style that begins a row, with a heading, where the next report begins: the cards stay one group of radios."""
    rules, before = [], ""
    for place, recipe in enumerate(offered, 1):
        report = _report(recipe)
        if report != before:
            card = f'.st-key-train-recipes [data-testid="stRadioGroup"] > div:nth-child({place})'
            rules.append(f'{card} {{ grid-column-start: 1; }} {card}::before {{ content: "{report}"; }}')
            rules.append(f"{card} {{ margin-top: var(--report); }}")
            if place < len(offered) and _report(offered[place]) == report:
                rules.append(f"{card} + div {{ margin-top: var(--report-beside); }}")
        before = report
    return " ".join(rules)


def _caption(recipe: Recipe) -> str:
    about, measured = words.why(recipe)
    lines = [plain(about), f"**{plain(measured)}**" if measured else "", plain(words.network(recipe))]
    return "  \n".join(line for line in lines if line)


def _choose(box: str) -> None:
    if name := st.session_state[box]:
        state.put(_PURPOSE, None)
        choice.choose(name)


def _origin(name: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="train-origin"):
        st.html(f'<p class="quiet">Filled in from the run <b>{escape(name)}</b>.</p>')
        st.button("Start from the recipe instead", type="tertiary", key="train-origin-off", on_click=_plain)


def _plain() -> None:
    choice.choose(choice.recipe().name)
