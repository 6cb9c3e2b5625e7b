"""The learning-rate finder: the loss along exponentially rising learning rates.

Smith, "Cyclical Learning Rates for Training Neural Networks", 2017. What is tried is the recipe's own: its network
from its weights, the layers that learn in its first phase, its optimizer and loss, its images from its pipeline. Only
the run's own copies (`copies`, `balance`) are not drawn: a hundred steps would not see many of them. Classes are
weighed as they are without them.
"""

from typing import Any

import keras
import numpy as np

from bloodapp.augment.pipelines import resolve
from bloodapp.augment.staining import for_pipeline
from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.errors import Stopped
from bloodapp.jobs.reporter import Reporter
from bloodapp.train import devices, feed, finder, learning, models, phases, shortage, weights
from bloodapp.train.finder import Floats, Rates
from bloodapp.train.launch import plan_split
from bloodapp.train.recipe import Recipe
from bloodapp.train.settings import from_settings
from bloodapp.train.weighing import class_weights


def work(params: dict[str, Any], context: Reporter) -> dict[str, Any]:
    """The job `rates`: params dataset, recipe (its settings) and optionally steps. Leaves rates.json in its folder."""
    recipe, dataset = from_settings(params["recipe"]), open_dataset(params["dataset"])
    with shortage.explained(recipe.batch, context):
        found = search(dataset, recipe, context, steps=int(params.get("steps", finder.STEPS)))
    finder.write(context.folder, found)
    return {"suggested": found.suggested}


def search(dataset: Dataset, recipe: Recipe, context: Reporter, *, steps: int = finder.STEPS) -> Rates:
    """Train the recipe's network with rising rates and suggest one; raises Stopped, and InvalidValue without any."""
    context.progress(0, steps, "Preparing the network")
    device = devices.prepare(recipe)
    split, _ = plan_split(dataset, recipe)
    train = split[split["part"] == "train"]
    rows, labels = train["index"].to_numpy(np.int64), train["label"].to_numpy(np.int64)
    classes = len(dataset.classes)
    shares = np.zeros((len(dataset), classes), np.float32)
    shares[rows, labels] = 1
    per_class = class_weights(recipe.class_weights, labels, [each.key for each in dataset.classes])
    with device.scope():
        model = models.build(recipe, classes, any_size=True)
    if recipe.weights != "none":
        weights.load(
            model, recipe, lambda done, total, text: context.progress(0, steps, text), dataset.classes
        )
    learning.begin(model, recipe, phases.parse(recipe.phases)[0], device)
    stains = for_pipeline(dataset, resolve(recipe.pipeline))
    trial = _Trial(finder.rising(steps), context)
    model.fit(
        feed.training_batches(dataset.images, rows, shares, recipe, recipe.size, lambda: 0, stains),
        # An epoch of one step: its loss is that of one batch, and not the mean of all before.
        steps_per_epoch=1,
        epochs=steps,
        class_weight=None if per_class is None else dict(enumerate(per_class.tolist())),
        callbacks=[trial],
        shuffle=False,
        verbose=0,
    )
    if context.stopped():
        raise Stopped("Stopped: no learning rate is suggested.")
    context.progress(steps, steps, "Done")
    losses = np.asarray(trial.losses)
    return finder.suggest(trial.rates[: len(losses)], losses)


class _Trial(keras.callbacks.Callback):
    """Sets the rate of each step and keeps its loss, until the loss has left for good.

    Attributes:
        rates: float64 (N,), rising.
        losses: those of the steps done.
    """

    def __init__(self, rates: Floats, context: Reporter) -> None:
        super().__init__()
        self.rates, self.losses = rates, list[float]()
        self._context = context

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """The next rate."""
        self.model.optimizer.learning_rate = float(self.rates[epoch])

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keep the loss, and look whether to go on."""
        self.losses.append(float((logs or {}).get("loss", np.nan)))
        self._context.progress(epoch + 1, len(self.rates), f"Learning rate {self.rates[epoch]:.1e}")
        if self._context.stopped() or finder.diverged(np.asarray(self.losses)):
            self.model.stop_training = True
