"""Whose predictions the views of Review show, and what they are."""

from functools import lru_cache

import numpy as np

from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.errors import BloodappError
from bloodapp.review.browse import Predicted
from bloodapp.review.proposals import Proposals, find, proposers
from bloodapp.runs.run import Run, open_run
from bloodapp.ui.standing import identity, judged


def run_of(dataset: Dataset, name: str | None = None) -> Run | None:
    """The run of that name, else the first that has something to say, else the first that could; None for none."""
    if name:
        try:
            return open_run(name)
        except BloodappError:
            pass
    able = proposers(dataset)
    return next(
        (run for run in able if (said := find(dataset, run)) is not None and said.whole), None
    ) or next(iter(able), None)


def proposals(dataset: Dataset, run: Run | None) -> Proposals | None:
    """What a run says of the images; None where nothing is known."""
    return None if run is None else find(dataset, run)


def by_image(dataset: Dataset, said: Proposals | None) -> Predicted | None:
    """The same for every image of the dataset."""
    if said is None or not len(said):
        return None
    return _by_image(said, dataset.name, identity(dataset), judged(dataset).seq)


@lru_cache(maxsize=4)
def _by_image(said: Proposals, name: str, identity: str, seq: int) -> Predicted:
    del identity, seq  # parts of the key only
    dataset = open_dataset(name)
    now = judged(dataset)
    label = np.full(len(dataset), -1, np.int16)
    confidence = np.zeros(len(dataset), np.float32)
    given = np.full(len(dataset), np.nan, np.float32)
    label[said.index], confidence[said.index] = said.labels, said.confidence
    carried = now.labels[said.index]
    has = carried >= 0
    given[said.index[has]] = said.probabilities[has, carried[has]]
    return Predicted(label, confidence, given)
