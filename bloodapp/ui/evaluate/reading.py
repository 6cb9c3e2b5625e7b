"""What the views of the Evaluate page draw from, and how they ask for a choice."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import streamlit as st

from bloodapp.data.dataset import Dataset
from bloodapp.evaluate.evaluate import Judgement, judgement
from bloodapp.evaluate.metrics import Comparison
from bloodapp.runs.origin import dataset_of
from bloodapp.runs.predictions import FILE as PREDICTIONS
from bloodapp.runs.run import Run, open_run
from bloodapp.ui import state

PARTS = {"test": "Test part", "val": "Validation part"}


@dataclass(frozen=True, eq=False)
class Reading:
    """What the views draw from.

    Attributes:
        run: the run on show.
        part: `test` or `val`.
        result: its labels and answers on that part.
        comparison: clean and shifted accuracy with intervals.
        dataset: the dataset the images lie in, or None when it is not here.
    """

    run: Run
    part: str
    result: Judgement
    comparison: Comparison
    dataset: Dataset | None


def read(run: Run, part: str) -> Reading:
    """What a run said about a part of its dataset; remembered until the run writes its predictions anew."""
    stamp = (run.folder / PREDICTIONS).stat().st_mtime_ns
    result, comparison = _judged(str(run.folder), stamp, part)
    return Reading(run, part, result, comparison, dataset_of(run))


@lru_cache(maxsize=8)
def _judged(folder: str, stamp: int, part: str) -> tuple[Judgement, Comparison]:
    del stamp  # part of the key only: a continued run writes its predictions anew
    result = judgement(open_run(Path(folder)), part)
    return result, result.comparison()


def choose(name: str, options: dict[str, str], label: str, *, forget: tuple[str, ...] = ()) -> str:
    """One of `options` (value: title) as a row of buttons, kept in the address; the first is the default.

    A single option is not shown. Another choice takes those to `forget` out of the address.
    """
    default = next(iter(options))
    current = state.get(name)
    current = current if current in options else default
    if len(options) == 1:
        return current
    key = f"choice-{name}"
    state.show(key, current)

    def keep() -> None:
        picked = st.session_state[key]
        state.put_together({name: None if picked == default else picked, **dict.fromkeys(forget)})

    st.segmented_control(
        label,
        list(options),
        format_func=lambda value: options[value],
        key=key,
        on_change=keep,
        required=True,
        label_visibility="collapsed",
    )
    return current
