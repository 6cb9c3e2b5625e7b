"""The images that wait for a label, one at a time, the least certain first."""

from functools import lru_cache, partial
from typing import Any

import streamlit as st

from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.data.decisions import Judged, judge
from bloodapp.review import labelling
from bloodapp.review.labelling import LabelQueue
from bloodapp.review.proposals import Proposals
from bloodapp.runs.run import Run
from bloodapp.ui import frame, state
from bloodapp.ui.review import acts, answers, predicted, reading
from bloodapp.ui.review.gallery.look import look
from bloodapp.ui.review.labelling import beside, windows
from bloodapp.ui.review.labelling.component import one_at_a_time, said
from bloodapp.ui.standing import identity
from bloodapp.ui.standing import judged as judged_now
from bloodapp.ui.text import count

_LOOK = "label-look"
_THEN = "label-then"


def key(dataset: Dataset) -> str:
    """The key of the component."""
    return f"label-{dataset.fingerprint[:8]}"


@st.fragment
def draw(dataset: Dataset) -> None:
    """Draw the queue and what stands beside it."""
    own = key(dataset)

    def write() -> None:
        answers.perform(dataset, own, said(own, "acts") or [])

    write()
    judged = judged_now(dataset)
    acts.saw(dataset, judged.seq)
    run = beside.proposing(dataset)
    says = predicted.proposals(dataset, run)
    progress = labelling.progress(dataset, judged)
    if not progress.here and not progress.left:
        _nothing(progress.given)
        return
    order = _order(dataset, judged, run, says)
    left, right = frame.columns("label", [7, 3])
    with left:
        sent = one_at_a_time(
            _data(dataset, judged, run, says, order, progress),
            key=own,
            on_acts=write,
            on_look=partial(_remember, own),
        )
    with right:
        beside.draw(dataset, judged, run, says, progress)
    # A browser that comes back to a server that was started anew says it only now.
    if answers.perform(dataset, own, sent.get("acts") or []):
        st.rerun()


def _data(
    dataset: Dataset,
    judged: Judged,
    run: Run | None,
    says: Proposals | None,
    order: tuple[str, LabelQueue],
    progress: labelling.Progress,
) -> dict[str, Any]:
    token, queue = order
    done = ~judged.included[queue.index] | (judged.labels[queue.index] >= 0)
    window = windows.look(key(dataset), token, queue.index, done, judged.flagged[queue.index])
    return {
        "mode": "queue",
        "blank": -1,
        "place": f"{dataset.fingerprint[:16]}.label",
        "token": token,
        "classes": classes(dataset),
        "items": [
            {
                "i": image,
                "pos": pos,
                "block": block,
                "cell": cell,
                "label": int(judged.labels[image]),
                "included": bool(judged.included[image]),
                "flagged": bool(judged.flagged[image]),
                "done": bool(not judged.included[image] or judged.labels[image] >= 0),
                **_said_of(says, image),
            }
            for image, pos, block, cell in window.images(queue.index)
        ],
        "blocks": windows.blocks(dataset, window, queue.index, key(dataset)),
        "window": {"start": window.start, "end": window.end, "step": windows.STEP, "total": window.total},
        "goto": window.goto,
        "all": progress.here + progress.left,
        "left": progress.left,
        "run": run.title if run and says is not None else "",
        "reasons": list(acts.FLAG_REASONS),
        "finished": (
            "Every image has a label",
            "A second reader can now read some of them blindly, which tells how sure the labels are.",
        ),
        "look": _looked(dataset, judged, says),
        **answers.answered(key(dataset)),
    }


def classes(dataset: Dataset) -> list[dict[str, str]]:
    """The classes as the browser is told of them."""
    return [{"title": one.title, "colour": one.colour, "shortcut": one.shortcut} for one in dataset.classes]


def _said_of(says: Proposals | None, image: int) -> dict[str, Any]:
    row = -1 if says is None else int(says.rows([image])[0])
    if says is None or row < 0:
        return {"proposal": -1, "probs": None, "rest": 0.0, "learned": False}
    shares = says.probabilities[row]
    return {
        "proposal": int(shares.argmax()),
        "probs": [round(float(share), 4) for share in shares],
        "rest": round(max(1 - float(shares.sum()), 0.0), 4),
        "learned": bool(says.learned[row]),
    }


def _order(
    dataset: Dataset, judged: Judged, run: Run | None, says: Proposals | None
) -> tuple[str, LabelQueue]:
    """The order, and what names it: that of the moment when one began, or had another run propose.

    So nothing moves under somebody's hands. When it is worked off, what has come to be open since makes a new one.
    """
    about = f"{identity(dataset)} {run.name if run and says is not None else ''} {'' if says is None else says.when}"
    kept: dict[str, Any] = state.get(_THEN) or {}
    if kept.get("about") != about:
        kept = {"about": about, "seq": judged.seq}
    queue = _queue(dataset.name, identity(dataset), int(kept["seq"]), says)
    is_open = judged.included[queue.index] & (judged.labels[queue.index] < 0)
    if not is_open.any() and len(labelling.unlabelled(dataset, judged)):
        kept = {"about": about, "seq": judged.seq}
        queue = _queue(dataset.name, identity(dataset), judged.seq, says)
    state.put(_THEN, kept)
    return f"{about} {kept['seq']}", queue


@lru_cache(maxsize=4)
def _queue(name: str, identity: str, seq: int, says: Proposals | None) -> LabelQueue:
    del identity  # part of the key only
    dataset = open_dataset(name)
    return labelling.queue(dataset, judge(dataset, upto=seq), says)


def _remember(own: str) -> None:
    wish = said(own, "look")
    state.put(_LOOK, wish.get("index") if isinstance(wish, dict) else None)


def _looked(dataset: Dataset, judged: Judged, says: Proposals | None) -> dict[str, Any] | None:
    """The enlarged image beside those most like it that have a label."""
    index = state.get(_LOOK)
    if not isinstance(index, int) or not 0 <= index < len(dataset):
        return None
    labelled = judged.included & (judged.labels >= 0)
    told = look(dataset, judged, reading.counting(dataset), says, index, among=labelled)
    if not told["near"]:
        told["near_by"] = "No image has a label yet: the ones most like it will stand here"
    else:
        told["near_by"] = told["near_by"].replace("Most like it", "Most like it of those with a label")
    return told


def _nothing(given: int) -> None:
    with st.container(border=True, key="label-nothing"):
        st.html(
            '<div class="empty"><h2>Every image came with a label</h2>'
            f"<p>All {count(given, 'image')} have one, so nothing waits here. A second reader can read a sample of "
            "them blindly, which tells how sure the labels are.</p>"
            "<p>Pictures without labels come in by the import form, with a tick at <i>Images without labels too</i>, "
            "or with <code>python -m bloodapp import FOLDER --unlabelled</code></p>"
            "</div>"
        )
        st.button(
            "Have a sample read again",
            key="label-nothing-reader",
            type="primary",
            on_click=state.put,
            args=("l_part", "reader"),
        )
