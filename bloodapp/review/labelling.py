"""The queue of images without a label, the least certain first, and how far the labelling is.

Which image teaches a network most is guessed by how unsure it is of it: uncertainty sampling (B. Settles, "Active
Learning Literature Survey", University of Wisconsin 2009, section 3.1). By default the margin between the two
likeliest classes counts (T. Scheffer, C. Decomain, S. Wrobel, "Active Hidden Markov Models for Information
Extraction", IDA 2001): an image that is either this or that is one that a person settles, while the entropy also
calls unsure what is a little like everything.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from bloodapp.data.counts import Interval, wilson
from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.data.decisions import Judged
from bloodapp.data.split import duplicate_groups
from bloodapp.errors import InvalidValue
from bloodapp.review.proposals import Proposals

By = Literal["margin", "entropy", "least_confident"]
MEASURES: tuple[By, ...] = get_args(By)
"""How uncertainty is measured, the default first."""

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LabelQueue:
    """The images that wait for a label, in the order in which they are shown.

    Attributes:
        index: int64 (M,), the images; those that were put aside come last.
        proposal: int16 (M,), the label that the run proposes, -1 where it says nothing.
        confidence: float64 (M,), how sure it is, NaN where it says nothing.
        uncertainty: float64 (M,), in 0 to 1, what the order is by; NaN where the run says nothing.
        flagged: how many of them, at the end, were put aside.
        run: the run that proposes, empty for none; then the order is that of the source.
        by: how uncertainty is measured.
    """

    index: Ints
    proposal: npt.NDArray[np.int16]
    confidence: Floats
    uncertainty: Floats
    flagged: int
    run: str
    by: By

    def __len__(self) -> int:
        return len(self.index)


@dataclass(frozen=True)
class ClassProgress:
    """How many images a class has.

    Attributes:
        label: the class.
        given: included images that came with a label and are of the class now.
        here: included images that came without one and were given this class here.
    """

    label: int
    given: int
    here: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.given + self.here


@dataclass(frozen=True)
class Progress:
    """How far the labelling of a dataset is; only included images count.

    Attributes:
        classes: each class, in the order of the labels.
        given: images that came with a label.
        here: images that were labelled here.
        left: images without a label, those that were put aside too.
        flagged: those of `left` that were put aside.
    """

    classes: tuple[ClassProgress, ...]
    given: int
    here: int
    left: int
    flagged: int

    @property
    def share(self) -> float:
        """How much of what came without a label has one now, 0 to 1; 1 where nothing came without."""
        asked = self.here + self.left
        return self.here / asked if asked else 1.0


@dataclass(frozen=True)
class Taken:
    """How often the person has taken what the run proposes.

    Attributes:
        hits: images that were labelled here as the run proposes.
        count: all images that were labelled here and that the run speaks of without having learned from them.
        share: hits of count with Wilson's interval, NaN of none.
    """

    hits: int
    count: int
    share: Interval


def uncertainty(probabilities: npt.ArrayLike, by: By = "margin") -> Floats:
    """How unsure each answer (M, C) is, float64 (M,), 0 for certain and 1 for wholly open; raises InvalidValue.

    `margin` is 1 less the difference of the two largest probabilities, `entropy` a share of the most there can be,
    `least_confident` 1 less the largest, as a share of the most.
    """
    table = np.asarray(probabilities, np.float64)
    classes = table.shape[1]
    if by not in MEASURES:
        raise InvalidValue(f"Can't find '{by}'. Uncertainty is measured by: {', '.join(MEASURES)}.")
    if classes < 2 or not len(table):
        return np.zeros(len(table))
    if by == "margin":
        ranked = np.sort(table, axis=1)
        return 1 - (ranked[:, -1] - ranked[:, -2])
    if by == "entropy":
        shares = np.clip(table, 1e-12, 1)
        return np.clip(-(shares * np.log(shares)).sum(1) / np.log(classes), 0, 1)
    return np.clip((1 - table.max(1)) / (1 - 1 / classes), 0, 1)


def unlabelled(dataset: Dataset, judged: Judged) -> Ints:
    """The included images without a label, int64 ascending; not the copies that the app made, which follow theirs."""
    return np.flatnonzero(judged.included & (judged.labels < 0) & (dataset.parents < 0))


def queue(dataset: Dataset, judged: Judged, proposals: Proposals | None, *, by: By = "margin") -> LabelQueue:
    """The images that wait for a label, the least certain first; without proposals in the order of the source.

    The order is the proposals' alone: what is labelled leaves it, what is put aside goes to its end, and no other image
    moves. Look-alikes do not come in a row: of each group the least certain image stands in its place, and the others
    come after all the first ones, as one label tells most of what the next would. What the run says nothing of comes
    after what it speaks of.
    """
    everyone = np.arange(len(dataset))
    unsure = np.full(len(dataset), np.nan)
    proposal = np.full(len(dataset), -1, np.int16)
    confidence = np.full(len(dataset), np.nan)
    if proposals is not None:
        unsure[proposals.index] = uncertainty(proposals.probabilities, by)
        proposal[proposals.index] = proposals.labels
        confidence[proposals.index] = proposals.confidence
    # Over all images that came without a label, not only those that still have none: so that nobody's turn changes.
    candidates = everyone[(dataset.labels < 0) & (dataset.parents < 0)]
    order = candidates[np.lexsort((candidates, -np.nan_to_num(unsure[candidates], nan=-1.0)))]
    if proposals is not None:
        turn = _turns(_look_alikes(dataset)[order])
        order = order[np.argsort(turn, kind="stable")]
    order = order[np.isin(order, unlabelled(dataset, judged))]
    aside = judged.flagged[order]
    order = np.concatenate([order[~aside], order[aside]])
    return LabelQueue(
        order,
        proposal[order],
        confidence[order],
        unsure[order],
        int(aside.sum()),
        "" if proposals is None else proposals.run,
        by,
    )


def progress(dataset: Dataset, judged: Judged) -> Progress:
    """How many images each class has, given and labelled here, and how many are left."""
    counted = judged.included & (dataset.parents < 0)
    came = counted & (dataset.labels >= 0) & (judged.labels >= 0)
    here = counted & (dataset.labels < 0) & (judged.labels >= 0)
    left = counted & (judged.labels < 0)
    number = len(dataset.classes)
    given_of = np.bincount(judged.labels[came], minlength=number)
    here_of = np.bincount(judged.labels[here], minlength=number)
    classes = tuple(
        ClassProgress(label, int(given_of[label]), int(here_of[label])) for label in range(number)
    )
    return Progress(
        classes, int(came.sum()), int(here.sum()), int(left.sum()), int((left & judged.flagged).sum())
    )


def taken(dataset: Dataset, judged: Judged, proposals: Proposals) -> Taken:
    """How often the labels given here are those that the run proposes, so far.

    It is no measure of the run: the least certain come first, and who sees a proposal leans to it. Images that the run
    has learned from, as after a training on these labels, do not count.
    """
    rows = proposals.index
    asked = (
        (dataset.labels[rows] < 0) & (judged.labels[rows] >= 0) & judged.included[rows] & ~proposals.learned
    )
    hits = int((proposals.labels[asked] == judged.labels[rows][asked]).sum())
    count = int(asked.sum())
    return Taken(hits, count, Interval(*wilson(hits, count)))


def _turns(groups: Ints) -> Ints:
    """For each of these groups, in their order, how often it has come before, int64 (M,)."""
    order = np.argsort(groups, kind="stable")
    starts = np.r_[True, np.diff(groups[order]) != 0] if len(groups) else np.zeros(0, bool)
    first = np.maximum.accumulate(np.where(starts, np.arange(len(groups)), 0))
    turns = np.empty(len(groups), np.int64)
    turns[order] = np.arange(len(groups)) - first
    return turns


def _look_alikes(dataset: Dataset) -> Ints:
    return _groups(dataset.path, dataset.fingerprint)


@lru_cache(maxsize=4)
def _groups(folder: Path, fingerprint: str) -> Ints:
    del fingerprint  # part of the key only
    return duplicate_groups(open_dataset(folder.name))
