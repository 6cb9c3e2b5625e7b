"""Corruption suites worked out in this process by something that answers at once, for tests of whatever reads them."""

from pathlib import Path
from typing import Any

import numpy as np

from bloodapp.evaluate import suite
from bloodapp.runs.run import Run


class ByLight:
    """Answers by the pixels alone: the darker an image, the higher the class. Counts what it is asked.

    Attributes:
        size: side of the images.
        asked: how many images it has seen.
    """

    def __init__(self, size: int = 96, classes: int = 8) -> None:
        self.size, self.classes, self.asked = size, classes, 0

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Probabilities float32 (N, C), highest where the image's light lies between dark and bright."""
        self.asked += len(images)
        light = images.astype(np.float64).mean((1, 2, 3))
        place = (235 - light) / 60 * self.classes
        scores = np.exp(-((place[:, None] - np.arange(self.classes)) ** 2) / 4)
        return (scores / scores.sum(1, keepdims=True)).astype(np.float32)


class Told:
    """A job's context that remembers what it is told, and stops after so many words."""

    def __init__(self, folder: Path, stop_after: int | None = None) -> None:
        self.folder, self.stop_after = folder, stop_after
        self.said: list[tuple[Any, ...]] = []

    def progress(self, done: float, total: float | None, text: str = "") -> None:
        """Remember."""
        self.said.append((done, total, text))

    def stopped(self) -> bool:
        """Whether it has been told enough."""
        return self.stop_after is not None and len(self.said) >= self.stop_after


def give_file(run: Run, content: bytes = b"no model, but there") -> Run:
    """Put something where the model lies: what answers here never reads it."""
    run.model_path.write_bytes(content)
    return run


def judge(run: Run, part: str = "test", *, end: str = "done") -> suite.Suite:
    """Work the whole suite out, and leave its job in the given state."""
    job = suite.submit(run, part)
    suite.work(job.params, Told(job.folder), load=lambda run: ByLight(run.size, len(run.classes)))
    with job.held():
        job.write_status({"state": end, "attempt": 1})
    found = suite.find(run, part)
    assert found is not None
    return found
