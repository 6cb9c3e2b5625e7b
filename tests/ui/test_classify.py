"""Classify through AppTest: dropping images and archives, trying the dataset, the table and the CSV."""

import io
import zipfile
from collections.abc import Callable

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from bloodapp import workspace
from bloodapp.data.dataset import Dataset
from bloodapp.runs import calibration
from bloodapp.runs.predictions import write_predictions
from bloodapp.runs.run import Run
from bloodapp.ui import classify_answers
from tests.made import give_model, make_run
from tests.runs.test_calibration import said
from tests.ui.conftest import words

Open = Callable[..., AppTest]
PAGE = "pages/5_Classify.py"


def png(width: int = 96, height: int = 96) -> bytes:
    """A PNG of noise."""
    pixels = np.random.default_rng(width).integers(0, 256, (height, width, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def run(tiny: Dataset) -> Run:
    """A finished run with a small model."""
    st.cache_resource.clear()
    made = make_run(tiny)
    give_model(made)
    return made


@pytest.fixture
def page(run: Run, open_page: Open) -> AppTest:
    """The page with that run."""
    return open_page(PAGE, dataset="tiny", run=run.name)


def drop(page: AppTest, *files: tuple[str, bytes]) -> AppTest:
    """Drop files on the page."""
    kinds = {"png": "image/png", "zip": "application/zip"}
    named = [(name, content, kinds.get(name.rpartition(".")[2], "")) for name, content in files]
    return page.file_uploader("classify-files").set_value(named).run()


def test_an_empty_page_has_something_to_do(page: AppTest) -> None:
    """The run with its scores, the classes it knows, and one click to try it."""
    assert not page.exception
    assert "clean <em>" in words(page)
    assert "shifted <em>" in words(page)
    assert "It tells 8 classes apart" in words(page)
    page.button("classify-try").click().run()
    assert not page.exception
    assert words(page).count("<figcaption>") == classify_answers.A_TRY
    assert "as labelled" in words(page)


def test_images_to_try_are_not_those_it_learned_from(run: Run, page: AppTest) -> None:
    """The dataset's own images come from the parts that were kept aside, each class in turn."""
    got = classify_answers.of_dataset(classify_answers.key(run), "tiny", run.config["fingerprint"], 1)
    rows = {f"{name}" for name in got.table["name"]}
    learned = run.split().loc[lambda split: split["part"] == "train", "index"]
    names = classify_answers.open_dataset("tiny").items["name"]
    assert rows.isdisjoint({str(names[row]) for row in learned})
    assert len({given.key for given in got.given}) >= 7


def test_one_image_is_answered_in_full(page: AppTest) -> None:
    """Class, confidence and the probabilities of all classes; nothing is said about its size."""
    drop(page, ("cell.png", png()))
    assert not page.exception
    assert 'class="answer"' in words(page)
    assert "cell.png" in words(page)
    assert len(page.get("plotly_chart")) == 1
    assert "cut each cell out" not in words(page)


def test_a_large_image_gets_a_note(page: AppTest) -> None:
    """A picture far larger than one cell is answered, with a warning beside it."""
    drop(page, ("field.png", png(900, 600)))
    assert "This image is 900 × 600 pixels" in words(page)
    assert 'class="answer"' in words(page)


def test_many_files_and_an_archive(page: AppTest) -> None:
    """Images, a zip and a torn file together: one card each, the torn one with its reason."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("in/a.png", png(80, 80))
        made.writestr("in/b.png", png(70, 90))
    drop(page, ("one.png", png()), ("torn.png", b"torn"), ("more.zip", archive.getvalue()))
    assert not page.exception
    text = words(page)
    assert text.count("<figcaption>") == 4
    assert "not readable <b>1</b>" in text
    assert "torn.png" in text
    assert page.get("download_button")


def test_the_table_has_every_row(page: AppTest) -> None:
    """The table shows all rows, unreadable ones with their error."""
    drop(page, ("one.png", png()), ("torn.png", b"torn"))
    page.segmented_control("choice-show").set_value("table").run()
    assert not page.exception
    table = page.dataframe[0].value
    assert table["name"].tolist() == ["one.png", "torn.png"]
    assert "torn.png" in table["error"].tolist()[1]


def test_a_single_torn_file_is_a_sentence(page: AppTest) -> None:
    """One unreadable file: its error, no empty chart."""
    drop(page, ("torn.png", b"torn"))
    assert not page.exception
    assert "torn.png" in page.error[0].value


def test_names_are_escaped(page: AppTest) -> None:
    """A file name is text, whatever it holds."""
    drop(page, ("<img src=x onerror=alert(1)>.png", png()), ("b.png", png(50, 50)))
    assert "<img src=x" not in words(page)


def test_a_run_without_a_model_says_so(tiny: Dataset, open_page: Open) -> None:
    """No model yet: what to wait for, and no uploader that leads nowhere."""
    make_run(tiny)
    page = open_page(PAGE, dataset="tiny", run="made")
    assert not page.exception
    assert "This run has no model yet" in words(page)


def test_a_damaged_model_is_named(run: Run, page: AppTest) -> None:
    """A model that cannot be loaded is a sentence on the page."""
    run.model_path.write_bytes(b"torn")
    drop(page, ("one.png", png()))
    assert not page.exception
    assert "cannot be loaded" in page.error[0].value


def test_answers_are_calibrated_where_the_run_can_be(run: Run, tiny: Dataset, open_page: Open) -> None:
    """With too few validation images they are as the network says; with enough they are calibrated, and it says so."""
    asked = tiny.name, run.config["fingerprint"], 1
    bare = classify_answers.of_dataset(classify_answers.key(run), *asked)
    assert "not calibrated" in words(open_page(PAGE, dataset="tiny", run=run.name))
    write_predictions(run.folder, said())
    got = classify_answers.of_dataset(classify_answers.key(run), *asked)
    found = calibration.of(run)
    assert found is not None
    assert got.probabilities == pytest.approx(found.apply(bare.probabilities), abs=1e-6)
    assert got.table["confidence"].to_numpy() == pytest.approx(got.probabilities.max(1))
    assert (got.table["set"] != "").all()
    text = words(open_page(PAGE, dataset="tiny", run=run.name))
    assert "probabilities calibrated" in text
    assert "not calibrated" not in text


def test_an_unsure_answer_names_what_else_it_may_be(run: Run, page: AppTest) -> None:
    """A set of several classes is said in words."""
    write_predictions(run.folder, said())
    assert calibration.of(run) is not None
    kept = run.folder / calibration.FILE
    workspace.write_json(kept, {**workspace.read_json(kept), "temperature": 50.0})
    drop(page, ("cell.png", png()))
    assert not page.exception
    assert "It may be " in words(page)
    assert " or " in words(page)
