"""Where an export goes: checked before the work, whole when it appears, and free of what a kill left.

It is built hidden beside its target, under a lock of that target's own. So whatever else hidden and of this
target lies there when the lock was got belongs to somebody who was killed, and goes.
"""

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from filelock import Timeout

from bloodapp.errors import AlreadyExists, Busy, InvalidValue, Shortage
from bloodapp.workspace import lock, replacing

MARK = "bloodapp-export.json"
"""The file in every folder that we wrote: only such a folder, or an empty one, is ever replaced."""

_RESERVE = 64 << 20  # bytes of disk that stay free
_OLD = ".old"


@contextmanager
def placed(out: Path, needed: int, *, folder: bool = False, replace: bool = False) -> Iterator[Path]:
    """A hidden path beside `out`, an empty file or folder, that becomes `out` when the block ends well.

    `needed`: bytes that it will take at most. Raises AlreadyExists, InvalidValue, Shortage and Busy, in one sentence.
    """
    out = out.absolute()
    with _explained(out):
        refuse(out, folder=folder, replace=replace)
        _room(out, needed)
        out.parent.mkdir(parents=True, exist_ok=True)
        with _held(out):
            _sweep(out)
            with _built_folder(out, replace) if folder else _built_file(out, replace) as staged:
                yield staged


def refuse(out: Path, *, folder: bool, replace: bool) -> None:
    """Raise AlreadyExists or InvalidValue if nothing may be written under this name."""
    if not os.path.lexists(out):
        return
    if not folder and out.is_dir():
        raise InvalidValue(f"'{out}' is a folder: name the file to write in it.")
    if folder and not out.is_dir():
        raise InvalidValue(f"'{out}' is a file, and a folder is to be written: choose another name.")
    if not replace:
        raise AlreadyExists(f"'{out}' is there already: choose another name, or replace it (--replace).")
    if folder and not (out / MARK).is_file() and any(out.iterdir()):
        raise InvalidValue(f"'{out}' holds other files than those of an export: choose another name.")


def _room(out: Path, needed: int) -> None:
    there = next(parent for parent in out.parents if parent.is_dir())
    if (free := shutil.disk_usage(there).free) < needed + _RESERVE:
        raise Shortage(
            f"'{out.name}' may need {needed / 1e9:.1f} GB of disk, {free / 1e9:.1f} GB are free: make room, "
            "or choose another disk."
        )


@contextmanager
def _explained(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Shortage(
                f"The disk is full: nothing was written at '{out}'; make room, then try again."
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise InvalidValue(f"'{out}' may not be written: choose a folder of your own.") from error
        raise InvalidValue(
            f"'{out}' cannot be written ({error.strerror or error}): choose another place."
        ) from error


@contextmanager
def _held(out: Path) -> Iterator[None]:
    path = out.with_name(f".{out.name}.lock")
    mine = lock(path)
    try:
        mine.acquire(timeout=0)
    except Timeout:
        raise Busy(f"'{out}' is being written by another export: wait until it ends.") from None
    try:
        yield
    finally:
        mine.release()
        path.unlink(missing_ok=True)


def _sweep(out: Path) -> None:
    """Remove what killed exports left, and bring back what one had moved aside. The caller holds the lock."""
    # To the letter: what is hidden for `cells-2` is none of `cells`.
    ours = re.compile(
        rf"\.{re.escape(out.name)}-[0-9a-f]{{32}}(?:{re.escape(out.suffix)}|{re.escape(_OLD)})?"
    )
    for left in [entry for entry in out.parent.iterdir() if ours.fullmatch(entry.name)]:
        if left.name.endswith(_OLD) and not os.path.lexists(out):
            os.rename(left, out)
        else:
            _remove(left)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def _built_file(out: Path, replace: bool) -> Iterator[Path]:
    with replacing(out) as temporary:
        yield temporary
        refuse(out, folder=False, replace=replace)  # somebody may have written it meanwhile


@contextmanager
def _built_folder(out: Path, replace: bool) -> Iterator[Path]:
    staged = out.with_name(f".{out.name}-{uuid4().hex}")
    staged.mkdir()
    try:
        yield staged
        refuse(out, folder=True, replace=replace)
        old = staged.with_name(staged.name + _OLD)
        if out.exists():
            os.rename(out, old)  # a kill right here is mended by the next sweep
        try:
            os.rename(staged, out)
        except OSError:
            with suppress(OSError):
                os.rename(old, out)
            raise
        _remove(old)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
