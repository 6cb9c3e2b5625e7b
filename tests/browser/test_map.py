"""The map in a real browser: drawn around, pointed at, walked through by keys, and 100,000 points moved about."""

import math
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Locator, expect

from bloodapp.data import decisions
from bloodapp.data.dataset import Dataset
from bloodapp.data.importing import import_source
from bloodapp.review import plane
from bloodapp.review.plane import Laid
from tests.browser.app import App
from tests.browser.conftest import LONG_MS, Server, settled

MANY = 100_000
NO_WEBGL = """
const get = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
  return kind.startsWith('webgl') ? null : get.call(this, kind, ...more);
};
"""
WATCH_TASKS = """() => {
  window.tasks = [];
  new PerformanceObserver(list => window.tasks.push(...list.getEntries().map(one => one.duration)))
    .observe({type: 'longtask'});
}"""


@pytest.fixture
def planted(home: Path, tmp_path: Path, tiny_cells: tuple[np.ndarray, np.ndarray]) -> Dataset:
    """48 cells, and twelve yellow pictures that lie far off by their pixels: images 48 to 59."""
    images, labels = tiny_cells
    same = np.zeros((12, 96, 96, 3), np.uint8)
    same[:, 20:70, 30:60] = (250, 220, 40)
    np.savez(
        tmp_path / "planted.npz",
        images=np.concatenate([images, same]),
        labels=np.concatenate([labels, labels[:12]])[:, None],
    )
    return import_source(tmp_path / "planted.npz")


def opened(app: App, dataset: str, **address: str) -> Locator:
    """Open the map; its stage, with the points drawn."""
    app.open("Review", dataset=dataset, view="map", **address)
    expect(app.main.locator(".plane[data-drawn]")).to_be_visible(timeout=LONG_MS)
    settled(app.tab)
    return app.main.locator(".plane .stage")


def place(stage: Locator, dataset: Dataset, index: int) -> tuple[float, float]:
    """Where an image's point is on the whole map, in pixels of the tab."""
    laid = plane.kept(dataset, "pixels")
    assert laid is not None
    low, wide = laid.points.min(0), np.ptp(laid.points, axis=0)
    x, y = 0.5 + 0.94 * ((laid.points[index] - low) / wide - 0.5)
    box = stage.bounding_box()
    assert box is not None
    return float(box["x"] + 1 + x * (box["width"] - 2)), float(box["y"] + 1 + (1 - y) * (box["height"] - 2))


def draw_around(app: App, at: tuple[float, float], reach: float) -> None:
    """Draw around a place by hand."""
    app.tab.mouse.move(at[0] + reach, at[1])
    app.tab.mouse.down()
    for turn in range(25):
        angle = turn / 24 * 2 * math.pi
        app.tab.mouse.move(at[0] + reach * math.cos(angle), at[1] + reach * math.sin(angle))
    app.tab.mouse.up()


@pytest.mark.parametrize("drawn", ["webgl", "canvas"])
def test_what_lies_far_off_is_drawn_around_and_excluded(
    planted: Dataset, server: Server, new_window: Callable[..., BrowserContext], drawn: str
) -> None:
    """The lasso takes the twelve and no cell, with and without WebGL; they go in one decision, which is undone."""
    window = new_window(own=drawn == "canvas")
    if drawn == "canvas":
        window.add_init_script(NO_WEBGL)
    app = App(window.new_page(), server.url)
    stage = opened(app, "planted")
    expect(app.main.locator(".plane")).to_have_attribute("data-drawn", drawn)
    draw_around(app, place(stage, planted, 48), 14)
    expect(app.keyed("map-acts")).to_contain_text("12 images, 17 % Basophil")
    app.click(app.button("Open in the gallery"))
    app.tab.wait_for_url("**view=gallery**")
    app.part("Map")
    stage = app.main.locator(".plane .stage")
    expect(app.main.locator(".plane")).to_have_attribute("data-chosen", "12")
    stage.focus()
    app.tab.keyboard.press("Escape")
    expect(app.keyed("map-acts")).to_contain_text("Draw around points")
    box = stage.bounding_box()
    assert box is not None
    far = place(stage, planted, 48)
    app.tab.keyboard.down("Shift")
    app.tab.mouse.move(far[0] - 9, far[1] - 9)
    app.tab.mouse.down()
    app.tab.mouse.move(far[0] + 9, far[1] + 9, steps=3)
    app.tab.mouse.up()
    app.tab.keyboard.up("Shift")
    expect(app.keyed("map-acts")).to_contain_text("12 images")
    app.click(app.keyed("map-exclude").get_by_role("button"))
    expect(app.keyed("map-acts")).to_contain_text("Draw around points")
    assert np.flatnonzero(~decisions.judge(planted).included).tolist() == list(range(48, 60))
    assert len(decisions.batches(planted)) == 1
    expect(app.main.locator(".plane")).to_have_attribute("data-chosen", "0")


def test_pointing_shows_the_cell_and_a_click_chooses_it(
    planted: Dataset, server: Server, new_window: Callable[..., BrowserContext]
) -> None:
    """Its picture with its class; groups are hidden and shown by the legend, also those pointed at; it fits 800 px."""
    app = App(new_window(width=800).new_page(), server.url)
    stage = opened(app, "planted")
    app.tab.mouse.move(*place(stage, planted, 5))
    seen = app.main.locator(".plane .seen")
    expect(seen.locator("img")).to_be_visible()
    expect(seen).to_contain_text("image 5")
    assert seen.locator("img").evaluate("image => image.naturalWidth") == 96
    app.tab.mouse.down()
    app.tab.mouse.up()
    expect(app.keyed("map-acts")).to_contain_text("1 image, Monocyte")
    entry = app.main.locator(".plane .legend button").filter(has_text="Monocyte")
    expect(entry).to_have_attribute("aria-pressed", "true")
    entry.click()
    expect(entry).to_have_attribute("aria-pressed", "false")
    app.tab.mouse.move(*place(stage, planted, 5))
    expect(seen.filter(has_text="image 5")).to_have_count(0)
    app.main.get_by_role("button", name="Show all groups").click()
    expect(entry).to_have_attribute("aria-pressed", "true")
    assert app.stands_out() <= 0
    decisions.record(planted, [5], "exclude")
    app.reload("Review")
    expect(app.main.locator(".plane[data-drawn]")).to_be_visible()
    app.tab.mouse.move(*place(stage, planted, 5))
    expect(seen).to_contain_text("excluded")
    app.paint("dark")


def test_keys_reach_a_point_and_open_it(
    planted: Dataset, server: Server, new_window: Callable[..., BrowserContext]
) -> None:
    """Arrows walk, Space and L choose, the words are said aloud, Enter leads to the gallery."""
    app = App(new_window().new_page(), server.url)
    stage = opened(app, "planted")
    expect(stage).to_have_accessible_name(re.compile("Map of 60 images by pixels: 9 Basophil"))
    stage.focus()
    told = app.main.locator(".plane .told")
    walked = set()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft"):
        app.tab.keyboard.press(key)
        expect(app.main.locator(".plane .seen")).to_be_visible()
        expect(told).to_contain_text("image")
        walked.add(told.inner_text())
    assert len(walked) > 1
    app.tab.keyboard.press("Space")
    expect(app.keyed("map-acts")).to_contain_text("1 image")
    app.tab.keyboard.press("l")
    for _ in range(3):
        app.tab.keyboard.press("ArrowUp")
    app.tab.keyboard.press("l")
    expect(app.keyed("map-acts")).not_to_contain_text("1 image,")
    settled(app.tab)
    app.tab.keyboard.press("+")
    app.tab.keyboard.press("0")
    app.tab.keyboard.press("Control+a")
    expect(app.keyed("map-acts")).to_contain_text("60 images")
    expect(stage).to_be_focused()
    app.tab.keyboard.press("Enter")
    app.tab.wait_for_url("**view=gallery**")


@pytest.fixture
def crowded(home: Path, tmp_path: Path) -> Dataset:
    """100,000 images of 16 pixels in eight classes, laid out by hand: eight clouds."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 8, MANY).astype(np.uint8)
    few = rng.integers(0, 256, (256, 16, 16, 3)).astype(np.uint8)
    images = few[np.arange(MANY) % 256]
    images[:, 0, :2, 0] = np.stack([np.arange(MANY) % 256, np.arange(MANY) // 256 % 256], 1)
    np.savez(tmp_path / "crowded.npz", images=images, labels=labels[:, None])
    dataset = import_source(tmp_path / "crowded.npz", size=16)
    turn = labels / 8 * 2 * np.pi
    points = np.stack([np.cos(turn), np.sin(turn)], 1) * 3 + rng.normal(size=(MANY, 2)) * 0.5
    plane.keep(dataset, "pixels", Laid(points.astype(np.float32), (0.5, 0.3), "", MANY))
    return dataset


def move_about(app: App, middle: tuple[float, float]) -> float:
    """Zoom in and drag the map about; how many milliseconds the page was held up at most."""
    app.tab.evaluate(WATCH_TASKS)
    app.tab.mouse.move(*middle)
    app.tab.mouse.wheel(0, -600)
    app.tab.mouse.down(button="right")
    for turn in range(60):
        app.tab.mouse.move(middle[0] + 150 * math.sin(turn / 5), middle[1] + 90 * math.sin(turn / 10))
    app.tab.mouse.up(button="right")
    return float(max(app.tab.evaluate("window.tasks"), default=0))


def test_a_hundred_thousand_points_are_moved_about(
    crowded: Dataset, server: Server, new_window: Callable[..., BrowserContext]
) -> None:
    """They cost the page little, and nothing holds it up for 200 ms; at rest all are drawn and can be chosen."""
    app = App(new_window().new_page(), server.url)
    stage = opened(app, "crowded")
    box = stage.bounding_box()
    assert box is not None
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    drawn = app.main.locator(".plane")
    session = app.tab.context.new_cdp_session(app.tab)
    session.send(
        "Performance.enable", {"timeDomain": "threadTicks"}
    )  # the thread's own time, not that of others

    def spent() -> tuple[float, int]:
        figures = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
        return 1000 * figures["TaskDuration"], int(drawn.get_attribute("data-frames") or 0)

    before = spent()
    # A computer that has other work to do holds a page up as well, but not every time.
    assert any(move_about(app, middle) < 200 for _ in range(4))
    after = spent()
    assert after[1] - before[1] > 10
    assert (after[0] - before[0]) / (after[1] - before[1]) < 40, "ms a frame"
    stage.focus()
    app.tab.keyboard.press("0")
    app.tab.keyboard.press("Control+a")
    expect(app.keyed("map-acts")).to_contain_text("100,000 images")
