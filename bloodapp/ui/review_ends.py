"""Both ends of a dataset in its own order, and a cut: what lies beyond it is excluded as one decision."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.data.decisions import Judged
from bloodapp.review.around import head_cut, tail_cut
from bloodapp.ui import review_acts, review_closer, state
from bloodapp.ui import review_pictures as pictures
from bloodapp.ui.picker import picker
from bloodapp.ui.steps import identity
from bloodapp.ui.text import count

A_PAGE = 24
PICKERS = {"first": "ends-first-picker", "last": "ends-last-picker"}
_BESIDE = 8  # pictures on either side of a cut
_HOW = {"from": "From an image on", "upto": "Up to an image", "range": "From … to"}


@st.fragment
def draw(dataset: Dataset, judged: Judged, mark: Callable[[int], None]) -> None:
    """Draw both ends and the cut; `mark` leads to what looks like an image."""
    if state.get("like") is not None:
        st.rerun()
    _suggestions(dataset)
    _cut(dataset, judged)
    chosen = [
        index
        for end, column in zip(PICKERS, st.columns(2, gap="medium"), strict=True)
        for index in _end(dataset, judged, end, column)
    ]
    picked = np.array(sorted(set(chosen)), np.int64)
    if len(picked):
        _act(dataset, picked, mark)


def _suggestions(dataset: Dataset) -> None:
    """Where a run of repeated pictures begins or ends, if there is one."""
    head, tail = _runs(dataset.name, identity(dataset))
    if tail is not None:
        _suggest(f"From image {tail:,} on, nearly every picture occurs many times", "from", tail, dataset)
    if head is not None:
        _suggest(f"Up to image {head:,}, nearly every picture occurs many times", "upto", head, dataset)


def _suggest(words: str, how: str, index: int, dataset: Dataset) -> None:
    number = len(dataset) - index if how == "from" else index + 1
    with st.container(horizontal=True, vertical_alignment="center", key=f"suggest-{how}"):
        st.html(
            f'<p class="suggestion"><b>{words}</b> <span class="quiet">{count(number, "image")}</span></p>'
        )
        st.button("Cut there", key=f"cut-there-{how}", on_click=_cut_at, args=(how, index))


def _cut(dataset: Dataset, judged: Judged) -> None:
    """The cut: where it is, what lies on both sides, and the button that excludes what is beyond."""
    last = len(dataset) - 1
    with st.container(border=True, key="cut"):
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            st.session_state["cut-how"] = how = str(state.get("cut-how", "from"))
            st.segmented_control(
                "Exclude",
                list(_HOW),
                key="cut-how",
                required=True,
                format_func=lambda one: _HOW[one],
                on_change=_keep,
                args=("cut-how",),
            )
            start = _number("cut-start", "First image", last, last) if how != "upto" else 0
            stop = (
                _number("cut-stop", "Last image", 0 if how == "upto" else last, last)
                if how != "from"
                else last
            )
        inside = np.arange(start, stop + 1)
        still = inside[judged.included[inside]]
        if how != "upto":
            st.html(_border(dataset, judged, start, cut_right=True))
        if how != "from":
            st.html(_border(dataset, judged, stop + 1, cut_right=False))
        if len(inside):
            st.html(pictures.labels(dataset, judged, inside))
        everything = len(still) == int(judged.included.sum())
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            if st.button(
                f"Exclude {count(len(still), 'image')}",
                key="cut-exclude",
                type="primary",
                disabled=not len(still) or everything,
            ):
                review_acts.decide(dataset, still, "exclude", because=f"Images {start} to {stop}, by a cut")
                st.rerun()
            st.html(f'<span class="quiet">{_said(inside, still, everything)}</span>')


def _said(inside: NDArray[np.int64], still: NDArray[np.int64], everything: bool) -> str:
    if not len(inside):
        return "The first image lies behind the last one: choose others."
    if not len(still):
        return "All of them are excluded already."
    if everything:
        return "That is all that is left: move the cut."
    gone = len(inside) - len(still)
    already = f"; {gone:,} more are excluded already" if gone else ""
    return f"Images {inside[0]:,} to {inside[-1]:,}{already}. One entry in the history undoes it."


def _number(name: str, label: str, usual: int, last: int) -> int:
    """A number field whose value outlives the view."""
    st.session_state[name] = value = min(int(state.get(name, usual)), last)
    st.number_input(label, 0, last, key=name, width=130, on_change=_keep, args=(name,))
    return value


def _border(dataset: Dataset, judged: Judged, at: int, *, cut_right: bool) -> str:
    """The pictures on both sides of a border, image `at` being the first to its right, as HTML."""
    before = range(max(at - _BESIDE, 0), at)
    behind = range(at, min(at + _BESIDE, len(dataset)))
    sides = (
        _side(dataset, judged, before, out=not cut_right),
        f'<span class="knife"><b>{at if cut_right else at - 1:,}</b></span>',
        _side(dataset, judged, behind, out=cut_right),
    )
    return f'<div class="border">{"".join(sides)}</div>'


def _side(dataset: Dataset, judged: Judged, images: range, *, out: bool) -> str:
    shown = "".join(pictures.picture(dataset, judged, index, "") for index in images)
    words = "excluded" if out else "stays"
    return f'<div class="side{" gone" if out else ""}"><small>{words}</small><div>{shown}</div></div>'


def _end(dataset: Dataset, judged: Judged, end: str, column: st.delta_generator.DeltaGenerator) -> list[int]:
    """One end, page by page from there; what is picked of it."""
    pages = -(-len(dataset) // A_PAGE)
    with column:
        title = st.container()
        page = st.pagination(pages, key=f"ends-{end}-{pages}", max_visible_pages=5) if pages > 1 else 1
        reach = min(page * A_PAGE, len(dataset))
        span = range(reach - A_PAGE if page * A_PAGE <= len(dataset) else (page - 1) * A_PAGE, reach)
        here = span if end == "first" else range(len(dataset) - span.stop, len(dataset) - span.start)
        title.html(
            f'<div class="section"><h2>The {end} images</h2><span>{here[0]:,} to {here[-1]:,}</span></div>'
        )
        tiles = [review_closer.tile(dataset, judged, index, f"{index:,}") for index in here]
        version = f"{page}-{judged.seq}-{state.get('ends-round', 0)}"
        return [
            one for one in picker(tiles, key=PICKERS[end], version=version, width=56) if one < len(dataset)
        ]


def _act(dataset: Dataset, picked: NDArray[np.int64], mark: Callable[[int], None]) -> None:
    with st.container(border=True, key="picked"):
        if review_closer.act_on(dataset, picked, "Seen while looking around", key="ends"):
            _let_go()
            st.rerun()
        if len(picked) == 1:
            index = int(picked[0])
            with st.container(horizontal=True, gap="small"):
                st.button("Cut from here on", key="cut-from-here", on_click=_cut_at, args=("from", index))
                st.button("Cut up to here", key="cut-upto-here", on_click=_cut_at, args=("upto", index))
                st.button(
                    "Find what looks like this",
                    key="like-this",
                    icon=":material/image_search:",
                    on_click=mark,
                    args=(index,),
                )
        else:
            low, high = int(picked[0]), int(picked[-1])
            st.button(
                f"Cut out {low:,} to {high:,}", key="cut-between", on_click=_cut_at, args=("range", low, high)
            )


def _cut_at(how: str, index: int, stop: int | None = None) -> None:
    """Put the cut at an image, and let go of what was picked."""
    state.put("cut-how", how)
    state.put("cut-stop" if how == "upto" else "cut-start", index)
    if stop is not None:
        state.put("cut-stop", stop)
    _let_go()


def _let_go() -> None:
    for key in PICKERS.values():
        st.session_state.pop(key, None)
    state.put("ends-round", int(state.get("ends-round", 0)) + 1)


def _keep(name: str) -> None:
    state.put(name, st.session_state[name])


@lru_cache(maxsize=8)
def _runs(name: str, identity: str) -> tuple[int | None, int | None]:
    """Where a run of repeated pictures ends at the start, and begins at the end: by pixels, else by hashes."""
    del identity  # part of the key only
    items = open_dataset(name).items
    exact, close = items["sha256"].to_numpy(object), items["phash"].to_numpy(np.uint64)
    head, tail = head_cut(exact), tail_cut(exact)
    return head_cut(close) if head is None else head, tail_cut(close) if tail is None else tail
