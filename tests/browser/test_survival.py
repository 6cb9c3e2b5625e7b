"""What must not be lost: a training by a kill, a decision by a second tab, a place by a reload, data by nonsense."""

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from bloodapp import workspace
from bloodapp.data import decisions
from bloodapp.data.dataset import Dataset, list_datasets
from bloodapp.data.importing import import_source
from bloodapp.review.queue import Card, cards
from bloodapp.review.scan import read_findings, scan
from bloodapp.runs.run import Run
from bloodapp.train.launch import start
from bloodapp.train.recipes import DEFAULT, RECIPES
from bloodapp.train.settings import with_settings
from tests.browser.app import PAGES, App, hold, until, worker
from tests.browser.conftest import LONG_MS, Server
from tests.conftest import draw_tiny_cells
from tests.made import make_run

pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def cells(home: Path, tmp_path: Path) -> Dataset:
    """A scanned dataset `cells` of 144 images, the only one of the workspace."""
    drawn = [draw_tiny_cells(seed) for seed in (6, 7, 8)]
    images, labels = (np.concatenate(arrays) for arrays in zip(*drawn, strict=True))
    np.savez(tmp_path / "cells.npz", images=images, labels=labels[:, None])
    dataset = import_source(tmp_path / "cells.npz")
    scan(dataset)
    return dataset


def test_pages_answer_while_it_trains_and_a_killed_training_goes_on(
    cells: Dataset, cold_server: Server, tab: Page, record_property: Callable[[str, object], None]
) -> None:
    """Every page answers beside a training; one whose process was killed continues after its last epoch."""
    app = App(tab, cold_server.url)
    make_run(cells)  # for Evaluate to show
    run = small_training(cells, epochs=1000)
    app.open()  # a server looks for work from its first visitor on
    until(lambda: len(run.metrics()) > 0, "a first epoch ends")
    for page in PAGES:
        # The preview of nothing: that of something loads TensorFlow first, which is another matter.
        seconds = app.open(page, dataset=cells.name, **({"pipeline": "none"} if page == "Augment" else {}))
        print(f"{page} beside a training: {seconds:.2f} s")
        record_property(f"seconds of {page}", round(seconds, 2))
    assert run.state() == "running"

    app.open("Train", dataset=cells.name, run=run.name)
    app.shows_run("training")
    os.kill(worker(run), signal.SIGKILL)
    app.shows_run("interrupted")
    app.says("Nothing that was finished is lost")
    known = workspace.read_json(run.folder / "checkpoints" / "state.json")["epoch"]
    leave_epochs(run, known + 1)
    app.click(app.button("Continue"))
    app.shows_run("done")
    assert run.metrics()["epoch"].tolist() == list(range(1, known + 2))
    assert f"Continuing after epoch {known}." in run.job.log()


def small_training(dataset: Dataset, *, epochs: int) -> Run:
    """Queue a training with a tiny network, for the server to find."""
    changes = {"model": "tiny", "width": 4, "size": 32, "small_size": 32, "pipeline": "flip", "minutes": 0}
    return start(dataset, with_settings(RECIPES[DEFAULT], {**changes, "epochs": epochs, "batch": 16}))


def leave_epochs(run: Run, epochs: int) -> None:
    """Shorten a training that is not at work, so that the test need not see it to its end."""
    config = workspace.read_json(run.folder / "config.json")
    config["recipe"]["epochs"] = epochs
    workspace.write_json(run.folder / "config.json", config)


def test_a_training_outlives_its_server(
    cells: Dataset, start_server: Callable[..., Server], tab: Page
) -> None:
    """The server is killed in the middle; the next one shows the training at work, also in the tab left open."""
    first = start_server()
    app = App(tab, first.url)
    run = small_training(cells, epochs=2)
    app.open("Train", dataset=cells.name, run=run.name)
    let_go = hold(run)
    app.shows_run("training")
    first.kill()
    assert run.state() == "running"

    start_server(port=int(first.url.rpartition(":")[2]))
    other = App(tab.context.new_page(), first.url)
    other.open("Train", dataset=cells.name, run=run.name)
    other.shows_run("training")
    let_go()
    other.shows_run("done")
    assert run.finished and run.job.written_status()["attempt"] == 1
    app.shows_run("done")


def test_two_tabs_lose_no_decision(cells: Dataset, server: Server, context: BrowserContext) -> None:
    """What one tab decides the other shows after its next click; clicks in both at once are all kept."""
    one, other = (App(context.new_page(), server.url) for _ in range(2))
    for app in (one, other):
        app.open("Review", dataset=cells.name)
        expect(app.next_card).to_be_visible()
    first, second, third = queue(cells)[:3]
    # In both at once: neither waits for the other.
    one.click(one.offer("keep", first))
    other.click(other.offer("exclude", second))
    one.decided("Kept")
    other.decided("Excluded")
    for app in (one, other):
        app.click(app.keyed("show-box").get_by_role("radio", name="All"))
        expect(app.history).to_have_count(2)

    one.click(one.offer("exclude", third))
    expect(one.history).to_have_count(3)
    # This tab does not know of it yet and still asks; it is told, and what it said counts, being the last word.
    other.click(other.offer("keep", third))
    expect(other.history).to_have_count(4)
    assert sorted(decisions.batches(cells)["action"]) == ["exclude", "exclude", "keep", "keep"]
    judged = decisions.judge(cells)
    assert judged.included[first.indices].all() and judged.included[third.indices].all()
    assert not judged.included[second.indices].any()


def queue(dataset: Dataset) -> list[Card]:
    """The groups in the queue, most rewarding first."""
    findings = read_findings(dataset)
    assert findings is not None
    return [card for card in cards(findings, decisions.judge(dataset)) if card.grouped]


@pytest.fixture
def made(cells: Dataset) -> Run:
    """A finished run on `cells`, made without training."""
    return make_run(cells)


def test_links_hold_on_a_cold_server(
    cells: Dataset, made: Run, cold_server: Server, tab: Page, tmp_path: Path
) -> None:
    """A link leads to its dataset, run and cell on a server that nobody has asked yet; so does the back button."""
    import_source(tmp_path / "cells.npz", name="newer")  # what would be shown unasked
    app = App(tab, cold_server.url)
    both = {"dataset": cells.name, "run": made.name}
    app.open("Evaluate", **both, cell="2-3")
    app.shows(**both)
    app.says("taken for")
    app.go("Classify")
    app.shows(**both)
    app.go("Review")
    app.shows(dataset=cells.name)
    app.back("Classify")
    app.shows(**both)
    app.back("Evaluate")
    tab.wait_for_url("**cell=2-3**")
    app.shows(**both)
    app.open("Train", **both)
    app.shows_run("done")
    app.open("Review", dataset=cells.name, finding="label_conflict", show="all")
    app.shows(dataset=cells.name)
    expect(app.keyed("finding-box").get_by_role("radio", name="Conflicting labels")).to_be_checked()
    expect(app.keyed("show-box").get_by_role("radio", name="All")).to_be_checked()


def test_nonsense_is_told_in_a_sentence(cells: Dataset, server: Server, tab: Page, tmp_path: Path) -> None:
    """A text called .npz is refused in one sentence; dataset and decisions stay as they were."""
    decisions.record(cells, [1, 2], "exclude")
    nonsense = tmp_path / "nonsense.npz"
    nonsense.write_text("These are no cells.\n" * 100)
    app = App(tab, server.url)
    app.open("Home", dataset=cells.name)
    app.upload(nonsense)
    told = app.main.get_by_role("alert")
    expect(told).to_have_count(1, timeout=LONG_MS)
    expect(told).to_have_text(
        re.compile(r"^Import of nonsense did not work\. [^\n]*nonsense\.npz' is [^\n]*\.$")
    )
    app.shows(dataset=cells.name)
    assert list_datasets() == [cells.name] and (~decisions.judge(cells).included).sum() == 2
    app.click(app.button("Put away"))
    expect(told).to_have_count(0)
    app.shows(dataset=cells.name)
