"""The thresholds of the findings: each can be moved, says at once how many images it catches, and is kept."""

from functools import lru_cache
from html import escape

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.errors import BloodappError
from bloodapp.review.findings import KINDS
from bloodapp.review.scan import read_findings
from bloodapp.review.thresholds import CERTAIN, DEFAULT, FLOOR, choose_threshold, reach, thresholds
from bloodapp.ui import frame, state
from bloodapp.ui.review import pictures
from bloodapp.ui.standing import findings_stamp, identity
from bloodapp.ui.text import count

_BINS = 30


def draw(dataset: Dataset) -> None:
    """Draw the button that opens the thresholds."""
    with st.popover("Thresholds", icon=":material/tune:", type="tertiary", key="thresholds"):
        _sliders(dataset)


@st.fragment
def _sliders(dataset: Dataset) -> None:
    reached = _reached(dataset.name, identity(dataset), findings_stamp(dataset))
    kinds = [kind for kind in KINDS if kind in reached and kind not in CERTAIN]
    if not kinds:
        st.html('<p class="quiet">Nothing was found whose threshold could be moved.</p>')
        return
    st.html(
        '<div class="empty"><h2>From which score on a finding counts</h2><p>0.5 is where a detector itself draws '
        "the line. Lower finds more, and more that is right as it is. Copies, conflicting labels and leakage are "
        "facts and have no threshold.</p></div>"
    )
    limits = thresholds(dataset)
    for kind in kinds:
        _slider(dataset, kind, limits[kind], reached[kind])
    moved = [kind for kind in kinds if limits[kind] != DEFAULT]
    if len(moved) > 1:
        st.button(
            "All back to default",
            key="thresholds-back",
            type="tertiary",
            icon=":material/restart_alt:",
            on_click=_back,
            args=(dataset, moved),
        )
    if st.session_state.pop("threshold-moved", False):
        st.rerun()  # the counts stand; now the queue behind follows


def _slider(dataset: Dataset, kind: str, limit: float, reached: NDArray[np.float64]) -> None:
    caught, usual = (len(reached) - int(np.searchsorted(reached, at)) for at in (limit, DEFAULT))
    with st.container(key=f"threshold-row-{kind}", gap=None):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.html(
                f'<p class="threshold" title="{escape(KINDS[kind].means, quote=True)}"><b>{escape(KINDS[kind].title)}'
                f"</b> <em>{limit:.2f}</em> catches {count(caught, 'image')}"
                + (f' <span class="quiet">(default {usual:,})</span>' if limit != DEFAULT else "")
                + "</p>"
            )
            if limit != DEFAULT:
                st.button(
                    "",
                    key=f"threshold-back-{kind}",
                    type="tertiary",
                    icon=":material/restart_alt:",
                    help=f"Back to {DEFAULT}",
                    on_click=_back,
                    args=(dataset, [kind]),
                )
        numbers, edges = np.histogram(reached, bins=_BINS, range=(FLOOR, 1))
        st.html(pictures.bars(numbers, edges[:-1] >= limit - 1e-9))
        box = f"threshold-{kind}"
        st.slider(
            KINDS[kind].title,
            FLOOR,
            1.0,
            state.show(box, limit),
            step=0.01,
            key=box,
            label_visibility="collapsed",
            on_change=_move,
            args=(dataset, kind, box),
        )


def _move(dataset: Dataset, kind: str, box: str) -> None:
    _choose(dataset, kind, round(float(st.session_state[box]), 2))


def _back(dataset: Dataset, kinds: list[str]) -> None:
    for kind in kinds:
        _choose(dataset, kind, None)


def _choose(dataset: Dataset, kind: str, limit: float | None) -> None:
    try:
        choose_threshold(dataset, kind, None if limit == DEFAULT else limit)
    except (BloodappError, OSError) as problem:
        frame.error(problem)
    else:
        st.session_state["threshold-moved"] = True


@lru_cache(maxsize=8)
def _reached(name: str, identity: str, stamp: int) -> dict[str, NDArray[np.float64]]:
    """For each kind up to which threshold its images are caught, ascending."""
    del identity, stamp  # part of the key only
    findings = read_findings(open_dataset(name))
    if findings is None:
        return {}
    up_to, kinds = reach(findings), findings["kind"].to_numpy(object)
    return {str(kind): np.sort(up_to[kinds == kind]) for kind in np.unique(kinds.astype(str))}
