"""Real tiny trainings."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bloodapp import jobs
from bloodapp.augment.corruptions import SHIFT_SEED, shifted
from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.data.decisions import record
from bloodapp.data.importing import import_source
from bloodapp.errors import InvalidValue, NotFound, SourceError, Stopped, Unreadable
from bloodapp.runs import calibration
from bloodapp.runs.predictions import Predictions
from bloodapp.runs.run import Run
from bloodapp.train import forecast, launch
from bloodapp.train.recipe import Recipe
from tests.conftest import draw_tiny_cells
from tests.train.trying import TINY, Quiet, train

TWO_SIZES = replace(TINY, size=96, small_size=48)
LEARNING = replace(TINY, epochs=15, batch=4, pipeline="flip", learning_rate=0.01)


@dataclass(frozen=True)
class Trained:
    """Two finished trainings in a home of their own.

    Attributes:
        home: the folder.
        run: of the recipe `TWO_SIZES`.
        context: what that training said.
        learned: of the recipe `LEARNING`.
    """

    home: Path
    run: Run
    context: Quiet
    learned: Run

    def dataset(self, monkeypatch: pytest.MonkeyPatch) -> Dataset:
        """Move into the home, and open the dataset that both learned from."""
        monkeypatch.setenv("BLOODAPP_HOME", str(self.home))
        return open_dataset("tiny")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trained]:
    """Trained once for all tests that only look."""
    folder = tmp_path_factory.mktemp("trained")
    images, labels = draw_tiny_cells()
    np.savez(folder / "tiny.npz", images=images, labels=labels[:, None])
    home = folder / "home"
    home.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BLOODAPP_HOME", str(home))
        patch.setattr(calibration, "FEWEST", 2)  # so few images as here are calibrated, too
        dataset = import_source(folder / "tiny.npz")
        run, learned = launch.start(dataset, TWO_SIZES), launch.start(dataset, LEARNING)
        assert run.job.state() == "queued"
        context = train(run)
        train(learned)
    yield Trained(home, run, context, learned)


def test_a_training_leaves_the_whole_contract(trained: Trained) -> None:
    """A finished run has model, metrics, predictions, calibration and report that agree with one another."""
    run, context = trained.run, trained.context
    metrics = run.metrics()
    assert metrics["epoch"].tolist() == [1, 2, 3]
    assert (
        metrics[["loss", "val_loss", "val_accuracy", "val_shifted_accuracy", "images_per_s"]]
        .notna()
        .to_numpy()
        .all()
    )
    split, predictions, report = run.split(), run.predictions(), run.report()
    judged = split[split["part"] != "train"]
    assert set(predictions.index) == set(judged["index"])
    assert predictions.probabilities.dtype == np.float32
    assert np.allclose(predictions.probabilities.sum(1), 1, atol=1e-5)
    for part in ("val", "test"):
        chosen = predictions.only(part)
        accuracy = (chosen.probabilities.argmax(1) == chosen.label).mean()
        under_shift = (chosen.shifted.argmax(1) == chosen.label).mean()
        assert report["parts"][part]["accuracy"] == pytest.approx(accuracy)
        assert report["parts"][part]["shifted_accuracy"] == pytest.approx(under_shift)
        assert report["parts"][part]["n"] == len(chosen.label)
    calibrated = calibration.read(run)
    assert calibrated is not None and calibrated.n == len(predictions.only("val"))
    assert report["test_read"] and report["test_reads"] == 1
    steps = [words for words in context.said if "step" in words]
    assert [words["done"] for words in steps] == sorted(words["done"] for words in steps)
    assert steps[-1]["done"] < 1 and context.said[-1]["done"] == 1
    assert not (run.folder / "checkpoints").exists()


def test_the_saved_model_gives_the_saved_predictions(
    trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model opens without our code, in safe mode, and repeats the predictions, clean and shifted."""
    import keras

    run, tiny = trained.run, trained.dataset(monkeypatch)
    model = keras.models.load_model(run.folder / "model.keras", safe_mode=True, compile=False)
    predictions = run.predictions()
    images = tiny.images[predictions.index]
    again = model.predict_on_batch(images.astype("float32"))
    assert np.abs(again - predictions.probabilities).max() < 1e-4
    hard = model.predict_on_batch(shifted(images, SHIFT_SEED, keys=predictions.index).astype("float32"))
    assert np.abs(hard - predictions.shifted).max() < 1e-4
    assert model.get_layer("embedding").output.shape == (None, 32)
    assert all(layer.dtype_policy.name == "float32" for layer in model.layers)


def test_it_learns(trained: Trained) -> None:
    """On things that size and colour tell apart the loss falls and the network beats chance well."""
    metrics = trained.learned.metrics()
    assert metrics["loss"].iloc[-1] < 0.85 * metrics["loss"].iloc[0]
    assert metrics["accuracy"].max() > 0.3  # chance is 0.125


def test_stop_keeps_the_best_and_continue_goes_on(tiny: Dataset) -> None:
    """A stopped run has a model and results; continued, it does its half epoch again and ends with all of them."""
    run = launch.start(tiny, replace(TINY, epochs=2))
    with pytest.raises(Stopped):
        train(run, stop_after=4)  # of three steps an epoch
    assert len(run.metrics()) == 1, "a part of an epoch is none"
    assert (run.folder / "model.keras").exists() and run.report()["epochs"] == 1
    context = train(run)
    assert any("Continuing after epoch" in line for line in context.lines)
    assert run.metrics()["epoch"].tolist() == [1, 2]
    assert run.report()["test_reads"] == 2


def test_time_ends_a_training(tiny: Dataset) -> None:
    """A recipe with a time limit ends near it and still leaves its results."""
    run = launch.start(tiny, replace(TINY, epochs=1000, minutes=0.02))
    train(run)
    report = run.report()
    assert report["epochs"] < 1000
    assert report["seconds"] >= 1.2  # it may end in a step or while an epoch is judged


def test_a_diverging_training_ends_with_null_and_not_with_broken_files(tiny: Dataset) -> None:
    """Losses that are no numbers stand as null in the metrics; the run still ends."""
    run = launch.start(tiny, replace(TINY, epochs=2, optimizer="sgd", learning_rate=10.0, pipeline="none"))
    train(run)
    assert len(run.metrics()) == 2
    for line in (run.folder / "metrics.jsonl").read_text().splitlines():
        json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} in metrics.jsonl"))


def test_excluded_images_are_not_used_and_corrected_labels_are(tiny: Dataset) -> None:
    """The split holds what the decisions leave, with the labels they give, and the run remembers where it stood."""
    record(tiny, [1, 2], "exclude")
    record(tiny, [3], "relabel", label=5)
    run = launch.start(tiny, TINY)
    split = run.split().set_index("index")
    assert 1 not in split.index and 2 not in split.index
    assert split.loc[3, "label"] == 5
    assert run.config["seq"] == 3


def test_duplicates_share_a_part(tiny: Dataset) -> None:
    """Copies of one image never stand on both sides of the split."""
    parts = launch.start(tiny, TINY).split().set_index("index")["part"]
    assert parts[0] == parts[46] == parts[47]


def test_a_replaced_dataset_is_noticed(tiny: Dataset, tiny_cells: Any, tmp_path: Path) -> None:
    """A run does not train on other images than it was set up for."""
    run = launch.start(tiny, TINY)
    images, labels = tiny_cells
    np.savez(tmp_path / "tiny.npz", images=images[::-1], labels=labels[::-1])
    import_source(tmp_path / "tiny.npz", replace=True)
    with pytest.raises(Unreadable, match="replaced since"):
        train(run)


def test_too_little_is_refused_before_anything_is_made(tiny: Dataset) -> None:
    """A dataset with one class left is refused in a sentence, and no run is left behind."""
    record(tiny, [i for i in range(len(tiny)) if tiny.labels[i] != 0], "exclude")
    with pytest.raises(InvalidValue, match="at least two classes"):
        launch.start(tiny, TINY)
    assert not [job for job in jobs.list_jobs() if job.kind == "train"]


def test_the_forecast_learns_from_runs(trained: Trained, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before any run the limit is all that is known; after one, its speed is used, and not that of one that waits."""
    limited: Recipe = replace(TWO_SIZES, minutes=2.0)
    assert forecast.forecast(limited, 1000).seconds == 120
    assert forecast.forecast(limited, 1000).epochs is None
    tiny = trained.dataset(monkeypatch)
    launch.start(tiny, TWO_SIZES, shrink=True)
    told = forecast.forecast(TWO_SIZES, 1000)
    assert told.seconds == pytest.approx(3 * 1000 / trained.run.report()["images_per_s"])
    assert trained.run.name in told.basis


def test_a_model_kept_from_the_small_images_judges_as_it_was_judged(tiny: Dataset) -> None:
    """Stopped while the images are small, the model shrinks what it is given to what it was trained on."""
    import keras

    run = launch.start(
        tiny, replace(TINY, size=96, small_size=48, small_share=1.0, epochs=1, learning_rate=0.01)
    )
    train(run)
    model = keras.models.load_model(run.model_path, safe_mode=True, compile=False)
    assert model.get_layer("seen").height == 48
    metrics, report = run.metrics(), run.report()
    judged = metrics.set_index("epoch").loc[report["best_epoch"], "val_accuracy"]
    assert report["parts"]["val"]["accuracy"] == pytest.approx(judged, abs=0.12)  # one of nine images


def test_a_training_starts_from_another_run(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    """With next to no learning, a run that starts from another answers as that one; a misfit is refused in words."""
    tiny, first = trained.dataset(monkeypatch), trained.learned
    going_on = replace(TINY, epochs=1, weights=f"run:{first.name}", learning_rate=1e-7, weight_decay=0.0)
    second = launch.start(tiny, going_on)
    train(second)
    before, after, other = first.predictions(), second.predictions(), trained.run.predictions()
    assert np.array_equal(before.index, after.index) and np.array_equal(before.index, other.index)
    assert _distance(before, after) < 0.5 * _distance(before, other)
    with pytest.raises(InvalidValue, match="tiny of width 8"):
        launch.start(tiny, replace(going_on, width=16))
    with pytest.raises(NotFound, match=r"nobody.*Available"):
        launch.start(tiny, replace(going_on, weights="run:nobody"))


def test_weights_that_are_not_to_be_had_end_it_before_copies_are_drawn(tiny: Dataset, tmp_path: Path) -> None:
    """Copies may take an hour: first it is seen whether the training can begin at all."""
    (tmp_path / "torn.h5").write_bytes(b"nothing of the kind")
    run = launch.start(tiny, replace(TINY, copies="flip", weights=str(tmp_path / "torn.h5")))
    context = Quiet(run)
    from bloodapp.train.fit import work

    with pytest.raises(SourceError, match="does not hold the weights"):
        work({}, context)
    assert not any("copies" in words["text"] for words in context.said)
    assert not list(run.folder.glob("copies*"))


def _distance(one: Predictions, other: Predictions) -> float:
    return float(np.abs(one.probabilities - other.probabilities).mean())
