"""Everything that a drop of unlabelled images tells, beside the images that a run learned from."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from bloodapp.augment import stain
from bloodapp.errors import InvalidValue, Stopped
from bloodapp.evaluate import (
    target_answers,
    target_cover,
    target_distance,
    target_rank,
    target_source,
    target_tried,
    target_words,
)
from bloodapp.evaluate.target_cover import Draws
from bloodapp.evaluate.target_distance import Gap
from bloodapp.evaluate.target_measures import FEATURES, MEASURES, centred, mean_hue, measure, relit
from bloodapp.evaluate.target_source import Progress, Side
from bloodapp.runs.origin import dataset_of
from bloodapp.runs.run import Run
from bloodapp.workspace import finite

_BLOCK = 128
_STAINED = 256  # images of a side that the colour of the dyes is estimated from
_SEED = 0

Pixels = npt.NDArray[np.uint8]
Table = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]
Stopping = Callable[[], bool]


class Sees(Protocol):
    """What is asked about images: a `Predictor`, or anything like it."""

    size: int

    def predict(self, images: Pixels) -> Floats:
        """Probabilities float32 (N, C) of images uint8 (N, S, S, 3)."""

    def stages(self, images: Pixels) -> Floats:
        """What the layers of every depth say, float32 (N, D)."""


def compare(
    run: Run,
    source: str | Path,
    predictor: Sees,
    *,
    draws: Draws | None = None,
    most: int = target_source.MOST,
    progress: Progress | None = None,
    stopped: Stopping | None = None,
) -> tuple[Side, dict[str, Any], dict[str, Any]]:
    """Everything that a drop tells: the images, plain JSON, and the arrays of `Target`.

    Keys of the JSON: run, source, model (when it was written), n, readable, few, warning, unreadable, size, training
    (or None where the run's dataset is not here), measures, stain, distance, plain, pipelines, answers. Where no
    measure moved, no pipeline is tried. `draws` stands for the layers that train. Without the dataset nothing is said
    of distances and pipelines, nor of fewer than `target_distance.FEWEST` images (`few`): the training images are not
    read then, and `training` has n 0. Of each pipeline `advised` says whether it is one to train with. Raises
    SourceError and Stopped.
    """
    told = _Told(progress, stopped)
    side = target_source.read_target(
        source, run.size, most=most, seed=_SEED, progress=told.part(0, 10), stopped=told.check
    )
    dataset = dataset_of(run)
    few = len(side) < target_distance.FEWEST
    learned = (
        None if few or dataset is None else target_source.read_training(run, dataset, most=most, seed=_SEED)
    )
    vectors = stain.REFERENCE if dataset is None else stain.for_dataset(dataset)
    told(12, "Measuring light, focus and stain")
    raw = measure(side.images, vectors, told.check)
    raw_train = raw[:0] if learned is None else measure(learned.images, vectors, told.check)
    hue = mean_hue(raw_train if len(raw_train) else raw)
    target, train = centred(raw, hue), centred(raw_train, hue)

    def measured(images: Pixels) -> Table:
        return centred(measure(images, vectors, told.check), hue)

    probabilities = _asked(predictor.predict, side.images, told.part(18, 22), "Asking the run")
    seen = _asked(predictor.stages, side.images, told.part(22, 26), "Asking the network")
    seen_train = (
        seen[:0]
        if learned is None
        else _asked(predictor.stages, learned.images, told.part(26, 32), "Asking the network")
    )
    axes = target_distance.axes(seen_train if len(seen_train) else seen)
    points, train_points = axes.of(seen), axes.of(seen_train)
    farness = (
        target_distance.nearest(points, train_points) if len(train_points) else np.full(len(side), np.nan)
    )
    own_farness = target_distance.nearest(train_points, train_points, itself=True)
    unsure = target_rank.uncertainty(probabilities)
    content: dict[str, Any] = {
        "run": run.name,
        "source": side.name,
        "model": run.model_path.stat().st_mtime_ns if run.model_path.exists() else 0,
        "n": len(side),
        "readable": side.readable,
        "few": few,
        "unreadable": [{"name": name, "error": error} for name, error in side.unreadable],
        "size": np.median(side.sizes, axis=0).tolist(),
        "training": None,
        "measures": [],
        "stain": None,
        "distance": None,
        "plain": None,
        "pipelines": [],
        "answers": target_answers.answers(run, probabilities),
    }
    if few and dataset is not None:
        of = int((run.split()["part"] == "train").sum())
        seen_before = target_source.seen_before(side, run, dataset)
        content["training"] = {"n": 0, "of": of, "dataset": dataset.name, "size": None, "seen": seen_before}
    if learned is not None and dataset is not None:
        told(33, "Comparing")
        gaps = _gaps(train, target, own_farness, farness)
        content |= {
            "training": {
                "n": len(learned),
                "of": learned.readable,
                "dataset": dataset.name,
                "size": np.median(learned.sizes, axis=0).tolist(),
                "seen": target_source.seen_before(side, run, dataset),
            },
            "measures": [{**asdict(each), "level": each.level} for each in gaps],
            "stain": _stains(learned.images, side.images),
            "distance": _distance(points, train_points),
        }
        draws = draws or target_tried.layers(dataset)
        sides = target_tried.Sides(learned.images, train, target)
        plain, covers = target_tried.tried(run, gaps, sides, draws, measured, told.part(34, 94))
        keys = target_tried.moved_keys(gaps)
        advised = target_cover.advised(covers, plain, keys)
        figures = [
            {
                **asdict(each),
                "least": each.least(keys),
                "covers": each.covers(keys),
                "advised": each in advised,
            }
            for each in (plain, *covers)
        ]
        content |= {"plain": figures[0], "pipelines": figures[1:]}
    arrays: dict[str, Any] = {
        "train": np.column_stack([train, own_farness]),
        "target": np.column_stack([target, farness]),
        "probabilities": probabilities,
        "order": target_rank.label_first(unsure, points, train_points),
        "unsure": unsure,
        "names": np.array(side.names, np.str_),
        "index": side.index,
    }
    content["warning"] = target_words.seen_before(content)
    told(99, "Writing")
    return side, finite(content), arrays


class _Told:
    """Says how far the whole is, 0 to 100, and asks whether to stop."""

    def __init__(self, progress: Progress | None, stopped: Stopping | None) -> None:
        self._progress, self._stopped = progress, stopped

    def __call__(self, done: float, text: str) -> None:
        if self.check():
            raise Stopped("Stopped: nothing was kept.")
        if self._progress:
            self._progress(done, 100, text)

    def check(self) -> bool:
        return bool(self._stopped and self._stopped())

    def part(self, begin: float, end: float) -> Progress:
        """Progress of a part of the whole."""

        def told(done: float, total: float | None, text: str) -> None:
            self(begin + (end - begin) * done / max(total or 1, 1), text)

        return told


def _asked(ask: Callable[[Pixels], Floats], images: Pixels, progress: Progress, text: str) -> Floats:
    found = []
    for start in range(0, len(images), _BLOCK):
        progress(start, len(images), text)
        found.append(ask(images[start : start + _BLOCK]))
    return np.concatenate(found)


def _gaps(train: Table, target: Table, own_farness: Table, farness: Table) -> list[Gap]:
    found = [
        target_distance.gap(each, train[:, place], target[:, place], _SEED)
        for place, each in enumerate(MEASURES.values())
    ]
    found.append(target_distance.gap(FEATURES, own_farness, farness, _SEED))
    return sorted((each for each in found if each), key=lambda each: (not each.moved, -each.wasserstein))


def _stains(train: Pixels, target: Pixels) -> dict[str, Any] | None:
    """Both sides' stain vectors, whatever the lamp, and the degrees between them; None where either does not tell."""
    try:
        own, found = (
            stain.estimate(relit(side[:: max(1, len(side) // _STAINED)])) for side in (train, target)
        )
    except InvalidValue:
        return None
    return {
        "training": own.tolist(),
        "target": found.tolist(),
        "azure": stain.angle(own[0], found[0]),
        "eosin": stain.angle(own[1], found[1]),
    }


def _distance(points: Table, train_points: Table) -> dict[str, Any]:
    """The overall distance, and the same figures for two parts of the training images."""
    told = target_distance.told_apart(train_points, points)
    few = len(points) < target_distance.FEWEST
    part, rest = target_distance.halves(train_points, len(points), _SEED)
    reference = None if few else target_distance.told_apart(rest, part)
    return {
        "axes": points.shape[1],
        "auc": told and told.auc,
        "low": told and told.low,
        "high": told and told.high,
        "a_distance": told and told.a_distance,
        "reference_auc": reference and reference.auc,
        "frechet": None if few else target_distance.frechet(train_points, points),
        "reference_frechet": None if few else target_distance.frechet(rest, part),
    }
