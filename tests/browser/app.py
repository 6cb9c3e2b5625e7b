"""The app in a tab, and what a person does there: small steps, each of which waits for what it has brought about."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal
from urllib.parse import urlencode

import psutil
from playwright.sync_api import Locator, Page, expect

from bloodapp.review.queue import Card
from bloodapp.runs.run import Run
from tests.browser.conftest import LONG_MS, settled

PAGES = ("Home", "Review", "Augment", "Train", "Evaluate", "Classify")


class App:
    """A tab with the app in it.

    Attributes:
        tab: the tab.
        url: where the app answers, without a slash at the end.
        clicks: how often `click` has clicked.
    """

    def __init__(self, tab: Page, url: str) -> None:
        self.tab, self.url, self.clicks = tab, url, 0

    # Getting about

    def open(self, page: str = "Home", **address: str) -> float:
        """Go to a page by its address; how many seconds it took until its script had ended."""
        path = "" if page == "Home" else page
        begun = time.monotonic()
        self.tab.goto(f"{self.url}/{path}?{urlencode(address)}", wait_until="commit")
        self.at(page)
        return time.monotonic() - begun

    def at(self, page: str) -> None:
        """Wait until this page is drawn to its end."""
        expect(self.tab).to_have_title(f"{page} · bloodapp")
        expect(self.heading).to_be_visible()
        if page != "Home":
            expect(self.heading).to_have_text(page)
        settled(self.tab)

    def go(self, page: str) -> None:
        """Go to a page by the menu."""
        self.click(self.keyed("menu").get_by_role("link", name=page))
        self.at(page)

    def back(self, page: str) -> None:
        """Press the back button, which leads to this page."""
        self.tab.go_back()
        self.at(page)

    def reload(self, page: str) -> None:
        """Load the page anew."""
        self.tab.reload(wait_until="commit")
        self.at(page)

    # Looking and clicking

    @property
    def main(self) -> Locator:
        """Everything beside the menu."""
        return self.tab.get_by_test_id("stMain")

    @property
    def heading(self) -> Locator:
        """The page's title, on Home the dataset's name."""
        return self.main.locator("header.heading h1").first

    def shows(self, *, dataset: str, run: str | None = None) -> None:
        """Wait until these are chosen; the run shows on Evaluate and Classify only."""
        for label, name in (("Dataset", dataset), ("Run", run)):
            if name is not None:
                box = self.tab.get_by_test_id("stSidebar").get_by_role("combobox", name=label)
                expect(box).to_have_value(name)

    def keyed(self, key: str) -> Locator:
        """The element that the app calls by this key."""
        return self.tab.locator(f".st-key-{key}")

    def button(self, name: str, *, within: Locator | None = None) -> Locator:
        """The first button that is called so and can be pressed."""
        return (within or self.main).get_by_role("button", name=name, disabled=False).first

    def click(self, target: Locator) -> None:
        """Click on a page at rest, and count the click."""
        settled(self.tab)
        target.click()
        self.clicks += 1

    def click_at(self, target: Locator) -> None:
        """Click the middle of something in a chart: its own layer for the mouse lies over it."""
        box = target.bounding_box()
        assert box is not None
        self.tab.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        self.clicks += 1

    def says(self, text: str) -> None:
        """Wait until the page says this."""
        expect(self.main.get_by_text(text).first).to_be_visible()

    def stands_out(self) -> int:
        """By how many pixels something in the page is wider than its room; not more than 0 is well."""
        width: int = self.tab.evaluate(
            "() => Math.max(...['stMain', 'stMainBlockContainer'].map(id => {"
            " const box = document.querySelector(`[data-testid=${id}]`);"
            " return box.scrollWidth - box.clientWidth; }))"
        )
        return width

    def paint(self, scheme: Literal["light", "dark"]) -> None:
        """Make the whole computer light or dark; waits until the page follows."""
        self.tab.emulate_media(color_scheme=scheme)
        self.tab.wait_for_function(
            "dark => { const app = document.querySelector('[data-testid=stApp]');"
            " const red = Number(getComputedStyle(app).backgroundColor.match(/\\d+/)[0]);"
            " return (red < 128) === dark; }",
            arg=scheme == "dark",
        )

    # Home

    def upload(self, file: Path) -> None:
        """Import a dataset by uploading it."""
        self.click(self.tab.get_by_test_id("stSidebar").get_by_role("button", name="Import a dataset"))
        dialog = self.tab.get_by_role("dialog")
        dialog.get_by_role("tab", name="Upload").click()
        tab = dialog.get_by_role("tabpanel", name="Upload")
        tab.locator("input[type=file]").set_input_files(file)
        expect(tab.get_by_text(file.name)).to_be_visible()
        self.click(tab.get_by_role("button", name="Import", exact=True))
        expect(dialog).to_have_count(0)

    # Review

    def scan(self) -> None:
        """Let the detectors look for the first time, until the queue is there."""
        self.click(self.keyed("scan").get_by_role("button"))
        expect(self.keyed("card-next")).to_be_visible(timeout=LONG_MS)
        settled(self.tab)

    def part(self, name: str) -> None:
        """Go to a part of Review: `Queue`, `Look around`, `Ledger`, `Scoreboard`, `Did it help?`."""
        self.click(self.keyed("view-box").get_by_role("radio", name=name))
        settled(self.tab)

    def plant(self) -> None:
        """Plant known faults into a copy from the empty scoreboard, and open the copy."""
        self.click(self.keyed("plant").get_by_role("button"))
        open_it = self.keyed("plant-open").get_by_role("button")
        expect(open_it).to_be_visible(timeout=LONG_MS)
        self.click(open_it)

    def offer(self, decision: str, card: Card) -> Locator:
        """The button that decides about a card: `exclude`, `keep`, `first` (of copies)."""
        return self.keyed(f"{decision}-{card.key}").get_by_role("button")

    @property
    def next_card(self) -> Locator:
        """The card that is decided next."""
        return self.keyed("card-next")

    def only(self, kind: str) -> None:
        """Show the findings of one kind."""
        self.click(self.keyed("finding-box").get_by_role("radio", name=kind))
        expect(self.next_card.locator(".kind").filter(has_text=kind)).to_be_visible()
        settled(self.tab)

    def decided(self, entry: str) -> Locator:
        """The newest entry of the history that says this; waits until it is there."""
        found = self.history.filter(has_text=entry).first
        expect(found).to_be_visible()
        return found

    @property
    def history(self) -> Locator:
        """The entries of the history, newest first."""
        return self.keyed("history").locator("[class*='st-key-entry-']")

    # Train

    def start_training(self, *, quick: bool = False) -> str:
        """Start a training by its one button, as a quick trial if wanted; the name of the run."""
        if quick:
            switch = self.main.get_by_role("switch", name="Quick trial")
            if not switch.is_checked():
                self.click(self.keyed("train-quick").locator("label").first)
            expect(switch).to_be_checked()
            settled(self.tab)
        self.click(self.button("Start training"))
        self.tab.wait_for_url("**/Train?*run=*")
        expect(self.main.locator(".run-head")).to_be_visible()
        return self.tab.evaluate("() => new URLSearchParams(location.search).get('run')")

    def shows_run(self, state: str) -> None:
        """Wait until the run on show is in this state: `waiting`, `training`, `done`, `stopped`, `interrupted`."""
        expect(self.main.locator(".run-head .run-state")).to_have_text(state, timeout=LONG_MS)

    def figure(self, name: str) -> Locator:
        """A figure of a row of named figures, `loss` for instance."""
        named = self.tab.get_by_text(name, exact=True)
        return self.main.locator("dl.facts > div").filter(has=named).locator("dd").first


def until(
    condition: Callable[[], object], what: str, *, seconds: float = LONG_MS / 1000, every: float = 0.03
) -> None:
    """Wait for something on disk, of which nobody tells, looking every so many seconds."""
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up, f"It did not happen: {what}."
        time.sleep(every)


def worker(run: Run) -> int:
    """The process that trains; waits until it is there."""
    until(lambda: run.state() == "running", f"{run.name} begins")
    return int(run.job.status()["pid"])


def hold(run: Run) -> Callable[[], None]:
    """Hold a training still as soon as it has figures to show, so that nothing moves under a look; call to let go."""
    pid = worker(run)
    until(lambda: run.job.status().get("loss") is not None, f"{run.name} has a loss")
    os.kill(pid, signal.SIGSTOP)
    until(lambda: psutil.Process(pid).status() == psutil.STATUS_STOPPED, f"{run.name} is held")
    return lambda: os.kill(pid, signal.SIGCONT)
