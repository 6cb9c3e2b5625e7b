"""A source becomes a dataset: streamed into a hidden folder, moved into place when it is whole.

Whoever breaks it off, stops it or kills it leaves no dataset; what a kill leaves behind, a hidden folder
whose lock is free, is swept by the next import. Images go to the file one after another: neither the
source nor the result is ever in memory as a whole.
"""

import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from bloodapp.classes import to_json
from bloodapp.data import ledger
from bloodapp.data.bloodmnist import is_word
from bloodapp.data.dataset import (
    LOCK,
    MAKING,
    REPLACED,
    Dataset,
    dataset_path,
    open_dataset,
)
from bloodapp.data.exchange import export_log
from bloodapp.data.preparing import prepared
from bloodapp.data.readings import samples
from bloodapp.data.sources import Source, open_published, open_source
from bloodapp.data.writing import ImagesFile
from bloodapp.errors import AlreadyExists, BloodappError, InvalidValue, SourceError, Stopped
from bloodapp.workspace import datasets_folder, is_held, lock, name_from, now, staged_folder, write_json

if TYPE_CHECKING:
    import pandas as pd

SIZES = (16, 512)
_RESERVE = 256 << 20  # bytes of disk that stay free

Progress = Callable[[int, int, str], None]


class Context(Protocol):
    """What a job gives its work function."""

    def progress(self, done: int, total: int, text: str = "") -> None:
        """Say how far the work is."""

    def stopped(self) -> bool:
        """Whether somebody asked to stop."""


def work(params: dict[str, Any], context: Context) -> dict[str, Any]:
    """The job `import`: params source, and optionally name, size, replace, labelled, convert.

    Gives dataset, count, skipped.
    """
    dataset = import_source(
        params["source"],
        name=params.get("name"),
        size=int(params.get("size", 96)),
        replace=bool(params.get("replace", False)),
        labelled=bool(params.get("labelled", True)),
        convert=bool(params.get("convert", False)),
        progress=context.progress,
        stopped=context.stopped,
    )
    return {"dataset": dataset.name, "count": len(dataset), "skipped": len(dataset.facts["skipped"])}


def import_source(
    source: str | Path,
    *,
    name: str | None = None,
    size: int = 96,
    replace: bool = False,
    labelled: bool = True,
    convert: bool = False,
    progress: Progress | None = None,
    stopped: Callable[[], bool] | None = None,
) -> Dataset:
    """Import a source as a dataset with square images of `size` pixels, and open it.

    With `labelled=False` pictures without labels will do, to be labelled here; labels that there are count.
    With `convert` the images of a `.npz` may be numbers of other types, from 0 to 1 or from 0 to 255.
    `progress(done, total, text)` is called now and then, `stopped()` asked. Pictures that cannot be read
    are listed in the dataset's facts and do not stop the import unless none is left.
    Replacing keeps the old dataset's decisions as `decisions-before-….csv` in the new one's folder.
    Raises SourceError, AlreadyExists (without `replace`), InvalidValue and Stopped.
    """
    checked_size(size)
    target = checked_target(_default_name(source) if name is None else name, replace=replace)
    if is_word(source):
        opened = open_published(source, progress, stopped)
    else:
        opened = open_source(source, labelled=labelled, convert=convert)
    return store(opened, target.name, size, replace, progress, stopped)


def checked_size(size: int) -> int:
    """The size itself if images can have it; raises InvalidValue."""
    if not SIZES[0] <= size <= SIZES[1]:
        raise InvalidValue(f"The size {size} is out of bounds: choose {SIZES[0]} to {SIZES[1]} pixels.")
    return size


def checked_target(name: str, *, replace: bool = False) -> Path:
    """The folder of a dataset that is to be made; raises InvalidValue, and AlreadyExists without `replace`."""
    target = dataset_path(name)
    if target.exists() and not replace:
        raise _taken(target)
    return target


def store(
    opened: Source,
    name: str,
    size: int,
    replace: bool = False,
    progress: Progress | None = None,
    stopped: Callable[[], bool] | None = None,
) -> Dataset:
    """Make a dataset of an opened source, whole or not at all, and open it; raises as `import_source` does."""
    target = checked_target(name, replace=replace)
    with _disk_explained(target.name), _staging() as (staged, publish):
        _fill(staged, opened, target.name, size, progress, stopped)
        publish(target, replace)
    return open_dataset(target.name)


def _default_name(source: str | Path) -> str:
    path = Path(os.path.expanduser(source)).resolve()  # so that `.` has a name too
    return name_from(path.name if path.is_dir() else path.stem)


def _taken(target: Path) -> AlreadyExists:
    return AlreadyExists(f"A dataset '{target.name}' exists: choose another name, or replace it (--replace).")


@contextmanager
def _staging() -> Iterator[tuple[Path, Callable[[Path, bool], None]]]:
    """A hidden folder to build in, whose lock says that somebody does, and the function that publishes it.

    The lock of the datasets folder is held only while hidden folders come or go, so that no sweep sees
    one in the moment before it has its own lock.
    """
    parent = datasets_folder()
    parent.mkdir(parents=True, exist_ok=True)
    house = lock(parent / LOCK)
    with ExitStack() as stack:
        with house:
            _sweep(parent)
            staged = stack.enter_context(staged_folder(parent))
            mine = lock(staged / LOCK)
            mine.acquire(timeout=0)
        stack.callback(mine.release)

        def publish(target: Path, replace: bool) -> None:
            with house:
                if target.exists() and not replace:
                    raise _taken(target)
                _let_go(mine)
                old = target.with_name(f"{REPLACED}{target.name}")
                if target.exists():
                    _keep_decisions(target, staged)
                    os.rename(target, old)  # a kill right here is mended by restore_replaced
                os.rename(staged, target)
                shutil.rmtree(old, ignore_errors=True)

        yield staged, publish


def _let_go(mine: FileLock) -> None:
    mine.release()
    Path(mine.lock_file).unlink(missing_ok=True)


def _sweep(parent: Path) -> None:
    """Remove what killed imports left. The caller holds the lock of the datasets folder."""
    for folder in parent.glob(f"{MAKING}*"):
        if not is_held(folder / LOCK):
            shutil.rmtree(folder, ignore_errors=True)
    for old in parent.glob(f"{REPLACED}*"):
        target = old.with_name(old.name.removeprefix(REPLACED))
        if target.exists():
            shutil.rmtree(old, ignore_errors=True)
        else:
            os.rename(old, target)


def _keep_decisions(old: Path, staged: Path) -> None:
    """Save the decisions and readings about a dataset that is being replaced: they are somebody's work."""
    moment = now().replace(":", "")
    kept = staged / f"decisions-before-{moment}.csv"
    try:
        dataset = open_dataset(old.name)
        if not export_log(dataset, kept):
            kept.unlink()
        # Readings are of a sample of these very images: nothing replays them, but they are there to be looked up.
        if samples(dataset):
            ledger.copy(dataset.path, staged / f"readings-before-{moment}.db")
    except (
        BloodappError
    ):  # the old dataset is damaged, which is a good reason to replace it: keep the file as it is
        if (old / ledger.FILE).exists():
            shutil.copyfile(old / ledger.FILE, kept.with_suffix(".db"))


@contextmanager
def _disk_explained(name: str) -> Iterator[None]:
    """Turn what a disk answers to writing into one sentence; sources explain their reading themselves."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise SourceError(f"The disk is full: make room, then make '{name}' again.") from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST):
            raise SourceError(
                f"'{name}' cannot be kept, because '{datasets_folder()}' may not be written: "
                "give yourself the right, or set BLOODAPP_HOME to a folder of your own."
            ) from error
        raise


def _fill(
    staged: Path,
    source: Source,
    name: str,
    size: int,
    progress: Progress | None,
    stopped: Callable[[], bool] | None,
) -> None:
    """Write images, items, the empty log and the record of a dataset; the record comes last."""
    needed = source.count * size * size * 3 + _RESERVE
    if (free := shutil.disk_usage(staged).free) < needed:
        raise SourceError(
            f"'{source.name}' needs {needed / 1e9:.1f} GB of disk, {free / 1e9:.1f} GB are free: make room."
        )
    rows: list[tuple[Any, ...]] = []
    skipped = list(source.passed)
    notes: list[tuple[str, str]] = []
    hashes: list[NDArray[np.uint64]] = []
    fingerprint = hashlib.sha256()
    done = 0
    with ImagesFile(staged / "images.npy", size) as file, closing(prepared(source, size)) as blocks:
        while True:
            if stopped is not None and stopped():
                raise Stopped(f"Stopped: nothing of '{name}' was kept.")
            if progress is not None and done < source.count:
                progress(done, source.count, "Reading images")
            block = next(blocks, None)
            if block is None:
                break
            done += block.taken
            file.append(block.images)
            for digest, facts in zip(block.digests, block.facts, strict=True):
                fingerprint.update(digest + facts[4].to_bytes(2, "little", signed=True))
                rows.append((len(rows), digest.hex(), *facts))
            hashes.append(block.hashes)
            skipped += block.skipped
            notes += block.notes
        if not rows:
            raise SourceError(
                f"None of the {len(skipped)} pictures in '{source.path}' can be read: {skipped[0][1]}"
            )
        file.finish()
    if progress is not None:
        progress(source.count, source.count, "Writing the record")
    items = _items(rows, np.concatenate(hashes))
    # A dictionary of what is different in each row only costs time, in writing and in every reading.
    items.to_parquet(staged / "items.parquet", index=False, use_dictionary=["mode", "part"])
    if source.truth is not None:
        source.truth.to_parquet(staged / "truth.parquet", index=False)
    ledger.create_log(staged)
    write_json(
        staged / "dataset.json",
        {
            "name": name,
            "classes": to_json(source.classes),
            "size": size,
            "count": len(rows),
            "fingerprint": fingerprint.hexdigest(),
            "source": {"kind": source.kind, "name": source.name, "path": source.path, **source.facts},
            "imported": now(),
            "skipped": [{"name": name, "reason": reason} for name, reason in skipped],
            **({"notes": [{"name": name, "note": note} for name, note in notes]} if notes else {}),
        },
    )


def _items(rows: list[tuple[Any, ...]], hashes: NDArray[np.uint64]) -> "pd.DataFrame":
    import pandas as pd

    columns = ["index", "sha256", "name", "width", "height", "mode", "label", "part", "parent"]
    types = {
        "index": "int64",
        "width": "int32",
        "height": "int32",
        "label": "int16",
        "parent": "int64",
    }
    by_column = dict(zip(columns, zip(*rows, strict=True), strict=True))
    typed = {
        key: np.array(values, types[key]) if key in types else list(values)
        for key, values in by_column.items()
    }
    table = pd.DataFrame(typed)
    table.insert(2, "phash", hashes)
    return table
