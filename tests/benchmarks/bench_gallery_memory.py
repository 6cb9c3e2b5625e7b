"""What 200 page turns in the gallery leave in the memory of server and browser."""

from pathlib import Path

import pytest
from playwright.sync_api import Page

from bloodapp.data.importing import import_source
from tests.benchmarks.measure import PATIENCE_S
from tests.benchmarks.report import row
from tests.browser.app import App
from tests.browser.conftest import Server
from tests.browser.gallery import Gallery
from tests.browser.vitals import flat, memory

pytest_plugins = ["tests.browser.conftest"]  # a server and a tab
pytestmark = pytest.mark.timeout(2 * PATIENCE_S)

BEFORE, TURNS = 20, 200


def test_memory_is_flat(course_file: Path, server: Server, tab: Page) -> None:
    """The server's process, the tab's heap and its nodes after 200 turns against those after 20."""
    course = import_source(course_file, name="course")
    gallery = Gallery(App(tab, server.url), course.name)
    turn(gallery, 0, BEFORE)
    before = memory(tab, server.process.pid)
    turn(gallery, BEFORE, TURNS)
    after = memory(tab, server.process.pid)
    than, images = f"after {BEFORE}", len(course)
    row(
        f"server after {TURNS} page turns",
        [after.server],
        [before.server],
        unit="MB",
        than=than,
        images=images,
    )
    row(
        f"JavaScript after {TURNS} page turns",
        [after.heap],
        [before.heap],
        unit="MB",
        than=than,
        images=images,
    )
    row(f"nodes after {TURNS} page turns", [after.nodes], [before.nodes], unit="", than=than, images=images)
    assert flat(before, after)


def turn(gallery: Gallery, start: int, stop: int) -> None:
    """Turns from one number to another: 100 pages on, 100 back."""
    for number in range(start, stop):
        gallery.turn("Next page" if number // 100 % 2 == 0 else "Page before")
