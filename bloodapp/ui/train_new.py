"""Setting a training up: the recipe and why, what remains to learn from, what it will cost, one button."""

from functools import lru_cache
from html import escape

import numpy as np
import streamlit as st

from bloodapp.augment.named import PIPELINES
from bloodapp.augment.pipelines import resolve
from bloodapp.augment.saved import saved_pipelines
from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.data.decisions import last_seq
from bloodapp.errors import BloodappError
from bloodapp.train.forecast import forecast
from bloodapp.train.launch import PARTS, plan_split, start
from bloodapp.train.recipe import Recipe
from bloodapp.train.recipes import DEFAULT, RECIPES
from bloodapp.train.settings import quick, with_settings
from bloodapp.ui import augment_choice, background, frame, recipe_form, state
from bloodapp.ui.pipeline_chips import brief
from bloodapp.ui.steps import judged, open_cards
from bloodapp.ui.text import count, duration

AUGMENT = "augment"
"""Where the pipeline chosen on the Augment page is kept, and its name in the address."""

_SPLITTING = ("val_share", "test_share", "keep_parts", "images", "seed")


def draw(dataset: Dataset) -> None:
    """Draw the form for a new training of a dataset; the button starts it and shows the run."""
    with st.container(key="train-new"):
        left, right = st.columns([8, 5], gap="large")
    with left:
        recipe = _recipe()
        try:
            recipe = with_settings(recipe, {**recipe_form.changed(), **_pipeline(recipe)})
            sound = True
        except BloodappError as error:
            frame.error(error)
            sound = False
        try:
            _augmentation(recipe)
        except BloodappError as error:  # the file of saved pipelines, which Augment can put aside
            frame.error(error)
            sound = False
        frame.section("Settings", "the recipe's own unless you change them")
        recipe_form.draw(RECIPES[recipe.name], skip=("pipeline",))
    with right, st.container(border=True, key="train-card"):
        _card(dataset, recipe, sound=sound)


def _recipe() -> Recipe:
    chosen = state.get("recipe") if state.get("recipe") in RECIPES else DEFAULT
    st.session_state["train-recipe"] = chosen
    st.radio(
        "Recipe",
        list(RECIPES),
        key="train-recipe",
        format_func=lambda name: RECIPES[name].title,
        captions=[recipe.why for recipe in RECIPES.values()],
        on_change=_choose_recipe,
    )
    return RECIPES[chosen]


def _choose_recipe() -> None:
    state.put("recipe", st.session_state["train-recipe"])
    recipe_form.reset()


def _pipeline(recipe: Recipe) -> dict[str, str]:
    """The pipeline chosen on the Augment page as a setting; nothing when none was chosen or it cannot be read."""
    chosen = state.get(AUGMENT)
    if not chosen:
        return {}
    try:
        resolve(str(chosen))
    except BloodappError as error:
        frame.error(f"The augmentation in the address cannot be read, the recipe's own is taken. {error}")
        return {}
    return {"pipeline": str(chosen)}


def _augmentation(recipe: Recipe) -> None:
    own = RECIPES[recipe.name].pipeline
    chosen = recipe.pipeline != own
    frame.section(
        "Augmentation", f"{_title(recipe.pipeline)}, {'chosen by you' if chosen else 'the recipe’s own'}"
    )
    st.html(brief(resolve(recipe.pipeline)))
    with st.container(horizontal=True, vertical_alignment="center", key="train-links"):
        _others(recipe.pipeline, own)
        frame.link("pages/2_Augment.py", "See it on your own cells", ":material/auto_awesome_motion:")


def _others(pipeline: str, own: str) -> None:
    """The choice among all pipelines that have a name, the user's saved ones first after the recipe's own."""
    labels = {own: f"The recipe’s own: {_title(own)}"}
    if pipeline not in {own, *(each.name for each in augment_choice.offers())}:
        labels[pipeline] = _title(pipeline)
    for each in augment_choice.offers():
        saved = each.family == augment_choice.SAVED
        labels.setdefault(each.name, f"{each.family}: {each.title}" if saved else each.title)
    st.session_state["train-augment"] = pipeline
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
    state.put(AUGMENT, None if picked == own else picked)


def _title(pipeline: str) -> str:
    """What a pipeline, by name or text, is called; a saved one by the name that it was saved under."""
    if pipeline in PIPELINES:
        return PIPELINES[pipeline].title
    return pipeline if pipeline in saved_pipelines() else "Written as text"


def _card(dataset: Dataset, recipe: Recipe, *, sound: bool) -> None:
    """What will be trained on what, for how long, and the one button, which works if the settings are sound."""
    shrink = bool(state.get("quick"))
    effective = quick(recipe) if shrink else recipe
    try:
        plan = _plan(dataset.name, dataset.fingerprint, last_seq(dataset), _relevant(effective))
    except BloodappError as error:
        frame.error(error)
        plan = None
    if plan is not None:
        _remains(dataset, plan)
        _cost(effective, int(plan[0].sum()))
    _review_note(dataset)
    st.session_state["train-quick"] = shrink
    started = int(st.session_state.get("kept.started", 0))
    # The key changes with every start, so that a double click cannot start two trainings.
    pressed = st.button(
        "Start training",
        type="primary",
        width="stretch",
        disabled=plan is None or not sound,
        key=f"train-start-{started}",
    )
    st.toggle(
        "Quick trial",
        key="train-quick",
        help="The same recipe on 256 images, for one epoch, with its smallest network: to see that everything works.",
        on_change=lambda: state.put("quick", st.session_state["train-quick"]),
    )
    if pressed:
        st.session_state["kept.started"] = started + 1
        _start(dataset, recipe, shrink)


def _start(dataset: Dataset, recipe: Recipe, shrink: bool) -> None:
    try:
        run = start(dataset, recipe, shrink=shrink)
    except BloodappError as error:
        frame.error(error)
        return
    background.runner().wake()
    state.choose_run(run.name)
    state.put("new_training", False)
    st.rerun()


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


def _remains(dataset: Dataset, plan: Plan) -> None:
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
    frame.facts([("train", f"{train.sum():,}"), ("val", f"{val.sum():,}"), ("test", f"{test.sum():,}")])


def _class_bars(dataset: Dataset, counts: "np.ndarray") -> str:
    most = max(1, int(counts.max()))
    rows = "".join(
        f"<span>{escape(each.title)}</span>"
        f'<span><i style="width:{100 * number / most:.1f}%;background:{escape(each.colour, quote=True)}"></i></span>'
        f"<span>{number:,}</span>"
        for each, number in zip(dataset.classes, counts.tolist(), strict=True)
    )
    return f'<div class="class-bars">{rows}</div>'


def _cost(recipe: Recipe, train_images: int) -> None:
    expected = forecast(recipe, train_images)
    if expected.seconds is None:
        said, basis = (
            "Time not known yet",
            "Nothing like it has run on this computer; the first run measures it",
        )
    else:
        said, basis = f"About {duration(expected.seconds)}", expected.basis
    if expected.epochs:
        said += f", {count(max(1, round(expected.epochs)), 'epoch')}"
    st.html(
        f'<div class="cost"><b>{escape(said)}</b><span class="quiet">{escape(_sentence(basis))}</span></div>'
    )


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:] + ("" if words.endswith(".") else ".")


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
