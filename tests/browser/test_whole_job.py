"""The whole job in a real browser, as somebody does it who opens the app for the first time."""

import csv
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Page, expect

from bloodapp.classes import DEFAULT_CLASSES
from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.data.decisions import judge
from bloodapp.runs.run import Run, open_run
from tests.browser.app import PAGES, App, hold
from tests.browser.conftest import LONG_MS, Server, settled

PIPELINE = "gentle"


@pytest.mark.timeout(1200)
def test_the_whole_job(
    cold_server: Server, tab: Page, new_window: Callable[..., BrowserContext], tmp_path: Path
) -> None:
    """From the first start to a dropped image; then every page once more, narrow, light and dark."""
    app = App(tab, cold_server.url)
    sample = sees_the_sample(app)
    clean_up(app, sample)
    choose_augmentation(app)
    run = train(app, sample)
    evaluate(app, run)
    classify(app, run, sample, tmp_path)
    home_knows_it_all(app, run)
    narrow = App(new_window(width=800).new_page(), cold_server.url)
    fits_a_narrow_window(narrow, {"dataset": sample.name, "run": run.name})


def sees_the_sample(app: App) -> Dataset:
    """The first start shows the sample: each class with its count and some images."""
    app.open()
    expect(app.heading).to_have_text("sample")
    sample = open_dataset("sample")
    rows = app.main.locator(".classes .row")
    expect(rows).to_have_count(len(DEFAULT_CLASSES))
    given = np.bincount(sample.labels, minlength=len(DEFAULT_CLASSES))
    expect(rows.locator(".count")).to_have_text([str(number) for number in given])
    expect(rows.first.locator("img").first).to_be_visible()
    return sample


def clean_up(app: App, sample: Dataset) -> None:
    """Scan, throw a joke out, decide one image by key, undo and redo the first decision."""
    app.go("Review")
    app.scan()
    joke = largest_joke(sample)

    before = app.clicks
    app.click(app.button(f"Exclude all {len(joke)}", within=app.next_card))
    excluded = app.decided(f"Excluded {len(joke)} images")
    assert app.clicks - before <= 2
    assert not judge(sample).included[joke].any()
    remain(app, sample, without=len(joke))

    app.only("Blurred")
    picture = app.next_card.locator("img.big")
    single = int((picture.get_attribute("alt") or "").split(" · ")[0].removeprefix("image "))
    app.tab.keyboard.press("x")
    app.decided("Excluded 1 image")
    assert not judge(sample).included[single]

    excluded.get_by_role("button", name="Undo").click()
    expect(excluded.get_by_role("button", name="Redo")).to_be_visible()
    assert judge(sample).included[joke].all() and not judge(sample).included[single]
    remain(app, sample, without=1)
    excluded.get_by_role("button", name="Redo").click()
    expect(excluded.get_by_role("button", name="Undo")).to_be_visible()
    assert not judge(sample).included[joke].any()
    remain(app, sample, without=len(joke) + 1)


def largest_joke(sample: Dataset) -> np.ndarray:
    """The images of the cartoon that the sample holds most often."""
    assert sample.truth is not None
    table = sample.truth.groupby("index").agg(kinds=("kind", set), group=("group", "max"))
    jokes = table[["foreign" in kinds for kinds in table["kinds"]]]
    return jokes.index[jokes["group"] == jokes["group"].mode()[0]].to_numpy()


def remain(app: App, sample: Dataset, *, without: int) -> None:
    """The page says how many images remain."""
    expect(app.main.locator(".remains .big")).to_have_text(
        f"{len(sample) - without:,} of {len(sample):,} images"
    )


def choose_augmentation(app: App) -> None:
    """Pick a pipeline, see what it does to one's own cells, take it into training."""
    app.go("Augment")
    app.click(app.keyed("augment-choices").get_by_role("button"))
    app.click(app.keyed(f"augment-take-{PIPELINE}").get_by_role("button"))
    app.tab.wait_for_url(f"**pipeline={PIPELINE}**")
    card = app.keyed("augment-views").get_by_role("button", name="original, ").first
    expect(card).to_be_visible(timeout=LONG_MS)
    settled(app.tab)
    original, changed = (
        card.get_by_alt_text(text).first.get_attribute("src") for text in ("original", "result")
    )
    assert original and changed and original != changed
    app.click(app.button("Use this pipeline for training"))
    app.at("Train")
    app.says("chosen by you")


def train(app: App, sample: Dataset) -> Run:
    """Start a quick trial by one click; its live figures are there, and still there after a reload."""
    run = open_run(app.start_training(quick=True))
    let_go = hold(run)
    shows_live_figures(app, run)
    app.reload("Train")
    shows_live_figures(app, run)
    let_go()
    app.shows_run("done")
    assert run.config["recipe"]["pipeline"] == PIPELINE
    assert run.finished and set(run.split()["index"]) <= set(judge(sample).indices.tolist())
    return run


def shows_live_figures(app: App, run: Run) -> None:
    """The page shows what the training says of itself just now."""
    status = run.job.status()
    app.shows_run("training")
    expect(app.figure("epoch")).to_have_text("1 of 1")
    expect(app.figure("loss")).to_have_text(f"{status['loss']:.3f}")
    expect(app.figure("accuracy")).to_have_text(f"{100 * status['accuracy']:.1f} %")
    expect(app.figure("device")).to_have_text(status["device"])


def evaluate(app: App, run: Run) -> None:
    """Clean and shifted accuracy stand there; a click on a cell of the matrix brings its images."""
    app.click(app.button("Read the results"))
    app.at("Evaluate")
    expect(app.main.locator(".verdict .score")).to_have_count(2)
    predictions = run.predictions()
    assert predictions is not None
    test = predictions.only("test")
    cells, numbers = np.unique(
        np.stack([test.label, test.probabilities.argmax(1)], 1), axis=0, return_counts=True
    )
    chart = app.keyed("evaluate-matrix-chart")
    squares = chart.locator(".barlayer .point")
    expect(squares).to_have_count(len(run.classes) ** 2)
    # The rarest cell that holds something is not the one which is shown unasked, the largest confusion.
    true, taken = (int(value) for value in cells[numbers.argmin()])
    chart.scroll_into_view_if_needed()
    app.click_at(squares.nth(true * len(run.classes) + taken))
    app.tab.wait_for_url(f"**cell={true}-{taken}**")
    shown = app.main.locator(".sheet figure")
    expect(shown).to_have_count(int(numbers.min()))
    said = f"labelled {run.classes[true].title}, taken for {run.classes[taken].title}"
    expect(shown.first).to_have_attribute("title", re.compile(re.escape(said)))


def classify(app: App, run: Run, sample: Dataset, folder: Path) -> None:
    """Drop an image: the class, the bars of all classes, the CSV."""
    picture = folder / "cell.png"
    Image.fromarray(np.asarray(sample.images[judge(sample).indices[0]])).save(picture)
    app.go("Classify")
    app.main.locator("input[type=file]").set_input_files(picture)
    answer = app.main.locator(".answer")
    expect(answer).to_be_visible(timeout=LONG_MS)
    settled(app.tab)
    expect(app.keyed("classify-probabilities").locator(".barlayer .point")).to_have_count(len(run.classes))
    with app.tab.expect_download() as download:
        app.click(app.button("Answers as CSV"))
    with open(download.value.path(), newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    chances = [f"p_{one.key}" for one in run.classes]
    assert list(rows[0]) == [
        "name",
        "label",
        "confidence",
        *chances,
        "set",
        "outlier",
        "outlier_score",
        "error",
    ]
    (row,) = rows
    assert row["name"] == picture.name and row["error"] == ""
    assert sum(float(row[name]) for name in chances) == pytest.approx(1, abs=1e-4)
    assert row[f"p_{row['label']}"] == row["confidence"] == max(row[name] for name in chances)
    titles = {one.key: one.title for one in run.classes}
    expect(answer.locator(".named")).to_have_text(titles[row["label"]])
    assert row["label"] in row["set"].split("|")


def home_knows_it_all(app: App, run: Run) -> None:
    """Home tells of the cleaned dataset and of the run, in words and in the gap chart."""
    app.go("Home")
    app.says("1 training of this dataset.")
    app.says(f"Drop an image: '{run.name}' says what it is.")
    expect(app.keyed("gap").locator(".scatterlayer .trace").first).to_be_visible()


def fits_a_narrow_window(app: App, address: dict[str, str]) -> None:
    """At 800 pixels no page stands out to the right, light or dark, which it becomes with the computer."""
    for page in PAGES:
        app.open(page, **address)
        for scheme in ("dark", "light"):
            app.paint(scheme)
            assert app.stands_out() <= 0, f"{page}, {scheme}"
