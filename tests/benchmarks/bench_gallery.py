"""What Review's views cost on the server: a script run after everything that a person does there, at both sizes."""

import json
import os
from collections.abc import Iterator
from statistics import median

import numpy as np
import pytest

from bloodapp.data import decisions
from bloodapp.data.dataset import Dataset
from bloodapp.review.scan import scan
from tests.benchmarks.bench_scan_size import tenfold  # noqa: F401  a fixture
from tests.benchmarks.measure import PATIENCE_S, TURNS, in_new_process, in_turns
from tests.benchmarks.report import row

pytestmark = pytest.mark.timeout(12 * PATIENCE_S)

RUNS = int(os.environ.get("BLOODAPP_BENCH_RUNS", "100"))
MOST_MS = {"course": 150, "tenfold": 300}
EXCLUDED = 1_800  # images: what is decided about the course file in one click

PAGE = """
from streamlit.testing.v1 import AppTest
from bloodapp.data import decisions
from bloodapp.data.dataset import open_dataset
from bloodapp.ui import background

class Idle:
    def wake(self): pass

background.runner = Idle  # jobs are no part of what is measured
name, view, does, runs = *sys.argv[1:4], int(sys.argv[4])
dataset = open_dataset(name)
page = AppTest.from_file("app.py", default_timeout=300).switch_page("pages/1_Review.py")
page.query_params["dataset"], page.query_params["view"] = name, view
keys = [one.key for one in dataset.classes]
chosen = {
    "page": ("g_page", [str(2 + n % 100) for n in range(runs)]),
    "class": ("g_class", [keys[n % len(keys)] for n in range(runs)]),
    "state": ("g_state", [("open", "excluded", "included", "decided")[n % 4] for n in range(runs)]),
    "text": ("g_text", [str(n) for n in range(runs)]),
}.get(does)

def act(n):
    if does == "decision":
        decisions.record(dataset, [n % len(dataset)], "keep")
    if chosen:
        page.query_params[chosen[0]] = chosen[1][n]

page.run()
"""
EMPTY = """
from streamlit.testing.v1 import AppTest
page, runs = AppTest.from_string("import streamlit"), int(sys.argv[4])
def act(n): pass
page.run()
"""
RUN = """
told = []
for n in range(runs):
    act(n)
    start, spent = time.perf_counter(), time.process_time()
    page.run()
    told.append([1000 * (time.perf_counter() - start), 1000 * (time.process_time() - spent)])
    assert not page.exception, page.exception
"""

SHOWN = {
    "gallery": ("nothing", "page", "decision", "class", "state", "text"),
    "queue": ("nothing", "decision"),
    "map": ("nothing", "decision"),
    "label": ("nothing", "decision"),
}


@pytest.fixture
def reviewed(request: pytest.FixtureRequest) -> Iterator[Dataset]:
    """A scanned dataset, `course` or `tenfold`, 1,800 images of it excluded."""
    dataset: Dataset = request.getfixturevalue(request.param)
    scan(dataset)
    decisions.record(dataset, np.arange(len(dataset))[-EXCLUDED:], "exclude", why="memes")
    yield dataset


@pytest.mark.parametrize("reviewed", list(MOST_MS), indirect=True)
def test_review_answers(reviewed: Dataset) -> None:
    """Each view's script run, after each thing that is done there, against a script that does nothing.

    The row says the time by the clock, which is what a person waits for and holds for a computer that does nothing
    else. What must hold anywhere is the processor time.
    """
    slow = []
    for view, doings in SHOWN.items():
        for does in doings:
            found = in_turns(
                {
                    "ours": lambda view=view, does=does: ran(PAGE, reviewed, view, does),
                    "peer": lambda view=view, does=does: ran(EMPTY, reviewed, view, does),
                },
                1 if len(reviewed) > 100_000 else TURNS,
            )
            ours, peer = ([median(wall for wall, _ in one) for one in found[who]] for who in ("ours", "peer"))
            what = f"{view}, {'drawn again' if does == 'nothing' else f'after another {does}'}"
            row(what, ours, peer, unit="ms", than="an empty Streamlit script", images=len(reviewed))
            spent = median(cpu for one in found["ours"] for _, cpu in one)
            quickest = min(wall for one in found["ours"] for wall, _ in one)
            print(f"  of it {spent:.0f} ms of processor time; the quickest of {RUNS} runs {quickest:.0f} ms")
            if spent > MOST_MS[reviewed.name]:
                slow.append(f"{what}: {spent:.0f} ms")
    assert not slow, json.dumps(slow, indent=1)


def ran(script: str, dataset: Dataset, view: str, does: str) -> list[list[float]]:
    """Milliseconds of every run of a script by the clock and of the processor, in a process of its own."""
    said = in_new_process("", script + RUN, dataset.name, view, does, RUNS)
    assert said["heavy"] == [], said["heavy"]
    runs: list[list[float]] = said["told"]
    return runs
