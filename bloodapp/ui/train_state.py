"""A run's state, readings and kept epoch in words, wherever runs are shown."""

from collections.abc import Mapping
from datetime import datetime
from html import escape
from typing import Any

from bloodapp import workspace
from bloodapp.errors import BloodappError
from bloodapp.runs.run import Run
from bloodapp.ui.text import count

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


def read_words(report: Mapping[str, Any], what: str = "The test part") -> str:
    """How often `what`, the test part, was read, and when last, as a sentence; empty where there is none."""
    reads, moment = int(report.get("test_reads") or 0), moment_words(report.get("test_read"))
    if not reads:
        return ""
    series = report.get("series") or {}
    networks = len(series.get("finished", []))
    together = int(series.get("own_reads") or 0)
    last = f", {moment}" if moment else ""
    if networks > 1 and reads - together == networks:
        more = f", and under white noise {_times(together)} by all together" if together else ""
        return f"{what} was read by {networks} networks, once each after its training{more}{last}."
    if reads == 1:
        return f"{what} was read once, after the training{last}."
    return (
        f"{what} was read {_times(reads)}, last {moment or 'after the training'}: "
        "a test that is read again and again stops being one."
    )


def moment_words(moment: Any) -> str:
    """`on 21 November 2026 at 20:15 UTC`; empty for what is no moment."""
    try:
        then = datetime.fromisoformat(str(moment).replace("Z", "+00:00"))
    except ValueError:
        return ""
    return f"on {then.day} {then:%B %Y at %H:%M} UTC"


def _times(number: int) -> str:
    return "once" if number == 1 else count(number, "time")


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
