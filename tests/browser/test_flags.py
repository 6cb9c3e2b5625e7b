"""Flags by the keyboard: the keys are about the card that has the focus, and without one about the framed card."""

import numpy as np
from playwright.sync_api import Locator, Page, expect

from bloodapp.data import decisions
from bloodapp.data.dataset import Dataset
from bloodapp.evaluate.mistakes import confident_mistakes
from tests.browser.conftest import Server, settled
from tests.made import make_run


def test_the_keys_follow_the_focus(tiny: Dataset, server: Server, tab: Page) -> None:
    """F flags and S passes over the focused card, the frame and the focus go on; without a focus the framed one."""
    run = make_run(tiny, right=(0.2, 0.2))
    rows = run.predictions().only("test")
    first, second, third, fourth, fifth = (
        int(row) for row in rows.index[confident_mistakes(rows.label, rows.probabilities)["position"][:5]]
    )

    def flag_of(row: int) -> Locator:
        return tab.locator(f".st-key-flag-{row}").get_by_role("button")

    def framed() -> list[str]:
        found: list[str] = tab.evaluate(
            "() => [...document.querySelectorAll('[class*=st-key-mistake-]')]"
            ".filter(card => getComputedStyle(card).outlineStyle !== 'none')"
            ".map(card => card.className.match(/st-key-mistake-(\\d+)/)[1])"
        )
        return found

    def flagged() -> list[int]:
        settled(tab)
        return sorted(np.flatnonzero(decisions.judge(tiny).flagged).tolist())

    tab.goto(f"{server.url}/Evaluate?dataset=tiny&run=made&view=mistakes")
    expect(flag_of(first)).to_be_visible()
    settled(tab)
    assert framed() == [str(first)]
    flag_of(second).focus()
    tab.keyboard.press("Tab")
    expect(flag_of(third)).to_be_focused()
    assert framed() == [str(third)]
    tab.keyboard.press("f")
    expect(tab.locator(f".st-key-unflag-{third}")).to_be_visible()
    expect(flag_of(fourth)).to_be_focused()
    assert flagged() == [third]
    tab.keyboard.press("s")
    expect(flag_of(fifth)).to_be_focused()
    assert framed() == [str(fifth)]
    flag_of(fifth).blur()
    assert framed() == [str(first)]
    tab.keyboard.press("f")
    expect(tab.locator(f".st-key-unflag-{first}")).to_be_visible()
    assert flagged() == sorted([first, third])
    assert framed() == [str(second)]
