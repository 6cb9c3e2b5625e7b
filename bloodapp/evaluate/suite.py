"""The corruption suite: a run's answers on a part's images under each corruption at each severity, kept for good.

It is a job, its folder (see `suite_folder`) named after what it is about, so that the same question finds its answer,
finished or not, and a model that was trained further asks anew. Each corruption is written as soon as it is through; a
job that was cut off goes on after the last one.

Clean and shifted answers are those of the run's predictions. TensorFlow is imported in the worker only.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt

from bloodapp import workspace
from bloodapp.augment.corruptions import ALL_CORRUPTIONS, CORRUPTIONS
from bloodapp.augment.severities import SEVERITIES
from bloodapp.errors import AlreadyExists, InvalidValue, NotFound, Stopped
from bloodapp.evaluate import robustness
from bloodapp.evaluate.corrupting import corrupted_blocks
from bloodapp.evaluate.evaluate import Predicts, judgement
from bloodapp.evaluate.suite_folder import KIND, SEED, SUMMARY, VERSION, answers_file, folder_of, job_folder
from bloodapp.evaluate.suite_result import Suite, read
from bloodapp.jobs.job import ACTIVE, Job, read_job, resume
from bloodapp.jobs.job import submit as submit_job
from bloodapp.jobs.reporter import Reporter
from bloodapp.runs.origin import dataset_of
from bloodapp.runs.run import Run, headline, open_run

_FORWARD = 3.0  # images that a network answers in the time that it learns from one, roughly
_DRAWN_A_SECOND = 3000.0  # images of 96 pixels that one core corrupts, on average over the fifteen


def submit(run: Run, part: str) -> Job:
    """Have the suite worked out, or go on with it; the job of a finished one is given back as it is.

    Raises NotFound without a model or answers on the part, InvalidValue where the images are not here.
    """
    if not run.model_path.exists():
        raise NotFound("a model in the run", run.name)
    judgement(run, part)
    _images(run)
    folder = job_folder(run, part)
    try:
        job = read_job(folder)
    except FileNotFoundError:
        pass
    else:
        return job if job.state() in (*ACTIVE, "done") else resume(job)
    with suppress(AlreadyExists):  # cut off between claiming the folder and writing the request
        workspace.claim_folder(folder.parent, folder.name)
    title = f"Judge {run.title} under corruptions"
    return submit_job(KIND, {"run": run.name, "part": part}, title=title, folder=folder)


def job_of(run: Run, part: str) -> Job | None:
    """The job that works, or worked, the suite of this run as it is now out; None if there is none."""
    try:
        return read_job(job_folder(run, part))
    except (FileNotFoundError, NotFound):
        return None


def find(run: Run, part: str) -> Suite | None:
    """What is there of the suite for this run as it is now, finished or not; None before the first corruption."""
    try:
        folder = folder_of(run, part)
    except (FileNotFoundError, NotFound):
        return None
    return read(run, part, folder)


def summary(run: Run, part: str | None = None) -> dict[str, Any] | None:
    """The headline of a finished suite, from JSON alone; None where the run was not judged under corruptions.

    Keys: part, n, by_corruption, and as {value, low, high} clean, shifted (or None), mean_corruption_error and
    mean_of_all, all balanced errors; seconds and images_per_s of the last attempt. Without a part, that of the run's
    headline.
    """
    try:
        part = part or str((headline(run) or {})["part"])
        return workspace.read_json(folder_of(run, part) / SUMMARY)
    except (FileNotFoundError, NotFound, KeyError):
        return None


def seconds(run: Run, part: str, n: int) -> float | None:
    """How long the suite will take for n images, roughly: from the run's measured speed; None where it has none."""
    known = [
        told["images_per_s"]
        for each in ("test", "val")
        if (told := summary(run, each)) and told["images_per_s"]
    ]
    left = SEVERITIES * n * sum(not _through(run, part, name) for name in ALL_CORRUPTIONS)
    if known:
        return float(left / known[0])
    learned = float((run.report() or {}).get("images_per_s") or 0)
    return left * (1 / (_FORWARD * learned) + 1 / _DRAWN_A_SECOND) if learned > 0 else None


def work(
    params: dict[str, Any], context: Reporter, load: Callable[[Run], Predicts] | None = None
) -> dict[str, Any]:
    """The job `corrupt`: params run and part; `load` gives what answers for the run, by default its predictor.

    Writes a file for each corruption that is not through yet, then summary.json; gives its headline.
    """
    run, part = open_run(params["run"]), str(params["part"])
    if job_folder(run, part).name != context.folder.name:
        raise InvalidValue(
            f"'{run.name}' has changed since this was begun: judge it under corruptions again."
        )
    judged, images = judgement(run, part), _images(run)
    todo = [name for name in ALL_CORRUPTIONS if not answers_file(context.folder, name).exists()]
    each, total = SEVERITIES * len(judged), SEVERITIES * len(judged) * len(ALL_CORRUPTIONS)
    done, begun = total - each * len(todo), time.monotonic()
    if todo:
        context.progress(done, total, "Loading the model")
        model = load(run) if load else _predictor(run)
        begun = time.monotonic()
        for name in todo:
            title = f"{ALL_CORRUPTIONS[name].title}, {done // max(each, 1) + 1} of {len(ALL_CORRUPTIONS)}"
            answers = np.empty((each, len(run.classes)), np.float32)
            for start, block in corrupted_blocks(images, judged.index, name, SEED):
                if context.stopped():
                    raise Stopped("Stopped; what is through was kept.")
                answers[start : start + len(block)] = model.predict(block)
                context.progress(done + start + len(block), total, title)
            with workspace.replacing(answers_file(context.folder, name)) as temporary:
                np.savez(temporary, probabilities=answers.reshape(SEVERITIES, len(judged), len(run.classes)))
            done += each
    told = _summed_up(run, part, time.monotonic() - begun, each * len(todo))
    workspace.write_json(context.folder / SUMMARY, told)
    return {key: told[key] for key in ("part", "n", "mean_corruption_error", "mean_of_all", "seconds")}


def _summed_up(run: Run, part: str, took: float, images: int) -> dict[str, Any]:
    found = read(run, part, job_folder(run, part))
    assert found is not None and found.complete
    judged, classes = judgement(run, part), len(run.classes)

    def spread(wrong: npt.NDArray[Any]) -> dict[str, float]:
        mean = robustness.mean_error(found.labels, wrong, classes)
        return {"value": mean.value, "low": mean.low, "high": mean.high}

    wrong = {
        name: (found.probabilities(name).argmax(2) != found.labels).mean(0) for name in found.corruptions
    }
    shifted = judged.shifted
    content: dict[str, Any] = workspace.finite(
        {
            "run": run.name,
            "part": part,
            "n": len(found.labels),
            "version": VERSION,
            "seed": SEED,
            "seconds": round(took, 1),
            "images_per_s": round(images / took, 1) if images and took > 0 else 0.0,
            "clean": spread(judged.probabilities.argmax(1) != judged.labels),
            "shifted": None if shifted is None else spread(shifted.argmax(1) != judged.labels),
            "mean_corruption_error": spread(np.mean([wrong[name] for name in CORRUPTIONS], axis=0)),
            "mean_of_all": spread(np.mean(list(wrong.values()), axis=0)),
            "by_corruption": found.by_corruption,
        }
    )
    return content


def _through(run: Run, part: str, name: str) -> bool:
    try:
        return answers_file(folder_of(run, part), name).exists()
    except FileNotFoundError:
        return False


def _images(run: Run) -> npt.NDArray[np.uint8]:
    dataset = dataset_of(run)
    if dataset is None:
        raise InvalidValue(
            f"The images of '{run.name}' are not here: import the file of its dataset '{run.dataset}' first."
        )
    return dataset.images


def _predictor(run: Run) -> Predicts:
    from bloodapp.classify.predictor import Predictor  # TensorFlow, seven seconds

    return Predictor(run)
