"""What a detector missed, flagged wrongly and found, as pictures: the quickest way to understand it."""

from html import escape

import numpy as np
import pandas as pd
import streamlit as st

from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import Judged
from bloodapp.review.findings import KINDS
from bloodapp.review.scoreboard import Score, kinds_of
from bloodapp.review.truth import COPIES
from bloodapp.ui import state
from bloodapp.ui.review.pictures import colour_of
from bloodapp.ui.text import count
from bloodapp.ui.thumbs import grid, thumbnail

SHOWN = 60
"""Pictures of a verdict; the rest is a number."""

_VERDICT = "board_verdict"
_SAID = {
    "missed": "At fault, and not flagged under this kind.",
    "wrong": "Flagged, though the truth does not say so; what is at fault for something else says for what. "
    "The others may be real: nobody looked at what was there before planting.",
    "found": "At fault and flagged.",
}


def draw(dataset: Dataset, judged: Judged, known: pd.DataFrame, one: Score) -> None:
    """Draw the images of one verdict on a kind; those that were missed come first."""
    indices = {"missed": one.missed, "wrong": one.wrong, "found": one.found}
    names = {"missed": "Missed", "wrong": "Flagged wrongly", "found": "Found"}
    wanted = state.get(_VERDICT)
    chosen = wanted if wanted in indices else next((key for key in indices if len(indices[key])), "missed")
    with st.container(horizontal=True, vertical_alignment="center", key="board-verdicts"):
        st.html(f'<div class="section"><h2>{escape(KINDS[one.kind].title)}</h2></div>', width="content")
        st.session_state["board-verdict"] = chosen
        st.segmented_control(
            "Which images",
            list(indices),
            key="board-verdict",
            required=True,
            format_func=lambda key: f"{names[key]} {len(indices[key]):,}",
            label_visibility="collapsed",
            on_change=lambda: state.put(_VERDICT, st.session_state["board-verdict"]),
        )
    found = indices[chosen]
    if not len(found):
        nothing = {"missed": "Nothing was missed.", "wrong": "Nothing was flagged wrongly."}
        st.html(f'<p class="quiet">{nothing.get(chosen, "Nothing was found yet.")}</p>')
        return
    st.html(f'<p class="quiet">{_SAID[chosen]}</p>')
    twins = _twins(known, one.kind) if chosen != "wrong" else {}
    pictures, captions, colours, hints = [], [], [], []
    truth = kinds_of(known)
    true_labels = dict(zip(known["index"].tolist(), known["true_label"].tolist(), strict=True))
    for index in found[:SHOWN].tolist():
        for shown in (index, *([twins[index]] if index in twins else [])):
            pictures.append(thumbnail(dataset, shown))
            if shown != index:
                captions.append("its original")
            elif chosen == "wrong" and index in truth:
                captions.append(KINDS[truth[index][0]].title)
            else:
                captions.append(_caption(dataset, index, true_labels, one.kind))
            colours.append(colour_of(dataset, judged, shown))
            hints.append(_hint(dataset, shown, truth))
    grid(pictures, captions, colours=colours, hints=hints, width=84)
    if len(found) > SHOWN:
        st.html(f'<p class="quiet">And {count(len(found) - SHOWN, "more", "more")}.</p>')


def _caption(dataset: Dataset, index: int, true_labels: dict[int, int], kind: str) -> str:
    given = int(dataset.labels[index])
    true = true_labels.get(index, -1)
    if kind == "mislabelled" and true >= 0 and true != given:
        return f"really {dataset.classes[true].title}"
    return _title(dataset, given)


def _hint(dataset: Dataset, index: int, truth: dict[int, tuple[str, ...]]) -> str:
    kinds = ", ".join(KINDS[kind].title.lower() for kind in truth.get(index, ()))
    said = f"by the truth: {kinds}" if kinds else "by the truth: in order"
    return f"image {index} · given as {_title(dataset, int(dataset.labels[index]))} · {said}"


def _title(dataset: Dataset, label: int) -> str:
    return dataset.classes[label].title if label >= 0 else "no label"


def _twins(known: pd.DataFrame, kind: str) -> dict[int, int]:
    """For every copy of a kind the good one of its group."""
    if kind not in COPIES:
        return {}
    mine = known[known["kind"] == kind]
    good = mine[~mine["planted"]].drop_duplicates("group").set_index("group")["index"]
    copies = mine[mine["planted"] & mine["group"].isin(good.index)]
    return dict(
        zip(copies["index"].tolist(), np.asarray(good.reindex(copies["group"])).tolist(), strict=True)
    )
