"""Which augmentation would make training images as different as the target images are.

The training images are drawn as a training draws them, by the layers that train, and measured. A pipeline covers a
measure when nearly all target images lie within the range that 95 % of its draws lie in. That alone would be met by
negatives and stripes too, so what counts beside it is how near the target images come to some draw in all measures
at once: of those that cover, the nearest is advised, and what comes no nearer than the run does already is not.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bloodapp.augment.named import NONE, PIPELINES
from bloodapp.augment.pipelines import Pipeline, Step, changes, parse, resolve, scaled
from bloodapp.augment.pipelines import text as pipeline_text
from bloodapp.augment.saved import saved_pipelines
from bloodapp.errors import BloodappError
from bloodapp.evaluate.target_distance import Gap, nearest
from bloodapp.evaluate.target_measures import LIGHT, MEASURES

Table = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.uint8]
Draws = Callable[[Pixels, Pipeline, Sequence[int]], Pixels]
"""Images uint8 (N, S, S, 3) as a pipeline draws them, the same shape, in batches of 16 that have these numbers."""

COVERED = 0.9
"""Share of the target images within the range from which a pipeline covers a measure; of its own draws it is 0.95."""

CLEARLY = 1.5
"""Draws that stay this many times farther from the target images than those of another pipeline are of another kind."""

HALF = 0.5
"""Share of the target images that a pipeline holds at least to be advised where none covers."""

LARGE = 5.0
"""Draws that stay this many times farther away than unseen training images do are not like the target images."""

SLACK, SHARE, SELDOM = 1.3, 0.15, 1.8
"""What a first look on fewer draws may err by: a factor of how far they lie, a share of the images covered, and the
factor for pipelines that seldom draw what is needed. On a quarter of 256 draws 26 pipelines lay 1 to 2 times as far."""

ENDS = (0.025, 0.975)
OWN, NAMED, SAVED, BUILT, PLAIN = "own", "named", "saved", "built", "plain"
FACTORS = (0.5, 1.0, 2.0, 3.0)
"""Strengths that are built, 1 for what the operations of the measures say."""

_BEYOND, _DARKEST = 1.15, 0.05
_KEPT = {
    "scaleabs": (0.3, 2.0),
    "contrast": (0, 0.7),
    "saturation": (0, 0.8),
    "hue": (0, 0.1),
    "blur": (0, 3.0),
    "noise": (0, 30),
    "stain": (0, 0.6),
    "channelshift": (0, 0.25),
    "zoom": (0, 0.5),
}  # of what is built, the first number of each: beyond these little of a cell is left
_MOST_AT_ONCE = 2  # changes of every image; of more each is made to half of the images
_TURNS = "flip|quarterturn"  # move no measure, and are right for cells whatever the microscope


@dataclass(frozen=True)
class Candidate:
    """A pipeline that may cover the distance.

    Attributes:
        name: as typed: a name that stands for it, or its text.
        title: as read.
        text: written out.
        kind: OWN for the one that the run was trained with, NAMED, SAVED, BUILT for the measures
            that moved, or PLAIN for the images as they are.
    """

    name: str
    title: str
    text: str
    kind: str

    @property
    def pipeline(self) -> Pipeline:
        """It, parsed."""
        return parse(self.text)


@dataclass(frozen=True)
class Cover:
    """What a pipeline covers.

    Attributes:
        candidate: the pipeline.
        shares: by measure, the share of the target images within the range of 95 % of its draws.
        low: by measure, where that range begins.
        high: where it ends.
        width: how wide its ranges are, as a mean factor over all measures, 1 for the images as they are.
        apart: how far the target images lie from the nearest draw in all measures at once, 1 for unseen training
            images and the training images as they are; see `Likeness`.
    """

    candidate: Candidate
    shares: dict[str, float]
    low: dict[str, float]
    high: dict[str, float]
    width: float
    apart: float

    def least(self, keys: Iterable[str]) -> float:
        """The smallest known share over these measures; 1 over none."""
        known = [self.shares[key] for key in keys if key in self.shares]
        return min((share for share in known if share == share), default=1.0)

    def covers(self, keys: Iterable[str]) -> bool:
        """Whether it covers all of these measures."""
        return self.least(keys) >= COVERED


def candidates(moved: Sequence[Gap], own: str) -> list[Candidate]:
    """The pipelines to try: the run's `own`, those built for the measures that moved, the saved and the shipped ones.

    Those that leave every image as it is and those that cannot be read are left out; so are repeats.
    """
    offered = [Candidate(own, "As this run was trained", "", OWN)]
    offered += [
        Candidate(text, f"Built, strength × {factor:g}", "", BUILT)
        for factor, text in zip(FACTORS, built(moved), strict=False)
    ]
    offered += [Candidate(name, name, "", SAVED) for name in saved_pipelines()]
    offered += [Candidate(one.name, one.title, "", NAMED) for one in PIPELINES.values() if one.name != NONE]
    found: dict[str, Candidate] = {}
    for each in offered:
        try:
            parsed = resolve(each.name)
        except BloodappError:  # a saved text that names what is no more
            continue
        written = pipeline_text(parsed)
        if changes(parsed) and written not in found:
            found[written] = Candidate(each.name, each.title, written, each.kind)
    return list(found.values())


def built(moved: Sequence[Gap]) -> list[str]:
    """Pipelines of the operations that move the measures that moved, one of each of FACTORS, as text; of none none.

    No strength goes so far that the cell is lost: no lamp below 0.3 of its light, say.
    """
    steps = list(dict.fromkeys(step for one in moved if one.key in MEASURES for step in _steps(one)))
    if not steps:
        return []
    if len(steps) > _MOST_AT_ONCE:
        steps = [f"sometimes(0.5; {step})" for step in steps]
    pipeline = parse("|".join(steps))
    texts = [f"{_TURNS}|{pipeline_text(_bounded(scaled(pipeline, factor)))}" for factor in FACTORS]
    return texts


def _steps(gap: Gap) -> list[str]:
    """The operations that move a measure to where the target images have it, below or above or both."""
    measure = MEASURES[gap.key]
    wanted = [ends for ends, needed in (((0, min), gap.below), ((-1, max), gap.above)) if needed]
    if gap.key != LIGHT:
        return [measure.fewer if end == 0 else measure.further for end, _ in wanted]
    # A lamp multiplies: several strengths of it, a little beyond the outermost images.
    branches = ["none"]
    for end, outermost in wanted:
        ratio = outermost(gap.target[place] / max(gap.train[place], 1.0) for place in (end, 2))
        far = min(max(1 + _BEYOND * (ratio - 1), _DARKEST), 3.0)
        branches += [f"scaleabs({1 + (far - 1) * part:.3f}, 0)" for part in (1 / 3, 2 / 3, 1)]
    return [f"oneof({'; '.join(branches)})"] if wanted else []


@dataclass(frozen=True, eq=False)
class Likeness:
    """How near an image comes to others in all measures at once.

    Attributes:
        scales: float64 (M,), the unit of each measure.
        usual: the distance, in these units, of unseen training images to the nearest of those that are drawn on.
    """

    scales: Table
    usual: float

    def apart(self, target: Table, drawn: Table) -> float:
        """The median distance of target images (K, M) to the nearest draw (N, M), in units of the usual one."""
        return _apart(target / self.scales, drawn / self.scales) / self.usual


def likeness(train: Table, drawn_from: npt.NDArray[np.int64], scales: Table) -> Likeness:
    """What distance is usual, from the measures (T, M) of training images, of which some are drawn on."""
    others = np.setdiff1d(np.arange(len(train)), drawn_from)
    found = _apart(train[others] / scales, train[drawn_from] / scales) if len(others) else 0.0
    return Likeness(scales, found or 1.0)


def cover(candidate: Candidate, drawn: Table, plain: Table, target: Table, likeness: Likeness) -> Cover:
    """What a pipeline covers, from measures (N, M) of its draws, of the images as they are, and of the target."""
    shares, lows, highs, widths = {}, {}, {}, []
    for place, (key, measure) in enumerate(MEASURES.items()):
        low, high = ends(drawn[:, place])
        lows[key], highs[key] = low, high
        shares[key] = within(target[:, place], low, high)
        before = ends(plain[:, place])
        if not np.isnan([low, high, *before]).any():
            widths.append(np.log(max(high - low, measure.least) / max(before[1] - before[0], measure.least)))
    width = float(np.exp(np.mean(np.maximum(widths, 0)))) if widths else 1.0
    return Cover(candidate, shares, lows, highs, width, likeness.apart(target, drawn))


def ends(values: Table) -> tuple[float, float]:
    """Where the middle 95 % of values (N,) begin and end, NaN left out; NaN of none."""
    known = values[~np.isnan(values)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.quantile(known, ENDS)
    return float(low), float(high)


def within(values: Table, low: float, high: float) -> float:
    """The share of values (N,) within a range, NaN left out; NaN of none."""
    known = values[~np.isnan(values)]
    return float(((known >= low) & (known <= high)).mean()) if len(known) else float("nan")


def advised(covers: Sequence[Cover], plain: Cover, keys: Sequence[str]) -> list[Cover]:
    """Those to train with, the nearest to the target images first: of those that cover all of these measures.

    Where none covers, of those that hold at least HALF of the images in each. Left out is what comes no nearer to the
    target images than the training images as they are or than the run's own pipeline, what stays more than CLEARLY
    times as far away as the nearest, and more than LARGE times as far as unseen training images: such ranges hold the
    target images without one draw that looks like them. The run's own stands first where it covers and is among these:
    then nothing has to be trained anew; else it is not advised.
    """
    own = next((one for one in covers if one.candidate.kind == OWN), None)
    before = min(plain.apart, own.apart) if own else plain.apart
    kept = [one for one in covers if one is not own and one.apart < before and one.apart <= LARGE]
    if own and own.covers(keys) and own.apart <= min(plain.apart, LARGE):
        kept.append(own)
    kept = [one for one in kept if one.covers(keys)] or [one for one in kept if one.least(keys) >= HALF]
    nearest_of_all = min((one.apart for one in kept), default=0.0)
    kept = [one for one in kept if one.apart <= CLEARLY * nearest_of_all]
    return sorted(kept, key=lambda one: (one is not own, one.apart, one.width))


def promising(covers: Sequence[Cover], plain: Cover, keys: Sequence[str]) -> list[Cover]:
    """Of covers from a first look on fewer draws those that may be `advised` on more, and the run's own.

    Left out is what fails a bar of `advised` by more than SLACK or SHARE; `plain` are the same fewer images. Where none
    seems to cover, shares are not gone by, and SELDOM is the bar: what is drawn seldom shows in many draws only.
    """
    own = next((one for one in covers if one.candidate.kind == OWN), None)
    before = min(plain.apart, own.apart, LARGE) if own else min(plain.apart, LARGE)
    if not any(one.apart <= before and one.least(keys) >= COVERED + SHARE / 3 for one in covers):
        return [one for one in covers if one is own or one.apart <= SELDOM * before]
    kept = [one for one in covers if one.apart <= SLACK * before and one.least(keys) >= COVERED - SHARE]
    sure = [one for one in kept if one.apart <= before / SLACK and one.least(keys) >= COVERED + SHARE / 3]
    limit = SLACK * CLEARLY * min((one.apart for one in sure), default=LARGE)
    kept = [one for one in kept if one.apart <= limit]
    return [one for one in covers if one is own or one in kept]


def ordered(covers: Sequence[Cover], plain: Cover, keys: Sequence[str]) -> list[Cover]:
    """All of them: those that are `advised` first, then the others, the nearest to the target images first."""
    first = advised(covers, plain, keys)
    return first + sorted((one for one in covers if one not in first), key=lambda one: one.apart)


def _apart(points: Table, among: Table) -> float:
    # What an image has nothing of is as in the middle of the others: it tells nothing of likeness.
    return float(np.median(nearest(np.nan_to_num(points), np.nan_to_num(among), neighbours=1)))


def _bounded(pipeline: Pipeline) -> Pipeline:
    """Its values within _KEPT, with three digits after the point; of equal choices one."""

    def values(step: Step) -> tuple[float, ...]:
        first, rest = step.values[:1], step.values[1:]
        if step.name in _KEPT:
            first = tuple(min(max(value, _KEPT[step.name][0]), _KEPT[step.name][1]) for value in first)
        return tuple(round(value, 3) for value in (*first, *rest))

    return Pipeline(
        tuple(
            Step(step.name, values(step), tuple(dict.fromkeys(map(_bounded, step.branches))))
            for step in pipeline.steps
        )
    )
