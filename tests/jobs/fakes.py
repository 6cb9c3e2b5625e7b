"""The one fake: work functions whose course a test decides. Named as `tests.jobs.fakes:KINDS`."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from bloodapp.errors import SourceError

TABLE = "tests.jobs.fakes:KINDS"


def until(true: Callable[[], Any], seconds: float = 30.0) -> None:
    """Wait until something is true; fails the test when it does not become so."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def count(params: dict[str, Any], context: Any) -> dict[str, Any]:
    """Count to `n`, a hundred a second at most, going on where an earlier attempt got to.

    With `until` it goes no further than one before `n` until that file is there.
    """
    path = context.folder / "counted"
    with (context.folder / "began").open("a") as stream:
        stream.write(f"{os.getpid()}\n")
    begin = len(path.read_text()) if path.exists() else 0
    for number in range(begin, params["n"]):
        while number == params["n"] - 1 and "until" in params and not Path(params["until"]).exists():
            context.check()
            time.sleep(0.01)
        context.check()
        with path.open("a") as stream:
            stream.write("|")
        context.progress(number + 1, params["n"], "Counting", number=number)
        time.sleep(0.01)
    return {"from": begin, "to": params["n"]}


def keep(params: dict[str, Any], context: Any) -> dict[str, Any]:
    """Work until told to stop, and end well with what there is."""
    context.progress(0, None, "Keeping")
    while not context.stopped():
        time.sleep(0.01)
    return {"kept": True}


def deaf(params: dict[str, Any], context: Any) -> None:
    """Never look whether to stop; wait for a second signal."""
    context.progress(1, 1, "Deaf")
    while True:
        time.sleep(0.01)


def mistaken(params: dict[str, Any], context: Any) -> None:
    """Fail with a sentence for the user."""
    raise SourceError("The folder holds no images: choose another.")


def broken(params: dict[str, Any], context: Any) -> None:
    """Fail as a bug does."""
    raise ZeroDivisionError("one over none")


def greedy(params: dict[str, Any], context: Any) -> None:
    """Fail as one does for whom memory was not enough."""
    raise MemoryError


def about(params: dict[str, Any], context: Any) -> dict[str, Any]:
    """Say what the process that performs the job is like."""
    print("said on stdout")
    print("said on stderr", file=sys.stderr)
    return {
        "pid": os.getpid(),
        "nice": psutil.Process().nice(),
        "session": os.getsid(0),
        "log_level": os.environ.get("TF_CPP_MIN_LOG_LEVEL"),
        "extra": os.environ.get("EXTRA"),
        "tensorflow": "tensorflow" in sys.modules,
        "streamlit": "streamlit" in sys.modules,
    }


KINDS = {
    "about": "tests.jobs.fakes:about",
    "broken": broken,
    "count": "tests.jobs.fakes:count",
    "deaf": deaf,
    "greedy": greedy,
    "keep": keep,
    "mistaken": mistaken,
    "train": count,
}
