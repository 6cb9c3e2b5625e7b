"""A series of trainings as one job: folds that answer together, repeats with other seeds, or the trials of a search.

The job performs the trainings of a parent run one after another, each in a process of its own, and puts together what
they leave. It waits in the lane of trainings, so that no server begins another meanwhile. All it knows is in the
folders: continued, it keeps what is done, watches what still works, continues what was cut off, and begins the rest.

The test part is read by each training once, after it has ended, and chooses nothing: every fold votes, every repeat
counts. The report adds these readings up; what folds answer together is put together of what each had read, but for
white noise, under which their common network reads the part once more.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bloodapp import workspace
from bloodapp.data.dataset import open_dataset
from bloodapp.errors import BloodappError, Stopped
from bloodapp.jobs.reporter import Reporter
from bloodapp.jobs.runner import run_child
from bloodapp.runs.predictions import Predictions, write_predictions
from bloodapp.runs.run import Run, open_run
from bloodapp.train import search
from bloodapp.train.launch import FOLDS
from bloodapp.train.part import TRAINING_SHARE, Launch, Training
from bloodapp.train.recipe import Recipe
from bloodapp.train.settings import from_settings
from bloodapp.train.voting import together

Parts = dict[str, dict[str, Any]]


def work(params: dict[str, Any], context: Reporter) -> dict[str, Any]:
    """Train the series whose parent's folder the context names; returns its headline scores.

    Raises what a training failed with, in its words, and Stopped after a stop, when what there is has been put
    together.
    """
    return perform(context, run_child)


def perform(context: Reporter, launch: Launch) -> dict[str, Any]:
    """`work`, with each training performed by `launch`, which returns when its process has ended."""
    context.progress(0, 1, "Starting", smaller_batch=None)  # whatever an earlier try may have said
    run = open_run(context.folder.name)
    if run.series == search.SEARCH:
        return search.perform(run, context, launch)
    trainings = whole(run)
    for place, child in enumerate(trainings):
        if context.stopped():
            break
        if child.state() != "done":
            one = run.series.removesuffix("s").capitalize()
            title = f"{one} {place + 1} of {len(trainings)}"
            Training(child, place, len(trainings), context, title).train(launch)
    finished = [child for child in trainings if child.finished]
    if not finished:
        raise Stopped("Stopped before there was anything to keep.")
    context.progress(TRAINING_SHARE, 1, "Putting the results together")
    report = _folds(run, finished) if run.series == FOLDS else _repeats(run, finished)
    workspace.write_json(run.folder / "report.json", report)
    if context.stopped():
        raise Stopped(f"Stopped; {len(finished)} of {len(trainings)} networks were kept.")
    return {"run": run.name, **report["parts"]}


def whole(run: Run) -> list[Run]:
    """The trainings of a series; raises BloodappError where one is gone."""
    wanted, there = run.config["series"]["children"], run.children
    if missing := sorted(set(wanted) - {child.name for child in there}):
        raise BloodappError(f"'{missing[0]}' of this series has been removed: start the series anew.")
    return there


def _folds(run: Run, finished: Sequence[Run]) -> dict[str, Any]:
    """Write the common predictions and model of folds; their report."""
    from bloodapp.train import devices
    from bloodapp.train.ensemble import ensemble
    from bloodapp.train.results import scores

    recipe = from_settings(run.config["recipe"])
    devices.prepare(replace(recipe, precision="float32", deterministic=False))
    vote = recipe.vote
    predictions = combined([_answers(child) for child in finished], vote)
    model = ensemble([child.model_path for child in finished], vote)
    with workspace.replacing(run.model_path) as path:
        model.save(path)
    write_predictions(run.folder, predictions)
    parts: Parts = {
        part: scores(predictions, predictions.part == part, len(run.classes))
        for part in ("val", "test")
        if (predictions.part == part).any()
    }
    report = _report(finished, run)
    if recipe.test_noise and "test" in parts:
        parts["test"]["noisy_accuracy"] = _under_noise(model, run, predictions.only("test"), recipe)
        before = (run.report() or {}).get("series", {}).get("own_reads", 0)
        report["series"]["own_reads"] = before + 1
        report["test_reads"] += before + 1
    trainable = [(child.report() or {}).get("trainable_parameters") for child in finished]
    return {
        **report,
        "parts": parts,
        "parameters": model.count_params(),
        "trainable_parameters": None if None in trainable else sum(trainable),
    }


def _under_noise(model: Any, run: Run, test: Predictions, recipe: Recipe) -> float:
    """The common network's accuracy on the test part under the recipe's white noise, the same as each fold saw."""
    from bloodapp.train.judge import predict
    from bloodapp.train.results import BLOCK, with_noise

    images, right = open_dataset(run.dataset).images, 0
    for start in range(0, len(test), BLOCK):
        rows = test.index[start : start + BLOCK]
        noisy = with_noise(images[rows], recipe.test_noise, rows)
        answers = predict(model, noisy, np.arange(len(rows)), recipe.size).argmax(1)
        right += int((answers == test.label[start : start + BLOCK]).sum())
    return right / len(test)


def combined(answers: Sequence[Predictions], vote: str) -> Predictions:
    """What folds say together: of each val image the one network that had not seen it, of test images all.

    All have the same test part, and no val image in common.
    """
    vals, tests = ([one.only(part) for one in answers] for part in ("val", "test"))
    first = tests[0]
    for other in tests[1:]:
        if not np.array_equal(first.index, other.index):
            raise BloodappError("The folds were not judged on the same test images: start the series anew.")

    def table(name: str) -> Any:
        if any(getattr(one, name) is None for one in answers):
            return None
        own = [getattr(one, name) for one in vals]
        return np.concatenate([*own, together([getattr(one, name) for one in tests], vote)])

    return Predictions(
        np.concatenate([*(one.index for one in vals), first.index]),
        np.concatenate([*(one.part for one in vals), first.part]),
        np.concatenate([*(one.label for one in vals), first.label]),
        table("probabilities"),
        table("shifted"),
    )


def _answers(child: Run) -> Predictions:
    found = child.predictions()
    if found is None:
        raise BloodappError(f"'{child.name}' has lost its predictions: start the series anew.")
    return found


def _repeats(run: Run, finished: Sequence[Run]) -> dict[str, Any]:
    """The report of repeats: the means, of each part that all were judged on."""
    reports = [(child.report() or {}).get("parts", {}) for child in finished]
    parts: Parts = {}
    for part in ("val", "test"):
        if all(part in each for each in reports):
            figures = {key: [each[part].get(key) for each in reports] for key in reports[0][part]}
            parts[part] = {key: _mean(values) for key, values in figures.items()}
            parts[part]["n"] = reports[0][part]["n"]
    return {**_report(finished, run), "parts": parts}


def _report(finished: Sequence[Run], run: Run) -> dict[str, Any]:
    """What the report of any series says beside its parts."""
    reports = [child.report() or {} for child in finished]
    part = "test" if all("test" in each.get("parts", {}) for each in reports) else "val"
    judged = [each.get("parts", {}).get(part, {}) for each in reports]
    keys = ("accuracy", "balanced_accuracy", "shifted_accuracy", "noisy_accuracy")
    figures = {key: [each.get(key) for each in judged] for key in keys}
    series = {
        "kind": run.series,
        "part": part,
        "of": len(run.config["series"]["children"]),
        "finished": [child.name for child in finished],
    }
    reads = [each["test_read"] for each in reports if each.get("test_read")]
    return {
        "best_epoch": None,
        "epochs": sum(each.get("epochs") or 0 for each in reports),
        "images_per_s": _mean([each.get("images_per_s") for each in reports]),
        "seconds": sum(each.get("seconds") or 0.0 for each in reports),
        "device": reports[0].get("device"),
        "memory_mib": max((each.get("memory_mib") or 0 for each in reports), default=0) or None,
        "parameters": reports[0].get("parameters"),
        "trainable_parameters": reports[0].get("trainable_parameters"),
        "shift": reports[0].get("shift"),
        "test_read": max(reads, default=None),
        "test_reads": sum(each.get("test_reads") or 0 for each in reports),
        "series": {
            **series,
            **{key: spread(values) for key, values in figures.items() if None not in values},
        },
    }


def spread(values: Sequence[float]) -> dict[str, Any]:
    """Mean, sample standard deviation (None for a single one), and each."""
    sd = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return {"mean": float(np.mean(values)), "sd": sd, "each": [float(value) for value in values]}


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if len(known) == len(values) and known else None
