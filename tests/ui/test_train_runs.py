"""Runs on Train: the list and its pages, the queue, a run's menu, series, what is compared with what."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from bloodapp import jobs, workspace
from bloodapp.data.dataset import Dataset
from bloodapp.runs.predictions import read_predictions, write_predictions
from bloodapp.runs.run import Run, list_runs, open_run
from bloodapp.train.forecast import Forecast
from bloodapp.train.recipes import RECIPES
from bloodapp.train.settings import settings, with_settings
from bloodapp.ui.train import cost, curves, state
from bloodapp.ui.train import run as train_run
from tests.made import make_run
from tests.ui.conftest import words
from tests.ui.test_train import PAGE, at_work, choose_from_menu, labels, primary, start_button

Open = Callable[..., AppTest]


def make_series(dataset: Dataset, name: str, kind: str = "repeats", number: int = 3) -> Run:
    """A series whose trainings have ended."""
    recipe = settings(RECIPES["plain"])
    children = [f"{name}-{place}" for place in range(1, number + 1)]
    run = make_run(dataset, name, epochs=0, recipe=recipe, series={"kind": kind, "children": children})
    for place, child in enumerate(children):
        make_run(
            dataset, child, seed=1, right=(0.9 + 0.04 * place, 0.5), recipe=recipe, parent=name, of=number
        )
    return run


def mark_epochs(run: Run, phases: list[str]) -> None:
    """Give the run epochs that say what learned and how fast."""
    (run.folder / "metrics.jsonl").unlink(missing_ok=True)
    for epoch, phase in enumerate(phases, 1):
        row = {
            "epoch": epoch,
            "loss": 1 / epoch,
            "val_loss": 1.1 / epoch,
            "accuracy": 0.5,
            "val_accuracy": 0.5,
        }
        workspace.append_line(run.folder / "metrics.jsonl", {**row, "phase": phase, "learning_rate": 1e-3})


def test_long_lists_have_pages(tiny: Dataset, open_page: Open) -> None:
    """Eight runs a page; older ones are one click away, and the last page leads back."""
    for number in range(10):
        make_run(tiny, f"run-{number}", epochs=0)
    page = open_page(PAGE, dataset="tiny")
    opened = [label for label in labels(page) if label == "Open"]
    assert len(opened) == 8
    page.button(key="train-older").click().run()
    assert page.button(key="train-older").disabled
    assert "run-0" in words(page)
    page.button(key="train-newer").click().run()
    assert page.button(key="train-newer").disabled


def test_the_queue_is_in_order_and_can_be_changed(tiny: Dataset, open_page: Open) -> None:
    """What works comes first, then what waits by age; what waits is taken out, a series is one entry."""
    work = make_run(tiny, "first", state="running")
    make_series(tiny, "many")
    with jobs.open_job("many").held():
        jobs.open_job("many").write_status({"state": "queued", "attempt": 1})
    make_run(tiny, "last", state="queued", epochs=0)
    with at_work(work, text="Epoch 4", done=0.4, total=1, eta_s=200):
        page = open_page(PAGE, dataset="tiny", train="new")
        text = words(page)
        assert "2 trainings waiting" in text
        places = [text.index(f"<b>{name}</b><small>") for name in ("first", "many", "last")]
        assert places == sorted(places)
        assert "Epoch 4 · about 3 min left" in text
        assert "3 repeats" in text
        page.button(key="queue-stop-last").click().run()
        assert not page.exception
        assert open_run("last").state() == "stopped"
        page.button(key="queue-stop-first").click().run()
        assert work.job.stopping()
        # Of the run on show itself nothing needs to be said twice.
        page.button(key="queue-stop-many").click().run()
        alone = open_page(PAGE, dataset="tiny", run="first")
        assert not [button for button in alone.button if str(button.key).startswith("queue-")]


def test_a_run_is_renamed_in_place(tiny: Dataset, open_page: Open) -> None:
    """The new title is in the head and in the list; the name of the folder stays in the head."""
    make_run(tiny, "made")
    page = open_page(PAGE, dataset="tiny", run="made")
    choose_from_menu(page, "made", "rename")
    page.text_input(key="title-made").set_value("Wider <stem>")
    page.button(key="train-rename-save").click().run()
    assert not page.exception
    assert open_run("made").title == "Wider <stem>"
    assert "Wider &lt;stem&gt;" in words(page)
    assert not [box for box in page.text_input if box.key == "title-made"]


def test_deleting_can_be_thought_over(tiny: Dataset, open_page: Open) -> None:
    """Keep it closes the question; nothing is gone."""
    make_run(tiny, "made")
    page = open_page(PAGE, dataset="tiny", run="made")
    choose_from_menu(page, "made", "delete")
    page.button(key="train-delete-off").click().run()
    assert "cannot be undone" not in words(page)
    assert open_run("made")


def test_out_of_memory_offers_the_smaller_batch(tiny: Dataset, open_page: Open, idle_runner: Any) -> None:
    """The button starts the same training with the batch that the failure suggests."""
    recipe = settings(with_settings(RECIPES["plain"], {"epochs": 3}))
    run = make_run(tiny, "large", state="failed", recipe=recipe)
    with run.job.held():
        status = {"state": "failed", "error": "Memory ran out with 64 images a step.", "smaller_batch": 16}
        run.job.write_status(status)
    page = open_page(PAGE, dataset="tiny", run="large")
    assert primary(page) == ["Try with batch 16"]
    page.button(key="train-smaller").click().run()
    assert not page.exception
    new = next(each for each in list_runs() if each.name != "large" and not each.shipped)
    assert (new.config["recipe"]["batch"], new.config["recipe"]["epochs"]) == (16, 3)
    assert page.query_params["run"] == new.name
    assert idle_runner.woken == 1


def test_what_was_killed_names_a_smaller_batch(
    tiny: Dataset, open_page: Open, idle_runner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut off with the memory nearly full: half the batch is offered beside Continue, which stays the first."""
    monkeypatch.setattr(train_run, "memory_total_mib", lambda: 16_000.0)
    run = make_run(tiny, "large", state="running", recipe=settings(RECIPES["plain"]))
    with run.job.held():
        run.job.write_status({"state": "running", "attempt": 1, "memory_mib": 4_000})
    assert "Try with batch" not in " ".join(labels(open_page(PAGE, dataset="tiny", run="large")))
    run.job.ended_by("SIGKILL", 1)
    page = open_page(PAGE, dataset="tiny", run="large")
    assert "killed from outside" in words(page)
    with run.job.held():
        run.job.write_status({"state": "running", "attempt": 1, "memory_mib": 15_000})
    page = open_page(PAGE, dataset="tiny", run="large")
    assert "It probably ran out of memory (last seen 15,000 MB of 16,000)" in words(page)
    assert primary(page) == ["Continue"]
    page.button(key="train-smaller").click().run()
    assert not page.exception
    new = open_run(page.query_params["run"])
    assert new.config["recipe"]["batch"] == RECIPES["plain"].batch // 2


def test_how_often_the_test_part_was_read() -> None:
    """Once, by each network of a series, by all together under noise, or again and again."""
    when = "2026-11-21T20:15:00Z"
    say = state.read_words
    assert say({"test_reads": 0}) == ""
    once = "The test part was read once, after the training, on 21 November 2026 at 20:15 UTC."
    assert say({"test_reads": 1, "test_read": when}) == once
    five = {"test_reads": 5, "test_read": when, "series": {"finished": list("abcde")}}
    assert say(five).startswith("The test part was read by 5 networks, once each after its training, on 21")
    noisy = {**five, "test_reads": 6, "series": {**five["series"], "own_reads": 1}}
    assert "and under white noise once by all together" in say(noisy)
    assert "read again and again" in say({**five, "test_reads": 7}) and "7 times, last on 21" in say(
        {**five, "test_reads": 7}
    )


def test_a_series_shows_its_trainings(tiny: Dataset, open_page: Open) -> None:
    """Mean and standard deviation, a row for each training, and the way there and back; the list holds the series."""
    make_series(tiny, "many")
    page = open_page(PAGE, dataset="tiny", run="many")
    assert not page.exception
    assert "3 of 3 have ended" in words(page)
    assert " ± " in words(page)
    assert not [button for button in page.button if button.key == "open-many-1"]
    page.button(key="child-open-many-2").click().run()
    assert page.query_params["run"] == "many-2"
    page.button(key="train-parent").click().run()
    assert page.query_params["run"] == "many"


def test_a_search_is_started_and_shown(tiny: Dataset, open_page: Open) -> None:
    """From the card; its trials stand with what they try and their score on val, the best in full last."""
    page = open_page(PAGE, dataset="tiny", recipe="plain")
    page.number_input(key="train-trials").set_value(2).run()
    page.button(key="train-search-start").click().run()
    assert not page.exception
    run = open_run(page.query_params["run"])
    assert run.series == "search" and "2 trials and the best" in words(page)
    params = {"layers": 2, "neurons": 512, "dropout": 0.25, "learning_rate": 0.002, "unfrozen": 15}
    recipe = {**settings(RECIPES["plain"]), "score": "accuracy"}
    for number, name in enumerate(run.config["series"]["children"]):
        best = number == 2
        make_run(tiny, name, test=best, seed=number, recipe=recipe, parent=run.name, params=params)
    page = open_page(PAGE, dataset="tiny", run=run.name)
    assert not page.exception
    text = words(page)
    assert "2 of 2 trials have a score" in text
    assert "2 layers from 512, dropout 0.25, last 15 layers learn" in text and "The best in full" in text


def test_repeats_start_a_series(tiny: Dataset, open_page: Open) -> None:
    """The number beside the button makes a series of as many trainings with other seeds."""
    page = open_page(PAGE, dataset="tiny", recipe="plain")
    page.number_input(key="train-repeats").set_value(2).run()
    start_button(page).click().run()
    assert not page.exception
    run = open_run(page.query_params["run"])
    assert [child.config["recipe"]["seed"] for child in run.children] == [1, 2]
    assert "2 repeats" in words(page)


def test_phases_and_learning_rate_of_a_run(tiny: Dataset, open_page: Open) -> None:
    """The learning rate has a curve of its own, and what learned when is said in words."""
    run = make_run(tiny, "phased")
    mark_epochs(run, ["frozen(2)", "frozen(2)", "full(rate=1e-4)"])
    page = open_page(PAGE, dataset="tiny", run="phased")
    assert len(page.get("plotly_chart")) == 3
    assert "1–2: the head only · 3: the whole network, at most 0.0001" in words(page)
    assert curves.phases(run.metrics()) == [
        (1, 2, "the head only"),
        (3, 3, "the whole network, at most 0.0001"),
    ]
    # Phases that differ in their rate alone are two.
    mark_epochs(run, ["full(2)", "full(2)", "full(rate=1e-5)"])
    assert [(first, last) for first, last, _ in curves.phases(run.metrics())] == [(1, 2), (3, 3)]


def test_settings_begin_with_what_differs(tiny: Dataset, open_page: Open) -> None:
    """Of a run on a shipped recipe the changes come first, each beside the recipe's own value."""
    make_run(tiny, "made", recipe=settings(with_settings(RECIPES["plain"], {"epochs": 7})))
    text = words(open_page(PAGE, dataset="tiny", run="made"))
    assert "1 change from the recipe" in text
    assert f"<b>Epochs</b><span>7</span><s>{RECIPES['plain'].epochs}</s>" in text
    make_run(tiny, "same", recipe=settings(RECIPES["plain"]))
    assert "As the recipe" in words(open_page(PAGE, dataset="tiny", run="same"))


def test_two_runs_are_compared(tiny: Dataset, open_page: Open) -> None:
    """Ticked runs are in the address; compared they show curves, scores with intervals and their differences."""
    make_run(tiny, "one", right=(0.95, 0.6), recipe=settings(RECIPES["plain"]))
    make_run(tiny, "two", right=(0.7, 0.6), recipe=settings(with_settings(RECIPES["plain"], {"epochs": 7})))
    page = open_page(PAGE, dataset="tiny")
    page.checkbox(key="tick-one").check().run()
    assert page.button(key="train-compare").disabled
    page.checkbox(key="tick-two").check().run()
    assert page.query_params["compare"] == "one,two"
    page.button(key="train-compare").click().run()
    assert not page.exception
    text = words(page)
    assert "2 runs compared" in text
    assert "with 95 % intervals" in text and "against the first" in text
    assert "What sets them apart" in text and "<th>epochs</th>" in text
    assert len(page.get("plotly_chart")) == 2
    # The address alone brings it back; a run that is gone is passed over.
    again = open_page(PAGE, dataset="tiny", train="compare", compare="one,gone,two")
    assert "2 runs compared" in words(again)
    again.button(key="uncompare-two").click().run()
    assert again.query_params["compare"] == "one,gone"
    again.button(key="train-untick").click().run()
    assert "Start training" in labels(again)


def test_runs_judged_on_other_images_are_told_apart(tiny: Dataset, open_page: Open) -> None:
    """Where the images differ a sentence says so and no difference is computed; a run without results is named."""
    make_run(tiny, "one")
    other = make_run(tiny, "two")
    given = read_predictions(other.folder)
    assert given is not None
    rows = given.index != given.index[given.part == "test"][0]
    write_predictions(
        other.folder,
        type(given)(given.index[rows], given.part[rows], given.label[rows], given.probabilities[rows]),
    )
    make_run(tiny, "none", state="failed")
    page = open_page(PAGE, dataset="tiny", train="compare", compare="one,two,none")
    assert not page.exception
    text = words(page)
    assert "not judged on the same images" in text
    assert "against the first" not in text
    assert "none has no results" in text


def test_a_comparison_leads_on_to_a_run(tiny: Dataset, open_page: Open) -> None:
    """Opening a run ends the comparison; the ticks stay."""
    make_run(tiny, "one")
    make_run(tiny, "two")
    page = open_page(PAGE, dataset="tiny", train="compare", compare="one,two")
    page.button(key="open-one").click().run()
    assert page.query_params["run"] == "one"
    assert "train" not in page.query_params
    assert page.query_params["compare"] == "one,two"


def test_the_forecast_warns_of_memory_and_offers_a_batch(
    tiny: Dataset, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Time, memory and trouble are told before the start; the batch that would fit is one click away."""
    told = Forecast(
        7200, 40, "50 images/s measured", 9000, True, trouble="It wants 8.8 GB.", smaller_batch=16
    )
    monkeypatch.setattr(cost, "forecast", lambda *_, **__: told)
    page = open_page(PAGE, dataset="tiny")
    text = words(page)
    assert "at most 2 h 0 min" in text
    assert "8.8 GB" in text and "It wants 8.8 GB." in text
    page.button(key="train-smaller-batch").click().run()
    assert page.query_params["set"] == "batch=16"


def test_measuring_and_finding_are_queued_and_followed(
    tiny: Dataset, open_page: Open, idle_runner: Any
) -> None:
    """Both buttons queue a job and show it; a search that is done shows its curve, and its rate can be taken."""
    page = open_page(PAGE, dataset="tiny")
    page.button(key="train-measure").click().run()
    assert not page.exception
    page.button(key="train-find").click().run()
    assert not page.exception
    assert idle_runner.woken == 2
    kinds = {job.kind: job for job in jobs.list_jobs()}
    assert set(kinds) == {"cost", "rates"}
    assert page.button(key="train-measure").disabled and page.button(key="train-find").disabled
    finish(kinds["cost"].folder)
    finish(kinds["rates"].folder)
    found = {"rates": [1e-5, 1e-4, 1e-3, 1e-2], "losses": [2.0, 1.5, 1.0, None], "suggested": 4e-4}
    workspace.write_json(kinds["rates"].folder / "rates.json", {**found, "steepest": 4e-4, "tenth": 1e-3})
    page = open_page(PAGE, dataset="tiny")
    assert "4.0e-04" in words(page)
    page.button(key="train-rates-take").click().run()
    assert page.query_params["set"] == "learning_rate=0.0004"
    page.button(key="train-rates-away").click().run()
    assert not page.exception
    assert not [button for button in page.button if button.key == "train-rates-take"]


def finish(folder: Path) -> None:
    """Say that a queued job is done."""
    job = jobs.open_job(folder)
    with job.held():
        job.write_status({"state": "done", "attempt": 1, "done": 1, "total": 1})


def test_what_repeats_a_run_says_whether_it_came_to_the_same(tiny: Dataset, open_page: Open) -> None:
    """While it trains it says what for; where the other is gone it says so."""
    make_run(tiny, "again", state="queued", reproduces="made", epochs=0)
    assert "made, which is not here any more" in words(open_page(PAGE, dataset="tiny", run="again"))
    make_run(tiny, "made")
    assert "It trains made again" in words(open_page(PAGE, dataset="tiny", run="again"))
