"""Home through AppTest: what it shows, the next step, importing and deleting."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from bloodapp import jobs
from bloodapp.data.dataset import Dataset, list_datasets, open_dataset
from bloodapp.data.decisions import record
from bloodapp.data.importing import import_source
from bloodapp.ui import home as home_page
from tests.ui.conftest import words

Open = Callable[..., AppTest]


def test_first_start_brings_the_sample(home: Path, open_page: Open) -> None:
    """A workspace that was never used opens with the drawn sample, and stays so in a second tab."""
    first = open_page("app.py")
    assert not first.exception
    assert list_datasets() == ["sample"]
    assert "<h1>sample</h1>" in words(first)
    second = open_page("app.py")
    assert not second.exception
    assert list_datasets() == ["sample"]


def test_deleted_sample_stays_away(empty_home: Path, open_page: Open) -> None:
    """Who put the sample away is asked for a dataset, not given the sample again."""
    page = open_page("app.py")
    assert not page.exception
    assert list_datasets() == []
    assert "Begin with a dataset" in words(page)


def test_shows_the_dataset(tiny: Dataset, open_page: Open) -> None:
    """Counts, imbalance, every class, provenance and the chart are on the page."""
    page = open_page("app.py", dataset="tiny")
    assert not page.exception
    text = words(page)
    assert "<dt>images</dt><dd>48</dd>" in text
    for cell_class in tiny.classes:
        assert cell_class.title in text
    assert tiny.fingerprint[:12] in text
    assert "Does it hold on images that changed?" in text
    assert len(page.get("plotly_chart")) == 1


def test_shows_what_remains(tiny: Dataset, open_page: Open) -> None:
    """An excluded image leaves its class and shows among those left out."""
    record(tiny, [46, 47], "exclude")
    page = open_page("app.py", dataset="tiny")
    text = words(page)
    assert "<dt>remain after decisions</dt><dd>46</dd>" in text
    assert "Left out" in text


def test_next_step_scans_and_opens_review(tiny: Dataset, open_page: Open) -> None:
    """The one primary button of a fresh dataset starts the scan."""
    page = open_page("app.py", dataset="tiny")
    page.button("next-step").click().run()
    assert [(job.kind, job.params) for job in jobs.list_jobs()] == [("scan", {"dataset": "tiny"})]


def test_imports_by_path(empty_home: Path, tmp_path: Path, tiny_cells: tuple, open_page: Open) -> None:
    """A path becomes an import job; when it is done the new dataset is the chosen one."""
    images, labels = tiny_cells
    np.savez(tmp_path / "cells.npz", images=images, labels=labels)
    page = open_page("app.py")
    page.text_input("welcome-path").set_value(str(tmp_path / "cells.npz")).run()
    page.button("welcome-place-go").click().run()
    assert not page.exception
    assert jobs.list_jobs()[0].title == "Import of cells"
    assert jobs.step() is not None
    page.run()
    assert "<h1>cells</h1>" in words(page)
    assert page.query_params["dataset"] == "cells"


def test_imports_an_upload(empty_home: Path, tmp_path: Path, tiny_cells: tuple, open_page: Open) -> None:
    """An uploaded file is imported under its own name, and its copy goes when the dataset is there."""
    images, labels = tiny_cells
    np.savez(tmp_path / "dropped.npz", images=images, labels=labels)
    page = open_page("app.py")
    page.file_uploader("welcome-upload").set_value(
        ("dropped.npz", (tmp_path / "dropped.npz").read_bytes(), "application/octet-stream")
    ).run()
    page.button("welcome-drop-go").click().run()
    job = jobs.list_jobs()[0]
    assert (job.folder / "upload" / "dropped.npz").exists()
    assert jobs.step() is not None
    page.run()
    assert list_datasets() == ["dropped"]
    assert not (job.folder / "upload").exists()


def test_imports_what_must_be_converted_and_labelled(
    empty_home: Path, tmp_path: Path, tiny_cells: tuple, open_page: Open
) -> None:
    """The two ticks of the form take images without labels, and numbers that are no pixels yet."""
    np.savez(tmp_path / "numbers.npz", images=(tiny_cells[0] / 255).astype(np.float32))
    page = open_page("app.py")
    page.text_input("welcome-path").set_value(str(tmp_path / "numbers.npz")).run()
    page.checkbox("welcome-place-unlabelled").check().run()
    page.checkbox("welcome-place-convert").check().run()
    page.button("welcome-place-go").click().run()
    assert jobs.step() is not None
    page.run()
    assert not page.exception
    dataset = open_dataset("numbers")
    assert (dataset.images == tiny_cells[0]).all()
    assert set(dataset.labels) == {-1}


@pytest.mark.parametrize("path", ["/nowhere/at_all.npz", "~nobody-here/a.npz", "a" * 5000], ids=len)
def test_wrong_path_is_one_sentence(empty_home: Path, open_page: Open, path: str) -> None:
    """A path that leads nowhere, or is none, is answered in the form, without a job."""
    page = open_page("app.py")
    page.text_input("welcome-path").set_value(path).run()
    page.button("welcome-place-go").click().run()
    assert not page.exception
    assert "There is nothing at" in page.error[0].value
    assert jobs.list_jobs() == []


def test_failed_import_says_why(empty_home: Path, tmp_path: Path, open_page: Open) -> None:
    """An import that fails shows its sentence, can be tried again, and can be put away."""
    (tmp_path / "broken.npz").write_bytes(b"no archive")
    page = open_page("app.py")
    page.text_input("welcome-path").set_value(str(tmp_path / "broken.npz")).run()
    page.button("welcome-place-go").click().run()
    job = jobs.step()
    assert job is not None
    page.run()
    assert "broken.npz" in page.error[0].value.replace("\\", "")
    assert page.button(f"import-{job.id}-resume").label == "Try again"
    page.button(f"import-{job.id}-away").click().run()
    assert jobs.list_jobs() == []


def test_running_import_can_be_stopped(empty_home: Path, open_page: Open) -> None:
    """A queued import shows a bar and a stop button, and stops."""
    job = jobs.submit("import", {"source": "sample", "name": "sample"}, title="Import of the sample")
    page = open_page("app.py")
    page.button(f"import-{job.id}-stop").click().run()
    assert job.state() == "stopped"


def test_delete_asks_first(tiny: Dataset, open_page: Open) -> None:
    """The dataset goes with the button inside the popover, and not before."""
    page = open_page("app.py", dataset="tiny")
    assert list_datasets() == ["tiny"]
    page.button("delete").click().run()
    assert not page.exception
    assert list_datasets() == []


def test_file_names_are_escaped(tiny: Dataset, monkeypatch: pytest.MonkeyPatch, open_page: Open) -> None:
    """A name with markup in it is text on the page."""
    monkeypatch.setitem(tiny.source, "path", "/x/<img src=x onerror=alert(1)>.npz")
    page = open_page("app.py", dataset="tiny")
    assert "<img src=x" not in words(page)
    assert "&lt;img src=x" in words(page)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["96 × 96"] * 3, "96 × 96"),
        (["a", "a", "b"], "a (2), b (1)"),
        (["a", "a", "b", "c", "d", "d", "d"], "d (3), a (2), b (1), and 1 more"),
    ],
)
def test_most_common(values: list[str], expected: str) -> None:
    """The commonest values are named with their counts."""
    assert home_page._most_common(values) == expected


def test_bloodmnist_is_imported_by_its_name(empty_home: Path, open_page: Open) -> None:
    """The path field takes the word; a size that there is not is refused before anything is queued."""
    page = open_page("app.py")
    page.text_input("welcome-path").set_value("bloodmnist:100").run()
    page.button("welcome-place-go").click().run()
    assert "28, 64, 128 and 224 pixels" in page.error[0].value and jobs.list_jobs() == []
    page.text_input("welcome-path").set_value("bloodmnist:64").run()
    page.button("welcome-place-go").click().run()
    assert [job.params for job in jobs.list_jobs()] == [{"source": "bloodmnist:64", "name": "bloodmnist-64"}]


def test_datasets_are_put_together(tiny: Dataset, tmp_path: Path, open_page: Open) -> None:
    """Two datasets chosen: the form says what becomes of them, the job makes it, and it is the chosen one."""
    np.savez(
        tmp_path / "more.npz", images=tiny.images[:6, ::2, ::2], labels=[0] * 6, classes=np.array(["blast"])
    )
    import_source(tmp_path / "more.npz", size=48)
    record(tiny, [46, 47], "exclude")
    page = AppTest.from_function(_adding, default_timeout=60).run()
    page.button(key="t-go").click().run()
    assert "two or more" in page.error[0].value
    page.multiselect(key="t-datasets").set_value(["tiny", "more"]).run()
    said = words(page)
    assert "52 images of 9 classes, 96 × 96 pixels; labels as decided, 2 excluded left out." in said
    assert "Unknown to tiny so far: blast." in said and "The images of more are enlarged from 48." in said
    page.button(key="t-go").click().run()
    jobs.step()
    assert len(open_dataset("tiny-more")) == 52
    home = open_page("app.py", dataset="tiny-more")
    assert not home.exception
    assert "datasets put together" in words(home) and "From more" in words(home)


def _adding() -> None:
    from bloodapp.ui import adding

    adding.form("t", lambda job: None)
