"""The one bridge between Keras and a job: steps and epochs become status, and `stop` is heard."""

import time
from collections.abc import Callable
from typing import Any

import keras

READ_EVERY_S = 0.5


class Progress(keras.callbacks.Callback):
    """Sets the learning rate of each step, reports how far the training is, and ends it when asked.

    All is done as a step begins, about the steps before it: whoever looks at a step's end makes Keras wait for its
    results, on a GPU before it may prepare the next. The running loss is read twice a second only.

    Attributes:
        begun: when the training would have begun had it never been interrupted.
        step: steps of this epoch that are done, or will be when the one at work is.
    """

    def __init__(
        self,
        *,
        steps: int,
        spent: float,
        step_begins: Callable[[int, float], bool],
        report: Callable[[int, dict[str, float]], None],
        epoch_end: Callable[[int, dict[str, float]], bool],
    ) -> None:
        """Take the hooks.

        `step_begins(step, elapsed)` before each step says whether to go on after it; `report(step, logs)` hears of each
        step done; `epoch_end(steps, logs)` judges the epoch and says whether to go on in this fit.
        """
        super().__init__()
        self.steps, self.begun = steps, time.monotonic() - spent
        self.step_begins, self.report, self.epoch_end = step_begins, report, epoch_end
        self.step, self.epoch_begun = 0, time.monotonic()
        self._logs: dict[str, float] = {}
        self._read = 0.0

    def elapsed(self) -> float:
        """Seconds of training so far, those before a continuation counted in."""
        return time.monotonic() - self.begun

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """The epoch's speed counts from here."""
        self.step, self.epoch_begun, self._read = 0, time.monotonic(), time.monotonic()

    def on_train_batch_begin(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Report the steps before this one and set its learning rate."""
        if batch:
            self.report(batch, self._logs_now())
        self.step = batch + 1
        if not self.step_begins(batch, self.elapsed()):
            self.model.stop_training = True

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Hand the epoch over to be judged, with the steps and seconds it took."""
        seconds = time.monotonic() - self.epoch_begun
        self._logs = dict(logs or {})
        self.report(self.step, self._logs)
        if not self.epoch_end(self.step, {**self._logs, "seconds": seconds}):
            self.model.stop_training = True

    def _logs_now(self) -> dict[str, Any]:
        if time.monotonic() - self._read >= READ_EVERY_S:
            self._read = time.monotonic()
            self._logs = {name: float(value) for name, value in self.model.get_metrics_result().items()}
        return self._logs
