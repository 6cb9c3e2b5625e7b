"""The one bridge between Keras and a job: batches and epochs become status and metrics, and `stop` is heard."""

import math
import time
from collections.abc import Callable
from typing import Any

import keras


def learning_rate(progress: float, peak: float, warmup: float) -> float:
    """The rate at a share of the training: linear rise to `peak` at `warmup`, then a cosine to zero."""
    if progress < warmup:
        return peak * max(progress / warmup, 0.02)
    return peak * max(0.5 * (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup))), 1e-3)


class Progress(keras.callbacks.Callback):
    """Sets the learning rate by the share done, of steps or of time, whichever is further; reports; stops."""

    def __init__(
        self,
        *,
        rate: Callable[[float], float],
        steps: int,
        epochs: int,
        seconds: float,
        spent: float,
        report: Callable[[dict[str, Any]], None],
        stopped: Callable[[], bool],
        epoch_end: Callable[[int, dict[str, float]], bool],
    ) -> None:
        super().__init__()
        self.rate, self.steps, self.epochs = rate, steps, epochs
        self.seconds, self.begun = seconds, time.monotonic() - spent
        self.report, self.stopped, self.epoch_end = report, stopped, epoch_end
        self.epoch = self.step = 0

    def elapsed(self) -> float:
        """Seconds of training so far, those before a continuation counted in."""
        return time.monotonic() - self.begun

    def share_done(self, epoch: int, step: int = 0) -> float:
        """The share of the training that is done, 0–1."""
        by_steps = (epoch * self.steps + step) / (self.epochs * self.steps)
        return min(max(by_steps, self.elapsed() / self.seconds if self.seconds else 0.0), 1.0)

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Remember where we are; the epoch's speed counts from here."""
        self.epoch, self.step, self.epoch_begun = epoch, 0, time.monotonic()

    def on_train_batch_begin(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Set the learning rate of the step."""
        self.model.optimizer.learning_rate = self.rate(self.share_done(self.epoch, batch))

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Report the step; end the training when stopped or out of time."""
        self.step = batch + 1
        share = self.share_done(self.epoch, self.step)
        self.report(
            {
                "share": share,
                "step": self.step,
                "epoch": self.epoch + 1,
                "elapsed": self.elapsed(),
                **(logs or {}),
            }
        )
        if self.stopped() or (self.seconds and share >= 1.0):
            self.model.stop_training = True

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Hand the epoch over to be judged, with the steps and seconds it took; the judge says whether to go on."""
        seconds = time.monotonic() - self.epoch_begun
        if not self.epoch_end(self.step, {**(logs or {}), "seconds": seconds}):
            self.model.stop_training = True
