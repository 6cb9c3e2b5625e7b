"""Finished, running and failed runs made without training, for tests of whatever reads runs."""

import json
from pathlib import Path

import numpy as np

from bloodapp import jobs
from bloodapp.data.dataset import Dataset
from bloodapp.runs.predictions import Predictions, write_predictions
from bloodapp.runs.run import Run, new_run, open_run
from bloodapp.workspace import append_line, now, write_json


def run_config(dataset: Dataset, **more: object) -> dict:
    """What config.json of a run on this dataset says."""
    return {
        "recipe": {"name": "quick", "pipeline": "flip"},
        "dataset": dataset.name,
        "fingerprint": dataset.fingerprint,
        "seq": 0,
        "classes": list(dataset.classes),
        "size": dataset.size,
        **more,
    }


def make_run(
    dataset: Dataset,
    name: str = "made",
    *,
    state: str = "done",
    epochs: int = 3,
    test: bool = True,
    seed: int = 0,
    right: tuple[float, float] = (0.9, 0.7),
    **more: object,
) -> Run:
    """A run on all labelled images in the given state; `right` = shares of right answers, clean and shifted.

    Finished states have predictions and a report; every state has the metrics of its epochs.
    """
    import pandas as pd

    rng = np.random.default_rng(seed)
    index = np.flatnonzero(dataset.labels >= 0)
    part = rng.choice(["train", "val", "test"] if test else ["train", "val"], len(index))
    frame = pd.DataFrame({"index": index, "part": part, "label": dataset.labels[index]})
    folder = new_run(run_config(dataset, **more), frame, name)
    job = jobs.submit("train", {"run": name, "dataset": dataset.name}, folder=folder, title=f"Train {name}")
    for epoch in range(1, epochs + 1):
        row = {"epoch": epoch, "epochs": epochs, "loss": 2 / epoch, "accuracy": 1 - 0.5 / epoch}
        row |= {"val_loss": 2.1 / epoch, "val_accuracy": 0.9 - 0.5 / epoch, "seconds": 1.0}
        append_line(folder / "metrics.jsonl", row)
    if state in ("done", "stopped"):
        rows = frame[frame["part"] != "train"]
        made = predictions(rows["index"], rows["part"], rows["label"], len(dataset.classes), right, rng)
        write_predictions(folder, made)
        write_json(folder / "report.json", report(made, epochs))
    with job.held():
        job.write_status(
            {"state": state, "done": 1, "total": 1, "error": "It failed." if state == "failed" else None}
        )
    return open_run(name)


def predictions(index, part, label, classes: int, right: tuple[float, float], rng) -> Predictions:
    """Probabilities of a classifier that is right with the given shares, clean and shifted."""
    labels = np.asarray(label, np.int16)

    def table(share: float) -> np.ndarray:
        named = np.where(rng.random(len(labels)) < share, labels, (labels + 1) % classes)
        scores = rng.random((len(labels), classes)) * 0.6
        scores[np.arange(len(labels)), named] += rng.uniform(0.7, 5, len(labels))
        return (np.exp(scores) / np.exp(scores).sum(1, keepdims=True)).astype(np.float32)

    parts = np.asarray(part).astype(str)
    return Predictions(np.asarray(index, np.int64), parts, labels, table(right[0]), table(right[1]))


def report(made: Predictions, epochs: int) -> dict:
    """report.json as a training writes it."""
    parts = {}
    for part in ("val", "test"):
        rows = made.only(part)
        if len(rows):
            accuracy = float((rows.probabilities.argmax(1) == rows.label).mean())
            shifted = float((rows.shifted.argmax(1) == rows.label).mean())
            parts[part] = {"n": len(rows), "accuracy": accuracy, "balanced_accuracy": accuracy}
            parts[part]["shifted_accuracy"] = shifted
    read = {"test_read": now(), "test_reads": 1} if "test" in parts else {"test_read": None, "test_reads": 0}
    return {"parts": parts, "best_epoch": epochs, "epochs": epochs, "shift": "two to four changes", **read}


def give_model(run: Run, *, seed: int = 0) -> None:
    """Write a small untrained model that keeps the contract into the run's folder; imports TensorFlow."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(seed)
    image = keras.Input((run.size, run.size, 3))
    x = layers.Rescaling(1 / 255)(image)
    x = layers.Conv2D(8, 5, strides=4, activation="relu")(x)
    x = layers.GlobalAveragePooling2D(name="embedding")(x)
    x = layers.Dense(
        len(run.classes), kernel_initializer=keras.initializers.RandomNormal(stddev=20, seed=seed)
    )(x)
    keras.Model(image, layers.Softmax(dtype="float32")(x)).save(run.model_path)


def forget_dataset_of(run: Run) -> None:
    """Make the run one of a dataset that is not here, as a shipped run is."""
    path: Path = run.folder / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, "dataset": "elsewhere", "fingerprint": "0" * 64}))
