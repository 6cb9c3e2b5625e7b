"""The gallery view: filters, a page of pictures, and what is decided about them."""

from functools import lru_cache
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from bloodapp.data import sets
from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.data.decisions import Judged, judge
from bloodapp.review.browse import Browse, matching
from bloodapp.review.proposals import Proposals
from bloodapp.ui import state
from bloodapp.ui.review import acts, answers, predicted, reading
from bloodapp.ui.review.gallery import filters, items, model
from bloodapp.ui.review.gallery.component import gallery
from bloodapp.ui.review.gallery.look import look
from bloodapp.ui.standing import identity
from bloodapp.ui.standing import judged as judged_now
from bloodapp.ui.text import count

KEY = "gallery"
NAMES = filters.NAMES
show_set = filters.show_set
_LOOK = "gallery-look"


@st.fragment
def draw(dataset: Dataset) -> None:
    """Draw the view; before the first scan the images are there all the same."""
    found = reading.found(dataset)
    run = predicted.run_of(dataset, filters.run())
    said_of_all = predicted.proposals(dataset, run)
    says = predicted.by_image(dataset, said_of_all)

    def resolve(also: dict[str, Any]) -> NDArray[np.int64]:
        wanted = Browse.of(dict(also["filter"]))
        then = _judged_then(dataset.name, identity(dataset), int(also["asof"]))
        images = matching(wanted, dataset, then, found, says, _among(dataset, wanted))
        return np.setdiff1d(images, np.asarray(also.get("minus") or [], np.int64))

    def write() -> None:
        answers.perform(dataset, KEY, _said("acts") or [], resolve)

    write()
    judged = judged_now(dataset)
    acts.saw(dataset, judged.seq)
    wanted = filters.current()
    with st.container(horizontal=True, gap="small", key="gallery-filters"):
        filters.draw(dataset, wanted, list(found.kinds), predicted=says is not None)
        model.draw(dataset, run, said_of_all)
    then = _judged_then(dataset.name, identity(dataset), filters.at(dataset))
    among = _among(dataset, wanted)
    if wanted.among and among is None:
        st.html('<p class="quiet">The set of images in this link is gone: choose it on the map again.</p>')
    indices = matching(wanted, dataset, then, found, says, among)
    _anew(dataset, matching(wanted, dataset, judged, found, says, among), indices)
    pages = max(-(-len(indices) // items.A_PAGE), 1)
    number = min(filters.page(), pages)
    here = indices[(number - 1) * items.A_PAGE : number * items.A_PAGE]
    following = indices[number * items.A_PAGE : (number + 1) * items.A_PAGE]
    if not len(indices):
        st.html(
            '<div class="empty"><h2>No image matches</h2><p>Choose other filters, or show all. What is selected or '
            "decided stays so.</p></div>"
        )
    token = f"{dataset.fingerprint[:12]} {wanted} {then.seq}"
    said = gallery(
        {
            "place": dataset.fingerprint[:16],
            "classes": [
                {"title": one.title, "colour": one.colour, "shortcut": one.shortcut}
                for one in dataset.classes
            ],
            "token": token,
            "page": f"{token} {number}",
            "filter": wanted.__dict__,
            "asof": then.seq,
            "items": items.items(dataset, judged, found, says, here),
            "sprite": items.sprite(dataset, here, "gallery-here"),
            "next": items.sprite(dataset, following, "gallery-next"),
            **items.shape(len(here)),
            "number": number,
            "pages": pages,
            "size": items.A_PAGE,
            "total": len(indices),
            "reasons": list(acts.FLAG_REASONS),
            "history": items.history(dataset),
            "look": _looked(dataset, judged, said_of_all),
            **answers.answered(KEY),
        },
        key=KEY,
        on_acts=write,
        on_page=_turn,
        on_look=_remember_look,
    )
    # A browser that comes back to a server that was started anew says it only now.
    if answers.perform(dataset, KEY, said.get("acts") or [], resolve):
        st.rerun()


def _said(what: str) -> Any:
    return (st.session_state.get(KEY) or {}).get(what)


def _turn() -> None:
    wish = _said("page")
    if isinstance(wish, dict) and isinstance(wish.get("to"), int):
        filters.turn(wish["to"])


def _remember_look() -> None:
    wish = _said("look")
    state.put(_LOOK, wish.get("index") if isinstance(wish, dict) else None)


def _looked(dataset: Dataset, judged: Judged, says: Proposals | None) -> dict[str, Any] | None:
    index = state.get(_LOOK)
    if not isinstance(index, int) or not 0 <= index < len(dataset):
        return None
    return look(dataset, judged, reading.counting(dataset), says, index)


def _anew(dataset: Dataset, now: NDArray[np.int64], shown: NDArray[np.int64]) -> None:
    """Say how many no longer belong here, and offer to look anew."""
    gone = len(np.setdiff1d(shown, now, assume_unique=True))
    come = len(np.setdiff1d(now, shown, assume_unique=True))
    if not gone and not come:
        return
    words = (
        [f"{count(gone, 'image')} here {'does' if gone == 1 else 'do'} not match any more"] if gone else []
    )
    words += [f"{come:,} more {'does' if come == 1 else 'do'}"] if come else []
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="gallery-anew"):
        st.html(f'<p class="quiet">Since you decided, {" and ".join(words)}. The page stays as it is.</p>')
        st.button("Look anew", key="gallery-again", type="tertiary", on_click=_look_anew, args=(dataset,))


def _look_anew(dataset: Dataset) -> None:
    filters.look_anew(dataset)
    filters.turn(1)


def _among(dataset: Dataset, wanted: Browse) -> NDArray[np.int64] | None:
    return sets.read(dataset, wanted.among) if wanted.among else None


@lru_cache(maxsize=4)
def _judged_then(name: str, identity: str, seq: int) -> Judged:
    """What was decided when the filters last looked."""
    del identity  # part of the key only
    return judge(open_dataset(name), upto=seq)
