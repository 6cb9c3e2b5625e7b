"""The formats of an export, declared once, the export itself, and the job that does it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.data.decisions import Judged, judge
from bloodapp.data.exporting import arrays, pictures
from bloodapp.data.exporting.chosen import Chosen, Told
from bloodapp.data.exporting.place import placed
from bloodapp.data.importing import Context
from bloodapp.errors import InvalidValue, NotFound, SourceError, Stopped

_WORDS = "Writing images"


@dataclass(frozen=True)
class Format:
    """A format of an export.

    Attributes:
        title: what people read.
        about: what it holds, in one sentence.
        suffix: of its file; empty where it is a folder.
        write: fills an empty file or folder with the chosen images.
        unlabelled: whether it has a place for images without a label.
        each: bytes that an image takes beside its pixels, at most.
    """

    title: str
    about: str
    suffix: str
    write: Callable[[Path, Chosen, Told], None]
    unlabelled: bool
    each: int


FORMATS: dict[str, Format] = {
    "course": Format(
        "Course .npz",
        "Images and labels as two arrays, which numpy.load opens; names and parts are not in it.",
        ".npz",
        arrays.course,
        False,
        1,
    ),
    "medmnist": Format(
        "MedMNIST .npz",
        "Arrays for train, val and test; images without a part go to train.",
        ".npz",
        arrays.medmnist,
        False,
        1,
    ),
    "folders": Format(
        "Class folders",
        "A folder of PNG pictures for each class, below one for each part where there are parts.",
        "",
        pictures.folders,
        True,
        8192,
    ),
    "zip": Format(
        "Class folders in a .zip",
        "The same folders of PNG pictures, in one file.",
        ".zip",
        pictures.archive,
        True,
        1024,
    ),
    "csv": Format(
        "Pictures and a table",
        "A folder with PNG pictures, and labels.csv with file, label, part and the name in the source.",
        "",
        pictures.table,
        True,
        8192,
    ),
}


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        path: the file or folder, absolute.
        count: images in it.
        left_out: images of the dataset that are not.
        seq: the last decision that it takes into account.
        nbytes: what it takes on disk.
    """

    path: Path
    count: int
    left_out: int
    seq: int
    nbytes: int


def work(params: dict[str, Any], context: Context) -> dict[str, Any]:
    """The job `export`: params dataset, out, to, and optionally replace, unlabelled; gives `Exported` and to."""
    done = export(
        open_dataset(params["dataset"]),
        Path(params["out"]),
        params["to"],
        replace=bool(params.get("replace", False)),
        unlabelled=bool(params.get("unlabelled", False)),
        progress=context.progress,
        stopped=context.stopped,
    )
    return {
        "path": str(done.path),
        "to": params["to"],
        "count": done.count,
        "seq": done.seq,
        "nbytes": done.nbytes,
    }


def guessed(out: Path) -> str:
    """The format that a file's name says; raises InvalidValue where it says none."""
    for name in ("course", "zip"):
        if out.suffix.lower() == FORMATS[name].suffix:
            return name
    raise InvalidValue(
        f"'{out}' does not say what to write: let it end in .npz or .zip, or choose with --to folders or --to csv."
    )


def export(
    dataset: Dataset,
    out: Path,
    to: str = "course",
    *,
    replace: bool = False,
    unlabelled: bool = False,
    judged: Judged | None = None,
    progress: Callable[[int, int, str], None] | None = None,
    stopped: Callable[[], bool] | None = None,
) -> Exported:
    """Write the included, labelled images, with decisions applied, as a file or folder that appears when it is whole.

    `unlabelled`: included images without a label too. Raises NotFound, InvalidValue, AlreadyExists (without
    `replace`), SourceError, Shortage, Busy and Stopped; then nothing is written and what was there stays.
    """
    form = checked(out, to, unlabelled)
    chosen = choose(dataset, judge(dataset) if judged is None else judged, unlabelled)

    def told(done: int) -> None:
        if stopped is not None and stopped():
            raise Stopped(f"Stopped: '{out.name}' was not written.")
        if progress is not None:
            progress(done, len(chosen), _WORDS)

    needed = chosen.nbytes + len(chosen) * form.each
    with placed(out, needed, folder=not form.suffix, replace=replace) as staged:
        form.write(staged, chosen, told)
        told(len(chosen))
    files = out.rglob("*") if out.is_dir() else [out]
    nbytes = sum(file.stat().st_size for file in files)
    return Exported(out.absolute(), len(chosen), len(dataset) - len(chosen), chosen.seq, nbytes)


def checked(out: Path, to: str, unlabelled: bool = False) -> Format:
    """The format of this name, if it can be written there; raises NotFound and InvalidValue."""
    if to not in FORMATS:
        raise NotFound("format", to, FORMATS)
    form = FORMATS[to]
    if form.suffix and out.suffix.lower() != form.suffix:
        raise InvalidValue(f"'{out}' must end in {form.suffix}: {form.title} is one file.")
    if not form.suffix and out.suffix.lower() in (".npz", ".zip", ".csv"):
        raise InvalidValue(f"'{out}' looks like a file, but {form.title.lower()} are a folder: name that.")
    if unlabelled and not form.unlabelled:
        holding = ", ".join(name for name, one in FORMATS.items() if one.unlabelled)
        raise InvalidValue(f"{form.title} has no place for images without a label: choose {holding}.")
    return form


def choose(dataset: Dataset, judged: Judged, unlabelled: bool = False) -> Chosen:
    """What remains of a dataset; raises SourceError if that is nothing."""
    rows = np.flatnonzero(judged.included) if unlabelled else judged.indices
    if not len(rows):
        raise SourceError(f"Nothing of '{dataset.name}' remains: keep at least one image.")
    return Chosen(dataset, rows, judged.labels[rows], dataset.parts[rows], judged.seq)
