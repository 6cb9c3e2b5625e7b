"""A second reader: a sample is drawn and read image by image, without a label, a proposal or a file's name in sight."""

from typing import Any

import numpy as np
import streamlit as st

from bloodapp.data import decisions, readings
from bloodapp.data.dataset import Dataset
from bloodapp.data.readings import UNREAD, How, Sample
from bloodapp.errors import BloodappError, InvalidValue
from bloodapp.ui import frame, state
from bloodapp.ui.review import acts, answers
from bloodapp.ui.review.labelling import windows
from bloodapp.ui.review.labelling.component import one_at_a_time, said
from bloodapp.ui.review.labelling.queue import classes
from bloodapp.ui.standing import judged as judged_now
from bloodapp.ui.text import count

SAMPLE = "l_sample"
"""Which sample is read or compared, in the address."""
NAMES = (SAMPLE,)

_USUAL = 100
_HOWS: dict[How, str] = {"simple": "Any images", "balanced": "As many of each class"}


def key(dataset: Dataset) -> str:
    """The key of the component."""
    return f"label-read-{dataset.fingerprint[:8]}"


def draw(dataset: Dataset) -> None:
    """Draw the part."""
    drawn = readings.samples(dataset)
    if not drawn:
        _first(dataset)
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="label-reader-head"):
        sample = choose_sample(dataset, drawn)
        _who()
        # Another key once one was drawn: so the form closes.
        with st.popover("Draw another sample", type="tertiary", key=f"label-draw-{len(drawn)}"):
            _form(dataset)
    _read(dataset, sample)


def choose_sample(dataset: Dataset, drawn: list[Sample]) -> Sample:
    """Draw the box that a sample is chosen in, the newest first, and give the chosen one."""
    by_name = {one.name: one for one in drawn}
    chosen = str(state.get(SAMPLE) or "")
    chosen = chosen if chosen in by_name else drawn[0].name
    state.show("label-sample", chosen)
    st.selectbox(
        "Sample",
        list(by_name),
        key="label-sample",
        format_func=lambda name: f"{name}: {count(len(by_name[name]), 'image')}" if name in by_name else name,
        width=220,
        on_change=lambda: state.put(SAMPLE, st.session_state["label-sample"]),
    )
    return by_name[chosen]


def _who() -> None:
    state.show("label-who", state.get("who") or "")
    st.text_input(
        "Who reads",
        key="label-who",
        placeholder=decisions.user() or "A name",
        width=220,
        on_change=lambda: state.put("who", str(st.session_state["label-who"]).strip()),
    )


def _first(dataset: Dataset) -> None:
    with st.container(border=True, key="label-first-sample"):
        st.html(
            '<div class="empty"><h2>Have some images read once more</h2><p>A reader names the images of a random '
            "sample without seeing their labels. How far that agrees with the labels, or with another reader, "
            "tells how sure they are; no label changes by it.</p></div>"
        )
        _form(dataset, with_name=True)


@st.fragment
def _form(dataset: Dataset, *, with_name: bool = False) -> None:
    judged = judged_now(dataset)
    most = int((dataset.parents[judged.indices] < 0).sum())
    if not most:
        st.html('<p class="quiet">No image has a label yet: label some first.</p>')
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        if with_name:
            _who()
        number = st.number_input(
            "How many images", 1, most, min(_USUAL, most), key="label-draw-size", width=150
        )
        how = st.segmented_control(
            "Which",
            list(_HOWS),
            default="simple",
            required=True,
            key="label-draw-how",
            format_func=_HOWS.__getitem__,
        )
    if how == "balanced":
        st.html(
            '<p class="quiet">Rare classes are judged too, but the agreement is then not that of the whole dataset.</p>'
        )
    if not st.button("Draw the sample", type="primary", key="label-draw"):
        return
    seed = int(np.random.SeedSequence().generate_state(1)[0])
    try:
        sample = readings.draw(dataset, int(number), how=how, seed=seed, who=acts.who())
    except BloodappError as problem:
        acts.wrong(problem)
    else:
        state.put(SAMPLE, sample.name)
    st.rerun()


@st.fragment
def _read(dataset: Dataset, sample: Sample) -> None:
    own = key(dataset)

    def write(act: dict[str, Any], once: str) -> int:
        return _write(dataset, act, once)

    def write_all() -> None:
        answers.perform_with(own, said(own, "acts") or [], write)

    write_all()
    try:
        reader = readings.checked_reader(acts.who())
    except InvalidValue:
        frame.empty("Who reads?", "Give a name above: what is read is kept under it.")
        return
    all_said = readings.answers(dataset, sample)
    answer = all_said.get(reader, np.full(len(sample), UNREAD, np.int16))
    done = answer != UNREAD
    token = f"{dataset.fingerprint[:16]} {sample.name} {reader}"
    window = windows.look(own, token, sample.index, done, np.zeros(len(sample), bool))
    place_of = {int(image): at for at, image in enumerate(sample.index)}
    data = {
        "mode": "blind",
        "blank": UNREAD,
        "place": f"{dataset.fingerprint[:16]}.read.{sample.name}.{reader}",
        "also": {"sample": sample.name, "reader": reader},
        "token": token,
        "classes": classes(dataset),
        # Nothing here tells what anybody else has said of an image, nor what it is called.
        "items": [
            {
                "i": image,
                "pos": pos,
                "block": block,
                "cell": cell,
                "label": int(answer[place_of[image]]),
                "included": True,
                "flagged": False,
                "done": bool(done[place_of[image]]),
            }
            for image, pos, block, cell in window.images(sample.index)
        ],
        "blocks": windows.blocks(dataset, window, sample.index, own),
        "window": {"start": window.start, "end": window.end, "step": windows.STEP, "total": window.total},
        "goto": window.goto,
        "all": len(sample),
        "left": int((~done).sum()),
        "run": "",
        "reasons": [],
        "finished": (
            f"{reader} has read all {count(len(sample), 'image')}",
            "How far that agrees with the labels, or with another reader, stands under Agreement.",
        ),
        "look": None,
        **answers.answered(own),
    }
    st.html(
        '<p class="quiet">Blind: no label, no proposal and no name of a file is shown. Stop whenever you like, and go '
        "on later.</p>"
    )
    sent = one_at_a_time(data, key=own, on_acts=write_all)
    if answers.perform_with(own, sent.get("acts") or [], write):
        st.rerun()


def _write(dataset: Dataset, act: dict[str, Any], once: str) -> int:
    """Write a reading down, or take one back; an act says itself whose it is and of which sample."""
    reader = str(act["reader"])
    if act["does"] == "undo":
        seq = readings.seq_of(dataset, str(act["act"]))
        if seq is None:
            raise InvalidValue("What was to be taken back was never written down, so nothing had to be.")
        return readings.take_back(dataset, seq, reader=reader, once=once)
    (image,) = act["on"]
    return readings.record_reading(
        dataset, str(act["sample"]), int(image), int(act["label"]), reader=reader, once=once
    )
