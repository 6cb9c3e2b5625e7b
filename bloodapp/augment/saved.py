"""The user's own pipelines: names that stand for a text, kept in one file beside the datasets.

What is saved is offered wherever a shipped pipeline is: on the Augment and Train pages, on the command
line and inside other texts.
"""

import re
from functools import lru_cache
from pathlib import Path

from bloodapp.augment.named import PIPELINES
from bloodapp.augment.operations import OPERATIONS
from bloodapp.errors import InvalidValue, NotFound
from bloodapp.workspace import held_at_home, home, read_json, write_json

FILE = "pipelines.json"
_NAME = re.compile(r"[A-Za-z_]\w{0,39}")


def saved_pipelines() -> dict[str, str]:
    """The saved pipelines, name → text, in the order of saving; raises Unreadable for a damaged file."""
    path = home() / FILE
    try:
        stamp = path.stat()
    except FileNotFoundError:
        return {}
    return dict(_read(path, stamp.st_mtime_ns, stamp.st_ino))


def save_pipeline(name: str, text: str) -> None:
    """Keep a text under a name, in place of what was kept under it; raises InvalidValue for an unusable name."""
    if not _NAME.fullmatch(name):
        raise InvalidValue(
            f"'{name}' cannot name a pipeline: use 1 to 40 letters, digits or '_', beginning with a letter."
        )
    if (
        name in PIPELINES
        or name in OPERATIONS
        or any(name in p.words for o in OPERATIONS.values() for p in o.parameters)
    ):
        raise InvalidValue(f"'{name}' means something already in a pipeline's text: choose another name.")
    with held_at_home(FILE):
        _write(saved_pipelines() | {name: text})


def delete_pipeline(name: str) -> None:
    """Forget a saved pipeline; raises NotFound. Runs that were trained with it keep its text."""
    with held_at_home(FILE):
        kept = saved_pipelines()
        if name not in kept:
            raise NotFound("saved pipeline", name, kept)
        del kept[name]
        _write(kept)


def set_aside() -> None:
    """Put a damaged file out of the way, under another name beside it, and begin anew."""
    with held_at_home(FILE):
        path = home() / FILE
        if path.exists():
            path.replace(path.with_name(f"{path.stem}.damaged{path.suffix}"))


def _write(pipelines: dict[str, str]) -> None:
    write_json(home() / FILE, {"pipelines": pipelines})


@lru_cache(maxsize=4)
def _read(path: Path, changed: int, inode: int) -> dict[str, str]:
    del changed, inode  # part of the key only
    pipelines = read_json(path).get("pipelines", {})
    return {str(name): str(text) for name, text in pipelines.items()} if isinstance(pipelines, dict) else {}
