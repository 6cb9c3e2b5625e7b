"""How fast a pipeline draws beside how fast the network learns, measured on this computer and kept.

Both share the processor where there is no GPU, so that the two are measured together as well: that is what a
training gets.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from bloodapp.augment.named import NONE
from bloodapp.augment.pipelines import Pipeline, parse
from bloodapp.augment.pipelines import text as pipeline_text
from bloodapp.augment.staining import for_pipeline
from bloodapp.augment.strengths import alone
from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.errors import Stopped
from bloodapp.jobs.reporter import Reporter
from bloodapp.train import measurements
from bloodapp.train.recipe import Recipe
from bloodapp.train.recipes import DEFAULT, recipe_named
from bloodapp.workspace import held_at_home, now

FILE = "speeds.json"

SECONDS = 2.0
PART_SECONDS = 0.5
STARVES = 0.75
"""A training below this share of the network's own speed waits for its images."""

# In a fit time is looked at every few steps. The first ones trace the network and use up what was ready before.
_STEPS, _WARM, _LEAST = 2, 4, 3
_READY = 6
_KEY = ("pipeline", "size", "batch", "model", "width", "precision", "device")


@dataclass(frozen=True)
class Speed:
    """What was measured, in images per second.

    Attributes:
        pipeline: its text.
        size: side of the images in pixels.
        batch: images a step.
        model: the network.
        width: of the network.
        precision: the Keras policy.
        device: what it ran on, as people read it.
        drawn: that the pipeline alone makes ready.
        learned: that the network learns from when it never waits.
        together: that the network learns from while the pipeline draws for it.
        costs: seconds an image of each operation, weighed by how often an image meets it; empty unless it starves.
        when: UTC ISO-8601.
        busy: whether the computer had other work when it was measured.
    """

    pipeline: str
    size: int
    batch: int
    model: str
    width: int
    precision: str
    device: str
    drawn: float
    learned: float
    together: float
    costs: dict[str, float] = field(default_factory=dict)
    when: str = ""
    busy: bool = False

    @property
    def share(self) -> float:
        """The training's speed as a share of the network's own, at most 1."""
        return min(1.0, self.together / self.learned) if self.learned else 1.0

    @property
    def starves(self) -> bool:
        """Whether a training would wait for its images."""
        return self.share < STARVES

    @property
    def costliest(self) -> str:
        """The operation that costs most, as text; empty when that is not measured."""
        return max(self.costs, key=lambda text: self.costs[text], default="")


def known(pipeline: Pipeline, recipe: Recipe) -> Speed | None:
    """What was last measured on this computer for the pipeline in this recipe's training; None if nothing was."""
    wanted = {"pipeline": pipeline_text(pipeline), **_asked(recipe)}
    found = [
        speed for speed in speeds() if all(getattr(speed, key) == value for key, value in wanted.items())
    ]
    return found[-1] if found else None


def speeds() -> list[Speed]:
    """All that was measured, oldest first; a damaged file counts as none."""
    return measurements.kept(FILE, "speeds", lambda one: Speed(**one))


def keep(speed: Speed) -> None:
    """Keep a measurement in place of the one with the same pipeline, network and device."""

    def key(one: Speed) -> list[Any]:
        return [getattr(one, name) for name in _KEY]

    with held_at_home(FILE):
        others = [one for one in speeds() if key(one) != key(speed)]
        measurements.write(FILE, "speeds", [*others, speed])


def work(params: dict[str, Any], context: Reporter) -> dict[str, Any]:
    """The job: measure `params["pipeline"]` on `params["dataset"]` for `params["recipe"]`, else the default recipe."""
    recipe = recipe_named(params.get("recipe") or DEFAULT)
    speed = measure(
        open_dataset(params["dataset"]),
        parse(params["pipeline"]),
        recipe,
        seconds=float(params.get("seconds", SECONDS)),
        progress=context.progress,
        stopped=context.stopped,
    )
    keep(speed)
    return {"drawn": speed.drawn, "learned": speed.learned, "together": speed.together}


def measure(
    dataset: Dataset,
    pipeline: Pipeline,
    recipe: Recipe,
    *,
    seconds: float = SECONDS,
    progress: Callable[..., None] | None = None,
    stopped: Callable[[], bool] | None = None,
) -> Speed:
    """Measure the pipeline's feed, the recipe's network, and both together, for so many seconds each.

    Where together they are much slower than the network alone, each operation's own cost is measured too.
    Imports TensorFlow. Raises Stopped.
    """
    parts = [one for one in alone(pipeline) if not one.off]
    total = 3 + len(parts)

    def told(done: int, text: str) -> None:
        if stopped and stopped():
            raise Stopped("Stopped: nothing was measured to its end.")
        if progress:
            progress(done, total, text)

    busy = measurements.busy_now()
    told(0, "Loading TensorFlow")
    bench = _Bench(dataset, recipe)
    told(0, "The pipeline alone")
    drawn = bench.drawn(pipeline, seconds)
    told(1, "The network alone")
    learned = bench.learned(seconds)
    told(2, "Both together")
    speed = Speed(
        pipeline=pipeline_text(pipeline),
        **_asked(recipe),
        precision=bench.precision,
        device=bench.device,
        drawn=round(drawn, 1),
        learned=round(learned, 1),
        together=round(bench.learned(seconds, pipeline), 1),
        when=now(),
        busy=busy,
    )
    if speed.starves:
        part = min(seconds, PART_SECONDS)
        costs: dict[str, float] = {}
        told(3, "Each operation")
        bare = bench.drawn(parse(NONE), part)
        for number, one in enumerate(parts):
            told(3 + number, f"Each operation: {one.step.name}")
            extra = max(0.0, 1 / bench.drawn(one.pipeline, part) - 1 / bare)
            costs[one.text] = one.often * extra
        speed = replace(speed, costs=costs)
    told(total, "Done")
    return speed


class _Bench:
    """The feed and the network of a recipe, set up as a training sets them up."""

    def __init__(self, dataset: Dataset, recipe: Recipe) -> None:
        import keras
        import tensorflow as tf

        from bloodapp.train import devices, models, optimizers

        for gpu in tf.config.list_physical_devices("GPU"):
            with suppress(RuntimeError):  # in use already
                tf.config.experimental.set_memory_growth(gpu, True)
        self.recipe, self.dataset = recipe, dataset
        self.precision, self.device = devices.precision(recipe), devices.name()
        _, self.rows, self.weights = measurements.images_to_learn(dataset, recipe)
        policy = keras.config.dtype_policy()
        keras.mixed_precision.set_global_policy(self.precision)
        try:
            self.model = models.build(recipe, len(dataset.classes), any_size=True)
        finally:
            keras.config.set_dtype_policy(policy)
        self.model.compile(
            optimizer=optimizers.optimizer(recipe, self.model),
            loss="categorical_crossentropy",
            jit_compile=bool(tf.config.list_physical_devices("GPU")),
        )

    def _feed(self, pipeline: Pipeline) -> Any:
        from bloodapp.train import feed

        recipe = replace(self.recipe, pipeline=pipeline_text(pipeline))
        stains = for_pipeline(self.dataset, pipeline)
        images, size = self.dataset.images, recipe.size
        return feed.training_batches(images, self.rows, self.weights, recipe, size, lambda: 0, stains)

    def drawn(self, pipeline: Pipeline, seconds: float) -> float:
        """Images a second that the feed makes ready."""
        return rate(iter(self._feed(pipeline)), self.recipe.batch, seconds)

    def learned(self, seconds: float, pipeline: Pipeline | None = None) -> float:
        """Images a second that the network learns from: of one batch again and again, or of the pipeline's feed."""
        import keras
        import tensorflow as tf

        if pipeline is None:
            batch = next(iter(self._feed(parse(NONE))))
            source = tf.data.Dataset.from_tensors(batch).repeat()
        else:
            source = self._feed(pipeline)
        ends: list[float] = []

        def ended(epoch: int, logs: Any = None) -> None:
            del logs
            if epoch >= _WARM:
                ends.append(time.monotonic())
            self.model.stop_training = len(ends) > _LEAST and ends[-1] - ends[0] >= seconds

        self.model.fit(
            source,
            steps_per_epoch=_STEPS,
            epochs=100_000,
            callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=ended)],
            shuffle=False,
            verbose=0,
        )
        return (len(ends) - 1) * _STEPS * self.recipe.batch / max(ends[-1] - ends[0], 1e-9)


def rate(
    batches: Iterator[Any], batch: int, seconds: float, clock: Callable[[], float] = time.monotonic
) -> float:
    """Images a second that an iterator of batches gives, after the few that it may have made ready."""
    for _ in range(_READY):
        next(batches)
    begun, count = clock(), 0
    while True:
        next(batches)
        count += batch
        spent = clock() - begun
        if spent >= seconds:
            return count / max(spent, 1e-9)


def _asked(recipe: Recipe) -> dict[str, Any]:
    return {key: getattr(recipe, key) for key in ("size", "batch", "model", "width")}
