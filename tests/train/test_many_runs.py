"""Twenty trainings queued, two servers at once, stops at random, kills: every run ends in a true state, none twice.

Real processes, locks and files; only what a training computes is a fake. `make test-full` has the same with real ones.
"""

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from bloodapp import workspace
from bloodapp.data.dataset import Dataset
from bloodapp.jobs import request_stop, resume
from bloodapp.jobs.job import ACTIVE
from bloodapp.runs.run import Run, list_runs
from bloodapp.train.launch import start
from bloodapp.train.recipes import DEFAULT, RECIPES
from bloodapp.train.settings import with_settings
from tests.jobs.conftest import end_children, kill
from tests.jobs.fakes import until

TABLE = f"{__name__}:KINDS"
EPOCHS, RUNS = 4, 20
SERVE = f"from bloodapp.jobs import Runner; import sys; Runner(table={TABLE!r}).start(); sys.stdin.read()"


def train(params: dict[str, Any], context: Any) -> dict[str, Any]:
    """Go on after the last whole epoch, a tenth of a second each, and leave a line for each."""
    workspace.append_line(context.folder / "began.jsonl", {"pid": os.getpid()})
    begin = len(workspace.read_lines(context.folder / "metrics.jsonl"))
    for epoch in range(begin + 1, EPOCHS + 1):
        time.sleep(0.1)
        context.check()
        workspace.append_line(context.folder / "metrics.jsonl", {"epoch": epoch, "pid": os.getpid()})
        context.progress(epoch, EPOCHS, f"Epoch {epoch}")
    return {"run": params["run"]}


KINDS = {"train": train}


class Servers:
    """Server processes that look for work, to be killed as a power cut would."""

    def __init__(self) -> None:
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """One more."""
        self.running.append(subprocess.Popen([sys.executable, "-c", SERVE], stdin=subprocess.PIPE))

    def kill(self) -> None:
        """`kill -9` the oldest."""
        server = self.running.pop(0)
        server.kill()
        server.communicate()


@pytest.fixture
def servers(home: Path) -> Iterator[Servers]:
    """Two servers on one home."""
    made = Servers()
    made.start()
    made.start()
    yield made
    while made.running:
        made.kill()
    end_children()


def working() -> Run | None:
    """The run at work, if there is one."""
    return next((run for run in list_runs() if not run.shipped and run.state() == "running"), None)


def begun(run: Run) -> int:
    """How often the run's training began."""
    return len(workspace.read_lines(run.folder / "began.jsonl"))


def epochs(run: Run) -> list[int]:
    """The epochs that were trained, in the order in which they were, none left out."""
    return [line["epoch"] for line in workspace.read_lines(run.folder / "metrics.jsonl")]


@pytest.mark.timeout(300)
def test_twenty_queued_runs_end_in_true_states(tiny: Dataset, servers: Servers) -> None:
    """Stops, a killed server, a killed training and a new server: then all that did not end goes on, and once."""
    chance = random.Random(20)
    recipe = with_settings(RECIPES[DEFAULT], {"pipeline": "none", "minutes": 0, "epochs": EPOCHS})
    runs = [start(tiny, recipe, name=f"run-{number}") for number in range(RUNS)]
    stopped = chance.sample(runs, 5)
    killed = None
    for number, run in enumerate(stopped):
        until(lambda number=number: sum(begun(each) for each in runs) > 2 * number, 120)
        request_stop(run.job)
        if number == 1:
            servers.kill()
        if number == 2:
            until(lambda: working() not in (None, *stopped), 120)
            killed = working()
            with suppress(ProcessLookupError, AssertionError):
                assert killed is not None
                kill(killed.job)
            servers.start()
    until(lambda: all(run.state() not in ACTIVE for run in runs), 240)

    ended = {run.name: run.state() for run in runs}
    assert killed is not None
    assert ended[killed.name] in ("interrupted", "done")  # done where its last epoch was faster than the kill
    for run in runs:
        asked = run in stopped
        assert ended[run.name] in (("stopped", "done") if asked else ("done", "interrupted")), run.name
        assert ended[run.name] != "interrupted" or run == killed
        assert begun(run) <= 1
        assert epochs(run) == list(range(1, len(epochs(run)) + 1))

    for run in runs:
        if run.state() != "done":
            resume(run.job)
    until(lambda: all(run.state() not in ACTIVE for run in runs), 120)
    assert {run.state() for run in runs} == {"done"}
    assert all(epochs(run) == list(range(1, EPOCHS + 1)) for run in runs)
    assert all(begun(run) <= run.job.written_status()["attempt"] for run in runs)
