"""Where things lie on disk, and how they are written so that a kill loses nothing.

Importing this module creates nothing. Every JSON file carries `format`; every replacement is
written beside its target and moved over it, so that a reader sees the old or the new text only.
"""

import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from filelock import FileLock, Timeout

if sys.platform != "win32":
    import fcntl

from bloodapp.errors import AlreadyExists, InvalidValue, Unreadable

FORMAT = 1
CHECKOUT = Path(__file__).resolve().parent.parent

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def home() -> Path:
    """The folder that holds datasets and jobs: `$BLOODAPP_HOME`, or `workspace/` in the checkout."""
    chosen = os.environ.get("BLOODAPP_HOME")
    return Path(chosen).expanduser().resolve() if chosen else CHECKOUT / "workspace"


def datasets_folder() -> Path:
    """The folder of all datasets."""
    return home() / "datasets"


def jobs_folder() -> Path:
    """The folder of all jobs that are not trainings."""
    return home() / "jobs"


def runs_folder() -> Path:
    """The run store: `$BLOODAPP_HOME/models`, or `models/` of the checkout."""
    return home() / "models" if os.environ.get("BLOODAPP_HOME") else CHECKOUT / "models"


def shipped_runs_folder() -> Path:
    """The runs that ship with the project; read-only."""
    return CHECKOUT / "models"


def now(timespec: str = "milliseconds") -> str:
    """The time as UTC ISO-8601, with milliseconds `2026-11-20T10:54:15.123Z`, or as `datetime.isoformat` names it."""
    return datetime.now(UTC).isoformat(timespec=timespec).replace("+00:00", "Z")


def checked_name(name: str) -> str:
    """The name itself if it may name a folder; raises InvalidValue otherwise."""
    if not _NAME.fullmatch(name):
        raise InvalidValue(
            f"'{name}' cannot be used as a name: use 1 to 64 letters, digits, '.', '_' or '-', "
            "beginning with a letter or digit."
        )
    return name


def name_from(text: str) -> str:
    """A usable name made from any text, for instance a file's stem."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._")[:64].rstrip("-._") or "dataset"


def claim_folder(parent: Path, name: str, *, number: bool = False) -> Path:
    """Create `parent/name`, which nobody else then can; with `number` try name-2, name-3, … if taken.

    Raises AlreadyExists if the name is taken and `number` is false.
    """
    parent.mkdir(parents=True, exist_ok=True)
    for attempt in range(1, 10_000):
        folder = parent / (name if attempt == 1 else f"{name}-{attempt}")
        with suppress(FileExistsError):
            folder.mkdir()
            return folder
        if not number:
            break
    raise AlreadyExists(f"'{name}' is taken: choose another name.")


@contextmanager
def staged_folder(parent: Path) -> Iterator[Path]:
    """A hidden folder in `parent` to build something in; it vanishes unless moved away inside the block."""
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=".making-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that replaces it when the block ends well, and goes when it does not.

    A device or a pipe is given as it is: to replace /dev/null would take it from everybody.
    """
    if path.is_char_device() or path.is_block_device() or path.is_fifo():
        yield path
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not mkstemp: the file would stay closed to everybody else on the machine.
    temporary = path.with_name(f".{path.name}-{uuid4().hex}{path.suffix}")
    temporary.touch(exist_ok=False)
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Replace a JSON file atomically; adds `format`. Raises ValueError for NaN and infinities."""
    text = json.dumps({"format": FORMAT, **content}, allow_nan=False, indent=1, ensure_ascii=False)
    with replacing(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file of ours; raises FileNotFoundError if absent, Unreadable if damaged or too new."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise Unreadable(f"{path.name} in '{path.parent.name}' is damaged: {error}.") from error
    if not isinstance(content, dict) or not isinstance(content.get("format"), int):
        raise Unreadable(f"{path.name} in '{path.parent.name}' is not one of this app's files.")
    if content["format"] > FORMAT:
        raise Unreadable(
            f"'{path.parent.name}' was written by a newer version of this app: update the app to open it."
        )
    return content


def append_line(path: Path, content: dict[str, Any]) -> None:
    """Append one JSON line; non-finite numbers become null, and a torn last line goes first."""
    line = json.dumps(finite(content), allow_nan=False, ensure_ascii=False) + "\n"
    with path.open("a+b") as stream:
        if stream.seek(0, os.SEEK_END):
            stream.seek(-1, os.SEEK_END)
            if stream.read(1) != b"\n":
                stream.seek(0)
                stream.truncate(stream.read().rfind(b"\n") + 1)
        stream.write(line.encode())


def read_lines(path: Path) -> list[dict[str, Any]]:
    """All JSON lines of a file ([] if absent); a torn last line is passed over, any other is Unreadable."""
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    rows = []
    for number, line in enumerate(lines[:-1], start=1):
        try:
            rows.append(json.loads(line))
        except ValueError as error:
            if number == len(lines) - 1:
                break
            raise Unreadable(f"Line {number} of {path.name} in '{path.parent.name}' is damaged.") from error
    return rows


def lock(path: Path) -> FileLock:
    """A lock file that is free again after a kill; hold it by `.acquire(timeout=0)` in a `with`."""
    return FileLock(path)


def held_at_home(file: str) -> AbstractContextManager[object]:
    """Hold the lock of a file in `home()`, waiting ten seconds at most: for who reads it, changes it and writes it."""
    home().mkdir(parents=True, exist_ok=True)
    return lock(home() / f".{file}.lock").acquire(timeout=10)


def is_held(path: Path) -> bool:
    """Whether some process (or another part of this one) holds the lock file.

    Asks with a shared lock, so that any number of readers may ask at once and none is taken for a
    holder; it lasts some microseconds, so whoever wants to hold the lock tries for longer than that.
    """
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        if sys.platform == "win32":
            with FileLock(path).acquire(timeout=0):
                return False
        else:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return False
    except (Timeout, BlockingIOError):
        return True
    finally:
        os.close(handle)


def finite(value: Any) -> Any:
    """The value as JSON holds it, at any depth: NumPy scalars as numbers, NaN and infinities as None."""
    if getattr(value, "ndim", None) == 0 and hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return value
