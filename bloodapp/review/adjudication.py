"""What readers disagree about, settled by a decision that says what each of them said."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bloodapp.classes import CellClass
from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import Judged, judge, log, record
from bloodapp.data.readings import CANNOT_TELL, Sample, answers
from bloodapp.errors import InvalidValue, NotFound

LABEL = "the label"
"""Stands for a reader: the labels as they were when the sample was drawn."""


@dataclass(frozen=True)
class Disagreement:
    """One image that two readers name differently.

    Attributes:
        index: the image.
        first: what the first said, a label or CANNOT_TELL.
        second: what the second said.
        why: the reason that a decision about it is kept with, by which it counts as settled.
        settled: the label that was decided, -1 where nothing was, or that was undone.
        who: who decided, empty where nobody did.
    """

    index: int
    first: int
    second: int
    why: str
    settled: int
    who: str

    @property
    def open(self) -> bool:
        """Whether it still waits for a decision."""
        return self.settled < 0


def said(dataset: Dataset, sample: Sample, reader: str) -> NDArray[np.int16]:
    """What a reader, or with LABEL the label at the time, says of a sample's images, (n,); raises NotFound."""
    if reader == LABEL:
        return sample.labels
    found = answers(dataset, sample)
    if reader not in found:
        raise NotFound("reader", reader, found)
    return found[reader]


def disagreements(dataset: Dataset, sample: Sample, second: str, first: str = LABEL) -> list[Disagreement]:
    """The images that both have read and name differently, in the sample's order, settled ones too.

    That one of them cannot tell what the other names is a disagreement as well. It is settled while a decision that
    was made here about these two answers holds: undone, it is open again. Raises NotFound.
    """
    one, two = said(dataset, sample, first), said(dataset, sample, second)
    differ = np.flatnonzero((one != two) & (one >= CANNOT_TELL) & (two >= CANNOT_TELL))
    settled = _settled(dataset)
    labels = judge(dataset).labels
    found = []
    for place in differ:
        index, a, b = int(sample.index[place]), int(one[place]), int(two[place])
        why = reason(dataset.classes, (first, a), (second, b))
        who = settled.get((index, why))
        found.append(Disagreement(index, a, b, why, -1 if who is None else int(labels[index]), who or ""))
    return found


def settle(
    dataset: Dataset, one: Disagreement, label: int, *, who: str | None = None, once: str | None = None
) -> int:
    """Decide what an image shows that readers disagree about, and give the number of the batch.

    It becomes a relabel, or where the label stays a keep. Raises InvalidValue for a label that does not exist.
    """
    judged = judge(dataset)
    if not 0 <= label < len(dataset.classes):
        raise InvalidValue(f"Label {label} is out of range: choose 0 to {len(dataset.classes) - 1}.")
    if _stays(judged, one.index, label):
        return record(dataset, [one.index], "keep", why=one.why, who=who, once=once)
    return record(dataset, [one.index], "relabel", label=label, why=one.why, who=who, once=once)


def reason(classes: Sequence[CellClass], first: tuple[str, int], second: tuple[str, int]) -> str:
    """`adjudicated: the label said Monocyte, Ben said Lymphocyte`."""
    told = [
        f"{who} said {classes[label].title if label >= 0 else 'cannot tell'}"
        for who, label in (first, second)
    ]
    return f"adjudicated: {', '.join(told)}"


def _stays(judged: Judged, index: int, label: int) -> bool:
    # To keep an image takes it in again: one that was left out since stays so, and only its label is settled.
    return bool(judged.labels[index] == label and judged.included[index])


def _settled(dataset: Dataset) -> dict[tuple[int, str], str]:
    """Who decided about an image for a reason, of the decisions that hold."""
    events = log(dataset)
    held = events[~events["cancelled"] & events["action"].isin(["keep", "relabel"])]
    return {
        (int(index), why): who for index, why, who in held[["index", "why", "who"]].itertuples(index=False)
    }
