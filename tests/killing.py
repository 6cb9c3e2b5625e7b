"""Kills imports with -9, once at each thing they do to the disk: `python -m tests.killing OLD NEW`, with BLOODAPP_HOME.

The last line is how many kills there were. Every import is a fork, so that nothing of one is in the next.
"""

import os
import random
import signal
import sys
import threading
from collections.abc import Callable

# Loaded here once, and not in each fork.
import pandas as pd
import pyarrow.parquet

from bloodapp import workspace
from bloodapp.data import decisions
from bloodapp.data.dataset import list_datasets, open_dataset
from bloodapp.data.importing import import_source

assert pd and pyarrow.parquet
EVENTS = {"open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "shutil.rmtree", "sqlite3.connect"}
AT_RANDOM = 10


def forked(work: Callable[[], object], kill_after_s: float | None = None) -> int:
    """Do it in a fork: 0 if it ended well, -9 if it was killed; anything else is raised here."""
    child = os.fork()
    if child == 0:
        try:
            if kill_after_s is not None:
                threading.Timer(kill_after_s, os.kill, (os.getpid(), signal.SIGKILL)).start()
            work()
            os._exit(0)
        except BaseException:
            import traceback

            traceback.print_exc()
            os._exit(1)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, -signal.SIGKILL), f"ended with {code}"
    return code


def killed_at(number: int) -> None:
    """End this process at the so-manieth thing that is done within the workspace."""
    home, seen = str(workspace.home()), 0

    def watch(event: str, args: tuple) -> None:
        nonlocal seen
        if event in EVENTS and any(home in str(arg) for arg in args[:2]):
            seen += 1
            if seen == number:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)


def whole(name: str, counts: set[int]) -> None:
    """Raise unless the dataset is there, whole, with one of these numbers of images; the old one with its decision."""
    dataset = open_dataset(name)
    assert len(dataset) in counts, len(dataset)
    assert len(dataset.images) == len(dataset.items) == len(dataset)
    kept = decisions.last_seq(dataset) == 1 or [*dataset.path.glob("decisions-before-*.csv")]
    assert kept or dataset.source["name"] == "new", "the decisions are gone"


def main(old: str, new: str) -> None:
    """Kill an import that replaces a dataset, and one that makes a new one, everywhere."""

    def fresh() -> None:
        dataset = import_source(old, name="one", replace=True)
        decisions.record(dataset, [0], "exclude", why="blurred")

    def nothing_lies_about() -> None:
        assert [path for path in workspace.datasets_folder().glob(".*-*")] == []

    def replacing(number: int | None) -> None:
        if number is not None:
            killed_at(number)
        import_source(new, name="one", replace=True)

    def making(number: int | None) -> None:
        if number is not None:
            killed_at(number)
        import_source(new, name="two")

    def afterwards() -> None:
        whole("one", {8, 16})
        if "two" in list_datasets():
            whole("two", {16})
        import_source(new, name="two", replace=True)
        import_source(new, name="one", replace=True)
        whole("one", {16})
        nothing_lies_about()
        from bloodapp.data.dataset import delete_dataset

        delete_dataset("two")

    kills = 0
    for work in (replacing, making):
        number = 1
        forked(fresh)
        while forked(lambda work=work, number=number: work(number)):
            kills += 1
            number += 1
            forked(afterwards)
            forked(fresh)
        forked(afterwards)
        chance = random.Random(number)
        for _ in range(AT_RANDOM):
            forked(fresh)
            kills += forked(lambda work=work: work(None), chance.uniform(0, 0.08)) != 0
            forked(afterwards)
    print(kills)


if __name__ == "__main__":
    main(*sys.argv[1:])
