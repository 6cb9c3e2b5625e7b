"""What the gallery shows, chosen in a row of boxes and kept in the address."""

from dataclasses import fields

import streamlit as st

from bloodapp.data import decisions
from bloodapp.data.dataset import PARTS, Dataset
from bloodapp.review.browse import NONE, PREDICTIONS, SORTS, STATES, Browse
from bloodapp.review.findings import KINDS
from bloodapp.ui import state

_ADDRESS = {
    "label": "g_class",
    "kind": "g_kind",
    "part": "g_part",
    "state": "g_state",
    "predicted": "g_says",
    "text": "g_text",
    "among": "g_set",
    "sort": "g_sort",
}
_PAGE = "g_page"
_RUN = "g_run"
NAMES = (*_ADDRESS.values(), _PAGE, _RUN)
"""What the address carries."""

_AT = "gallery-at"


def current() -> Browse:
    """What is to be shown, as the address has it."""
    return Browse.of({name: state.get(key) for name, key in _ADDRESS.items()})


def page() -> int:
    """Which page of it, from 1."""
    text = str(state.get(_PAGE) or "")
    return max(int(text), 1) if text.isdigit() else 1


def run() -> str | None:
    """Whose predictions are shown, None for the usual one."""
    return str(state.get(_RUN) or "") or None


def turn(to: int) -> None:
    """Show another page."""
    state.put(_PAGE, None if to <= 1 else to)


def at(dataset: Dataset) -> int:
    """Up to which event filters look: what is decided on a page does not leave it before one looks anew."""
    kept = state.get(_AT)
    if not isinstance(kept, dict) or kept.get("dataset") != str(dataset.path):
        look_anew(dataset)
        kept = state.get(_AT)
    return int(kept["seq"])


def look_anew(dataset: Dataset) -> None:
    """Go by all that is decided now."""
    state.put(_AT, {"dataset": str(dataset.path), "seq": decisions.last_seq(dataset)})


def choose(dataset: Dataset, **values: str) -> None:
    """Change what is shown, and begin with its first page."""
    state.put_together({_ADDRESS[name]: value or None for name, value in values.items()} | {_PAGE: None})
    look_anew(dataset)


def show_set(dataset: Dataset, name: str, **besides: str) -> None:
    """Show a kept set of images and nothing else; `besides` are other names of the address to change with it."""
    state.put_together({**dict.fromkeys((*_ADDRESS.values(), _PAGE)), _ADDRESS["among"]: name, **besides})
    look_anew(dataset)


def choose_run(name: str) -> None:
    """Show the predictions of another run."""
    state.put_together({_RUN: name, _PAGE: None})


def draw(dataset: Dataset, wanted: Browse, kinds: list[str], *, predicted: bool) -> None:
    """Draw the boxes; those that could choose nothing are left out."""
    titles = {one.key: one.title for one in dataset.classes}
    labels = {"": "Any class", **titles} | ({NONE: "No label"} if (dataset.labels < 0).any() else {})
    _box(dataset, wanted, "label", "Class", labels)
    if kinds:
        found = {one: KINDS[one].title if one in KINDS else one for one in kinds}
        _box(dataset, wanted, "kind", "Finding", {"": "Any finding", **found, NONE: "Nothing found"})
    _box(dataset, wanted, "state", "State", STATES)
    if predicted:
        says = {**PREDICTIONS, **{key: f"Model says {title}" for key, title in titles.items()}}
        _box(dataset, wanted, "predicted", "Prediction", says)
    parts = [one for one in PARTS if (dataset.parts == one).any()]
    if parts:
        none = {NONE: "In no part"} if (dataset.parts == "").any() else {}
        _box(dataset, wanted, "part", "Part", {"": "Any part", **{one: one for one in parts}} | none)
    state.show("gallery-text", wanted.text)
    st.text_input(
        "Name of the file, or # and a number",
        key="gallery-text",
        placeholder="Name, or #number",
        label_visibility="collapsed",
        width=136,
        on_change=lambda: choose(dataset, text=str(st.session_state["gallery-text"]).strip()),
    )
    needs = {"unsure", "unlike"} if not predicted else set()
    needs |= {"urgent"} if not kinds else set()
    _box(dataset, wanted, "sort", "Order", {key: title for key, title in SORTS.items() if key not in needs})
    if wanted.filtered:
        st.button(
            "Show all",
            key="gallery-all",
            type="tertiary",
            on_click=choose,
            args=(dataset,),
            kwargs={one.name: "" for one in fields(Browse) if one.name != "sort"},
        )


def _box(dataset: Dataset, wanted: Browse, name: str, title: str, choices: dict[str, str]) -> None:
    key = f"gallery-{name}"
    chosen = getattr(wanted, name)
    state.show(key, chosen if chosen in choices else "")
    st.selectbox(
        title,
        list(choices),
        key=key,
        format_func=lambda one: choices.get(one, one),
        label_visibility="collapsed",
        width=144,
        on_change=lambda: choose(dataset, **{name: st.session_state[key]}),
    )
