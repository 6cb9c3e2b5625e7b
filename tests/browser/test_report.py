"""A report as a person sends it: downloaded through the page, opened from the disk without a network."""

import json
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, expect

from bloodapp.data.dataset import Dataset
from tests.browser.conftest import Server, settled
from tests.made import make_run

HOSTILE = "<img src=x onerror=\"document.title='broken'\"><script>document.title='broken'</script>"
WIDTHS = (1440, 800, 390)


def test_a_report_opens_anywhere(
    tiny: Dataset,
    server: Server,
    context: BrowserContext,
    browser: Browser,
    tmp_path: Path,
) -> None:
    """One click, then offline: all charts are drawn, nothing is asked for, nothing hostile runs, and it fits."""
    run = make_run(tiny, right=(0.8, 0.5))
    config = json.loads((run.folder / "config.json").read_text())
    config["classes"][0]["title"] = HOSTILE
    (run.folder / "config.json").write_text(json.dumps(config))
    run.rename(HOSTILE)
    page = context.new_page()
    page.goto(f"{server.url}/Evaluate?dataset=tiny&run=made&view=report")
    settled(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download report").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    assert file.name == "made-test.html"

    window = browser.new_context(offline=True, color_scheme="dark")
    asked: list[str] = []
    told: list[str] = []
    window.on("request", lambda request: asked.append(request.url))
    window.on("console", lambda message: told.append(message.text))
    window.on("weberror", lambda error: told.append(str(error.error)))
    reader = window.new_page()
    reader.goto(file.as_uri())
    expect(reader.locator("h1")).to_have_text(HOSTILE)
    charts = reader.locator(".chart")
    expect(reader.locator(".chart .main-svg").first).to_be_visible()
    assert charts.count() == reader.locator(".chart.js-plotly-plot").count() >= 4
    for summary in reader.locator("main > section > details > summary").all():
        summary.click()
    inner = reader.locator("#confusion details .chart")
    expect(inner.locator(".main-svg").first).to_be_visible()
    assert inner.evaluate("chart => chart.querySelector('.main-svg').clientWidth <= chart.clientWidth")
    for width in WIDTHS:
        reader.set_viewport_size({"width": width, "height": 900})
        assert reader.evaluate("document.documentElement.scrollWidth") <= width
    ink = "element => getComputedStyle(element).fill"
    words = reader.locator(".chart .xtick text").first
    dark = words.evaluate(ink)
    reader.emulate_media(color_scheme="light")
    assert words.evaluate(ink) != dark, "the words of charts follow the scheme"
    assert reader.pdf().startswith(b"%PDF")
    assert reader.title() == f"{HOSTILE} · report"
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert told == []
    window.close()
