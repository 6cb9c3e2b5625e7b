"""Sets of classes: coverage is as promised on exchangeable images, for every method and promise."""

import math
from pathlib import Path

import numpy as np
import pytest

from bloodapp.errors import InvalidValue
from bloodapp.evaluate import conformal as room
from bloodapp.evaluate.conformal import METHODS, bar, bars_by_class, coverages, doubts, judge, resplit, sets
from bloodapp.runs import calibration
from bloodapp.runs.run import open_run
from tests.runs.test_calibration import cells

FITTED = cells(4000, 2.0, seed=1)
OTHERS = cells(8000, 2.0, seed=2)


@pytest.mark.parametrize(
    ("fitted", "judged", "promise"), [(1190, 1194, 0.9), (599, 595, 0.95), (60, 40, 0.8)]
)
def test_coverage_lies_where_it_is_expected(fitted: int, judged: int, promise: float) -> None:
    """Of 4,000 draws of both parts nearly 95 % have a coverage in the range, and as many lie below as above it."""
    low, high = room.expected(fitted, judged, promise)
    assert low < promise < high
    rng = np.random.default_rng(0)
    found = np.array(
        [
            (rng.random(judged) <= calibration.quantile(rng.random(fitted), promise)).mean()
            for _ in range(4000)
        ]
    )
    inside = (found >= low) & (found <= high)
    # Whole images: a little more than 95 %, the more the fewer there are.
    assert 0.94 <= inside.mean() <= 0.985
    assert (found < low).mean() <= 0.035 and (found > high).mean() <= 0.035


def test_the_expected_range_is_the_beta_binomials() -> None:
    """SciPy's quantiles; every class where too few images fit, nothing known without images to judge."""
    from scipy.stats import betabinom

    for fitted, judged, promise in ((1190, 1194, 0.9), (599, 595, 0.95), (50, 7, 0.8)):
        place = math.ceil((fitted + 1) * promise)
        wanted = betabinom(judged, place, fitted + 1 - place).ppf([0.025, 0.975]) / judged
        assert room.expected(fitted, judged, promise) == pytest.approx(tuple(wanted))
    assert room.expected(50, 100, 0.99) == (1.0, 1.0)
    assert np.isnan(room.expected(50, 0, 0.9)).all()


def test_choosing_the_epoch_on_the_same_images_costs_little() -> None:
    """The best of ten networks by the images that fit the bar: on others it covers what was promised, within a point.

    So a coverage two points under the promise on 1,194 images is the draw of the images, not of the epoch.
    """
    rng, n, found = np.random.default_rng(0), 600, []
    for _ in range(60):
        labels = rng.integers(0, 4, 2 * n)
        shared = rng.normal(0, 1, (2 * n, 4))
        shared[np.arange(2 * n), labels] += rng.normal(2.5, 1.5, 2 * n)
        networks = [shared + rng.normal(0, 0.3, shared.shape) for _ in range(10)]
        best = max(networks, key=lambda scores: (scores[:n].argmax(1) == labels[:n]).mean())
        table = np.exp(best) / np.exp(best).sum(1, keepdims=True)
        doubts = room.doubts(table)
        limit = room.bar(labels[:n], doubts[:n], 0.9)
        found.append(room.judge(labels[n:], room.sets(doubts[n:], limit)).coverage.value)
    assert np.mean(found) == pytest.approx(0.9, abs=0.01)


@pytest.mark.parametrize("promise", [0.8, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("method", METHODS)
def test_coverage_is_as_promised(method: str, promise: float) -> None:
    """On held-out images of the same kind coverage lies within two points, though the model is over-confident."""
    limit = bar(FITTED[0], doubts(FITTED[1], method, seed=1), promise)
    found = judge(OTHERS[0], sets(doubts(OTHERS[1], method, seed=2), limit))
    assert found.coverage.value == pytest.approx(promise, abs=0.02)
    assert found.coverage.low < found.coverage.value < found.coverage.high


@pytest.mark.parametrize("method", METHODS)
def test_random_halves_keep_the_promise_on_average(method: str) -> None:
    """Over many halvings the mean coverage is the promise, closely."""
    labels, table = cells(600, 2.0, seed=5)
    assert resplit(labels, table, 0.9, method=method).mean() == pytest.approx(0.9, abs=0.006)


def test_a_sure_model_of_few_mistakes_covers_no_more_than_promised() -> None:
    """Where 99 % are right and 90 % promised, some sets stay empty: saturated float32 answers are no excuse."""
    rng = np.random.default_rng(3)
    scores = rng.normal(0, 3, (4000, 8))
    scores[:, 0] += 60
    table = (np.exp(scores) / np.exp(scores).sum(1, keepdims=True)).astype(np.float32)
    assert (table[:, 0] == 1).all()
    labels = np.zeros(4000, int)
    doubt = doubts(table)
    found = judge(labels[2000:], sets(doubt[2000:], bar(labels[:2000], doubt[:2000], 0.9)))
    assert found.coverage.value == pytest.approx(0.9, abs=0.02)
    assert found.empty == pytest.approx(0.1, abs=0.02)


def test_on_real_cells(home: Path) -> None:
    """The starter's own answers: sets fitted on val keep their promise on test, and calibration lowers the error there.

    Random halves of both, which are 1,194 cells, keep it on average within a point.
    """
    starter = open_run("starter")
    found, predictions = calibration.of(starter), starter.predictions()
    assert found is not None and predictions is not None
    val, test = predictions.only("val"), predictions.only("test")
    for promise in (0.9, 0.95, 0.99):
        limit = bar(val.label, doubts(found.apply(val.probabilities)), promise)
        kept = judge(test.label, sets(doubts(found.apply(test.probabilities)), limit)).coverage
        assert kept.value == pytest.approx(promise, abs=0.02)
        for method in METHODS:
            kept_by_halves = resplit(
                predictions.label, found.apply(predictions.probabilities), promise, method=method
            )
            assert kept_by_halves.mean() == pytest.approx(promise, abs=0.01)
    before, after = found.figures["test"]["ece"]
    assert after < 0.01 < 0.04 < before


def test_known_answers() -> None:
    """Doubts and sets of a row, worked out by hand."""
    table = np.array([[0.5, 0.3, 0.2]])
    assert doubts(table)[0] == pytest.approx([0.5, 0.7, 0.8])
    drawn = np.random.default_rng(4).random()
    assert doubts(table, "aps", seed=4)[0] == pytest.approx(
        [0.5 - 0.5 * drawn, 0.8 - 0.3 * drawn, 1 - 0.2 * drawn]
    )
    fined = doubts(table, "raps", seed=4)[0] - doubts(table, "aps", seed=4)[0]
    assert fined == pytest.approx([0, room.FINE, 2 * room.FINE])
    assert sets(doubts(table), 0.7).tolist() == [[True, True, False]]
    assert bar([0, 1], [[0.1, 0.9], [0.8, 0.2]], 0.9) == np.inf


def test_sets_are_judged() -> None:
    """Coverage, sizes, singles and empties, over all and by class; a class without images is not known."""
    found = judge([0, 0, 1, 1], np.array([[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 0]], bool))
    assert (found.coverage.value, found.size, found.single, found.empty) == (0.5, 1.0, 0.5, 0.25)
    assert found.sizes.tolist() == [1, 2, 1, 0]
    assert found.class_coverage[:2, 0].tolist() == [0.5, 0.5]
    assert found.class_size[:2].tolist() == [1, 1]
    assert np.isnan(found.class_coverage[2]).all() and np.isnan(found.class_size[2])


def test_a_bar_for_each_class_keeps_the_promise_for_each() -> None:
    """A class that is hard is covered as often as the others; one bar for all leaves it behind."""

    def uneven(seed: int) -> tuple[np.ndarray, np.ndarray]:
        labels, table = cells(6000, 1.0, seed)
        rng = np.random.default_rng(seed)
        hard = (labels == 3) & (rng.random(6000) < 0.6)
        table[hard] = table[hard][:, rng.permutation(8)]
        return labels, table

    (labels, table), (other, others) = uneven(1), uneven(2)
    doubt, further = doubts(table), doubts(others)
    one = judge(other, sets(further, bar(labels, doubt, 0.9))).class_coverage[3, 0]
    each = judge(other, sets(further, bars_by_class(labels, doubt, 0.9))).class_coverage[:, 0]
    assert one < 0.8
    assert each == pytest.approx(np.full(8, 0.9), abs=0.05)


def test_many_promises_at_once_are_the_same() -> None:
    """The curve over promises says what judging each says."""
    labels, table = FITTED[0][:500], FITTED[1][:500]
    doubt, further = doubts(table), doubts(OTHERS[1][:700])
    curve = coverages(labels, doubt, OTHERS[0][:700], further)
    for row, promise in zip(curve, room.PROMISES, strict=True):
        found = judge(OTHERS[0][:700], sets(further, bar(labels, doubt, promise)))
        assert row[0] == pytest.approx(found.coverage.value)
        assert row[3] == pytest.approx(found.size)
    assert (np.diff(curve[:, 3]) >= 0).all()


def test_an_unknown_method_is_named() -> None:
    """With the methods that there are."""
    with pytest.raises(InvalidValue, match="lac, aps, raps"):
        doubts(np.eye(3), "other")
