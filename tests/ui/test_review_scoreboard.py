"""The scoreboard through AppTest: planting a copy, opening it, the figures, moving a threshold."""

from collections.abc import Callable

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from bloodapp import jobs
from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.review.findings import combined, finding_table, write_findings
from bloodapp.review.planting import count_faults, plant
from bloodapp.review.scan import scan
from bloodapp.review.thresholds import thresholds
from bloodapp.review.truth import known_faults
from tests.ui.conftest import words

Open = Callable[..., AppTest]
PAGE = "pages/1_Review.py"


@pytest.fixture
def scored(tiny: Dataset) -> Dataset:
    """A planted copy of the tiny dataset in which half of the blurred and one image in order are flagged as blurred."""
    made = plant(tiny, "made", seed=1, faults=40)
    known = truth(made)
    blurred = known.loc[known["kind"] == "blurred", "index"].tolist()
    fine = next(index for index in range(len(made)) if index not in set(known["index"]))
    half = blurred[: len(blurred) // 2]
    flagged = finding_table("blurred", [*half, fine], [0.9] * len(half) + [0.6], "Soft")
    write_findings(made.path, combined([flagged]), fingerprint=made.fingerprint)
    return made


def truth(dataset: Dataset) -> pd.DataFrame:
    """The truth with the column `planted`."""
    assert dataset.truth is not None
    return known_faults(dataset.truth, dataset.labels)


def fine(page: AppTest) -> AppTest:
    """The page after it was drawn without an error."""
    assert not page.exception and not page.error
    return page


def test_without_a_truth_one_button_plants_a_copy(tiny: Dataset, open_page: Open, idle_runner) -> None:
    """The page explains, plants in the background, and leads to the copy."""
    scan(tiny)
    page = fine(open_page(PAGE, dataset="tiny", view="scoreboard"))
    assert "where the truth is known" in words(page)
    assert page.text_input(key="plant-name").value == "tiny-planted"
    page.number_input(key="plant-seed").set_value(4)
    fine(page.button(key="plant").click().run())
    assert idle_runner.woken == 1
    assert page.button(key="plant-stop").label == "Stop"
    assert jobs.step() is not None
    fine(page.run())
    made = open_dataset("tiny-planted")
    assert made.truth is not None and f"'tiny-planted' holds {len(made)} images" in words(page)
    fine(page.button(key="plant-open").click().run())
    assert page.query_params["dataset"] == "tiny-planted"
    assert page.button(key="scan").label.startswith("Scan")


def test_a_taken_name_is_said_at_once(tiny: Dataset, open_page: Open) -> None:
    """No job is queued for a name that exists."""
    scan(tiny)
    page = open_page(PAGE, dataset="tiny", view="scoreboard")
    page.text_input(key="plant-name").set_value("tiny")
    page.button(key="plant").click().run()
    assert "choose another name" in page.error[0].value
    assert jobs.step() is None


def test_a_planting_that_failed_says_why(tiny: Dataset, open_page: Open) -> None:
    """Somebody took the name in the meantime: the reason stands there, it can be put away, and the form stays."""
    scan(tiny)
    page = open_page(PAGE, dataset="tiny", view="scoreboard")
    page.button(key="plant").click().run()
    plant(tiny, "tiny-planted")
    jobs.step()
    page.run()
    assert "choose another name" in page.error[0].value
    assert "plant" in {button.key for button in page.button}
    page.button(key="plant-away").click().run()
    assert page.text_input(key="plant-name").value == "tiny-planted-2"
    assert "plant-away" not in {button.key for button in fine(page).button}


def test_figures_are_those_of_the_truth(scored: Dataset, open_page: Open) -> None:
    """The sentence, the row of the kind and the numbers of missed and wrong images agree with the tables."""
    page = fine(open_page(PAGE, dataset="made", view="scoreboard"))
    known = truth(scored)
    blurred = int((known["kind"] == "blurred").sum())
    flagged = blurred // 2 + 1
    assert "Review the first" in words(page)
    recall = 100 * (blurred // 2) / blurred
    assert f"<td>{blurred}</td><td>{flagged}</td>" in words(page)
    assert f"{recall:.1f} %" in words(page)
    fine(page.selectbox(key="board-kind").set_value("blurred").run())
    page.slider(key="board-budget").set_value(0).run()
    assert "<b>0 %</b>" in words(fine(page))
    page.slider(key="board-budget").set_value(flagged).run()
    found = round(100 * (blurred // 2) / count_faults(scored))
    assert f"<b>{flagged}</b> images,<br>find <b>{found} %</b>" in words(fine(page))


def test_moving_a_threshold_is_kept_and_shows(scored: Dataset, open_page: Open) -> None:
    """Above the wrong one's score nothing is flagged wrongly; back at the default it is again."""
    page = fine(open_page(PAGE, dataset="made", view="scoreboard"))
    page.selectbox(key="board-kind").set_value("blurred").run()
    assert page.segmented_control(key="board-verdict").options[1] == "Flagged wrongly 1"
    page.slider(key="board-threshold-blurred").set_value(0.7).run()
    assert thresholds(scored)["blurred"] == 0.7
    assert fine(page).segmented_control(key="board-verdict").options[1] == "Flagged wrongly 0"
    page.button(key="board-default-blurred").click().run()
    assert thresholds(scored)["blurred"] == 0.5
    assert fine(page).segmented_control(key="board-verdict").options[1] == "Flagged wrongly 1"


def test_pictures_say_what_was_missed_and_what_was_wrong(scored: Dataset, open_page: Open) -> None:
    """Missed images come first, with what the truth says; those flagged wrongly are in order by the truth."""
    page = fine(open_page(PAGE, dataset="made", view="scoreboard"))
    page.selectbox(key="board-kind").set_value("blurred").run()
    assert words(page).count("by the truth: blurred") >= 1
    page.segmented_control(key="board-verdict").set_value("wrong").run()
    assert "by the truth: in order" in words(fine(page))
    page.selectbox(key="board-kind").set_value("near_duplicate").run()
    page.segmented_control(key="board-verdict").set_value("missed").run()
    assert "its original" in words(fine(page))
    page.selectbox(key="board-kind").set_value("mislabelled").run()
    assert "really " in words(fine(page))
