"""Pipelines drawn on training images and held against the target's: on some first, on all where it may matter."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bloodapp.augment import stain
from bloodapp.augment.named import NONE
from bloodapp.augment.pipelines import Pipeline, uses
from bloodapp.data.dataset import Dataset
from bloodapp.evaluate import target_cover
from bloodapp.evaluate.target_cover import PLAIN, Candidate, Cover, Draws
from bloodapp.evaluate.target_distance import Gap
from bloodapp.evaluate.target_measures import MEASURES
from bloodapp.evaluate.target_source import Progress
from bloodapp.runs.run import Run

FIRST, DRAWN = 64, 256
"""Training images that each pipeline is drawn on at first, and those that one is drawn on that may be advised."""

_GROUP = 16  # images that share a draw where a pipeline draws for whole batches
_SEED = 0

Pixels = npt.NDArray[np.uint8]
Table = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Sides:
    """What pipelines are held against.

    Attributes:
        images: training images uint8 (T, S, S, 3).
        train: their measures (T, M).
        target: those of the target images (N, M).
    """

    images: Pixels
    train: Table
    target: Table


def tried(
    run: Run,
    gaps: list[Gap],
    sides: Sides,
    draw: Draws,
    measured: Callable[[Pixels], Table],
    progress: Progress,
) -> tuple[Cover, list[Cover]]:
    """What the training images as they are cover, and each pipeline, the advisable first; none where nothing moved.

    Each is drawn on FIRST training images; what may be advised by these, and the run's own, on DRAWN. The others keep
    the figures of the first look.
    """
    keys = moved_keys(gaps)
    moved = [each for each in gaps if each.key in keys]
    own = run.config.get("pipeline") or run.config["recipe"].get("pipeline") or "none"
    offered = target_cover.candidates(moved, str(own)) if moved else []
    some = np.sort(np.random.default_rng(_SEED).permutation(len(sides.images))[:DRAWN])
    # Whole batches, spread over all: what is drawn in two goes is what one would have drawn.
    batches = list(range(-(-len(some) // _GROUP)))
    few = batches[:: max(DRAWN // FIRST, 1)]
    rest = [number for number in batches if number not in few]
    scales = {each.key: each.scale for each in gaps}
    units = np.array([scales.get(key, each.least) for key, each in MEASURES.items()])
    usual = target_cover.likeness(sides.train, some, units)
    as_they_are = Candidate(NONE, "Training images as they are", NONE, PLAIN)

    def rows(numbers: list[int]) -> npt.NDArray[np.int64]:
        return np.concatenate([some[number * _GROUP : (number + 1) * _GROUP] for number in numbers])

    def plain(numbers: list[int]) -> Cover:
        own = sides.train[rows(numbers)]
        return target_cover.cover(as_they_are, own, own, sides.target, usual)

    def drawn_on(numbers: list[int], candidate: Candidate) -> Table:
        return measured(draw(sides.images[rows(numbers)], candidate.pipeline, numbers))

    def looked(candidate: Candidate, drawn: Table) -> Cover:
        return target_cover.cover(candidate, drawn, sides.train, sides.target, usual)

    drawn: dict[str, Table] = {}
    for done, candidate in enumerate(offered):
        progress(done, 1.5 * len(offered), f"Drawing {candidate.title}")
        drawn[candidate.text] = drawn_on(few, candidate)
    first = [looked(each, drawn[each.text]) for each in offered]
    open_to = target_cover.promising(first, plain(few), keys) if rest else []
    for done, one in enumerate(open_to):
        share = done / len(open_to)
        progress(2 + share, 3, f"Drawing more of {one.candidate.title}")
        more = drawn_on(rest, one.candidate)
        drawn[one.candidate.text] = np.concatenate([drawn[one.candidate.text], more])
    found = [looked(one.candidate, drawn[one.candidate.text]) if one in open_to else one for one in first]
    whole = plain(batches)
    return whole, target_cover.ordered(found, whole, keys)


def moved_keys(gaps: list[Gap]) -> list[str]:
    """The measures of pixels that moved, which a pipeline may cover."""
    return [each.key for each in gaps if each.moved and each.key in MEASURES]


def layers(dataset: Dataset) -> Draws:
    """The layers that train, with the dataset's own stains."""
    from bloodapp.augment.preview import preview

    vectors = stain.for_dataset(dataset)

    def draw(images: Pixels, pipeline: Pipeline, batches: Sequence[int]) -> Pixels:
        stains = vectors if uses(pipeline, "stain") else None
        groups = [images[start : start + _GROUP] for start in range(0, len(images), _GROUP)]
        return np.concatenate(
            [
                preview(
                    group, np.zeros(len(group), np.int64), 2, pipeline, _SEED, stains=stains, batch=number
                )[0]
                for number, group in zip(batches, groups, strict=True)
            ]
        )

    return draw
