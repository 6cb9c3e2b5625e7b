"""What Home costs on the server: its imports, its first drawing and every one after, without TensorFlow."""

from statistics import median

import pytest

from bloodapp.data.dataset import Dataset
from bloodapp.review.scan import scan
from tests.benchmarks.measure import PATIENCE_S, in_new_process, in_turns
from tests.benchmarks.report import row

pytestmark = pytest.mark.timeout(PATIENCE_S)

HOME = """
from bloodapp.ui import background

class Idle:
    def wake(self): pass

background.runner = Idle  # jobs are no part of what is measured
page = AppTest.from_file("app.py", default_timeout=120)
page.query_params["dataset"] = "course"
"""
EMPTY = "page = AppTest.from_string('import streamlit')\n"
DRAWING = """
page.run()
told = {"first": time.perf_counter() - begun, "again": []}
assert not page.exception, page.exception
for _ in range(10):
    start = time.perf_counter()
    page.run()
    told["again"].append(time.perf_counter() - start)
"""


def drawn(script: str) -> dict[str, float]:
    """Milliseconds of a script's first run, its imports included, and the median of ten more."""
    said = in_new_process("from streamlit.testing.v1 import AppTest", script + DRAWING)
    assert said["heavy"] == [], said["heavy"]
    return {"first": 1000 * said["told"]["first"], "again": 1000 * median(said["told"]["again"])}


def test_drawing(course: Dataset) -> None:
    """Home on a scanned dataset against a script that does nothing; neither process imports TensorFlow."""
    scan(course)
    found = in_turns({"ours": lambda: drawn(HOME), "peer": lambda: drawn(EMPTY)})
    for key, what in (("first", "Home's first script run with its imports"), ("again", "Home's script run")):
        figures = ([one[key] for one in found["ours"]], [one[key] for one in found["peer"]])
        row(what, *figures, unit="ms", than="an empty Streamlit script", images=len(course))


def test_imports() -> None:
    """Importing all that app.py imports, in a new process, against importing Streamlit; without TensorFlow."""
    found = in_turns(
        {
            "ours": lambda: in_new_process("", "from bloodapp.ui import frame, home"),
            "peer": lambda: in_new_process("", "import streamlit"),
        }
    )
    assert all(one["heavy"] == [] for one in found["ours"])
    for key, unit in (("seconds", "s"), ("peak", "MiB")):
        figures = ([one[key] for one in found["ours"]], [one[key] for one in found["peer"]])
        row(f"import of app.py's modules, {key}", *figures, unit=unit, than="import streamlit")
