"""The queue of the Review page: card by card, or all cards of the filters at once; before that the first scan."""

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import Judged
from bloodapp.review.findings import KINDS
from bloodapp.review.keepers import RULES
from bloodapp.review.queue import Card, sheets
from bloodapp.ui import frame
from bloodapp.ui.review import (
    acts,
    around,
    cards,
    closer,
    keeping,
    pictures,
    reading,
    replay,
    rules,
    scan,
    side,
    thresholds,
)
from bloodapp.ui.review import filters as review_filters
from bloodapp.ui.text import count


def draw(dataset: Dataset, judged: Judged, findings: pd.DataFrame | None) -> None:
    """Draw the queue and beside it what remains, its export and the last decisions.

    `findings` says how the scan looked; None before the first, which is offered in the queue's place.
    """
    queue = reading.queue(dataset) if findings is not None else []
    with st.container(key="review-body"):
        left, right = st.columns([7, 2.4], gap="large")
        with left:
            if findings is None:
                draw_first(dataset, judged)
            elif queue:
                _queue(dataset, judged, queue)
                words = "This was a fast scan. A deep one also finds pictures of no cell and doubtful labels."
                scan.draw_deeper(dataset, findings, words)
            else:
                _nothing(dataset, findings)
        with right:
            side.draw(dataset, judged)
    closer.draw(dataset, judged, queue, around.mark)


def draw_first(dataset: Dataset, judged: Judged) -> None:
    """Draw the first scan, or that it is at work, and the decisions that were taken about images before these."""
    if scan.at_work(dataset):
        st.html(
            '<p class="quiet">What the scan finds will stand here. Go on with the other parts meanwhile.</p>'
        )
        return
    scan.draw_first(dataset)
    replay.draw_offer(dataset, judged, primary=False)


def _nothing(dataset: Dataset, findings: pd.DataFrame) -> None:
    """No finding reaches its threshold: what that means, and what can be done."""
    with st.container(border=True, key="clean"):
        st.html(
            '<div class="empty"><h2>Nothing found</h2><p>Nothing that the scan looked for reaches its threshold. '
            "That does not prove every label right: look around, or lower a threshold.</p></div>"
        )
        with st.container(horizontal=True, gap="small"):
            st.button("Look around", key="nothing-around", on_click=around.open_ends)
            thresholds.draw(dataset)
        words = "This was a fast scan, which sees neither doubtful labels nor pictures of no cell. A deep one does."
        scan.draw_deeper(dataset, findings, words)


def _queue(dataset: Dataset, judged: Judged, queue: list[Card]) -> None:
    filters = review_filters.current(dataset, queue)
    chosen = filters.of(queue, judged, dataset)
    review_filters.draw(dataset, queue, filters)
    with st.container(horizontal=True, vertical_alignment="center", key="review-acts"):
        if any(card.grouped for card in chosen):
            keeping.draw()
            rules.draw(dataset)
        thresholds.draw(dataset)
        _at_once(dataset, judged, chosen)
    if not chosen:
        _nothing_here(queue, filters)
        return
    pages = sheets(chosen, shown=pictures.SHOWN)
    page = min(filters.page, len(pages))
    cards.draw(dataset, judged, pages[page - 1])
    review_filters.draw_pages(len(pages), page)


def _at_once(dataset: Dataset, judged: Judged, chosen: list[Card]) -> None:
    """What can be done about all cards of the filters at once."""
    if len(chosen) < 2:
        return
    rule = keeping.rule()
    kept = "one" if rule == "advised" else f"{RULES[rule][:1].lower()}{RULES[rule][1:]}"
    words = {"advice": f"Exclude what is advised; of copies keep {kept}", "keep": "Keep them all"}
    if any(len(card.doubtful) and not card.grouped for card in chosen):
        words["relabel"] = "Relabel as suggested"
    st.menu_button(
        f"Decide all {len(chosen):,}",
        list(words),
        key="all-cards",
        type="tertiary",
        format_func=words.__getitem__,
        on_click=_decide_all,
        args=(dataset, judged, chosen),
    )


def _decide_all(dataset: Dataset, judged: Judged, chosen: list[Card]) -> None:
    """Decide about all of these cards: one batch, and so one undo; relabelling makes one for each label."""
    wanted = st.session_state["all-cards"]
    if wanted == "keep":
        _record(dataset, chosen, [card.indices for card in chosen], "keep")
        return
    first = [(card, keeping.offered(dataset, judged, card)[0]) for card in chosen]
    if wanted == "advice":
        out = [(card, offer) for card, offer in first if offer.action == "exclude"]
        _record(dataset, [card for card, _ in out], [offer.indices for _, offer in out], "exclude")
        return
    doubted = [card for card, offer in first if offer.action == "relabel"]
    for label in sorted({card.suggested for card in doubted}):
        alike = [card for card in doubted if card.suggested == label]
        _record(dataset, alike, [card.doubtful for card in alike], "relabel", label)


def _record(
    dataset: Dataset,
    chosen: list[Card],
    images: list[NDArray[np.int64]],
    action: str,
    label: int | None = None,
) -> None:
    kinds = dict.fromkeys(KINDS[kind].title for card in chosen for kind in card.kinds if kind in KINDS)
    indices = np.unique(np.concatenate([*images, np.zeros(0, np.int64)]))
    acts.decide(dataset, indices, action, label=label, because=", ".join(kinds))


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
