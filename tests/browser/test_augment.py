"""The editor of pipelines in a real browser, by keyboard and by mouse, and what becomes of a pipeline elsewhere."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import BrowserContext, Locator, expect

from bloodapp.augment.saved import saved_pipelines
from bloodapp.data.dataset import Dataset
from tests.browser.app import App
from tests.browser.conftest import Server, settled


def steps(app: App) -> Locator:
    """The list of steps."""
    return app.main.locator(".editor")


def becomes(app: App, pipeline: str) -> None:
    """Wait until the address says this pipeline, and the page is drawn."""
    app.tab.wait_for_url(lambda url: parse_qs(urlsplit(url).query).get("pipeline") == [pipeline])
    settled(app.tab)


def focused(app: App) -> str | None:
    """The name, for those who cannot see it, of what the keyboard is at within the list."""
    name: str | None = app.tab.evaluate(
        "() => { let at = document.activeElement; while (at?.shadowRoot) at = at.shadowRoot.activeElement;"
        " return at?.getAttribute('aria-label') || at?.textContent; }"
    )
    return name


def open_under(app: App, key: str) -> None:
    """Open what opens under a button."""
    app.click(app.keyed(key).get_by_role("button").first)
    settled(app.tab)


def add(app: App, typed: str) -> None:
    """Add the operation that is found first by what is typed."""
    app.click(steps(app).get_by_role("button", name="+ Add an operation"))
    expect(steps(app).get_by_role("searchbox", name="Find an operation")).to_be_focused()
    app.tab.keyboard.type(typed)
    app.tab.keyboard.press("Enter")


def test_editing_by_keyboard_and_mouse(
    tiny: Dataset, server: Server, new_window: Callable[..., BrowserContext]
) -> None:
    """Slide, move, switch, undo, save, reload, offer in a second tab, go back, train: the text follows throughout."""
    window = new_window()
    app = App(window.new_page(), server.url)
    app.open("Augment", dataset="tiny", pipeline="r1a")
    becomes(app, "r1a")

    # By keyboard: a slider, whose held key is one edit, and a step that moves with the focus on it.
    slider = steps(app).get_by_role("slider", name="crop: amount")
    for _ in range(4):
        slider.press("ArrowRight")
    becomes(app, "flip|crop(0.34)")
    assert focused(app) == "crop: amount"
    steps(app).get_by_role("button", name="crop", exact=True).press("Alt+ArrowUp")
    becomes(app, "crop(0.34)|flip")
    assert focused(app) == "crop"
    app.tab.keyboard.press("Enter")
    expect(steps(app).get_by_role("slider", name="crop: aspect")).to_be_visible()

    # By mouse: the slider dragged to its end, a switch.
    slider = steps(app).get_by_role("slider", name="crop: amount")
    box = slider.bounding_box()
    assert box is not None
    app.tab.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    app.tab.mouse.down()
    app.tab.mouse.move(box["x"] + box["width"] + 40, box["y"] + box["height"] / 2, steps=4)
    app.tab.mouse.up()
    becomes(app, "crop(0.9)|flip")
    steps(app).get_by_role("switch", name="flip on").click()
    becomes(app, "crop(0.9)|off(flip)")
    expect(steps(app).get_by_role("switch", name="flip on")).not_to_be_checked()

    # Back and forward go through the edits.
    app.tab.go_back()
    becomes(app, "crop(0.9)|flip")
    expect(steps(app).get_by_role("switch", name="flip on")).to_be_checked()
    app.tab.go_forward()
    becomes(app, "crop(0.9)|off(flip)")

    # An operation found by typing, and taken out again.
    add(app, "mirror")
    becomes(app, "crop(0.9)|off(flip)|flip")
    app.click(steps(app).get_by_role("button", name="Remove: flip").last)
    becomes(app, "crop(0.9)|off(flip)")

    # The name counts before the help, and a value can be found by its word.
    for typed, added in (("stain", "stain"), ("edges", "edges"), ("bubble", "corrupt(bubble)")):
        add(app, typed)
        becomes(app, f"crop(0.9)|off(flip)|{added}")
        app.click(steps(app).get_by_role("button", name="Remove: ").last)
        becomes(app, "crop(0.9)|off(flip)")

    # A step dragged by its grip to below another.
    rows = steps(app).locator("li.step")
    rows.nth(0).hover()
    low = rows.nth(1).bounding_box()
    assert low is not None
    rows.nth(0).locator(".grip").first.drag_to(rows.nth(1), target_position={"x": 80, "y": low["height"] - 3})
    becomes(app, "off(flip)|crop(0.9)")
    steps(app).get_by_role("button", name="crop", exact=True).press("Control+z")
    becomes(app, "crop(0.9)|off(flip)")

    open_under(app, "augment-save")
    name = app.tab.get_by_role("textbox", name="Name", exact=True)
    name.fill("mine")
    name.press("Enter")
    becomes(app, "mine")
    assert saved_pipelines() == {"mine": "crop(0.9)|off(flip)"}
    app.reload("Augment")
    expect(steps(app).get_by_role("switch", name="flip on")).not_to_be_checked()
    expect(steps(app).get_by_role("slider", name="crop: amount")).to_have_value("0.9")

    other = App(window.new_page(), server.url)
    other.open("Augment", dataset="tiny", pipeline="none")
    open_under(other, "augment-choices")
    other.click(other.keyed("augment-take-mine").get_by_role("button"))
    becomes(other, "mine")
    other.click(other.button("Use this pipeline for training"))
    other.at("Train")
    other.says("mine, chosen by you")


def test_the_page_fits_a_narrow_window(
    tiny: Dataset, server: Server, new_window: Callable[..., BrowserContext]
) -> None:
    """At 800 pixels nothing stands out, and the pictures stay in sight while the list of operations is open."""
    app = App(new_window(width=800).new_page(), server.url)
    app.open(
        "Augment", dataset="tiny", pipeline="off(sometimes(0.3; oneof(randaugment; channelshuffle|noise)))"
    )
    expect(steps(app).get_by_role("slider", name="randaugment: magnitude")).to_be_visible()
    app.click(steps(app).get_by_role("button", name="+ Add an operation"))
    expect(steps(app).get_by_role("searchbox", name="Find an operation")).to_be_focused()
    expect(app.main.locator(".pairs button").first).to_be_in_viewport()
    assert app.stands_out() <= 0
