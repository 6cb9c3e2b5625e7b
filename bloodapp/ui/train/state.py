"""A run's state, readings and kept epoch in words, wherever runs are shown."""

from html import escape

from bloodapp import workspace
from bloodapp.errors import BloodappError
from bloodapp.runs.readings import moment_words, read_words
from bloodapp.runs.run import Run

__all__ = ["STATES", "best_epoch", "chip", "moment_words", "read_words"]

STATES = {
    "queued": "waiting",
    "running": "training",
    "working": "at work",
    "done": "done",
    "failed": "failed",
    "stopped": "stopped",
    "interrupted": "interrupted",
}
"""A run's states as people read them."""


def chip(state: str) -> str:
    """A run's state as a small coloured word, HTML."""
    return f'<span class="run-state {escape(state)}">{escape(STATES.get(state, state))}</span>'


def best_epoch(run: Run) -> int | None:
    """The epoch whose weights are kept so far, counted from 1; None before the first has ended."""
    report = run.report()
    if report and report.get("best_epoch"):
        return int(report["best_epoch"])
    try:
        kept = workspace.read_json(run.folder / "checkpoints" / "state.json").get("best_epoch")
    except (OSError, BloodappError):
        return None
    return int(kept) if kept else None
