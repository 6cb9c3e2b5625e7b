"""Runs side by side: what sets their configurations apart, their curves, and whether they were judged alike.

Metrics with intervals are no matter of this room: who shows a comparison takes them from `evaluate`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bloodapp.runs.predictions import Predictions
from bloodapp.runs.run import Run

PARTS = ("test", "val")
"""The parts that runs are judged on, the more honest one first."""

NONE = "–"
_UNSAID = ("name", "title", "why", "purpose", "pipeline")
"""Fields of a recipe that decide nothing, or are said otherwise."""


@dataclass(frozen=True, eq=False)
class Judged:
    """On what some runs were judged.

    Attributes:
        part: `test`, or `val` where one of them has no test part; empty where one has no results.
        same: whether all were judged on the same images with the same labels, so that they compare pair by pair.
        why: if they were not, or only on val, a sentence that says so; else empty.
        labels: int64 (N,), what counts as true; empty unless `same`.
        answers: each run's probabilities on these images, float32 (N, C), in one order; empty unless `same`.
        shifted: the same under the shift, for those that have it.
    """

    part: str
    same: bool
    why: str
    labels: npt.NDArray[np.int64]
    answers: dict[str, npt.NDArray[np.float32]]
    shifted: dict[str, npt.NDArray[np.float32]]


def differences(runs: Sequence[Run]) -> pd.DataFrame:
    """What the runs do not have in common: one row a field (the index), one column a run, in words.

    The fields of the recipe, the pipeline's text, the dataset and its fingerprint, the last decision taken into
    account, the images of each part, versions, computer and device. `–` where a run does not say.
    """
    facts = [_facts(run) for run in runs]
    fields = dict.fromkeys(field for each in facts for field in each)
    rows = {field: [each.get(field, NONE) for each in facts] for field in fields}
    names = [run.name for run in runs]
    kept = {field: values for field, values in rows.items() if len(set(values)) > 1}
    return pd.DataFrame.from_dict(kept, orient="index", columns=names)


def curves(runs: Sequence[Run], column: str = "val_accuracy") -> pd.DataFrame:
    """One column of the runs' metrics, by epoch: the index the epochs of any, a column a run, NaN where it has none."""
    found = {}
    for run in runs:
        metrics = run.metrics()
        if column in metrics:
            found[run.name] = metrics.set_index("epoch")[column].astype(float)
    return pd.DataFrame(found).sort_index().rename_axis("epoch")


def judged(runs: Sequence[Run]) -> Judged:
    """On what the runs were judged, by their files alone; reads the predictions of each once."""
    given = {run.name: run.predictions() for run in runs}
    if missing := [name for name, predictions in given.items() if predictions is None]:
        return _unlike("", f"'{missing[0]}' has no answers of its own to single images to compare.")
    known = {name: predictions for name, predictions in given.items() if predictions is not None}
    part = next(
        (part for part in PARTS if all((one.part == part).any() for one in known.values())),
        "",
    )
    if not part:
        return _unlike("", "They were judged on different parts: one on test, another on val alone.")
    if len({(run.config["fingerprint"], tuple(one.key for one in run.classes)) for run in runs}) > 1:
        return _unlike(
            part, "They were judged on different datasets, so that a difference says nothing of the runs."
        )
    chosen = [_sorted(one.only(part)) for one in known.values()]
    first, *others = chosen
    for name, other in zip(list(known)[1:], others, strict=True):
        if not np.array_equal(first.index, other.index):
            both = len(np.intersect1d(first.index, other.index))
            return _unlike(
                part,
                f"They were not judged on the same images: '{runs[0].name}' on {len(first):,} of the {part} part, "
                f"'{name}' on {len(other):,}, {both:,} of them the same. Their intervals count, not the difference.",
            )
        if not np.array_equal(first.label, other.label):
            changed = int((first.label != other.label).sum())
            return _unlike(
                part, f"Of the same images {changed:,} had another label when '{name}' was judged."
            )
    only_val = "They were compared on val, by which their best epochs were chosen." if part == "val" else ""
    answers = {name: one.probabilities for name, one in zip(known, chosen, strict=True)}
    shifted = {name: one.shifted for name, one in zip(known, chosen, strict=True) if one.shifted is not None}
    return Judged(part, True, only_val, first.label.astype(np.int64), answers, shifted)


def _unlike(part: str, why: str) -> Judged:
    return Judged(part, False, why, np.zeros(0, np.int64), {}, {})


def _sorted(predictions: Predictions) -> Predictions:
    order = np.argsort(predictions.index, kind="stable")
    shifted = None if predictions.shifted is None else predictions.shifted[order]
    return Predictions(
        predictions.index[order],
        predictions.part[order],
        predictions.label[order],
        predictions.probabilities[order],
        shifted,
    )


def _facts(run: Run) -> dict[str, str]:
    config = run.config
    facts = {"recipe": run.recipe}
    facts |= {name: _said(value) for name, value in config["recipe"].items() if name not in _UNSAID}
    facts["pipeline"] = _said(config.get("pipeline") or config["recipe"].get("pipeline"))
    facts["series"] = run.made_of or "one training"
    facts["dataset"] = run.dataset
    facts["fingerprint"] = str(config["fingerprint"])[:12]
    facts["decisions"] = "as given" if run.before_decisions else f"up to {config['seq']}"
    counts = run.split()["part"].value_counts()
    facts |= {f"{part} images": f"{counts.get(part, 0):,}" for part in ("train", "val", "test")}
    facts |= {f"{name} version": _said(value) for name, value in config.get("versions", {}).items()}
    facts["computer"] = _said(config.get("computer"))
    facts["device"] = _said((run.report() or {}).get("device"))
    return facts


def _said(value: Any) -> str:
    if value is None or value == "":
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
