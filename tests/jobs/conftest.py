"""Runners and children that a test leaves nothing of."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from bloodapp.jobs import Runner, list_jobs
from bloodapp.jobs.job import Job
from tests.jobs.fakes import TABLE, until


@pytest.fixture
def runner(home: Path) -> Iterator[Callable[..., Runner]]:
    """Makes started runners over the fakes; closes them, and ends the children they leave."""
    made: list[Runner] = []

    def make(**options: object) -> Runner:
        made.append(Runner(**{"table": TABLE, **options}).start())  # type: ignore[arg-type]
        return made[-1]

    yield make
    for each in made:
        each.close()
    end_children()


def end_children() -> None:
    """Kill whatever still performs a job in another process, and wait until it is gone."""
    for job in list_jobs():
        status = job.status()
        if status["state"] == "running" and status["pid"] != os.getpid():
            kill(job)


def kill(job: Job) -> None:
    """`kill -9` the process that performs the job, and wait until its lock is free."""
    with suppress(ProcessLookupError):
        os.kill(job.status()["pid"], signal.SIGKILL)
    until(lambda: job.state() != "running")
