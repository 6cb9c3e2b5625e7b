"""The features of a run as the page needs them: there, being computed, or one click away."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import streamlit as st

from bloodapp.classify import features
from bloodapp.classify.features import Features
from bloodapp.errors import BloodappError
from bloodapp.evaluate.neighbours import Nearest, nearest, unit
from bloodapp.jobs.job import ACTIVE
from bloodapp.runs.run import Run
from bloodapp.ui import background
from bloodapp.ui.evaluate.reading import Reading
from bloodapp.ui.text import plain

Ints = npt.NDArray[np.int64]


def there_or_offered(reading: Reading, run: Run, why: str, *, primary: bool = True) -> Features | None:
    """A run's features; where there are none a way to compute them is drawn, and nothing given.

    `why` says what they are for, as a sentence; `primary` whether computing them is what the page is about.
    """
    found = features.read(run)
    if found is not None:
        return found
    job = features.job_of(run)
    if job is not None and job.state() != "done":
        background.watch(job, key="evaluate-features")
        if job.state() in ACTIVE:
            return None
    if reading.dataset is None:
        st.html(
            f'<p class="quiet">{why} For that the images are needed: import the same file as '
            f"'{run.dataset}'.</p>"
        )
    elif not run.model_path.exists():
        st.html(f'<p class="quiet">{why} This run has no model to ask.</p>')
    elif job is None or job.state() == "done":
        with st.container(key="empty-features", border=True):
            st.html(
                f'<div class="empty"><h2>Not computed yet</h2><p>{why} It runs in the background: about a minute for '
                "12,000 images and a small network, more for a large one.</p></div>"
            )
            st.button(
                "Compute features",
                key="evaluate-features-start",
                type="primary" if primary else "secondary",
                icon=":material/scatter_plot:",
                on_click=_start,
                args=(run,),
            )
    return None


def training_rows(found: Features) -> Ints:
    """Which of the features are of cells that the run learned from."""
    return _training(found)


def around(found: Features, queries: npt.ArrayLike, itself: Ints | None = None) -> Nearest:
    """The nearest training cells of queries (Q, D); `itself` are their rows in the features, -1 for none.

    Its rows are rows of the features.
    """
    rows = _training(found)
    own = None
    if itself is not None:
        at = np.searchsorted(rows, itself)
        hit = (at < len(rows)) & (rows[np.minimum(at, len(rows) - 1)] == itself)
        own = np.where(hit, at, -1)
    nearby = nearest(queries, _units(found), itself=own)
    return Nearest(rows[nearby.rows], nearby.distance)


@lru_cache(maxsize=4)
def of_part(found: Features, part: str) -> tuple[Ints, Nearest]:
    """The rows of a part, and the nearest training cells of each."""
    rows = np.flatnonzero(found.part == part)
    return rows, around(found, found.values[rows])


@lru_cache(maxsize=4)
def _training(found: Features) -> Ints:
    return np.flatnonzero(found.part == "train")


@lru_cache(maxsize=2)
def _units(found: Features) -> npt.NDArray[np.float32]:
    return unit(found.values[_training(found)])


def _start(run: Run) -> None:
    try:
        features.compute(run)
        background.runner().wake()
    except BloodappError as error:
        st.toast(plain(str(error)), icon=":material/error:")
