"""The card of a new training: what remains to learn from, what it will cost, and the one button that starts it."""

from collections.abc import Mapping
from functools import lru_cache
from html import escape
from typing import Any

import numpy as np
import streamlit as st

from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.data.decisions import last_seq
from bloodapp.errors import BloodappError
from bloodapp.train.launch import MOST_REPEATS, PARTS, plan_split, start
from bloodapp.train.parts import Told, in_words
from bloodapp.train.recipe import Recipe
from bloodapp.train.recipes import DEFAULT, RECIPES
from bloodapp.train.settings import quick, with_settings
from bloodapp.ui import frame, state
from bloodapp.ui.standing import judged
from bloodapp.ui.steps import open_cards
from bloodapp.ui.text import count
from bloodapp.ui.train import choice, cost

_SPLITTING = ("val_share", "test_share", "keep_parts", "stratified", "grouped", "images", "seed")
_REPEATS = "repeats"


def draw(dataset: Dataset, recipe: Recipe, problems: Mapping[str, str]) -> int | None:
    """Draw the card; the number of images in the training part, None while it is not known.

    `problems` are what is wrong with the settings, by field; while there are any, nothing can be started.
    """
    shrink = bool(state.get("quick"))
    effective = quick(recipe) if shrink else recipe
    _what(shrink)
    plan = None
    try:
        plan = _plan(dataset.name, dataset.fingerprint, last_seq(dataset), _relevant(effective))
    except BloodappError as error:
        frame.error(error)
    images = None if plan is None else int(plan[0].sum())
    repeats = _kept_repeats()
    if plan is not None and images is not None:
        _remains(dataset, plan, effective)
        if not problems:
            cost.draw(effective, plan[0], repeats)
    _review_note(dataset)
    _problems(problems)
    _begin(dataset, recipe, shrink=shrink, repeats=repeats, ready=plan is not None and not problems)
    if plan is not None and not problems:
        cost.tools(dataset, effective)
    return images


def _what(shrink: bool) -> None:
    """What Start will start: the recipe, whether as a trial, and how far it was changed."""
    name, changed = choice.recipe().title, choice.differing()
    said = f"with {count(changed, 'change')}" if changed else "with nothing changed"
    st.html(
        f'<div class="card-recipe">{escape(f"Quick trial of {name}" if shrink else name)}'
        f'<div class="quiet">{escape(said)}</div></div>'
    )


def _begin(dataset: Dataset, recipe: Recipe, *, shrink: bool, repeats: int, ready: bool) -> None:
    """The button, and what decides what it does."""
    started = int(state.get("started", 0))
    # The key changes with every start, so that a double click cannot start two trainings.
    pressed = st.button(
        "Start training",
        type="primary",
        width="stretch",
        disabled=not ready,
        key=f"train-start-{started}",
    )
    with st.container(horizontal=True, vertical_alignment="center", key="train-how"):
        state.show("train-quick", shrink)
        st.toggle(
            "Quick trial",
            key="train-quick",
            help="The same recipe on 256 images, for one epoch a phase, with the smallest network of its family: to "
            "see that everything works.",
            on_change=lambda: state.put("quick", st.session_state["train-quick"]),
        )
        state.show("train-repeats", max(1, repeats))
        st.number_input(
            "Repeats",
            min_value=1,
            max_value=MOST_REPEATS,
            key="train-repeats",
            width=180,
            disabled=recipe.folds > 1,
            help="The same training so many times with other seeds, for a mean and a standard deviation. "
            "Folds repeat by themselves.",
            on_change=lambda: state.put(_REPEATS, st.session_state["train-repeats"]),
        )
    if pressed:
        state.put("started", started + 1)
        _start(dataset, recipe, shrink, 0 if recipe.folds > 1 else repeats)


def _kept_repeats() -> int:
    kept = state.get(_REPEATS) or 1
    return min(int(kept), MOST_REPEATS)


def _start(dataset: Dataset, recipe: Recipe, shrink: bool, repeats: int) -> None:
    more: dict[str, Any] = {"repeats": repeats} if repeats > 1 else {}
    try:
        run = start(dataset, recipe, shrink=shrink, **more)
    except BloodappError as error:
        frame.error(error)
        return
    choice.show_begun(run)
    st.rerun()


def _problems(problems: Mapping[str, str]) -> None:
    """What keeps the training from starting; of several fields the first."""
    if whole := problems.get(choice.WHOLE):
        frame.error(whole)
    elif problems:
        name, said = next(iter(problems.items()))
        words = name.replace("_", " ")
        if said.startswith(f"{name} must"):
            frame.error(f"Not ready yet: {words}{said.removeprefix(name)}")
        else:
            frame.error(f"Not ready yet, because of {words}. {said}")


Plan = tuple["np.ndarray", "np.ndarray", "np.ndarray"]


def _relevant(recipe: Recipe) -> tuple[tuple[str, float], ...]:
    return tuple((name, getattr(recipe, name)) for name in _SPLITTING)


@lru_cache(maxsize=32)
def _plan(name: str, fingerprint: str, seq: int, splitting: tuple[tuple[str, float], ...]) -> Plan:
    """Images by class (C,) in train, val and test; remembered until the next decision or another split."""
    dataset = open_dataset(name)
    recipe = with_settings(RECIPES[DEFAULT], dict(splitting))
    plan, _ = plan_split(dataset, recipe)
    parts = plan["part"].to_numpy()
    labels = plan["label"].to_numpy()
    train, val, test = (np.bincount(labels[parts == part], minlength=len(dataset.classes)) for part in PARTS)
    return train, val, test


@lru_cache(maxsize=32)
def _told(name: str, fingerprint: str, seq: int, splitting: tuple[tuple[str, float], ...]) -> Told:
    """The split in words, remembered as long as the plan is."""
    return in_words(open_dataset(name), with_settings(RECIPES[DEFAULT], dict(splitting)))


def _remains(dataset: Dataset, plan: Plan, recipe: Recipe) -> None:
    train, val, test = plan
    by_class = train + val + test
    remaining, used = len(judged(dataset).indices), int(by_class.sum())
    words = count(used, "image")
    if remaining < len(dataset):
        words = f"{count(remaining, 'image')} remain of {len(dataset):,}"
    if used < remaining:
        words = f"{used:,} of {count(remaining, 'image')} that remain"
    st.html(
        f'<div class="card-title">{escape(dataset.name)}</div><div class="quiet">{escape(words)}</div>'
        + _class_bars(dataset, by_class)
    )
    try:
        told = _told(
            dataset.name,
            dataset.fingerprint,
            last_seq(dataset),
            (*_relevant(recipe), ("folds", recipe.folds)),
        )
    except BloodappError as error:  # of folds, which ask for more images than one split does
        frame.error(error)
        return
    parts = list(zip(PARTS, told.counts, strict=True))
    if recipe.folds:
        parts = [(f"in {recipe.folds} folds", told.counts[0]), parts[2]]
    frame.facts([(name, f"{number:,}") for name, number in parts])
    st.html(f'<div class="quiet">{escape(told.parts)}</div>')
    if told.torn:
        with st.container(key="train-torn", gap=None):
            st.html(f'<p role="alert">{escape(told.torn)}</p>')


def _class_bars(dataset: Dataset, counts: "np.ndarray") -> str:
    most = max(1, int(counts.max()))
    rows = "".join(
        f"<span>{escape(each.title)}</span>"
        f'<span><i style="width:{100 * number / most:.1f}%;background:{escape(each.colour, quote=True)}"></i></span>'
        f"<span>{number:,}</span>"
        for each, number in zip(dataset.classes, counts.tolist(), strict=True)
    )
    return f'<div class="class-bars">{rows}</div>'


def _review_note(dataset: Dataset) -> None:
    """A calm word about what Review found and nobody has decided; it does not stand in the way."""
    number = open_cards(dataset)
    if number == 0:
        return
    with st.container(key="train-review", gap=None):
        if number is None:
            said = "Nobody has looked for duplicates and faults in this dataset yet."
        else:
            said = _undecided(dataset, number)
        st.html(f'<div class="quiet">{escape(said)}</div>')
        frame.link("pages/1_Review.py", "Look at it in Review first", ":material/rule:")


def _undecided(dataset: Dataset, open_: int) -> str:
    from bloodapp.review.scan import read_findings

    findings = read_findings(dataset)
    if findings is None:
        return f"Review holds {count(open_, 'open finding')}."
    found = np.unique(findings["index"].to_numpy())
    decided = int(judged(dataset).decided[found].sum())
    return f"Review found {count(len(found), 'doubtful image')}, {decided:,} decided. They are trained on as they are."
