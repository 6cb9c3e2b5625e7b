"""How long the first start takes: a new workspace, a real browser, until Home shows the sample."""

import time
from collections.abc import Callable

from playwright.sync_api import BrowserContext, expect

from tests.benchmarks.report import row
from tests.browser.conftest import PATIENCE_MS, Server

pytest_plugins = ["tests.browser.conftest"]


def test_home_shows_the_sample_soon(start_server: Callable[[], Server], context: BrowserContext) -> None:
    """From the moment the server answers to the first thumbnails, against the same page loaded again."""
    server = start_server()
    begun = time.perf_counter()
    page = context.new_page()
    page.goto(server.url, wait_until="commit")
    expect(page.locator(".classes .strip img").first).to_be_visible(timeout=PATIENCE_MS)
    first = time.perf_counter() - begun
    begun = time.perf_counter()
    page.reload(wait_until="commit")
    expect(page.locator(".classes .strip img").first).to_be_visible(timeout=PATIENCE_MS)
    again = time.perf_counter() - begun
    row("Home with the sample on a new workspace", [first], [again], unit="s", than="a reload")
