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
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_MS = 30_000
LONG_MS = 6 * PATIENCE_MS
"""For what loads TensorFlow, on a computer that has other things to do."""
AGAIN_S = 3
"""After which a key that has brought nothing about is pressed again."""
expect.set_options(timeout=PATIENCE_MS)
SHOTS = Path(__file__).parent / "screenshots"
FLAGS = [
    "--no-sandbox",  # Chromium refuses its sandbox to root, as in a container
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
# An exception on a page shows for a moment only when the next rerun mends it: it is caught when it appears.
WATCH_EXCEPTIONS = """
new MutationObserver(() => {
  for (const box of document.querySelectorAll('[data-testid=stException]:not([data-told])')) {
    box.dataset.told = 'yes';
    console.error('exception on the page: ' + box.innerText);
  }
}).observe(document, {childList: true, subtree: true});
"""
AT_REST = """
asked => {
  const app = document.querySelector('[data-testid=stApp]');
  const rests = app?.getAttribute('data-test-script-state') === 'notRunning';
  if (!rests || window.rest?.asked !== asked) window.rest = {asked, since: performance.now()};
  return rests && performance.now() - window.rest.since > 50;
}
"""
# Not of the app's making: what Chromium and Streamlit say while a server is away, and that Streamlit, loaded at the
# address of a page, looks for its server under that page first.
NOT_OURS = (
    "net::ERR_CONNECTION_REFUSED",
    "WebSocket connection to",
    "backMessage when disconnected from server",
    "Is Streamlit still running?",
    "/_stcore/host-config",
    "/_stcore/health",
    "/media/",  # a picture that the next answer replaced before the browser asked for it
)


@dataclass
class Server:
    """A running app.

    Attributes:
        url: its address, without a slash at the end.
        home: its BLOODAPP_HOME.
        process: the Streamlit server.
        log: what it prints.
        printed_before: how many bytes of that are from before this test.
    """

    url: str
    home: Path
    process: "subprocess.Popen[bytes]"
    log: Path
    printed_before: int = 0

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait()

    def tracebacks(self) -> str:
        """What it prints, if that holds a traceback through the app; Streamlit has its own when a tab closes."""
        printed = self.log.read_bytes()[self.printed_before :].decode(errors="replace")
        return printed if f'File "{ROOT / "bloodapp"}' in printed else ""


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


@pytest.fixture(scope="session")
def own_port() -> int:
    """The port of servers that tests start for themselves, one after another."""
    return _free_port()


@pytest.fixture
def start_server(home: Path, tmp_path: Path, own_port: int) -> Iterator[Callable[..., Server]]:
    """Starts the app on this test's `home`; call it again for a second or later server.

    `port` is where it listens: by default where the servers of the tests before did, whose code the browser knows, and
    for a second server at once a free one. The test fails if a server printed a traceback.
    """
    started: list[Server] = []

    def start(port: int = 0) -> Server:
        if not any(server.process.poll() is None for server in started):
            port = port or own_port
        server = _start(home, tmp_path / f"server-{len(started)}.log", port or _free_port())
        started.append(server)
        return server

    yield start
    for server in started:
        _end(server.process)
    _end_work(home)
    assert [text for server in started if (text := server.tracebacks())] == []


@pytest.fixture
def cold_server(start_server: Callable[..., Server]) -> Server:
    """The app on an empty workspace, in a process that nobody has asked yet."""
    return start_server()


class Shared:
    """One server for many tests: to start one, and to load TensorFlow in it, takes longer than most tests.

    Its BLOODAPP_HOME is a link, which leads to the workspace of the test at hand, and to an empty one between tests.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.link, self.nothing = folder, folder / "home", folder / "nothing"
        self.nothing.mkdir()
        self.running: Server | None = None

    def lead_to(self, home: Path) -> Server:
        """The server on this workspace; a new one where there is none or a test has ended it."""
        new = self.folder / "link"
        new.symlink_to(home, target_is_directory=True)
        new.replace(self.link)
        if self.running is None or self.running.process.poll() is not None:
            self.running = _start(self.link, self.folder / "server.log", _free_port())
        log = self.running.log
        return replace(self.running, home=home, printed_before=log.stat().st_size)

    def end(self) -> None:
        """End it."""
        if self.running is not None:
            _end(self.running.process)


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    """The server that tests share."""
    shared = Shared(tmp_path_factory.mktemp("server"))
    yield shared
    shared.end()


@pytest.fixture
def server(home: Path, shared_server: Shared) -> Iterator[Server]:
    """The app on an empty workspace, in a process that has served other tests.

    For what a server must not have gone through before there is `cold_server`, and for what it goes through to its end
    `start_server`. The test fails if the server printed a traceback.
    """
    server = shared_server.lead_to(home)
    yield server
    _end_work(home)
    shared_server.lead_to(shared_server.nothing)
    assert server.tracebacks() == ""


class Windows:
    """Browser windows that tests share, one test at a time: a window has the app's code compiled when it comes again.

    Attributes:
        errors: what pages showed, threw, or wrote to the console as an error in this test.
    """

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.errors: list[str] = []
        self.idle: dict[int, list[BrowserContext]] = {}
        self.lent: list[tuple[int, BrowserContext]] = []

    def open(self, width: int) -> BrowserContext:
        """One that no other holder in this test has, without tabs and with nothing remembered."""
        idle = self.idle.setdefault(width, [])
        window = idle.pop() if idle else self.new(width)
        self.lent.append((width, window))
        return window

    def new(self, width: int) -> BrowserContext:
        """One that nobody had before."""
        window = self.browser.new_context(viewport={"width": width, "height": 900}, accept_downloads=True)
        window.set_default_timeout(PATIENCE_MS)
        window.add_init_script(WATCH_EXCEPTIONS)
        window.on("console", self._on_console)
        window.on("weberror", lambda error: self.errors.append(str(error.error)))
        return window

    def give_back(self) -> list[str]:
        """Close all tabs of all windows that were opened, and have them forget; the errors until then."""
        for width, window in self.lent:
            for page in window.pages:
                with suppress(Error):  # a tab whose server is gone shows nothing that remembers
                    page.evaluate("() => localStorage.clear()")
                page.close()
            window.clear_cookies()
            self.idle[width].append(window)
        self.lent.clear()
        errors, self.errors = self.errors, []
        return errors

    def _on_console(self, message: ConsoleMessage) -> None:
        told = f"{message.text} ({message.location.get('url', '')})"
        if message.type == "error" and not any(part in told for part in NOT_OURS):
            self.errors.append(told)


@pytest.fixture(scope="session")
def windows(browser: Browser) -> Windows:
    """The windows that tests share."""
    return Windows(browser)


@pytest.fixture
def new_window(windows: Windows) -> Iterator[Callable[..., BrowserContext]]:
    """Opens browser windows with nothing remembered, `width` pixels wide; `own` for one that the test changes.

    The test fails if a page in any of them showed an exception, threw one, or wrote an error to the console.
    """
    own_windows: list[BrowserContext] = []

    def open_window(*, width: int = 1440, own: bool = False) -> BrowserContext:
        if not own:
            return windows.open(width)
        own_windows.append(windows.new(width))
        return own_windows[-1]

    yield open_window
    for window in own_windows:
        window.close()
    assert windows.give_back() == []


@pytest.fixture
def context(new_window: Callable[..., BrowserContext]) -> BrowserContext:
    """A window of 1440 × 900."""
    return new_window()


@pytest.fixture
def tab(context: BrowserContext) -> Page:
    """One tab in it."""
    return context.new_page()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Function, call: "pytest.CallInfo[None]"
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep a screenshot of every open tab of a test that failed."""
    report = yield
    browser = item.funcargs.get("browser")
    if report.when == "call" and report.failed and isinstance(browser, Browser):
        for number, page in enumerate(page for window in browser.contexts for page in window.pages):
            with suppress(Exception):  # a picture more or less: the failure itself is what counts
                shot(page, f"failed-{item.name}-{number}")
    return report


def settled(page: Page) -> None:
    """Wait until the script of the page has run to its end, be it one that loads TensorFlow first.

    And that no other run follows at once: a fragment that has the page drawn anew ends for a moment in between.
    """
    page.wait_for_function(AT_REST, arg=time.monotonic(), timeout=LONG_MS)


def press(page: Page, key: str, brings: Callable[[], bool]) -> None:
    """Press a key on a page at rest until it has brought this about.

    Only for keys that may be pressed twice. React Aria gives a dialog the focus when it has come in, and half a second
    later takes it away for a moment, to have it read aloud: a key that comes before or just then reaches nothing, and
    a person presses again.
    """
    give_up = time.monotonic() + LONG_MS / 1000
    settled(page)
    while not brings():
        assert time.monotonic() < give_up, f"{key} did not bring it about."
        page.keyboard.press(key)
        again = time.monotonic() + AGAIN_S
        while not brings() and time.monotonic() < again:
            page.wait_for_timeout(50)  # lets the browser work; nothing tells when the key has had its effect


def shot(page: Page, name: str) -> None:
    """Keep a screenshot for looking at, `tests/browser/screenshots/NAME.png`."""
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png")


def _free_port() -> int:
    """A port where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _start(home: Path, log: Path, port: int) -> Server:
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
    return Server(url, home, process, log)


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


def _end_work(home: Path) -> None:
    """End what still works in this test's home: children outlive their server, and are meant to."""
    for process in psutil.process_iter(["cmdline"]):
        if any(argument.startswith(f"{home}{os.sep}") for argument in process.info["cmdline"] or []):
            with suppress(psutil.NoSuchProcess):
                process.kill()
