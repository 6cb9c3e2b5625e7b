"""The rows of the ledger: a decision each, which opens to its single images, and the buttons that undo."""

from datetime import datetime
from html import escape

import pandas as pd
import streamlit as st

from bloodapp.classes import CellClass
from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import Judged
from bloodapp.review.history import events_of, trail
from bloodapp.ui import state
from bloodapp.ui.review import acts, log, pictures
from bloodapp.ui.text import ago, count
from bloodapp.ui.thumbs import class_chip

SHOWN = 4
"""Pictures in a row."""

A_PAGE = 24
"""Images of an open decision on one page."""

_VERBS = {"exclude": "Excluded", "keep": "Kept", "flag": "Flagged", "relabel": "Relabelled"}


def draw(dataset: Dataset, judged: Judged, found: pd.DataFrame) -> None:
    """Draw these decisions, day by day; one of them may be open."""
    zone = log.zone()
    today = datetime.now(zone).date()
    events = log.events(dataset, judged)
    images = events[events["batch"].isin(found["batch"])].sort_values("seq").groupby("batch")["index"]
    first = images.apply(lambda some: some.head(SHOWN).tolist())
    opened, before = str(state.get("opened") or ""), None
    with st.container(key="ledger-list", gap=None):
        for entry in found.to_dict("records"):
            moment = log.local(entry["when"], zone)
            if moment.date() != before:
                before = moment.date()
                st.html(f'<h3 class="day">{escape(log.day(before, today))}</h3>')
            shown = opened == str(entry["batch"])
            with st.container(key=f"led-{entry['batch']}", gap=None):
                _row(dataset, judged, entry, moment, first[entry["batch"]], shown=shown)
                if shown:
                    _open(dataset, judged, entry, events)


def _row(
    dataset: Dataset, judged: Judged, entry: dict, moment: datetime, images: list[int], *, shown: bool
) -> None:
    batch = int(entry["batch"])
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key=f"ledrow-{batch}"):
        st.html(_row_html(dataset, judged, entry, moment, images))
        if entry["held"]:
            st.button(
                "Undo",
                key=f"ledger-undo-{batch}",
                on_click=acts.undo,
                args=(dataset, batch),
            )
        elif entry["by"] >= 0:
            st.button(
                "Redo",
                key=f"ledger-redo-{batch}",
                on_click=acts.undo,
                args=(dataset, int(entry["by"])),
                kwargs={"again": True},
            )
        st.button(
            "",
            key=f"open-{batch}",
            type="tertiary",
            icon=":material/keyboard_arrow_up:" if shown else ":material/keyboard_arrow_down:",
            help="Close" if shown else "Show its images one by one",
            on_click=_toggle,
            args=(batch, shown),
        )


def _row_html(dataset: Dataset, judged: Judged, entry: dict, moment: datetime, images: list[int]) -> str:
    action, number, held = entry["action"], int(entry["count"]), int(entry["held"])
    what = f'<em class="{action}">{_VERBS[action]}</em>{count(number, "image")}'
    if action == "relabel":
        to = _class(dataset, int(entry["label"]))
        what += f'<span class="to">→</span>{class_chip(to) if to else "several classes"}'
    fate = ""
    if held < number:
        some = "undone" if not held else f"{number - held:,} of {number:,} undone"
        fate = f"{escape(some)} by {escape(entry['undone_who'] or 'nobody')}<span>{ago(entry['undone_when'])}</span>"
    thumbs = "".join(pictures.picture(dataset, judged, index, "") for index in images)
    rest = f"<small>+{number - len(images):,}</small>" if number > len(images) else ""
    standing = "undone" if not held else "partly" if held < number else "held"
    return (
        f'<div class="ledger-row {standing}"><time title="{escape(entry["when"], quote=True)}">{moment:%H:%M}</time>'
        f'{log.person(entry["who"])}<div class="what"><p>{what}</p>'
        f'<p class="why">{escape(entry["why"])}</p></div>'
        f'<div class="fate">{fate}</div><div class="few-cells">{thumbs}{rest}</div></div>'
    )


def _open(dataset: Dataset, judged: Judged, entry: dict, events: pd.DataFrame) -> None:
    """Its single images, each of which can be undone by itself, and what became of it since."""
    batch = int(entry["batch"])
    single = events_of(dataset, events, batch)
    steps = trail(events, batch)
    pages = -(-len(single) // A_PAGE)
    text = str(state.get("leaf_images") or "1")
    page = min(max(int(text), 1) if text.isdecimal() else 1, pages)
    with st.container(key="ledger-open"):
        if len(steps):
            st.html(_trail_html(steps))
        with st.container(key="ledger-images"):
            for event in single.iloc[(page - 1) * A_PAGE : page * A_PAGE].to_dict("records"):
                _image(dataset, judged, event, relabelled=entry["action"] == "relabel")
        if pages > 1:
            key = f"images-{batch}-{page}-{pages}"
            st.pagination(
                pages,
                default=page,
                key=key,
                on_change=lambda: state.put("leaf_images", st.session_state[key]),
            )


def _trail_html(steps: pd.DataFrame) -> str:
    lines = []
    for step in steps.to_dict("records"):
        did = "did it again for" if step["again"] else "undid"
        why = f": {escape(step['why'])}" if step["why"] else ""
        lines.append(
            f"<li>{log.person(step['who'])} {did} {count(int(step['count']), 'image')}{why}"
            f'<time title="{escape(step["when"], quote=True)}">{ago(step["when"])}</time></li>'
        )
    return f'<ul class="trail">{"".join(lines)}</ul>'


def _image(dataset: Dataset, judged: Judged, event: dict, *, relabelled: bool) -> None:
    seq, index, undone = int(event["seq"]), int(event["index"]), bool(event["cancelled"])
    before, after = (_class(dataset, int(event[name])) for name in ("before", "after"))
    label = class_chip(before)
    if relabelled:
        label += f'<span class="to">→ {class_chip(after)}</span>'
    with st.container(key=f"image-of-{seq}", gap=None):
        st.html(
            f'<div class="ledger-image{" undone" if undone else ""}">'
            f"{pictures.picture(dataset, judged, index, 'tile-picture')}"
            f"<p>image {index:,}{' · undone' if undone else ''}</p><div>{label}</div></div>"
        )
        st.button(
            "Redo" if undone else "Undo",
            key=f"{'redo' if undone else 'undo'}-event-{seq}",
            type="tertiary",
            on_click=acts.redo_event if undone else acts.undo_event,
            args=(dataset, seq),
        )


def _class(dataset: Dataset, label: int) -> CellClass | None:
    return dataset.classes[label] if 0 <= label < len(dataset.classes) else None


def _toggle(batch: int, shown: bool) -> None:
    state.put("opened", None if shown else batch)
    state.put("leaf_images", None)
