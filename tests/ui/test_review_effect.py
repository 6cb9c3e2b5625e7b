"""Did it help? through AppTest: setting a pair up, following it, stopping, continuing, reading the change."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import last_seq, record
from bloodapp.review.scan import scan
from bloodapp.runs.run import Run, list_runs
from bloodapp.train.effect import start_pair
from bloodapp.train.recipes import RECIPES
from tests.made import make_run
from tests.ui.conftest import words

Open = Callable[..., AppTest]


@pytest.fixture
def scanned(tiny: Dataset) -> Dataset:
    """The tiny dataset with its findings, nothing decided."""
    scan(tiny)
    return tiny


@pytest.fixture
def decided(scanned: Dataset) -> Dataset:
    """The same with sixteen images excluded and eight relabelled."""
    record(scanned, list(range(8, 24)), "exclude")
    record(scanned, list(range(24, 32)), "relabel", label=1)
    return scanned


@pytest.fixture
def show(open_page: Open) -> Callable[[], AppTest]:
    """Opens the view."""

    def run() -> AppTest:
        page = open_page("pages/1_Review.py", dataset="tiny", view="effect")
        assert not page.exception and not page.error
        return page

    return run


Show = Callable[[], AppTest]


def primary(page: AppTest) -> list[str]:
    """The labels of the page's primary buttons."""
    return [button.label for button in page.main.button if button.proto.type == "primary"]


def start_button(page: AppTest) -> Any:
    """The button that starts a pair, whose key counts the starts."""
    return next(button for button in page.button if button.label == "Train before and after")


def made_pair(
    dataset: Dataset, states: tuple[str, str] = ("done", "done"), *, name: str = "p", **more: Any
) -> tuple[Run, Run]:
    """A pair of runs made without training, in these states."""
    common = {"seq": last_seq(dataset), "seed": 1, **more}
    before = make_run(
        dataset,
        f"{name}-before",
        state=states[0],
        pair=f"{name}-after",
        decisions="none",
        right=(0.5, 0.3),
        **common,
    )
    after = make_run(
        dataset, f"{name}-after", state=states[1], pair=f"{name}-before", right=(1.0, 0.6), **common
    )
    return before, after


@contextmanager
def at_work(run: Run, **status: Any) -> Iterator[None]:
    """Stand for the process that performs the run: hold its lock and say that it runs."""
    with run.job.held():
        run.job.write_status({"state": "running", "attempt": 1, **status})
        yield


def test_without_decisions_it_leads_to_the_queue(scanned: Dataset, show: Show) -> None:
    """Nothing decided: it says so, and one button opens the queue."""
    page = show()
    assert "Nothing is decided yet" in words(page)
    assert primary(page) == ["Open the queue"]
    page.button(key="effect-queue").click().run()
    assert not page.exception
    assert "view" not in page.query_params


def test_it_says_what_it_would_do(decided: Dataset, show: Show) -> None:
    """Both training parts, the common judges and the time stand beside the one button."""
    page = show()
    text = words(page)
    for said in (
        "under their given labels",
        "excluded",
        "relabelled",
        "images that neither sees",
        "epochs each, with the same seed",
    ):
        assert said in text
    assert primary(page) == ["Train before and after"]


def test_the_button_queues_both(decided: Dataset, show: Show, idle_runner: Any) -> None:
    """One click, two trainings with the chosen recipe; the page follows them, and a reload shows the same."""
    page = show()
    page.selectbox(key="effect-recipe-box").set_value("plain").run()
    page.number_input(key="effect-seed-box").set_value(3).run()
    page.toggle(key="effect-quick-box").set_value(True).run()
    start_button(page).click().run()
    assert not page.exception and not page.error
    runs = [run for run in list_runs() if not run.shipped]
    assert sorted(run.title for run in runs) == [
        "After the decisions on tiny",
        "Before the decisions on tiny",
    ]
    assert {(run.recipe, run.config["recipe"]["epochs"], run.state()) for run in runs} == {
        ("plain", 1, "queued")
    }
    assert {run.config["recipe"]["seed"] for run in runs} == {3}
    assert idle_runner.woken == 1
    for again in (page, show()):
        assert "Training before and after" in words(again)
        assert "Waiting for its turn" in words(again)
        assert not primary(again)


def test_both_are_followed_and_stopped_together(decided: Dataset, show: Show) -> None:
    """One trains and one waits: progress and time left of both; Stop asks the one and takes the other out."""
    before, after = start_pair(decided, RECIPES["balanced"], shrink=True)
    with at_work(before, done=0.4, total=1, text="Epoch 4", eta_s=200):
        page = show()
        text = words(page)
        assert "Epoch 4 · about 3 min left" in text and "width:40.0%" in text
        assert "Waiting for its turn" in text
        page.button(key="effect-stop").click().run()
        assert before.job.stopping()
        assert after.state() == "stopped"


@pytest.mark.parametrize(
    ("state", "said"), [("failed", "It failed."), ("stopped", "Stopped on request"), ("running", "Cut off")]
)
def test_a_half_that_ended_badly_is_told_and_continued(
    decided: Dataset, show: Show, idle_runner: Any, state: str, said: str
) -> None:
    """The other half is left as it is; no change is shown before both are done."""
    before, after = made_pair(decided, ("done", state))
    page = show()
    text = words(page)
    assert said in text and "points" not in text
    assert primary(page) == ["Continue"]
    page.button(key="effect-continue").click().run()
    assert not page.exception
    assert (before.state(), after.state()) == ("done", "queued")
    assert idle_runner.woken == 1


def test_the_change_is_shown(decided: Dataset, show: Show) -> None:
    """The sentence with its interval, both conditions, the chart, a row a class, and the images that changed."""
    made_pair(decided)
    page = show()
    text = words(page)
    assert "Cleaning helped in this pair: +" in text and "95 % interval" in text
    assert "The same images under the shift" in text
    assert "went right" in text and "taken for" in text
    for cell_class in decided.classes:
        assert cell_class.title in text
    assert len(page.get("plotly_chart")) == 1
    assert "Another seed would move both figures" in text
    assert not primary(page), "nothing is to be done"


def test_the_shifted_images_can_be_looked_at(decided: Dataset, show: Show) -> None:
    """The classes and images of the other condition, one click away; the address keeps the choice."""
    made_pair(decided)
    page = show()
    before = words(page)
    page.segmented_control(key="choice-effect_on").set_value("shifted").run()
    assert not page.exception
    assert words(page) != before


def test_new_decisions_ask_for_a_new_pair(decided: Dataset, show: Show) -> None:
    """The old figures stay, with a word on how many decisions they do not know, and the button is back."""
    made_pair(decided)
    record(decided, [40, 41, 43], "exclude")
    page = show()
    assert "3 decisions taken since" in words(page)
    assert "Cleaning helped" in words(page)
    assert primary(page) == ["Train before and after"]


def test_a_quick_trial_is_called_one(decided: Dataset, show: Show) -> None:
    """Few images show that it works, and the page says that they show no more."""
    recipe = {"name": "plain", "pipeline": "none", "images": 256}
    made_pair(decided, recipe=recipe)
    assert "not what cleaning does" in words(show())


def test_halves_that_do_not_fit_are_refused_in_a_sentence(decided: Dataset, open_page: Open) -> None:
    """Two runs that judge other images are not compared."""
    before, _ = made_pair(decided)
    other = make_run(decided, "other", seed=5)
    (before.folder / "predictions.npz").write_bytes((other.folder / "predictions.npz").read_bytes())
    page = open_page("pages/1_Review.py", dataset="tiny", view="effect")
    assert not page.exception
    assert "do not judge the same images" in page.error[0].value


def test_pairs_with_other_seeds_stand_side_by_side(decided: Dataset, show: Show) -> None:
    """The next seed is offered; with two pairs a table shows how far they agree, and none with one."""
    made_pair(decided, recipe={"name": "plain", "pipeline": "flip", "seed": 4})
    page = show()
    assert "Pairs of this dataset" not in words(page)
    assert page.number_input(key="effect-seed-box").value == 5
    page.number_input(key="effect-seed-box").set_value(9).run()
    assert page.number_input(key="effect-seed-box").value == 9
    made_pair(decided, name="q", recipe={"name": "plain", "pipeline": "flip", "seed": 5})
    text = words(show())
    assert "Pairs of this dataset" in text
    assert "plain, seed 4" in text and "plain, seed 5" in text


def test_a_new_pair_does_not_hide_the_last_one(decided: Dataset, show: Show) -> None:
    """While another pair trains, or waits to be continued, the comparison before it stays in sight."""
    made_pair(decided, name="old")
    made_pair(decided, ("done", "stopped"), name="new")
    page = show()
    assert primary(page) == ["Continue"]
    assert "The last complete pair" in words(page)
    assert "Cleaning helped in this pair" in words(page)
