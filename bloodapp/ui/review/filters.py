"""The filters of the review queue: kind, state and class. They choose what is shown and never change a decision."""

from collections import Counter
from dataclasses import dataclass

import streamlit as st

from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import Judged
from bloodapp.review.findings import KINDS
from bloodapp.review.queue import Card, matching
from bloodapp.ui import state
from bloodapp.ui.review import keeping

NAMES = ("finding", "show", "labelled", "sheet", keeping.NAME)
"""What the address carries: the kind of finding, the state, the class, the page of the queue, the keeper rule."""

_STATES = ("open", "flagged", "decided", "all")


@dataclass(frozen=True)
class Filters:
    """What is to be shown.

    Attributes:
        kind: a kind of finding, or empty for any.
        show: `open`, `flagged`, `decided` or `all`.
        labelled: the key of a class, or empty for any.
        page: of the queue, from 1.
    """

    kind: str
    show: str
    labelled: str
    page: int

    def of(self, queue: list[Card], judged: Judged, dataset: Dataset) -> list[Card]:
        """The cards that pass."""
        keys = [one.key for one in dataset.classes]
        label = keys.index(self.labelled) if self.labelled else None
        wanted = "" if self.show == "all" else self.show
        return matching(queue, judged, kind=self.kind, state=wanted, label=label)


def current(dataset: Dataset, queue: list[Card]) -> Filters:
    """The filters as the address has them; what does not exist here is passed over."""
    kind, show, labelled = (str(state.get(name) or "") for name in NAMES[:3])
    return Filters(
        kind if kind in _kinds(queue) else "",
        show if show in _STATES else "open",
        labelled if labelled in [one.key for one in dataset.classes] else "",
        _number(state.get("sheet")),
    )


def draw(dataset: Dataset, queue: list[Card], filters: Filters) -> None:
    """Draw the filters with how many cards each would show."""
    # Counted once: a box asks for the words of its choices several times, and there may be 12,000 cards.
    every = Counter(kind for card in queue for kind in ("", *card.kinds))
    open_ones = Counter(kind for card in queue if card.open for kind in ("", *card.kinds))
    st.session_state["finding-box"] = filters.kind
    st.pills(
        "Kind of finding",
        ["", *(kind for kind in KINDS if kind in every)],
        key="finding-box",
        format_func=lambda kind: _chip(kind, open_ones[kind], every[kind]),
        label_visibility="collapsed",
        wrap=True,
        on_change=lambda: _choose("finding", st.session_state["finding-box"]),
    )
    numbers: Counter[str] = Counter(
        card.state for card in queue if not filters.kind or filters.kind in card.kinds
    )
    numbers["all"] = numbers.total()
    titles = {one.key: one.title for one in dataset.classes}
    with st.container(horizontal=True, vertical_alignment="center", key="review-filters"):
        st.session_state["show-box"] = filters.show
        st.segmented_control(
            "State",
            _STATES,
            key="show-box",
            required=True,
            format_func=lambda one: f"{one.capitalize()} :small[:gray[{numbers[one]:,}]]",
            label_visibility="collapsed",
            on_change=lambda: _choose("show", st.session_state["show-box"]),
        )
        st.session_state["labelled-box"] = filters.labelled
        st.selectbox(
            "Class",
            ["", *titles],
            key="labelled-box",
            format_func=lambda key: titles.get(key, "Any class"),
            label_visibility="collapsed",
            width=190,
            on_change=lambda: _choose("labelled", st.session_state["labelled-box"]),
        )


def draw_pages(pages: int, page: int) -> None:
    """Draw the pages of the queue, if there are several."""
    if pages > 1:
        key = f"sheet-{page}-{pages}"  # drawn anew for another page: the address says which one it is
        st.pagination(
            pages, default=page, key=key, on_change=lambda: state.put("sheet", st.session_state[key])
        )


def clear() -> None:
    """Show every kind and every class."""
    for name in ("finding", "labelled", "sheet"):
        state.put(name, None)


def _kinds(queue: list[Card]) -> list[str]:
    """The kinds that were found, in the order of the vocabulary."""
    found = {kind for card in queue for kind in card.kinds}
    return [kind for kind in KINDS if kind in found]


def _chip(kind: str, still: int, all_of_it: int) -> str:
    number = f"{still:,}" if still == all_of_it else f"{still:,} of {all_of_it:,}"
    return f"{KINDS[kind].title if kind else 'Everything'} :small[:gray[{number if still else '✓'}]]"


def _choose(name: str, value: str | None) -> None:
    """Keep a filter and begin with its first page."""
    state.put(name, value or None)
    state.put("sheet", None)


def _number(text: object) -> int:
    try:
        return max(int(str(text)), 1)
    except ValueError:
        return 1
