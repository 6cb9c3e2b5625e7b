"""The scan: all detectors over a dataset, streaming over its images in blocks."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.errors import Stopped
from bloodapp.review import detectors
from bloodapp.review.findings import combined, load_findings, write_findings
from bloodapp.review.measures import Floats, Measures, joined, likeness, measure
from bloodapp.review.thresholds import above, thresholds

BLOCK = 64  # images at once: 1.8 MB at 96 pixels, which stays in the processor's cache

DETECTED = (
    "exact_duplicate",
    "near_duplicate",
    "label_conflict",
    "dark",
    "bright",
    "blurred",
    "low_information",
)
"""The kinds that a scan looks for, in the order of the vocabulary."""

Progress = Callable[[int, int, str], None]


def scan(
    dataset: Dataset, progress: Progress | None = None, stopped: Callable[[], bool] | None = None
) -> pd.DataFrame:
    """Run all detectors over a dataset and keep their findings in its folder.

    Judges the images and their GIVEN labels, whatever was decided since: a decision is about a finding, and the
    finding stays. Returns the findings, most urgent first. Raises Stopped, having written nothing.
    """
    table = combined(_detect(dataset, progress or _silent, stopped or _never))
    _check(stopped or _never)
    write_findings(dataset.path, table, fingerprint=dataset.fingerprint)
    found = read_findings(dataset)
    return table if found is None else found


def read_findings(dataset: Dataset) -> pd.DataFrame | None:
    """The findings of the last scan, most urgent first; None when these images were never scanned.

    The table's `attrs` hold `scanned`, the time of the scan. Raises Unreadable for a damaged file.
    """
    return load_findings(dataset.path, fingerprint=dataset.fingerprint)


def current_findings(dataset: Dataset) -> pd.DataFrame | None:
    """The findings of the last scan that reach their thresholds, as `read_findings` gives them."""
    found = read_findings(dataset)
    return None if found is None else above(found, thresholds(dataset))


def work(params: dict[str, Any], context: Any) -> dict[str, Any]:
    """The job of kind `scan`: `params` is {"dataset": name}. Returns the number of findings by kind."""
    table = scan(open_dataset(params["dataset"]), context.progress, context.stopped)
    return {
        "findings": len(table),
        "kinds": {str(kind): int(n) for kind, n in table["kind"].value_counts().items()},
    }


def _detect(dataset: Dataset, progress: Progress, stopped: Callable[[], bool]) -> list[pd.DataFrame]:
    items, labels = dataset.items, dataset.labels
    titles = [one.title for one in dataset.classes]
    if not len(dataset):
        return []
    picture = detectors.pictures(items["sha256"].to_numpy(object))
    exact = detectors.exact_duplicate(picture)

    pairs = detectors.candidates(items["phash"].to_numpy(np.uint64), picture)
    involved = np.unique(np.concatenate(pairs))
    total = len(dataset) + len(involved)
    thumbnails = _thumbnails(dataset, involved, total, progress, stopped)
    near = detectors.near_duplicate(pairs, detectors.alike(pairs, involved, thumbnails), picture)

    group = np.full(len(dataset), -1, np.int64)
    for table in (exact, near):  # near after exact: its groups contain the exact ones
        group[table["index"]] = table["group"]
    conflict = detectors.label_conflict(group, picture, labels, titles)

    measures = _measures(dataset, len(involved), total, progress, stopped)
    distinct = picture == np.arange(len(dataset))
    quality = (detectors.dark, detectors.bright, detectors.blurred, detectors.low_information)
    progress(total, total, "Putting the findings in order")
    return [exact, near, conflict, *(detector(measures, distinct) for detector in quality)]


def _thumbnails(
    dataset: Dataset, chosen: NDArray[np.int64], total: int, progress: Progress, stopped: Callable[[], bool]
) -> Floats:
    blocks = [likeness(dataset.images[:1])[:0]]
    for start in range(0, len(chosen), BLOCK):
        _check(stopped)
        progress(start, total, "Comparing look-alikes")
        blocks.append(likeness(dataset.images[chosen[start : start + BLOCK]]))
    return np.concatenate(blocks)


def _measures(
    dataset: Dataset, done: int, total: int, progress: Progress, stopped: Callable[[], bool]
) -> Measures:
    blocks = []
    for start in range(0, len(dataset), BLOCK):
        _check(stopped)
        progress(done + start, total, "Measuring light, sharpness and detail")
        blocks.append(measure(dataset.images[start : start + BLOCK]))
    return joined(blocks)


def _check(stopped: Callable[[], bool]) -> None:
    if stopped():
        raise Stopped("The scan was stopped: nothing was changed.")


def _silent(done: int, total: int, text: str) -> None:
    del done, total, text


def _never() -> bool:
    return False
