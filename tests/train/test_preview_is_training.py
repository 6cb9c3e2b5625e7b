"""The batch that trains is the batch previewed, bit for bit, through the real trainer."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from bloodapp import jobs
from bloodapp.augment.preview import preview
from bloodapp.data.dataset import Dataset
from bloodapp.runs.run import Run
from bloodapp.train import launch
from bloodapp.train.recipe import Recipe
from bloodapp.train.recipes import RECIPES

OWN = "stain(0.3)|corrupt(any, 2)|jitter(0.1, 0.2, 0.2, 0.03)|hue(0.1)|edges(0.2)"

RECIPE = replace(
    RECIPES["balanced"],
    model="tiny",
    width=8,
    size=96,
    small_size=96,
    epochs=2,
    minutes=0.0,
    batch=8,
    val_share=0.2,
    test_share=0.0,
    precision="float32",
    deterministic=True,
    seed=5,
)


@dataclass
class Seen:
    """What a training's `model.fit` received.

    Attributes:
        run: the training.
        batches: images float32 and label weights, in order.
    """

    run: Run
    batches: list[tuple[np.ndarray, np.ndarray]]


@pytest.fixture(autouse=True)
def plain_tensorflow() -> Iterator[None]:
    """Determinism is a mode of the process: what a training's own child would end with is undone."""
    yield
    from tensorflow.python.framework import config

    config.disable_op_determinism()


def trained(run: Run, monkeypatch: pytest.MonkeyPatch, stop_after: int | None = None) -> Seen:
    """Do the run's queued job, as a worker does, and keep what comes out of its feed on the way to the model."""
    import tensorflow as tf

    from bloodapp.train import feed

    seen = Seen(run, [])
    real = feed.training_batches

    def recorded(*arguments: Any, **more: Any) -> tf.data.Dataset:
        def keep(images: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            seen.batches.append((images.copy(), labels.copy()))
            return images, labels

        def pass_on(images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            kept = tf.numpy_function(keep, [images, labels], (tf.float32, tf.float32))
            return tuple(tf.ensure_shape(k, one.shape) for k, one in zip(kept, (images, labels), strict=True))

        # One at a time and after the feed's own prefetching: what comes here is what the model gets, in order.
        return real(*arguments, **more).map(pass_on, num_parallel_calls=1)

    with monkeypatch.context() as patch:
        patch.setattr(feed, "training_batches", recorded)
        if stop_after is not None:
            _stopping(patch, stop_after)
        performed = jobs.step()
    assert performed is not None and performed.id == run.job.id
    assert performed.state() == ("done" if stop_after is None else "stopped"), performed.status()
    return seen


def _stopping(patch: pytest.MonkeyPatch, after: int) -> None:
    """Let the user ask for a stop while so many epochs are trained and the last of them is judged."""
    from bloodapp.train import fit

    judged = fit._Training._epoch_end

    def ending(self: Any, model: Any, steps: int, logs: dict[str, float]) -> bool:
        if self.course.epoch + 1 == after:
            jobs.request_stop(self.run.job)
        return judged(self, model, steps, logs)

    patch.setattr(fit._Training, "_epoch_end", ending)


def previewed(dataset: Dataset, run: Run, recipe: Recipe) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The run's batches as a preview draws them, epoch after epoch, without end."""
    from bloodapp.train.feed import epoch_batches

    split = run.split()
    train = split[split["part"] == "train"]
    labels = dict(zip(train["index"], train["label"], strict=True))
    stains = run.config.get("stains")
    for epoch in itertools.count():
        for place, rows in enumerate(epoch_batches(train["index"].to_numpy(np.int64), recipe, epoch)):
            yield preview(
                dataset.images[rows],
                np.array([labels[row] for row in rows]),
                len(run.classes),
                run.config["pipeline"],
                recipe.seed,
                stains=None if stains is None else np.asarray(stains),
                epoch=epoch,
                batch=place,
            )


def weights(run: Run) -> list[np.ndarray]:
    """The weights of the run's model."""
    import keras

    model = keras.models.load_model(run.model_path, safe_mode=True, compile=False)
    return [np.asarray(one) for one in model.get_weights()]


@pytest.mark.parametrize("pipeline", ["robust", "r1", "r3hard", "r4", OWN])
def test_what_trains_is_what_is_previewed(
    tiny: Dataset, monkeypatch: pytest.MonkeyPatch, pipeline: str
) -> None:
    """Every batch that the model receives in two epochs equals its preview: pixels and label weights, to the bit."""
    recipe = replace(RECIPE, pipeline=pipeline, block=16 if pipeline == "r1" else 0)
    seen = trained(launch.start(tiny, recipe), monkeypatch)
    steps = int((seen.run.split()["part"] == "train").sum()) // recipe.batch
    assert steps >= 3 and len(seen.batches) >= 2 * steps
    assert (seen.run.config.get("stains") is not None) == (pipeline == OWN)
    pairs = zip(seen.batches[: 2 * steps], previewed(tiny, seen.run, recipe), strict=False)
    for (images, labels), (drawn, mixed) in pairs:
        assert np.array_equal(images, drawn.astype(np.float32))
        assert np.array_equal(labels, mixed)
    first, later = seen.batches[0][0], seen.batches[steps][0]
    assert not np.array_equal(first, later)


def test_a_continued_run_goes_on_with_the_batches_it_would_have_had(
    tiny: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped after its first epoch and continued, a run's second epoch is that of one that was never stopped."""
    recipe = replace(RECIPE, pipeline="flip|rotate(180)|noise(20)|cutmix")
    run = launch.start(tiny, recipe)
    steps = int((run.split()["part"] == "train").sum()) // recipe.batch
    before = trained(run, monkeypatch, stop_after=1)
    assert len(run.metrics()) == 1
    jobs.resume(run.job)
    after = trained(run, monkeypatch)
    assert run.metrics()["epoch"].tolist() == [1, 2]
    received = before.batches[:steps] + after.batches[:steps]
    for (images, labels), (drawn, mixed) in zip(received, previewed(tiny, run, recipe), strict=False):
        assert np.array_equal(images, drawn.astype(np.float32)) and np.array_equal(labels, mixed)


def test_deterministic_training_repeats_to_the_last_bit(
    tiny: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two runs of one recipe end with the same weights, metrics and predictions."""
    recipe = replace(RECIPE, pipeline="flip|rotate(20)|noise(12)|mixup", epochs=1)
    one, other = (trained(launch.start(tiny, recipe), monkeypatch).run for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(weights(one), weights(other), strict=True))
    assert one.metrics()["loss"].tolist() == other.metrics()["loss"].tolist()
    assert np.array_equal(one.predictions().probabilities, other.predictions().probabilities)


@pytest.mark.parametrize("block", [0, 7])
@pytest.mark.parametrize(("rows", "batch"), [(38, 8), (40, 8), (5, 8), (64, 64)])
def test_an_epoch_takes_every_row_once(rows: int, batch: int, block: int) -> None:
    """But for those too few to fill a batch; fewer rows than a batch are repeated to fill one. Each epoch anew."""
    from bloodapp.train.feed import epoch_batches

    recipe = replace(RECIPE, batch=batch, block=block)
    train = np.random.default_rng(0).permutation(200)[:rows]
    epochs = [list(epoch_batches(train, recipe, epoch)) for epoch in (0, 1, 0)]
    for batches in epochs:
        assert len(batches) == max(1, rows // batch) and all(len(one) == batch for one in batches)
        taken = np.concatenate(batches)
        assert set(taken) <= set(train)
        if rows >= batch:
            assert len(np.unique(taken)) == len(taken) == rows - rows % batch
        else:
            assert set(taken) == set(train)
    same = [np.array_equal(np.concatenate(epochs[0]), np.concatenate(one)) for one in epochs[1:]]
    assert same == [False, True]
