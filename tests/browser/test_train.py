"""Train in a real browser: a system chosen by keyboard, changed, trained, watched, stopped, duplicated, compared."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import BrowserContext, Locator, expect

from bloodapp.data.dataset import Dataset
from bloodapp.runs.run import open_run
from bloodapp.train.recipes import RECIPES
from bloodapp.train.settings import settings, with_settings
from tests.browser.app import App, hold
from tests.browser.conftest import LONG_MS, Server, press, settled
from tests.made import make_run


def address(app: App, name: str) -> str | None:
    """What the address says under this name."""
    return parse_qs(urlsplit(app.tab.url).query).get(name, [None])[0]


def becomes(app: App, **values: str | None) -> None:
    """Wait until the address says this, and the page is drawn."""
    app.tab.wait_for_url(
        lambda url: all(
            parse_qs(urlsplit(url).query).get(name, [None])[0] == value for name, value in values.items()
        )
    )
    settled(app.tab)


def recipes(app: App) -> Locator:
    """The recipes on offer."""
    return app.keyed("train-recipes")


def menu(app: App, item: str) -> None:
    """Choose from the menu of the run on show."""
    app.click(app.main.locator("[class*='st-key-train-menu-']").get_by_role("button").first)
    app.click(app.keyed("train-menu").get_by_role("button", name=item))
    settled(app.tab)


def test_a_system_by_keyboard_trained_watched_and_stopped(
    tiny: Dataset, server: Server, new_window: Callable[..., BrowserContext]
) -> None:
    """Chosen and changed by keyboard, watched in two tabs and through a reload, stopped, its form taken over."""
    window = new_window()
    app = App(window.new_page(), server.url)
    app.open("Train", dataset="tiny")
    systems = app.keyed("train-purpose").get_by_role("radio", name="The five systems")
    systems.focus()
    press(app.tab, "Enter", systems.is_checked)
    first = recipes(app).get_by_role("radio", name="R0, Hyper Parameters Guessers")
    first.focus()
    press(app.tab, "Space", first.is_checked)
    becomes(app, recipe="r0")
    app.tab.keyboard.press("ArrowDown")
    becomes(app, recipe="r0folds")
    app.tab.keyboard.press("ArrowDown")
    becomes(app, recipe="r1")
    app.tab.keyboard.press("ArrowDown")
    becomes(app, recipe="r1cnn")
    expect(recipes(app).get_by_role("radio", name="R1, the CNN from scratch")).to_be_checked()
    epochs = app.keyed("recipe-epochs").get_by_role("spinbutton")
    epochs.fill("900")
    epochs.press("Enter")
    becomes(app, set="epochs=900")
    app.says("1 change from the recipe")
    app.tab.go_back()
    becomes(app, set=None)
    expect(epochs).to_have_value("100")
    app.tab.go_forward()
    becomes(app, set="epochs=900")
    expect(epochs).to_have_value("900")

    run = open_run(app.start_training())
    let_go = hold(run)
    app.shows_run("training")
    expect(app.figure("device")).to_contain_text("CPU", timeout=LONG_MS)
    app.reload("Train")
    app.shows_run("training")
    other = App(window.new_page(), server.url)
    other.open("Train", dataset="tiny")
    other.shows_run("training")
    other.click(other.button("Stop"))
    let_go()
    app.shows_run("stopped")
    other.shows_run("stopped")
    assert run.config["recipe"]["epochs"] == 900

    menu(app, "Duplicate")
    becomes(app, run=None, recipe="r1cnn", set="epochs=900", **{"from": run.name})
    expect(epochs).to_have_value("900")
    app.says("Filled in from the run")
    app.back("Train")
    app.shows_run("stopped")


def test_runs_are_renamed_compared_and_found_again(
    tiny: Dataset, server: Server, new_window: Callable[..., BrowserContext]
) -> None:
    """A title given in the menu, two runs ticked and compared, the same after a reload and in a narrow window."""
    plain = RECIPES["plain"]
    make_run(tiny, "one", right=(0.95, 0.6), recipe=settings(plain))
    make_run(tiny, "two", right=(0.8, 0.6), recipe=settings(with_settings(plain, {"epochs": 7})))
    app = App(new_window().new_page(), server.url)
    app.open("Train", dataset="tiny", run="one")
    menu(app, "Rename")
    field = app.main.get_by_role("textbox", name="Name")
    field.fill("The first of two")
    field.press("Enter")
    expect(app.main.locator(".run-head h2")).to_have_text("The first of two")
    for name in ("one", "two"):
        app.click(app.keyed(f"tick-{name}").locator("label").first)
        expect(app.keyed(f"tick-{name}").get_by_role("checkbox")).to_be_checked()
    becomes(app, compare="one,two")
    app.click(app.button("Compare 2"))
    becomes(app, train="compare")
    app.says("2 runs compared")
    table = app.main.locator("table.compare").first
    expect(table).to_contain_text("The first of two")
    app.reload("Train")
    app.says("2 runs compared")
    expect(app.main.locator("table.compare.words")).to_contain_text("epochs")
    for scheme in ("dark", "light"):
        app.paint(scheme)
    app.back("Train")
    app.shows_run("done")

    narrow = App(new_window(width=800).new_page(), server.url)
    narrow.open("Train", dataset="tiny", train="compare", compare="one,two")
    assert narrow.stands_out() <= 0
    narrow.open("Train", dataset="tiny", recipe="r4", set="epochs=20&phases=frozen(5)|full")
    expect(narrow.button("Start training")).to_be_visible()
    assert narrow.stands_out() <= 0
