"""The stretch of a long order of images that the browser holds, so that the next image is there before it is needed.

An order is cut into blocks of STEP images, each with all its pictures in one. The browser holds two of them and asks
for another stretch when it comes into the second, or for a certain image, or for the next one that is open.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bloodapp.data.dataset import Dataset
from bloodapp.ui import media, state
from bloodapp.ui.review.labelling.component import said

STEP = 24
_COLUMNS = 6
_EXACT = 160  # pixels of a side up to which pictures go without loss
_QUALITY = 95

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Window:
    """What the browser holds.

    Attributes:
        start: the place of its first image, a multiple of STEP.
        end: the place behind its last.
        total: how many images there are in the order.
        guest: an image outside the order that was asked for, -1 for none.
        goto: `n`, the number of the wish that it answers; `i`, the image to show, -1 where none is open; `exact`,
            whether that one was asked for.
    """

    start: int
    end: int
    total: int
    guest: int
    goto: dict[str, Any]

    def images(self, order: Ints) -> list[tuple[int, float, int, int]]:
        """(image, place in the order, block, place in its block) of all that the browser holds."""
        held = [
            (int(image), float(self.start + k), k // STEP, k % STEP)
            for k, image in enumerate(order[self.start : self.end])
        ]
        return [(self.guest, -0.5, 2, 0), *held] if self.guest >= 0 else held


def look(key: str, token: str, order: Ints, done: Flags, aside: Flags) -> Window:
    """The window of the component `key` over an order (M,), after what the browser wished last.

    `done` and `aside` (M,) say which images need nothing any more, and which come when no others are left. What was
    wished under another token was of another order and does not count.
    """
    kept: dict[str, Any] = state.get(f"{key}-window") or {}
    if kept.get("token") != token:
        first = _next(order, done, aside, -1, ())
        image = int(order[first]) if first >= 0 else -1
        kept = {"token": token, "n": 0, "start": _block(first), "guest": -1, "goto": {"n": 0, "i": image}}
    wish = said(key, "at")
    if isinstance(wish, dict) and wish.get("token") == token and wish.get("n") != kept["n"]:
        kept = _granted(kept, wish, order, done, aside)
    state.put(f"{key}-window", kept)
    start = min(kept["start"], _block(len(order) - 1))
    return Window(start, min(start + 2 * STEP, len(order)), len(order), kept["guest"], kept["goto"])


def blocks(dataset: Dataset, window: Window, order: Ints, place: str) -> list[dict[str, Any]]:
    """The pictures of each block: an address, and how many columns and rows of images there are."""
    cuts = [order[window.start + k * STEP : min(window.start + (k + 1) * STEP, window.end)] for k in (0, 1)]
    cuts.append(np.array([window.guest] if window.guest >= 0 else [], np.int64))
    told = []
    for number, images in enumerate(cuts):
        if not len(images):
            told.append({"src": "", "columns": 1, "rows": 1})
            continue
        columns = min(_COLUMNS, len(images))
        content, mime = _pictures(dataset, dataset.fingerprint, tuple(images.tolist()))
        told.append(
            {
                "src": media.url(content, mime, f"{place}-{number}"),
                "columns": columns,
                "rows": -(-len(images) // columns),
            }
        )
    return told


def _granted(
    kept: dict[str, Any], wish: dict[str, Any], order: Ints, done: Flags, aside: Flags
) -> dict[str, Any]:
    now = {**kept, "n": wish.get("n")}
    if "near" in wish:
        return {**now, "start": _block(_whole(wish["near"]))}
    exact = "after" not in wish
    guest = -1
    if "image" in wish:
        found = np.flatnonzero(order == _whole(wish["image"]))
        place = int(found[0]) if len(found) else -1
        guest = -1 if len(found) else _whole(wish["image"])
    elif "to" in wish:
        place = min(max(_whole(wish["to"]), 0), len(order) - 1)
    else:
        passed = wish.get("passed") or ()
        place = _next(order, done, aside, _whole(wish["after"]), passed)
    image = guest if guest >= 0 else int(order[place]) if place >= 0 else -1
    start = _block(place) if place >= 0 else kept["start"]
    return {**now, "start": start, "guest": guest, "goto": {"n": wish.get("n"), "i": image, "exact": exact}}


def _next(order: Ints, done: Flags, aside: Flags, after: int, passed: Sequence[int]) -> int:
    """The place of the next image that is open, from the beginning again behind the last; -1 where none is.

    What was passed over or put aside comes when nothing else is left.
    """
    places = np.arange(len(order))
    later = aside | np.isin(order, np.asarray(list(passed), np.int64))
    for wanted in (~done & ~later, ~done):
        for stretch in (places > after, places <= after):
            found = np.flatnonzero(wanted & stretch)
            if len(found):
                return int(found[0])
    return -1


def _block(place: int) -> int:
    return max(place, 0) // STEP * STEP


def _whole(value: Any) -> int:
    return int(np.floor(float(value)))


@lru_cache(maxsize=12)
def _pictures(dataset: Dataset, fingerprint: str, indices: tuple[int, ...]) -> tuple[bytes, str]:
    """All these images as one picture, and its type."""
    del fingerprint  # part of the key only: a name can be imported anew
    columns = min(_COLUMNS, len(indices))
    rows, side = -(-len(indices) // columns), dataset.size
    canvas = np.zeros((rows * side, columns * side, 3), np.uint8)
    # Read, not mapped: the pages of a mapped file would stay in the server's memory.
    for place, picture in enumerate(dataset.read(np.array(indices))):
        top, left = side * (place // columns), side * (place % columns)
        canvas[top : top + side, left : left + side] = picture
    buffer = io.BytesIO()
    if side <= _EXACT:
        Image.fromarray(canvas).save(buffer, "PNG", compress_level=1)
        return buffer.getvalue(), "image/png"
    Image.fromarray(canvas).save(buffer, "JPEG", quality=_QUALITY, subsampling=0)
    return buffer.getvalue(), "image/jpeg"
