"""Which image of a group of copies is kept: one rule for the whole page, or another for one card."""

from functools import lru_cache

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.data.decisions import Judged
from bloodapp.review.keepers import RULES, Rule, sharpness
from bloodapp.review.queue import Card, Offer, kept_by, offers
from bloodapp.ui import state
from bloodapp.ui.review import acts
from bloodapp.ui.standing import identity

NAME = "keeping"
"""What the address calls the rule of the page."""

_BY_ONE: tuple[Rule, ...] = ("first", "sharpest", "largest", "majority")


def rule() -> Rule:
    """The rule of the page."""
    chosen = str(state.get(NAME) or "")
    return next((one for one in RULES if one == chosen), "advised")


def draw() -> None:
    """Draw the choice of the rule."""
    st.session_state["keeping-box"] = rule()
    st.selectbox(
        "Of copies keep",
        list(RULES),
        key="keeping-box",
        format_func=lambda one: f"Of copies keep {_inside(RULES[one])}",
        label_visibility="collapsed",
        help="Which image of a group of copies stays: the first button of every group follows it.",
        width=255,
        on_change=lambda: state.put(NAME, _unless_advised(st.session_state["keeping-box"])),
    )


def offered(dataset: Dataset, judged: Judged, card: Card) -> tuple[Offer, ...]:
    """What is offered about a card under the rule of the page."""
    chosen = rule()
    titles = [one.title for one in dataset.classes]
    return offers(card, judged, titles, chosen, *_measured(dataset, card, chosen))


def kept_of(dataset: Dataset, judged: Judged, card: Card) -> int | None:
    """The image of a group that the rule of the page keeps, None if it keeps none."""
    chosen = rule()
    offer = kept_by(card, judged, chosen, *_measured(dataset, card, chosen))
    kept = np.setdiff1d(card.indices, [] if offer is None else offer.indices)
    kept = kept[judged.included[kept]]
    return int(kept[0]) if len(kept) else None


def draw_menu(dataset: Dataset, judged: Judged, card: Card, *, large: bool) -> None:
    """Draw the menu that keeps another image of one group than the page's rule does."""
    menu = f"keep-one-{card.key}"
    st.menu_button(
        "Keep one" if large else "",
        _BY_ONE,
        key=menu,
        type="tertiary",
        icon=None if large else ":material/filter_1:",
        help="Keep one of them by another rule, exclude the rest",
        format_func=lambda one: RULES[one],
        on_click=_keep_one,
        args=(dataset, judged, card, menu),
    )


def _keep_one(dataset: Dataset, judged: Judged, card: Card, menu: str) -> None:
    chosen: Rule = st.session_state[menu]
    offer = kept_by(card, judged, chosen, *_measured(dataset, card, chosen))
    if offer is not None:
        acts.take(dataset, card, offer)


def sharpness_of(dataset: Dataset, indices: NDArray[np.int64]) -> NDArray[np.float64]:
    """How sharp images are, (M,), as from `review.keepers.sharpness`; cached."""
    return _sharpness_of(dataset.name, identity(dataset), tuple(indices.tolist()))


def pixels_of(dataset: Dataset) -> NDArray[np.int64]:
    """How many pixels the original of each image had, (N,)."""
    return dataset.items["width"].to_numpy(np.int64) * dataset.items["height"].to_numpy(np.int64)


def _measured(
    dataset: Dataset, card: Card, rule: Rule
) -> tuple[NDArray[np.float64] | None, NDArray[np.int64] | None]:
    """What a rule asks of the images of a card: how sharp they are, how large their originals."""
    sharp = sharpness_of(dataset, card.indices) if rule == "sharpest" and card.grouped else None
    return sharp, pixels_of(dataset)[card.indices] if rule == "largest" else None


@lru_cache(maxsize=4096)
def _sharpness_of(name: str, identity: str, indices: tuple[int, ...]) -> NDArray[np.float64]:
    del identity  # part of the key only
    dataset, chosen = open_dataset(name), np.array(indices, np.int64)
    return sharpness(dataset.images, chosen, dataset.items["sha256"].to_numpy(object)[chosen])


def _inside(words: str) -> str:
    """Words as they stand inside a sentence."""
    return words[:1].lower() + words[1:]


def _unless_advised(chosen: str) -> str | None:
    return None if chosen == "advised" else chosen
