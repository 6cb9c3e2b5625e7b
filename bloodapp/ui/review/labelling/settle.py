"""What two readers disagree about, one image at a time, until somebody has decided what each shows."""

from typing import Any
from zlib import crc32

import numpy as np
import streamlit as st

from bloodapp.data.dataset import Dataset
from bloodapp.data.readings import Sample
from bloodapp.errors import InvalidValue
from bloodapp.review import adjudication
from bloodapp.review.adjudication import LABEL, disagreements
from bloodapp.ui import frame
from bloodapp.ui.review import acts, answers, reading
from bloodapp.ui.review.gallery.look import look
from bloodapp.ui.review.labelling import windows
from bloodapp.ui.review.labelling.component import one_at_a_time, said
from bloodapp.ui.review.labelling.queue import classes
from bloodapp.ui.standing import judged as judged_now
from bloodapp.ui.text import count


def key(dataset: Dataset) -> str:
    """The key of the component."""
    return f"label-settle-{dataset.fingerprint[:8]}"


@st.fragment
def draw(dataset: Dataset, sample: Sample, first: str, second: str) -> None:
    """Draw the images that these two name differently."""
    own = key(dataset)

    def write(act: dict[str, Any], once: str) -> int:
        return _write(dataset, sample, act, once)

    def write_all() -> None:
        answers.perform_with(own, said(own, "acts") or [], write)

    write_all()
    found = disagreements(dataset, sample, second, first)
    left = sum(one.open for one in found)
    frame.section(
        "Settle what they disagree about", f"{len(found) - left} of {len(found)} settled" if found else ""
    )
    if not found:
        st.html('<p class="quiet">They name every image alike that both have read.</p>')
        return
    judged = judged_now(dataset)
    acts.saw(dataset, judged.seq)
    order = np.array([one.index for one in found], np.int64)
    done = np.array([not one.open for one in found])
    by_image = {one.index: one for one in found}
    also = {"sample": sample.name, "first": first, "second": second}
    token = f"{dataset.fingerprint[:16]} {sample.name} {first} {second} {crc32(order.tobytes())}"
    window = windows.look(own, token, order, done, np.zeros(len(order), bool))
    names = ["label then" if who == LABEL else who for who in (first, second)]
    wish = said(own, "look")
    index = wish.get("index") if isinstance(wish, dict) else None
    data = {
        "mode": "settle",
        "blank": -1,
        "place": f"{dataset.fingerprint[:16]}.settle.{sample.name}.{first}.{second}",
        "also": also,
        "token": token,
        "classes": classes(dataset),
        "names": names,
        "items": [
            {
                "i": image,
                "pos": pos,
                "block": block,
                "cell": cell,
                "label": int(judged.labels[image]),
                "included": True,
                "flagged": False,
                "done": image in by_image and not by_image[image].open,
                "said": [by_image[image].first, by_image[image].second] if image in by_image else [],
            }
            for image, pos, block, cell in window.images(order)
        ],
        "blocks": windows.blocks(dataset, window, order, own),
        "window": {"start": window.start, "end": window.end, "step": windows.STEP, "total": window.total},
        "goto": window.goto,
        "all": len(found),
        "left": left,
        "run": "",
        "reasons": [],
        "finished": (
            f"All {count(len(found), 'disagreement')} are settled"
            if len(found) > 1
            else "The one disagreement is settled",
            "What was decided stands in the ledger, with what each of the two had said.",
        ),
        "look": look(
            dataset,
            judged,
            reading.counting(dataset),
            None,
            index,
            among=judged.included & (judged.labels >= 0),
        )
        if isinstance(index, int) and 0 <= index < len(dataset)
        else None,
        **answers.answered(own),
    }
    sent = one_at_a_time(data, key=own, on_acts=write_all)
    if answers.perform_with(own, sent.get("acts") or [], write):
        st.rerun()


def _write(dataset: Dataset, sample: Sample, act: dict[str, Any], once: str) -> int:
    """Settle a disagreement, or take that back; an act says itself which two it was between."""
    if act["does"] == "undo":
        return answers.decide(dataset, act, once)
    (image,) = act["on"]
    if act["sample"] == sample.name:
        for one in disagreements(dataset, sample, str(act["second"]), str(act["first"])):
            if one.index == int(image):
                return adjudication.settle(dataset, one, int(act["label"]), who=acts.who(), once=once)
    raise InvalidValue("These two no longer disagree about this image: nothing was decided.")
