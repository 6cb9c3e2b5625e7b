"""Puts finished runs together into one network, judges it on images that none of them has learned from.

What comes of it is a run like any other, which needs its members no more. Killed, it is begun again: nothing of it is
there before all of it is.
"""

import time
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from bloodapp import workspace
from bloodapp.augment.corruptions import DRAWS
from bloodapp.errors import InvalidValue, Stopped
from bloodapp.jobs.reporter import Reporter
from bloodapp.runs.origin import dataset_of
from bloodapp.runs.predictions import write_predictions
from bloodapp.runs.run import open_run
from bloodapp.train import devices
from bloodapp.train.ensemble import ensemble
from bloodapp.train.judge import PREDICT_BATCH
from bloodapp.train.members import VIEWS, members, networks
from bloodapp.train.recipes import DEFAULT, RECIPES
from bloodapp.train.results import answers, scores

_BUILT = 0.1  # of the progress; reading the images is the rest


def work(params: dict[str, Any], context: Reporter) -> dict[str, Any]:
    """Build, save and judge the run whose folder the context names; returns its scores.

    Raises InvalidValue where a member or the images are gone, Stopped when asked.
    """
    context.progress(0, 1, "Putting the networks together")
    run = open_run(context.folder.name)
    told, dataset, parts_of = run.config["combined"], dataset_of(run), members(run)
    if dataset is None:
        raise InvalidValue(f"The images to judge it on are not here: import '{run.dataset}' again.")
    begun = time.monotonic()
    devices.prepare(replace(RECIPES[DEFAULT], precision="float32", device="auto"))
    built = ensemble([one.model_path for one in parts_of], told["how"], flips=told["tta"])
    with workspace.replacing(run.model_path) as path:
        built.save(path)
    # What is judged is what lies there, opened as everybody opens it.
    model = keras.models.load_model(run.model_path, compile=False, safe_mode=True)
    split = run.split()
    labels = np.full(len(dataset), -1, np.int64)
    labels[split["index"]] = split["label"]
    rows = {part: split.loc[split["part"] == part, "index"].to_numpy(np.int64) for part in ("val", "test")}
    reading = time.monotonic()

    def said(read: int, of: int) -> None:
        if context.stopped():
            raise Stopped("Stopped before all images were read: nothing was kept.")
        context.progress(
            round(_BUILT + (1 - _BUILT) * read / of, 5), 1, f"Reading images, {read:,} of {of:,}"
        )

    context.progress(_BUILT, 1, "Reading images")
    given = answers(model, dataset.images, labels, rows, run.size, said, block=PREDICT_BATCH)
    write_predictions(run.folder, given)
    parts = {
        part: scores(given, given.part == part, len(run.classes))
        for part in ("val", "test")
        if (given.part == part).any()
    }
    reports = [one.report() or {} for one in parts_of]
    report = {
        "parts": parts,
        "best_epoch": None,
        "epochs": 0,
        "images_per_s": None,
        "answers_per_s": 2 * len(given) / max(time.monotonic() - reading, 1e-6),
        "asked": sum(map(networks, parts_of)) * (VIEWS if told["tta"] else 1),
        "seconds": sum(each.get("seconds") or 0.0 for each in reports),
        "combined_in_s": time.monotonic() - begun,
        "device": devices.name(),
        "memory_mib": None,
        "gpu_memory_mib": None,
        "parameters": model.count_params(),
        "trainable_parameters": None,
        "stopped_in_first_epoch": False,
        "shift": DRAWS,
        "test_read": workspace.now() if "test" in parts else None,
        "test_reads": int("test" in parts),
    }
    workspace.write_json(run.folder / "report.json", report)
    return {"run": run.name, **parts}
