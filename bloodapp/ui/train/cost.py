"""What a training will cost in time and memory, measured on request; and a learning rate looked for beforehand."""

import os
from collections.abc import Callable
from html import escape

import numpy as np
import numpy.typing as npt
import streamlit as st

from bloodapp.charts.rates import rates_chart
from bloodapp.charts.style import CONFIG
from bloodapp.data.dataset import Dataset
from bloodapp.errors import BloodappError
from bloodapp.jobs.job import ACTIVE, Job, delete_job, latest_job
from bloodapp.train import finder, published, search
from bloodapp.train.forecast import Forecast, forecast, measure
from bloodapp.train.recipe import Recipe
from bloodapp.ui import background, frame
from bloodapp.ui.text import count, duration, plain
from bloodapp.ui.train import choice, recipe_fields

_MIB = 1024


def draw(recipe: Recipe, per_class: npt.NDArray[np.integer], repeats: int) -> None:
    """The forecast for the recipe on so many training images of each class (C,), and a word where memory lacks."""
    many = 1 if recipe.folds else max(1, repeats)
    expected = forecast(recipe, int(per_class.sum()), per_class=per_class, repeats=many)
    pairs = [("time", _time(expected)), ("memory", memory(expected.memory_mib)), ("on", _device(recipe))]
    if expected.gpu_memory_mib:
        pairs.insert(2, ("GPU memory", memory(expected.gpu_memory_mib)))
    st.html('<hr class="card-line">')
    frame.facts(pairs)
    st.html(f'<div class="quiet">{escape(_basis(expected, recipe, many))}</div>')
    if expected.trouble:
        with st.container(key="train-trouble", gap="small"):
            st.html(f'<p role="alert">{escape(expected.trouble)}</p>')
            if expected.smaller_batch:
                st.button(
                    f"Take a batch of {expected.smaller_batch}",
                    key="train-smaller-batch",
                    on_click=choice.change,
                    args=("batch", expected.smaller_batch),
                )


def tools(dataset: Dataset, recipe: Recipe) -> None:
    """What can be measured or searched for before a training; what was found stands below."""
    cost, rates = latest_job("cost", dataset.name), latest_job("rates", dataset.name)
    busy = {job.kind for job in (cost, rates) if job and job.state() in ACTIVE}
    with st.container(horizontal=True, key="train-tools"):
        if st.button(
            "Measure one step",
            key="train-measure",
            type="tertiary",
            icon=":material/timer:",
            disabled="cost" in busy,
            help="Takes one real training step of each phase, and tells the time and the memory of all of it.",
        ):
            _begin(lambda: measure(dataset, recipe))
        if st.button(
            "Find a learning rate",
            key="train-find",
            type="tertiary",
            icon=":material/ssid_chart:",
            disabled="rates" in busy,
            help="Trains for a minute with a learning rate that rises, and sees where the loss falls fastest.",
        ):
            _begin(lambda: finder.submit(dataset, recipe))
        _search(dataset, recipe)
    with st.container(key="train-jobs"):
        if cost and cost.state() != "done":
            background.watch(cost, key="train-cost", dismiss=True)
        if rates and ("rates" in busy or _fits(rates, recipe)):
            _found(rates)


def _search(dataset: Dataset, recipe: Recipe) -> None:
    """A search around the recipe, which is a series of trainings and is shown as one."""
    with st.popover("Search settings", type="tertiary", icon=":material/manage_search:", key="train-search"):
        st.html(
            '<p class="quiet">Tries dense layers, dropout, learning rate and how many layers learn, each judged on '
            "the validation part alone, and trains the best in full.</p>"
        )
        trials = st.number_input("Trials", 2, search.MOST_TRIALS, 20, key="train-trials", width=180)
        if not st.button(
            "Start the search",
            key="train-search-start",
            disabled=recipe.folds > 0,
            help="Each trial is judged on one split: set folds to 0." if recipe.folds else None,
        ):
            return
    try:
        run = search.start(dataset, recipe, int(trials))
    except BloodappError as error:
        frame.error(error)
        return
    choice.show_begun(run)
    st.rerun()


def memory(mib: float | None) -> str:
    """Memory as `1.8 GB`; a dash when it is not known."""
    if mib is None:
        return "–"
    return f"{mib / _MIB:.1f} GB" if mib >= 0.95 * _MIB else f"{mib:.0f} MB"


def _begin(submit: Callable[[], object]) -> None:
    try:
        submit()
    except BloodappError as error:
        frame.error(error)
        return
    background.runner().wake()
    st.rerun()


def _time(expected: Forecast) -> str:
    return "not known yet" if expected.seconds is None else f"at most {duration(expected.seconds)}"


def _basis(expected: Forecast, recipe: Recipe, many: int) -> str:
    parts = []
    if expected.epochs:
        parts.append(count(max(1, round(expected.epochs)), "epoch"))
    if recipe.folds:
        parts.append(f"{recipe.folds} folds")
    elif many > 1:
        parts.append(f"{many} times")
    if recipe.weights == "imagenet" and not published.file_for(recipe).path.exists():
        parts.append("fetches the published weights first")
    if expected.seconds is None:
        parts.append("nothing like it has run on this computer: measure one step")
    else:
        parts.append(expected.basis)
    return _sentence(" · ".join(parts))


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:] + ("" if words.endswith(".") else ".")


def _device(recipe: Recipe) -> str:
    found = recipe_fields.gpus()
    if recipe.device == "auto":
        return "GPU 0" if found else f"CPU, {count(os.cpu_count() or 1, 'core')}"
    if recipe.device == "all":
        return f"all {count(len(found), 'GPU')}"
    return recipe.device.replace(":", " ").upper()


def _found(job: Job) -> None:
    """The search for a learning rate, at work or ended, with its curve and a button that takes its suggestion."""
    if job.state() != "done":
        background.watch(job, key="train-rates", dismiss=True)
        return
    try:
        rates = finder.read(job)
    except BloodappError as error:
        frame.error(error)
        return
    if rates is None:
        return
    with st.container(key="train-rates-found"):
        taken = choice.settle()[0].learning_rate
        st.html(f'<div class="quiet">{escape(job.title)}: <b>{rates.suggested:.1e}</b> suggested</div>')
        st.plotly_chart(
            rates_chart(rates.rates, rates.losses, rates.suggested, height=190),
            key="train-rates-chart",
            config=CONFIG,
            alt="Loss over the learning rate, on a logarithmic axis",
        )
        with st.container(horizontal=True):
            st.button(
                plain(f"Take {rates.suggested:.1e}"),
                key="train-rates-take",
                disabled=taken == _rounded(rates.suggested),
                on_click=choice.change,
                args=("learning_rate", _rounded(rates.suggested)),
            )
            st.button("Put away", type="tertiary", key="train-rates-away", on_click=delete_job, args=(job,))


def _fits(job: Job, recipe: Recipe) -> bool:
    """Whether a search was for this network and the way its weights are moved."""
    theirs = job.params.get("recipe", {})
    return all(theirs.get(name) == getattr(recipe, name) for name in ("model", "optimizer", "weights"))


def _rounded(rate: float) -> float:
    return float(f"{rate:.2g}")
