"""A dialog in a real browser while a job ends behind it: what is being typed stays, letter for letter."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from bloodapp import workspace
from bloodapp.data.dataset import Dataset
from bloodapp.data.importing import import_source
from bloodapp.evaluate import target
from bloodapp.evaluate.target_compare import compare
from bloodapp.jobs.job import Job
from bloodapp.review.scan import scan
from tests.browser.conftest import Server, settled
from tests.evaluate.target_made import Colours, lit
from tests.made import make_run


@pytest.fixture
def course(tmp_path: Path, tiny_cells: tuple) -> Path:
    """The tiny cells as a file in the course's format."""
    np.savez(tmp_path / "cells.npz", images=tiny_cells[0], labels=tiny_cells[1])
    return tmp_path / "cells.npz"


@contextmanager
def at_work(kind: str, **params: str) -> Iterator[Path]:
    """A job that is at work, here and not in a child, for as long as it is wanted; then it is done. Its folder."""
    folder = workspace.claim_folder(workspace.jobs_folder(), f"{kind}-by-hand", number=True)
    job = Job(folder, kind, params, "A job", workspace.now("microseconds"), {})
    request = {"kind": kind, "params": params, "title": job.title, "created": job.created, "env": {}}
    with job.held():
        job.write_status({"state": "running", "attempt": 1, "started": workspace.now()})
        workspace.write_json(folder / "request.json", request)
        yield folder
        job.write_status({"state": "done", "attempt": 1})


def bars(tab: Page) -> Locator:
    """The bars of the jobs at work, beside the page."""
    return tab.get_by_test_id("stSidebar").locator(".job")


def opened(tab: Page) -> Locator:
    """Open the import dialog."""
    settled(tab)
    tab.get_by_role("button", name="Import a dataset").click()
    dialog = tab.get_by_role("dialog")
    expect(dialog).to_be_visible()
    settled(tab)
    return dialog


def test_typing_outlives_a_jobs_end(server: Server, tab: Page, course: Path) -> None:
    """A path is being typed when a second dataset comes: its text, the focus and the place in it stay."""
    import_source(course, name="first")
    with at_work("import"):
        tab.goto(f"{server.url}/?dataset=first")
        expect(bars(tab)).to_be_visible()
        dialog = opened(tab)
        path = dialog.get_by_label("Path of a file or folder")
        path.press_sequentially("/home/me/cells")
        import_source(course, name="second")
    expect(bars(tab)).to_have_count(0)
    settled(tab)
    expect(path).to_be_focused()
    tab.keyboard.type(".npz")
    expect(path).to_have_value("/home/me/cells.npz")
    tab.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(tab.get_by_test_id("stToast")).to_contain_text("A job: done.")
    settled(tab)
    tab.keyboard.press("r")  # Streamlit's own key: the page is drawn anew, and the dialog is not
    settled(tab)
    expect(dialog).to_have_count(0)
    expect(opened(tab).get_by_role("tab", name="Add to a dataset")).to_be_visible()  # now there are two
    expect(path).to_have_value("")


def test_another_tab_of_the_dialog_stays(server: Server, tab: Page, course: Path) -> None:
    """Datasets are being put together when a job ends: the tab, the chosen ones and the name stay."""
    import_source(course, name="first")
    import_source(course, name="second")
    with at_work("scan"):
        tab.goto(f"{server.url}/?dataset=first")
        expect(bars(tab)).to_be_visible()
        dialog = opened(tab)
        dialog.get_by_role("tab", name="Add to a dataset").click()
        panel = dialog.get_by_role("tabpanel", name="Add to a dataset")
        panel.get_by_label("Datasets to put together").click()
        tab.get_by_role("option", name="second").click()
        tab.keyboard.press("Escape")
        expect(panel.get_by_text("96 images of 8 classes")).to_be_visible()
        name = panel.get_by_label("Name in the app")
        name.press_sequentially("bot")
    expect(bars(tab)).to_have_count(0)
    settled(tab)
    expect(name).to_be_focused()
    tab.keyboard.type("h")
    expect(name).to_have_value("both")
    expect(panel.get_by_text("96 images of 8 classes")).to_be_visible()


def test_an_export_being_described_outlives_the_scan(server: Server, tab: Page, course: Path) -> None:
    """Where to write it is being typed when the first scan ends, and what stood there makes room for the queue."""
    first = import_source(course, name="first")
    with at_work("scan", dataset="first"):
        tab.goto(f"{server.url}/Review?dataset=first")
        expect(bars(tab)).to_be_visible()
        settled(tab)
        tab.get_by_role("button", name="Export what remains").click()
        field = tab.get_by_label("File on this computer")
        field.fill("")
        field.press_sequentially("/home/me/clean")
        scan(first)
    expect(bars(tab)).to_have_count(0)
    expect(tab.locator(".st-key-card-next")).to_be_visible()
    settled(tab)
    expect(field).to_be_focused()
    tab.keyboard.type(".npz")
    expect(field).to_have_value("/home/me/clean.npz")


def test_a_name_outlives_an_export(server: Server, tab: Page, course: Path) -> None:
    """One's name is being typed below an export when that ends."""
    import_source(course, name="first")
    with at_work("export", dataset="first"):
        tab.goto(f"{server.url}/Review?dataset=first")
        expect(bars(tab)).to_be_visible()
        settled(tab)
        tab.locator(".st-key-who-box").get_by_role("button").click()
        field = tab.get_by_role("textbox", name="Your name")
        field.press_sequentially("Ann")
    expect(bars(tab)).to_have_count(0)
    settled(tab)
    expect(field).to_be_focused()
    tab.keyboard.type("a")
    expect(field).to_have_value("Anna")


def test_a_path_to_compare_outlives_the_first_comparison(
    server: Server, tab: Page, tiny: Dataset, course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More images from one's microscope are being named when what came of the first ones takes the page."""
    monkeypatch.setattr("bloodapp.evaluate.target_cover.PIPELINES", {})
    run = make_run(tiny)
    run.model_path.write_bytes(b"a model")  # which nobody opens
    with at_work(target.KIND, run=run.name, source=str(course), name="mine") as folder:
        tab.goto(f"{server.url}/Evaluate?dataset=tiny&run={run.name}&view=target")
        expect(bars(tab)).to_be_visible()
        settled(tab)
        tab.get_by_role("button", name="Compare others").click()
        field = tab.get_by_label("Path of a folder, .zip, .npz or picture")
        field.press_sequentially("/home/me")
        side, content, arrays = compare(run, course, Colours(), draws=lit)
        target.keep(folder, side, content, arrays)
    expect(bars(tab)).to_have_count(0)
    expect(tab.get_by_role("button", name="Delete")).to_be_visible()
    settled(tab)
    expect(field).to_be_focused()
    tab.keyboard.type("/slides")
    expect(field).to_have_value("/home/me/slides")
