"""What a run's network sees in the images of its dataset, kept on disk: one row of features an image.

A job of its own computes them, block by block, and continued goes on behind the last block it had written. They lie in
the run's folder, those of a run that ships with the app in the job's. What was made by another model or of other
images does not count.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from bloodapp.classify import unfolding
from bloodapp.data.dataset import Dataset
from bloodapp.data.images import to_square
from bloodapp.errors import NotFound, SourceError, Unreadable
from bloodapp.jobs.job import ACTIVE, Job, list_jobs, submit
from bloodapp.jobs.reporter import Reporter
from bloodapp.runs.origin import dataset_of
from bloodapp.runs.run import Run, open_run
from bloodapp.workspace import read_json, replacing, write_json

KIND = "features"
FILE, ABOUT, PLANE = "features.npy", "features.json", "features-tsne.npz"
BLOCK = 512

WIDEST = 4_096
"""Columns that are kept as they are; those of wider embeddings, which were flattened, are folded."""
_FOLDED = 1_024
_LARGEST = np.finfo(np.float16).max
# Threads that wait by spinning keep each other from working where the machine has other work, for minutes.
_ENVIRONMENT = {"OMP_WAIT_POLICY": "PASSIVE"}
_PARTIAL, _BEGUN = "features.partial", "begun.json"

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Features:
    """The features of the images that a run was trained and judged on.

    Attributes:
        index: int64 (N,), rows of the dataset.
        part: str (N,), `train`, `val` or `test`.
        label: int64 (N,), the labels that the run took for true.
        values: float16 (N, D), mapped from disk.
        laid_out: int64 (M,), which of the N lie on the t-SNE plane; empty before that is made.
        plane: float32 (M, 2), where.
    """

    index: npt.NDArray[np.int64]
    part: npt.NDArray[np.str_]
    label: npt.NDArray[np.int64]
    values: npt.NDArray[np.float16]
    laid_out: npt.NDArray[np.int64]
    plane: Floats


class Sees(Protocol):
    """What gives features: a `Predictor`, or anything like it."""

    size: int

    def features(self, images: npt.NDArray[np.uint8]) -> Floats:
        """Features float32 (N, D) of images uint8 (N, S, S, 3)."""


def of_images(predictor: Sees, images: npt.NDArray[np.uint8]) -> Floats:
    """The features float32 (N, D) of images uint8 (N, H, H, 3) as they are kept, in the precision that is kept.

    Those of more than WIDEST columns are folded into fewer by a seeded random projection, which leaves the angles
    between images nearly as they are (W. B. Johnson and J. Lindenstrauss, 1984).
    """
    size = predictor.size
    if images.shape[1] != size:
        images = np.stack([to_square(image, size) for image in images])
    seen = predictor.features(images)
    if seen.shape[1] > WIDEST:
        seen = seen @ _projection(seen.shape[1])
    return np.clip(seen, -_LARGEST, _LARGEST).astype(np.float16).astype(np.float32)


def read(run: Run) -> Features | None:
    """The features of a run as it is now; None where none were computed, or those of another model or split."""
    for folder in _folders(run):
        try:
            stamp = (folder / ABOUT).stat().st_mtime_ns
            about = read_json(folder / ABOUT)
            if any(about.get(key) != value for key, value in _stamp(run).items()):
                continue
            return _read(str(run.folder), folder, stamp)
        except (OSError, ValueError, EOFError, KeyError, Unreadable):
            continue
    return None


def job_of(run: Run) -> Job | None:
    """The newest job that computes, or computed, this run's features."""
    return next((job for job in list_jobs() if job.kind == KIND and job.params.get("run") == run.name), None)


def compute(run: Run) -> Job:
    """Queue the job for a run, or give the one that waits or works already."""
    there = job_of(run)
    if there is not None and there.state() in ACTIVE:
        return there
    return submit(KIND, {"run": run.name}, title=f"Features of {run.name}", env=_ENVIRONMENT)


def work(params: dict[str, Any], context: Reporter) -> dict[str, Any]:
    """The job of kind `features`: `params` is {"run": name}.

    Keeps the features and a plane of them (see `unfolding`) where `read` finds them; returns their shape. Raises
    SourceError where the images are not here, NotFound without a model.
    """
    run = open_run(params["run"])
    dataset = dataset_of(run)
    if dataset is None:
        raise SourceError(
            f"The images of run '{run.name}' are not here: import the same file as '{run.dataset}'."
        )
    if not run.model_path.exists():
        raise NotFound("a model in the run", run.name)
    context.progress(0, None, "Loading the model")
    from bloodapp.classify.predictor import Predictor  # TensorFlow, seven seconds

    return keep(run, dataset, Predictor(run), context)


def keep(run: Run, dataset: Dataset, predictor: Sees, context: Reporter) -> dict[str, Any]:
    """Compute and keep a run's features as `predictor` gives them; see `work`."""
    stamp, split = _stamp(run), run.split()
    rows = split["index"].to_numpy(np.int64)
    values = _computed(rows, dataset, predictor, context, stamp)
    folder = context.folder if run.shipped else run.folder
    (folder / ABOUT).unlink(missing_ok=True)
    (folder / PLANE).unlink(missing_ok=True)
    with replacing(folder / FILE) as temporary, temporary.open("wb") as stream:
        np.save(stream, values, allow_pickle=False)
    about = {**stamp, "run": run.name, "shape": list(values.shape)}
    write_json(folder / ABOUT, about)
    some = unfolding.chosen(split["part"].to_numpy(str))
    context.progress(len(rows), len(rows), f"Laying {len(some):,} images out on a plane (t-SNE)")
    places = unfolding.unfolded(values[some], context.check)
    with replacing(folder / PLANE) as temporary, temporary.open("wb") as stream:
        np.savez(stream, allow_pickle=False, rows=some, places=places)
    write_json(folder / ABOUT, {**about, "laid_out": len(some)})
    for name in (_PARTIAL, _BEGUN):
        (context.folder / name).unlink(missing_ok=True)
    return {"images": len(values), "columns": int(values.shape[1])}


def _computed(
    rows: npt.NDArray[np.int64],
    dataset: Dataset,
    predictor: Sees,
    context: Reporter,
    stamp: dict[str, Any],
) -> npt.NDArray[np.float16]:
    """The features of these rows, block by block, appended to a file that a continued job goes on with."""
    partial = context.folder / _PARTIAL
    width = _width(context.folder, stamp)
    done = partial.stat().st_size // (2 * width) // BLOCK * BLOCK if width and partial.exists() else 0
    with partial.open("r+b" if done else "wb") as stream:
        stream.truncate(2 * width * done)
        stream.seek(0, 2)
        for start in range(done, len(rows), BLOCK):
            context.check()
            context.progress(start, len(rows), "Looking at the images")
            seen = of_images(predictor, dataset.read(rows[start : start + BLOCK])).astype(np.float16)
            if not start:
                width = seen.shape[1]
                write_json(context.folder / _BEGUN, {**stamp, "width": width})
            stream.write(seen.tobytes())
            stream.flush()
    context.check()
    return np.fromfile(partial, np.float16).reshape(len(rows), width)


def _width(folder: Path, stamp: dict[str, Any]) -> int:
    """How many columns the features have that the job had begun with; 0 where they are of another model."""
    try:
        begun = read_json(folder / _BEGUN)
    except (OSError, Unreadable):
        return 0
    return int(begun["width"]) if all(begun.get(key) == value for key, value in stamp.items()) else 0


def _stamp(run: Run) -> dict[str, Any]:
    """What features depend on: the model, the images, and which of them."""
    model = run.model_path.stat()
    split = (run.folder / "split.parquet").stat().st_size
    return {
        "model": [model.st_size, model.st_mtime_ns],
        "fingerprint": run.config["fingerprint"],
        "split": split,
    }


def _folders(run: Run) -> list[Path]:
    """Where features of a run may lie, the newest first."""
    if not run.shipped:
        return [run.folder]
    return [job.folder for job in list_jobs() if job.kind == KIND and job.params.get("run") == run.name]


@lru_cache(maxsize=4)
def _read(run: str, folder: Path, stamp: int) -> Features:
    del stamp  # part of the key only
    split = open_run(Path(run)).split()
    values = np.load(folder / FILE, mmap_mode="r", allow_pickle=False)
    if len(values) != len(split) or values.dtype != np.float16:
        raise Unreadable(f"{FILE} does not fit the run: compute the features again.")
    laid_out, plane = np.zeros(0, np.int64), np.zeros((0, 2), np.float32)
    if (folder / PLANE).exists():
        with (folder / PLANE).open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            laid_out, plane = arrays["rows"], arrays["places"]
    return Features(
        split["index"].to_numpy(np.int64),
        split["part"].to_numpy(str),
        split["label"].to_numpy(np.int64),
        values,
        laid_out,
        plane,
    )


@lru_cache(maxsize=1)
def _projection(columns: int) -> Floats:
    drawn = np.random.default_rng(0).standard_normal((columns, _FOLDED), np.float32)
    return drawn / np.float32(np.sqrt(_FOLDED))
