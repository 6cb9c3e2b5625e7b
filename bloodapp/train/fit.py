"""The training job: from a run's configuration to its model, predictions and report.

Runs in the child process. Every epoch leaves a checkpoint, so that a killed training goes on at its
last epoch; the best epoch, by accuracy on clean and shifted `val` images, is what is kept.
"""

import os
import shutil
import time
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from bloodapp import workspace
from bloodapp.augment.corruptions import DRAWS, SHIFT_SEED, shifted
from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.errors import Stopped, Unreadable
from bloodapp.runs.predictions import Predictions, write_predictions
from bloodapp.runs.run import Run, open_run
from bloodapp.train import callback, feed, models
from bloodapp.train.recipe import Recipe
from bloodapp.train.settings import from_settings, start_run
from bloodapp.train.weighing import class_weights

PREDICT_BATCH = 128
TRAINING_SHARE = 0.98  # of a run's progress; reading the results is the rest
LIVE_SHIFTED = 1000  # val images judged under the shift after each epoch; all of them at the end
_CPU_FLAGS = Path("/proc/cpuinfo")


class Reporter(Protocol):
    """What the fit needs of a job's context."""

    folder: Path

    def progress(self, done: float, total: float | None, text: str = "", **extra: Any) -> None:
        """Say how far the work is."""

    def log(self, text: str) -> None:
        """Add a line to the log."""

    def stopped(self) -> bool:
        """Whether the user asked to stop."""


def work(params: dict[str, Any], context: Reporter) -> dict[str, Any]:
    """Train the run whose folder the context names; returns its headline scores.

    Raises Unreadable when the dataset is not the one the run was set up for, Stopped after a stop
    (the best model and its results are written first).
    """
    run = open_run(context.folder.name)
    # The text that was started with: a saved pipeline's name may mean something else by now, or nothing.
    recipe = from_settings({**run.config["recipe"], "pipeline": run.config["pipeline"]})
    dataset = open_dataset(run.config["dataset"])
    if dataset.fingerprint != run.config["fingerprint"]:
        raise Unreadable(
            f"The dataset '{dataset.name}' has been replaced since this run was set up: start a new training."
        )
    context.progress(0, 1, "Starting TensorFlow")
    precision, device = _prepare(recipe)
    context.log(f"{device}, {precision}")
    training = _Training(run, recipe, dataset, context, device)
    training.fit()
    result = training.finish()
    if context.stopped():
        raise Stopped("Stopped; the best epoch was kept.")
    return result


def choose_precision(recipe: Recipe) -> str:
    """The Keras policy for the recipe on this machine: lower precision only where the hardware computes it."""
    chosen = recipe.precision
    if chosen == "auto":
        gpus = tf.config.list_physical_devices("GPU")
        if gpus:
            capability = tf.config.experimental.get_device_details(gpus[0]).get("compute_capability", (0, 0))
            chosen = "bfloat16" if capability >= (8, 0) else "float16" if capability >= (7, 0) else "float32"
        else:
            flags = _CPU_FLAGS.read_text() if _CPU_FLAGS.exists() else ""
            chosen = "bfloat16" if "avx512_bf16" in flags or "amx_bf16" in flags else "float32"
    return "float32" if chosen == "float32" else f"mixed_{chosen}"


def _prepare(recipe: Recipe) -> tuple[str, str]:
    for gpu in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, True)
    keras.utils.set_random_seed(recipe.seed)
    if recipe.deterministic:
        tf.config.experimental.enable_op_determinism()
    precision = choose_precision(recipe)
    keras.mixed_precision.set_global_policy(precision)
    return precision, device_name()


def device_name() -> str:
    """What the training runs on, as people read it."""
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        return str(tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU"))
    return (
        f"CPU, {len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()} cores"
    )


def optimizer(recipe: Recipe) -> keras.optimizers.Optimizer:
    """The recipe's optimizer; its learning rate is set at every step."""
    if recipe.optimizer == "adamw":
        made = keras.optimizers.AdamW(recipe.learning_rate, weight_decay=recipe.weight_decay)
        made.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
        return made
    if recipe.optimizer == "adam":
        return keras.optimizers.Adam(recipe.learning_rate)
    return keras.optimizers.SGD(recipe.learning_rate, momentum=0.9, nesterov=True)


class _Training:
    """One training: the model, what is known of its best epoch, and the run's files."""

    def __init__(self, run: Run, recipe: Recipe, dataset: Dataset, context: Reporter, device: str) -> None:
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
        self.state = self._state()
        self.steps = max(1, len(self.rows["train"]) // recipe.batch)

    def _state(self) -> dict[str, Any]:
        path = self.checkpoints / "state.json"
        if path.exists():
            return workspace.read_json(path)
        return {
            "epoch": 0,
            "elapsed": 0.0,
            "best": None,
            "best_epoch": None,
            "best_size": None,
            "waited": 0,
            "speeds": [],
            "finished": False,
        }

    def fit(self) -> None:
        """Train from the last checkpoint on, until the epochs, the time or the user's patience end."""
        recipe = self.recipe
        if self.state["epoch"] >= recipe.epochs or self.state["finished"]:
            return
        self.context.progress(0, 1, "Preparing the images")
        self._prepare_live()
        model = self._model()
        weights = np.zeros((len(self.dataset), self.classes), np.float32)
        known = np.flatnonzero(self.labels >= 0)
        weights[known, self.labels[known]] = 1
        keys = [each.key for each in self.run.classes]
        per_class = class_weights(recipe.class_weights, self.labels[self.rows["train"]], keys)
        self.progress = callback.Progress(
            rate=lambda share: callback.learning_rate(share, recipe.learning_rate, recipe.warmup),
            steps=self.steps,
            epochs=recipe.epochs,
            seconds=60 * recipe.minutes,
            spent=self.state["elapsed"],
            report=self._report_step,
            stopped=self.context.stopped,
            epoch_end=lambda steps, logs: self._epoch_end(model, steps, logs),
        )
        feeds: dict[int, tf.data.Dataset] = {}
        while (
            self.state["epoch"] < recipe.epochs and not self.state["finished"] and not self.context.stopped()
        ):
            self.size = size = self._size_now()
            if size not in feeds:
                feeds[size] = feed.training_batches(
                    self.dataset.images,
                    self.rows["train"],
                    weights,
                    recipe,
                    size,
                    lambda: self.state["epoch"],
                    self.stains,
                )
            model.fit(
                feeds[size],
                # As many epochs as the side lasts, in one call: Keras then keeps the feed's iterator, and a
                # new one costs seconds.
                epochs=recipe.epochs,
                initial_epoch=self.state["epoch"],
                steps_per_epoch=self.steps,
                class_weight=None if per_class is None else dict(enumerate(per_class.tolist())),
                callbacks=[self.progress],
                shuffle=False,
                verbose=0,
            )

    def _size_now(self) -> int:
        """The side of the training images: smaller ones first, since they teach nearly as much for less."""
        recipe = self.recipe
        small = self.progress.share_done(self.state["epoch"]) < recipe.small_share
        return min(recipe.small_size, recipe.size) if small else recipe.size

    def finish(self) -> dict[str, Any]:
        """Write the best model in float32, its predictions on val and test, and the report; read the test part."""
        self.context.progress(TRAINING_SHARE, 1, "Reading the results")
        best = self.checkpoints / "best.keras"
        if not best.exists():
            raise Stopped("Stopped before there was anything to keep.")
        # In float32 whatever the training's precision: the model opens and computes alike on any machine.
        keras.mixed_precision.set_global_policy("float32")
        model = models.build(self.recipe, self.classes, seen=self.state["best_size"])
        model.load_weights(best)
        with workspace.replacing(self.folder / "model.keras") as path:
            model.save(path)
        predictions = self._predictions(model)
        write_predictions(self.folder, predictions)
        report = self._report(predictions)
        workspace.write_json(self.folder / "report.json", report)
        if not self.context.stopped():
            shutil.rmtree(self.checkpoints, ignore_errors=True)
        return {"run": self.run.name, **report["parts"]}

    def _prepare_live(self) -> None:
        # Spread over the classes as the part is: rows of a part are in the dataset's order.
        rows = self.rows["val"]
        self.live = rows[np.unique(np.linspace(0, len(rows) - 1, min(len(rows), LIVE_SHIFTED)).astype(int))]
        self.live_shifted = shifted(self.dataset.images[self.live], SHIFT_SEED, keys=self.live)

    def _model(self) -> keras.Model:
        last = self.checkpoints / "last.keras"
        if self.state["epoch"] and last.exists():
            self.context.log(f"Continuing after epoch {self.state['epoch']}.")
            return keras.models.load_model(last, safe_mode=True)
        model = models.build(self.recipe, self.classes, any_size=True)
        if start_run(self.recipe):
            other = keras.models.load_model(
                open_run(start_run(self.recipe)).model_path, compile=False, safe_mode=True
            )
            model.set_weights(other.get_weights())
        model.compile(
            optimizer=optimizer(self.recipe),
            loss=keras.losses.CategoricalCrossentropy(label_smoothing=self.recipe.label_smoothing),
            metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
            jit_compile=bool(tf.config.list_physical_devices("GPU")),  # on CPU XLA is 2–10 times slower
        )
        return model

    def _report_step(self, step: dict[str, Any]) -> None:
        seconds = max(time.monotonic() - self.progress.epoch_begun, 1e-6)
        speed = step["step"] * self.recipe.batch / seconds
        self.context.progress(
            round(TRAINING_SHARE * step["share"], 5),
            1,
            f"Epoch {step['epoch']}",
            epoch=step["epoch"],
            epochs=self.recipe.epochs,
            step=step["step"],
            steps=self.steps,
            loss=workspace.finite(step.get("loss")),
            accuracy=workspace.finite(step.get("accuracy")),
            images_per_s=round(speed, 1),
            device=self.device,
        )

    def _epoch_end(self, model: keras.Model, steps: int, logs: dict[str, float]) -> bool:
        val, labels = self.rows["val"], self.labels
        clean = _predict(model, self.dataset.images, val, self.size)
        hard = _predict(model, self.live_shifted, np.arange(len(self.live)), self.size)
        accuracy = float((clean.argmax(1) == labels[val]).mean())
        under_shift = float((hard.argmax(1) == labels[self.live]).mean())
        loss = float(-np.log(np.maximum(clean[np.arange(len(val)), labels[val]], 1e-7)).mean())
        speed = steps * self.recipe.batch / max(logs["seconds"], 1e-6)
        epoch = self.state["epoch"]
        workspace.append_line(
            self.folder / "metrics.jsonl",
            {
                "epoch": epoch + 1,
                "epochs": self.recipe.epochs,
                "loss": logs.get("loss"),
                "accuracy": logs.get("accuracy"),
                "val_loss": loss,
                "val_accuracy": accuracy,
                "val_shifted_accuracy": under_shift,
                "learning_rate": float(np.asarray(model.optimizer.learning_rate)),
                "images_per_s": speed,
                "seconds": logs["seconds"],
            },
        )
        score = (accuracy + under_shift) / 2
        state = self.state
        better = state["best"] is None or score > state["best"]
        if better:
            with workspace.replacing(self.checkpoints / "best.keras") as path:
                model.save(path, include_optimizer=False)
            state.update(best=score, best_epoch=epoch + 1, best_size=self.size, waited=0)
        else:
            state["waited"] += 1
        elapsed = self.progress.elapsed()
        out_of_time = bool(self.recipe.minutes) and elapsed >= 60 * self.recipe.minutes
        out_of_patience = bool(self.recipe.patience) and state["waited"] >= self.recipe.patience
        with workspace.replacing(self.checkpoints / "last.keras") as path:
            model.save(path)
        state.update(epoch=epoch + 1, elapsed=elapsed, speeds=[*state["speeds"], speed])
        state["finished"] = (out_of_time or out_of_patience) and not self.context.stopped()
        workspace.write_json(self.checkpoints / "state.json", state)
        # Asked to stop while the epoch was judged: one step of the next would count as an epoch.
        return not state["finished"] and not self.context.stopped() and self._size_now() == self.size

    def _predictions(self, model: keras.Model) -> Predictions:
        rows = np.concatenate([self.rows["val"], self.rows["test"]])
        parts = np.array(["val"] * len(self.rows["val"]) + ["test"] * len(self.rows["test"]))
        clean = _predict(model, self.dataset.images, rows, self.recipe.size)
        hard = np.empty_like(clean)
        for start in range(0, len(rows), 512):
            block = rows[start : start + 512]
            images = shifted(self.dataset.images[block], SHIFT_SEED, keys=block)
            hard[start : start + 512] = _predict(model, images, np.arange(len(block)), self.recipe.size)
            read = min(start + 512, len(rows))
            done = TRAINING_SHARE + (1 - TRAINING_SHARE) * read / len(rows)
            self.context.progress(round(done, 5), 1, f"Reading the results, {read:,} of {len(rows):,}")
        return Predictions(rows, parts, self.labels[rows].astype(np.int16), clean, hard)

    def _report(self, predictions: Predictions) -> dict[str, Any]:
        parts = {
            part: _scores(predictions, predictions.part == part, self.classes)
            for part in ("val", "test")
            if (predictions.part == part).any()
        }
        speeds = self.state["speeds"]
        report = self.folder / "report.json"
        before = workspace.read_json(report) if report.exists() else {}
        return {
            "parts": parts,
            "best_epoch": self.state["best_epoch"],
            "epochs": self.state["epoch"],
            "images_per_s": float(np.median(speeds)) if speeds else None,
            "seconds": self.state["elapsed"],
            "device": self.device,
            "shift": DRAWS,
            "test_read": workspace.now() if "test" in parts else None,
            "test_reads": before.get("test_reads", 0) + ("test" in parts),
        }


def _scores(predictions: Predictions, chosen: npt.NDArray[np.bool_], classes: int) -> dict[str, float]:
    labels = predictions.label[chosen]
    right = predictions.probabilities[chosen].argmax(1) == labels
    recalls = [right[labels == k].mean() for k in range(classes) if (labels == k).any()]
    scores = {
        "n": int(chosen.sum()),
        "accuracy": float(right.mean()),
        "balanced_accuracy": float(np.mean(recalls)),
    }
    if predictions.shifted is not None:
        scores["shifted_accuracy"] = float((predictions.shifted[chosen].argmax(1) == labels).mean())
    return scores


def _predict(
    model: keras.Model, images: npt.NDArray[np.uint8], rows: npt.NDArray[np.int64], size: int
) -> npt.NDArray[np.float32]:
    """Probabilities float32 (len(rows), C), in batches of one shape so that nothing is traced twice."""
    out = []
    for start in range(0, len(rows), PREDICT_BATCH):
        block = rows[start : start + PREDICT_BATCH]
        padded = np.resize(block, PREDICT_BATCH)
        out.append(model.predict_on_batch(feed.plain_batch(images, padded, size))[: len(block)])
    return np.concatenate(out).astype(np.float32)
