"""What the map costs: its two planes, and what the browser is sent for 100,000 points, each beside what one would take.

Peers: scikit-learn's randomised PCA of full-sized pixels and of the same features, and a Plotly WebGL scatter of the
same points with their images' numbers.
"""

import numpy as np
import plotly.graph_objects as go
import pytest

from bloodapp.classes import DEFAULT_CLASSES
from bloodapp.data.dataset import Dataset
from bloodapp.data.plane import principal
from bloodapp.ui.review.map import component
from bloodapp.ui.review.map.colouring import by_class
from tests.benchmarks.measure import PATIENCE_S, in_new_process, in_turns, seconds
from tests.benchmarks.report import row

pytestmark = pytest.mark.timeout(PATIENCE_S)

MANY = 100_000
BUDGET_MS = 200
OURS = """
from bloodapp.data.dataset import open_dataset
from bloodapp.review import plane
dataset = open_dataset("course")
"""
PEER = """
import numpy as np
from sklearn.decomposition import PCA
from bloodapp.data.dataset import open_dataset
dataset = open_dataset("course")
"""


def test_pixels(course: Dataset) -> None:
    """Principal components of all images' pixels: seconds and the most memory, each in a new process."""
    found = in_turns(
        {
            "ours": lambda: in_new_process(OURS, "plane.lay_out(dataset, 'pixels')"),
            "peer": lambda: in_new_process(
                PEER,
                "rows = np.asarray(dataset.images, np.float32).reshape(len(dataset), -1)\n"
                "PCA(2, svd_solver='randomized', random_state=0).fit_transform(rows)",
            ),
        },
        turns=1,  # the peer holds all pixels as float32
    )
    assert all(one["heavy"] == [] for one in found["ours"])
    for key, unit in (("seconds", "s"), ("peak", "MiB")):
        figures = ([one[key] for one in found["ours"]], [one[key] for one in found["peer"]])
        row(
            f"plane of the pixels, {key}",
            *figures,
            unit=unit,
            than="scikit-learn's PCA of full-sized pixels",
            images=len(course),
        )


def test_features() -> None:
    """Principal components of 13,759 × 480 features as a deep scan keeps them."""
    from sklearn.decomposition import PCA

    rng = np.random.default_rng(0)
    values = (rng.normal(size=(13_759, 480)) * np.geomspace(6, 0.1, 480)).astype(np.float16)
    found = in_turns(
        {
            "ours": lambda: seconds(lambda: principal(values)),
            "peer": lambda: seconds(
                lambda: PCA(2, svd_solver="randomized", random_state=0).fit_transform(
                    values.astype(np.float32)
                )
            ),
        }
    )
    row("plane of features", found["ours"], found["peer"], unit="s", than="scikit-learn's PCA", images=13_759)


def test_what_the_browser_is_sent() -> None:
    """Bytes, and milliseconds to make them, for 100,000 points in eight classes."""
    rng = np.random.default_rng(0)
    points = rng.normal(size=(MANY, 2)).astype(np.float32)
    labels = rng.integers(0, 8, MANY)
    sizes: dict[str, int] = {}

    def ours() -> None:
        files = (
            component.points_file(points, equal=False),
            component.groups_file(by_class(labels, DEFAULT_CLASSES)),
        )
        sizes["ours"] = sum(len(one) for one in files)

    def peer() -> None:
        figure = go.Figure()
        for which, one in enumerate(DEFAULT_CLASSES):
            mine = np.flatnonzero(labels == which)
            figure.add_scattergl(
                x=points[mine, 0], y=points[mine, 1], name=one.title, mode="markers", customdata=mine
            )
        sizes["peer"] = len(figure.to_json())

    found = in_turns({"ours": lambda: 1000 * seconds(ours), "peer": lambda: 1000 * seconds(peer)})
    than = "a Plotly WebGL scatter"
    row("map's points, making what is sent", found["ours"], found["peer"], unit="ms", than=than, images=MANY)
    row(
        "map's points, sent once",
        [sizes["ours"] / 1e6],
        [sizes["peer"] / 1e6],
        unit="MB",
        than=than,
        images=MANY,
    )
    assert min(found["ours"]) < BUDGET_MS
