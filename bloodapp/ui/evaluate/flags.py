"""Flags that send images from Evaluate to Review: one click or one key, and back again."""

from collections.abc import Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import streamlit as st

from bloodapp.data import decisions
from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.errors import BloodappError
from bloodapp.ui import dialogs, frame, state
from bloodapp.ui.text import count

WHY = "flagged in Evaluate"

_AT = "evaluate-flag-at"
_GIVEN = "evaluate-flags-given"
_MOST_GIVEN = 200
_SAID = "evaluate-flag-said"
_WRONG = "evaluate-flag-wrong"
_KEYS = Path(__file__).with_name("flag_keys.js")


def bar(dataset: Dataset, indices: Sequence[int], settled: npt.NDArray[np.bool_]) -> int | None:
    """The image that the keys are about: F flags it, S passes it over, Z takes the last flag back.

    Where a card has the keyboard's focus, F and S are about that one, which is framed in its place.
    `indices` are the images of the page in their order; `settled` says of every image of the dataset whether it is
    flagged or decided already. Gives the index of the image, None when all are.
    """
    indices = list(indices)
    at = state.get(_AT)
    begin = indices.index(at) if at in indices else 0
    waiting = [index for index in [*indices[begin:], *indices[:begin]] if not settled[index]]
    current = waiting[0] if waiting else None
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="evaluate-flag-bar"):
        if current is not None:
            st.button(
                "Flag the framed one",
                key="evaluate-flag",
                type="primary",
                shortcut=_key("f"),
                icon=":material/flag:",
                help="Send it to Review. Tab goes from card to card, and the frame goes along.",
                on_click=_flag_and_go_on,
                args=(dataset.name, current, indices, settled[indices].tolist()),
            )
            st.button(
                "Pass over",
                key="evaluate-pass",
                shortcut=_key("s"),
                help="Leave it and frame the next one",
                on_click=_go_on,
                args=(current, indices, settled[indices].tolist()),
            )
        else:
            st.html('<p class="quiet">All of these are flagged or decided.</p>')
        if _given(dataset):
            st.button(
                "Take the last flag back",
                key="evaluate-unflag",
                type="tertiary",
                shortcut=_key("z"),
                on_click=_take_back,
                args=(dataset.name,),
            )
        report()
        with st.container(key="evaluate-flag-keys"):
            _focus_keys()(key="evaluate-focus-keys")
    return current


def button(dataset: Dataset, index: int, flagged: bool) -> None:
    """The flag of one image: a click gives it, or takes it back."""
    if flagged:
        st.button(
            "Flagged",
            key=f"unflag-{index}",
            icon=":material/flag:",
            type="tertiary",
            help="Take the flag back",
            on_click=unflag,
            args=(dataset.name, index),
        )
    else:
        st.button(
            "Flag",
            key=f"flag-{index}",
            icon=":material/outlined_flag:",
            type="tertiary",
            help="Show this image in Review",
            on_click=flag,
            args=(dataset.name, [index]),
        )


def flag(name: str, indices: Sequence[int]) -> None:
    """Flag images of a dataset for Review, as one batch."""
    try:
        batch = decisions.record(open_dataset(name), indices, "flag", why=WHY)
    except BloodappError as error:
        state.put(_WRONG, str(error))
    else:
        state.put(_GIVEN, [*(state.get(_GIVEN) or []), [name, batch]][-_MOST_GIVEN:])
        state.put(_SAID, f"{count(len(indices), 'image')} flagged for Review.")


def unflag(name: str, index: int) -> None:
    """Take back every flag that an image has."""
    try:
        dataset = open_dataset(name)
        events = decisions.log(dataset)
        mine = events[(events["index"] == index) & (events["action"] == "flag") & ~events["cancelled"]]
        for seq in mine["seq"]:
            decisions.undo(dataset, seq=int(seq), why=WHY)
    except BloodappError as error:
        state.put(_WRONG, str(error))


def report() -> None:
    """Say what the last click or key did, once.

    In its place on the page: a toast from a fragment's callback takes the place of the page's style.
    """
    if wrong := state.get(_WRONG):
        frame.error(wrong)
        state.put(_WRONG, None)
    if said := state.get(_SAID):
        st.html(f'<p class="quiet" role="status">{escape(said)}</p>')
        state.put(_SAID, None)


def _flag_and_go_on(name: str, index: int, indices: list[int], settled: list[bool]) -> None:
    flag(name, [index])
    _go_on(index, indices, settled)


def _go_on(index: int, indices: list[int], settled: list[bool]) -> None:
    """Frame the next card that waits, in the order of the page."""
    place = indices.index(index)
    order = [*range(place + 1, len(indices)), *range(place)]
    following = [indices[k] for k in order if not settled[k]]
    state.put(_AT, following[0] if following else None)


def _given(dataset: Dataset) -> list[int]:
    """The batches of flags given here in this session, the last at the end."""
    return [batch for name, batch in state.get(_GIVEN) or [] if name == dataset.name]


def _take_back(name: str) -> None:
    """Undo the last batch of flags that was given here and still holds, and frame its image."""
    given = list(state.get(_GIVEN) or [])
    try:
        dataset = open_dataset(name)
        log = decisions.log(dataset)
        while given:
            where, batch = given.pop()
            mine = log[(log["batch"] == batch) & ~log["cancelled"]]
            if where == name and len(mine):
                decisions.undo(dataset, batch=batch, why=WHY)
                state.put(_AT, int(mine["index"].iloc[0]))
                state.put(_SAID, f"{count(len(mine), 'flag')} taken back.")
                break
    except BloodappError as error:
        state.put(_WRONG, str(error))
    state.put(_GIVEN, given)


@cache
def _focus_keys() -> Any:
    return st.components.v2.component(
        "bloodapp_focus_keys", html="<i></i>", js=_KEYS.read_text(encoding="utf-8")
    )


def _key(letter: str) -> str | None:
    """The key, unless a dialog is open: keys reach the page's buttons through it."""
    return None if dialogs.shown() else letter
