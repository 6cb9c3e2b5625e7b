"""The Report view: what will stand in the file, the way to what is missing, the note; drawing costs nothing."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from bloodapp.data.dataset import Dataset
from bloodapp.evaluate import report
from bloodapp.runs.run import open_run
from tests.made import forget_dataset_of, make_run
from tests.ui.conftest import words

Open = Callable[..., AppTest]
PAGE = "pages/4_Evaluate.py"


def test_it_says_what_will_stand_in_it(
    tiny: Dataset, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every section, there or missing with its reason; the size; and no report is written for that."""
    make_run(tiny)
    monkeypatch.setattr(report, "gather", lambda *_: pytest.fail("written without a click"))
    page = open_page(PAGE, dataset="tiny", run="made", view="report")
    assert not page.exception
    said = words(page)
    for section, missing in report.contents(open_run("made"), "test"):
        assert f"<b>{section.title}</b>" in said and missing in said
    assert "about 5 MB" in said
    labels = [button.proto.label for button in page.get("download_button")]
    assert labels == ["Download report (.html)", "Model card (.md)"]


def test_what_is_missing_is_one_click_away(tiny: Dataset, open_page: Open) -> None:
    """From the corruptions that were not judged to the view that judges them."""
    make_run(tiny)
    page = open_page(PAGE, dataset="tiny", run="made", view="report")
    page.button("report-go-corruptions").click().run()
    assert not page.exception
    assert page.query_params["view"] == "hold"


def test_the_note_is_the_runs(tiny: Dataset, open_page: Open) -> None:
    """What is written here is kept with the run and stands in the report."""
    run = make_run(tiny)
    page = open_page(PAGE, dataset="tiny", run="made", view="report")
    page.text_area("report-note-made").set_value("Slide 7 was out of focus.").run()
    assert not page.exception
    assert run.notes() == "Slide 7 was out of focus."
    assert "Slide 7 was out of focus." in report.report(run)


def test_a_run_without_images_has_one_too(tiny: Dataset, open_page: Open) -> None:
    """The images are named as missing, with what to do."""
    forget_dataset_of(make_run(tiny))
    page = open_page(PAGE, run="made", view="report")
    assert not page.exception
    assert "import the same file" in words(page)
