"""Unlabelled images from the microscope where a run will be used, compared with those that it learned from.

A job: what was found is target.json and target.npz in its folder, with the images that were looked at in images.npy,
so that they can be shown and labelled when the source is gone. Several stay beside each other until they are deleted.
"""

import shutil
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bloodapp.evaluate.target_compare import compare
from bloodapp.evaluate.target_cover import Candidate, Cover, advised
from bloodapp.evaluate.target_distance import Gap
from bloodapp.evaluate.target_measures import FEATURES, MEASURES
from bloodapp.evaluate.target_source import Side
from bloodapp.evaluate.target_tried import moved_keys
from bloodapp.jobs.job import Job, list_jobs, submit
from bloodapp.jobs.reporter import Reporter
from bloodapp.runs.run import Run, open_run
from bloodapp.workspace import read_json, replacing, write_json

KIND = "target"
RESULT, ARRAYS, IMAGES = "target.json", "target.npz", "images.npy"
UPLOADED = "upload"
"""Where dropped files lie in the job's folder until they have been read."""

Pixels = npt.NDArray[np.uint8]
Table = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Target:
    """What was found about a drop.

    Attributes:
        content: what target.json says, see `compare`.
        arrays: `train` (T, M) and `target` (N, M) measures with FEATURES as the last column, `probabilities` (N, C),
            `order` (N,) in which to label, `unsure` (N,), `names` (N,), `index` (N,) places in the source.
        images: uint8 (N, S, S, 3), mapped from disk.
    """

    content: dict[str, Any]
    arrays: dict[str, npt.NDArray[Any]]
    images: Pixels

    def __len__(self) -> int:
        return len(self.arrays["index"])

    @property
    def gaps(self) -> list[Gap]:
        """How far each measure lies from the training images', the farthest first; none without these."""
        return [
            Gap(
                str(each["key"]),
                tuple(each["train"]),
                tuple(each["target"]),
                *(float(each[name]) for name in ("scale", "effect", "wasserstein", "chance")),
            )
            for each in self.content["measures"]
        ]

    @property
    def plain(self) -> Cover | None:
        """What the training images as they are cover; None without these."""
        return _cover(self.content["plain"]) if self.content["plain"] else None

    @property
    def covers(self) -> list[Cover]:
        """What each pipeline that was tried covers, the advisable first."""
        return [_cover(each) for each in self.content["pipelines"]]

    @property
    def advised(self) -> list[Cover]:
        """Those to train with, the advisable first; see `target_cover.advised`."""
        plain = self.plain
        return advised(self.covers, plain, self.moved) if plain else []

    @property
    def moved(self) -> list[str]:
        """The measures of pixels that lie farther away than chance brings, the farthest first."""
        return moved_keys(self.gaps)

    def column(self, key: str) -> tuple[Table, Table]:
        """The values of a measure: of the training images and of the target's."""
        place = [*MEASURES, FEATURES.key].index(key)
        return self.arrays["train"][:, place], self.arrays["target"][:, place]


def _cover(content: dict[str, Any]) -> Cover:
    def figures(name: str) -> dict[str, float]:
        return {key: float("nan") if value is None else value for key, value in content[name].items()}

    return Cover(
        Candidate(**content["candidate"]),
        figures("shares"),
        figures("low"),
        figures("high"),
        float(content["width"]),
        float(content["apart"]),
    )


def work(params: dict[str, Any], context: Reporter) -> dict[str, Any]:
    """Compare `params["source"]` with what `params["run"]` learned from; writes the files, returns the headline."""
    run, folder = open_run(params["run"]), context.folder
    context.progress(0, 100, "Loading the model")
    from bloodapp.classify.predictor import Predictor  # TensorFlow, seven seconds

    side, content, arrays = compare(
        run, params["source"], Predictor(run), progress=context.progress, stopped=context.stopped
    )
    keep(folder, side, content, arrays)
    shutil.rmtree(folder / UPLOADED, ignore_errors=True)
    far = content["measures"][0]["key"] if content["measures"] else None
    return {"run": run.name, "n": len(side), "unreadable": len(side.unreadable), "farthest": far}


def keep(folder: Path, side: Side, content: dict[str, Any], arrays: dict[str, Any]) -> None:
    """Write what was found into a folder; target.json, by which it is found, comes last."""
    with replacing(folder / IMAGES) as temporary, temporary.open("wb") as stream:
        np.save(stream, side.images, allow_pickle=False)
    with replacing(folder / ARRAYS) as temporary, temporary.open("wb") as stream:
        np.savez_compressed(stream, **arrays)
    write_json(folder / RESULT, content)


def read(folder: Path) -> Target:
    """What lies in a job's folder; raises FileNotFoundError before it is done, Unreadable if damaged."""
    return _read(str(folder), (folder / RESULT).stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _read(folder: str, stamp: int) -> Target:
    del stamp  # part of the key only
    place = Path(folder)
    with np.load(place / ARRAYS, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    images = np.load(place / IMAGES, mmap_mode="r", allow_pickle=False)
    return Target(read_json(place / RESULT), arrays, images)


def drops(run: Run) -> list[Job]:
    """The drops that were compared, or are to be, with this run, newest first."""
    return [job for job in list_jobs() if job.kind == KIND and job.params.get("run") == run.name]


def begin(run: Run, source: str | Path, name: str, folder: Path | None = None) -> Job:
    """Queue the comparison of a SOURCE; `folder` is the job's own, claimed already, where files were put into it."""
    path = Path(source).expanduser()
    given = str(path.resolve()) if path.exists() else str(source)
    return submit(
        KIND, {"run": run.name, "source": given, "name": name}, title=f"Comparing {name}", folder=folder
    )
