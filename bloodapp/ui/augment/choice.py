"""The choice of a pipeline: the user's saved ones and all that ship with the app, under their families."""

from dataclasses import dataclass
from html import escape

import streamlit as st

from bloodapp.augment.named import PIPELINES
from bloodapp.augment.saved import saved_pipelines
from bloodapp.ui.augment import edits
from bloodapp.ui.text import plain

SAVED = "Saved by you"
_OPEN = "augment-choices"
_LONGEST = 90


@dataclass(frozen=True)
class Offer:
    """A pipeline that can be chosen.

    Attributes:
        name: as typed.
        title: as read.
        why: what it is for; of a saved one its text.
        family: the heading that it stands under.
    """

    name: str
    title: str
    why: str
    family: str


def offers() -> list[Offer]:
    """Everything that can be chosen, family by family, the user's own first."""
    saved = [Offer(name, name, _short(text), SAVED) for name, text in saved_pipelines().items()]
    shipped = [Offer(each.name, each.title, each.why, each.family) for each in PIPELINES.values()]
    return saved + shipped


def draw() -> None:
    """Draw what is chosen, why, and the list to choose another from."""
    name = edits.asked()
    offer = next((each for each in offers() if each.name == name), None)
    with st.popover(
        plain(offer.title) if offer else "My own",
        key=_OPEN,
        width="stretch",
        icon=":material/account_tree:",
        on_change="rerun",
    ) as choices:
        if choices.open:
            _list(name)
    came_from = edits.origin()
    if offer:
        note = offer.why if offer.family != SAVED else "Saved by you; Train offers it, too."
    else:
        note = f"Made from {edits.title(came_from)}." if came_from else "Your own steps, not saved."
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="augment-why"):
        st.html(f'<p class="quiet">{escape(note)}</p>')
        if came_from:
            st.button(
                f"Back to {plain(edits.title(came_from))}",
                type="tertiary",
                key="augment-back",
                on_click=edits.choose,
                args=(came_from,),
            )


def _list(name: str) -> None:
    wanted = st.text_input(
        "Find a pipeline",
        key="augment-find",
        placeholder="Find by name, team or purpose",
        label_visibility="collapsed",
        icon=":material/search:",
    )
    words = (wanted or "").lower().split()
    found = [each for each in offers() if all(word in _haystack(each) for word in words)]
    with st.container(height=460, width=560, border=False, key="augment-offers", gap=None):
        if not found:
            st.html('<p class="quiet">Nothing of that kind. Any pipeline can be written as text.</p>')
        family = ""
        for each in found:
            if each.family != family:
                family = each.family
                st.html(f'<h4 class="family">{escape(family)}</h4>')
            mark = "chosen" if each.name == name else "offer"
            with st.container(key=f"augment-{mark}-{each.name}"):
                st.button(
                    f"**{plain(each.title)}**  \n:small[{plain(each.why)}]",
                    key=f"augment-take-{each.name}",
                    type="tertiary",
                    width="stretch",
                    on_click=_take,
                    args=(each.name,),
                )


def _take(name: str) -> None:
    st.session_state[_OPEN] = False
    edits.choose(name)


def _haystack(offer: Offer) -> str:
    return f"{offer.name} {offer.title} {offer.why} {offer.family}".lower()


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
