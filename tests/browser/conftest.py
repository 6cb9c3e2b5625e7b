"""A real server and a real Chromium: the app as a person meets it.

Without Chromium these tests are skipped, saying so; in CI (`CI=true`) its absence is a failure.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_MS = 30_000
SHOTS = Path(__file__).parent / "screenshots"
FLAGS = [
    "--no-sandbox",  # Chromium refuses its sandbox to root, as in a container
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@dataclass
class Server:
    """A running app.

    Attributes:
        url: its address, without a slash at the end.
        home: its BLOODAPP_HOME.
        process: the Streamlit server.
    """

    url: str
    home: Path
    process: "subprocess.Popen[bytes]"


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of Chromium; skips aloud, or fails in CI."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    if os.environ.get("CI") == "true":
        pytest.fail("Chromium is missing: the browser tests must run in CI.")
    pytest.skip("Chromium is missing: install it (apt-get install chromium) to run the browser tests.")


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """One Chromium for all tests; each test has a context of its own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def start_server(home: Path, tmp_path: Path) -> Iterator[Callable[[], Server]]:
    """Starts the app on a free port and on this test's `home`; call it again for a second or later server."""
    started: list[Server] = []

    def start() -> Server:
        server = _start(home, tmp_path / f"server-{len(started)}.log")
        started.append(server)
        return server

    yield start
    for server in started:
        _end(server.process)


@pytest.fixture
def server(start_server: Callable[[], Server]) -> Server:
    """The app on an empty workspace."""
    return start_server()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser window of 1440 × 900 with nothing remembered."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
    context.set_default_timeout(PATIENCE_MS)
    yield context
    context.close()


@pytest.fixture
def tab(context: BrowserContext) -> Iterator[Page]:
    """One tab; the test fails if the page reported an error of its own."""
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    assert errors == []


def settled(page: Page) -> None:
    """Wait until the script of the page has run to its end."""
    page.wait_for_function(
        "() => document.querySelector('[data-testid=stApp]')"
        "?.getAttribute('data-test-script-state') === 'notRunning'"
    )


def shot(page: Page, name: str) -> None:
    """Keep a screenshot for looking at, `tests/browser/screenshots/NAME.png`."""
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png")


def _start(home: Path, log: Path) -> Server:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py"]
    command += ["--server.port", str(port), "--server.headless", "true", "--server.fileWatcherType", "none"]
    env = {**os.environ, "BLOODAPP_HOME": str(home)}
    with log.open("wb") as stream:
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=stream, stderr=stream)
    url = f"http://localhost:{port}"
    give_up = time.monotonic() + 60
    while not _healthy(url):
        if process.poll() is not None or time.monotonic() > give_up:
            _end(process)
            pytest.fail(f"The server did not start:\n{log.read_text(errors='replace')}")
        time.sleep(0.05)  # nothing else tells that a port has begun to answer
    return Server(url, home, process)


def _healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
