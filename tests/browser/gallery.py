"""The gallery in a tab, and what a person does there."""

import re

import numpy as np
from playwright.sync_api import Locator, expect

from bloodapp.classes import DEFAULT_CLASSES
from bloodapp.data.dataset import Dataset
from bloodapp.data.importing import store
from bloodapp.data.records import Record
from bloodapp.data.sources import Source
from bloodapp.ui.review.gallery.items import A_PAGE
from tests.browser.app import App
from tests.browser.conftest import settled


class Gallery:
    """The gallery of a dataset of several pages, opened.

    Attributes:
        app: the tab that it is in.
    """

    def __init__(self, app: App, dataset: str) -> None:
        self.app = app
        app.open("Review", dataset=dataset, view="gallery")
        expect(self.pictures).to_have_count(A_PAGE)
        settled(app.tab)

    @property
    def pictures(self) -> Locator:
        """The pictures of the page."""
        return self.app.main.get_by_role("listbox", name="Images").get_by_role("option")

    def turn(self, name: str = "Next page") -> None:
        """Turn the page and wait until its pictures are there."""
        before = self.pictures.first.get_attribute("aria-label") or ""
        self.app.main.get_by_role("button", name=name).click()
        expect(self.pictures.first).not_to_have_attribute("aria-label", re.compile(f"^{re.escape(before)}$"))
        settled(self.app.tab)

    def leaf(self, pages: int, times: int) -> None:
        """From the first of so many pages to the last one and back, so many times."""
        for _ in range(times):
            for way in ("Next page", "Page before"):
                for _ in range(pages - 1):
                    self.turn(way)

    def sprite(self) -> str:
        """The address of the picture that holds those of the page."""
        found = self.pictures.first.locator(".picture").evaluate("one => one.style.backgroundImage")
        return str(found).removeprefix('url("').removesuffix('")')


def many(pages: int, size: int = 48) -> Dataset:
    """A dataset called `many` of so many pages of noise, no two of them alike."""
    rng = np.random.default_rng(5)
    count = pages * A_PAGE
    images = rng.integers(0, 256, (count, size, size, 3), np.uint8)
    records = (
        Record(image, f"{place}.png", place % 8, "", size, size, "RGB") for place, image in enumerate(images)
    )
    return store(Source("npz", "many", "", DEFAULT_CLASSES, count, records), "many", size)
