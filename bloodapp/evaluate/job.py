"""The job that judges a run on another source, in a process of its own."""

from typing import Any

from bloodapp.evaluate.evaluate import evaluate_run
from bloodapp.jobs.reporter import Reporter
from bloodapp.runs.run import open_run
from bloodapp.workspace import write_json

RESULT = "evaluation.json"


def work(params: dict[str, Any], context: Reporter) -> dict[str, Any]:
    """Judge `params["run"]` on `params["source"]` (its own part if absent) and `params["part"]`.

    Writes evaluation.json, the figures of `evaluate_run`, into the job's folder; returns the headline.
    """
    context.progress(0, None, "Loading the model")
    result = evaluate_run(
        open_run(params["run"]),
        source=params.get("source"),
        part=params.get("part"),
        progress=context.progress,
        stopped=context.stopped,
    )
    write_json(context.folder / RESULT, result)
    kept = ("run", "source", "part", "n", "accuracy", "balanced_accuracy", "shifted_accuracy")
    return {key: result.get(key) for key in kept}
