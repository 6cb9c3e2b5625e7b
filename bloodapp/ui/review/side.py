"""Beside the queue: what remains, the export, the history of decisions with undo."""

from html import escape

import numpy as np
import streamlit as st

from bloodapp.data import decisions
from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import Judged
from bloodapp.ui import frame, state
from bloodapp.ui.review import acts, exporting, log
from bloodapp.ui.text import ago, count, plain
from bloodapp.ui.thumbs import class_chip

RECENT = 6


def draw(dataset: Dataset, judged: Judged) -> None:
    """Draw the side of the page."""
    _remains(dataset, judged)
    exporting.draw(dataset, judged)
    _history(dataset, judged)


def _remains(dataset: Dataset, judged: Judged) -> None:
    st.html(_remains_html(dataset, judged))


def _remains_html(dataset: Dataset, judged: Judged) -> str:
    classes = range(len(dataset.classes))
    now = np.bincount(judged.labels[judged.indices], minlength=len(classes))
    given = np.bincount(dataset.labels[dataset.labels >= 0], minlength=len(classes))
    most = max(int(now.max(initial=0)), int(given.max(initial=0)), 1)
    rows = []
    for label in classes:
        one = dataset.classes[label]
        before = f"{given[label]:,} given" if given[label] != now[label] else ""
        rows.append(
            f'<div title="{escape(before, quote=True)}">{class_chip(one)}<b>{now[label]:,}</b>'
            f'<div class="bar"><u style="width:{100 * given[label] / most:.1f}%"></u>'
            f'<i style="width:{100 * now[label] / most:.1f}%;background:{escape(one.colour)}"></i></div></div>'
        )
    numbers = {
        "excluded": int((~judged.included).sum()),
        "relabelled": int((judged.labels != dataset.labels).sum()),
        "flagged": int(judged.flagged.sum()),
    }
    said = " · ".join(f"{number:,} {what}" for what, number in numbers.items() if number)
    return (
        f'<div class="remains"><h2>What remains</h2>'
        f'<p class="big"><b>{len(judged.indices):,}</b> of {len(dataset):,} images</p>'
        f'<p class="quiet">{said or "nothing decided yet"}</p><div class="by-class">{"".join(rows)}</div></div>'
    )


def _history(dataset: Dataset, judged: Judged) -> None:
    entries = log.entries(dataset, judged)
    frame.section("History", count(len(entries), "decision") if len(entries) else "")
    reason_field()
    if entries.empty:
        st.html('<p class="quiet">Every decision will stand here and can be undone at any time.</p>')
    newest = entries.loc[~entries["undone"], "batch"].max()
    with st.container(key="history", gap=None):
        for entry in entries.head(RECENT).to_dict("records"):
            _entry(dataset, entry, shortcut=entry["batch"] == newest)
    with st.container(horizontal=True, vertical_alignment="center"):
        if len(entries):
            st.button(
                f"All {len(entries):,} in the ledger" if len(entries) > RECENT else "Open the ledger",
                type="tertiary",
                key="history-all",
                on_click=state.put,
                args=("view", "ledger"),
            )
        name_field()


def name_field() -> None:
    """Whose decisions these are."""
    with st.popover(
        plain(acts.who() or "Your name"), type="tertiary", icon=":material/person:", key="who-box"
    ):
        st.session_state["who-field"] = state.get("who") or ""
        st.text_input(
            "Your name",
            key="who-field",
            placeholder=decisions.user(),
            help="Recorded with every decision you take.",
            on_change=lambda: state.put("who", st.session_state["who-field"].strip()),
        )


def reason_field() -> None:
    """Why, in one's own words."""
    st.session_state["reason-field"] = acts.reason()
    st.text_input(
        "Why",
        key="reason-field",
        placeholder="Why? Goes with what you do",
        help="A reason in your own words. While it stands here it is recorded with every decision and every undo.",
        icon=":material/edit_note:",
        label_visibility="collapsed",
        on_change=lambda: state.put(acts.REASON, st.session_state["reason-field"].strip()),
    )


def _entry(dataset: Dataset, entry: dict, *, shortcut: bool = False) -> None:
    """One decision: what, why, who and when, and the button that undoes it or does it again."""
    batch, undone = int(entry["batch"]), bool(entry["undone"])
    partly = f" · {entry['count'] - entry['held']:,} undone" if 0 < entry["held"] < entry["count"] else ""
    label = int(entry["label"])
    what = acts.sentence(entry["action"], int(entry["count"]), label if label >= 0 else None, dataset.classes)
    about = " · ".join(part for part in (entry["who"], ago(entry["when"])) if part)
    with st.container(key=f"entry-{batch}", horizontal=True, vertical_alignment="center", gap="small"):
        st.html(
            f'<div class="entry{" undone" if undone else ""}"><b>{escape(what)}</b>'
            f"<p>{escape(entry['why'])}</p><small>{escape(about)}{' · undone' if undone else partly}</small></div>"
        )
        if not undone:
            st.button(
                "Undo",
                key=f"undo-{batch}",
                shortcut="z" if shortcut and acts.keys() else None,
                on_click=acts.undo,
                args=(dataset, batch),
            )
        elif entry["by"] >= 0:
            st.button(
                "Redo",
                key=f"redo-{batch}",
                type="tertiary",
                on_click=acts.undo,
                args=(dataset, int(entry["by"])),
                kwargs={"again": True},
            )
