"""Copies drawn by a pipeline before any training, written beside their originals as a dataset of its own.

Every copy remembers the image it was made from, so that no split can part the two, and is drawn by the
layers that train. Images are read, drawn and written block by block: neither dataset is ever in memory.
"""

import os
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bloodapp.augment.pipelines import changes, mixes, resolve, text
from bloodapp.augment.preview import preview
from bloodapp.augment.staining import for_pipeline
from bloodapp.data.dataset import Dataset, list_datasets, open_dataset
from bloodapp.data.decisions import judge
from bloodapp.data.importing import Context, Progress, checked_target, store
from bloodapp.data.records import Record
from bloodapp.data.sources import Source
from bloodapp.errors import InvalidValue, NotFound, Unreadable

KIND = "augmented"
MOST_COPIES = 50
BLOCK = 64  # images drawn at once, as many as a training's batch
_THREADS = min(os.cpu_count() or 1, 4)  # that draw a block each
_AHEAD = _THREADS + 1  # blocks that are drawn, or wait for it, while another is written
_SAID_EVERY_S = 10.0  # a figure that changes all the time cannot be read

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Plan:
    """Which images are copied how often, by which pipelines.

    Attributes:
        rows: int64 (M,), the images that remain of the dataset, ascending.
        labels: int16 (M,), their labels as decided.
        times: int64 (M,), how many copies are made of each.
        pipelines: canonical texts, which take turns copy by copy.
        before: int64 (C,), images of each class without the copies.
        after: int64 (C,), images of each class in the new dataset.
        balance: whether it brings each class up to the largest.
        seq: the last decision that this takes into account.
    """

    rows: Ints
    labels: npt.NDArray[np.int16]
    times: Ints
    pipelines: tuple[str, ...]
    before: Ints
    after: Ints
    balance: bool
    seq: int

    @property
    def copies(self) -> int:
        """How many copies are drawn in all."""
        return int(self.times.sum())

    @property
    def short(self) -> Ints:
        """The labels of classes that stay below the largest, because no image is copied more than 50 times."""
        missed = (self.after > 0) & (self.after < self.after.max(initial=0))
        return np.flatnonzero(missed & self.balance)

    def turns(self) -> Iterator[tuple[int, str, Ints]]:
        """The number of each copy, from 1, the pipeline that draws it, and the rows that get it, ascending."""
        for number in range(1, int(self.times.max(initial=0)) + 1):
            pipeline = self.pipelines[(number - 1) % len(self.pipelines)]
            yield number, pipeline, self.rows[self.times >= number]


def work(params: dict[str, Any], context: Context) -> dict[str, Any]:
    """The job `expand`: params dataset, name, pipelines, and optionally what else `expand` takes.

    Gives dataset, count, copies.
    """
    chosen = {
        key: params[key] for key in ("copies", "balance", "originals", "seed", "replace") if key in params
    }
    made = expand(
        open_dataset(params["dataset"]),
        params["name"],
        params["pipelines"],
        **chosen,
        progress=context.progress,
        stopped=context.stopped,
    )
    return {"dataset": made.name, "count": len(made), "copies": made.source["drawn"]}


def expand(
    dataset: Dataset,
    name: str,
    pipeline: str | Sequence[str],
    *,
    copies: int = 1,
    balance: bool = False,
    originals: bool = True,
    seed: int = 1,
    replace: bool = False,
    progress: Progress | None = None,
    stopped: Callable[[], bool] | None = None,
) -> Dataset:
    """Write what the decisions leave of a dataset, and copies drawn by pipelines, under a new name, and open it.

    Originals come first, in their order, then the first copy of each image, the second, … The same arguments give
    the same images: the draw of a copy depends on the seed, its number and its block alone. Copies keep their
    image's label and part, and each has the row of its image in the new dataset as its `parent`.

    Args:
        dataset: stays as it is.
        name: of the new one.
        pipeline: one or several, names or texts.
        copies: of each image by each of the pipelines, 1 to 50; without meaning where classes are balanced.
        balance: instead, bring each class up to the largest, its images copied about as often as each other, each
            at most 50 times; several pipelines take turns.
        originals: whether the images themselves are written, too.
        seed: another seed, other draws.
        replace: a dataset of that name, but not the one that is copied.
        progress: called as `progress(done, total, text)` now and then.
        stopped: asked now and then.

    Raises AlreadyExists, InvalidValue, PipelineError, SourceError (disk full) and Stopped; nothing is left then.
    """
    checked_name(dataset, name, replace=replace)
    planned = plan(dataset, pipeline, copies=copies, balance=balance, originals=originals, seed=seed)
    drawing = _Drawing(progress, len(planned.rows) if originals else 0)
    facts = {
        "dataset": dataset.name,
        "fingerprint": dataset.fingerprint,
        "seq": planned.seq,
        "pipelines": list(planned.pipelines),
        "copies": None if balance else copies,
        "balance": balance,
        "originals": originals,
        "seed": seed,
        "drawn": planned.copies,
    }
    with closing(_records(dataset, planned, originals, seed, drawing, facts)) as records:
        source = Source(
            kind=KIND,
            name=dataset.name,
            path=str(dataset.path),
            classes=dataset.classes,
            count=drawing.originals + planned.copies,
            records=records,
            facts=facts,
        )
        return store(source, name, dataset.size, replace, drawing.told, stopped)


def checked_name(dataset: Dataset, name: str, *, replace: bool = False) -> None:
    """Raise InvalidValue for a name that the copy of a dataset cannot have, AlreadyExists without `replace`."""
    checked_target(name, replace=replace)
    if name == dataset.name:
        raise InvalidValue(f"'{name}' cannot be replaced by its own copies: choose another name.")


def plan(
    dataset: Dataset,
    pipeline: str | Sequence[str],
    *,
    copies: int = 1,
    balance: bool = False,
    originals: bool = True,
    seed: int = 1,
) -> Plan:
    """What an expansion would make; the arguments are those of `expand`. Raises InvalidValue and PipelineError."""
    texts = tuple(checked_pipeline(one) for one in ([pipeline] if isinstance(pipeline, str) else pipeline))
    if not texts:
        raise InvalidValue("Name at least one pipeline to draw the copies with.")
    if not balance and not 1 <= copies <= MOST_COPIES:
        raise InvalidValue(f"The number of copies must be from 1 to {MOST_COPIES}, not {copies}.")
    if not 0 <= seed < 2**31:
        raise InvalidValue(f"The seed must be from 0 to {2**31 - 1}, not {seed}.")
    judged = judge(dataset)
    rows = judged.indices
    if not len(rows):
        raise InvalidValue(f"Nothing of '{dataset.name}' is left to copy: keep or import labelled images.")
    labels = judged.labels[rows]
    before = np.bincount(labels, minlength=len(dataset.classes))
    if balance:
        times = balancing(labels, before, seed)
        if not times.any():
            raise InvalidValue(
                f"The classes of '{dataset.name}' have equally many images: there is nothing to balance."
            )
    else:
        times = np.full(len(rows), copies * len(texts))
    drawn = np.bincount(labels, weights=times, minlength=len(before)).astype(np.int64)
    after = before * originals + drawn
    return Plan(rows, labels, times, texts, before, after, balance, judged.seq)


def last_speed(pipelines: Sequence[str], size: int) -> float | None:
    """Copies a second when these pipelines, canonical texts, last drew images of this size here; None if never."""
    made: list[Dataset] = []
    for name in list_datasets():
        with suppress(NotFound, Unreadable):  # deleted just now, or damaged: neither is what is asked about
            made.append(open_dataset(name))
    speeds = {
        one.facts["imported"]: one.source["images_per_s"]
        for one in made
        if one.size == size and one.source.get("pipelines") == list(pipelines)
    }
    return speeds[max(speeds)] if speeds else None


def checked_pipeline(pipeline: str) -> str:
    """The canonical text of a pipeline that copies can be drawn with; raises InvalidValue and PipelineError."""
    resolved = resolve(pipeline)
    if mixed := mixes(resolved):
        raise InvalidValue(
            f"'{pipeline}' mixes labels ({', '.join(mixed)}), and an image of a dataset has one label: "
            "train with this pipeline instead."
        )
    if not changes(resolved):
        raise InvalidValue(
            f"'{pipeline}' changes nothing, and the same pictures twice teach nothing: choose another pipeline."
        )
    return text(resolved)


def balancing(labels: npt.NDArray[np.integer], counts: Ints, seed: int) -> Ints:
    """How many copies of each image bring its class up to the largest, as even as possible, int64 (M,).

    `labels` (M,) are those of the images that are copied, at most 50 times each; `counts` int64 (C,) says how many
    images each class has without these copies.
    """
    times = np.zeros(len(labels), np.int64)
    for label in np.flatnonzero(counts):
        mine = np.flatnonzero(labels == label)
        wanted = min(counts.max() - counts[label], MOST_COPIES * len(mine))
        times[mine] = wanted // len(mine)
        once_more = np.random.default_rng([seed, int(label)]).permutation(mine)[: wanted % len(mine)]
        times[once_more] += 1
    return times


class _Drawing:
    """What is told of an expansion, and how fast it draws.

    Attributes:
        originals: how many images are written before the first copy.
        speed: copies a second since the first block was there; None as long as nobody knows.
    """

    def __init__(self, progress: Progress | None, originals: int) -> None:
        self.originals = originals
        self.speed: float | None = None
        self._progress = progress
        self._drawn = 0
        self._begun = 0.0
        self._said = (float("-inf"), "Drawing copies")

    def add(self, copies: int) -> None:
        """So many more are drawn; the first ones are not counted, because they wait for what is loaded and traced."""
        now = time.monotonic()
        if not self._begun:
            self._begun = now
            return
        self._drawn += copies
        self.speed = self._drawn / (now - self._begun)
        if now - self._said[0] > _SAID_EVERY_S:
            self._said = now, f"Drawing copies, {self.speed:,.0f} images/s"

    def told(self, done: int, total: int, said: str) -> None:
        """Say how far it is, in place of what the storing says."""
        if self._progress is None:
            return
        if done < self.originals:
            said = "Taking over the originals"
        elif done < total:
            said = self._said[1]
        self._progress(done, total, said)

    def loading(self, total: int) -> None:
        """Say that the first copies take longer."""
        if self._progress is not None:
            self._progress(self.originals, total, "Loading the layers that train")


def _records(
    dataset: Dataset,
    planned: Plan,
    originals: bool,
    seed: int,
    drawing: _Drawing,
    facts: dict[str, Any],
) -> Generator[Record, None, None]:
    known = dataset.items[["name", "part", "width", "height", "mode"]].to_numpy()
    labels = np.full(len(dataset), -1, np.int16)
    labels[planned.rows] = planned.labels
    family = dataset.families
    # Where an image stands in the new dataset, by its row, and where the first of its family does.
    at, first = (np.full(len(dataset), -1, np.int64) for _ in range(2))
    written = 0

    def record(row: int, image: npt.NDArray[np.uint8], number: int) -> Record:
        nonlocal written
        name, part, width, height, mode = known[row]
        parent = at[row] if number and originals else first[family[row]]
        if not number:
            at[row] = written
        if first[family[row]] < 0:
            first[family[row]] = written
        written += 1
        name = f"{name}~augmented-{number}" if number else str(name)
        label, size = int(labels[row]), (int(width), int(height))
        return Record(image, name, label, str(part), *size, str(mode), parent=int(parent))

    if originals:
        for rows in _in_blocks(planned.rows):
            for row, image in zip(rows.tolist(), dataset.read(rows), strict=True):
                yield record(row, image, 0)
    drawing.loading(drawing.originals + planned.copies)
    stains = for_pipeline(dataset, *map(resolve, planned.pipelines))
    for number, rows, images in drawn(dataset, planned.turns(), labels, seed, stains):
        drawing.add(len(rows))
        for row, image in zip(rows.tolist(), images, strict=True):
            yield record(row, image, number)
    facts["images_per_s"] = None if drawing.speed is None else round(drawing.speed, 1)


def drawn(
    dataset: Dataset,
    turns: Iterable[tuple[int, str, Ints]],
    labels: npt.NDArray[np.integer],
    seed: int,
    stains: npt.NDArray[np.float64] | None = None,
) -> Generator[tuple[int, Ints, npt.NDArray[np.uint8]], None, None]:
    """Copies drawn block by block: the number of the copy, the rows, and the images uint8 (n, S, S, 3).

    `turns` are those of a plan: number of the copy, pipeline, rows; `labels` (N,) those of the whole dataset, `stains`
    its stain vectors (2, 3). Some blocks are drawn ahead; what a block holds depends on the seed, the number and its
    place in the turn alone.
    """
    classes = len(dataset.classes)

    def draw(rows: Ints, pipeline: str, number: int, block: int) -> npt.NDArray[np.uint8]:
        images = dataset.read(rows)
        return preview(
            images, labels[rows], classes, pipeline, seed, stains=stains, epoch=number, batch=block
        )[0]

    waiting: deque[tuple[int, Ints, Future[npt.NDArray[np.uint8]]]] = deque()
    with ThreadPoolExecutor(_THREADS) as threads:
        try:
            for number, pipeline, every in turns:
                for block, rows in enumerate(_in_blocks(every)):
                    waiting.append((number, rows, threads.submit(draw, rows, pipeline, number, block)))
                    if len(waiting) > _AHEAD:
                        done, its_rows, images = waiting.popleft()
                        yield done, its_rows, images.result()
            for done, its_rows, images in waiting:
                yield done, its_rows, images.result()
        finally:
            threads.shutdown(wait=True, cancel_futures=True)


def _in_blocks(rows: Ints) -> Iterator[Ints]:
    return (rows[start : start + BLOCK] for start in range(0, len(rows), BLOCK))
