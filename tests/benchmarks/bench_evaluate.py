"""What Evaluate costs on the server: each view's script run for 13,759 predictions, and the figures alone.

The peer is what a notebook does for the same figures: scikit-learn's `classification_report`, `confusion_matrix` and
`roc_auc_score`, clean and shifted, without any interval, order or picture.
"""

from statistics import median

import numpy as np
import pytest
from sklearn import metrics as sk

from bloodapp.data.dataset import Dataset
from bloodapp.evaluate import scores
from bloodapp.runs.predictions import write_predictions
from bloodapp.runs.run import Run
from tests.benchmarks.measure import PATIENCE_S, in_new_process, in_turns, seconds
from tests.benchmarks.report import row
from tests.made import make_run, predictions

pytestmark = pytest.mark.timeout(PATIENCE_S)

BUDGET_MS = 500
VIEWS = ("confusion", "classes", "slices", "mistakes", "predictions")

SETUP = """
from streamlit.testing.v1 import AppTest
from bloodapp.ui import background

class Idle:
    def wake(self): pass

background.runner = Idle  # jobs are no part of what is measured

def opened(view):
    page = AppTest.from_file("app.py", default_timeout=300)
    page.switch_page("pages/4_Evaluate.py")
    page.query_params["dataset"], page.query_params["run"], page.query_params["view"] = "course", "all", view
    return page

opened("curves").run()  # a server that has shown Evaluate before: Streamlit, pandas and Plotly are loaded
"""
DRAWING = """
told = {"first": 0, "again": []}
page = opened(sys.argv[1])
page.run()
told["first"] = time.perf_counter() - begun
assert not page.exception, page.exception
for _ in range(7):
    start = time.perf_counter()
    page.run()
    told["again"].append(time.perf_counter() - start)
"""


@pytest.fixture(scope="module")
def everything(course: Dataset) -> Run:
    """A run that answers for every image of the course file, 96 % right clean and 75 % shifted."""
    run = make_run(course, "all", test=True)
    index = np.flatnonzero(course.labels >= 0)
    rng = np.random.default_rng(0)
    made = predictions(index, np.full(len(index), "test"), course.labels[index], 8, (0.96, 0.75), rng)
    write_predictions(run.folder, made)
    return run


@pytest.mark.parametrize("view", VIEWS)
def test_views(course: Dataset, everything: Run, view: str) -> None:
    """A view's first script run after a start and every one after, without TensorFlow."""
    made = everything.predictions()
    assert made is not None
    assert len(made) == len(course)
    found = in_turns(
        {
            "ours": lambda: in_new_process(SETUP, DRAWING, view),
            "peer": lambda: 1000 * seconds(lambda: notebook(everything)),
        }
    )
    assert all(one["heavy"] == [] for one in found["ours"])
    first = [1000 * one["told"]["first"] for one in found["ours"]]
    again = [1000 * median(one["told"]["again"]) for one in found["ours"]]
    than = "scikit-learn's figures alone"
    row(f"Evaluate, {view}, first", first, found["peer"], unit="ms", than=than, images=len(course))
    row(f"Evaluate, {view}, again", again, found["peer"], unit="ms", than=than, images=len(course))
    assert min(again) <= BUDGET_MS


def test_figures(course: Dataset, everything: Run) -> None:
    """All seven figures and the per-class AUC with their intervals against scikit-learn's figures without."""
    made = everything.predictions()
    assert made is not None and made.shifted is not None

    def ours() -> float:
        return seconds(
            lambda: [scores.score(made.label, table) for table in (made.probabilities, made.shifted)]
        )

    found = in_turns({"ours": ours, "peer": lambda: seconds(lambda: notebook(everything))}, turns=7)
    figures = ([1000 * one for one in found["ours"]], [1000 * one for one in found["peer"]])
    row(
        "figures with intervals", *figures, unit="ms", than="scikit-learn's figures alone", images=len(course)
    )


def notebook(run: Run) -> None:
    """The figures as a notebook has them."""
    made = run.predictions()
    assert made is not None and made.shifted is not None
    for table in (made.probabilities, made.shifted):
        predicted = table.argmax(1)
        sk.classification_report(made.label, predicted, output_dict=True)
        sk.confusion_matrix(made.label, predicted)
        exact = table.astype(np.float64)
        sk.roc_auc_score(made.label, exact / exact.sum(1, keepdims=True), multi_class="ovr")
