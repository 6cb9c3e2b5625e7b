"""Everything that looks like a marked picture, by its perceptual hash: how far apart is for a person to say."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.data.decisions import Judged
from bloodapp.data.phash import hamming, turned_hashes
from bloodapp.review.around import like
from bloodapp.ui import state
from bloodapp.ui.picker import picker
from bloodapp.ui.review import closer, pictures
from bloodapp.ui.standing import identity
from bloodapp.ui.text import count

FARTHEST = 20
PICKER = "like-picker"
_USUAL = 6
_A_PAGE = 60
_ROUND = "like-round"


@st.fragment
def draw(dataset: Dataset, judged: Judged, marked: int, mark: Callable[[int], None]) -> None:
    """Draw the marked picture and its look-alikes; `mark` marks another one."""
    if state.get("like") != str(marked):
        st.rerun()
    marks = _marks(dataset.name, identity(dataset), marked)
    hashes = dataset.items["phash"].to_numpy(np.uint64)
    with st.container(border=True, key="marked"):
        picture, words = st.columns([1.35, 5], gap="medium")
        picture.html(pictures.picture(dataset, judged, marked, "big"))
        with words:
            st.html(pictures.about(dataset, judged, marked))
            distance, turns = _how(dataset, marked, mark)
            used = marks if turns else marks[:1]
            found, bits = like(hashes, used, distance)
            apart = hamming(hashes[:, None], used[None, :]).min(axis=1)
            numbers = np.bincount(apart[apart <= FARTHEST], minlength=FARTHEST + 1)
            st.html(
                '<p class="quiet bars-title">How many images differ by so many of 64 bits</p>'
                + pictures.bars(numbers, np.arange(FARTHEST + 1) <= distance)
            )
    _matches(dataset, judged, marked, found, bits)


def forget() -> None:
    """Choose nothing any more."""
    st.session_state.pop(PICKER, None)
    _draw_anew()


def _how(dataset: Dataset, marked: int, mark: Callable[[int], None]) -> tuple[int, bool]:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.session_state["like-number"] = marked
        st.number_input(
            "Marked image",
            0,
            len(dataset) - 1,
            key="like-number",
            width=130,
            on_change=lambda: mark(int(st.session_state["like-number"])),
        )
        st.session_state["like-distance"] = int(state.get("like-distance", _USUAL))
        distance = st.slider(
            "May differ by",
            0,
            FARTHEST,
            key="like-distance",
            format="%d bits",
            width=215,
            help="The perceptual hash has 64 bits: 0 is the same picture, different cells come as close as 6.",
            on_change=lambda: _keep("like-distance"),
        )
        st.session_state["like-turned"] = bool(state.get("like-turned", False))
        turns = st.toggle(
            "Also flipped or turned",
            key="like-turned",
            on_change=lambda: _keep("like-turned"),
        )
    return int(distance), bool(turns)


def _matches(
    dataset: Dataset,
    judged: Judged,
    marked: int,
    found: NDArray[np.int64],
    bits: NDArray[np.uint8],
) -> None:
    if len(found) == 1:
        st.html('<p class="quiet">No other image looks like this one: let more bits differ.</p>')
        return
    gone = int((~judged.included[found]).sum())
    st.html(
        f'<div class="section"><h2>{count(len(found), "image")}</h2><span>the most alike first'
        + (f"; {gone:,} excluded already" if gone else "")
        + "</span></div>"
        + pictures.labels(dataset, judged, found)
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(f"Choose all {len(found):,}", key="like-all", on_click=_pick, args=(found.tolist(),))
        st.button("Choose none", key="like-none", type="tertiary", on_click=_pick, args=([],))
    acts = st.container(key="like-acts")
    pages = -(-len(found) // _A_PAGE)
    page = st.pagination(pages, key=f"like-page-{marked}-{pages}") if pages > 1 else 1
    here = slice((page - 1) * _A_PAGE, page * _A_PAGE)
    tiles = [
        closer.tile(dataset, judged, index, f"{apart} bit{'' if apart == 1 else 's'}")
        for index, apart in zip(found[here].tolist(), bits[here].tolist(), strict=True)
    ]
    version = f"{marked}-{page}-{len(found)}-{judged.seq}-{st.session_state.get(_ROUND, 0)}"
    chosen = np.array(picker(tiles, key=PICKER, version=version), np.int64)
    chosen = chosen[np.isin(chosen, found)]
    with acts:
        decided = closer.act_on(dataset, chosen, f"Looks like image {marked}", key="like")
    if decided:
        forget()
        st.rerun()


def _pick(indices: list[int]) -> None:
    st.session_state[PICKER] = {"picked": indices}
    _draw_anew()


def _draw_anew() -> None:
    st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1


def _keep(name: str) -> None:
    state.put(name, st.session_state[name])


@lru_cache(maxsize=64)
def _marks(name: str, identity: str, index: int) -> NDArray[np.uint64]:
    """The hashes (8,) of a picture, as it is first, then flipped and turned."""
    del identity  # part of the key only
    return turned_hashes(open_dataset(name).images[index : index + 1])[0]
