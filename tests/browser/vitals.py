"""What the app costs while it is used: main-thread tasks and memory, told by Chromium's protocol and the system.

Times are processor time: on a computer that has other things to do, a task of 3 ms may take 60 by the clock.
"""

import gc
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psutil
from playwright.sync_api import Page

SHARE, ROOM_MB = 0.05, 5.0
"""By how much memory may grow and still count as flat: whichever is more."""

_MARK = "the tab that is measured"


@dataclass(frozen=True)
class Memory:
    """What is in use after the browser has collected its garbage.

    Attributes:
        server: resident memory of the server's process, in MB.
        heap: what JavaScript uses in the tab, in MB.
        nodes: of the tab's documents, detached ones that something still holds included.
    """

    server: float
    heap: float
    nodes: int


def memory(tab: Page, server: int) -> Memory:
    """The memory of a tab, and of the server with this process id."""
    gc.collect()
    session = tab.context.new_cdp_session(tab)
    session.send("Performance.enable")
    session.send("HeapProfiler.enable")
    for _ in range(2):  # what a finaliser lets go, the second one takes
        session.send("HeapProfiler.collectGarbage")
    told = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    session.detach()
    resident = psutil.Process(server).memory_info().rss
    return Memory(resident / 1e6, told["JSHeapUsedSize"] / 1e6, int(told["Nodes"]))


def mapped(server: int, file: str) -> float:
    """How much of a mapped file is in the memory of the process with this id, in MB."""
    maps = psutil.Process(server).memory_maps()
    return sum(one.rss for one in maps if one.path.endswith(f"/{file}")) / 1e6


def tasks(tab: Page, action: Callable[[], object]) -> list[float]:
    """The processor time of every task of the tab's main thread while this is done, in ms, the longest first."""
    events: list[dict[str, Any]] = []
    ended: list[bool] = []
    session = tab.context.browser.new_browser_cdp_session()  # type: ignore[union-attr]  # launched, so it has one
    session.on("Tracing.dataCollected", lambda told: events.extend(told["value"]))
    session.on("Tracing.tracingComplete", lambda told: ended.append(True))
    categories = ["toplevel", "blink.user_timing", "disabled-by-default-devtools.timeline"]
    session.send(
        "Tracing.start",
        {"transferMode": "ReportEvents", "traceConfig": {"includedCategories": categories}},
    )
    tab.evaluate("mark => performance.mark(mark)", _MARK)
    action()
    session.send("Tracing.end")
    while not ended:
        tab.wait_for_timeout(20)  # lets the events arrive
    session.detach()
    threads = {(event["pid"], event["tid"]) for event in events if event.get("name") == _MARK}
    assert len(threads) == 1, "The tab's main thread is not told apart."
    return sorted(
        (
            event["tdur"] / 1000
            for event in events
            if event.get("name") == "RunTask" and (event["pid"], event["tid"]) in threads and "tdur" in event
        ),
        reverse=True,
    )


def flat(before: Memory, after: Memory) -> bool:
    """Whether no figure has grown by more than 5 % or, of memory, 5 MB."""
    return (
        after.server - before.server <= max(SHARE * before.server, ROOM_MB)
        and after.heap - before.heap <= max(SHARE * before.heap, ROOM_MB)
        and after.nodes <= (1 + SHARE) * before.nodes
    )
