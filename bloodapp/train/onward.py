"""Training again on what is labelled so far, from the weights of the run that proposed the labels.

So labelling and training take turns: the next run is sure of more, and what it is unsure of is asked next.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from bloodapp.classes import CellClass
from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import Judged
from bloodapp.runs.run import Run
from bloodapp.train import launch, start
from bloodapp.train.recipe import Recipe

FEWEST = 10
"""Labelled images that a class needs: one or two of them choose the epoch, the others teach."""

EPOCHS, MINUTES, RATE = 20, 5.0, 1e-3
"""Enough to move a trained network to new labels, and at a rate that does not shake off what it knows."""

VAL_SHARE = 0.2


@dataclass(frozen=True)
class Ready:
    """Whether enough is labelled to train on.

    Attributes:
        enough: every class has FEWEST images.
        possible: at least two classes have; the others would hardly be learned.
        counts: labelled and included images of each class, in the order of the labels.
        missing: what is missing, one sentence; empty if `enough`.
    """

    enough: bool
    possible: bool
    counts: tuple[int, ...]
    missing: str


def ready(dataset: Dataset, judged: Judged, fewest: int = FEWEST) -> Ready:
    """Whether what is labelled so far will do for a training, and what is missing."""
    usable = judged.included & (judged.labels >= 0) & (dataset.parents < 0)
    counts = np.bincount(judged.labels[usable], minlength=len(dataset.classes))
    short = np.flatnonzero(counts < fewest)
    return Ready(
        not len(short),
        len(counts) - len(short) >= 2,
        tuple(counts.tolist()),
        _missing(dataset.classes, counts.tolist(), fewest),
    )


def recipe(run: Run) -> Recipe:
    """The recipe that goes on from a run: its own, but short, gentle, and from its weights.

    A fifth chooses the epoch, as a tenth of few images would be none, and no test part is read: each turn would read
    it again. Raises InvalidValue for a run that is several networks.
    """
    own = launch.recipe_of(run)
    made = replace(
        own,
        weights=f"run:{run.name}",
        phases="full",
        epochs=EPOCHS,
        minutes=0.0 if own.deterministic else MINUTES,
        learning_rate=min(own.learning_rate, RATE),
        small_share=0.0,
        val_share=VAL_SHARE,
        test_share=0.0,
        test_noise=0.0,
        folds=0,
        images=0,
    )
    start.check(made)
    return made


def onward(dataset: Dataset, run: Run, *, title: str = "") -> Run:
    """Queue a training on what is labelled so far that starts from `run`, and give the new run.

    Raises InvalidValue where too little is labelled, or the run is none to start from.
    """
    return launch.start(dataset, recipe(run), title=title or f"{run.title}, on the labels of {dataset.name}")


def _missing(classes: Sequence[CellClass], counts: Sequence[int], fewest: int) -> str:
    lacking = [
        f"{fewest - count} more of {one.title}"
        for one, count in zip(classes, counts, strict=True)
        if count < fewest
    ]
    if not lacking:
        return ""
    listed = f"{', '.join(lacking[:-1])} and {lacking[-1]}" if len(lacking) > 1 else lacking[0]
    return f"Label {listed}: a training needs {fewest} images of each class."
