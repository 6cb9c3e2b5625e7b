"""How often a run's test part was read, in words: a test that is read again and again stops being one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any


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
    if "combined_in_s" in report:  # only finished runs put together have it, and these were judged before
        return (
            f"{what} was read {_times(reads)} by the whole{last}, after each of its members had been judged on "
            "these images: where the members were chosen by that, its figures are too good."
        )
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
    return "once" if number == 1 else f"{number:,} times"
