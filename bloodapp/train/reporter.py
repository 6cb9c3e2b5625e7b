"""What the work of this room needs of a job's context."""

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
