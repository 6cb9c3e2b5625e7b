"""Both ends of a dataset in its own order, and a cut: what lies beyond it is excluded as one decision."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.data.decisions import Judged
from bloodapp.review.around import head_cut, tail_cut
from bloodapp.ui import state
from bloodapp.ui.picker import picker
from bloodapp.ui.review import acts, closer, pictures
from bloodapp.ui.standing import identity
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
    head, tail = _runs(dataset.name, identity(dataset))
    last = len(dataset) - 1
    how = str(state.get("cut-how") or ("from" if tail is not None or head is None else "upto"))
    start = min(int(state.get("cut-start", last if tail is None else tail)), last)
    stop = min(int(state.get("cut-stop", last if head is None or how == "range" else head)), last)
    if tail is not None:
        words = f"From image {tail:,} on, nearly every picture occurs many times"
        _suggest(words, len(dataset) - tail, "from", tail, (how, start) == ("from", tail))
    if head is not None:
        words = f"Up to image {head:,}, nearly every picture occurs many times"
        _suggest(words, head + 1, "upto", head, (how, stop) == ("upto", head))
    _cut(dataset, judged, how, start, stop)
    bar = st.container(border=True, key="picked")
    chosen = [
        index
        for end, column in zip(PICKERS, st.columns(2, gap="medium"), strict=True)
        for index in _end(dataset, judged, end, column)
    ]
    with bar:
        _act(dataset, np.array(sorted(set(chosen)), np.int64), mark)


def _suggest(words: str, number: int, how: str, index: int, there: bool) -> None:
    """Say where a run of repeated pictures begins or ends, and put the cut there unless it is."""
    with st.container(horizontal=True, vertical_alignment="center", key=f"suggest-{how}"):
        st.html(
            f'<p class="suggestion"><b>{words}</b> <span class="quiet">{count(number, "image")}</span></p>'
        )
        if not there:
            st.button("Cut there", key=f"cut-there-{how}", on_click=_cut_at, args=(how, index))


def _cut(dataset: Dataset, judged: Judged, how: str, start: int, stop: int) -> None:
    """The cut: where it is, what lies on both sides, and the button that excludes what is beyond."""
    last = len(dataset) - 1
    with st.container(border=True, key="cut"):
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            st.session_state["cut-how"] = how
            st.segmented_control(
                "Exclude",
                list(_HOW),
                key="cut-how",
                required=True,
                format_func=lambda one: _HOW[one],
                on_change=_keep,
                args=("cut-how",),
            )
            if how != "upto":
                _number("cut-start", "First image", start, last)
            if how != "from":
                _number("cut-stop", "Last image", stop, last)
        start, stop = (0 if how == "upto" else start), (last if how == "from" else stop)
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
                acts.decide(dataset, still, "exclude", because=f"Images {start} to {stop}, by a cut")
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
    which = f"Image {inside[0]:,}" if len(inside) == 1 else f"Images {inside[0]:,} to {inside[-1]:,}"
    return f"{which}{already}. One entry in the history undoes it."


def _number(name: str, label: str, value: int, last: int) -> None:
    """A number field whose value outlives the view."""
    st.session_state[name] = value
    st.number_input(label, 0, last, key=name, width=130, on_change=_keep, args=(name,))


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
        tiles = [closer.tile(dataset, judged, index, f"{index:,}") for index in here]
        version = f"{page}-{judged.seq}-{state.get('ends-round', 0)}"
        return [
            one for one in picker(tiles, key=PICKERS[end], version=version, width=56) if one < len(dataset)
        ]


def _act(dataset: Dataset, picked: NDArray[np.int64], mark: Callable[[int], None]) -> None:
    """What can be done about the pictures that are picked, or where they stand."""
    if closer.act_on(dataset, picked, "Seen while looking around", key="ends"):
        _let_go()
        st.rerun()
    if not len(picked):
        return
    low, high = int(picked[0]), int(picked[-1])
    with st.container(horizontal=True, gap="small"):
        if low < high:
            _cut_button(f"Cut out {low:,} to {high:,}", "range", low, high)
            return
        _cut_button("Cut from here on", "from", low)
        _cut_button("Cut up to here", "upto", low)
        st.button(
            "Find what looks like this",
            key="like-this",
            type="tertiary",
            icon=":material/image_search:",
            on_click=mark,
            args=(low,),
        )


def _cut_button(words: str, how: str, *where: int) -> None:
    st.button(words, key=f"cut-{how}-here", type="tertiary", on_click=_cut_at, args=(how, *where))


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
    dataset = open_dataset(name)
    exact, close = (dataset.items[key].to_numpy(copy=True) for key in ("sha256", "phash"))
    drawn = np.flatnonzero(dataset.parents >= 0)
    exact[drawn], close[drawn] = drawn, drawn  # copies that were made on purpose repeat nothing
    head, tail = head_cut(exact), tail_cut(exact)
    return head_cut(close) if head is None else head, tail_cut(close) if tail is None else tail
