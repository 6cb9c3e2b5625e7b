"""Setting a training up: the recipe by what it is for, its augmentation and settings, and what all that will cost."""

import streamlit as st

from bloodapp.augment.named import PIPELINES
from bloodapp.augment.pipelines import resolve
from bloodapp.data.dataset import Dataset
from bloodapp.errors import BloodappError
from bloodapp.train.recipe import Recipe
from bloodapp.ui import frame, state
from bloodapp.ui.augment import choice as augment_choice
from bloodapp.ui.augment.pipeline_chips import brief
from bloodapp.ui.train import card, recipe_form, recipes
from bloodapp.ui.train import choice as train_choice

_LONGEST = 30
"""Letters of a pipeline's name in the heading."""


def draw(dataset: Dataset) -> None:
    """Draw the form for a new training of a dataset; the card beside it starts it."""
    own = train_choice.recipe()
    recipe, problems = train_choice.settle()
    with st.container(key="train-new"):
        left, right = st.columns([8, 5], gap="large")
    with right, st.container(border=True, key="train-card"):
        images = card.draw(dataset, recipe, problems)
    with left:
        with st.container(key="train-what"):
            recipes.draw()
        if wrong := train_choice.pipeline_problem():
            frame.error(wrong)
        try:
            _augmentation(recipe, own)
        except BloodappError:
            frame.link("pages/2_Augment.py", "Mend it in Augment", ":material/auto_awesome_motion:")
        frame.section("Settings", "the recipe’s own unless you change them")
        recipe_form.draw(own, recipe, problems, dataset, skip=("pipeline",), images=images)


def _augmentation(recipe: Recipe, own: Recipe) -> None:
    chosen = recipe.pipeline != own.pipeline
    whose = "chosen by you" if chosen else "the recipe’s own"
    title = _title(recipe.pipeline)
    # A text stands in the chips below, and in the choice.
    frame.section("Augmentation", f"{title}, {whose}" if len(title) <= _LONGEST else whose)
    st.html(brief(resolve(recipe.pipeline)))
    with st.container(horizontal=True, vertical_alignment="center", key="train-links"):
        _others(recipe.pipeline, own.pipeline)
        frame.link("pages/2_Augment.py", "See it on your own cells", ":material/auto_awesome_motion:")


def _others(pipeline: str, own: str) -> None:
    """The choice among all pipelines that have a name, the user's saved ones first after the recipe's own."""
    labels = {own: f"The recipe’s own: {_title(own)}"}
    if pipeline not in {own, *(each.name for each in augment_choice.offers())}:
        labels[pipeline] = _title(pipeline)
    for each in augment_choice.offers():
        saved = each.family == augment_choice.SAVED
        labels.setdefault(each.name, f"{each.family}: {each.title}" if saved else each.title)
    state.show("train-augment", pipeline)
    st.selectbox(
        "Augmentation",
        list(labels),
        key="train-augment",
        format_func=labels.__getitem__,
        label_visibility="collapsed",
        width=330,
        on_change=_choose_pipeline,
        args=(own,),
    )


def _choose_pipeline(own: str) -> None:
    picked = st.session_state["train-augment"]
    state.put(train_choice.AUGMENT, None if picked == own else picked)


def _title(pipeline: str) -> str:
    """What a pipeline, by name or text, is called: its title, the name that it was saved under, or the text itself."""
    return PIPELINES[pipeline].title if pipeline in PIPELINES else pipeline
