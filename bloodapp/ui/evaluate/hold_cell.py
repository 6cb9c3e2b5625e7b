"""One corruption at one severity: the images that fail, as the run saw them, and training against it."""

from functools import lru_cache
from html import escape

import numpy as np
import streamlit as st

from bloodapp.augment.corruptions import ALL_CORRUPTIONS, corrupt
from bloodapp.augment.pipelines import resolve, text
from bloodapp.augment.remedies import mended, remedy
from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.errors import BloodappError
from bloodapp.evaluate.suite import SEED, Suite
from bloodapp.runs.run import Run
from bloodapp.train.launch import recipe_of
from bloodapp.ui import frame, state, thumbs
from bloodapp.ui.evaluate import images
from bloodapp.ui.evaluate.reading import Reading
from bloodapp.ui.text import count, percent
from bloodapp.ui.train import choice

MOST = 30
_FEW = 4  # of so few, "mostly" says nothing


def draw(reading: Reading, found: Suite, cell: tuple[str, int], which: int | None) -> None:
    """The chosen cell: what it is, how many fail and which, and how to train against it."""
    name, severity = cell
    corruption = ALL_CORRUPTIONS[name]
    answers = found.probabilities(name)[severity - 1]
    named = answers.argmax(1)
    mine = np.ones(len(found.labels), bool) if which is None else found.labels == which
    wrong = mine & (named != found.labels)
    lost = wrong & (reading.result.probabilities.argmax(1) == found.labels)
    frame.section(f"{corruption.title}, severity {severity}", corruption.help)
    whose = "" if which is None else f" {found.classes[which].title}"
    share = f"{percent(wrong.sum() / max(int(mine.sum()), 1))}{_balanced(found, name, severity, which)}"
    st.html(
        f'<p class="said"><b>{count(int(wrong.sum()), "image")}</b> of {int(mine.sum()):,}{escape(whose)} named wrong, '
        f"{share}; {int(lost.sum()):,} of them right as they are{_mostly(found, named[wrong])}.</p>"
    )
    _again(reading.run, name, severity)
    if images.not_here(reading):
        return
    if not wrong.any():
        st.html('<p class="quiet">None fails here. Click on a stronger severity.</p>')
        return
    # What the corruption alone broke comes first, the surest of it before the rest.
    order = np.flatnonzero(wrong)
    order = order[np.lexsort((-answers[order].max(1), ~lost[order]))]
    _sheet(reading, found, order, answers, name, severity)


def _balanced(found: Suite, name: str, severity: int, which: int | None) -> str:
    """The number that stands in the cell, where it is not the share of the images."""
    if which is not None:
        return ""
    share = float(found.balanced_error[found.corruptions.index(name), severity - 1])
    return f" ({percent(share)} with each class counting the same)"


def _mostly(found: Suite, named: np.ndarray) -> str:
    """What the failing images are mostly taken for, where it is mostly one class."""
    if len(named) < _FEW:
        return ""
    times = np.bincount(named, minlength=len(found.classes))
    top = int(times.argmax())
    if 2 * times[top] < len(named):
        return ""
    return f"; {int(times[top]):,} taken for {escape(found.classes[top].title)}"


def _again(run: Run, name: str, severity: int) -> None:
    """The way to a training with this corruption in the pipeline."""
    try:
        before = recipe_of(run).pipeline
        added = remedy(name, severity, run.size)
        after = mended(before, name, severity, run.size)
    except BloodappError:
        return  # a run that was put together from others has no pipeline of its own
    if after == text(resolve(before)):
        st.html(f'<p class="quiet">Its pipeline has <code>{escape(added)}</code> already.</p>')
        return
    if st.button(
        "Train again with this corruption in the pipeline",
        type="primary",
        key="hold-again",
        icon=":material/replay:",
    ):
        choice.duplicate(run)
        state.put(choice.AUGMENT, after)
        st.switch_page("pages/3_Train.py", query_params={**state.address(), "train": "new"})
    itself = (
        " It is the corruption itself: its row will flatter the new run, the others will not."
        if "corrupt(" in added
        else ""
    )
    st.html(
        f'<p class="quiet">Opens Train with this run’s recipe and <code>{escape(added)}</code> after its pipeline.'
        f"{itself}</p>"
    )


def _sheet(
    reading: Reading, found: Suite, order: np.ndarray, answers: np.ndarray, name: str, severity: int
) -> None:
    dataset = reading.dataset
    assert dataset is not None
    shown = order[:MOST]
    rows, named, sure = found.index[shown], answers[shown].argmax(1), answers[shown].max(1)
    titles = [one.title for one in found.classes]
    thumbs.grid(
        [_picture(dataset.name, dataset.fingerprint, int(row), name, severity) for row in rows],
        [
            f"{100 * share:.0f} %\n{images.answer(found.classes, int(label), int(place))}"
            for share, label, place in zip(sure, found.labels[shown], named, strict=True)
        ],
        colours=[found.classes[place].colour for place in named],
        hints=[
            f"image {row}: labelled {titles[label]}, taken for {titles[place]} with {percent(float(share))}"
            for row, label, place, share in zip(rows, found.labels[shown], named, sure, strict=True)
        ],
        width=84,
    )
    rest = f" The first {len(shown)} of {len(order):,}." if len(order) > len(shown) else ""
    st.html(
        '<p class="quiet">As the run saw them: how sure it was, the label, and after the arrow what it was taken for. '
        f"Those that it names right as they are come first.{rest}</p>"
    )


@lru_cache(maxsize=2048)
def _picture(name: str, fingerprint: str, row: int, corruption: str, severity: int) -> bytes:
    del fingerprint  # part of the key only: a name can be imported anew
    dataset: Dataset = open_dataset(name)
    image = np.asarray(dataset.images[row])[None]
    return thumbs.jpeg(corrupt(image, corruption, severity, SEED, keys=np.array([row]))[0])
