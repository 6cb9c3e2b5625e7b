"""Kinds of jobs whose trainings cost nothing: the series is the real one, what it trains is made up."""

import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bloodapp.errors import BloodappError, Stopped
from bloodapp.jobs.runner import run_child
from bloodapp.runs.predictions import write_predictions
from bloodapp.runs.run import open_run
from bloodapp.train import series
from bloodapp.workspace import write_json
from tests.made import predictions, report

TABLE = "tests.train.series_kinds:KINDS"


def series_work(params: dict[str, Any], context: Any) -> dict[str, Any]:
    """The real series over these kinds, each training in a process of its own."""
    return series.perform(context, partial(run_child, table=TABLE))


def train(params: dict[str, Any], context: Any) -> dict[str, Any]:
    """Leave what a training leaves; wait for `go` and fail for `fail` beside the run's folder, if they are there."""
    run = open_run(context.folder.name)
    with (run.folder / "began").open("a") as stream:
        stream.write("|")
    context.progress(1, 2, "Epoch 1", epoch=1, epochs=2)
    wait, fail = (run.folder.with_name(f"{what}-{run.name}") for what in ("wait", "fail"))
    while wait.exists():
        context.check()
        time.sleep(0.01)
    if fail.exists():
        context.progress(1, 2, smaller_batch=4)
        raise BloodappError("Memory ran out: take a smaller batch.")
    split = run.split()
    rows = split[split["part"] != "train"]
    rng = np.random.default_rng(int(run.config["recipe"]["seed"]))
    made = predictions(rows["index"], rows["part"], rows["label"], len(run.classes), (0.7, 0.5), rng)
    write_predictions(run.folder, made)
    write_json(run.folder / "report.json", {**report(made, 2), "images_per_s": 10.0, "seconds": 1.0})
    run.model_path.write_bytes(b"no model")
    if context.stopped():
        raise Stopped("Stopped; the best epoch was kept.")
    return {}


def wait_for(run: Path, wait: bool = True) -> None:
    """Make the run's training wait, or let it go on."""
    path = run.with_name(f"wait-{run.name}")
    path.touch() if wait else path.unlink()


KINDS = {"series": series_work, "train": train}
