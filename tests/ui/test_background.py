"""The strip of jobs and the watching of one, through AppTest."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from bloodapp import jobs
from bloodapp.data.dataset import Dataset
from bloodapp.ui import background
from tests.ui.conftest import IdleRunner, words

Open = Callable[..., AppTest]


@pytest.mark.parametrize(
    ("status", "expected"),
    [({}, None), ({"done": 3}, None), ({"done": 3, "total": 4}, 0.75), ({"done": 9, "total": 4}, 1.0)],
)
def test_share(status: dict, expected: float | None) -> None:
    """How much is done, where that is known, never more than all of it."""
    assert background.share(status) == expected


def test_titles(home: Path) -> None:
    """A job is called by its title, else by what its kind does."""
    assert background.title_of(jobs.submit("scan", {}, title="Scan of mine")) == "Scan of mine"
    assert background.title_of(jobs.submit("train", {})) == "Training"


def test_active_jobs(home: Path) -> None:
    """Queued jobs are active, ended ones are not."""
    first = jobs.submit("scan", {})
    second = jobs.submit("import", {})
    assert {job.id for job in background.active_jobs()} == {first.id, second.id}
    assert [job.id for job in background.active_jobs("scan")] == [first.id]
    jobs.request_stop(first)
    assert [job.id for job in background.active_jobs()] == [second.id]


@pytest.mark.parametrize(
    ("ago_s", "expected"),
    [(None, background.INTERVAL), (1, background.INTERVAL), (background.YOUNG_S + 1, background.LATER)],
)
def test_looks_grow_rare(home: Path, ago_s: float | None, expected: float) -> None:
    """A page looks often at what waits, has just begun or says nothing, and seldom at what has long been at work."""
    waiting, working = jobs.submit("scan", {}), jobs.submit("train", {})
    assert background.pace([waiting, working]) == background.INTERVAL
    began = datetime.now(UTC) - timedelta(seconds=ago_s or 0)
    with working.held():
        working.write_status({"state": "running", "started": None if ago_s is None else began.isoformat()})
        assert background.pace([waiting, working]) == expected


def test_strip_shows_what_waits(tiny: Dataset, open_page: Open) -> None:
    """A queued job has a bar on every page, and none when it has ended."""
    job = jobs.submit("scan", {"dataset": "tiny"}, title="Scan of <tiny>")
    page = open_page("app.py", dataset="tiny")
    assert "Scan of &lt;tiny&gt;" in words(page)
    jobs.request_stop(job)
    page.run()
    assert not page.exception
    assert "Scan of" not in words(page)


def test_failed_job_can_be_tried_again(empty_home: Path, open_page: Open, idle_runner: IdleRunner) -> None:
    """Trying again queues the same job and wakes the runner."""
    job = jobs.submit("import", {"source": "/nowhere.npz", "name": "x"}, title="Import of x")
    assert jobs.step() is not None
    assert job.state() == "failed"
    page = open_page("app.py")
    page.button(f"import-{job.id}-resume").click().run()
    assert not page.exception
    assert job.state() == "queued"
    assert idle_runner.woken == 1
