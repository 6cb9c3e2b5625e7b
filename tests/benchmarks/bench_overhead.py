"""What a training loses to everything around it: our whole path against a bare `model.fit`.

Ours is a run in the queue of a real server, trained by its worker, with its page open and polling in a real browser:
status, learning rates, metrics and checkpoints are in it. The peer is `model.fit` in a fresh process on the same
network, batch, feed and class weights, as nice as the worker is, while the page stands still.

Images a second are those of the training steps of an epoch; the first epoch, which traces, is left out in both. Judging
an epoch on val is no part of either: `model.fit` alone would not do it.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
import pytest
from playwright.sync_api import BrowserContext

from bloodapp.data.dataset import Dataset
from bloodapp.data.importing import import_source
from bloodapp.jobs.job import ACTIVE
from bloodapp.jobs.runner import CHILD_ENV
from bloodapp.runs.run import Run
from bloodapp.train import launch
from bloodapp.train.recipes import RECIPES
from tests.benchmarks.measure import PATIENCE_S, in_new_process, in_turns
from tests.benchmarks.report import row
from tests.browser.app import until
from tests.browser.conftest import Server

pytest_plugins = ["tests.browser.conftest"]
pytestmark = pytest.mark.timeout(4 * PATIENCE_S)

TIMES = 8  # the sample over and over: an epoch of some steps only would be all beginning
EPOCHS = 12  # long enough that most are past the page's first, quicker looks and its first charts
RECIPE = replace(
    RECIPES["balanced"], epochs=EPOCHS, minutes=0.0, small_share=0.0, grouped=False, keep_parts=False
)

SETUP = """
import os, time
import keras, numpy as np
from bloodapp.data.dataset import open_dataset
from bloodapp.runs.run import open_run
from bloodapp.train import devices, feed, models, optimizers
from bloodapp.train.settings import from_settings
from bloodapp.train.weighing import class_weights

os.nice(max(0, 10 - os.nice(0)))  # as the worker does
run = open_run(sys.argv[1])
recipe = from_settings({**run.config["recipe"], "pipeline": run.config["pipeline"]})
dataset, device = open_dataset(run.dataset), devices.prepare(recipe)
split = run.split()
labels = np.full(len(dataset), -1)
labels[split["index"]] = split["label"]
rows = split["index"].to_numpy(np.int64)[split["part"] == "train"]
shares = np.eye(len(run.classes), dtype=np.float32)[labels]
weights = class_weights(recipe.class_weights, labels[rows], [each.key for each in run.classes])
model = models.build(recipe, len(run.classes), any_size=True)
model.compile(
    optimizers.optimizer(recipe),
    optimizers.loss(recipe),
    metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
    jit_compile=device.gpus == 1,
)
batches = feed.training_batches(dataset.images, rows, shares, recipe, recipe.size, lambda: 0)
steps = len(rows) // recipe.batch

class Clock(keras.callbacks.Callback):
    speeds = []

    def on_epoch_begin(self, epoch, logs=None):
        self.begun = time.monotonic()

    def on_epoch_end(self, epoch, logs=None):
        self.speeds.append(steps * recipe.batch / (time.monotonic() - self.begun))
"""
WORK = """
model.fit(
    batches,
    epochs=recipe.epochs,
    steps_per_epoch=steps,
    class_weight=dict(enumerate(weights.tolist())),
    callbacks=[Clock()],
    shuffle=False,
    verbose=0,
)
told = Clock.speeds
"""


def many(home: Path) -> Dataset:
    """The drawn sample over and over, in a dataset of its own."""
    sample = import_source("sample")
    file = home / "many.npz"
    images = np.concatenate([np.asarray(sample.images)] * TIMES)
    np.savez(file, images=images, labels=np.tile(sample.labels, TIMES)[:, None])
    return import_source(file, name="many")


def test_a_training_with_its_page_open(
    home: Path, start_server: Callable[[], Server], context: BrowserContext
) -> None:
    """Our fit in the worker, its page polling, against a bare `model.fit`, in turns."""
    dataset, server, page = many(home), start_server(), context.new_page()
    runs: list[Run] = []

    def ours() -> float:
        run = launch.start(dataset, RECIPE)
        runs.append(run)
        page.goto(f"{server.url}/Train?dataset={dataset.name}&run={run.name}")
        until(lambda: run.state() not in ACTIVE, f"{run.name} ends", seconds=PATIENCE_S, every=1)
        assert run.state() == "done", run.job.log()
        assert page.get_by_text(run.name).first.is_visible()
        return median(run.metrics()["images_per_s"][1:])

    def bare() -> float:
        run = runs[-1] if runs else launch.start(dataset, RECIPE, name="split")
        if not runs:
            run.job.write_status({"state": "stopped"})
        return median(in_new_process(SETUP, WORK, run.name, **CHILD_ENV)["told"][1:])

    found = in_turns({"ours": ours, "bare": bare})
    row(
        f"training with its page open, {RECIPE.size} px, batch {RECIPE.batch}",
        found["ours"],
        found["bare"],
        unit="images/s",
        than="bare model.fit",
        images=len(dataset),
    )
