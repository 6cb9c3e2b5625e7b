"""The frame in a real browser: first start, links, reload, the back button, two tabs, narrow and dark."""

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from bloodapp.data.importing import import_source
from tests.browser.conftest import LONG_MS, PATIENCE_MS, Server, settled

expect.set_options(timeout=PATIENCE_MS)


def title(page: Page, text: str) -> None:
    """Wait until the page's heading says this, and the page is at rest."""
    expect(page.locator("header.heading h1").first).to_have_text(text)
    settled(page)


@pytest.fixture
def two(server: Server, course: Path) -> Server:
    """A server whose workspace has two datasets, `first` and `second`."""
    import_source(course, name="first")
    import_source(course, name="second")
    return server


@pytest.fixture
def course(tmp_path: Path, tiny_cells: tuple) -> Path:
    """The tiny cells as a file in the course's format."""
    images, labels = tiny_cells
    np.savez(tmp_path / "cells.npz", images=images, labels=labels[:, None])
    return tmp_path / "cells.npz"


def test_first_start_shows_the_sample_in_two_tabs(cold_server: Server, context: BrowserContext) -> None:
    """Two tabs on a workspace that was never used: both show the sample, which is there once."""
    tabs = [context.new_page() for _ in range(2)]
    for page in tabs:
        page.goto(cold_server.url, wait_until="commit")
    for page in tabs:
        expect(page.locator(".classes .strip img").first).to_be_visible()
        title(page, "sample")
    assert [folder.name for folder in (cold_server.home / "datasets").glob("[!.]*")] == ["sample"]


def test_links_reload_and_back_keep_the_dataset(two: Server, tab: Page) -> None:
    """The address carries the dataset through the menu, a reload, the back button and a cold deep link."""
    tab.goto(f"{two.url}/?dataset=first")
    title(tab, "first")
    tab.locator(".st-key-menu").get_by_role("link", name="Review").click()
    tab.wait_for_url("**/Review?dataset=first")
    settled(tab)
    tab.locator(".st-key-steps").get_by_role("link", name="Home").click()
    tab.wait_for_url("**/?dataset=first")
    title(tab, "first")
    tab.get_by_test_id("stSidebar").get_by_label("Dataset").click()
    tab.get_by_role("option", name="second").click()
    tab.wait_for_url("**/?dataset=second")
    title(tab, "second")
    tab.reload()
    title(tab, "second")
    tab.go_back()
    title(tab, "first")
    tab.goto(f"{two.url}/Train?dataset=second")
    settled(tab)
    tab.locator(".st-key-steps").get_by_role("link", name="Home").click()
    title(tab, "second")


def test_back_leads_through_the_views(two: Server, tab: Page) -> None:
    """From a view back to the one before, be it the first, of which the address says nothing."""
    tab.goto(f"{two.url}/Evaluate?dataset=first&run=starter")
    questions = tab.locator(".st-key-evaluate-question")
    expect(questions.get_by_role("radio", name="How good?")).to_be_checked(timeout=LONG_MS)
    for question, view in (("Where wrong?", "mistakes"), ("Report", "report")):
        settled(tab)
        questions.get_by_role("radio", name=question).click()
        tab.wait_for_url(f"**view={view}*")
    settled(tab)
    tab.go_back()
    expect(questions.get_by_role("radio", name="Where wrong?")).to_be_checked()
    settled(tab)
    tab.go_back()
    expect(questions.get_by_role("radio", name="How good?")).to_be_checked()
    settled(tab)
    assert "view=" not in tab.url


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_home_fits_a_narrow_window(two: Server, browser: Browser, scheme: str) -> None:
    """At 800 pixels nothing stands out to the right, in either scheme."""
    context = browser.new_context(viewport={"width": 800, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{two.url}/?dataset=first")
    title(page, "first")
    settled(page)
    wide = page.evaluate(
        "() => document.querySelector('[data-testid=stMain]').scrollWidth - window.innerWidth"
    )
    context.close()
    assert wide <= 0


def test_import_by_path_and_delete(two: Server, tab: Page, course: Path) -> None:
    """A dataset comes in through the dialog, is chosen when it is there, and goes after a confirmation."""
    tab.goto(f"{two.url}/?dataset=first")
    title(tab, "first")
    tab.get_by_role("button", name="Import a dataset").click()
    dialog = tab.get_by_role("dialog")
    expect(dialog).to_be_visible()
    settled(tab)
    dialog.get_by_label("Path of a file or folder").fill(str(course))
    dialog.get_by_label("Name in the app").first.fill("third")
    dialog.get_by_role("button", name="Import", exact=True).first.click()
    title(tab, "third")
    tab.get_by_role("button", name="Delete this dataset").click()
    tab.get_by_role("button", name="Delete 'third' for good").click()
    expect(tab.locator("header.heading h1").first).not_to_have_text("third")
    assert not (two.home / "datasets" / "third").exists()
