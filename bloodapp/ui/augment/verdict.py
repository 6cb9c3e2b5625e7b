"""What the safety meter has found, in words: as sure as its intervals are, and no surer."""

from collections.abc import Iterable
from html import escape

import numpy as np

from bloodapp.augment.strengths import capped
from bloodapp.evaluate.safety import STRENGTHS, Curve, Safety
from bloodapp.ui.augment.sweep import times
from bloodapp.ui.text import count

_SIDES = {1: "clearly over", 0: "about at", -1: "clearly under"}


def verdict(result: Safety, run: str, threshold: float, trained: str) -> str:
    """What to think of a pipeline, as HTML.

    Args:
        result: what is known so far.
        run: the name of the run that was asked.
        threshold: the share of changed answers beyond which images count as destroyed.
        trained: under what that run was trained.
    """
    whole, at = result.whole, STRENGTHS.index(1.0)
    if not whole.measured[at]:
        return f"<b>Asking {escape(run)}…</b>"
    said = [
        f"At what the pipeline says, <b>{100 * whole.flips()[at, 0]:.0f} %</b> of the answers change, "
        f"{_SIDES[whole.sides(threshold)[at]]} the limit of {100 * threshold:.0f} % ({_interval(whole, at)}), and the "
        f"run is {_points(float(whole.falls()[at, 0]))}."
    ]
    if not whole.measured.all():
        return said[0]
    said += [
        _beyond(whole, threshold),
        _bounded(whole, threshold),
        _alone(result, threshold),
        f"<span>It is the model’s limit as well as the image’s: this run was trained under {escape(trained)}, and one "
        "that never saw such changes gives way earlier.</span>",
    ]
    return " ".join(part for part in said if part)


def notes(result: Safety) -> str:
    """How it was measured, in plain text."""
    said = [
        f"{count(len(result.index), 'image')}, even over the classes; on the originals the run is right on "
        f"{100 * result.clean:.0f} %.",
        "Each operation is asked alone, on every image. Red: clearly over the limit, with its whole 95 % interval.",
    ]
    mixing = list(dict.fromkeys(curve.name for curve in result.curves[1:] if curve.mixes))
    if mixing:
        said.append(
            f"{_listed(mixing)} {'puts' if len(mixing) == 1 else 'put'} two images into one: the answer on the one "
            "with the larger share counts as the original’s."
        )
    return " ".join(said)


def _beyond(whole: Curve, threshold: float) -> str:
    """Where the whole pipeline begins to destroy."""
    sides, strongest = whole.sides(threshold), times(STRENGTHS[-1])
    destroyed = whole.destroyed_at(threshold)
    if destroyed is None:
        if (sides < 0).all():
            return f"Up to {strongest} it stays clearly under: for this run nothing is destroyed yet."
        most = int(np.argmax(whole.flips()[:, 0]))
        return (
            f"Up to {strongest} it is never clearly over, for this run; most change at {times(STRENGTHS[most])}, about "
            f"at the limit ({_interval(whole, most)})."
        )
    if sides[STRENGTHS.index(destroyed)] > 0:
        begins = f"From <b>{times(destroyed)}</b> on it is clearly over"
        return f"{begins}: there “augmented” becomes “destroyed” for this run."
    over = np.flatnonzero(sides > 0)
    clearly = f"from {times(STRENGTHS[over[0]])} on" if len(over) else f"at no strength up to {strongest}"
    return (
        f"By the estimate “augmented” becomes “destroyed” for this run from <b>{times(destroyed)}</b> on; it is "
        f"clearly over {clearly}."
    )


def _bounded(whole: Curve, threshold: float) -> str:
    """That the strongest is not as strong as it is called, where that matters to the verdict."""
    names = capped(whole.pipeline, STRENGTHS[-1])
    destroyed = whole.destroyed_at(threshold)
    if not names or (destroyed is not None and destroyed <= 1):
        return ""
    limit = "is at its limit" if len(names) == 1 else "are at their limit"
    return f"{times(STRENGTHS[-1])} is not twice as strong here: {_listed(names)} {limit}."


def _alone(result: Safety, threshold: float) -> str:
    """The operations that destroy on their own at what the pipeline says."""
    at = STRENGTHS.index(1.0)
    parts = [curve for curve in result.ranked() if curve.pipeline != result.whole.pipeline]
    over = [curve for curve in parts if curve.flips()[at, 0] > threshold]
    said = []
    for side in (1, 0):
        names = [
            f"{curve.name} ({100 * curve.flips()[at, 0]:.0f} %)"
            for curve in over
            if curve.sides(threshold)[at] == side
        ]
        if names:
            said.append(f"{_listed(names)} {'is' if len(names) == 1 else 'are'} {_SIDES[side]}")
    return f"Alone and at × 1 {', and '.join(said)} the limit of {100 * threshold:.0f} %." if said else ""


def _interval(curve: Curve, place: int) -> str:
    _, low, high = curve.flips()[place]
    return f"95 %: {100 * low:.0f}–{100 * high:.0f} %"


def _points(fall: float) -> str:
    points = round(100 * abs(fall))
    if points == 0:
        return "as sure as before"
    return f"{points} point{'' if points == 1 else 's'} {'less' if fall > 0 else 'more'} sure"


def _listed(names: Iterable[str]) -> str:
    """`a, b and c`, each once."""
    *before, last = dict.fromkeys(names)
    return f"{', '.join(before)} and {last}" if before else last
