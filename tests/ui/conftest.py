"""Fixtures for pages: no runner in the background, and a page driven through AppTest."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from bloodapp import workspace
from bloodapp.ui import background

ROOT = Path(__file__).resolve().parents[2]


class IdleRunner:
    """Stands for the runner: jobs stay queued until the test performs them with `jobs.step()`.

    Attributes:
        woken: how often somebody asked it to look at once.
    """

    def __init__(self) -> None:
        self.woken = 0

    def wake(self) -> None:
        """Count the call."""
        self.woken += 1


def words(page: AppTest) -> str:
    """Everything that the page says in HTML, without its style sheets."""
    said = (str(element.proto.body) for element in page.get("html"))
    return " ".join(html for html in said if '<i class="css"' not in html)


@pytest.fixture(autouse=True)
def idle_runner(monkeypatch: pytest.MonkeyPatch) -> IdleRunner:
    """No thread and no child process behind the pages of this folder's tests."""
    idle = IdleRunner()
    monkeypatch.setattr(background, "runner", lambda: idle)
    return idle


@pytest.fixture
def empty_home(home: Path) -> Path:
    """A workspace without datasets whose owner has put the sample away already."""
    workspace.write_json(home / "first-start.json", {"since": workspace.now()})
    return home


@pytest.fixture
def open_page(home: Path) -> Callable[..., AppTest]:
    """Runs a page of the app, `open_page("pages/3_Train.py", dataset="tiny")`; the rest goes into the address."""

    def run(script: str, **address: str) -> AppTest:
        page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        if script != "app.py":
            page.switch_page(script)
        for key, value in address.items():
            page.query_params[key] = value
        return page.run()

    return run
