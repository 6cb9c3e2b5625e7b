"""When saved pipelines are lost: the file cannot be read, or a name went in another tab while it was looked at."""

import re
from html import escape

import streamlit as st

from bloodapp.augment.saved import saved_pipelines, set_aside
from bloodapp.errors import Unreadable
from bloodapp.ui import frame, state
from bloodapp.ui.augment import edits

_KNOWN = "saved_text"
_LOST = "saved_lost"
_NAME = re.compile(r"[A-Za-z_]\w*")


def notice() -> None:
    """Remember the text of the saved pipeline that is looked at; when its name is gone, go on with that text.

    Raises Unreadable when the saved pipelines cannot be read.
    """
    name, saved = edits.asked(), saved_pipelines()
    if name in saved:
        state.put(_KNOWN, [name, saved[name]])
        state.put(_LOST, None)
        return
    known = state.get(_KNOWN)
    if known and known[0] == name and not edits.exists(name) and _NAME.fullmatch(name):
        state.put_together({"pipeline": known[1], "from": None})
        state.put(_LOST, known)
    lost = state.get(_LOST)
    if lost and lost[1] == edits.asked():
        st.html(
            f'<p class="quiet">“{escape(str(lost[0]))}” is no longer saved: it was renamed or deleted elsewhere. '
            "These are its steps; save them to keep them.</p>"
        )


def damaged(error: Unreadable) -> None:
    """Say that the saved pipelines cannot be read, and offer to put the file aside."""
    frame.error(error)
    st.button(
        "Put the damaged file aside",
        key="augment-aside",
        width="stretch",
        on_click=set_aside,
        help="It is renamed and stays beside the datasets; the pipelines that ship with the app work again.",
    )
