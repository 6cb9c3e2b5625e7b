"""The safety meter: known answers from a predictor that decides by brightness, and draws that a test decides."""

from itertools import pairwise

import numpy as np
import pytest

from bloodapp.augment.pipelines import Pipeline, parse
from bloodapp.data.counts import wilson
from bloodapp.errors import Stopped
from bloodapp.evaluate import safety
from bloodapp.evaluate.safety import STRENGTHS, Meter, evenly, measure

SIDE = 16
LIMIT = 128
LEVELS = np.array([60, 90, 110, 120, 125, 140, 160, 200])
"""Grey levels of the images: darker than LIMIT is class 0, brighter class 1."""


class ByBrightness:
    """Says class 1 for images brighter than LIMIT, the surer the further away.

    Attributes:
        size: of the images it takes.
        asked: how many images it was shown.
    """

    size = SIDE

    def __init__(self) -> None:
        self.asked = 0

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Probabilities float32 (N, 2)."""
        assert images.shape[1:] == (SIDE, SIDE, 3)
        self.asked += len(images)
        bright = 1 / (1 + np.exp(-(images.mean((1, 2, 3)) - LIMIT) / 20))
        return np.stack([1 - bright, bright], 1).astype(np.float32)


def brighter(
    images: np.ndarray, labels: np.ndarray, classes: int, pipeline: Pipeline, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Adds `beta` of scaleabs to every pixel: what the layers do, without them."""
    added = sum(step.numbers[1] for step in pipeline.steps if step.name == "scaleabs")
    weights = np.eye(classes, dtype=np.float32)[labels]
    return np.clip(images + added, 0, 255).astype(np.uint8), weights


def flat(levels: np.ndarray = LEVELS) -> np.ndarray:
    """One image of an even grey for each level."""
    return np.broadcast_to(levels[:, None, None, None], (len(levels), SIDE, SIDE, 3)).astype(np.uint8)


def measured(text: str, draws: safety.Draws = brighter, levels: np.ndarray = LEVELS) -> safety.Safety:
    """The meter's result for flat images whose labels are right."""
    rows = np.arange(len(levels))
    labels = (levels > LIMIT).astype(np.int64)
    return measure(flat(levels), rows, labels, parse(text), ByBrightness(), draws=draws)


def test_doing_nothing_changes_no_answer() -> None:
    """`none` and what is switched off flip nothing, cost no confidence, and are safe at every strength."""
    result = measured("off(scaleabs(1, 100))")
    assert [curve.name for curve in result.curves] == [safety.WHOLE]
    assert result.clean == 1
    assert (result.whole.flips()[:, 0] == 0).all()
    assert (result.whole.falls()[:, 0] == 0).all()
    assert result.whole.destroyed_at() is None
    assert result.whole.safe_to() == STRENGTHS[-1]
    assert result.ranked() == []


def test_an_answer_flips_where_brightness_crosses_the_limit() -> None:
    """At each strength exactly those images change their class that the added grey levels carry over the limit."""
    result = measured("scaleabs(1, 20)")
    for place, strength in enumerate(STRENGTHS):
        crossed = (LEVELS <= LIMIT) & (LEVELS + 20 * strength > LIMIT)
        assert result.whole.flipped()[place].tolist() == crossed.tolist()
        assert result.whole.accuracy()[place, 0] == 1 - crossed.mean()
    assert result.original.tolist() == (LEVELS > LIMIT).astype(int).tolist()


def test_stronger_changes_flip_no_less_and_cost_no_less() -> None:
    """Shares of flips and losses of the dark images' confidence grow with the strength."""
    result = measured("scaleabs(1, 60)", levels=LEVELS[LEVELS < LIMIT])
    for figures in (result.whole.flips()[:, 0], result.whole.falls()[:, 0]):
        assert all(before <= after + 1e-9 for before, after in pairwise(figures))
    assert result.whole.falls()[-1, 0] > 0.3


def test_destroyed_begins_where_the_threshold_is_passed() -> None:
    """The smallest strength with more flips than the threshold; safe up to the place between two strengths."""
    levels = np.concatenate([np.full(5, 124), np.full(5, 112), np.full(10, 10)])
    whole = measured("scaleabs(1, 20)", levels=levels).whole
    # 25 % flip as soon as 5 levels are added (strength 0.5), 50 % from 17 on (strength 1).
    assert whole.flips()[:, 0].tolist() == [0, 0.25, 0.25, 0.25, 0.5, 0.5, 0.5, 0.5]
    assert whole.destroyed_at(0.2) == 0.25
    assert whole.destroyed_at(0.25) == 1.0
    assert whole.destroyed_at(0.5) is None
    assert whole.safe_to(0.25) == 0.75
    assert whole.safe_to(0.375) == pytest.approx(0.875)
    assert whole.safe_to(0.125) == pytest.approx(0.125)


def test_a_side_is_taken_by_the_whole_interval() -> None:
    """Over or under the threshold with all of its 95 %; what holds the threshold takes none, nor what is unknown."""
    whole = measured("scaleabs(1, 20)", levels=np.repeat([124, 10], [30, 70])).whole
    assert whole.flips()[-1, 0] == 0.3
    assert whole.flips()[-1, 1] == pytest.approx(0.219, abs=0.001)
    assert whole.flips()[-1, 2] == pytest.approx(0.396, abs=0.001)
    assert [whole.sides(threshold)[-1] for threshold in (0.2, 0.25, 0.3, 0.35, 0.4)] == [1, 0, 0, 0, -1]
    assert whole.sides(0.2)[0] == -1
    meter = Meter(flat(), np.arange(8), np.zeros(8, np.int64), parse("flip"), ByBrightness(), draws=brighter)
    assert not meter.result().whole.sides().any()


def test_each_operation_is_measured_alone() -> None:
    """Operations inside choices have a curve of their own, with how often they are met; the worst is named."""
    result = measured("oneof(scaleabs(1, 5); none; sometimes(0.5; scaleabs(1, 60)))|off(blur(2))")
    assert [(curve.name, round(curve.often, 3)) for curve in result.curves[1:]] == [
        ("scaleabs", 0.333),
        ("scaleabs", 0.167),
    ]
    worst = result.ranked(1.0)[0]
    assert worst is result.curves[2]
    # At × 0 both change nothing: then the one that does at all strengths together comes first, too.
    assert result.ranked(0.0)[0] is worst
    assert worst.flips()[STRENGTHS.index(1.0), 0] == 0.5  # 90, 110, 120 and 125 of eight
    assert worst.capped is None
    assert measured("scaleabs(1, 100)").whole.capped == 1.5


def test_mixed_images_are_held_against_the_larger_share() -> None:
    """An image that is mostly its neighbour is no flip when the answer is the neighbour's."""

    def neighbours(
        images: np.ndarray, labels: np.ndarray, classes: int, pipeline: Pipeline, seed: int
    ) -> tuple[np.ndarray, np.ndarray]:
        own = np.eye(classes, dtype=np.float32)[labels]
        return np.roll(images, 1, 0), 0.3 * own + 0.7 * np.roll(own, 1, 0)

    result = measured("cutmix", neighbours)
    assert result.whole.mixes
    assert result.curves[1].mixes
    assert (result.whole.flips()[:, 0] == 0).all()
    assert (result.whole.accuracy()[:, 0] == 1).all()
    assert result.whole.expected[-1].tolist() == np.roll(result.original, 1).tolist()


def test_what_is_known_first_is_the_pipeline_as_it_is() -> None:
    """The meter works in steps: strength 1 of the whole comes first, unknown figures are NaN, two asks agree."""
    rows, labels = np.arange(len(LEVELS)), (LEVELS > LIMIT).astype(np.int64)
    meter = Meter(flat(), rows, labels, parse("scaleabs(1, 20)|flip"), ByBrightness(), draws=brighter)
    assert not meter.advance(0)
    whole = meter.result().whole
    assert whole.measured.tolist() == [strength == 1 for strength in STRENGTHS]
    assert np.isnan(whole.flips()[0]).all()
    while not meter.advance(0):
        assert meter.done < meter.steps
    assert meter.done == meter.steps
    assert meter.result().done
    again = measured("scaleabs(1, 20)|flip")
    assert (again.whole.flips() == meter.result().whole.flips()).all()
    assert (
        meter.look(meter.result().whole, 2.0) == brighter(flat(), labels, 2, parse("scaleabs(1, 40)"), 1)[0]
    ).all()


def test_stops_and_tells_how_far_it_is() -> None:
    """Progress ends at its end; asked to stop it raises."""
    told: list[tuple[int, int]] = []
    rows, labels = np.arange(len(LEVELS)), np.zeros(len(LEVELS), np.int64)
    arguments = (flat(), rows, labels, parse("scaleabs(1, 20)"), ByBrightness())
    measure(*arguments, draws=brighter, progress=lambda done, total: told.append((done, total)))
    assert told[-1][0] == told[-1][1]
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    with pytest.raises(Stopped):
        measure(*arguments, draws=brighter, stopped=lambda: True)


def test_other_sizes_are_made_the_runs() -> None:
    """Images of another size are resized before they are drawn."""
    rows = np.arange(2)
    images = np.full((2, 40, 40, 3), 90, np.uint8)
    result = measure(
        images, rows, np.zeros(2, np.int64), parse("scaleabs(1, 20)"), ByBrightness(), draws=brighter
    )
    assert result.clean == 1


def test_batch_choices_are_drawn_for_small_groups() -> None:
    """A pipeline that draws for whole batches is drawn in groups, each with a seed of its own."""
    seen: list[tuple[int, int]] = []

    def remember(
        images: np.ndarray, labels: np.ndarray, classes: int, pipeline: Pipeline, seed: int
    ) -> tuple[np.ndarray, np.ndarray]:
        seen.append((len(images), seed))
        return brighter(images, labels, classes, pipeline, seed)

    levels = np.tile(LEVELS, 2)
    measured("sometimes(0.5, batch; scaleabs(1, 20))", remember, levels)
    assert {count for count, _ in seen[:2]} == {safety.GROUP}
    assert len({seed for _, seed in seen[:2]}) == 2
    seen.clear()
    measured("scaleabs(1, 20)", remember, levels)
    assert {count for count, _ in seen} == {len(levels)}


@pytest.mark.parametrize("share", [0.02, 0.2, 0.5])
def test_the_interval_covers(share: float) -> None:
    """Of 2,000 samples of 120 images at least 93 % of the intervals hold the true share."""
    hits = np.random.default_rng(3).binomial(120, share, 2000)
    covered = [low <= share <= high for _, low, high in (wilson(int(hit), 120) for hit in hits)]
    assert np.mean(covered) > 0.93
    assert wilson(0, 120)[1] == 0
    assert wilson(0, 120)[2] > 0.02
    assert np.isnan(wilson(0, 0)).all()


def test_the_images_are_even_over_the_classes() -> None:
    """As many of each class as there are, seeded, ascending, none twice."""
    labels = np.array([0] * 50 + [1] * 5 + [2] * 50)
    chosen = evenly(labels, np.arange(105), 30, seed=1)
    assert np.bincount(labels[chosen]).tolist() == [13, 5, 12]
    assert (np.diff(chosen) > 0).all()
    assert chosen.tolist() == evenly(labels, np.arange(105), 30, seed=1).tolist()
    assert chosen.tolist() != evenly(labels, np.arange(105), 30, seed=2).tolist()
    assert evenly(labels, np.arange(0), 30, seed=1).tolist() == []
