"""The scan: all detectors over a dataset, streaming over its images in blocks."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.data.phash import turned_hashes
from bloodapp.review import copies, quality, unusual
from bloodapp.review.deep import deepened, enough
from bloodapp.review.features import feature_run
from bloodapp.review.findings import combined, load_findings, write_findings
from bloodapp.review.measures import Measures, joined, measure, thumbnails
from bloodapp.review.reading import Found, Progress, Reading, in_threads
from bloodapp.review.thresholds import above, thresholds

BLOCK = 64  # images at once: 1.8 MB at 96 pixels, which stays in the processor's cache

DETECTED = (
    "exact_duplicate",
    "near_duplicate",
    "label_conflict",
    "leakage",
    "outlier",
    "blend",
    "blurred",
    "dark",
    "bright",
    "low_information",
    "colour_cast",
    "grey",
    "odd_size",
)
"""The kinds that every scan looks for, in the order of the vocabulary."""

DEEP = ("foreign", "mislabelled")
"""The kinds that only a deep scan looks for; it also sees blends, blur and exposure better."""


def scan(
    dataset: Dataset,
    progress: Progress | None = None,
    stopped: Callable[[], bool] | None = None,
    *,
    deep: bool = False,
    run: str | None = None,
    turned: bool = False,
) -> pd.DataFrame:
    """Run all detectors over a dataset and keep their findings in its folder.

    Judges the images and their GIVEN labels, whatever was decided since: a decision is about a finding, and the
    finding stays. Nothing is found about copies that the app made of others, which know their parent.

    Args:
        dataset: whose images are looked at.
        progress: called as `progress(done, total, text)` now and then.
        stopped: asked now and then.
        deep: look with a network too, which imports TensorFlow.
        run: whose network, for a deep scan; by default the starter's.
        turned: find near copies that were mirrored or turned by quarters as well.

    Returns all findings down to `thresholds.FLOOR`, most urgent first. Raises Stopped, having written nothing,
    and NotFound or Unreadable for a run that has no model to look with.
    """
    reading = Reading(dataset, progress or _silent, stopped or _never, passes=2 if deep else 1)
    looked_with = feature_run(run) if deep else None
    found = _fast(reading, turned)
    if looked_with is not None and not enough(found):
        looked_with = None  # nothing is usual among a few pictures
    if looked_with is not None:
        found = deepened(reading, looked_with, found)
    reading.end("Putting the findings in order")
    # What was done to a copy on purpose is no fault of it.
    table = combined([one[dataset.parents[one["index"]] < 0] for one in found.tables])
    reading.check()
    about = {"deep": looked_with.name if looked_with else "", "turned": turned}
    write_findings(dataset.path, table, fingerprint=dataset.fingerprint, **about)
    read = read_findings(dataset)
    return table if read is None else read


def read_findings(dataset: Dataset) -> pd.DataFrame | None:
    """The findings of the last scan, most urgent first; None when these images were never scanned.

    The table's `attrs` hold `scanned`, the time of the scan, `deep`, the run that it looked with or an empty
    string, and `turned`. Raises Unreadable for a damaged file.
    """
    return load_findings(dataset.path, fingerprint=dataset.fingerprint)


def current_findings(dataset: Dataset) -> pd.DataFrame | None:
    """The findings of the last scan that reach their thresholds, as `read_findings` gives them."""
    found = read_findings(dataset)
    return None if found is None else above(found, thresholds(dataset))


def work(params: dict[str, Any], context: Any) -> dict[str, Any]:
    """The job of kind `scan`: `params` is {"dataset": name} and optionally deep, run, turned.

    Returns the number of findings that reach their thresholds, by kind.
    """
    dataset = open_dataset(params["dataset"])
    options = {name: params[name] for name in ("deep", "run", "turned") if params.get(name)}
    table = above(scan(dataset, context.progress, context.stopped, **options), thresholds(dataset))
    return {
        "findings": len(table),
        "kinds": {str(kind): int(n) for kind, n in table["kind"].value_counts().items()},
    }


def _fast(reading: Reading, turned: bool) -> Found:
    dataset, items = reading.dataset, reading.dataset.items
    # Copies that were drawn on purpose go with the image that they were made from and stand for nothing themselves.
    every = np.arange(len(dataset))
    original = dataset.parents < 0
    picture = copies.pictures(items["sha256"].to_numpy(object))[dataset.families]
    own = np.where(original, picture, every)
    exact = copies.exact_duplicate(own)
    if not len(dataset):
        return Found([exact], picture)
    measures, small, hashes = _measured(reading, turned)
    reading.tell(len(dataset), "Comparing look-alikes")
    if not turned:
        hashes = items["phash"].to_numpy(np.uint64)
    group, alike = copies.near_copies(hashes, picture, small)
    near = copies.near_duplicate(np.where(original, group, every), alike, own)
    group = np.where(alike >= copies.NEAR_LIKENESS, group, picture)
    several = np.where(original & (np.bincount(group[original], minlength=len(group))[group] > 1), group, -1)
    titles = [one.title for one in dataset.classes]
    distinct = picture == every
    reading.check()
    return Found(
        [
            exact,
            near,
            copies.label_conflict(several, picture, dataset.labels, titles),
            copies.leakage(several, dataset.parts),
            unusual.outlier(small, distinct),
            quality.seamed(measures),
            quality.blurred(measures, distinct),
            quality.dark(measures, distinct),
            quality.bright(measures, distinct),
            quality.low_information(measures, distinct),
            quality.colour_cast(measures, distinct),
            quality.grey(measures, distinct),
            quality.odd_size(items["width"].to_numpy(), items["height"].to_numpy()),
        ],
        group,
    )


def _measured(reading: Reading, turned: bool) -> tuple[Measures, NDArray[np.uint8], NDArray[np.uint64]]:
    """Measures, thumbnails and, where they are asked for, the hashes in all positions, of all images."""
    measures, small, hashes = [], [], [np.zeros((0, 8), np.uint64)]
    done = 0

    def look(images: NDArray[np.uint8]) -> tuple[Measures, NDArray[np.uint8], NDArray[np.uint64] | None]:
        shrunk = thumbnails(images)
        return measure(images, shrunk), shrunk, turned_hashes(images) if turned else None

    for one, shrunk, turns in in_threads(look, (images for _, images in reading.dataset.blocks(BLOCK))):
        reading.check()
        reading.tell(done, "Measuring light, sharpness and detail")
        done += len(shrunk)
        measures.append(one)
        small.append(shrunk)
        if turns is not None:
            hashes.append(turns)
    return joined(measures), np.concatenate(small), np.concatenate(hashes)


def _silent(done: int, total: int, text: str) -> None:
    del done, total, text


def _never() -> bool:
    return False
