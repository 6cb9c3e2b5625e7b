"""How many images a second pipelines draw, beside KerasCV, Keras and the step they feed; what a preview costs."""

from collections.abc import Callable
from statistics import median

import pytest

from bloodapp.augment.named import NONE, PIPELINES
from bloodapp.data.dataset import Dataset
from bloodapp.train import models
from tests.benchmarks.bench_train import CLASSES, RECIPE, compiled, drawing, fed, same_batch, stepping
from tests.benchmarks.bench_train import precision as precision
from tests.benchmarks.measure import PATIENCE_S, TURNS, in_new_process, in_turns
from tests.benchmarks.report import row

pytestmark = pytest.mark.timeout(6 * PATIENCE_S)

NAMED = [name for name in PIPELINES if name != NONE]
POLICY = "randaugment(0.32, 5)"
PREVIEWED = 24
MOST_MS, MOST_S = 500, 3.0  # for a preview when a value moves, and when its structure changes
AT_LEAST = {"keras_cv": 0.95, "keras": 4.0}  # times the peer's images a second

BATCHES = """
import os, time
import numpy as np
import tensorflow as tf

def measure(batches, at_least=6.0):
    iterator = iter(batches)
    for _ in range(8):
        next(iterator)
    number, begun, cpu = 0, time.perf_counter(), time.process_time()
    while (took := time.perf_counter() - begun) < at_least:
        next(iterator)
        number += {batch}
    return {{"images": number / took, "cpu": 1000 * (time.process_time() - cpu) / number}}
"""
SETUP = BATCHES.format(batch=RECIPE.batch)
IMAGES = """
from bloodapp.data.dataset import open_dataset
sample = open_dataset("sample")
"""
PEER = """
images = np.array(sample.images)
batches = tf.data.Dataset.from_tensor_slices(images).repeat().batch({batch})
batches = batches.map(lambda some: layer(tf.cast(some, tf.float32), training=True), num_parallel_calls=tf.data.AUTOTUNE)
told = measure(batches.prefetch(2))
"""
PEERS = {
    "keras_cv": "import keras_cv\nlayer = keras_cv.layers.RandAugment((0, 255), 5, 0.32, dtype='float32')\n",
    "keras": "import keras\nlayer = keras.layers.RandAugment((0, 255), 5, 0.32, dtype='float32')\n",
}
OURS = """
from bloodapp.train.feed import training_batches
from bloodapp.train.settings import with_settings
from bloodapp.train.recipes import RECIPES
recipe = with_settings(RECIPES["balanced"], {{"pipeline": {pipeline!r}, "batch": {batch}}})
weights = np.eye(8, dtype=np.float32)[sample.labels]
told = measure(training_batches(sample.images, np.arange(len(sample)), weights, recipe, {size}, lambda: 0))
"""

PREVIEW = """
import time
import numpy as np
import tensorflow as tf  # the first use waits for it and says so
from bloodapp.augment import drawing
from bloodapp.augment.pipelines import parse, scaled
from bloodapp.augment.preview import preview
from bloodapp.data.dataset import open_dataset

sample = open_dataset("sample")
images, labels = np.array(sample.images[:{count}]), sample.labels[:{count}]

def once(pipeline, seed=1):
    begun = time.perf_counter()
    preview(images, labels, 8, pipeline, seed)
    return time.perf_counter() - begun
"""
PREVIEWS = """
pipeline = parse({name!r})
told = {{"new": once(pipeline)}}
moved = [once(scaled(pipeline, 0.9 + 0.02 * turn)) for turn in range(11)]
told["moved"] = 1000 * sorted(moved)[5]
"""


def told(setup: str, work: str) -> dict[str, float]:
    """What a fresh process says of its feed: images a second, and CPU milliseconds an image."""
    said: dict[str, float] = in_new_process(SETUP + IMAGES + setup, work)["told"]
    return said


def peer(name: str) -> dict[str, float]:
    """A peer's bare layer in tf.data, in a process that knows nothing of ours."""
    return told(PEERS[name], PEER.format(batch=RECIPE.batch))


def ours(pipeline: str) -> dict[str, float]:
    """Our feed in a fresh process: images read from the dataset's file, augmented, labels and all."""
    return told("", OURS.format(pipeline=pipeline, batch=RECIPE.batch, size=RECIPE.size))


def test_randaugment(sample: Dataset) -> None:
    """RandAugment in the training's feed against the bare layers of KerasCV and Keras, each in a fresh process."""
    measures: dict[str, Callable[[], dict[str, float]]] = {name: lambda n=name: peer(n) for name in PEERS}
    found = in_turns({"ours": lambda: ours(POLICY)} | measures)
    for name, least in AT_LEAST.items():
        for key, unit in (("images", "images/s"), ("cpu", "CPU ms/image")):
            figures = [[one[key] for one in found[who]] for who in ("ours", name)]
            row(f"feed of {POLICY}", *figures, unit=unit, than=f"{name} RandAugment", images=len(sample))
        # On a machine that others use as well the wall clock tells less than the CPU's.
        wall, cpu = (
            median(a[key] / b[key] for a, b in zip(found["ours"], found[name], strict=True))
            for key in ("images", "cpu")
        )
        assert max(wall, 1 / cpu) >= least


def test_feeds(sample: Dataset, precision: str) -> None:
    """Every named pipeline's images a second beside those of the default recipe's training step."""
    model = compiled(models.build(RECIPE, CLASSES, any_size=True))
    measures: dict[str, Callable[[], float]] = {"step": stepping(model, same_batch())}
    for name in PIPELINES:
        measure = drawing(fed(sample, name))
        measures[name] = lambda of=measure: of()[1]
    found = in_turns(measures)
    for name in PIPELINES:
        row(
            f"feed of '{name}'",
            found[name],
            found["step"],
            unit="images/s",
            than=f"train step in {precision}",
            images=len(sample),
        )


@pytest.mark.parametrize("name", NAMED)
def test_preview(sample: Dataset, name: str) -> None:
    """24 images with operations that were never drawn before, and when a value moves; both below their bounds."""
    setup = PREVIEW.format(count=PREVIEWED)
    runs = [in_new_process(setup, PREVIEWS.format(name=name))["told"] for _ in range(TURNS)]
    new, moved = ([run[key] for run in runs] for key in ("new", "moved"))
    row(
        f"preview of '{name}', new structure", new, [MOST_S] * TURNS, unit="s", than="bound", images=PREVIEWED
    )
    row(
        f"preview of '{name}', a value moved",
        moved,
        [MOST_MS] * TURNS,
        unit="ms",
        than="bound",
        images=PREVIEWED,
    )
    assert median(moved) <= MOST_MS and median(new) <= MOST_S
