"""Where a corruption suite lies: in the folder of its job, or a small copy that the run itself carries.

Both hold the same files and are read the same way. The job's folder is named after what the suite is about: the
model's content, the images and labels of the part, the corruptions as declared. A copy says what it is about in its
summary; where that is not what the run is now, it counts for nothing.

    jobs/corrupt-<about>/          <corruption>.npz   probabilities float32 (5, N, C), in the order of the part
                                   summary.json       the headline, once all are through
    models/<run>/corruptions-<part>/   the same, the probabilities float16 in thousandths: needs neither job nor images
"""

import hashlib
import json
import zipfile
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bloodapp import workspace
from bloodapp.augment.corruptions import ALL_CORRUPTIONS
from bloodapp.errors import NotFound
from bloodapp.runs.predictions import FILE as PREDICTIONS
from bloodapp.runs.run import Run

KIND = "corrupt"
VERSION = 1
"""Counts up when a corruption is drawn otherwise, so that what was kept before is not taken for it."""

SEED = 0
SUMMARY = "summary.json"

_STEPS = 1000  # a copy's probabilities are whole multiples of one in so many


def answers_file(folder: Path, name: str) -> Path:
    """Where the answers under a corruption lie: `probabilities`, (5, N, C)."""
    return folder / f"{name}.npz"


def job_folder(run: Run, part: str) -> Path:
    """Where the suite of this run as it is now is worked out; raises FileNotFoundError without a model or answers."""
    return workspace.jobs_folder() / f"{KIND}-{about(run, part)}"


def carried_folder(run: Run, part: str) -> Path:
    """Where the run's own copy lies, if it has one."""
    return run.folder / f"corruptions-{part}"


def folder_of(run: Run, part: str) -> Path:
    """Where to read: the run's own copy where that is about the run as it is and no job has ended, else the job's.

    Raises FileNotFoundError before the run has a model and answers.
    """
    job = job_folder(run, part)
    if not (job / SUMMARY).exists() and _carries(run, part):
        return carried_folder(run, part)
    return job


def carry(run: Run, part: str) -> Path:
    """Lay a copy of the finished suite into the run's folder, a third of the size; gives its folder.

    The class that is named stays the same for every image. Raises NotFound where the suite is not finished.
    """
    source, folder = job_folder(run, part), carried_folder(run, part)
    if not (source / SUMMARY).exists():
        raise NotFound("a finished judgement under corruptions of run", run.name)
    folder.mkdir(exist_ok=True)
    (folder / SUMMARY).unlink(missing_ok=True)  # what is half written is nobody's
    for name in ALL_CORRUPTIONS:
        with np.load(answers_file(source, name), allow_pickle=False) as archive:
            small = _small(archive["probabilities"])
        with workspace.replacing(answers_file(folder, name)) as temporary:
            np.savez_compressed(temporary, probabilities=small)
    # How fast another computer was forecasts nothing on this one.
    told = {**workspace.read_json(source / SUMMARY), "images_per_s": 0.0, "about": about(run, part)}
    workspace.write_json(folder / SUMMARY, told)
    return folder


def about(run: Run, part: str) -> str:
    """What the suite of this run as it is now is about, in 16 letters; raises FileNotFoundError as `job_folder`."""
    facts = [
        VERSION,
        SEED,
        run.name,
        part,
        run.config["fingerprint"],
        [(name, each.severities) for name, each in ALL_CORRUPTIONS.items()],
        _content(run.model_path),
        [
            each
            for each in _content(run.folder / PREDICTIONS)
            if each[0] in ("index.npy", "part.npy", "label.npy")
        ],
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]


def _carries(run: Run, part: str) -> bool:
    try:
        told = workspace.read_json(carried_folder(run, part) / SUMMARY)
    except FileNotFoundError:
        return False
    return bool(told.get("about") == about(run, part))


def _small(answers: npt.NDArray[np.float32]) -> npt.NDArray[np.float16]:
    """Probabilities (..., C) in thousandths; where rounding makes two alike, the one that was named stays higher."""
    steps = np.rint(answers * _STEPS)
    named = answers.argmax(-1, keepdims=True)
    tied = steps.argmax(-1, keepdims=True) != named
    np.put_along_axis(steps, named, np.take_along_axis(steps, named, -1) + tied, -1)
    small: npt.NDArray[np.float16] = (steps / _STEPS).astype(np.float16)
    return small


def _content(path: Path) -> tuple[tuple[str, int, int], ...]:
    facts = path.stat()
    return _listed(str(path), facts.st_mtime_ns, facts.st_size)


@lru_cache(maxsize=256)
def _listed(path: str, stamp: int, size: int) -> tuple[tuple[str, int, int], ...]:
    """Name, size and checksum of what a .keras or .npz holds, which a copy of the file has too."""
    try:
        with zipfile.ZipFile(path) as archive:
            return tuple((each.filename, each.file_size, each.CRC) for each in archive.infolist())
    except zipfile.BadZipFile:
        return ((Path(path).name, size, stamp),)
