"""axe-core finds nothing serious on any view of Review, light or dark, what components draw included."""

from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

from bloodapp.data import decisions
from bloodapp.data.dataset import Dataset
from bloodapp.data.importing import import_source
from bloodapp.review.scan import scan
from bloodapp.ui.review.page import VIEWS
from tests.browser.app import App
from tests.browser.conftest import Server, settled
from tests.browser.gallery import Gallery

SERIOUS = ("serious", "critical")
NOT_OURS: dict[tuple[str, str], str] = {}
"""What Streamlit draws and we cannot mend, by axe's rule and the end of its selector, with the reason why."""

LOADED = "script => { if (!window.axe) (0, eval)(script); }"
ASK = """
async colours => {
  const only = colours ? {runOnly: {type: 'rule', values: ['color-contrast']}} : {};
  const {violations} = await axe.run(document, {resultTypes: ['violations'], ...only});
  return violations.flatMap(one => one.nodes.map(node => ({
    rule: one.id, impact: node.impact ?? one.impact, at: node.target.flat().join(' >>> '),
    why: [...node.any, ...node.all, ...node.none].map(check => check.message).join(' '),
  })));
}
"""


@pytest.fixture
def scanned(home: object) -> Dataset:
    """The drawn sample with what a scan found, and decisions of every kind."""
    dataset = import_source("sample", name="sample")
    scan(dataset)
    for place, action in enumerate(("exclude", "keep", "flag")):
        decisions.record(dataset, [place], action)
    decisions.record(dataset, [5], "relabel", label=int(dataset.labels[5] + 1) % 8)
    return dataset


class Checked:
    """A tab whose views are looked at, and what was found.

    Attributes:
        faults: one line each.
    """

    def __init__(self, tab: Page) -> None:
        # Or a colour on its way from light to dark would be judged.
        tab.emulate_media(reduced_motion="reduce")
        self.tab = tab
        self.faults: list[str] = []

    def look(self, at: str) -> None:
        """Ask axe about the page as it is, then about its colours when it is dark."""
        app = App(self.tab, "")
        self.tab.wait_for_function("() => !document.querySelector('[data-testid=stSkeleton]')")
        self.tab.evaluate(LOADED, AXE_SCRIPT)
        for scheme in ("dark", "light"):
            app.paint(scheme)  # type: ignore[arg-type]  # one of the two
            settled(self.tab)
            for one in violations(self.tab, colours=scheme == "dark"):
                self.faults.append(f"{at}, {scheme}: {one['rule']} at {one['at']}: {one['why']}")


def violations(tab: Page, *, colours: bool = False) -> list[dict[str, Any]]:
    """What axe finds that is serious and ours, by all its rules or by those about colours."""
    found: list[dict[str, Any]] = tab.evaluate(ASK, colours)
    return [
        one
        for one in found
        if one["impact"] in SERIOUS
        and not any(one["rule"] == rule and one["at"].endswith(end) for rule, end in NOT_OURS)
    ]


def test_the_gallery_and_its_dialogs(scanned: Dataset, server: Server, tab: Page) -> None:
    """With images selected; enlarged; asked why; the decisions before; the keys. Planted faults are seen."""
    gallery = Gallery(App(tab, server.url), scanned.name)
    checked = Checked(tab)
    gallery.pictures.nth(7).click()
    gallery.pictures.nth(9).click(modifiers=["Shift"])
    checked.look("gallery")
    for key, dialog in {
        " ": "One image",
        "f": "Why it is flagged",
        "h": "Earlier decisions",
        "?": "Keys",
    }.items():
        tab.keyboard.press(key)
        expect(tab.get_by_role("dialog", name=dialog)).to_be_visible()
        settled(tab)
        checked.look(dialog)
        tab.keyboard.press("Escape")
        expect(tab.get_by_role("dialog", name=dialog)).to_have_count(0)
    assert not checked.faults, "\n".join(checked.faults)
    # Of faults that are planted there, inside the component, none is missed.
    gallery.pictures.first.evaluate(
        "one => { one.getRootNode().querySelector('.bar').append(document.createElement('button'));"
        " one.querySelector('.label span').style.color = '#ddd'; }"
    )
    found = violations(tab)
    assert {one["rule"] for one in found} == {"button-name", "color-contrast"}
    assert all(">>>" in one["at"] for one in found)


def test_every_other_view(scanned: Dataset, server: Server, tab: Page) -> None:
    """The queue, and whatever else Review can show."""
    app, checked = App(tab, server.url), Checked(tab)
    for view in VIEWS:
        if view != "gallery":
            app.open("Review", dataset=scanned.name, view=view)
            checked.look(view)
    assert not checked.faults, "\n".join(checked.faults)
