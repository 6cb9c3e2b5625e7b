"""Twenty quick trainings with real networks, two servers, two tabs, stops at random and a killed server."""

import random
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from bloodapp import workspace
from bloodapp.data.dataset import Dataset
from bloodapp.jobs import request_stop, resume
from bloodapp.jobs.job import ACTIVE
from bloodapp.runs.run import Run
from bloodapp.train.launch import start
from bloodapp.train.recipes import DEFAULT, RECIPES
from bloodapp.train.settings import with_settings
from tests.browser.app import App, until
from tests.browser.conftest import Server

RUNS = 20
EPOCHS = 3
QUICK = {
    "model": "tiny",
    "width": 4,
    "size": 32,
    "small_size": 32,
    "pipeline": "flip",
    "minutes": 0,
    "batch": 8,
}


@pytest.mark.timeout(1800)
def test_twenty_queued_runs_end_in_true_states(
    tiny: Dataset, start_server: Callable[..., Server], new_window: Callable[..., BrowserContext]
) -> None:
    """Every run is done, or stopped with what it says; none is lost, none trains an epoch twice unasked."""
    chance = random.Random(20)
    recipe = with_settings(RECIPES[DEFAULT], {**QUICK, "epochs": EPOCHS})
    runs = [start(tiny, recipe, name=f"run-{number}") for number in range(RUNS)]
    first, second = start_server(), start_server()
    tabs = [App(new_window().new_page(), server.url) for server in (first, second)]
    for tab, run in zip(tabs, runs, strict=False):
        tab.open("Train", dataset=tiny.name, run=run.name)

    stopped = chance.sample(runs, 4)
    for number, run in enumerate(stopped):
        until(lambda number=number: sum(ended(each) for each in runs) > 4 * number, "some end", seconds=600)
        request_stop(run.job)
        if number == 1:
            first.kill()
        if number == 2:
            start_server(port=int(first.url.rpartition(":")[2]))
            tabs[0].reload("Train")
    until(lambda: all(ended(run) for run in runs), "all end", seconds=1200)

    for run in runs:
        state = run.state()
        assert state in (("stopped", "done") if run in stopped else ("done",)), run.name
        assert run.job.written_status()["attempt"] == 1
        assert whole(run) or state == "stopped"
    again = [run for run in runs if run.state() == "stopped"]
    for run in again:
        resume(run.job)
    until(lambda: all(ended(run) for run in runs), "those that were stopped end", seconds=600)
    assert {run.state() for run in runs} == {"done"}
    assert all(whole(run) and run.finished for run in runs)
    tabs[1].open("Train", dataset=tiny.name)
    expect(tabs[1].main.locator(".run-row b").get_by_text(runs[-1].name, exact=True)).to_be_visible()


def ended(run: Run) -> bool:
    """Whether the run neither waits nor works."""
    return run.state() not in ACTIVE


def whole(run: Run) -> bool:
    """Whether each epoch was trained once."""
    lines = workspace.read_lines(run.folder / "metrics.jsonl")
    return [line["epoch"] for line in lines] == list(range(1, EPOCHS + 1))
