"""Several datasets put together into a new one, with the decisions about them taken as they are now.

Labels are as judged and what was excluded is left out; the parents stay as they are. What the parts have in common,
duplicates above all, the scan of the new dataset finds.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bloodapp.classes import DEFAULT_CLASSES, CellClass, default_key
from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.data.decisions import Judged, judge
from bloodapp.data.importing import Context, Progress, checked_size, checked_target, store
from bloodapp.data.records import Record, Source
from bloodapp.errors import InvalidValue, SourceError

KIND = "added"
_BLOCK = 64


@dataclass(frozen=True, eq=False)
class _Part:
    """One of the datasets: its judged state, what of it is taken, and its labels in the new class list."""

    dataset: Dataset
    judged: Judged
    rows: NDArray[np.int64]
    labels: NDArray[np.int16]
    parents: NDArray[np.int64]


def work(params: dict[str, Any], context: Context) -> dict[str, Any]:
    """The job `add`: params datasets, name, and optionally size and replace; gives dataset, count, left_out."""
    made = add(
        params["datasets"],
        params["name"],
        size=params.get("size"),
        replace=bool(params.get("replace", False)),
        progress=context.progress,
        stopped=context.stopped,
    )
    left_out = sum(one["left_out"] for one in made.source["datasets"])
    return {"dataset": made.name, "count": len(made), "left_out": left_out}


def add(
    names: Sequence[str],
    new: str,
    *,
    size: int | None = None,
    replace: bool = False,
    progress: Progress | None = None,
    stopped: Callable[[], bool] | None = None,
) -> Dataset:
    """Make a dataset of the images of several, one after another in the order of `names`, and open it.

    Classes are matched by key; one that only a later dataset has is appended. Excluded images are left out, labels
    are as decided. A copy keeps its original; where that is left out, the copies of it that remain hang together by
    the first of them. `size` is that of the largest if left out. Each image's name begins with its dataset's.
    Raises NotFound, InvalidValue, AlreadyExists (without `replace`), SourceError and Stopped; then nothing is left.
    """
    if len(names) < 2 or len(set(names)) < len(names):
        raise InvalidValue("Name two or more different datasets to put together.")
    if new in names:
        raise InvalidValue(f"'{new}' is one of the datasets that are put together: choose another name.")
    checked_target(new, replace=replace)
    datasets = [open_dataset(name) for name in names]
    classes = merged_classes([dataset.classes for dataset in datasets])
    parts: list[_Part] = []
    for dataset in datasets:
        parts.append(_taken(dataset, classes, sum(len(part.rows) for part in parts)))
    count = sum(len(part.rows) for part in parts)
    if not count:
        raise SourceError(f"Nothing of {', '.join(names)} remains: keep at least one image.")
    facts = {"datasets": [_told(part) for part in parts]}
    source = Source(KIND, " + ".join(names), "", classes, count, _records(parts), facts=facts)
    side = largest(datasets) if size is None else checked_size(size)
    return store(source, new, side, replace, progress, stopped)


def largest(datasets: Sequence[Dataset]) -> int:
    """The side of the largest images, in pixels: those of the others are enlarged, and none loses anything."""
    return max(dataset.size for dataset in datasets)


def merged_classes(lists: Sequence[Sequence[CellClass]]) -> tuple[CellClass, ...]:
    """The first class list, and after it each class that only a later one has.

    A class keeps its colour and its key on the keyboard unless another has them.
    """
    merged: list[CellClass] = []
    known: set[str] = set()
    for one in (one for classes in lists for one in classes):
        if _key(one) in known:
            continue
        known.add(_key(one))
        colours, shortcuts = {other.colour for other in merged}, {other.shortcut for other in merged}
        palette = [default.colour for default in DEFAULT_CLASSES]
        colour = next(
            (each for each in (one.colour, *palette) if each not in colours),
            palette[len(merged) % len(palette)],
        )
        digits = (one.shortcut, *map(str, range(1, 10)))
        merged.append(
            CellClass(one.key, one.title, colour, next((d for d in digits if d and d not in shortcuts), ""))
        )
    return tuple(merged)


def _key(one: CellClass) -> str:
    return default_key(one.key) or one.key


def _taken(dataset: Dataset, classes: tuple[CellClass, ...], begin: int) -> _Part:
    judged = judge(dataset)
    rows = np.flatnonzero(judged.included)
    keys = [_key(one) for one in classes]
    positions = np.array([keys.index(_key(one)) for one in dataset.classes], np.int16)
    labels = np.where(judged.labels >= 0, positions[judged.labels], np.int16(-1))[rows]
    parents = _parents(dataset, judged.included)
    place = np.full(len(dataset), -1, np.int64)
    place[rows] = begin + np.arange(len(rows))
    return _Part(dataset, judged, rows, labels, np.where(parents >= 0, place[parents], -1)[rows])


def _parents(dataset: Dataset, included: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Of each image its nearest ancestor that is included, else the first included of its family, else -1."""
    parents = dataset.parents.copy()
    while (gone := (parents >= 0) & ~included[parents]).any():
        parents[gone] = dataset.parents[parents[gone]]
    heads = np.flatnonzero(included & (parents < 0))
    first = np.full(len(dataset), -1, np.int64)
    first[dataset.families[heads][::-1]] = heads[::-1]
    orphaned = (parents < 0) & (dataset.parents >= 0)
    stands_for = first[dataset.families]
    return np.where(orphaned & (stands_for != np.arange(len(dataset))), stands_for, parents)


def _told(part: _Part) -> dict[str, Any]:
    return {
        "name": part.dataset.name,
        "fingerprint": part.dataset.fingerprint,
        "seq": part.judged.seq,
        "count": len(part.rows),
        "left_out": len(part.dataset) - len(part.rows),
        "size": part.dataset.size,
    }


def _records(parts: Sequence[_Part]) -> Iterator[Record]:
    columns = ["name", "part", "width", "height", "mode"]
    for part in parts:
        facts = list(part.dataset.items[columns].iloc[part.rows].itertuples(index=False))
        for start in range(0, len(part.rows), _BLOCK):
            images = part.dataset.read(part.rows[start : start + _BLOCK])
            for place, image in enumerate(images, start=start):
                name, given, width, height, mode = facts[place]
                yield Record(
                    image,
                    f"{part.dataset.name}/{name}",
                    int(part.labels[place]),
                    given,
                    int(width),
                    int(height),
                    mode,
                    parent=int(part.parents[place]),
                )
