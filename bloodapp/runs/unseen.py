"""Which images runs have learned from, and which none of several has: what they may be judged on together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from bloodapp.errors import NotFound
from bloodapp.runs.run import Run, open_run

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Unseen:
    """The images that every one of some runs kept aside.

    Attributes:
        index: int64 (N,), rows of the dataset, ascending.
        part: str (N,), `test` where it is in the test part of all, else `val`: it chose an epoch of at least one.
        labels: int64 (N,), as the run says that saw the most decisions.
        relabelled: how many of them have another label in another run.
    """

    index: Rows
    part: npt.NDArray[np.str_]
    labels: Rows
    relabelled: int

    def __len__(self) -> int:
        return len(self.index)


def learned(run: Run) -> Rows:
    """The rows that a run learned from, ascending; also those of the run that its weights came from.

    Of folds, which answer together, every image that any of them learned from. Weights of a run that is not here any
    more, or that learned from another dataset, say nothing about the rows of this one.
    """
    rows, seen, now = np.zeros(0, np.int64), {run.name}, run
    while True:
        split = now.split()
        rows = np.union1d(rows, split.loc[split["part"] == "train", "index"].to_numpy(np.int64))
        name = _started_from(now)
        if not name or name in seen:
            return rows
        seen.add(name)
        try:
            now = open_run(name)
        except NotFound:
            return rows
        if now.config["fingerprint"] != run.config["fingerprint"]:
            return rows


def unseen(runs: Sequence[Run]) -> Unseen:
    """The images in val or test of every run that none of them has learned from; the runs are of one dataset."""
    splits = [run.split().drop_duplicates("index").set_index("index") for run in runs]
    rows = splits[0].index.to_numpy(np.int64)
    for split in splits[1:]:
        rows = np.intersect1d(rows, split.index.to_numpy(np.int64))
    for run in runs:
        rows = np.setdiff1d(rows, learned(run))
    parts = np.stack([split.loc[rows, "part"].to_numpy(str) for split in splits])
    labels = [split.loc[rows, "label"].to_numpy(np.int64) for split in splits]
    chosen = labels[newest(runs)]
    other = np.any([each != chosen for each in labels], axis=0) if len(rows) else np.zeros(0, bool)
    part = np.where((parts == "test").all(0), "test", "val")
    return Unseen(rows, part, chosen, int(other.sum()))


def everything(runs: Sequence[Run], kept: Unseen) -> pd.DataFrame:
    """A split (index, part, label): `kept` as val and test, and as train what any of the runs learned from."""
    frames = [run.split()[["index", "label"]] for run in runs]
    order = [newest(runs), *(place for place in range(len(runs)) if place != newest(runs))]
    labels = (
        pd.concat([frames[place] for place in order]).drop_duplicates("index").set_index("index")["label"]
    )
    rows = np.intersect1d(
        np.unique(np.concatenate([learned(run) for run in runs])), labels.index.to_numpy(np.int64)
    )
    train = pd.DataFrame({"index": rows, "part": "train", "label": labels.loc[rows].to_numpy()})
    held = pd.DataFrame({"index": kept.index, "part": kept.part, "label": kept.labels})
    return pd.concat([train, held]).sort_values("index", ignore_index=True)


def newest(runs: Sequence[Run]) -> int:
    """The place of the run that saw the most decisions, the first of several."""
    seen = [-1 if run.before_decisions else int(run.config["seq"]) for run in runs]
    return seen.index(max(seen))


def _started_from(run: Run) -> str:
    recipe = run.config["recipe"]
    weights = str(recipe.get("weights") or "")
    return weights.removeprefix("run:") if weights.startswith("run:") else str(recipe.get("start_from") or "")
