"""What writing augmented copies costs beside drawing them alone, and the memory of a large expansion."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bloodapp.augment.drawing import draw_batch
from bloodapp.augment.expand import BLOCK, expand
from bloodapp.augment.keys import batch_key
from bloodapp.augment.pipelines import resolve
from bloodapp.data.dataset import Dataset
from tests.benchmarks.measure import PATIENCE_S, in_new_process, in_turns, seconds
from tests.benchmarks.report import row

pytestmark = pytest.mark.timeout(3 * PATIENCE_S)

PIPELINES = ("flip|crop(0.2)|shift(0.1)", "gentle", "robust", "r2", "r3medium")
COPIES = 5
MOST_MIB = 1536


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_speed(sample: Dataset, pipeline: str) -> None:
    """Copies a second of an expansion, originals, hashes and files included, against the bare draw in memory."""
    drawn = bare(sample, pipeline)
    drawn()  # traces what the pipeline needs
    copies = COPIES * len(sample)

    def ours() -> float:
        return copies / seconds(lambda: expand(sample, "expanded", pipeline, copies=COPIES, replace=True))

    found = in_turns({"ours": ours, "peer": drawn})
    what = f"expansion by '{pipeline}'"
    row(what, found["ours"], found["peer"], unit="images/s", than="bare draw", images=copies)


def test_memory(course: Dataset, bench_home: Path) -> None:
    """Peak memory of three copies of each of the course's images, TensorFlow included, against what is allowed."""
    found = in_new_process(
        "from bloodapp.augment.expand import expand\nfrom bloodapp.data.dataset import open_dataset",
        "told = len(expand(open_dataset('course'), 'large', ('gentle', 'r2', 'robust'), replace=True))",
        BLOODAPP_HOME=str(bench_home),
    )
    assert found["told"] == 4 * len(course)
    row(
        "expansion to four times the course, memory",
        [found["peak"]],
        [MOST_MIB],
        unit="MiB",
        than="allowed",
        images=found["told"],
    )


def bare(dataset: Dataset, pipeline: str) -> Callable[[], float]:
    """A function that gives the images a second of the draw alone: blocks that lie in memory, nothing kept."""
    resolved = resolve(pipeline)
    images, weights = np.array(dataset.images), np.eye(len(dataset.classes), dtype=np.float32)[dataset.labels]

    def measure() -> float:
        def draw() -> None:
            for copy in range(COPIES):
                for block, start in enumerate(range(0, len(images), BLOCK)):
                    chosen = slice(start, start + BLOCK)
                    draw_batch(resolved, images[chosen], weights[chosen], batch_key(1, copy, block))

        return COPIES * len(images) / seconds(draw)

    return measure
