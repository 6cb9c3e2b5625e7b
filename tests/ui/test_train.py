"""Train through AppTest: setting up, starting, following, stopping, continuing, reading and deleting runs."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from bloodapp import jobs, workspace
from bloodapp.augment.named import PIPELINES
from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import record
from bloodapp.errors import NotFound
from bloodapp.review.scan import scan
from bloodapp.runs.run import Run, list_runs, open_run
from bloodapp.train.recipes import DEFAULT, RECIPES
from tests.made import make_run
from tests.ui.conftest import words

Open = Callable[..., AppTest]
PAGE = "pages/3_Train.py"
OWN = f"{PIPELINES[RECIPES[DEFAULT].pipeline].title}, the recipe’s own"


def labels(page: AppTest) -> list[str]:
    """The labels of all buttons outside the sidebar."""
    return [button.label for button in page.main.button]


def primary(page: AppTest) -> list[str]:
    """The labels of the page's primary buttons."""
    return [button.label for button in page.main.button if button.proto.type == "primary"]


def start_button(page: AppTest) -> Any:
    """The button that starts a training, whose key counts the starts."""
    return next(button for button in page.button if button.label == "Start training")


def choose_from_menu(page: AppTest, run: str, what: str) -> None:
    """Open a run's menu and press one of its buttons, `delete` for instance."""
    page.session_state[f"train-menu-{run}"] = True
    page.run()
    page.button(key=f"menu-{what}").click().run()


@contextmanager
def at_work(run: Run, **status: Any) -> Iterator[None]:
    """Stand for the process that performs the run: hold its lock and say that it runs."""
    with run.job.held():
        run.job.write_status({"state": "running", "attempt": 1, **status})
        yield


def test_without_anything_it_says_what_to_do(empty_home: object, open_page: Open) -> None:
    """An empty workspace leads to Home."""
    page = open_page(PAGE)
    assert not page.exception
    assert "No dataset yet" in words(page)
    assert not primary(page)


def test_one_primary_button_and_what_it_would_do(tiny: Dataset, open_page: Open) -> None:
    """Recipe, why, remaining images, parts, augmentation and cost are in sight before the start."""
    record(tiny, [46, 47], "exclude")
    page = open_page(PAGE, dataset="tiny")
    assert not page.exception
    assert primary(page) == ["Start training"]
    assert page.radio(key="train-recipe-0").value == DEFAULT
    text = words(page)
    assert "46 images remain of 48" in text
    for cell_class in tiny.classes:
        assert cell_class.title in text
    assert "at most 10 min" in text
    assert OWN in text


def test_starting_queues_a_run_with_the_settings(tiny: Dataset, open_page: Open, idle_runner: Any) -> None:
    """The button makes one run with the changed fields and the chosen pipeline, shows it, and wakes the runner."""
    page = open_page(PAGE, dataset="tiny", augment="flip|rotate(15)", recipe="plain")
    page.number_input(key="recipe-epochs").set_value(7).run()
    page.pills(key="train-groups").set_value("Split").run()
    page.number_input(key="recipe-test_share").set_value(0.2).run()
    start_button(page).click().run()
    assert not page.exception
    (run,) = [run for run in list_runs() if not run.shipped]
    recipe = run.config["recipe"]
    assert (recipe["name"], recipe["epochs"], recipe["pipeline"]) == ("plain", 7, "flip|rotate(15)")
    assert recipe["test_share"] == 0.2
    assert run.state() == "queued"
    assert idle_runner.woken == 1
    assert page.query_params["run"] == run.name
    assert "waiting" in words(page)
    assert "Start training" not in labels(page)


def test_a_quick_trial_is_made_quick(tiny: Dataset, open_page: Open) -> None:
    """The toggle starts the same recipe for one epoch."""
    page = open_page(PAGE, dataset="tiny")
    page.toggle(key="train-quick").set_value(True).run()
    start_button(page).click().run()
    run = next(run for run in list_runs() if not run.shipped)
    assert (run.config["recipe"]["epochs"], run.config["recipe"]["name"]) == (1, DEFAULT)


def test_changed_settings_survive_another_page_and_can_be_taken_back(tiny: Dataset, open_page: Open) -> None:
    """A changed field is there after a visit elsewhere; one button brings the recipe's own back."""
    page = open_page(PAGE, dataset="tiny")
    page.number_input(key="recipe-epochs").set_value(5).run()
    page.switch_page("app.py").run()
    page.switch_page(PAGE).run()
    assert page.number_input(key="recipe-epochs").value == 5
    page.button(key="train-reset").click().run()
    assert page.number_input(key="recipe-epochs").value == RECIPES[DEFAULT].epochs


def test_settings_that_do_not_go_together_are_told(tiny: Dataset, open_page: Open) -> None:
    """Two shares that leave nothing to train on are answered in a sentence."""
    page = open_page(PAGE, dataset="tiny")
    page.pills(key="train-groups").set_value("Split").run()
    page.number_input(key="recipe-val_share").set_value(0.5)
    page.number_input(key="recipe-test_share").set_value(0.5).run()
    assert not page.exception
    assert "lower one of them" in page.error[0].value
    assert start_button(page).disabled


def test_a_pipeline_in_the_address_that_cannot_be_read(tiny: Dataset, open_page: Open) -> None:
    """It is told, and the recipe's own is taken."""
    page = open_page(PAGE, dataset="tiny", augment="flipp")
    assert not page.exception
    assert "recipe's own is taken" in page.error[0].value
    assert OWN in words(page)


def test_what_review_found_is_told_without_standing_in_the_way(tiny: Dataset, open_page: Open) -> None:
    """Before a scan it says that nobody looked; after it how many are doubtful; when all is decided, nothing."""
    page = open_page(PAGE, dataset="tiny")
    assert "Nobody has looked" in words(page)
    found = np.unique(scan(tiny)["index"])
    page = open_page(PAGE, dataset="tiny")
    assert f"Review found {len(found)} doubtful images, 0 decided" in words(page)
    assert not start_button(page).disabled
    record(tiny, found, "keep")
    assert "Review found" not in words(open_page(PAGE, dataset="tiny"))


def test_nothing_left_to_train_on(tiny: Dataset, open_page: Open) -> None:
    """With one class left the page says what is missing and does not offer to start."""
    record(tiny, np.flatnonzero(tiny.labels != 2), "exclude")
    page = open_page(PAGE, dataset="tiny")
    assert not page.exception
    assert "at least two classes" in page.error[0].value
    assert start_button(page).disabled


def test_a_run_at_work_is_followed(tiny: Dataset, open_page: Open) -> None:
    """Epoch, loss, accuracy, speed, time left, device, the best epoch and both curves; Stop asks it to stop."""
    run = make_run(tiny, "live", state="running")
    workspace.write_json(_checkpoints(run) / "state.json", {"best_epoch": 2})
    status = {"done": 0.4, "total": 1, "text": "Epoch 4", "epoch": 4, "epochs": 9, "eta_s": 200, "loss": 0.51}
    with at_work(run, **status, images_per_s=321.4, device="CPU, 2 cores", accuracy=0.815):
        page = open_page(PAGE, dataset="tiny")
        assert not page.exception
        text = words(page)
        for shown in ("4 of 9", "0.510", "81.5 %", "321", "CPU, 2 cores", "epoch 2", "training"):
            assert shown in text
        assert "about 3 min left" in page.get("progress")[0].proto.text
        assert len(page.get("plotly_chart")) == 2
        assert not primary(page)
        assert page.query_params["run"] == "live"
        page.button(key="train-stop").click().run()
        assert run.job.stopping()
        assert page.button(key="train-stop").disabled


def test_a_queued_run_can_be_taken_out(tiny: Dataset, open_page: Open) -> None:
    """A run that waits says so and is stopped at once."""
    run = make_run(tiny, "waiting", state="queued", epochs=0)
    page = open_page(PAGE, dataset="tiny", run="waiting")
    assert "Waiting for its turn" in page.get("progress")[0].proto.text
    page.button(key="train-stop").click().run()
    assert not page.exception
    assert run.state() == "stopped"
    assert "Continue" in labels(page)


@pytest.mark.parametrize(
    ("state", "said", "first"),
    [
        ("done", "accuracy, clean", []),
        ("failed", "run-state failed", ["Try again"]),
        ("stopped", "Stopped on request", ["Continue"]),
        ("running", "Cut off", ["Continue"]),
    ],
)
def test_how_it_ended_and_what_to_do(
    tiny: Dataset, open_page: Open, state: str, said: str, first: list[str]
) -> None:
    """Each end is said in plain words, with the action that fits; what says running without a worker was cut off."""
    make_run(tiny, "ended", state=state)
    page = open_page(PAGE, dataset="tiny", run="ended")
    assert not page.exception
    assert said in words(page)
    assert primary(page) == first
    if state == "failed":
        assert "It failed." in page.error[0].value
        assert page.code


def test_a_finished_run_leads_to_its_results(tiny: Dataset, open_page: Open) -> None:
    """With a model and a report the primary button reads the results of this run."""
    run = make_run(tiny, "good")
    run.model_path.write_bytes(b"stands for a model")
    page = open_page(PAGE, dataset="tiny", run="good")
    assert primary(page) == ["Read the results"]
    figures = run.report()
    assert figures is not None
    assert f"{100 * figures['parts']['test']['accuracy']:.1f} %" in words(page)
    page.button(key="train-read").click().run()
    assert page.query_params["run"] == "good"


def test_continuing_queues_it_again(tiny: Dataset, open_page: Open, idle_runner: Any) -> None:
    """Continue puts an interrupted run back into the queue with its epochs."""
    run = make_run(tiny, "cut", state="running")
    page = open_page(PAGE, dataset="tiny", run="cut")
    page.button(key="train-continue").click().run()
    assert not page.exception
    assert run.state() == "queued"
    assert len(run.metrics()) == 3
    assert idle_runner.woken == 1


def test_a_run_that_is_performed_ends_on_the_page(tiny: Dataset, open_page: Open) -> None:
    """From the button to the end through the real queue, with a stand-in for the training's work function."""
    page = open_page(PAGE, dataset="tiny")
    start_button(page).click().run()
    run = next(run for run in list_runs() if not run.shipped)

    def work(params: dict[str, Any], context: Any) -> dict[str, Any]:
        context.progress(1, 1, "Epoch 1")
        return {}

    assert jobs.step({"train": work}) is not None
    page.run()
    assert not page.exception
    assert run.state() == "done"
    assert "run-state done" in words(page)


def test_a_new_training_can_be_set_up_beside_a_run(tiny: Dataset, open_page: Open) -> None:
    """`New training` shows the form although a run works, and the address forgets the run."""
    run = make_run(tiny, "busy", state="running")
    with at_work(run):
        page = open_page(PAGE, dataset="tiny", run="busy")
        page.button(key="train-compose").click().run()
        assert not page.exception
        assert primary(page) == ["Start training"]
        assert "run" not in page.query_params


def test_the_list_opens_and_deletes(tiny: Dataset, open_page: Open) -> None:
    """The list shows scores and states; opening puts a run into the address, deleting asks and takes it away."""
    make_run(tiny, "first", right=(1.0, 0.0))
    make_run(tiny, "second", state="failed")
    page = open_page(PAGE, dataset="tiny")
    text = words(page)
    assert "100.0 %" in text
    assert "run-state failed" in text
    page.button(key="open-first").click().run()
    assert page.query_params["run"] == "first"
    assert page.button(key="open-first").disabled
    choose_from_menu(page, "first", "delete")
    assert "cannot be undone" in words(page)
    page.button(key="delete-first").click().run()
    assert not page.exception
    with pytest.raises(NotFound):
        open_run("first")
    assert "run" not in page.query_params
    assert primary(page) == ["Start training"]


@pytest.mark.usefixtures("nothing_shipped")
def test_a_shipped_run_is_listed_but_never_in_the_way(
    tiny: Dataset, open_page: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run that ships with the app does not hide the form; opened here it can be read, not changed or deleted."""
    run = make_run(tiny, "starter")
    shipped = tmp_path / "shipped" / "starter"
    shutil.copytree(run.folder, shipped)
    shutil.rmtree(run.folder)
    config = workspace.read_json(shipped / "config.json")
    workspace.write_json(shipped / "config.json", {**config, "shipped": True})
    monkeypatch.setattr(workspace, "shipped_runs_folder", lambda: shipped.parent)
    page = open_page(PAGE, dataset="tiny", run="starter")
    assert not page.exception
    assert primary(page) == ["Start training"]
    assert "ships with the app" in words(page)
    page.button(key="open-starter").click().run()
    assert not page.exception
    assert page.text_area(key="notes-starter").disabled
    assert "accuracy, clean" in words(page)


def test_notes_are_kept_with_the_run(tiny: Dataset, open_page: Open) -> None:
    """What is written is in the run's folder and beside it in the list."""
    run = make_run(tiny, "noted")
    page = open_page(PAGE, dataset="tiny", run="noted")
    page.text_area(key="notes-noted").set_value("<b>wider</b> stem").run()
    assert run.notes() == "<b>wider</b> stem"
    assert "&lt;b&gt;wider&lt;/b&gt; stem" in words(open_page(PAGE, dataset="tiny"))


def _checkpoints(run: Run) -> Any:
    folder = run.folder / "checkpoints"
    folder.mkdir()
    return folder
