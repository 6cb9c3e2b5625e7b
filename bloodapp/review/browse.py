"""Which images the gallery shows, and in which order: filters and sorting over all images, from arrays.

A filter chooses what is on show and never changes a decision or what is selected. It goes by what was decided up
to a certain event, so that a page does not shift while somebody decides about its images.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import Judged

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

NONE = "none"
"""The class of images without a label; the part of images without one; of images without a finding, their kind."""

STATES = {
    "": "Any state",
    "open": "Undecided",
    "decided": "Decided",
    "included": "Taking part",
    "excluded": "Excluded",
    "relabelled": "Relabelled",
    "flagged": "Flagged",
}
PREDICTIONS = {
    "": "Any prediction",
    "differs": "Unlike the label",
    "agrees": "Like the label",
    "unsure": "Unsure, below 80 %",
}
SORTS = {
    "": "In file order",
    "urgent": "Most urgent first",
    "unsure": "Least sure first",
    "unlike": "Least like its label first",
}
_UNSURE = 0.8


@dataclass(frozen=True)
class Browse:
    """What is to be shown; empty means any.

    Attributes:
        label: the key of a class as it is labelled now, or `none`.
        kind: a kind of finding, or `none`.
        part: `train`, `val`, `test`, or `none`.
        state: one of STATES.
        predicted: one of PREDICTIONS, or the key of the class that is predicted.
        text: what the name of the source contains, whatever the case; or `#` and the number of an image.
        among: the name of a kept set of images, chosen elsewhere.
        sort: one of SORTS.
    """

    label: str = ""
    kind: str = ""
    part: str = ""
    state: str = ""
    predicted: str = ""
    text: str = ""
    among: str = ""
    sort: str = ""

    @property
    def filtered(self) -> bool:
        """Whether anything is left out."""
        return replace(self, sort="") != Browse()

    @classmethod
    def of(cls, values: dict[str, object]) -> "Browse":
        """From a table as it comes from the address or the browser; what is unknown there is passed over."""
        return cls(**{one.name: str(values.get(one.name) or "") for one in fields(cls)})


@dataclass(frozen=True, eq=False)
class Predicted:
    """What a run says of a dataset's images.

    Attributes:
        label: int16 (N,), in the dataset's classes; -1 where it says nothing.
        confidence: float32 (N,), probability of that label; 0 where it says nothing.
        given: float32 (N,), probability of the label that an image carries now; NaN where unknown.
    """

    label: NDArray[np.int16]
    confidence: NDArray[np.float32]
    given: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Found:
    """What the detectors say of a dataset's images, one entry an image.

    Attributes:
        score: float32 (N,), of the worst finding, 0 for none.
        suggested: int16 (N,), the label that an image looks like, -1 for none.
        kinds: for each kind, bool (N,).
    """

    score: NDArray[np.float32]
    suggested: NDArray[np.int16]
    kinds: dict[str, Bools]


def found_of(findings: pd.DataFrame | None, size: int) -> Found:
    """The findings above their thresholds, by image."""
    score, suggested = np.zeros(size, np.float32), np.full(size, -1, np.int16)
    kinds: dict[str, Bools] = {}
    if findings is not None and len(findings):
        index = findings["index"].to_numpy(np.int64)
        np.maximum.at(score, index, findings["score"].to_numpy(np.float32))
        named = findings["suggested"].to_numpy(np.int16)
        suggested[index[named >= 0]] = named[named >= 0]
        kind = findings["kind"].to_numpy(str)
        for one in np.unique(kind).tolist():
            kinds[one] = np.zeros(size, bool)
            kinds[one][index[kind == one]] = True
    return Found(score, suggested, kinds)


def matching(
    wanted: Browse,
    dataset: Dataset,
    judged: Judged,
    found: Found,
    predicted: Predicted | None = None,
    among: Ints | None = None,
) -> Ints:
    """The indices of the images on show, in their order; int64 (M,).

    `among` are the images of the kept set that `wanted.among` names, None where it is gone: then it leaves nothing out.
    """
    keys = [one.key for one in dataset.classes]
    keep = np.ones(len(dataset), bool)
    if wanted.label == NONE:
        keep &= judged.labels < 0
    elif wanted.label in keys:
        keep &= judged.labels == keys.index(wanted.label)
    if wanted.kind == NONE:
        keep &= found.score == 0
    elif wanted.kind:
        keep &= found.kinds.get(wanted.kind, np.zeros(len(dataset), bool))
    if wanted.part:
        keep &= dataset.parts == ("" if wanted.part == NONE else wanted.part)
    if wanted.state in STATES and wanted.state:
        keep &= in_state(wanted.state, dataset, judged)
    if predicted is not None and wanted.predicted:
        keep &= _predicted(wanted.predicted, keys, judged, predicted)
    if wanted.text:
        keep &= _named(wanted.text, dataset)
    if wanted.among and among is not None:
        inside = np.zeros(len(dataset), bool)
        inside[among] = True
        keep &= inside
    indices = np.flatnonzero(keep)
    return indices[_order(wanted.sort, indices, found, predicted)]


def in_state(state: str, dataset: Dataset, judged: Judged) -> Bools:
    """Which images are in one of STATES, bool (N,)."""
    return {
        "open": ~judged.decided & ~judged.flagged,
        "decided": judged.decided,
        "included": judged.included,
        "excluded": ~judged.included,
        "relabelled": judged.labels != dataset.labels,
        "flagged": judged.flagged,
    }[state]


def _predicted(wanted: str, keys: Sequence[str], judged: Judged, predicted: Predicted) -> Bools:
    says = predicted.label >= 0
    if wanted in keys:
        return predicted.label == keys.index(wanted)
    if wanted == "unsure":
        return says & (predicted.confidence < _UNSURE)
    agrees = predicted.label == judged.labels
    return says & (agrees if wanted == "agrees" else ~agrees) if wanted in PREDICTIONS else says


def _named(text: str, dataset: Dataset) -> Bools:
    asked = text.strip()
    if asked.startswith("#") and asked[1:].replace(",", "").isdigit():
        return np.arange(len(dataset)) == int(asked[1:].replace(",", ""))
    names = dataset.items["name"]
    return names.str.contains(asked, case=False, regex=False).to_numpy(bool, na_value=False)


def _order(sort: str, indices: Ints, found: Found, predicted: Predicted | None) -> Ints:
    if sort == "urgent":
        return np.argsort(-found.score[indices], kind="stable")
    if predicted is not None and sort == "unsure":
        said = predicted.label[indices] >= 0
        return np.argsort(np.where(said, predicted.confidence[indices], 2), kind="stable")
    if predicted is not None and sort == "unlike":
        return np.argsort(np.nan_to_num(predicted.given[indices], nan=2), kind="stable")
    return np.arange(len(indices))
