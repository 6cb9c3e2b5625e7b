"""The whole ledger: every decision, filtered, opened to its single images, undone, exported and replayed."""

from datetime import date, datetime, time, timedelta

import pandas as pd
import streamlit as st

from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import ACTIONS, Judged
from bloodapp.review.findings import KINDS
from bloodapp.review.history import STANDINGS, Wanted, matching, standings
from bloodapp.ui import frame, state
from bloodapp.ui.review import acts, ledger_rows, log, replay, side
from bloodapp.ui.text import count

NAMES = (
    "reviewer",
    "decision",
    "reason",
    "about",
    "since",
    "until",
    "standing",
    "leaf",
    "opened",
    "leaf_images",
)
"""What the address carries: the filters, the page, the batch that is open and the page of its images."""

A_PAGE = 20
_TITLES = {"exclude": "Excluded", "keep": "Kept", "relabel": "Relabelled", "flag": "Flagged"}


def draw(dataset: Dataset, judged: Judged) -> None:
    """Draw this part of the page."""
    entries = log.entries(dataset, judged)
    with st.container(key="ledger"):
        with st.container(horizontal=True, vertical_alignment="center", key="ledger-head"):
            frame.section("Ledger", _note(entries))
            with st.container(horizontal=True, width="content", vertical_alignment="center", gap="small"):
                side.reason_field()
                side.name_field()
                replay.draw_export(dataset, judged)
                replay.draw_import(dataset, judged)
        replay.draw_offer(dataset, judged)
        if entries.empty:
            _nothing_yet()
            return
        wanted = _filters(dataset, judged, entries)
        _list(dataset, judged, entries, wanted)


def _note(entries: pd.DataFrame) -> str:
    if entries.empty:
        return ""
    undone = int(entries["undone"].sum())
    people = entries["who"].nunique()
    by = f"{count(len(entries), 'decision')} by {count(people, 'reviewer')}"
    return by + (f" · {undone:,} undone" if undone else "")


def _nothing_yet() -> None:
    with st.container(border=True, key="ledger-empty"):
        st.html(
            '<div class="empty"><h2>Nothing decided yet</h2><p>Who decided what, when and why will stand here, and can '
            "be undone at any time. Decide about a card of the queue, or import decisions that were exported "
            "elsewhere.</p></div>"
        )
        st.button(
            "Go to the queue", key="ledger-queue", type="primary", on_click=state.put, args=("view", None)
        )


def _filters(dataset: Dataset, judged: Judged, entries: pd.DataFrame) -> Wanted:
    """Draw the filters; what does not exist here is passed over."""
    events = log.events(dataset, judged)
    people = sorted(set(entries["who"]), key=str.casefold)
    chosen = {name: str(state.get(name) or "") for name in NAMES}
    with st.container(horizontal=True, vertical_alignment="center", key="ledger-filters", gap="small"):
        who = _select("reviewer", people, chosen["reviewer"], "Any reviewer", {}, 138)
        action = _select("decision", list(ACTIONS), chosen["decision"], "Any decision", _TITLES, 138)
        _reason(entries, chosen["reason"])
        st.session_state["about-box"] = chosen["about"]
        st.text_input(
            "Image",
            key="about-box",
            placeholder="Image number",
            label_visibility="collapsed",
            width=118,
            on_change=_keep,
            args=("about",),
        )
        since, until = _dates(chosen["since"], chosen["until"])
        wanted = Wanted(
            who=who,
            action=action,
            text=chosen["reason"].strip(),
            image=_image(chosen["about"]),
            since=_midnight(since),
            until=_midnight(until, after=True),
            standing=chosen["standing"] if chosen["standing"] in STANDINGS else "",
        )
        _standing(standings(entries, events, wanted), wanted.standing)
    return wanted


def _select(
    name: str, options: list[str], value: str, anything: str, titles: dict[str, str], width: int
) -> str:
    value = value if value in options else ""
    st.session_state[f"{name}-box"] = value
    st.selectbox(
        name.capitalize(),
        ["", *options],
        key=f"{name}-box",
        format_func=lambda one: titles.get(one, one) if one else anything,
        label_visibility="collapsed",
        width=width,
        on_change=_keep,
        args=(name,),
    )
    return value


def _reason(entries: pd.DataFrame, value: str) -> None:
    """One field for both: choose a reason that occurs, or type a part of one."""
    said = " ".join(entries["why"].unique())
    known = [kind.title for kind in KINDS.values() if kind.title in said]
    known += [reason for reason in acts.FLAG_REASONS if reason in said]
    options = known if not value or value in known else [value, *known]
    st.session_state["reason-box"] = value or None
    st.selectbox(
        "Reason",
        options,
        index=None,
        key="reason-box",
        placeholder="Any reason or word",
        accept_new_options=True,
        label_visibility="collapsed",
        width=205,
        on_change=_keep,
        args=("reason",),
    )


def _dates(since: str, until: str) -> tuple[date | None, date | None]:
    first, last = _date(since), _date(until)
    if first is None or last is None:
        first = last = None
    key = f"dates-{first}-{last}"  # drawn anew for other dates: the address says which they are
    st.date_input(
        "From and to",
        value=[first, last] if first and last else [],
        key=key,
        format="YYYY-MM-DD",
        label_visibility="collapsed",
        width=215,
        on_change=_keep_dates,
        args=(key,),
    )
    return first, last


def _standing(numbers: dict[str, int], value: str) -> None:
    titles = {"": "All", "held": "Hold", "undone": "Undone"}
    st.session_state["standing-box"] = value
    st.segmented_control(
        "Standing",
        list(titles),
        key="standing-box",
        required=True,
        format_func=lambda one: f"{titles[one]} :small[:gray[{numbers[one]:,}]]",
        label_visibility="collapsed",
        on_change=_keep,
        args=("standing",),
    )


def _list(dataset: Dataset, judged: Judged, entries: pd.DataFrame, wanted: Wanted) -> None:
    found = matching(entries, log.events(dataset, judged), wanted, dataset.classes)
    if wanted != Wanted():
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key="ledger-found"):
            st.html(
                f'<span class="quiet">{len(found):,} of {count(len(entries), "decision")}</span>',
                width="content",
            )
            st.button(
                "Clear filters", key="ledger-clear", type="tertiary", icon=":material/close:", on_click=_clear
            )
    if found.empty:
        with st.container(border=True, key="ledger-none"):
            st.html('<div class="empty"><h2>Nothing here</h2><p>No decision passes these filters.</p></div>')
        return
    pages = -(-len(found) // A_PAGE)
    page = min(_number(state.get("leaf")), pages)
    ledger_rows.draw(dataset, judged, found.iloc[(page - 1) * A_PAGE : page * A_PAGE])
    if pages > 1:
        key = f"leaf-{page}-{pages}"  # drawn anew for another page: the address says which one it is
        st.pagination(
            pages, default=page, key=key, on_change=lambda: state.put("leaf", st.session_state[key])
        )


def _keep(name: str) -> None:
    """Keep a filter and begin with its first page."""
    state.put(name, st.session_state[f"{name}-box"] or None)
    state.put("leaf", None)


def _keep_dates(key: str) -> None:
    chosen = st.session_state[key]
    if len(chosen) == 1:  # the first of the two: the calendar stays open for the second
        return
    first, last = (one.isoformat() for one in chosen) if chosen else (None, None)
    state.put("since", first)
    state.put("until", last)
    state.put("leaf", None)


def _clear() -> None:
    for name in NAMES:
        state.put(name, None)


def _midnight(one: date | None, *, after: bool = False) -> datetime | None:
    if one is None:
        return None
    return datetime.combine(one + timedelta(days=after), time(), log.zone())


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _image(text: str) -> int | None:
    """The image that is meant; -1, which no image is, for anything that is no number."""
    digits = text.strip().replace(",", "")
    return (int(digits) if digits.isdecimal() else -1) if digits else None


def _number(text: object) -> int:
    return max(int(str(text)), 1) if str(text).isdecimal() else 1
