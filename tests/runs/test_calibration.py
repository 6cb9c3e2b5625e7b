"""calibration.json: a temperature that mends an over-confident model, and sets that keep their promise."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bloodapp.data.dataset import Dataset
from bloodapp.errors import InvalidValue, Unreadable
from bloodapp.runs import calibration
from bloodapp.runs.calibration import (
    FILE,
    best_temperature,
    expected_calibration_error,
    fit,
    likely_set,
    nll,
    quantile,
    remainder,
    tempered,
)
from bloodapp.runs.predictions import Predictions, write_predictions
from bloodapp.runs.run import Run
from tests.made import make_run

CLASSES = 8


def cells(count: int = 2000, sharpness: float = 1.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Labels drawn from known probabilities, and these raised to a power: above 1 they are too sure."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(0, 2, (count, CLASSES))
    scores[np.arange(count), rng.integers(0, CLASSES, count)] += 4
    true = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    labels = (true.cumsum(1) > rng.random((count, 1))).argmax(1)
    return labels, tempered(true, 1 / sharpness).astype(np.float32)


def said(count: int = 2000, sharpness: float = 3.0) -> Predictions:
    """Predictions of an over-confident model, as many on val as on test."""
    labels, table = cells(2 * count, sharpness)
    parts = np.array(["val"] * count + ["test"] * count)
    return Predictions(np.arange(2 * count), parts, labels.astype(np.int16), table, table)


@pytest.fixture
def run(tiny: Dataset) -> Run:
    """A finished run with the predictions of an over-confident model."""
    made = make_run(tiny)
    write_predictions(made.folder, said())
    return made


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 3.0])
def test_the_temperature_is_found(sharpness: float) -> None:
    """Probabilities raised to a power are brought back by that power: the known answer, within its error."""
    assert best_temperature(*cells(6000, sharpness)) == pytest.approx(sharpness, rel=0.06)


def test_temperature_scaling_lowers_the_calibration_error() -> None:
    """A deliberately over-confident model is mended on images that had no part in the fit; its answers stay."""
    both = said()
    made = fit(both)
    test = both.only("test")
    before = expected_calibration_error(test.label, test.probabilities)
    after = expected_calibration_error(test.label, made.apply(test.probabilities))
    assert before > 0.12
    assert after < 0.03
    assert made.figures["test"]["ece"] == pytest.approx([before, after], abs=1e-6)
    assert made.figures["test"]["nll"][1] < made.figures["test"]["nll"][0]
    assert (made.apply(test.probabilities).argmax(1) == test.probabilities.argmax(1)).all()


def test_known_answers() -> None:
    """ECE, likelihood and the rest of a probability, worked out by hand."""
    table = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])
    labels = np.array([0, 1, 0, 1])
    assert expected_calibration_error(labels, table) == pytest.approx((0.8 + 0.4 + 0.2) / 4)
    assert nll(labels, table) == pytest.approx(-np.log([0.9, 0.1, 0.6, 0.8]).mean())
    assert remainder(table)[0] == pytest.approx([0.1, 0.9])
    assert np.isnan(expected_calibration_error([], np.zeros((0, 2))))


def test_what_float32_rounds_to_one_is_told_apart() -> None:
    """Two answers of probability 1 in float32 are not equally sure."""
    table = np.array([[1.0, 1e-20], [1.0, 1e-10]], np.float32)
    surer, other = remainder(table)[:, 0]
    assert 0 < surer < other


@pytest.mark.parametrize(
    ("count", "promise", "place"), [(9, 0.9, 9), (19, 0.95, 19), (100, 0.8, 81), (8, 0.9, None)]
)
def test_the_bar_is_the_right_one_of_all(count: int, promise: float, place: int | None) -> None:
    """The ⌈(n + 1) · promise⌉-th smallest; infinity where there are too few for the promise."""
    scores = np.random.default_rng(0).permutation(np.arange(1, count + 1))
    assert quantile(scores, promise) == (np.inf if place is None else place)


def test_without_a_mistake_nothing_is_sharpened() -> None:
    """A val part that is all right would ask for a temperature of nought: it stays 1."""
    table = np.full((60, 2), 0.3)
    table[:, 0] = 0.7
    assert best_temperature(np.zeros(60, int), table) == 1.0


def test_sets_hold_the_true_class_as_promised() -> None:
    """At least 95 % of further images; never empty, the named class among them, unsure images with several."""
    both = said()
    made = fit(both)
    test = both.only("test")
    chosen = made.sets(test.probabilities)
    assert chosen[np.arange(len(test)), test.label].mean() >= 0.94
    assert chosen.any(1).all()
    assert chosen[np.arange(len(test)), test.probabilities.argmax(1)].all()
    sure = made.apply(test.probabilities).max(1)
    assert chosen[sure < 0.5].sum(1).min() >= 2


def test_the_likely_set_is_the_smallest_that_reaches_its_mass() -> None:
    """Classes are taken by probability until they hold 95 % together."""
    got = likely_set([[0.5, 0.3, 0.16, 0.04], [0.96, 0.02, 0.01, 0.01], [0.25, 0.25, 0.25, 0.25]])
    assert got.tolist() == [[True, True, True, False], [True, False, False, False], [True] * 4]


@pytest.mark.parametrize("seed", range(5))
def test_likely_sets_reach_the_mass_and_no_class_is_spare(seed: int) -> None:
    """Every set holds 95 %, and less without its least likely class."""
    table = np.random.default_rng(seed).dirichlet(np.full(8, 0.4), 200).astype(np.float32)
    chosen = likely_set(table)
    mass = np.where(chosen, table, 0).sum(1)
    assert (mass >= 0.95 - 1e-5).all()
    assert (mass - np.where(chosen, table, 2).min(1) < 0.95).all()


def test_an_exact_hit_needs_no_further_class() -> None:
    """0.95 in float32 is enough, although it is a hair less than 0.95."""
    assert likely_set(np.array([[0.95, 0.05]], np.float32)).tolist() == [[True, False]]


def test_it_is_fitted_once_and_kept(run: Run) -> None:
    """The first who asks stores it; then it is read, and means the same."""
    assert calibration.read(run) is None
    made = calibration.of(run)
    assert made is not None
    assert (run.folder / FILE).exists()
    assert calibration.read(run) == made == calibration.of(run)
    content = json.loads((run.folder / FILE).read_text())
    assert (content["fitted_on"], content["n"], content["sets"]["promise"]) == ("val", 2000, 0.95)


def test_it_goes_with_its_predictions(run: Run) -> None:
    """Other predictions make it stale: it is not read any more, and fitted anew."""
    first = calibration.of(run)
    write_predictions(run.folder, said(sharpness=0.5))
    assert calibration.read(run) is None
    again = calibration.of(run)
    assert first is not None and again is not None
    assert again.temperature < 1 < first.temperature


def test_a_damaged_file_is_named_and_made_anew(run: Run) -> None:
    """Who reads is told; who needs it gets it all the same."""
    made = calibration.of(run)
    content = json.loads((run.folder / FILE).read_text())
    (run.folder / FILE).write_text(json.dumps({**content, "sets": {}}))
    with pytest.raises(Unreadable, match="made anew"):
        calibration.read(run)
    again = calibration.of(run)
    assert made is not None and again is not None
    assert replace(again, when="") == replace(made, when="")
    assert calibration.read(run) == again


def test_a_shipped_run_is_left_as_it_is(run: Run) -> None:
    """It is fitted, and nothing is written into its folder."""
    shipped = replace(run, shipped=True)
    assert calibration.of(shipped) is not None
    assert not (run.folder / FILE).exists()


def test_where_it_cannot_be_it_says_why(tiny: Dataset, tmp_path: Path) -> None:
    """Too few images, no predictions yet, votes of folds: none, nothing written, and a sentence."""
    few = make_run(tiny)
    assert calibration.of(few) is None
    assert "it takes 50" in calibration.why_not(few)
    predictions = few.predictions()
    assert predictions is not None
    assert calibration.write(few.folder, predictions) is None
    assert not (few.folder / FILE).exists()
    with pytest.raises(InvalidValue, match="no images"):
        fit(said().only("test"))
    young = make_run(tiny, "young", state="running")
    assert calibration.of(young) is None
    recipe = {"name": "r0", "vote": "majority"}
    voted = make_run(tiny, "voted", recipe=recipe, series={"kind": "folds", "children": []})
    write_predictions(voted.folder, said())
    assert "votes" in calibration.why_not(voted)
    assert calibration.of(voted) is None
