"""How many images a second our ConvNeXt-Tiny trains, against that of `keras.applications`, on a CPU."""

import os
import time
from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from bloodapp.train import models, optimizers
from bloodapp.train.recipes import RECIPES
from bloodapp.train.settings import with_settings
from tests.benchmarks.measure import PATIENCE_S, in_turns
from tests.benchmarks.report import row

pytestmark = pytest.mark.timeout(3 * PATIENCE_S)

BATCH = int(os.environ.get("BLOODAPP_BENCH_BATCH", "64"))
RECIPE = with_settings(
    RECIPES["balanced"],
    {"model": "convnexttiny", "size": 96, "batch": BATCH, "head": "", "precision": "float32", "clip": 0},
)
CLASSES = 8
AT_LEAST_S = 3.0


def peer() -> keras.Model:
    """ConvNeXt-Tiny of `keras.applications`, which scales its images itself, with the same layers after it."""
    made = keras.applications.ConvNeXtTiny(
        include_top=False, weights=None, input_shape=(RECIPE.size, RECIPE.size, 3)
    )
    pooled = layers.GlobalAveragePooling2D()(made.output)
    return keras.Model(made.input, layers.Dense(CLASSES, activation="softmax")(pooled))


def stepping(model: keras.Model) -> Callable[[], float]:
    """A function that says how many images a second the model trains on one batch of noise; the first step is over."""
    model.compile(
        optimizer=optimizers.optimizer(RECIPE),
        loss=optimizers.loss(RECIPE),
        jit_compile=bool(tf.config.list_physical_devices("GPU")),
    )
    rng = np.random.default_rng(3)
    images = tf.constant(rng.uniform(0, 255, (BATCH, RECIPE.size, RECIPE.size, 3)), tf.float32)
    labels = tf.constant(np.eye(CLASSES, dtype=np.float32)[rng.integers(CLASSES, size=BATCH)])
    model.train_on_batch(images, labels)

    def measure() -> float:
        steps, begun = 0, time.perf_counter()
        while (took := time.perf_counter() - begun) < AT_LEAST_S:
            model.train_on_batch(images, labels)  # gives the loss as a number, and so ends with the step
            steps += 1
        return BATCH * steps / took

    return measure


def test_step() -> None:
    """A training step of ours against one of the peer, on the same batch."""
    keras.utils.set_random_seed(1)
    found = in_turns({"ours": stepping(models.build(RECIPE, CLASSES)), "peer": stepping(peer())})
    what = f"train step of ConvNeXt-Tiny, {RECIPE.size} px, batch {BATCH}"
    row(what, found["ours"], found["peer"], unit="images/s", than="ConvNeXtTiny of keras.applications")
