"""What a training leaves: the best epoch's model, its predictions on val and test, their calibration, the report."""

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from bloodapp import workspace
from bloodapp.augment.corruptions import DRAWS, SHIFT_SEED, shifted
from bloodapp.data.dataset import Dataset
from bloodapp.jobs.reporter import Reporter
from bloodapp.runs import calibration
from bloodapp.runs.predictions import Predictions, write_predictions
from bloodapp.runs.run import Run
from bloodapp.train import models
from bloodapp.train.checkpoint import Arrays
from bloodapp.train.course import Course
from bloodapp.train.devices import Device
from bloodapp.train.judge import predict
from bloodapp.train.recipe import Recipe

TRAINING_SHARE = 0.98  # of a run's progress; reading the results is the rest
BLOCK = 512  # images changed and read at once


class Results:
    """The results of one training; the test part is read here and nowhere else.

    `labels` (N,) of all images, `rows` those of each part, `device` what trained.
    """

    def __init__(
        self,
        run: Run,
        recipe: Recipe,
        dataset: Dataset,
        labels: npt.NDArray[np.int64],
        rows: dict[str, npt.NDArray[np.int64]],
        device: Device,
    ) -> None:
        self.run, self.recipe, self.dataset = run, recipe, dataset
        self.labels, self.rows, self.device = labels, rows, device
        self.classes = len(run.classes)

    def write(self, course: Course, weights: Arrays, context: Reporter) -> dict[str, Any]:
        """Write the model in float32, predictions and report; returns the headline scores."""
        context.progress(TRAINING_SHARE, 1, "Reading the results")
        if len(self.rows["test"]):
            context.log(f"Reading the test part, reading number {self._reads_before() + 1} of this run.")
        # In float32 whatever the training's precision: the model opens and computes alike on any machine.
        keras.mixed_precision.set_global_policy("float32")
        model = models.build(self.recipe, self.classes, seen=course.best_size)
        model.set_weights(weights)
        with workspace.replacing(self.run.model_path) as path:
            model.save(path)
        predictions = self._predictions(model, context)
        write_predictions(self.run.folder, predictions)
        calibration.write(self.run.folder, predictions)
        report = self._report(model, predictions, course)
        workspace.write_json(self.run.folder / "report.json", report)
        return {"run": self.run.name, **report["parts"]}

    def _predictions(self, model: keras.Model, context: Reporter) -> Predictions:
        rows = {part: self.rows[part] for part in ("val", "test")}
        images, size = self.dataset.images, self.recipe.size

        def said(read: int, of: int) -> None:
            done = TRAINING_SHARE + (1 - TRAINING_SHARE) * read / of
            context.progress(round(done, 5), 1, f"Reading the results, {read:,} of {of:,}")

        return answers(model, images, self.labels, rows, size, said)

    def _report(self, model: keras.Model, predictions: Predictions, course: Course) -> dict[str, Any]:
        parts = {
            part: scores(predictions, predictions.part == part, self.classes)
            for part in ("val", "test")
            if (predictions.part == part).any()
        }
        if self.recipe.test_noise and "test" in parts:
            parts["test"]["noisy_accuracy"] = self._under_noise(model)
        return {
            "parts": parts,
            "best_epoch": course.best_epoch,
            "epochs": course.epoch,
            "images_per_s": float(np.median(course.speeds)) if course.speeds else None,
            "seconds": course.elapsed,
            "device": self.device.name,
            "memory_mib": course.memory_mib or None,
            "gpu_memory_mib": course.gpu_memory_mib,
            "parameters": model.count_params(),
            "trainable_parameters": self._trainable(model, course),
            "stopped_in_first_epoch": course.best_epoch == 0,
            "shift": DRAWS,
            "test_read": workspace.now() if "test" in parts else None,
            "test_reads": self._reads_before() + ("test" in parts),
        }

    def _reads_before(self) -> int:
        return int((self.run.report() or {}).get("test_reads", 0))

    def _trainable(self, model: keras.Model, course: Course) -> int:
        """How many parameters learned in some phase."""
        backbone = models.backbone_layers(model)
        most = max(phase.learns(len(backbone)) for phase in course.phases[: course.phase + 1])
        frozen = {id(weight) for layer in backbone[: len(backbone) - most] for weight in layer.weights}
        learned = [weight for weight in model.trainable_weights if id(weight) not in frozen]
        return int(sum(np.prod(weight.shape) for weight in learned))

    def _under_noise(self, model: keras.Model) -> float:
        """The accuracy on the test part under white noise of the recipe's σ, drawn by seed and row."""
        rows, right = self.rows["test"], 0
        for start in range(0, len(rows), BLOCK):
            block = rows[start : start + BLOCK]
            noisy = with_noise(self.dataset.images[block], self.recipe.test_noise, block)
            answers = predict(model, noisy, np.arange(len(block)), self.recipe.size).argmax(1)
            right += int((answers == self.labels[block]).sum())
        return right / len(rows)


def with_noise(
    images: npt.NDArray[np.uint8], sigma: float, keys: npt.NDArray[np.int64]
) -> npt.NDArray[np.uint8]:
    """The images under white noise of σ grey levels, each drawn by its key alone; uint8 as they came."""
    out = np.empty_like(images)
    for place, key in enumerate(keys):
        drawn = np.random.default_rng([SHIFT_SEED, int(key)]).normal(0, sigma, images.shape[1:])
        out[place] = np.clip(np.round(images[place] + drawn), 0, 255).astype(np.uint8)
    return out


def answers(
    model: keras.Model,
    images: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.int64],
    rows: Mapping[str, npt.NDArray[np.int64]],
    size: int,
    said: Callable[[int, int], None],
    block: int = BLOCK,
) -> Predictions:
    """What a model says of the rows of each part, as they are and under the seeded shift.

    `images` (N, H, H, 3) and `labels` (N,) are those of the whole dataset; `said(read, of)` hears after each block
    how far it is, and may raise to break off.
    """
    index = np.concatenate(list(rows.values()))
    parts = np.array([part for part, own in rows.items() for _ in own])
    clean, hard = [], []
    for start in range(0, len(index), block):
        some = index[start : start + block]
        clean.append(predict(model, images, some, size))
        changed = shifted(images[some], SHIFT_SEED, keys=some)
        hard.append(predict(model, changed, np.arange(len(some)), size))
        said(start + len(some), len(index))
    return Predictions(
        index, parts, labels[index].astype(np.int16), np.concatenate(clean), np.concatenate(hard)
    )


def scores(predictions: Predictions, chosen: npt.NDArray[np.bool_], classes: int) -> dict[str, float]:
    """Counts and accuracies of the chosen predictions."""
    labels = predictions.label[chosen]
    right = predictions.probabilities[chosen].argmax(1) == labels
    recalls = [right[labels == k].mean() for k in range(classes) if (labels == k).any()]
    found = {
        "n": int(chosen.sum()),
        "accuracy": float(right.mean()),
        "balanced_accuracy": float(np.mean(recalls)),
    }
    if predictions.shifted is not None:
        found["shifted_accuracy"] = float((predictions.shifted[chosen].argmax(1) == labels).mean())
    return found
