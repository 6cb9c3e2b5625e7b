"""The ledger in a real browser: two reviewers at once, and a log that leaves and comes back."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Locator, expect

from bloodapp.data import decisions
from bloodapp.data.dataset import Dataset
from bloodapp.data.importing import import_source
from bloodapp.review.findings import combined, finding_table, write_findings
from tests.browser.app import App
from tests.browser.conftest import Server, press, settled


@pytest.fixture
def found(tiny: Dataset) -> Dataset:
    """The tiny dataset with four findings."""
    detect(tiny)
    return tiny


def detect(dataset: Dataset) -> None:
    """Four blurred images."""
    tables = [finding_table("blurred", [3, 4, 5, 6], [0.9, 0.8, 0.7, 0.6], "soft")]
    write_findings(dataset.path, combined(tables), fingerprint=dataset.fingerprint)


def sign(app: App, name: str) -> None:
    """Put a name to what this tab decides."""
    app.click(app.keyed("who-box").get_by_role("button"))
    field = app.tab.get_by_role("textbox", name="Your name")
    field.fill(name)
    field.press("Enter")
    expect(app.keyed("who-box").get_by_role("button")).to_contain_text(name)
    press(app.tab, "Escape", lambda: not field.is_visible())
    settled(app.tab)


def decide(app: App, decision: str, index: int) -> None:
    """Decide about a single image by its button."""
    app.click(app.keyed(f"{decision}-image-{index}").get_by_role("button"))


def row(app: App, batch: int) -> Locator:
    """A decision's row in the ledger."""
    return app.keyed(f"led-{batch}")


def view(app: App, name: str) -> None:
    """Go to a part of Review."""
    app.click(app.keyed("view-box").get_by_role("radio", name=name))
    settled(app.tab)


def test_two_reviewers_at_once_lose_nothing(
    found: Dataset, server: Server, new_window: Callable[..., BrowserContext]
) -> None:
    """Both decide about the same image; both events stand, the second is told, each sees the other's in the ledger."""
    anna, bo = (App(new_window().new_page(), server.url) for _ in range(2))
    for app, name in ((anna, "Anna"), (bo, "Bo")):
        app.open("Review", dataset="tiny")
        sign(app, name)
    decide(anna, "exclude", 3)
    anna.decided("Excluded 1 image")
    decide(bo, "keep", 3)  # his page still shows it as open
    toast = bo.tab.get_by_test_id("stToast")
    expect(toast).to_contain_text("Kept 1 image. Anna excluded it")
    expect(toast).to_contain_text("both stand in the ledger")
    assert decisions.log(found)[["who", "action", "index"]].to_numpy().tolist() == [
        ["Bo", "keep", 3],
        ["Anna", "exclude", 3],
    ]

    view(anna, "Ledger")
    expect(row(anna, 1)).to_contain_text("Anna")
    expect(row(anna, 2)).to_contain_text("Kept1 image")
    expect(row(anna, 2)).to_contain_text("Bo")
    anna.click(row(anna, 2).get_by_role("button", name="Undo"))
    expect(row(anna, 2)).to_contain_text("undone by Anna")
    assert not decisions.judge(found).included[3]

    view(bo, "Ledger")
    expect(row(bo, 2)).to_contain_text("undone by Anna")
    bo.click(row(bo, 2).get_by_role("button", name="Redo"))
    expect(row(bo, 2).get_by_role("button", name="Undo")).to_be_visible()
    assert decisions.judge(found).included[3]
    for app in (anna, bo):
        app.reload("Review")
        expect(app.main.locator(".ledger-row")).to_have_count(2)


def test_the_log_leaves_as_a_file_and_comes_back_to_other_images(
    found: Dataset,
    server: Server,
    new_window: Callable[..., BrowserContext],
    tmp_path: Path,
) -> None:
    """Filtered, opened, undone for one image, exported; a copy in another order says what is new, then takes it."""
    decisions.record(found, [3, 4, 5], "exclude", why="Blurred", who="Anna")
    decisions.record(found, [6], "relabel", label=2, why="Conflicting labels", who="Bo")
    np.savez(tmp_path / "turned.npz", images=found.images[::-1], labels=found.labels[::-1])
    turned = import_source(tmp_path / "turned.npz")
    detect(turned)
    app = App(new_window(width=800).new_page(), server.url)
    app.open("Review", dataset="tiny", view="ledger", reviewer="Anna")
    expect(app.main.locator(".ledger-row")).to_have_count(1)
    app.click(app.keyed("open-1").get_by_role("button"))
    app.click(app.keyed("undo-event-2").get_by_role("button"))
    expect(row(app, 1)).to_contain_text("1 of 3 undone")
    assert app.stands_out() <= 0
    app.click(app.button("Clear filters"))
    expect(app.main.locator(".ledger-row")).to_have_count(2)
    with app.tab.expect_download() as download:
        app.click(app.button("Export CSV"))
    assert download.value.suggested_filename == "tiny-decisions.csv"
    download.value.save_as(tmp_path / "log.csv")

    app.open("Review", dataset="turned", view="ledger")
    app.click(app.button("Import CSV"))
    app.tab.locator("input[type=file]").set_input_files(tmp_path / "log.csv")
    expect(app.tab.locator(".dry-run")).to_contain_text("5 decisions: 5 new.")
    assert decisions.last_seq(turned) == 0
    app.click(app.tab.get_by_role("button", name="Replay 5 decisions"))
    expect(app.main.locator(".ledger-row")).to_have_count(2)
    here, there = decisions.judge(found), decisions.judge(turned)
    assert (there.included == here.included[::-1]).all() and (there.labels == here.labels[::-1]).all()
