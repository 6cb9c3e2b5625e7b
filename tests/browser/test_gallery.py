"""The gallery by the keyboard alone, in a real browser: deciding, taking back, a reload, a server that is killed."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from bloodapp.data import decisions
from bloodapp.data.dataset import Dataset
from bloodapp.data.importing import import_source
from bloodapp.review.scan import scan
from tests.browser.app import App
from tests.browser.conftest import Server, settled, shot

JUDGED = 40


@pytest.fixture
def sample(home: Path) -> Dataset:
    """The built-in sample of 390 drawn cells, scanned."""
    dataset = import_source("sample")
    scan(dataset)
    return dataset


class Gallery:
    """The gallery in a tab, worked by keys."""

    def __init__(self, tab: Page) -> None:
        self.tab = tab
        self.root = tab.get_by_role("region", name="Gallery")
        self.cards = self.root.get_by_role("option")

    def open(self, server: Server, **address: str) -> None:
        """Go to the gallery and wait until its pictures are there."""
        App(self.tab, server.url).open("Review", dataset="sample", view="gallery", **address)
        expect(self.cards.first).to_be_visible()

    def card(self, index: int) -> Locator:
        """The card of an image."""
        return self.root.locator(f'[data-index="{index}"]')

    def framed(self) -> int:
        """The image that the keys act on."""
        return int(self.root.locator('[role="option"][tabindex="0"]').get_attribute("data-index") or -1)

    def press(self, *keys: str) -> None:
        """Press keys one after the other, as fast as they come."""
        for key in keys:
            self.tab.keyboard.press(key)

    def says(self, text: str) -> None:
        """Wait until the bar says of the selection what it should."""
        expect(self.root.locator(".about")).to_have_text(text)

    def saved(self) -> None:
        """Wait until the server has written everything down."""
        expect(self.root.get_by_text("All saved")).to_be_visible()


@pytest.fixture
def gallery(tab: Page) -> Gallery:
    """The gallery of this test's tab."""
    return Gallery(tab)


def test_forty_by_keys_three_taken_back_reloaded_and_killed(
    sample: Dataset, start_server: Callable[..., Server], gallery: Gallery
) -> None:
    """Every decision that was acknowledged is there; what was under way when the server died comes after it."""
    server = start_server()
    gallery.open(server)
    keys = ["x", "k", "3", "x", "k", "5", "x", "k"]
    wanted: dict[int, str] = {}
    for number in range(JUDGED // 2):
        wanted[gallery.framed()] = keys[number % len(keys)]
        gallery.press(keys[number % len(keys)])
    gallery.saved()
    gallery.tab.reload()
    gallery.cards.first.wait_for()
    expect(gallery.card(0)).to_have_attribute("aria-label", re.compile("excluded"))

    # Go back to where one was; the page is drawn anew and nothing is selected or lost.
    gallery.press(*["ArrowRight"] * (JUDGED // 2))
    for number in range(JUDGED // 2, JUDGED):
        if number == JUDGED * 3 // 4:
            gallery.saved()
            server.kill()
        wanted[gallery.framed()] = keys[number % len(keys)]
        gallery.press(keys[number % len(keys)])
    expect(gallery.root.get_by_text(re.compile(r"Saving \d+ decisions"))).to_be_visible()
    start_server(port=int(server.url.rsplit(":", 1)[1]))
    gallery.saved()
    assert len(wanted) == JUDGED
    assert told(sample, wanted) == wanted
    assert len(decisions.log(sample)) == JUDGED  # nothing twice

    # Three are taken back, none of them the last one: two at their images, one in the list of earlier ones.
    for index in (4, 11):
        gallery.press("Home", *["ArrowRight"] * index, "u")
        gallery.saved()
    gallery.press("h")
    box = gallery.root.get_by_role("dialog", name="Earlier decisions")
    expect(box).to_be_visible()
    gallery.press(*["ArrowDown"] * 6, "Enter")
    expect(box.get_by_text("Do again")).to_have_count(3)
    gallery.press("Escape")
    gallery.saved()
    # The list begins with the last decision: six down is the seventh from the end.
    for index in (4, 11, list(wanted)[JUDGED - 7]):
        del wanted[index]
    assert told(sample, wanted) == wanted
    assert int((decisions.judge(sample).decided).sum()) == JUDGED - 3
    gallery.press("z")  # the last one of all, as ever
    gallery.saved()
    assert int((decisions.judge(sample).decided).sum()) == JUDGED - 4


def told(dataset: Dataset, about: dict[int, str]) -> dict[int, str]:
    """What the ledger makes of these images, as the keys that say so."""
    judged = decisions.judge(dataset)
    log = decisions.log(dataset)
    labelled = set(log.loc[(log["action"] == "relabel") & ~log["cancelled"], "index"].tolist())
    return {
        index: "x"
        if not judged.included[index]
        else str(judged.labels[index] + 1)
        if index in labelled
        else "k"
        for index in about
        if judged.decided[index]
    }


def test_a_selection_outlives_filters_pages_and_typing(
    sample: Dataset, server: Server, gallery: Gallery
) -> None:
    """Selected by keys, kept through a filter and a page, decided at once; what is typed is no key."""
    gallery.open(server)
    gallery.press("ArrowRight", "Shift+ArrowRight", "Shift+ArrowRight")  # 1 to 3 by a stretch
    gallery.says("3 images selected")
    gallery.press("PageDown")
    expect(gallery.root.get_by_text("121 to 240 of 390 images")).to_be_visible()
    gallery.says("3 images selected (3 not on this page)")
    gallery.press("Enter")
    gallery.says("4 images selected (3 not on this page)")
    name = gallery.tab.get_by_role("textbox", name="Name of the file")
    name.click()
    name.press_sequentially("#7xkz3")
    name.press("Backspace")
    name.press("Backspace")
    name.press("Backspace")
    name.press("Backspace")
    name.press("Enter")
    settled(gallery.tab)
    expect(gallery.root.get_by_text("1 to 1 of 1 image")).to_be_visible()
    assert decisions.log(sample).empty  # x, k and z were typed, not pressed
    gallery.says("4 images selected (4 not on this page)")
    gallery.root.get_by_role("button", name="Exclude").click()
    gallery.saved()
    assert np.flatnonzero(~decisions.judge(sample).included).tolist() == [1, 2, 3, 120]
    gallery.root.get_by_role("button", name="Undo").click()
    gallery.saved()
    assert decisions.judge(sample).included.all()


def test_flag_with_a_reason_suggestion_and_enlarged(
    sample: Dataset, server: Server, gallery: Gallery
) -> None:
    """F asks why, Space enlarges with neighbours and keys go on working there, Escape gives the focus back."""
    gallery.open(server)
    gallery.press("ArrowRight", "f")
    expect(gallery.root.get_by_role("dialog", name="Why it is flagged")).to_be_visible()
    gallery.press("3")
    gallery.saved()
    assert decisions.log(sample)["why"].iloc[0] == "Unsure of the class"
    assert gallery.framed() == 2
    gallery.press(" ")
    look = gallery.root.get_by_role("dialog", name="One image")
    expect(look.get_by_role("heading", name="Image 2")).to_be_visible()
    expect(look.get_by_text(re.compile("Most like it"))).to_be_visible()
    expect(look.get_by_role("button", name=re.compile("alike"))).to_have_count(12)
    shot(gallery.tab, "gallery-enlarged")
    gallery.press("x")  # decides and goes on to the next
    expect(look.get_by_role("heading", name="Image 3")).to_be_visible()
    gallery.press("Escape")
    expect(look).to_be_hidden()
    gallery.saved()
    assert not decisions.judge(sample).included[2]
    gallery.press("?")
    expect(gallery.root.get_by_role("dialog", name="Keys")).to_contain_text("take back")
    gallery.press("Escape")


def test_what_is_decided_on_the_way_out_is_written_down(
    sample: Dataset, server: Server, gallery: Gallery
) -> None:
    """A key and, before any answer, another view: the decision is in the ledger."""
    gallery.open(server)
    gallery.press("x", "k")
    gallery.tab.get_by_role("radio", name="Ledger").click()
    expect(gallery.tab.get_by_role("heading", name=re.compile("Ledger|decisions"))).to_be_visible()
    settled(gallery.tab)
    assert sorted(decisions.log(sample)["action"]) == ["exclude", "keep"]


def test_two_tabs_agree(sample: Dataset, server: Server, gallery: Gallery, new_window: Callable) -> None:
    """What is decided in one is in the ledger of both, and the other sees it when it next does something."""
    gallery.open(server)
    other = Gallery(new_window(width=800).new_page())
    other.open(server)
    gallery.press("x")
    gallery.saved()
    other.press("ArrowRight", "ArrowRight", "k")
    other.saved()
    expect(other.card(0)).to_have_attribute("aria-label", re.compile("excluded"))
    assert App(other.tab, server.url).stands_out() <= 0
