"""The queue of the Review page: card by card, or all cards of the filters at once."""

import streamlit as st

from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import Judged
from bloodapp.review.findings import KINDS
from bloodapp.review.queue import Card, offers, sheets
from bloodapp.ui import (
    frame,
    review_acts,
    review_cards,
    review_closer,
    review_filters,
    review_pictures,
    review_side,
)
from bloodapp.ui.text import count

_ALL = {"advice": "Do what is advised: keep one of mere copies, exclude the rest", "keep": "Keep them all"}


def draw(dataset: Dataset, judged: Judged, queue: list[Card]) -> None:
    """Draw the queue and beside it what remains and the last decisions."""
    with st.container(key="review-body"):
        left, right = st.columns([7, 2.4], gap="large")
        with left:
            _queue(dataset, judged, queue)
        with right:
            review_side.draw(dataset, judged)
    review_closer.draw(dataset, judged, queue)


def _queue(dataset: Dataset, judged: Judged, queue: list[Card]) -> None:
    if not queue:
        with st.container(border=True, key="clean"):
            st.html(
                '<div class="empty"><h2>Nothing found</h2><p>No copies, no conflicting labels, no dark, bright, '
                "blurred or empty image. That does not prove every label right.</p></div>"
            )
        return
    filters = review_filters.current(dataset, queue)
    chosen = filters.of(queue, judged, dataset)
    review_filters.draw(dataset, queue, filters, lambda: _at_once(dataset, judged, chosen))
    if not chosen:
        _nothing_here(queue, filters)
        return
    pages = sheets(chosen, shown=review_pictures.SHOWN)
    page = min(filters.page, len(pages))
    review_cards.draw(dataset, judged, pages[page - 1])
    review_filters.draw_pages(len(pages), page)


def _at_once(dataset: Dataset, judged: Judged, chosen: list[Card]) -> None:
    """What can be done about all cards of the filters with one decision, and so one undo."""
    if len(chosen) > 1:
        st.menu_button(
            f"Decide all {len(chosen):,}",
            ["advice", "keep"],
            key="all-cards",
            type="tertiary",
            format_func=lambda one: _ALL[one],
            on_click=_decide_all,
            args=(dataset, judged, chosen),
        )


def _decide_all(dataset: Dataset, judged: Judged, chosen: list[Card]) -> None:
    titles = [one.title for one in dataset.classes]
    wanted = st.session_state["all-cards"]
    possible = [offers(card, judged.labels, titles) for card in chosen]
    taken = [next(one for one in some if wanted == "advice" or one.key == "keep") for some in possible]
    indices = sorted({int(index) for offer in taken for index in offer.indices})
    because = ", ".join(
        dict.fromkeys(KINDS[kind].title for card in chosen for kind in card.kinds if kind in KINDS)
    )
    review_acts.decide(dataset, indices, taken[0].action, because=because)


def _nothing_here(queue: list[Card], filters: review_filters.Filters) -> None:
    with st.container(border=True, key="none-left"):
        if filters.show == "open" and not any(card.open for card in queue):
            flagged = sum(card.state == "flagged" for card in queue)
            aside = f" {count(flagged, 'card')} put aside." if flagged else ""
            st.html(
                f'<div class="empty"><h2>All decided</h2><p>Every finding has its decision.{aside} The history undoes '
                "any of them at any time.</p></div>"
            )
            frame.link("pages/3_Train.py", "Train a model on what remains", ":material/arrow_forward:")
            return
        why = {
            "flagged": "Nothing is put aside: flag what you want to look at again.",
            "decided": "Nothing is decided yet.",
        }.get("" if filters.kind or filters.labelled else filters.show, "No card matches these filters.")
        st.html(f'<div class="empty"><h2>Nothing here</h2><p>{why}</p></div>')
        if filters.kind or filters.labelled:
            st.button("Show every kind and class", key="clear-filters", on_click=review_filters.clear)
