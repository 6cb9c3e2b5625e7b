"""The whole corruption suite, fifteen corruptions at five severities, on the 1,712 cells of the archive's val part.

The network is the default recipe's ResNet-9, untrained: an answer takes as long whether it is right or not. Ours is the
job as the page starts it, in a worker of its own, nice as workers are, which draws corrupted images in threads beside
TensorFlow and writes each corruption as it is through; what it takes to start is in its time. The peer is a plain loop
in a fresh process, as nice: corrupt the images at a severity, then ask the predictor, nothing kept. It takes every
eighth image, and counts eight times; importing TensorFlow and loading the model are not in its time.

Beside the time by the clock stands the processor time of both, which a busy machine stretches less.
"""

import resource
from pathlib import Path

import numpy as np
import pytest

from bloodapp.data.dataset import Dataset
from bloodapp.data.importing import import_source
from bloodapp.evaluate import suite
from bloodapp.jobs.runner import CHILD_ENV, run_child
from bloodapp.runs.predictions import write_predictions
from bloodapp.runs.run import Run, open_run
from tests.benchmarks.measure import in_new_process, seconds
from tests.benchmarks.report import row
from tests.made import make_run, predictions

AT_MOST_S = 8 * 60
EVERY = 8
pytestmark = pytest.mark.timeout(8 * AT_MOST_S)

SETUP = """
import os
os.nice(max(0, 10 - os.nice(0)))  # as the worker does
import numpy as np
from bloodapp.augment.corruptions import ALL_CORRUPTIONS, corrupt
from bloodapp.classify.predictor import Predictor
from bloodapp.runs.origin import dataset_of
from bloodapp.runs.run import open_run
run = open_run(sys.argv[1])
index = run.predictions().only("test").index[:: int(sys.argv[2])]
images = np.asarray(dataset_of(run).images[index])
model = Predictor(run)
model.predict(images[:128])  # traced
begun_cpu = time.process_time()
"""
WORK = """
for name in ALL_CORRUPTIONS:
    for severity in range(1, 6):
        model.predict(corrupt(images, name, severity, 0, keys=index))
told = time.process_time() - begun_cpu
"""


@pytest.fixture(scope="module")
def cells(bench_home: Path, cells_archive: Path) -> Dataset:
    """The archive as a dataset."""
    return import_source(cells_archive, name="cells")


@pytest.fixture(scope="module")
def run(cells: Dataset) -> Run:
    """A run of the default network whose test part is the archive's val part."""
    from bloodapp.train import models
    from bloodapp.train.recipes import DEFAULT, RECIPES

    made = make_run(cells, "suite", epochs=0)
    rows = np.flatnonzero((cells.parts == "val") & (cells.labels >= 0))
    labels, part = cells.labels[rows], np.full(len(rows), "test")
    rng = np.random.default_rng(0)
    write_predictions(made.folder, predictions(rows, part, labels, len(cells.classes), (0.9, 0.7), rng))
    models.build(RECIPES[DEFAULT], len(cells.classes)).save(made.model_path)
    return open_run("suite")


def test_the_whole_suite(run: Run) -> None:
    """At most eight minutes on two cores."""
    n = int((run.predictions().part == "test").sum())  # type: ignore[union-attr]
    job = suite.submit(run, "test")
    before = _children()
    took = seconds(lambda: run_child(job))
    ours = _children() - before
    assert job.state() == "done", job.log()
    said = in_new_process(SETUP, WORK, run.name, EVERY, **CHILD_ENV)
    peer, theirs = EVERY * said["seconds"], EVERY * said["told"]
    row("corruption suite, the default network", [took], [peer], unit="s", than="a plain loop", images=n)
    row("the same, processor time", [ours], [theirs], unit="s", than="a plain loop", images=n)
    assert took <= AT_MOST_S


def _children() -> float:
    """Processor seconds of the child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
