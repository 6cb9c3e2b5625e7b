"""The training job: from a run's configuration to its best epoch; `results` makes the model and the report of it.

Runs in the child process. Every whole epoch leaves a checkpoint, so that a training that was cut off or stopped goes on
after its last whole epoch as if nothing had happened; the best epoch is what is kept.
"""

import time
from contextlib import nullcontext
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from bloodapp import workspace
from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.errors import Stopped, Unreadable
from bloodapp.jobs.reporter import Reporter
from bloodapp.runs.run import Run, open_run
from bloodapp.train import (
    callback,
    checkpoint,
    copies,
    devices,
    feed,
    learning,
    models,
    phases,
    shortage,
    weights,
)
from bloodapp.train.average import MovingAverage
from bloodapp.train.course import Course, Scores
from bloodapp.train.judge import Judge
from bloodapp.train.recipe import Recipe
from bloodapp.train.results import TRAINING_SHARE, Results
from bloodapp.train.settings import from_settings
from bloodapp.train.weighing import class_weights

MEMORY_EVERY_S = 1.0


def work(params: dict[str, Any], context: Reporter) -> dict[str, Any]:
    """Train the run whose folder the context names; returns its headline scores.

    Raises Unreadable when the dataset is not the one the run was set up for, Shortage when memory or disk ran out,
    Stopped after a stop (the best model and its results are written first).
    """
    run = open_run(context.folder.name)
    # The texts that were started with: a saved pipeline's name may mean something else by now, or nothing.
    texts: dict[str, Any] = {
        name: run.config[name] for name in ("pipeline", "copies", "balance") if name in run.config
    }
    recipe = from_settings({**run.config["recipe"], **texts})
    dataset = open_dataset(run.config["dataset"])
    if dataset.fingerprint != run.config["fingerprint"]:
        raise Unreadable(
            f"The dataset '{dataset.name}' has been replaced since this run was set up: start a new training."
        )
    context.progress(0, 1, "Starting TensorFlow", smaller_batch=None)  # whatever an earlier try may have said
    with shortage.explained(recipe.batch, context):
        device = devices.prepare(recipe)
        context.log(f"{device.name}, {device.precision}")
        training = _Training(run, recipe, dataset, context, device)
        training.fit()
        result = training.finish()
    if context.stopped():
        raise Stopped("Stopped; the best epoch was kept.")
    return result


class _Training:
    """One training: its model, its course, and the run's files."""

    def __init__(
        self, run: Run, recipe: Recipe, dataset: Dataset, context: Reporter, device: devices.Device
    ) -> None:
        self.run, self.recipe, self.dataset, self.context, self.device = run, recipe, dataset, context, device
        self.folder = run.folder
        split = run.split()
        self.labels = np.full(len(dataset), -1, np.int64)
        self.labels[split["index"]] = split["label"]
        self.rows = {
            part: split["index"].to_numpy(np.int64)[split["part"] == part]
            for part in ("train", "val", "test")
        }
        self.classes = len(run.classes)
        self.checkpoints = self.folder / "checkpoints"
        self.checkpoints.mkdir(exist_ok=True)
        stains = run.config.get("stains")
        self.stains = None if stains is None else np.asarray(stains, np.float64)
        self.state = checkpoint.read_state(self.checkpoints)
        self.course = Course.read(recipe, self.state)
        self.average: MovingAverage | None = None
        self.memory: dict[str, int | None] = {}
        self.memory_read = -MEMORY_EVERY_S

    def fit(self) -> None:
        """Train from the last whole epoch on, until the epochs, the time or the user's patience end."""
        recipe, course = self.recipe, self.course
        if course.finished:
            return
        if course.best_epoch == 0:  # weights that a stop kept before the first epoch's end
            course.best = course.best_epoch = course.best_size = None
        self.context.progress(0, 1, "Preparing the network")
        self.model = self._model()  # before copies are drawn: weights that are not to be had end it at once
        self.context.progress(0, 1, "Preparing the images")
        images, rows, labels = copies.prepare(
            self.dataset, self.rows["train"], self.labels, recipe, self.folder, self.stains, self.context
        )
        self.steps = max(1, len(rows) // recipe.batch)
        self.judge = Judge(self.dataset.images, self.rows["val"], self.labels)
        shares = np.zeros((len(labels), self.classes), np.float32)
        known = np.flatnonzero(labels >= 0)
        shares[known, labels[known]] = 1
        keys = [each.key for each in self.run.classes]
        per_class = class_weights(recipe.class_weights, labels[rows], keys)
        self.progress = callback.Progress(
            steps=self.steps,
            spent=course.elapsed,
            step_begins=self._step_begins,
            report=self._report_step,
            epoch_end=lambda steps, logs: self._epoch_end(self.model, steps, logs),
        )
        feeds: dict[int, tf.data.Dataset] = {}
        while not course.finished and not self.context.stopped():
            if course.phase != self.phase:
                self._enter_phase()
            self.size = size = course.size(self.progress.elapsed())
            if size not in feeds:
                feeds[size] = feed.training_batches(
                    images, rows, shares, recipe, size, lambda: course.epoch, self.stains
                )
            self.model.fit(
                feeds[size],
                # As many epochs as phase and side last, in one call: Keras then keeps the feed's iterator, and a
                # new one costs seconds.
                epochs=recipe.epochs,
                initial_epoch=course.epoch,
                steps_per_epoch=self.steps,
                class_weight=None if per_class is None else dict(enumerate(per_class.tolist())),
                callbacks=[self.progress],
                shuffle=False,
                verbose=0,
            )

    def finish(self) -> dict[str, Any]:
        """Write the model, its predictions and the report; the checkpoints go unless there may be more to train."""
        results = Results(self.run, self.recipe, self.dataset, self.labels, self.rows, self.device)
        found = results.write(self.course, self._best(), self.context)
        if not self.context.stopped():
            checkpoint.remove(self.checkpoints)
            copies.discard(self.folder)
        return found

    def _best(self) -> checkpoint.Arrays:
        if self.course.best_epoch is None:
            raise Stopped("Stopped before there was anything to keep.")
        return checkpoint.read_arrays(self.checkpoints / self.state["best_file"], "weights")

    def _model(self) -> keras.Model:
        """The network in the phase where the course stands, fresh or as the last whole epoch left it."""
        with self.device.scope():
            model = models.build(self.recipe, self.classes, any_size=True)
        self.model = model
        going_on = self.course.epoch > 0
        if going_on:
            self.context.log(f"Continuing after epoch {self.course.epoch}.")
            last = self.checkpoints / self.state["last"]
            model.set_weights(checkpoint.read_arrays(last, "weights"))
        elif self.recipe.weights != "none":
            self.context.log(weights.load(model, self.recipe, self._fetching, self.run.classes))
        self._enter_phase()
        if going_on and self.course.phase_epoch:
            checkpoint.restore_optimizer(model, checkpoint.read_arrays(last, "optimizer"))
        if self.recipe.average:
            self.average = MovingAverage(model, self.recipe.average)
            if going_on:
                self.average.set(checkpoint.read_arrays(last, "average"))
        return model

    def _enter_phase(self) -> None:
        """Let the layers of the phase learn, with an optimizer that begins anew: it knew other weights."""
        course, recipe = self.course, self.recipe
        self.phase = course.phase
        learn, layers = learning.begin(self.model, recipe, course.now, self.device)
        if len(course.phases) > 1:
            began = " The optimizer begins anew." if course.phase and not course.phase_epoch else ""
            self.context.log(
                f"Phase {course.phase + 1} of {len(course.phases)}, {phases.text([course.now])}: "
                f"{learn} of the backbone's {layers} layers learn.{began}"
            )

    def _step_begins(self, step: int, elapsed: float) -> bool:
        course = self.course
        if step == 0:
            checkpoint.reseed(self.model, self.recipe.seed, course.epoch)
        elif self.average:
            self.average.step(course.epoch * self.steps + step)
        self.model.optimizer.learning_rate = course.rate(step / self.steps, elapsed)
        out_of_time = bool(self.recipe.minutes) and elapsed >= 60 * self.recipe.minutes
        return not (self.context.stopped() or out_of_time)

    def _report_step(self, step: int, logs: dict[str, float]) -> None:
        course = self.course
        elapsed = self.progress.elapsed()
        seconds = max(time.monotonic() - self.progress.epoch_begun, 1e-6)
        self.context.progress(
            round(TRAINING_SHARE * course.share(step / self.steps, elapsed), 5),
            1,
            f"Epoch {course.epoch + 1}",
            epoch=course.epoch + 1,
            epochs=course.planned,
            phase=phases.text([course.now]),
            step=step,
            steps=self.steps,
            elapsed=elapsed,
            loss=workspace.finite(logs.get("loss")),
            accuracy=workspace.finite(logs.get("accuracy")),
            images_per_s=round(step * self.recipe.batch / seconds, 1),
            device=self.device.name,
            **self._memory_now(),
        )

    def _memory_now(self) -> dict[str, int | None]:
        if time.monotonic() - self.memory_read >= MEMORY_EVERY_S:
            self.memory_read = time.monotonic()
            own, gpus = devices.memory()
            self.memory = {"memory_mib": own, "gpu_memory_mib": gpus}
            self.course.note_memory(own, gpus)
        return self.memory

    def _epoch_end(self, model: keras.Model, steps: int, logs: dict[str, float]) -> bool:
        """Judge an epoch and keep its state; of a stopped part of one nothing, unless there is nothing else."""
        course, out_of_time = self.course, self._out_of_time()
        if self.average:
            self.average.step(course.epoch * self.steps + steps)
        part = steps < self.steps and not out_of_time
        if part and course.best_epoch is not None:
            return False
        with self.average.applied() if self.average else nullcontext():
            scores = self.judge.scores(model, self.size)
            better = course.is_best(scores)
            best = model.get_weights() if better else []
        if part:
            self._keep_part(scores, best)
            return False
        speed = steps * self.recipe.batch / max(logs["seconds"], 1e-6)
        phase = phases.text([course.now])
        rate = float(np.asarray(model.optimizer.learning_rate))
        course.epoch_ended(scores, elapsed=self.progress.elapsed(), speed=speed, size=self.size)
        if course.phase != self.phase:
            self.context.log(f"{phase} ended after epoch {course.epoch}.")
        name = f"{course.epoch}.npz"
        groups = {"weights": model.get_weights(), "optimizer": checkpoint.optimizer_state(model)}
        if self.average:
            groups["average"] = self.average.get()
        self.state["last"] = checkpoint.write_arrays(self.checkpoints / f"last-{name}", **groups)
        if better:
            path = self.checkpoints / f"best-{name}"
            self.state["best_file"] = checkpoint.write_arrays(path, weights=best)
        workspace.append_line(
            self.folder / "metrics.jsonl",
            {
                "epoch": course.epoch,
                "epochs": self.recipe.epochs,
                "phase": phase,
                "loss": logs.get("loss"),
                "accuracy": logs.get("accuracy"),
                "val_loss": scores.loss,
                "val_accuracy": scores.accuracy,
                "val_shifted_accuracy": scores.shifted_accuracy,
                "learning_rate": rate,
                "images_per_s": speed,
                "seconds": logs["seconds"],
            },
        )
        self.state.update(course.written())
        checkpoint.write_state(self.checkpoints, self.state)
        # Asked to stop while the epoch was judged: the next is not begun.
        same = course.phase == self.phase and course.size() == self.size
        return not course.finished and not self.context.stopped() and same

    def _keep_part(self, scores: Scores, weights_so_far: checkpoint.Arrays) -> None:
        """Stopped before the first epoch's end: keep what there is; a continued training begins anew."""
        course = self.course
        course.best, course.best_epoch, course.best_size = scores.by(self.recipe.score), 0, self.size
        self.state["best_file"] = checkpoint.write_arrays(
            self.checkpoints / "best-0.npz", weights=weights_so_far
        )
        self.state.update(course.written())
        checkpoint.write_state(self.checkpoints, self.state)
        self.context.log("Stopped before the end of the first epoch: what was learned so far is kept.")

    def _out_of_time(self) -> bool:
        return bool(self.recipe.minutes) and self.progress.elapsed() >= 60 * self.recipe.minutes

    def _fetching(self, done: int, total: int, text: str) -> None:
        if self.context.stopped():
            raise Stopped("Stopped while the weights were fetched: there was nothing to keep.")
        self.context.progress(done, total or None, text)
