"""Review in a real browser: what AppTest cannot press, keys and pictures that are clicked."""

import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from bloodapp.data import decisions
from bloodapp.data.dataset import Dataset
from bloodapp.review.findings import combined, finding_table, write_findings
from bloodapp.review.thresholds import thresholds
from tests.browser.app import App
from tests.browser.conftest import Server, settled


@pytest.fixture
def found(tiny: Dataset) -> Dataset:
    """The tiny dataset with a group of ten images, four single ones, and nothing decided."""
    tables = [
        finding_table("exact_duplicate", range(20, 30), 0.9, "same", group=20),
        finding_table("blurred", [3, 4, 5, 6], [0.9, 0.8, 0.7, 0.6], "soft"),
        finding_table("mislabelled", [10, 11], [0.7, 0.4], "Looks like another class", suggested=[5, 6]),
    ]
    write_findings(tiny.path, combined(tables), fingerprint=tiny.fingerprint)
    return tiny


@pytest.fixture
def page(found: Dataset, server: Server, tab: Page) -> Page:
    """The Review page of it."""
    tab.goto(f"{server.url}/?dataset=tiny")
    tab.locator(".st-key-menu").get_by_role("link", name="Review").click()
    tab.locator(".st-key-card-next").wait_for()
    settled(tab)
    return tab


def press(page: Page, key: str, said: str) -> None:
    """Press a key on the page at rest and wait until it says what that did."""
    settled(page)
    page.keyboard.press(key)
    expect(page.locator(".st-key-history .entry").first).to_contain_text(said)
    settled(page)


def test_a_queue_is_worked_off_with_keys(page: Page, found: Dataset) -> None:
    """The keys x (exclude), k (keep), a digit (relabel), f (flag) and z (undo) work on the card on top."""
    page.get_by_role("radio", name="Blurred").or_(page.get_by_role("button", name="Blurred")).first.click()
    expect(page.locator(".st-key-card-next")).to_contain_text("image 3")
    settled(page)
    press(page, "x", "Excluded 1 image")
    press(page, "k", "Kept 1 image")
    press(page, "3", "Relabelled 1 image Erythroblast")
    press(page, "f", "Flagged 1 image")
    now = decisions.judge(found)
    assert np.flatnonzero(~now.included).tolist() == [3]
    assert now.labels[5] == 2 and now.flagged[6] and now.decided[[3, 4, 5]].all()
    press(page, "z", "undone")
    assert not decisions.judge(found).flagged.any()


def test_a_suggested_label_is_taken_with_a_key(page: Page, found: Dataset) -> None:
    """The key s gives the suggested label; a class's digit and z do what they do everywhere."""
    page.get_by_role("radio", name="Doubtful").or_(page.get_by_role("button", name="Doubtful")).first.click()
    expect(page.locator(".st-key-card-next")).to_contain_text("image 10")
    settled(page)
    press(page, "s", "Relabelled 1 image Monocyte")
    assert decisions.judge(found).labels[10] == 5
    press(page, "z", "undone")
    assert decisions.judge(found).labels[10] == found.labels[10]


def test_a_slider_moves_the_queue_and_stays_open(page: Page, found: Dataset) -> None:
    """An arrow key on a threshold changes the count, the file and the queue behind; the popover stays."""
    page.get_by_role("button", name="Thresholds").click()
    slider = page.get_by_role("slider", name="Doubtful labels")
    row = page.locator(".st-key-threshold-row-mislabelled")
    settled(page)
    for _ in range(12):
        # One after the other as from a held key: no answer takes back what was pressed since.
        slider.press("ArrowLeft")
    expect(row).to_contain_text("0.38 catches")
    expect(row).to_contain_text("catches 2 images (default 1)")
    expect(
        page.get_by_role("radio", name="Doubtful labels 2")
        .or_(page.get_by_role("button", name="Doubtful labels 2"))
        .first
    ).to_be_visible()
    expect(row).to_be_visible()
    settled(page)
    assert thresholds(found)["mislabelled"] == pytest.approx(0.38)


def test_all_look_alikes_are_chosen_with_one_click(page: Page, found: Dataset) -> None:
    """From the card on top to its look-alikes; all chosen, one let go, the rest excluded."""
    page.locator(".st-key-card-next").get_by_role("button", name="Find what looks like this").click()
    expect(page.get_by_label("Marked image")).to_have_value("20")
    settled(page)
    page.get_by_label("Marked image").fill("0")
    page.get_by_label("Marked image").press("Enter")
    pictures = page.locator(".picker button")
    expect(pictures).to_have_count(3)
    settled(page)
    page.get_by_role("button", name="Choose all 3").click()
    expect(page.get_by_text("3 images chosen")).to_be_visible()
    expect(page.locator(".picker button[aria-pressed=true]")).to_have_count(3)
    pictures.nth(0).click()
    expect(page.get_by_text("2 images chosen")).to_be_visible()
    settled(page)
    page.get_by_role("button", name="Exclude", exact=True).click()
    expect(page.locator(".st-key-history .entry").first).to_contain_text("Excluded 2 images")
    assert np.flatnonzero(~decisions.judge(found).included).tolist() == [46, 47]
    settled(page)
    press(page, "z", "undone")


def test_keys_do_nothing_while_somebody_types(page: Page, found: Dataset) -> None:
    """Letters that are typed into a field are letters."""
    page.locator(".st-key-export").get_by_role("button").first.click()
    field = page.get_by_label("File on this computer")
    settled(page)
    field.fill("")
    field.press_sequentially("xkfz123")
    expect(field).to_have_value("xkfz123")
    settled(page)
    assert decisions.last_seq(found) == 0


def test_images_are_picked_by_clicks_and_keys_stop_at_the_dialog(page: Page, found: Dataset) -> None:
    """A click picks, Shift picks a stretch, a second click lets go; keys reach no button behind the dialog."""
    page.locator(".st-key-card-next").get_by_role("button", name="Compare").click()
    page.get_by_role("dialog").get_by_role("radio", name="Choose images").click()
    pictures = page.locator(".picker button")
    expect(pictures).to_have_count(10)
    settled(page)
    pictures.nth(0).click()
    pictures.nth(4).click(modifiers=["Shift"])
    pictures.nth(2).click()
    expect(page.get_by_text("4 images chosen")).to_be_visible()
    page.keyboard.press("x")
    page.keyboard.press("k")
    settled(page)
    assert decisions.last_seq(found) == 0
    page.get_by_role("dialog").get_by_role("button", name="Exclude").click()
    expect(page.locator(".st-key-history .entry").first).to_contain_text("Excluded 4 images")
    assert np.flatnonzero(~decisions.judge(found).included).tolist() == [20, 21, 23, 24]
    settled(page)
    press(page, "z", "undone")


def test_planted_faults_are_found_and_counted(tiny: Dataset, server: Server, tab: Page) -> None:
    """From a scan to the empty scoreboard, a copy with known faults, its scan, and what share was found."""
    app = App(tab, server.url)
    app.open("Review", dataset=tiny.name)
    app.scan()
    expect(app.keyed("review-heading")).to_contain_text("scanned just now")
    app.part("Scoreboard")
    app.plant()
    app.shows(dataset="tiny-planted")
    app.click(app.keyed("scan").get_by_role("button"))
    sentence = app.main.locator("p.budget")
    expect(sentence).to_contain_text(re.compile(r"Review the first \d+ images,\s*find \d+ % of the faults"))
    settled(tab)
    assert "view=scoreboard" in tab.url
    app.part("Queue")
    app.says("This was a fast scan.")
    expect(app.next_card).to_be_visible()
