"""Tiny trainings in this process, for tests."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from bloodapp.runs.run import Run
from bloodapp.train.recipes import RECIPES

TINY = replace(
    RECIPES["balanced"],
    model="tiny",
    width=8,
    size=32,
    small_size=32,
    small_share=0.4,
    pipeline="flip|sometimes(0.5; brightness(0.1))",
    epochs=3,
    minutes=0.0,
    batch=8,
    val_share=0.2,
    test_share=0.2,
    label_smoothing=0.0,
    precision="float32",
)


class Quiet:
    """A job's context that remembers what it is told, and stops after so many words."""

    def __init__(self, run: Run, stop_after: int | None = None) -> None:
        self.folder: Path = run.folder
        self.said: list[dict[str, Any]] = []
        self.lines: list[str] = []
        self.stop_after = stop_after

    def progress(self, done: float, total: float | None, text: str = "", **extra: Any) -> None:
        """Remember."""
        self.said.append({"done": done, "text": text, **extra})

    def log(self, text: str) -> None:
        """Remember."""
        self.lines.append(text)

    def stopped(self) -> bool:
        """Whether it has been told enough."""
        return self.stop_after is not None and sum("step" in words for words in self.said) >= self.stop_after


def train(run: Run, stop_after: int | None = None) -> Quiet:
    """Do the run's work in this process."""
    from bloodapp.train.fit import work

    context = Quiet(run, stop_after)
    work({"run": run.name}, context)
    return context
