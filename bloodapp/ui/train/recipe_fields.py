"""Widgets for the fields of a recipe that are small languages of their own: weights, class weights, copies, device."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from bloodapp.augment.named import PIPELINES
from bloodapp.augment.saved import saved_pipelines
from bloodapp.data.dataset import Dataset
from bloodapp.errors import BloodappError, Unreadable
from bloodapp.runs.run import Run, list_runs
from bloodapp.train import weighing
from bloodapp.train.networks import NETWORKS
from bloodapp.train.recipe import Recipe
from bloodapp.train.settings import copy_pipelines
from bloodapp.ui import state
from bloodapp.ui.train import choice, words

_RUN, _FILE = "run", "file"
_WEIGHTS = {"none": "None, from scratch", "imagenet": "ImageNet", _RUN: "A finished run", _FILE: "A file"}
_COUNTING = {
    weighing.NONE: "All the same",
    weighing.BALANCED: "Balanced",
    weighing.WEAKEST: "More for the weakest",
    "own": "My own",
}


@dataclass(frozen=True)
class Place:
    """Where a widget is drawn.

    Attributes:
        name: of the field.
        key: of its first widget.
        value: as it stands.
        now: the recipe with all changes that can be read.
        dataset: what will be trained on.
        given: label and help.
    """

    name: str
    key: str
    value: Any
    now: Recipe
    dataset: Dataset
    given: dict[str, Any]


def named(field: str) -> Callable[[str], str]:
    """How the choices of a field are shown: networks with their names and sizes, others as they are typed."""
    return _network if field == "model" else str


def gpus() -> list[str]:
    """The GPUs of this computer as a recipe names them, without asking TensorFlow."""
    return [f"gpu:{number}" for number in range(len(list(Path("/dev").glob("nvidia[0-9]*"))))]


def _network(name: str) -> str:
    network = NETWORKS[name]
    size = f", {words.millions(network.parameters)}" if network.parameters else ""
    return f"{network.title}{size}"


def _weights(place: Place) -> None:
    kind = _kind_of_weights(str(place.value))
    state.show(place.key, kind)
    published = NETWORKS[place.now.model].published
    st.selectbox(
        **place.given,
        options=[one for one in _WEIGHTS if one != "imagenet" or published or kind == one],
        key=place.key,
        format_func=_WEIGHTS.__getitem__,
        on_change=_choose_weights,
        args=(place.key,),
    )
    if kind == _RUN:
        fitting = [run.name for run in _starts(place)]
        _choice_of_run(place, "run:", fitting, f"No finished run has a {NETWORKS[place.now.model].title}.")
    elif kind == _FILE:
        _text(place, str(place.value), "Path of a .keras or .weights.h5 file")


def _kind_of_weights(value: str) -> str:
    if value in ("none", "imagenet"):
        return value
    return _RUN if value.startswith("run:") else _FILE


def _choose_weights(key: str) -> None:
    kind = st.session_state[key]
    choice.change("weights", {_RUN: "run:", _FILE: ""}.get(kind, kind))


def _starts(place: Place) -> list[Run]:
    """The finished runs whose network this one's weights would fit."""
    return [
        run
        for run in list_runs()
        if run.finished
        and run.config["recipe"].get("model") == place.now.model
        and (not NETWORKS[place.now.model].by_width or run.config["recipe"].get("width") == place.now.width)
    ]


def _class_weights(place: Place) -> None:
    value = str(place.value)
    kind = _kind_of_counting(value)
    state.show(place.key, kind)
    st.selectbox(
        **place.given,
        options=list(_COUNTING),
        key=place.key,
        format_func=_COUNTING.__getitem__,
        on_change=_choose_counting,
        args=(place.key, place.dataset.classes[0].key),
    )
    if kind == weighing.WEAKEST:
        keys = sorted(each.key for each in place.dataset.classes)
        judged = [
            run.name
            for run in list_runs()
            if run.report() and sorted(each.key for each in run.classes) == keys
        ]
        _choice_of_run(place, f"{weighing.WEAKEST}:", judged, "No run with these classes has results yet.")
    elif kind == "own":
        _text(place, value, "monocyte=2 ig=1.5")


def _kind_of_counting(value: str) -> str:
    kind = value.partition(":")[0]
    return kind if kind in (weighing.NONE, weighing.BALANCED, weighing.WEAKEST) else "own"


def _choose_counting(key: str, first: str) -> None:
    kind = st.session_state[key]
    choice.change("class_weights", {weighing.WEAKEST: "weakest:", "own": f"{first}=1"}.get(kind, kind))


def _choice_of_run(place: Place, prefix: str, names: list[str], otherwise: str) -> None:
    """The second field of a start or of weights that a run gives."""
    chosen = str(place.value).removeprefix(prefix)
    box = f"{place.key}-run"
    state.show(box, chosen or None)
    st.selectbox(
        "Run",
        [*names, *([chosen] if chosen and chosen not in names else [])],
        key=box,
        index=None,
        placeholder="Choose a run" if names else otherwise,
        disabled=not names,
        label_visibility="collapsed",
        on_change=lambda: choice.change(place.name, prefix + (st.session_state[box] or "")),
    )


def _text(place: Place, value: str, example: str) -> None:
    box = f"{place.key}-text"
    state.show(box, value)
    st.text_input(
        place.name.replace("_", " "),
        key=box,
        placeholder=example,
        label_visibility="collapsed",
        on_change=lambda: choice.change(place.name, st.session_state[box].strip()),
    )


def _copies(place: Place) -> None:
    try:
        chosen = list(copy_pipelines(str(place.value)))
    except BloodappError:
        chosen = [part.strip() for part in str(place.value).split(";") if part.strip()]
    state.show(place.key, chosen)
    st.multiselect(
        **place.given,
        options=list(dict.fromkeys([*_pipelines(), *chosen])),
        key=place.key,
        accept_new_options=True,
        placeholder="None: choose pipelines, or write one",
        on_change=lambda: choice.change("copies", "; ".join(st.session_state[place.key])),
    )


def _pipelines() -> list[str]:
    """The names of all pipelines, saved ones first; without those while their file is damaged, which the card says."""
    with suppress(Unreadable):
        return [*saved_pipelines(), *PIPELINES]
    return list(PIPELINES)


def _balance(place: Place) -> None:
    value = str(place.value)
    state.show(place.key, value or None)
    st.selectbox(
        **place.given,
        options=list(dict.fromkeys([*_pipelines(), *([value] if value else [])])),
        key=place.key,
        index=None,
        accept_new_options=True,
        placeholder="Off",
        on_change=lambda: choice.change("balance", st.session_state[place.key] or ""),
    )


def _device(place: Place) -> None:
    value, found = str(place.value), gpus()
    titles = {"auto": f"Auto, {'the first GPU' if found else 'the CPU'}", "cpu": "CPU"}
    titles |= {gpu: f"GPU {gpu.partition(':')[2]}" for gpu in found}
    titles |= {"all": f"All {len(found)} GPUs"} if len(found) > 1 else {}
    titles.setdefault(value, value)
    state.show(place.key, value)
    st.selectbox(
        **place.given,
        options=list(titles),
        key=place.key,
        format_func=titles.__getitem__,
        on_change=lambda: choice.change("device", st.session_state[place.key]),
    )


DRAWN: dict[str, Callable[[Place], None]] = {
    "weights": _weights,
    "class_weights": _class_weights,
    "copies": _copies,
    "balance": _balance,
    "device": _device,
}
"""The fields that are drawn here, and by what."""
