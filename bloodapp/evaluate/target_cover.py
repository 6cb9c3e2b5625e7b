"""Which augmentation would make training images as different as the target images are.

The training images are drawn as a training draws them, by the layers that train, and measured. A pipeline covers a
measure when nearly all target images lie within the range that 95 % of its draws lie in. The smallest that covers is
advised: what it widens beyond need, a network has to learn for nothing.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bloodapp.augment.named import NONE, PIPELINES
from bloodapp.augment.pipelines import Pipeline, changes, parse, resolve, scaled
from bloodapp.augment.pipelines import text as pipeline_text
from bloodapp.augment.saved import saved_pipelines
from bloodapp.errors import BloodappError
from bloodapp.evaluate.target_distance import Gap
from bloodapp.evaluate.target_measures import MEASURES

Table = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.uint8]
Draws = Callable[[Pixels, Pipeline], Pixels]
"""Images uint8 (N, S, S, 3) as a pipeline draws them, the same shape."""

COVERED = 0.9
"""Share of the target images within the range from which a pipeline covers a measure; of its own draws it is 0.95."""

ENDS = (0.025, 0.975)
OWN, NAMED, SAVED, BUILT = "own", "named", "saved", "built"
_FACTORS = (0.5, 1.0, 2.0, 3.0)
_TURNS = "flip|quarterturn"  # move no measure, and are right for cells whatever the microscope


@dataclass(frozen=True)
class Candidate:
    """A pipeline that may cover the distance.

    Attributes:
        name: as typed: a name that stands for it, or its text.
        title: as read.
        text: written out.
        kind: OWN for the one that the run was trained with, NAMED, SAVED, or BUILT for the measures that moved.
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
    """

    candidate: Candidate
    shares: dict[str, float]
    low: dict[str, float]
    high: dict[str, float]
    width: float

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
    offered += [Candidate(each, "Built for this drop", "", BUILT) for each in built(moved)]
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
    """Pipelines of the operations that move the measures that moved, from gentle to strong, as text; none for none."""
    known = [(MEASURES[one.key], one) for one in moved if one.key in MEASURES]
    steps = [
        step
        for measure, one in known
        for step, wanted in ((measure.fewer, one.below), (measure.further, one.above))
        if wanted
    ]
    steps = list(dict.fromkeys(steps))
    if not steps:
        return []
    pipeline = parse("|".join(steps))
    texts = [f"{_TURNS}|{pipeline_text(_rounded(scaled(pipeline, factor)))}" for factor in _FACTORS]
    return list(dict.fromkeys(texts))


def cover(candidate: Candidate, drawn: Table, plain: Table, target: Table) -> Cover:
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
    return Cover(candidate, shares, lows, highs, width)


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


def ordered(covers: Sequence[Cover], keys: Sequence[str]) -> list[Cover]:
    """The advisable first: those that cover these measures, the least wide first, then the others by how much they do.

    The run's own comes first where it covers: then nothing has to be trained anew.
    """

    def order(one: Cover) -> tuple[bool, bool, float, float]:
        covering = one.covers(keys)
        own = covering and one.candidate.kind == OWN
        return not covering, not own, 0.0 if covering else -round(one.least(keys), 2), one.width

    return sorted(covers, key=order)


def _rounded(pipeline: Pipeline) -> Pipeline:
    """Its values with three digits after the point."""
    return Pipeline(
        tuple(
            type(step)(step.name, tuple(round(value, 3) for value in step.values), step.branches)
            for step in pipeline.steps
        )
    )
