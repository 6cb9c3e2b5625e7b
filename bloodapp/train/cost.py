"""What a step of a recipe's training costs in time and memory, measured on this computer and kept.

Measured is the real thing: the recipe's network and optimizer, fed by its own pipeline, with the layers of each phase
set to learn; beside it what an epoch costs besides its steps, reading the val part and writing a checkpoint.
"""

import re
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from bloodapp.augment.expand import BLOCK, checked_pipeline, drawn
from bloodapp.augment.pipelines import resolve
from bloodapp.augment.staining import for_pipeline
from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.errors import Stopped
from bloodapp.jobs.reporter import Reporter
from bloodapp.train import phases, shortage
from bloodapp.train.costs import Cost, Step, copied_by, deciding, keep, phase_name, sizes
from bloodapp.train.measurements import busy_now, images_to_learn
from bloodapp.train.recipe import Recipe
from bloodapp.train.settings import from_settings
from bloodapp.workspace import now

SECONDS = 8.0
"""For all steps together, once TensorFlow is loaded and the network traced."""

MOST_PHASES = 3
_AHEAD = 8  # batches that the feed may have made ready before the first step
_COPY_BLOCKS = 3
_MIB = 2**20


def work(params: dict[str, Any], context: Reporter) -> dict[str, Any]:
    """The job `cost`: params dataset, recipe (its settings) and optionally seconds. Keeps what it measures."""
    recipe = from_settings(params["recipe"])
    dataset, seconds = open_dataset(params["dataset"]), float(params.get("seconds", SECONDS))
    with shortage.explained(recipe.batch, context):
        cost = measure(dataset, recipe, context, seconds=seconds)
    keep(cost)
    last = max(cost.steps, key=lambda step: step.trainable)
    return {
        "step_s": last.seconds,
        "memory_mib": max(step.memory_mib for step in cost.steps),
        "gpu_memory_mib": last.gpu_memory_mib,
        "parameters": cost.parameters,
        "trainable_parameters": last.trainable,
    }


def wanted(recipe: Recipe) -> list[tuple[phases.Phase, int]]:
    """The phases and sizes that are measured, the costliest last, of which memory is read then.

    Of more than three phases the first, the middle and the last by what learns; smaller images in the costliest only:
    the others go by its ratio.
    """
    by_name = {phase_name(phase): phase for phase in phases.parse(recipe.phases)}
    ranked = sorted(by_name.values(), key=lambda phase: phase.learns(1000))
    if len(ranked) > MOST_PHASES:
        ranked = [ranked[0], ranked[len(ranked) // 2], ranked[-1]]
    large, *small = sizes(recipe)
    return [*((ranked[-1], size) for size in small), *((phase, large) for phase in ranked)]


def measure(dataset: Dataset, recipe: Recipe, context: Reporter, *, seconds: float = SECONDS) -> Cost:
    """Measure steps of the recipe's training on the dataset. Imports TensorFlow; raises Stopped and Unreadable."""
    asked, begun, busy = wanted(recipe), time.monotonic(), busy_now()

    def told(done: int, text: str) -> None:
        if context.stopped():
            raise Stopped("Stopped: nothing was measured to its end.")
        context.progress(done, len(asked) + 2, text)

    told(0, "Loading TensorFlow")
    bench = _Bench(dataset, recipe)
    start = time.monotonic() - begun
    evaluated: dict[int, float] = {}
    steps = []
    for number, (phase, size) in enumerate(asked):
        name = phase_name(phase)
        told(number + 1, f"Steps of {name} on images of {size} pixels")
        first, each = bench.steps(phase, size, seconds / len(asked), context.stopped)
        if size not in evaluated:
            evaluated[size] = bench.evaluate(size)
        memory, gpu = bench.memory()
        steps.append(Step(name, size, each, first, evaluated[size], memory, gpu, bench.trainable()))
    told(len(asked) + 1, "A checkpoint")
    cost = Cost(
        asked=deciding(recipe),
        steps=tuple(steps),
        start=start,
        save=bench.save(context.folder),
        shift=bench.shift(),
        copy=bench.copy(),
        fixed_mib=bench.fixed_mib,
        gpu_total_mib=gpu_total_mib() if bench.gpus else None,
        parameters=bench.model.count_params(),
        device=bench.device.name,
        when=now(),
        busy=busy,
    )
    told(len(asked) + 2, "Done")
    return cost


def gpu_total_mib() -> float | None:
    """The memory of the first GPU in MiB, as its driver tells; None where there is none."""
    query = ["nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    with suppress(OSError, ValueError, IndexError, subprocess.SubprocessError):
        told = subprocess.run(query, capture_output=True, text=True, timeout=10, check=True).stdout
        return float(told.splitlines()[0])
    return None


def peak_mib() -> float:
    """The most memory that this process has held, in MiB; 0 where the system does not tell."""
    with suppress(OSError):
        found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
        return int(found[1]) / 1024 if found else 0.0
    return 0.0


class _Bench:
    """The network and the feed of a recipe, set up as a training sets them up.

    Attributes:
        device: what it computes on.
        gpus: how many GPUs do.
        model: the network.
        fixed_mib: see `Cost`.
    """

    def __init__(self, dataset: Dataset, recipe: Recipe) -> None:
        from bloodapp.train import devices, models

        self.recipe, self.dataset = recipe, dataset
        self.labels, self.rows, self.weights = images_to_learn(dataset, recipe)
        self.device = devices.prepare(recipe)
        self.gpus = self.device.gpus
        with self.device.scope():
            self.model = models.build(recipe, len(dataset.classes), any_size=True)
        self.fixed_mib = 0.0
        self._feeds: dict[int, Any] = {}

    def steps(
        self, phase: phases.Phase, size: int, seconds: float, stopped: Callable[[], bool]
    ) -> tuple[float, float]:
        """Seconds of the first step, and of one of those that follow."""
        import keras

        from bloodapp.train import learning
        from bloodapp.train.average import MovingAverage

        learning.begin(self.model, self.recipe, phase, self.device)
        average = MovingAverage(self.model, self.recipe.average) if self.recipe.average else None
        self._fix()
        ends: list[float] = []

        def ended(batch: int, logs: Any) -> None:
            if average:
                average.step(batch + 1)
            float(logs["loss"])  # waits for a GPU
            ends.append(time.monotonic())
            spent = ends[-1] - ends[0]
            enough = len(ends) > 2 * _AHEAD or (len(ends) > 1 and spent > len(ends) * seconds / (2 * _AHEAD))
            self.model.stop_training = stopped() or (enough and spent >= seconds)

        begun = time.monotonic()
        self.model.fit(
            self._feed(size),
            steps_per_epoch=1_000_000,
            callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=ended)],
            shuffle=False,
            verbose=0,
        )
        return ends[0] - begun, _each(ends)

    def evaluate(self, size: int) -> float:
        """Seconds to judge an image."""
        from bloodapp.train import judge as judging

        rows = self.rows[: judging.PREDICT_BATCH]
        took = 0.0
        for _ in range(2):  # the first one traces
            begun = time.monotonic()
            judging.predict(self.model, self.dataset.images, rows, size)
            took = time.monotonic() - begun
            if took > SECONDS / 2:
                break
        return took / judging.PREDICT_BATCH

    def save(self, folder: Path) -> float:
        """Seconds to write the network and its optimizer's state."""
        from bloodapp.train import checkpoint

        weights = self.model.get_weights()
        slots = sum(variable.numpy().nbytes for variable in self.model.optimizer.variables)
        path = folder / "measured.npz"
        try:
            begun = time.monotonic()
            checkpoint.write_arrays(path, model=weights)
            took = time.monotonic() - begun
        finally:
            path.unlink(missing_ok=True)
        own = sum(each.nbytes for each in weights)
        # The last weights with the optimizer's state, every other time the best as well.
        return took * ((own + slots) / max(own, 1) + 0.5 + (self.recipe.average > 0))

    def shift(self) -> float:
        """Seconds to draw an image under the shift that judges."""
        from bloodapp.augment.corruptions import SHIFT_SEED, shifted

        rows = self.rows[:32]
        begun = time.monotonic()
        shifted(self.dataset.images[rows], SHIFT_SEED, keys=rows)
        return (time.monotonic() - begun) / len(rows)

    def copy(self) -> float:
        """Seconds to draw one of the run's own copies, by all its pipelines alike; 0 without any."""
        pipelines = [checked_pipeline(each) for each in copied_by(self.recipe)]
        if not pipelines:
            return 0.0
        stains = for_pipeline(self.dataset, *map(resolve, pipelines))
        took = []
        for pipeline in pipelines:
            rows = np.resize(self.rows, (1 + _COPY_BLOCKS) * BLOCK)
            blocks = drawn(self.dataset, [(1, pipeline, rows)], self.labels, self.recipe.seed, stains)
            next(blocks)  # waits for what is traced
            begun = time.monotonic()
            count = sum(len(chosen) for _, chosen, _ in blocks)
            took.append((time.monotonic() - begun) / count)
        return float(np.mean(took))

    def memory(self) -> tuple[float, float | None]:
        """The most that the process has held, and the most that the first GPU has, in MiB."""
        return peak_mib(), self._gpu_mib("peak")

    def trainable(self) -> int:
        """Parameters that learn in the phase at hand."""
        return int(sum(np.prod(weight.shape) for weight in self.model.trainable_weights))

    def _feed(self, size: int) -> Any:
        from bloodapp.train import feed

        if size not in self._feeds:
            stains = for_pipeline(self.dataset, resolve(self.recipe.pipeline))
            images = self.dataset.images
            self._feeds[size] = feed.training_batches(
                images, self.rows, self.weights, self.recipe, size, lambda: 0, stains
            )
        return self._feeds[size]

    def _fix(self) -> None:
        """Note the memory before any step, with what the optimizer will hold beside each weight, and gradients."""
        held = self._gpu_mib("current")
        beside = 4 * 3 * self.trainable() / _MIB
        self.fixed_mib = max(self.fixed_mib, (peak_mib() if held is None else held) + beside)

    def _gpu_mib(self, what: str) -> float | None:
        import tensorflow as tf

        return float(tf.config.experimental.get_memory_info("GPU:0")[what]) / _MIB if self.gpus else None


def _each(ends: list[float]) -> float:
    """Seconds of a step, by the ends of all, without those whose batch may have been ready before."""
    skipped = min(_AHEAD, len(ends) // 2)
    between = np.diff(ends[skipped:]) if len(ends) - skipped > 1 else np.diff(ends)
    return float(np.mean(between)) if len(between) else 0.0
