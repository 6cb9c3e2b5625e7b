"""Making copies from the page: what it would make, its making and stopping, and the way to the result."""

from collections.abc import Callable

import pytest
import streamlit
from streamlit.testing.v1 import AppTest

from bloodapp import jobs
from bloodapp.augment.expand import expand
from bloodapp.augment.pipelines import names
from bloodapp.data.dataset import Dataset, list_datasets, open_dataset
from bloodapp.jobs.job import list_jobs
from bloodapp.ui.review import ends
from tests.ui.conftest import words

Show = Callable[..., AppTest]


def section() -> None:
    """A page of the section alone, for the pipeline in session state."""
    import streamlit as st

    from bloodapp.augment.pipelines import resolve
    from bloodapp.ui import state
    from bloodapp.ui.augment import expand as augment_expand

    augment_expand.draw(state.chosen_dataset(), resolve(st.session_state["pipeline"]))


@pytest.fixture
def show(tiny: Dataset) -> Show:
    """Runs the section on the tiny dataset, unfolded."""

    def run(pipeline: str = "flip", unfolded: bool = True) -> AppTest:
        page = AppTest.from_function(section, default_timeout=60)
        page.query_params["dataset"] = "tiny"
        page.session_state["pipeline"] = pipeline
        page.session_state["expand-box"] = unfolded
        return fine(page.run())

    return run


def fine(page: AppTest) -> AppTest:
    """The page after it was drawn without an exception."""
    assert not page.exception, page.exception
    return page


def test_folded_it_reads_nothing(show: Show) -> None:
    """Closed there is its title and no form."""
    page = show(unfolded=False)
    assert page.expander[0].label == "Make copies"
    assert not page.button and not page.number_input


def test_it_says_what_it_would_make(show: Show) -> None:
    """Counts by class before and after, images and room; nothing about time as long as no speed is known."""
    page = show()
    page.number_input(key="expand-copies").set_value(3).run()
    said = words(page)
    assert said.count("<td>6</td><td>→</td><td><b>24</b>") == 6
    assert "192 images, 144 of them drawn · 5 MB on disk" in said
    assert "about" not in said


def test_a_known_speed_gives_a_time(tiny: Dataset, show: Show) -> None:
    """The pipeline has drawn here before: its speed gives the time, another pipeline's does not."""
    expand(tiny, "made", "flip", copies=2)
    assert open_dataset("made").source["images_per_s"] > 0
    assert "on disk · about " in words(show())
    assert "on disk · about " not in words(show("flip|noise(9)"))


def test_a_damaged_dataset_elsewhere_is_passed_over(tiny: Dataset, show: Show) -> None:
    """What another dataset's record has become keeps nobody from copying this one, nor its speed from being known."""
    expand(tiny, "made", "flip", copies=2)
    broken = tiny.path.with_name("broken")
    broken.mkdir()
    (broken / "dataset.json").write_text("{bad")
    assert "on disk · about " in words(show())


def test_it_makes_copies_and_leads_to_them(show: Show, idle_runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """The button queues a job, which shows how far it is and can be stopped; then a link opens the dataset."""
    page = show("flip|noise(9)")
    assert page.text_input[0].value == "tiny-augmented"
    page.number_input(key="expand-copies").set_value(2).run()
    fine(page.button(key="expand").click().run())
    assert idle_runner.woken == 1
    assert page.button(key="expand-stop").label == "Stop" and "expand" not in {one.key for one in page.button}
    assert jobs.step() is not None
    fine(page.run())
    made = open_dataset("tiny-augmented")
    assert len(made) == 144 and made.source["pipelines"] == ["flip|noise(9)"]
    assert "is ready: 144 images, 96 of them drawn" in words(page)
    assert page.text_input[0].value == "tiny-augmented-2"
    led: list[object] = []
    monkeypatch.setattr(streamlit, "switch_page", lambda page, query_params: led.append((page, query_params)))
    fine(page.button(key="expand-open").click().run())
    assert led == [("app.py", {"dataset": "tiny-augmented"})]


def test_it_balances_the_classes(show: Show) -> None:
    """Balanced, the table ends at the largest class for all, and the job is told so."""
    page = show()
    page.segmented_control(key="expand-way").set_value("balance").run()
    assert words(page).count("<b>7</b>") == 8
    assert not page.number_input and page.text_input[0].value == "tiny-balanced"
    page.button(key="expand").click().run()
    jobs.step()
    assert len(open_dataset("tiny-balanced")) == 56


def test_it_makes_the_set_of_r3(show: Show, idle_runner) -> None:
    """Its three strengths together, each a copy of every image, also where the chosen pipeline makes none."""
    page = show("r4")
    fine(page.segmented_control(key="expand-by").set_value("r3").run())
    assert words(page).count("<td>6</td><td>→</td><td><b>24</b>") == 6
    assert page.text_input[0].value == "tiny-r3-augmented"
    fine(page.button(key="expand").click().run())
    (job,) = list_jobs()
    assert job.params["pipelines"] == [names()[name] for name in ("r3low", "r3medium", "r3hard")]


@pytest.mark.parametrize(("pipeline", "said"), [("r4", "mixes labels"), ("none", "changes nothing")])
def test_a_pipeline_that_makes_no_copies_says_why(show: Show, pipeline: str, said: str) -> None:
    """One sentence, and no button."""
    page = show(pipeline)
    assert said in words(page) and not page.button


def test_a_taken_name_is_said_at_once(show: Show) -> None:
    """No job is queued for a name that exists."""
    page = show()
    page.text_input[0].set_value("tiny").run()
    page.button(key="expand").click().run()
    assert "choose another name" in page.error[0].value
    assert not list_jobs()


def test_a_failure_says_why_and_can_be_put_away(tiny: Dataset, show: Show) -> None:
    """Somebody took the name in the meantime: the reason stands there, the form stays, and it can be put away."""
    page = show()
    page.button(key="expand").click().run()
    expand(tiny, "tiny-augmented", "flip")
    jobs.step()
    fine(page.run())
    assert "choose another name" in page.error[0].value
    fine(page.button(key="expand-away").click().run())
    assert not page.error and page.button(key="expand")
    assert list_datasets() == ["tiny", "tiny-augmented"]


def test_home_says_where_an_expanded_dataset_comes_from(tiny: Dataset, open_page: Show) -> None:
    """Its kind, the dataset it was made from, and by what how many copies were drawn."""
    expand(tiny, "made", "flip", copies=2)
    said = words(fine(open_page("app.py", dataset="made")))
    assert "another dataset and augmented copies" in said
    assert "<dd>tiny</dd>" in said and "96 by flip" in said


def test_copies_are_no_run_of_repeated_pictures(tiny: Dataset) -> None:
    """Copies that look like their originals do not make Review propose to cut the dataset."""
    made = expand(tiny, "made", "brightness(0.02)", copies=3)
    hashes = made.items["phash"]
    assert hashes.duplicated(keep=False).mean() > 0.9
    assert ends._runs("made", made.fingerprint) == ends._runs("tiny", tiny.fingerprint)
