"""Where a dataset's images lie on a plane: by their pixels, by what a network saw in them, neighbours kept together.

Each plane is kept in the dataset's folder, with what it was made from.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from bloodapp.classify import unfolding
from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.data.plane import Plane, principal
from bloodapp.errors import NotFound
from bloodapp.jobs.job import ACTIVE, Job, list_jobs, submit
from bloodapp.review.features import FILE, kept_for
from bloodapp.workspace import replacing

Way = Literal["pixels", "features", "neighbours"]
WAYS: tuple[Way, ...] = get_args(Way)
"""Principal components of the pixels, those of a deep scan's features, and these with neighbours together (t-SNE)."""

KIND = "map"
_SIDE = 16  # of 13,759 cells the two components of full-sized pixels and of these correlate to 0.999
_BLOCK = 256
_SEED = 0
# Threads that wait by spinning keep each other from working where the machine has other work, for minutes.
_ENVIRONMENT = {"OMP_WAIT_POLICY": "PASSIVE"}
_DIRECTIONS, _SAMPLE = 50, 4096
_NEAR, _APART, _ROWS = 5, 0.05, 1024

Floats = NDArray[np.float32]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Laid:
    """All images of a dataset on a plane.

    Attributes:
        points: float32 (N, 2).
        explained: the shares of the variance that the axes carry; zeros where neighbours are kept together.
        by: the run whose network saw the images, or an empty string for pixels.
        placed: how many images were laid out themselves; the others lie among those that look most like them.
    """

    points: Floats
    explained: tuple[float, float]
    by: str
    placed: int


def ways(dataset: Dataset) -> tuple[Way, ...]:
    """Which planes there can be: without a deep scan that of the pixels only."""
    return WAYS if kept_for(dataset) is not None else WAYS[:1]


def kept(dataset: Dataset, way: Way) -> Laid | None:
    """The plane as it was kept; None where there is none, or one of other images or features, or a damaged one."""
    try:
        with (
            _path(dataset, way).open("rb") as stream,
            np.load(stream, allow_pickle=False) as arrays,
        ):
            about = json.loads(str(arrays["about"]))
            points, explained = arrays["points"], arrays["explained"].tolist()
    except (OSError, ValueError, KeyError, EOFError):
        return None
    if about.get("of") != _stamp(dataset, way) or points.shape != (len(dataset), 2):
        return None
    return Laid(points, (explained[0], explained[1]), str(about["by"]), int(about["placed"]))


def stamp(dataset: Dataset, way: Way) -> int:
    """Changes when the plane that is kept does, or what it was made from; 0 where there is none."""
    try:
        own = _path(dataset, way).stat().st_mtime_ns
        return own if way == "pixels" else own + (dataset.path / FILE).stat().st_mtime_ns
    except OSError:
        return 0


def lay_out(
    dataset: Dataset,
    way: Way,
    progress: Progress | None = None,
    check: Callable[[], None] | None = None,
) -> Laid:
    """Lay all images of a dataset out and keep the plane in its folder.

    Pixels and features take seconds; neighbours about half a minute, for which 4,000 images are laid out by t-SNE and
    every other is put among the five of them that look most like it, as openTSNE puts new points (P. G. Poličar,
    M. Stražar, B. Zupan, Machine Learning, 2021).

    Args:
        dataset: whose images.
        way: which plane.
        progress: called as `progress(done, total)` now and then.
        check: called now and then; may raise to break it off, with nothing kept.

    Raises NotFound where a network's features are needed and no deep scan has left any.
    """
    tell, ask = progress or _silent, check or _go_on
    of = _stamp(dataset, way)
    if way == "pixels":
        rows = mean_colours(dataset, _SIDE, tell, ask)
        laid = _in_order(principal(rows, _SEED), "")
    else:
        there = kept_for(dataset)
        if there is None:
            raise NotFound("features of a deep scan of", dataset.name)
        values, by = there
        if way == "features":
            laid = _in_order(principal(values, _SEED, progress=tell), by)
        else:
            points, placed = _neighbours(dataset, values, tell, ask)
            laid = Laid(points, (0.0, 0.0), by, placed)
    ask()
    if of == _stamp(dataset, way):  # else a scan has left other features meanwhile
        keep(dataset, way, laid)
    return laid


def keep(dataset: Dataset, way: Way, laid: Laid) -> None:
    """Keep a plane in the dataset's folder, as made from what is there now."""
    about = json.dumps({"of": _stamp(dataset, way), "by": laid.by, "placed": laid.placed})
    with replacing(_path(dataset, way)) as temporary, temporary.open("wb") as stream:
        np.savez(
            stream, allow_pickle=False, points=laid.points, explained=laid.explained, about=np.array(about)
        )


def job_of(dataset: Dataset) -> Job | None:
    """The newest job that keeps, or kept, this dataset's neighbours together."""
    return next((job for job in list_jobs() if job.kind == KIND and _is_of(job, dataset)), None)


def begin(dataset: Dataset) -> Job:
    """Queue the job that lays a dataset out with neighbours together, or give the one that waits or works already."""
    there = job_of(dataset)
    if there is not None and there.state() in ACTIVE:
        return there
    return submit(KIND, {"dataset": dataset.name}, title=f"Map of {dataset.name}", env=_ENVIRONMENT)


def work(params: dict[str, Any], context: Any) -> dict[str, Any]:
    """The job of kind `map`: `params` is {"dataset": name}; lays it out with neighbours together."""
    dataset = open_dataset(params["dataset"])
    context.progress(0, None, "Laying the images out (t-SNE)")
    laid = lay_out(dataset, "neighbours", check=context.check)
    return {"images": len(laid.points), "placed": laid.placed}


def _in_order(plane: Plane, by: str) -> Laid:
    return Laid(plane.points, plane.explained, by, len(plane.points))


def _neighbours(
    dataset: Dataset, values: NDArray[np.float16], tell: Progress, ask: Callable[[], None]
) -> tuple[Floats, int]:
    """Places float32 (N, 2) by t-SNE of some images, and how many: different ones, as copies would crowd it."""
    rows = _reduced(values)
    _, different = np.unique(dataset.items["sha256"].to_numpy(str), return_index=True)
    different = np.sort(different)
    some = different[unfolding.chosen(np.full(len(different), ""), _SEED)]
    places = unfolding.unfolded(rows[some], ask, seed=_SEED)
    points = np.empty((len(rows), 2), np.float32)
    for start in range(0, len(rows), _ROWS):
        ask()
        tell(start, len(rows))
        points[start : start + _ROWS] = among(rows[start : start + _ROWS], rows[some], places)
    points[some] = places
    return points, len(some)


def among(rows: Floats, known: Floats, places: Floats) -> Floats:
    """Places float32 (n, 2) for rows (n, D): with those of the nearest known ones (m, D) that lie together (m, 2).

    The nearest one decides where; of the next, those count that lie near it, the more the more alike they are.
    """
    count = min(_NEAR, len(known))
    if not count:
        return np.zeros((len(rows), 2), np.float32)
    squares = (known**2).sum(axis=1) - 2 * rows @ known.T + (rows**2).sum(axis=1, keepdims=True)
    near = np.argpartition(squares, count - 1, axis=1)[:, :count]
    apart = np.maximum(np.take_along_axis(squares, near, axis=1), 0)
    order = np.argsort(apart, axis=1, kind="stable")
    near, apart = np.take_along_axis(near, order, axis=1), np.take_along_axis(apart, order, axis=1)
    there = places[near]
    reach = _APART * np.ptp(places, axis=0).max()
    together = np.linalg.norm(there - there[:, :1], axis=2) <= reach
    weight = together / (apart + 1e-6 * apart.mean() + 1e-12)
    found: Floats = (there * (weight / weight.sum(axis=1, keepdims=True))[..., None]).sum(axis=1)
    return found.astype(np.float32)


def _reduced(values: NDArray[np.float16]) -> Floats:
    """The first principal directions of features, float32 (N, at most 50); those of a seeded sample."""
    if len(values) < 2:
        return np.asarray(values, np.float32)
    chosen = np.sort(np.random.default_rng(_SEED).permutation(len(values))[:_SAMPLE])
    sample = np.asarray(values[chosen], np.float32)
    mean = sample.mean(axis=0)
    _, vectors = np.linalg.eigh(np.atleast_2d(np.cov(sample - mean, rowvar=False)).astype(np.float64))
    directions = vectors[:, ::-1][:, :_DIRECTIONS].astype(np.float32)
    blocks = [
        (np.asarray(values[start : start + _ROWS], np.float32) - mean) @ directions
        for start in range(0, len(values), _ROWS)
    ]
    return np.concatenate(blocks)


def mean_colours(
    dataset: Dataset,
    side: int,
    tell: Progress = lambda done, total: None,
    ask: Callable[[], None] = lambda: None,
) -> NDArray[np.uint8]:
    """Every image as mean colours of at most `side` × `side` fields, uint8 (N, 3 · side²), read block by block."""
    side = min(side, dataset.size)
    edges = np.linspace(0, dataset.size, side + 1).astype(int)
    wide = np.diff(edges)
    fields = (wide[:, None] * wide[None, :])[..., None]
    rows = np.empty((len(dataset), side * side * 3), np.uint8)
    for start, block in dataset.blocks(_BLOCK):
        ask()
        tell(start, len(dataset))
        sums = np.add.reduceat(
            np.add.reduceat(block, edges[:-1], axis=1, dtype=np.uint32), edges[:-1], axis=2
        )
        rows[start : start + len(block)] = (sums // fields).reshape(len(block), -1)
    return rows


def _stamp(dataset: Dataset, way: Way) -> dict[str, Any]:
    """What a plane is made from."""
    made: dict[str, Any] = {"fingerprint": dataset.fingerprint, "way": way}
    if way == "pixels":
        return {**made, "side": _SIDE}
    try:
        there = (dataset.path / FILE).stat()
    except OSError:
        return made
    return {**made, "features": [there.st_size, there.st_mtime_ns]}


def _path(dataset: Dataset, way: Way) -> Path:
    return dataset.path / f"plane-{way}.npz"


def _is_of(job: Job, dataset: Dataset) -> bool:
    return bool(
        job.params.get("dataset") == dataset.name and job.created >= str(dataset.facts.get("imported"))
    )


def _silent(done: int, total: int) -> None:
    del done, total


def _go_on() -> None:
    pass
