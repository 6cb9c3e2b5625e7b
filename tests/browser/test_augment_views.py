"""The views of Augment in a real browser: a card seen large by keys, a cell chosen by arrows, the meter in steps."""

from collections.abc import Callable

from playwright.sync_api import BrowserContext, Locator, expect

from bloodapp.data.dataset import Dataset
from tests.browser.app import App
from tests.browser.conftest import LONG_MS, Server, press, settled
from tests.made import give_model, make_run


def view(app: App, name: str) -> None:
    """Choose a view."""
    radio = app.keyed("augment-view").get_by_role("radio", name=name)
    app.click(radio)
    settled(app.tab)
    expect(radio).to_be_checked()


def card(app: App, place: int) -> Locator:
    """A card of the preview, or of the strip."""
    return app.main.locator(".pairs button").nth(place)


def test_cells_are_opened_and_chosen_by_keys(
    tiny: Dataset, server: Server, new_window: Callable[..., BrowserContext]
) -> None:
    """Arrows move between the cards, Enter opens one large, Escape closes it; in the strip arrows choose the cell."""
    window = new_window()
    app = App(window.new_page(), server.url)
    app.open("Augment", dataset="tiny", pipeline="invert")
    expect(card(app, 0)).to_be_visible(timeout=LONG_MS)
    settled(app.tab)
    card(app, 0).press("ArrowRight")
    expect(card(app, 1)).to_be_focused()
    app.tab.keyboard.press("Enter")
    dialog = app.tab.get_by_role("dialog")
    large = dialog.locator(".large img")
    expect(large).to_have_count(6)
    width = large.first.evaluate("image => image.getBoundingClientRect().width")
    assert width >= 3 * 96 - 1
    low = large.last.bounding_box()
    assert low is not None
    assert low["y"] + low["height"] <= 900
    press(app.tab, "Escape", lambda: dialog.count() == 0)
    expect(card(app, 1)).to_be_focused()
    app.click(app.button("Draw again"))
    expect(app.keyed("augment-seed").get_by_role("spinbutton")).to_have_value("2")
    settled(app.tab)
    expect(dialog).to_have_count(0)

    view(app, "Strengths")
    app.says("whole pipeline")
    settled(app.tab)
    card(app, 0).press("ArrowRight")
    app.tab.wait_for_url("**cell=*")
    settled(app.tab)
    expect(card(app, 1)).to_have_attribute("aria-pressed", "true")
    expect(card(app, 1)).to_be_focused()
    assert server.tracebacks() == ""


def test_the_meter_measures_in_steps(
    tiny: Dataset, server: Server, new_window: Callable[..., BrowserContext]
) -> None:
    """It goes on by itself to its end, never faded; one may leave it at any time and find it further on."""
    give_model(make_run(tiny))
    window = new_window()
    app = App(window.new_page(), server.url)
    app.open("Augment", dataset="tiny", pipeline="flip|brightness(0.5)|invert", view="safety")
    app.tab.evaluate(
        "() => { window.faintest = 1; const look = () => {"
        " for (const box of document.querySelectorAll('.st-key-augment-meter [data-stale]'))"
        " window.faintest = Math.min(window.faintest, getComputedStyle(box).opacity);"
        " requestAnimationFrame(look); }; look(); }"
    )
    expect(app.main.locator("p.says")).to_be_visible(timeout=LONG_MS)
    view(app, "Preview")
    expect(card(app, 0)).to_be_visible(timeout=LONG_MS)
    expect(app.main.locator("p.says")).to_have_count(0)
    view(app, "Safety meter")
    expect(app.main.locator("table.safety")).to_be_visible(timeout=LONG_MS)
    expect(app.main.get_by_test_id("stProgress")).to_have_count(0, timeout=LONG_MS)
    app.says("for this run")
    assert app.tab.evaluate("window.faintest") == 1
    expect(app.main.locator("table.safety tbody tr")).to_have_count(4)
    app.click(app.keyed("augment-strength").get_by_role("radio", name="× 2"))
    app.tab.wait_for_url("**strength=2*")
    app.paint("dark")
    app.tab.set_viewport_size({"width": 800, "height": 900})
    settled(app.tab)
    assert app.stands_out() <= 0
    assert server.tracebacks() == ""
