"""The map as a component: points that are drawn around, pointed at and opened."""

import base64
import binascii
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from bloodapp.ui import media
from bloodapp.ui.review.map.colouring import Colouring

_FOLDER = Path(__file__).parent
_SCRIPTS = ("points.js", "choose.js", "map.js")
_LEVELS = 65_535
_BYTES = "application/octet-stream"
PALE = 128
"""Set in a point's group where it is drawn pale."""


def points_file(points: NDArray[np.float32], *, equal: bool) -> bytes:
    """Places float32 (N, 2) as the component takes them: uint16, little-endian, x and y of each in turn.

    The plane fills its square; with `equal` both axes keep one scale.
    """
    places = np.asarray(points, np.float64)
    if not len(places):
        return b""
    low, wide = places.min(axis=0), np.ptp(places, axis=0)
    middle = low + wide / 2
    wide = np.full(2, wide.max()) if equal else wide
    share = (places - middle) / np.where(wide > 0, wide, 1) + 0.5
    return np.rint(np.clip(share, 0, 1) * _LEVELS).astype("<u2").tobytes()


def groups_file(colouring: Colouring, pale: NDArray[np.bool_] | None = None) -> bytes:
    """The groups of N images as the component takes them: one byte each; `pale` (N,) are drawn faintly."""
    ids = colouring.ids if pale is None else colouring.ids | np.where(pale, PALE, 0).astype(np.uint8)
    return ids.astype(np.uint8).tobytes()


def packed(indices: NDArray[np.integer], number: int) -> str:
    """Some of N images as the component reports them: base64 of one bit an image, the lowest bit first."""
    marks = np.zeros(number, bool)
    marks[indices] = True
    return base64.b64encode(np.packbits(marks, bitorder="little").tobytes()).decode("ascii")


def unpacked(bits: str, number: int) -> NDArray[np.int64]:
    """The images, ascending, that `packed` names; what does not fit N images is none."""
    try:
        content = np.frombuffer(base64.b64decode(bits, validate=True), np.uint8)
    except (binascii.Error, ValueError):
        return np.zeros(0, np.int64)
    found = np.flatnonzero(np.unpackbits(content, bitorder="little"))
    return found.astype(np.int64) if not len(found) or found[-1] < number else np.zeros(0, np.int64)


def show(
    key: str,
    *,
    points: bytes,
    colouring: Colouring,
    groups: bytes,
    by: str,
    equal: bool,
    label: str,
    place: str,
    asof: int,
    chosen: str,
    fresh: int,
    picture: Mapping[str, Any] | None,
    on_choose: Callable[[str], None],
    on_open: Callable[[int], None],
) -> None:
    """Draw the map.

    Args:
        key: of the component.
        points: as `points_file` gives them.
        colouring: names the groups.
        groups: as `groups_file` gives them.
        by: names the colouring; what is hidden is remembered for each.
        equal: whether both axes keep one scale.
        label: says the whole map in words.
        place: names the dataset: of another one nothing is chosen, hidden or known.
        asof: the last decision that is known: what was shown of an image before a later one is asked for again.
        chosen: as `packed` gives it; looked at only when the map is drawn for the first time, or `fresh` changes.
        fresh: another number than before takes what was chosen back to `chosen`.
        picture: what was asked for by pointing at an image (`hovered`): index, src, colour, lines, out.
        on_choose: called with what was chosen, as `packed` gives it, possibly nothing.
        on_open: called with the image that was opened.
    """

    def chose() -> None:
        told = _state(key).get("chosen")
        if isinstance(told, dict):
            on_choose(str(told.get("bits") or ""))

    def opened() -> None:
        told = _state(key).get("opened")
        if told is not None:
            on_open(int(told))

    looks = [
        {"key": one.key, "title": one.title, "colour": one.colour, "shape": one.shape, "count": int(number)}
        for one, number in zip(colouring.groups, colouring.counts, strict=True)
    ]
    data = {
        "points": media.url(points, _BYTES, f"{key}.points"),
        "groups": media.url(groups, _BYTES, f"{key}.groups"),
        "looks": looks,
        "by": by,
        "equal": equal,
        "label": label,
        "place": place,
        "asof": asof,
        "chosen": media.url(base64.b64decode(chosen), _BYTES, f"{key}.chosen") if chosen else "",
        "round": fresh,
        "picture": dict(picture) if picture else None,
    }
    _component()(
        key=key, data=data, on_chosen_change=chose, on_opened_change=opened, on_hover_change=lambda: None
    )


def hovered(key: str) -> int | None:
    """The image that the pointer rests on, or that the keys have walked to; None at the start."""
    told = _state(key).get("hover")
    return int(told) if isinstance(told, int | float) else None


def _state(key: str) -> Mapping[str, Any]:
    return st.session_state.get(key) or {}


@cache
def _component() -> Any:
    def text(name: str) -> str:
        return (_FOLDER / name).read_text(encoding="utf-8")

    return st.components.v2.component(
        "bloodapp_map",
        html=text("map.html"),
        css=text("map.css"),
        js="\n".join(text(name) for name in _SCRIPTS),
    )
