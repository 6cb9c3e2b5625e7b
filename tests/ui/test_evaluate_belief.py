"""The view on probabilities through AppTest: what they are worth, sets with a promise, handing over."""

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from bloodapp.data.dataset import Dataset
from bloodapp.evaluate import conformal
from bloodapp.evaluate.metrics import Interval
from bloodapp.runs import calibration
from bloodapp.runs.predictions import Predictions, write_predictions
from bloodapp.runs.run import Run
from bloodapp.ui.evaluate import belief as evaluate_belief
from bloodapp.ui.evaluate import belief_reading
from bloodapp.ui.evaluate import reading as evaluate_reading
from tests.made import forget_dataset_of, make_run
from tests.runs.test_calibration import said
from tests.ui import conftest

Open = Callable[..., AppTest]
PAGE = "pages/4_Evaluate.py"


def words(page: AppTest) -> str:
    """Everything that the page says in HTML, with plain spaces."""
    return conftest.words(page).replace("\N{NO-BREAK SPACE}", " ")


def believed(count: int = 400, sharpness: float = 3.0) -> Predictions:
    """Predictions of an over-confident model on images of the tiny dataset, shifted answers worse than clean ones."""
    made = said(count, sharpness)
    worse = made.probabilities.copy()
    worse[::3] = np.roll(worse[::3], 1, axis=1)
    return replace(made, index=made.index % 48, shifted=worse)


@pytest.fixture
def run(tiny: Dataset) -> Run:
    """A finished run with many images, too sure of itself."""
    made = make_run(tiny)
    write_predictions(made.folder, believed())
    return made


@pytest.fixture
def page(run: Run, open_page: Open) -> AppTest:
    """The view on that run."""
    return open_page(PAGE, dataset="tiny", run=run.name, view="belief")


def test_the_view_says_what_a_confidence_is_worth(run: Run, page: AppTest) -> None:
    """The sentence, four charts, the temperature, and that the calibration is stored."""
    assert not page.exception
    text = words(page)
    assert "of the time" in text
    assert "On images from elsewhere do not believe it" in text
    assert len(page.get("plotly_chart")) == 4
    found = calibration.read(run)
    assert found is not None
    assert (
        f"one temperature, {found.temperature:.2f} (the network was too sure of itself), fitted on 400"
        in text
    )
    assert text.count("calibrated</small>") == 2


def test_the_promise_is_judged(run: Run, page: AppTest) -> None:
    """Coverage on the test part is what the room says; another promise and method are kept in the address."""
    reading = evaluate_reading.read(run, "test")
    found = belief_reading.judged(reading, "lac", 0.95)
    assert f"Promised 95 %, kept <b>{100 * found['clean'][1].coverage.value:.1f} %</b>" in words(page)
    assert "others do not keep it" in words(page)
    fitted = len(belief_reading.promised(reading, "lac").labels)
    low, high = conformal.expected(fitted, found["clean"][1].n, 0.95)
    ends = f"{100 * low:.1f} to {100 * high:.1f} %"
    assert f"To be expected: {ends} in 95 of 100 cases, with {fitted:,} images" in words(page)
    page.slider("belief-promise").set_value(80).run()
    page.segmented_control("choice-sets").set_value("aps").run()
    assert not page.exception
    assert (page.query_params["promise"], page.query_params["sets"]) == ("80", "aps")
    assert "Promised 80 %, kept" in words(page)
    assert "The largest sets" in words(page)


def test_what_is_handed_over(page: AppTest) -> None:
    """The bar comes from the validation images; another goal is kept in the address."""
    assert "To be right in 99 % of what it keeps" in words(page)
    assert "found on the validation images" in words(page)
    page.select_slider("belief-goal").set_value("95").run()
    assert not page.exception
    assert page.query_params["goal"] == "95"
    assert "To be right in 95 % of what it keeps" in words(page)


def test_the_validation_part_does_not_judge_itself(run: Run, open_page: Open) -> None:
    """There one half fits the sets and the other is judged, and the page says so."""
    page = open_page(PAGE, dataset="tiny", run=run.name, view="belief", part="val")
    assert not page.exception
    text = words(page)
    assert "on 200 images of the validation part" in text
    assert "the other half judges them" in text
    assert "These are the images that it was fitted on" in text
    found = belief_reading.promised(evaluate_reading.read(run, "val"), "lac")
    assert len(found.rows) + len(found.labels) == 400


def test_points_of_equal_counts(run: Run, open_page: Open) -> None:
    """The other way to put images together."""
    page = open_page(PAGE, dataset="tiny", run=run.name, view="belief", bins="count")
    assert not page.exception
    assert "a tenth of them in each point" in words(page)


def test_too_few_images_are_a_sentence(tiny: Dataset, open_page: Open) -> None:
    """Without a calibration: the network's own probabilities, why, and no sets; nothing is written."""
    run = make_run(tiny)
    page = open_page(PAGE, dataset="tiny", run="made", view="belief")
    assert not page.exception
    text = words(page)
    assert "Not calibrated." in text
    assert "it takes 50" in text
    assert "Sets need validation images" in text
    assert len(page.get("plotly_chart")) == 3
    assert not (run.folder / calibration.FILE).exists()


def test_without_the_shift(run: Run, open_page: Open) -> None:
    """A run that was not judged on shifted images has one of each, and no invented warning."""
    write_predictions(run.folder, replace(believed(), shifted=None))
    page = open_page(PAGE, dataset="tiny", run=run.name, view="belief")
    assert not page.exception
    assert len(page.get("plotly_chart")) == 3
    assert "elsewhere do not" not in words(page)


def test_a_run_of_a_dataset_that_is_not_here(run: Run, open_page: Open) -> None:
    """All figures, without pictures."""
    forget_dataset_of(run)
    page = open_page(PAGE, dataset="tiny", run=run.name, view="belief")
    assert not page.exception
    assert "Promised 95 %" in words(page)
    assert "<figure" not in words(page)


def test_wrong_choices_in_the_address_are_passed_over(run: Run, open_page: Open) -> None:
    """Whatever stands in the address, the view draws what it would without."""
    for promise in ("12", "²"):
        wrong = {"promise": promise, "goal": "x", "sets": "no", "bins": "9"}
        page = open_page(PAGE, dataset="tiny", run=run.name, view="belief", **wrong)
        assert not page.exception
        assert "Promised 95 %" in words(page)


def test_a_goal_out_of_reach_is_said(tiny: Dataset, open_page: Open) -> None:
    """A model whose surest answers are wrong cannot be helped by a bar."""
    run = make_run(tiny)
    made = believed()
    broken = np.roll(made.probabilities, 1, axis=1)
    write_predictions(run.folder, replace(made, probabilities=broken))
    page = open_page(PAGE, dataset="tiny", run="made", view="belief")
    assert not page.exception
    assert "it would hand over every image" in words(page)


def test_the_whole_view_reads_quickly(run: Run) -> None:
    """13,759 predictions are read and judged by all methods within the half second that a page has."""
    write_predictions(run.folder, replace(believed(6880), index=np.arange(13760)))
    reading = evaluate_reading.read(run, "test")
    begun = time.process_time()
    belief_reading.read(reading)
    belief_reading.judged(reading, "lac", 0.95)
    first = time.process_time() - begun
    belief_reading.read(reading)
    belief_reading.judged(reading, "lac", 0.9)
    assert first < 0.5
    assert time.process_time() - begun - first < 0.1


def test_the_shift_is_only_warned_of_where_it_is_sure(run: Run) -> None:
    """The lead claims no more than the intervals."""
    belief = belief_reading.read(evaluate_reading.read(run, "test"))
    assert "do not believe it" in evaluate_belief.lead(belief)
    unsure = replace(belief.scores["shifted", True], accuracy=Interval(0.5, 0.0, 1.0))
    unknown = replace(belief, scores={**belief.scores, ("shifted", True): unsure})
    assert "do not believe it" not in evaluate_belief.lead(unknown)


def test_sets_of_the_view_are_those_of_the_room(run: Run) -> None:
    """The bar is fitted on val, and what is judged is test."""
    reading = evaluate_reading.read(run, "test")
    found = calibration.of(run)
    predictions = run.predictions()
    assert found is not None and predictions is not None
    val, test = predictions.only("val"), predictions.only("test")
    limit = conformal.bar(val.label, conformal.doubts(found.apply(val.probabilities)), 0.9)
    expected = conformal.sets(conformal.doubts(found.apply(test.probabilities)), limit)
    assert np.array_equal(belief_reading.judged(reading, "lac", 0.9)["clean"][0], expected)
