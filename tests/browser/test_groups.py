"""A group side by side in a real browser, by keyboard alone: looking, deciding, and back to the card."""

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from bloodapp.data import decisions
from bloodapp.data.dataset import Dataset
from bloodapp.review.findings import combined, finding_table, write_findings
from tests.browser.conftest import Server, press, settled


@pytest.fixture
def found(tiny: Dataset) -> Dataset:
    """One group: 0, 46 and 47 are the same picture, 47 under another label; 8 is another picture."""
    table = finding_table("near_duplicate", [0, 8, 46, 47], [0.02, 0.97, 0.97, 0.97], "nearly", group=0)
    write_findings(tiny.path, combined([table]), fingerprint=tiny.fingerprint)
    return tiny


def test_a_group_is_worked_off_by_keyboard_alone(found: Dataset, server: Server, tab: Page) -> None:
    """Arrows move, B flips, 3 relabels, X excludes, Z undoes, M chooses; Escape gives the card the keyboard again."""
    tab.goto(f"{server.url}/Review?dataset=tiny")
    tab.locator(".st-key-card-next").wait_for()
    settled(tab)
    compare = tab.locator(".st-key-card-next").get_by_role("button", name="Compare")
    compare.focus()
    dialog = tab.get_by_role("dialog")
    press(tab, "Enter", lambda: dialog.count() > 0)
    words, said = dialog.locator(".words"), dialog.locator(".said")
    others = dialog.get_by_role("option")
    expect(others).to_have_count(3)
    expect(words).to_contain_text("Changed in")
    expect(dialog.locator(".difference svg path").first).to_be_visible()

    press(tab, "ArrowRight", lambda: "Identical in every pixel" in words.inner_text())
    expect(others.nth(1)).to_have_attribute("aria-selected", "true")
    label = dialog.get_by_role("row").filter(has=tab.get_by_role("rowheader", name="Label"))
    expect(label).to_contain_text("BasophilPlatelet")
    expect(label.get_by_role("img", name="differs")).to_be_visible()

    name = dialog.locator("figure.blink figcaption b")
    press(tab, "b", lambda: name.count() > 0)
    expect(name).to_have_text("image 0, to keep")
    press(tab, "b", lambda: name.inner_text() == "image 47")
    press(tab, "d", lambda: dialog.locator("figure.difference").count() > 0)

    tab.keyboard.press("3")
    expect(said).to_have_text("Relabelled 1 image Erythroblast.")
    settled(tab)
    tab.keyboard.press("x")
    expect(said).to_have_text("Excluded 1 image.")
    settled(tab)
    now = decisions.judge(found)
    assert now.labels[47] == 2 and np.flatnonzero(~now.included).tolist() == [47]
    expect(others.nth(1)).to_have_attribute("aria-selected", "true")
    tab.keyboard.press("z")
    expect(said).to_have_text("Undone.")
    settled(tab)
    assert decisions.judge(found).included.all()
    tab.keyboard.press("m")
    expect(dialog.get_by_role("button", name="Keep image 47, exclude 3")).to_be_visible()
    settled(tab)

    press(tab, "Escape", lambda: dialog.count() == 0)
    settled(tab)
    expect(compare).to_be_focused()
    expect(tab.locator(".st-key-history .entry").first).to_contain_text("undone")
