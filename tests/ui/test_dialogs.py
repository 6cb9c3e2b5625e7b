"""An open dialog stays, with what was typed into it, whatever a job does meanwhile; it closes when it is told to."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from bloodapp import jobs
from bloodapp.data.dataset import Dataset, list_datasets
from tests.ui.conftest import words

Open = Callable[..., AppTest]
PAGES = ["app.py", "pages/1_Review.py", "pages/3_Train.py", "pages/5_Classify.py"]


@pytest.fixture
def source(tmp_path: Path, tiny_cells: tuple) -> Path:
    """The tiny cells as a file in the course's format."""
    np.savez(tmp_path / "cells.npz", images=tiny_cells[0], labels=tiny_cells[1])
    return tmp_path / "cells.npz"


def typed(page: AppTest) -> str | None:
    """What stands in the import dialog as the path; None without the dialog."""
    assert not page.exception
    return next((box.value for box in page.text_input if box.key == "dialog-path"), None)


@pytest.mark.parametrize("script", PAGES)
def test_import_dialog_outlives_a_job(tiny: Dataset, source: Path, open_page: Open, script: str) -> None:
    """The page is drawn anew when an import has ended: the dialog and the path in it are still there."""
    jobs.submit("import", {"source": str(source), "name": "more"}, title="Import of more")
    page = open_page(script, dataset="tiny")
    assert typed(page) is None
    page.button("import").click().run()
    page.text_input("dialog-path").set_value("/somewhere/else.npz").run()
    assert jobs.step() is not None
    assert list_datasets() == ["more", "tiny"]
    assert typed(page.run()) == "/somewhere/else.npz"
    assert typed(page.run()) == "/somewhere/else.npz"


def test_what_is_put_together_outlives_a_job(tiny: Dataset, source: Path, open_page: Open) -> None:
    """A new dataset comes while others are being chosen to be put together: the choice and the name stay."""
    assert jobs.submit("import", {"source": str(source), "name": "more"})
    assert jobs.step() is not None
    page = open_page("app.py", dataset="tiny")
    page.button("import").click().run()
    page.multiselect("dialog-add-datasets").set_value(["more", "tiny"]).run()
    page.text_input("dialog-add-name").set_value("both").run()
    jobs.submit("import", {"source": str(source), "name": "again"})
    assert jobs.step() is not None
    page.run()
    assert page.multiselect("dialog-add-datasets").options == ["again", "more", "tiny"]
    assert page.multiselect("dialog-add-datasets").value == ["more", "tiny"]
    assert page.text_input("dialog-add-name").value == "both"


def test_import_dialog_closes_when_the_import_is_queued(tiny: Dataset, source: Path, open_page: Open) -> None:
    """It stays with a mistake, and goes with the import; opened again it is empty."""
    page = open_page("app.py", dataset="tiny")
    page.button("import").click().run()
    page.text_input("dialog-path").set_value("/nowhere.npz").run()
    page.button("dialog-place-go").click().run()
    assert typed(page) == "/nowhere.npz"
    assert "There is nothing at" in page.error[0].value
    page.text_input("dialog-path").set_value(str(source)).run()
    page.button("dialog-place-go").click().run()
    assert typed(page) is None
    assert [job.title for job in jobs.list_jobs()] == ["Import of cells"]
    assert typed(page.run()) is None
    page.button("import").click().run()
    assert typed(page) == ""


def test_import_dialog_stays_on_its_page(tiny: Dataset, open_page: Open) -> None:
    """Who goes to another page, by the back button for instance, leaves it."""
    page = open_page("app.py", dataset="tiny")
    page.button("import").click().run()
    assert typed(page) == ""
    assert typed(page.switch_page("pages/3_Train.py").run()) is None
    assert not page.session_state["kept.dialog"]
    assert typed(page.switch_page("app.py").run()) is None


def test_one_cell_large_outlives_a_job(tiny: Dataset, open_page: Open) -> None:
    """Augment's dialog is drawn with every run, and with none after another choice of dialog."""
    page = open_page("pages/2_Augment.py", dataset="tiny", pipeline="flip")
    page.session_state["kept.augment_zoom"] = 3
    page.session_state["kept.dialog"] = "zoom"
    for _ in range(2):
        assert 'class="large"' in words(page.run())
    page.button("import").click().run()
    assert typed(page) == ""
    assert 'class="large"' not in words(page)


def test_a_closer_look_outlives_a_job(tiny: Dataset, open_page: Open) -> None:
    """Review's dialog stays while jobs come and go; where a new scan has no such card, it goes and keys act again."""
    jobs.submit("scan", {"dataset": "tiny"})
    assert jobs.step() is not None
    page = open_page("pages/1_Review.py", dataset="tiny")
    page.button("closer-group-0").click().run()
    page.segmented_control(key="closer-view").set_value("some").run()
    jobs.submit("scan", {"dataset": "tiny"})
    assert jobs.step() is not None
    assert "closer-exclude" in {button.key for button in page.run().button}
    page.session_state["kept.dialog"] = "closer-group-46-that-is-gone"
    page.run()
    assert not page.exception
    assert not page.session_state["kept.dialog"]
