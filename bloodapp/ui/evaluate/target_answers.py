"""What a run says of a drop: classes beside the training's, how sure it is, and the images by the class named."""

from functools import lru_cache
from html import escape

import numpy as np
import streamlit as st

from bloodapp.charts.style import CONFIG
from bloodapp.charts.target import confidence_chart, shares_chart
from bloodapp.evaluate import target, target_words
from bloodapp.evaluate.target import Target
from bloodapp.jobs.job import Job
from bloodapp.ui import frame, thumbs
from bloodapp.ui.evaluate.reading import Reading
from bloodapp.ui.text import percent

_OF_A_CLASS = 24


def draw(reading: Reading, job: Job, found: Target) -> None:
    """Draw the answers as a whole, and image by image."""
    answers, classes = found.content["answers"], reading.run.classes
    confidence = answers["confidence"]
    own = confidence["own_median"]
    beside = f"; of unseen images of its own {percent(own)}" if own is not None else ""
    words = [
        f"The run is <b>{percent(confidence['median'])}</b> sure of these images, in the median{beside}."
    ]
    st.html(f'<p class="lead">{" ".join(words)}</p>')
    if target_words.few(found.content):
        st.html(f'<p class="note">{escape(target_words.TOO_FEW)}</p>')
        frame.section("Images by the class that it names", "the least sure first")
        _by_class(reading, job, found)
        return
    if expected := target_words.accuracy_to_expect(found.content):
        st.html(f'<p class="quiet">{escape(expected)} (Average thresholded confidence.)</p>')
    left, right = frame.columns("target-answers", [1, 1])
    rows = answers["predicted"]
    with left:
        frame.section("Classes that it names", "beside their share among the training images")
        figure = shares_chart(
            [[row["share"], row["low"], row["high"]] for row in rows],
            [np.nan if row["training"] is None else row["training"] for row in rows],
            classes,
        )
        st.plotly_chart(
            figure,
            key="target-shares",
            config=CONFIG,
            alt="Share of each class among the answers and in training",
        )
    with right:
        frame.section("How sure it is", "probability of the class named")
        st.plotly_chart(
            confidence_chart(confidence["shares"], confidence.get("own_shares")),
            key="target-confidence",
            config=CONFIG,
            alt="How sure the run is of your images and of its own unseen images",
        )
    frame.section("Images by the class that it names", "the least sure first")
    _by_class(reading, job, found)


def _by_class(reading: Reading, job: Job, found: Target) -> None:
    probabilities = found.arrays["probabilities"]
    best, sure = probabilities.argmax(1), probabilities.max(1)
    rows = []
    for place, each in enumerate(reading.run.classes):
        mine = np.flatnonzero(best == place)
        if not len(mine):
            continue
        shown = mine[np.argsort(sure[mine], kind="stable")][:_OF_A_CLASS]
        strip = thumbs.sheet(
            [picture(job, int(row)) for row in shown],
            [f"{100 * sure[row]:.0f} %" for row in shown],
            hints=[f"{found.arrays['names'][row]}: {percent(float(sure[row]))} sure" for row in shown],
            width=62,
            one_row=True,
        )
        rows.append(
            f'<div class="named"><div>{thumbs.class_chip(each)}<span>{len(mine):,}</span></div>{strip}</div>'
        )
    st.html(f'<div class="byclass">{"".join(rows)}</div>')


def picture(job: Job, row: int) -> bytes:
    """JPEG of an image of a drop; cached."""
    return _picture(str(job.folder), (job.folder / target.IMAGES).stat().st_mtime_ns, row)


@lru_cache(maxsize=4096)
def _picture(folder: str, stamp: int, row: int) -> bytes:
    return thumbs.jpeg(_images(folder, stamp)[row])


@lru_cache(maxsize=4)
def _images(folder: str, stamp: int) -> np.ndarray:
    del stamp  # part of the key only
    images: np.ndarray = np.load(f"{folder}/{target.IMAGES}", mmap_mode="r", allow_pickle=False)
    return images
