"""What a work function needs of the context that it is given; tests give it less than a job."""

from pathlib import Path
from typing import Any, Protocol


class Reporter(Protocol):
    """Where a job's work says how far it is, and hears whether to stop."""

    @property
    def folder(self) -> Path:
        """The job's folder; of a training the run's."""

    def progress(self, done: float, total: float | None, text: str = "", **extra: Any) -> None:
        """Say how far the work is."""

    def log(self, text: str) -> None:
        """Add a line to the log."""

    def stopped(self) -> bool:
        """Whether the user asked to stop."""

    def check(self) -> None:
        """Raise Stopped if the user asked to stop."""
