"""A group side by side: the one to keep at the left, another beside it, what differs, and what one key does."""

import io
import sys
from base64 import b64encode
from functools import lru_cache
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from bloodapp.data import decisions
from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.data.decisions import Judged
from bloodapp.review.differences import Difference, difference, outlines
from bloodapp.review.groups import Alike, alike
from bloodapp.review.queue import Card
from bloodapp.ui import state
from bloodapp.ui.beside import beside
from bloodapp.ui.review import acts, keeping, pictures
from bloodapp.ui.standing import identity
from bloodapp.ui.standing import judged as judged_now
from bloodapp.ui.text import count
from bloodapp.ui.thumbs import exact_uri

KEY = "group-beside"
A_PAGE = 12
MOST = 16
"""How many times a difference is amplified at most."""

_KEPT = "group_kept"
_LAST = "group_last"
_SAID = "group_said"
_PARTS = {"train": "training", "val": "validation", "test": "test"}
# From hardly to wholly different, over a grey picture: lightness rises and hue turns, so that it reads without colours.
_RAMP = np.array([(122, 4, 120), (222, 28, 84), (252, 120, 32), (255, 214, 64), (255, 255, 224)], float)


def forget() -> None:
    """Compare from the beginning, with the image that the rule of the page keeps."""
    st.session_state.pop(KEY, None)
    for name in (_KEPT, _LAST, _SAID):
        state.put(name, None)


def draw(dataset: Dataset, card: Card) -> None:
    """Draw a group side by side; decisions are recorded at once and stand in the ledger when the dialog closes."""
    judged = judged_now(dataset)
    kept = _kept(dataset, judged, card)
    groups = _alike(dataset.name, identity(dataset), kept, tuple(card.indices.tolist()))
    pages = max(-(-len(groups) // A_PAGE), 1)
    page = min(max(int((st.session_state.get(KEY) or {}).get("page") or 1), 1), pages)
    here = groups[(page - 1) * A_PAGE : page * A_PAGE]
    shown = np.array([kept, *(one.first for one in here)], np.int64)
    sharp = dict(zip(shown.tolist(), keeping.sharpness_of(dataset, shown).tolist(), strict=True))
    mine = _facts(dataset, judged, np.array([kept]), sharp)
    rest = len(card.indices) - 1
    beside(
        {
            "version": f"{card.key}-{kept}-{page}",
            "kept": _tile(dataset, judged, np.array([kept])) | {"src": _exact(dataset, kept)},
            "others": [_other(dataset, judged, kept, one, mine, sharp) for one in here],
            "page": page,
            "pages": pages,
            "before": (page - 1) * A_PAGE,
            "total": len(groups),
            "folded": _folded(groups, kept),
            "classes": [
                {"title": one.title, "key": one.shortcut or "", "colour": one.colour}
                for one in dataset.classes
            ],
            "whole": f"Keep image {kept:,}, exclude {rest:,}",
            "advised": keeping.kept_of(dataset, judged, card) == kept,
            "undo": state.get(_LAST) is not None,
            "said": str(state.get(_SAID) or ""),
        },
        key=KEY,
        on_act=lambda act: _act(dataset, card, act),
    )


def _act(dataset: Dataset, card: Card, act: dict[str, Any]) -> None:
    """Do what was pressed."""
    action = str(act.get("action"))
    if action == "undo":
        if (last := state.get(_LAST)) is not None:
            acts.undo(dataset, int(last))
            state.put(_LAST, None)
            state.put(_SAID, "Undone.")
        return
    judged = judged_now(dataset)
    kept = _kept(dataset, judged, card)
    groups = _alike(dataset.name, identity(dataset), kept, tuple(card.indices.tolist()))
    chosen = next((one for one in groups if one.first == act.get("id")), None)
    if action == "whole":
        because = f"{acts.why(card)}; one is kept"
        _record(dataset, card.indices[card.indices != kept], "exclude", because=because)
    elif chosen is None:
        return
    elif action == "keeper":
        state.put(_KEPT, chosen.first)
        state.put(_SAID, f"The others are compared with image {chosen.first:,} now.")
        st.session_state.pop(KEY, None)
    elif action in ("exclude", "keep", "relabel"):
        label = int(act["label"]) if action == "relabel" else None
        _record(dataset, chosen.indices, action, label=label, because=acts.why(card))


def _record(
    dataset: Dataset, indices: NDArray[np.int64], action: str, *, label: int | None = None, because: str
) -> None:
    before = decisions.last_seq(dataset)
    acts.decide(dataset, indices, action, label=label, because=because)
    mine = decisions.meanwhile(dataset, indices, after=before, batch=sys.maxsize)
    state.put(_LAST, mine[0].batch if mine else None)
    done = acts.sentence(action, len(indices), label, dataset.classes)
    state.put(_SAID, f"{done}." if mine else "Nothing was recorded: close this, and the page says why.")


def _kept(dataset: Dataset, judged: Judged, card: Card) -> int:
    """The image at the left: the chosen one, else the one that the rule keeps, else the first that is left."""
    chosen = state.get(_KEPT)
    if chosen is None or int(chosen) not in card.indices:
        left = card.indices[judged.included[card.indices]]
        advised = keeping.kept_of(dataset, judged, card)
        chosen = int((left if len(left) else card.indices)[0]) if advised is None else advised
        state.put(_KEPT, chosen)  # a decision here does not move it
    return int(chosen)


def _other(
    dataset: Dataset,
    judged: Judged,
    kept: int,
    one: Alike,
    mine: list[tuple[str, str]],
    sharp: dict[int, float],
) -> dict[str, object]:
    own = _facts(dataset, judged, one.indices, sharp)
    rows = [[name, left, right, left != right] for (name, left), (_, right) in zip(mine, own, strict=True)]
    compared = _compared(dataset.name, identity(dataset), kept, one.first)
    return _tile(dataset, judged, one.indices) | compared | {"facts": rows, "src": _exact(dataset, one.first)}


def _tile(dataset: Dataset, judged: Judged, indices: NDArray[np.int64]) -> dict[str, object]:
    first = int(indices[0])
    label = int(judged.labels[first])
    return {
        "id": first,
        "name": f"image {first:,}",
        "number": len(indices),
        "label": dataset.classes[label].title if label >= 0 else "no label",
        "colour": pictures.colour_of(dataset, judged, first),
        "state": _state(judged, indices),
        "out": not bool(judged.included[indices].any()),
    }


def _state(judged: Judged, indices: NDArray[np.int64]) -> str:
    gone = int((~judged.included[indices]).sum())
    if gone:
        return "excluded" if gone == len(indices) else f"{gone:,} of {len(indices):,} excluded"
    if judged.flagged[indices].any():
        return "flagged"
    return "kept" if judged.decided[indices].all() else "not decided"


def _facts(
    dataset: Dataset, judged: Judged, indices: NDArray[np.int64], sharp: dict[int, float]
) -> list[tuple[str, str]]:
    """What the data say of images, by the first of them."""
    first = int(indices[0])
    row = dataset.items.iloc[first]
    given, now = int(dataset.labels[first]), int(judged.labels[first])
    titles = [dataset.classes[label].title if label >= 0 else "no label" for label in (now, given)]
    value = sharp[first]
    return [
        ("Label", titles[0] if given == now else f"{titles[0]}, given as {titles[1]}"),
        ("Part", _PARTS.get(str(row["part"]), "none")),
        ("Source", str(row["name"])),
        ("Original", f"{row['width']} × {row['height']}, {row['mode']}"),
        ("Sharpness", "nothing to be sharp" if np.isnan(value) else f"{value:.2f}"),
        ("Decision", _state(judged, indices)),
    ]


def _folded(groups: list[Alike], kept: int) -> str:
    """How many images are not shown because they are like one that is."""
    more = sum(len(one.indices) - 1 for one in groups)
    same = sum(len(one.indices) for one in groups if one.same)
    if not more:
        return ""
    identical = f"{same:,} are identical to image {kept:,} in every pixel. " if same else ""
    return f"{identical}{count(more, 'image')} stand behind one that has the same pixels, label and part."


@lru_cache(maxsize=32)
def _alike(name: str, identity: str, kept: int, indices: tuple[int, ...]) -> list[Alike]:
    del identity  # part of the key only: a name can be imported anew
    return alike(open_dataset(name), np.array(indices, np.int64), kept)


@lru_cache(maxsize=256)
def _compared(name: str, identity: str, kept: int, other: int) -> dict[str, object]:
    """The comparison of two images as the component takes it; some 60 kB."""
    del identity  # part of the key only
    images = open_dataset(name).images
    found = difference(np.asarray(images[kept]), np.asarray(images[other]))
    times = int(np.clip(255 // max(found.most, 1), 1, MOST))
    return {
        "words": found.words,
        "figures": found.figures,
        "times": times,
        "heat": _heat(found, times) if found.most else "",
        "outline": "".join(f"M{a} {b}L{c} {d}" for a, b, c, d in outlines(found.places)),
        "size": len(found.amount),
        "back": exact_uri(found.back) if found.moved else "",
    }


def _heat(found: Difference, times: int) -> str:
    """The amplified difference as a picture that lies over another, a PNG with 256 colours of rising opacity."""
    level = np.minimum(found.amount.astype(np.uint16) * times, 255).astype(np.uint8)
    along = np.linspace(0, len(_RAMP) - 1, 256)
    colours = np.stack([np.interp(along, range(len(_RAMP)), channel) for channel in _RAMP.T], axis=1)
    picture = Image.fromarray(level, "L").convert("P")
    picture.putdata(level.ravel().tolist())
    picture.putpalette(colours.round().astype(np.uint8).ravel().tolist())
    alpha = np.clip(np.arange(256) * 2, 0, 240).astype(np.uint8)
    alpha[0] = 0
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", transparency=alpha.tobytes())
    return "data:image/png;base64," + b64encode(buffer.getvalue()).decode("ascii")


def _exact(dataset: Dataset, index: int) -> str:
    return _exact_of(dataset.name, identity(dataset), index)


@lru_cache(maxsize=256)
def _exact_of(name: str, identity: str, index: int) -> str:
    del identity  # part of the key only
    return exact_uri(np.asarray(open_dataset(name).images[index]))
