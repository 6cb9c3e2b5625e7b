"""How many images a second train, against the plain network; and what a training loses to its feed."""

import time
from collections.abc import Callable, Iterator

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from bloodapp.data.dataset import Dataset
from bloodapp.train import devices, feed, models, optimizers
from bloodapp.train.recipes import RECIPES
from bloodapp.train.settings import with_settings
from tests.benchmarks.measure import PATIENCE_S, in_turns
from tests.benchmarks.report import row

pytestmark = pytest.mark.timeout(3 * PATIENCE_S)

RECIPE = with_settings(RECIPES["balanced"], {"size": 96, "batch": 64})
CLASSES = 8
AT_LEAST_S = 4.0
PIPELINES = ("gentle", "robust")


@pytest.fixture(autouse=True)
def precision() -> Iterator[str]:
    """The number format that a training on this machine takes."""
    before = keras.config.dtype_policy()
    chosen = devices.precision(RECIPE)
    keras.config.set_dtype_policy(chosen)
    yield chosen
    keras.config.set_dtype_policy(before)


def plain_resnet9() -> keras.Model:
    """ResNet-9 as it is mostly written: stride 1 and max-pooling, 32 channels first, two residual blocks."""

    def conv(x: keras.KerasTensor, filters: int) -> keras.KerasTensor:
        return layers.ReLU()(
            layers.BatchNormalization()(layers.Conv2D(filters, 3, padding="same", use_bias=False)(x))
        )

    def residual(x: keras.KerasTensor, filters: int) -> keras.KerasTensor:
        return layers.Add()([x, conv(conv(x, filters), filters)])

    image = keras.Input((RECIPE.size, RECIPE.size, 3))
    x = conv(layers.Rescaling(1 / 127.5, offset=-1)(image), 32)
    x = residual(layers.MaxPooling2D()(conv(x, 64)), 64)
    x = layers.MaxPooling2D()(conv(x, 128))
    x = residual(layers.MaxPooling2D()(conv(x, 256)), 256)
    x = layers.GlobalMaxPooling2D(dtype="float32")(x)
    return keras.Model(image, layers.Dense(CLASSES, activation="softmax", dtype="float32")(x))


def compiled(model: keras.Model) -> keras.Model:
    """The model ready to train as a training makes it."""
    model.compile(
        optimizer=optimizers.optimizer(RECIPE),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=RECIPE.label_smoothing),
        metrics=[keras.metrics.CategoricalAccuracy()],
        jit_compile=bool(tf.config.list_physical_devices("GPU")),
    )
    return model


class Meter(keras.callbacks.Callback):
    """Ends a fit that has been measured long enough after its first steps.

    Attributes:
        steps: how many are measured.
        begun: when the first of them began.
    """

    warm = 2

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Begin anew."""
        self.steps, self.begun = -self.warm, 0.0

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Count; logs are waited for only where they are read, which no one does here."""
        self.steps += 1
        if self.steps == 0:
            self.begun = time.perf_counter()
        self.model.stop_training = self.steps > 0 and time.perf_counter() - self.begun >= AT_LEAST_S


def stepping(model: keras.Model, batches: tf.data.Dataset) -> Callable[[], float]:
    """A function that says how many images a second the model trains on these endless batches, once it does."""
    meter = Meter()

    def measure() -> float:
        model.fit(batches, steps_per_epoch=100_000, callbacks=[meter], shuffle=False, verbose=0)
        return RECIPE.batch * meter.steps / (time.perf_counter() - meter.begun)

    return measure


def drawing(batches: tf.data.Dataset) -> Callable[[], tuple[float, float]]:
    """A function that gives the seconds to the first of these endless batches and the images a second after some."""

    def measure() -> tuple[float, float]:
        begun = time.perf_counter()
        iterator = iter(batches)
        next(iterator)
        first = time.perf_counter() - begun
        for _ in range(8):  # more than what lies ready
            next(iterator)
        number, begun = 0, time.perf_counter()
        while (took := time.perf_counter() - begun) < AT_LEAST_S:
            next(iterator)
            number += 1
        return first, RECIPE.batch * number / took

    return measure


def same_batch() -> tf.data.Dataset:
    """One batch of noise, again and again: what a step costs when its images cost nothing."""
    rng = np.random.default_rng(3)
    images = rng.uniform(0, 255, (RECIPE.batch, RECIPE.size, RECIPE.size, 3)).astype(np.float32)
    labels = np.eye(CLASSES, dtype=np.float32)[rng.integers(CLASSES, size=RECIPE.batch)]
    return tf.data.Dataset.from_tensors((images, labels)).cache().repeat()


def fed(sample: Dataset, pipeline: str) -> tf.data.Dataset:
    """The feed of a training on the sample."""
    weights = np.eye(CLASSES, dtype=np.float32)[sample.labels]
    recipe = with_settings(RECIPE, {"pipeline": pipeline})
    return feed.training_batches(
        sample.images, np.arange(len(sample)), weights, recipe, RECIPE.size, lambda: 0
    )


def test_step(precision: str) -> None:
    """A training step of our ResNet-9 against one of the plain ResNet-9 on the same batch."""
    keras.utils.set_random_seed(1)
    found = in_turns(
        {
            "ours": stepping(compiled(models.build(RECIPE, CLASSES, any_size=True)), same_batch()),
            "peer": stepping(compiled(plain_resnet9()), same_batch()),
        }
    )
    what = f"train step, {RECIPE.size} px, batch {RECIPE.batch}, {precision}"
    row(what, found["ours"], found["peer"], unit="images/s", than="plain ResNet-9")


def test_feed(sample: Dataset, precision: str) -> None:
    """A training with its feed against the step alone, and how long the feed's first batch takes beside one step.

    What each pipeline's feed draws by itself is in `bench_augment`.
    """
    model = compiled(models.build(RECIPE, CLASSES, any_size=True))
    feeds = {pipeline: fed(sample, pipeline) for pipeline in PIPELINES}
    found = in_turns(
        {"step": stepping(model, same_batch())} | {name: stepping(model, one) for name, one in feeds.items()}
    )
    first = in_turns({name: drawing(one) for name, one in feeds.items()})
    images = len(sample)
    step = [RECIPE.batch / speed for speed in found["step"]]
    for name in PIPELINES:
        what, than = f"training with '{name}'", f"train step in {precision} on one batch"
        row(what, found[name], found["step"], unit="images/s", than=than, images=images)
        what, seconds = f"feed of '{name}', first batch", [one[0] for one in first[name]]
        row(what, seconds, step, unit="s", than=than, images=images)
