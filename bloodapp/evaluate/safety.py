"""The safety meter: how strong a pipeline may be before a model no longer knows its own answers again.

The same images are drawn at growing strengths and shown to a finished run; what is counted is how often its answer
changes, against its own answer on the original, and how much surer it was before. That judges the pipeline and the
model alike: a model trained without such changes loses its way earlier.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from bloodapp.augment.pipelines import Pipeline, changes, mixes, scaled
from bloodapp.augment.strengths import alone, capped
from bloodapp.data.counts import Z, wilson
from bloodapp.data.images import to_square
from bloodapp.errors import Stopped

STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
"""Of what the pipeline says."""

THRESHOLD = 0.2
"""Share of changed answers beyond which images count as destroyed, unless one says otherwise."""

IMAGES = 120
GROUP = 8
"""Images that share a draw where a pipeline draws for whole batches: one batch alone would tell of one branch."""

WHOLE = "whole pipeline"

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Pixels = npt.NDArray[np.uint8]
Drawn = tuple[Pixels, npt.NDArray[np.float32]]
Draws = Callable[[Pixels, Ints, int, Pipeline, int], Drawn]
"""images uint8 (N, S, S, 3), labels (N,), number of classes C, pipeline, seed → results, label weights (N, C)."""


class Predicts(Protocol):
    """What answers: a `Predictor`, or anything like it."""

    size: int

    def predict(self, images: Pixels) -> npt.NDArray[np.float32]:
        """Probabilities float32 (N, C) of images uint8 (N, S, S, 3)."""


@dataclass(frozen=True, eq=False)
class Curve:
    """One pipeline at all strengths: the whole, or one of its operations alone.

    Attributes:
        name: the operation, or WHOLE.
        pipeline: at strength 1.
        often: how often an image meets it within the whole pipeline, 0 to 1.
        mixes: whether it mixes images; then the answer on the image with the larger share counts as the original's.
        capped: the first of the strengths at which a value is at the limit of its operation, or None.
        expected: int64 (S, N), the answer on the original, at each strength.
        answers: int64 (S, N), the answer on what was drawn; -1 where that is not measured yet.
        loss: float64 (S, N), probability of the expected answer on the original minus that on what was drawn.
        right: bool (S, N), whether the answer is the given label.
    """

    name: str
    pipeline: Pipeline
    often: float
    mixes: bool
    capped: float | None
    expected: Ints
    answers: Ints
    loss: Floats
    right: npt.NDArray[np.bool_]

    @property
    def measured(self) -> npt.NDArray[np.bool_]:
        """Which strengths are measured in full, bool (S,)."""
        whole: npt.NDArray[np.bool_] = np.all(self.answers >= 0, axis=1)
        return whole

    def flipped(self) -> npt.NDArray[np.bool_]:
        """Which answers changed, bool (S, N)."""
        changed: npt.NDArray[np.bool_] = self.answers != self.expected
        return changed

    def flips(self) -> Floats:
        """Share of changed answers with its 95 % interval (Wilson), float64 (S, 3); NaN where not measured."""
        return self._shares(self.flipped())

    def accuracy(self) -> Floats:
        """Share of right answers with its 95 % interval (Wilson), float64 (S, 3); NaN where not measured."""
        return self._shares(self.right)

    def falls(self) -> Floats:
        """Mean fall of the probability of the original answer with its 95 % interval, float64 (S, 3)."""
        mean = self.loss.mean(1)
        # Normal: a mean of a hundred bounded figures.
        reach = (
            Z * self.loss.std(1, ddof=1) / np.sqrt(max(self.loss.shape[1], 1))
            if self.loss.shape[1] > 1
            else 0
        )
        table = np.stack([mean, mean - reach, mean + reach], 1)
        return np.where(self.measured[:, None], table, np.nan)

    def _shares(self, hits: npt.NDArray[np.bool_]) -> Floats:
        table = np.stack([wilson(int(row.sum()), len(row)) for row in hits])
        return np.where(self.measured[:, None], table, np.nan)

    def sides(self, threshold: float = THRESHOLD) -> Ints:
        """int64 (S,): 1 where all of the interval is above the threshold, -1 where none is, 0 else or where unknown."""
        table = self.flips()
        return (table[:, 1] > threshold).astype(np.int64) - (table[:, 2] <= threshold)

    def destroyed_at(self, threshold: float = THRESHOLD) -> float | None:
        """The smallest measured strength above 0 at which more answers change than the threshold; None: at none."""
        beyond = np.flatnonzero(self.measured & (self.flips()[:, 0] > threshold) & (np.array(STRENGTHS) > 0))
        return STRENGTHS[beyond[0]] if len(beyond) else None

    def safe_to(self, threshold: float = THRESHOLD) -> float:
        """The strength up to which it is safe, between two measured ones by a straight line; the last if always.

        That is an estimate, see `sides`. Only where all strengths are measured.
        """
        share = self.flips()[:, 0]
        destroyed = self.destroyed_at(threshold)
        if destroyed is None:
            return STRENGTHS[-1]
        place = STRENGTHS.index(destroyed)
        before, after = float(share[place - 1]), float(share[place])
        if not before <= threshold:  # beyond it at strength 0 already, or not measured
            return 0.0
        part = (threshold - before) / (after - before)
        return STRENGTHS[place - 1] + part * (destroyed - STRENGTHS[place - 1])


@dataclass(frozen=True, eq=False)
class Safety:
    """What was measured.

    Attributes:
        curves: the whole pipeline first, then each of its operations alone.
        index: int64 (N,), rows of the dataset.
        labels: int64 (N,), in the run's class order.
        original: int64 (N,), the run's answers on the originals.
        clean: accuracy on the originals.
        seed: of the draws.
    """

    curves: tuple[Curve, ...]
    index: Ints
    labels: Ints
    original: Ints
    clean: float
    seed: int

    @property
    def whole(self) -> Curve:
        """The whole pipeline."""
        return self.curves[0]

    @property
    def done(self) -> bool:
        """Whether all of it is measured."""
        return all(curve.measured.all() for curve in self.curves)

    def ranked(self, strength: float = 1.0) -> list[Curve]:
        """The operations, those that change most answers at a strength first; of equals, those that do at all."""
        place = STRENGTHS.index(strength)

        def order(curve: Curve) -> tuple[float, float]:
            share = curve.flips()[:, 0]
            return -float(np.nan_to_num(share[place], nan=-1)), -float(np.nansum(share))

        return sorted(self.curves[1:], key=order)


class Meter:
    """Measures in steps, so that who asks can show what is known so far and answer others in between.

    Attributes:
        steps: how many there are.
        done: how many are done.
    """

    def __init__(
        self,
        images: Pixels,
        index: Ints,
        labels: Ints,
        pipeline: Pipeline,
        predictor: Predicts,
        *,
        seed: int = 1,
        draws: Draws | None = None,
    ) -> None:
        """Take what `measure` takes; nothing is drawn yet."""
        self.index, self.labels, self.seed = index, labels, seed
        self._predictor, self._draws = predictor, draws or drawn
        size = predictor.size
        self._images = (
            images if images.shape[1] == size else np.stack([to_square(image, size) for image in images])
        )
        self._before: npt.NDArray[np.float32] | None = None
        self._guard = threading.RLock()  # two tabs may ask for the same
        self._curves = [_empty(WHOLE, pipeline, 1.0, len(images))]
        self._curves += [
            _empty(one.step.name, one.pipeline, one.often, len(images))
            for one in alone(pipeline)
            if not one.off
        ]
        # The strength that the pipeline has is known first, of the whole before its parts; what lies beside it follows.
        order = sorted(range(len(STRENGTHS)), key=lambda place: abs(STRENGTHS[place] - 1))
        self._left = [
            (curve, place) for places in (order[:1], order[1:]) for curve in self._curves for place in places
        ]
        self.steps, self.done = len(self._left) + 1, 0

    def advance(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> bool:
        """Work for about so long, at least one step; whether all is done."""
        begun = clock()
        with self._guard:
            while self.done < self.steps:
                self._step()
                if clock() - begun >= seconds:
                    break
        return self.done >= self.steps

    def result(self) -> Safety:
        """What is known so far."""
        before = self._known()
        original = before.argmax(1).astype(np.int64)
        clean = float((original == self.labels).mean()) if len(original) else float("nan")
        return Safety(tuple(self._curves), self.index, self.labels, original, clean, self.seed)

    def _known(self) -> npt.NDArray[np.float32]:
        if self._before is None:
            self._before = self._predictor.predict(self._images)
            self.done += 1
        return self._before

    def _step(self) -> None:
        before = self._known()
        if not self._left:
            return
        curve, place = self._left.pop(0)
        pipeline = scaled(curve.pipeline, STRENGTHS[place])
        expected, given, after = before.argmax(1).astype(np.int64), self.labels, before
        sure = before.max(1)
        if changes(pipeline):
            # Labels here are the answers on the originals: what is mixed then tells whose answer is to be expected.
            images, expected = self._draw(expected, pipeline)
            if curve.mixes:
                given = self._draw(self.labels, pipeline)[1]
            after = self._predictor.predict(images)
        curve.expected[place] = expected
        curve.loss[place] = sure - after[np.arange(len(after)), expected]
        curve.answers[place] = after.argmax(1)
        curve.right[place] = curve.answers[place] == given
        self.done += 1

    def look(self, curve: Curve, strength: float) -> Pixels:
        """The images as they were drawn for a curve at a strength, uint8 (N, S, S, 3), and none is kept."""
        pipeline = scaled(curve.pipeline, strength)
        if not changes(pipeline):
            return self._images
        return self._draw(self._known().argmax(1).astype(np.int64), pipeline)[0]

    def _draw(self, labels: Ints, pipeline: Pipeline) -> tuple[Pixels, Ints]:
        """All images as they are drawn, and the label that has the largest share of each."""
        classes = self._known().shape[1]
        group = GROUP if _by_batch(pipeline) else max(len(labels), 1)
        blocks = [
            self._draws(
                self._images[start : start + group],
                labels[start : start + group],
                classes,
                pipeline,
                self.seed + 1000 * start,
            )
            for start in range(0, len(labels), group)
        ]
        images, weights = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
        return images, weights.argmax(1).astype(np.int64)


def measure(
    images: Pixels,
    index: Ints,
    labels: Ints,
    pipeline: Pipeline,
    predictor: Predicts,
    *,
    seed: int = 1,
    draws: Draws | None = None,
    progress: Callable[[int, int], None] | None = None,
    stopped: Callable[[], bool] | None = None,
) -> Safety:
    """Measure the whole pipeline and each of its operations at all strengths.

    Args:
        images: uint8 (N, H, H, 3); another size than the run's is resized.
        index: int64 (N,), their rows in the dataset.
        labels: int64 (N,), in the run's class order.
        pipeline: what is drawn.
        predictor: the run that answers.
        seed: of the draws.
        draws: who draws; the layers that train unless a test says otherwise.
        progress: told steps done and in all.
        stopped: asked after each step; raises Stopped when it says so.
    """
    meter = Meter(images, index, labels, pipeline, predictor, seed=seed, draws=draws)
    while not meter.advance(0):
        if progress:
            progress(meter.done, meter.steps)
        if stopped and stopped():
            raise Stopped("Stopped before all strengths were measured.")
    if progress:
        progress(meter.steps, meter.steps)
    return meter.result()


def evenly(labels: Ints, rows: Ints, count: int, seed: int) -> Ints:
    """At most `count` of the rows, as even over their labels as there are, drawn by the seed, ascending."""
    rng = np.random.default_rng(seed)
    shuffled = [rng.permutation(rows[labels[rows] == label]) for label in np.unique(labels[rows])]
    longest = max((len(each) for each in shuffled), default=0)
    turns = [int(each[turn]) for turn in range(longest) for each in shuffled if turn < len(each)]
    return np.array(sorted(turns[:count]), np.int64)


def drawn(images: Pixels, labels: Ints, classes: int, pipeline: Pipeline, seed: int) -> Drawn:
    """What the layers that train make of images; see `Draws`."""
    from bloodapp.augment.preview import preview  # TensorFlow

    return preview(images, labels, classes, pipeline, seed)


def _by_batch(pipeline: Pipeline) -> bool:
    """Whether a choice in the pipeline is made for whole batches."""
    return any(
        (step.name in ("oneof", "sometimes") and bool(step.numbers[-1]))
        or any(_by_batch(branch) for branch in step.branches)
        for step in pipeline.steps
    )


def _empty(name: str, pipeline: Pipeline, often: float, images: int) -> Curve:
    shape = (len(STRENGTHS), images)
    limit = next((strength for strength in STRENGTHS if capped(pipeline, strength)), None)
    return Curve(
        name,
        pipeline,
        often,
        bool(mixes(pipeline)),
        limit,
        np.zeros(shape, np.int64),
        np.full(shape, -1, np.int64),
        np.zeros(shape),
        np.zeros(shape, bool),
    )
