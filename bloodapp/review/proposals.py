"""What a run says of a dataset's images: the labels that it proposes, made by a job and kept in the dataset's folder.

The job looks at the images block by block, and continued goes on behind the last block that it had written. What
another model said, or the same one of other images, does not count. Until the job was done a run's own predictions
stand in, which it wrote about the images that it was judged on.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from bloodapp.classes import CellClass
from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.data.decisions import judge
from bloodapp.errors import InvalidValue, NotFound, Unreadable
from bloodapp.jobs.job import ACTIVE, Job, list_jobs, submit
from bloodapp.jobs.reporter import Reporter
from bloodapp.review.asking import Predicts, asked, forget
from bloodapp.review.features import STARTER
from bloodapp.runs import calibration
from bloodapp.runs.origin import dataset_of
from bloodapp.runs.predictions import FILE as PREDICTIONS
from bloodapp.runs.run import Run, list_runs, open_run
from bloodapp.runs.unseen import learned
from bloodapp.workspace import now, replacing

KIND = "propose"
FOLDER = "proposals"


# Threads that wait by spinning keep each other from working where the machine has other work, for minutes.
_ENVIRONMENT = {"OMP_WAIT_POLICY": "PASSIVE"}

Floats = npt.NDArray[np.float32]
Stamp = tuple[int, int] | None


@dataclass(frozen=True, eq=False)
class Proposals:
    """What a run says of M images of a dataset.

    Attributes:
        run: the run's name.
        index: int64 (M,), the images, ascending.
        probabilities: float32 (M, C) in the order of the DATASET's classes; a class that the run does not know has 0,
            and where the run knows others a row sums to less than 1.
        learned: bool (M,), whether the run has learned from the image, or one of the same pixels: what it says of it is
            no second opinion.
        learned_known: whether the run's training images are here, so that `learned` can be told; else it is all False.
        whole: whether the job has said of all images that it was asked about; else only the run's own predictions are.
        when: when the job ended, UTC ISO-8601, empty unless `whole`.
    """

    run: str
    index: npt.NDArray[np.int64]
    probabilities: Floats
    learned: npt.NDArray[np.bool_]
    learned_known: bool
    whole: bool
    when: str

    def __len__(self) -> int:
        return len(self.index)

    @property
    def labels(self) -> npt.NDArray[np.int16]:
        """The likeliest class of each image, int16 (M,)."""
        return self.probabilities.argmax(1).astype(np.int16)

    @property
    def confidence(self) -> Floats:
        """The probability of the likeliest class, float32 (M,)."""
        return self.probabilities.max(1, initial=0)

    def rows(self, indices: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """The rows of these images here, int64, -1 where nothing is said of one."""
        wanted = np.asarray(indices, np.int64)
        if not len(self.index):
            return np.full(wanted.shape, -1, np.int64)
        at = np.minimum(np.searchsorted(self.index, wanted), len(self.index) - 1)
        return np.where(self.index[at] == wanted, at, -1)


def proposers(dataset: Dataset) -> list[Run]:
    """The runs that know a class of a dataset and can propose labels for it: the starter, then newest first."""
    keys = {one.key for one in dataset.classes}
    able = [
        run
        for run in list_runs()
        if run.finished and not run.parent and keys & {one.key for one in run.classes}
    ]
    return sorted(able, key=lambda run: (run.name != STARTER, run.trial, run.before_decisions))


def proposer(dataset: Dataset, name: str | None = None) -> Run:
    """The run of that name, else the first of `proposers`; raises NotFound, and InvalidValue if it knows no class."""
    if name is None:
        able = proposers(dataset)
        if not able:
            raise NotFound("a finished run that knows a class of", dataset.name)
        return able[0]
    run = open_run(name)
    if not run.model_path.exists():
        raise NotFound("a model in the run", run.name, (one.name for one in proposers(dataset)))
    columns(run.classes, dataset)
    return run


def latest(dataset: Dataset) -> Run | None:
    """The run that a job has asked last about this dataset, of those that are there as they were; None for none."""
    found = [(proposals.when, run) for run in proposers(dataset) if (proposals := find(dataset, run))]
    whole = [(when, run) for when, run in found if when]
    return max(whole, key=lambda each: each[0])[1] if whole else None


def find(dataset: Dataset, run: Run) -> Proposals | None:
    """What this run, as it is now, says of this dataset; None where nothing is known. Cheap to ask again."""
    source = dataset_of(run)
    return _found(
        dataset.path,
        run.folder,
        dataset.fingerprint,
        None if source is None else source.path,
        _stamp(dataset.path / "dataset.json"),
        _stamp(_file(dataset, run.name)),
        _stamp(run.model_path),
        _stamp(run.folder / PREDICTIONS),
    )


def job_of(dataset: Dataset, run: Run) -> Job | None:
    """The newest job that makes, or made, a run's proposals for a dataset."""
    for job in list_jobs():
        if (
            job.kind == KIND
            and job.params.get("dataset") == dataset.name
            and job.params.get("run") == run.name
        ):
            return job
    return None


def propose(dataset: Dataset, run: Run, *, unlabelled: bool = False) -> Job:
    """Queue the job for a run, or give the one that waits or works already; `unlabelled` asks of no other images."""
    there = job_of(dataset, run)
    if there is not None and there.state() in ACTIVE:
        return there
    params = {"dataset": dataset.name, "run": run.name, "unlabelled": unlabelled}
    return submit(KIND, params, title=f"Labels of {run.name} for {dataset.name}", env=_ENVIRONMENT)


def work(params: dict[str, Any], context: Reporter) -> dict[str, Any]:
    """The job of kind `propose`: `params` is {"dataset": name, "run": name} and optionally unlabelled.

    Keeps the proposals where `find` reads them; returns how many images there are of each class, by key. Raises
    InvalidValue where the run knows no class of the dataset, NotFound without a model.
    """
    dataset = open_dataset(params["dataset"])
    run = proposer(dataset, params["run"])
    rows = rows_of(dataset, unlabelled=bool(params.get("unlabelled")))
    if not len(rows):
        raise InvalidValue(
            f"Every image of '{dataset.name}' has a label already: there is nothing to propose."
        )
    context.progress(0, None, "Loading the model")
    from bloodapp.classify.predictor import Predictor  # TensorFlow, seven seconds

    return keep(dataset, run, rows, Predictor(run), context)


def rows_of(dataset: Dataset, *, unlabelled: bool) -> npt.NDArray[np.int64]:
    """The images that a run is asked about: all, or those without a label now; int64, ascending."""
    wanted = judge(dataset).labels < 0 if unlabelled else np.ones(len(dataset), bool)
    return np.flatnonzero(wanted).astype(np.int64)


def keep(
    dataset: Dataset, run: Run, rows: npt.NDArray[np.int64], predictor: Predicts, context: Reporter
) -> dict[str, Any]:
    """Ask `predictor` of these images, ascending, and keep what it says as the run's proposals; see `work`."""
    about = {
        "run": run.name,
        "model": model_hash(run),
        "fingerprint": dataset.fingerprint,
        "classes": [one.key for one in dataset.classes],
    }
    columns(run.classes, dataset)
    said = asked(dataset, rows, predictor, context, {**about, "rows": _digest(rows.tobytes())})
    probabilities = in_order_of(dataset, run, said)
    with replacing(_file(dataset, run.name)) as temporary, temporary.open("wb") as stream:
        np.savez(
            stream,
            allow_pickle=False,
            index=rows,
            probabilities=probabilities,
            about=np.array(json.dumps({**about, "when": now()})),
        )
    forget(context.folder)
    counts = np.bincount(probabilities.argmax(1), minlength=len(dataset.classes))
    return {
        "images": len(rows),
        "classes": {one.key: int(number) for one, number in zip(dataset.classes, counts, strict=True)},
    }


def columns(classes: tuple[CellClass, ...], dataset: Dataset) -> npt.NDArray[np.int64]:
    """Where each class of the dataset stands among a run's, int64 (C,), -1 for one that the run does not know.

    Raises InvalidValue where it knows none.
    """
    places = {one.key: place for place, one in enumerate(classes)}
    found = np.array([places.get(one.key, -1) for one in dataset.classes], np.int64)
    if (found < 0).all():
        raise InvalidValue(
            f"The run knows no class of '{dataset.name}': choose a run that tells "
            f"{', '.join(one.key for one in dataset.classes)} apart."
        )
    return found


def in_order_of(dataset: Dataset, run: Run, said: npt.ArrayLike) -> Floats:
    """Probabilities (M, K) as the network gives them, calibrated and in the order of the dataset's classes, (M, C)."""
    fitted = calibration.of(run)
    table = np.asarray(fitted.apply(said) if fitted else said, np.float32)
    places = columns(run.classes, dataset)
    return np.where(places >= 0, table[:, places], np.float32(0))


def model_hash(run: Run) -> str:
    """SHA-256 of the run's model, in hex; raises FileNotFoundError."""
    return _hash_of(run.model_path, _stamp(run.model_path))


@lru_cache(maxsize=8)
def _found(
    folder: Path,
    run_folder: Path,
    fingerprint: str,
    source: Path | None,
    dataset_at: Stamp,
    kept_at: Stamp,
    model: Stamp,
    judged: Stamp,
) -> Proposals | None:
    del dataset_at, model, judged  # part of the key only
    dataset, run = open_dataset(folder.name), open_run(run_folder)
    if dataset.fingerprint != fingerprint:
        return None
    own = _own(dataset, run)
    kept = _kept(dataset, run) if kept_at else None
    if kept is None and own is None:
        return None
    index, probabilities, when = kept or (*_nothing(len(dataset.classes)), "")
    if own is not None:
        more = ~np.isin(own[0], index)
        index = np.concatenate([index, own[0][more]])
        probabilities = np.concatenate([probabilities, own[1][more]])
    order = np.argsort(index, kind="stable")
    index, probabilities = index[order], probabilities[order]
    seen, known = _learned(dataset, run, None if source is None else open_dataset(source.name))
    for array in (index, probabilities):
        array.flags.writeable = False
    return Proposals(run.name, index, probabilities, seen[index], known, kept is not None, when)


def _nothing(classes: int) -> tuple[npt.NDArray[np.int64], Floats]:
    return np.zeros(0, np.int64), np.zeros((0, classes), np.float32)


def _kept(dataset: Dataset, run: Run) -> tuple[npt.NDArray[np.int64], Floats, str] | None:
    """What the job has kept, if it is of this model and these images; a damaged file is as good as none."""
    try:
        with _file(dataset, run.name).open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            about = json.loads(str(arrays["about"]))
            index, probabilities = arrays["index"], arrays["probabilities"]
        now_is = {"run": run.name, "model": model_hash(run), "fingerprint": dataset.fingerprint}
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None
    if any(about.get(key) != value for key, value in now_is.items()):
        return None
    if probabilities.shape != (len(index), len(dataset.classes)):
        return None
    return index.astype(np.int64), probabilities.astype(np.float32), str(about.get("when", ""))


def _own(dataset: Dataset, run: Run) -> tuple[npt.NDArray[np.int64], Floats] | None:
    """What the run said of the images that it was judged on, if they are this dataset's; each once."""
    if run.config["fingerprint"] != dataset.fingerprint:
        return None
    try:
        predictions = run.predictions()
    except Unreadable:
        return None
    if predictions is None or not len(predictions):
        return None
    index, first = np.unique(predictions.index, return_index=True)
    if predictions.probabilities.shape[1] != len(run.classes) or index[0] < 0 or index[-1] >= len(dataset):
        return None
    return index, in_order_of(dataset, run, predictions.probabilities[first])


def _learned(dataset: Dataset, run: Run, source: Dataset | None) -> tuple[npt.NDArray[np.bool_], bool]:
    """Which images of a dataset the run has learned from, (N,), by their pixels; and whether that can be told.

    `source` is what the run learned from, None where it is not here.
    """
    if source is None:
        return np.zeros(len(dataset), bool), False
    rows = learned(run)
    pixels = set(source.items["sha256"].to_numpy(object)[rows[rows < len(source)]])
    return dataset.items["sha256"].isin(pixels).to_numpy(bool), True


def _file(dataset: Dataset, run: str) -> Path:
    return dataset.path / FOLDER / f"{run}.npz"


def _stamp(path: Path) -> Stamp:
    try:
        facts = path.stat()
    except OSError:
        return None
    return facts.st_mtime_ns, facts.st_size


@lru_cache(maxsize=32)
def _hash_of(path: Path, stamp: Stamp) -> str:
    del stamp  # part of the key only
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
