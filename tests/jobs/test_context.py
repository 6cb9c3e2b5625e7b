"""What a work function is given: progress that is cheap to call, an estimate, the wish to stop."""

import math
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bloodapp.errors import Stopped
from bloodapp.jobs import Context, submit
from bloodapp.jobs.context import INTERVAL_S
from bloodapp.jobs.job import Job
from tests.jobs.fakes import until


@dataclass(frozen=True)
class CountingJob(Job):
    """A job that remembers how often its status was written."""

    writes: list[dict[str, Any]] = field(default_factory=list)

    def write_status(self, status: dict[str, Any]) -> None:
        """Write, and remember."""
        self.writes.append(dict(status))
        super().write_status(status)


class Clock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """The time in seconds."""
        return self.now


@pytest.fixture
def job(home: Path) -> CountingJob:
    """A queued job that counts its writes."""
    return CountingJob(submit("count", {"n": 1}).folder, "count")


def test_a_flood_of_progress_is_a_trickle_of_writes(job: CountingJob) -> None:
    """Within half a second the file is written once, and what was said last arrives by itself."""
    begun = time.monotonic()
    context = Context(job)
    for number in range(1, 5001):
        context.progress(number, 5000, "Counting", loss=1 / number)
    allowed = 2 + int((time.monotonic() - begun) / INTERVAL_S)
    assert len(job.writes) <= allowed
    until(lambda: job.written_status().get("done") == 5000)
    assert job.written_status()["loss"] == 1 / 5000
    assert len(job.writes) <= allowed + 1


def test_calm_progress_is_written_each_time(job: CountingJob) -> None:
    """Who speaks once a second is heard at once."""
    clock = Clock()
    context = Context(job, clock=clock)
    for number in range(20):
        clock.now += 1.0
        context.progress(number, 20)
        assert job.written_status()["done"] == number
    assert len(job.writes) == 20


def test_the_last_status_wins_over_a_late_write(job: CountingJob) -> None:
    """After the end nothing that was said before, or is said later, touches the file."""
    context = Context(job)
    context.progress(1, 10)
    context.progress(2, 10)
    context.finish("done", result={"ok": True})
    context.progress(3, 10)
    last = job.written_status()
    assert (last["state"], last["done"], last["result"]) == ("done", 2, {"ok": True})
    assert last["finished"] and last["eta_s"] is None
    assert job.writes[-1]["state"] == "done"


def test_numbers_that_json_lacks(job: CountingJob) -> None:
    """NaN and infinity become null, NumPy's numbers plain ones."""
    Context(job).progress(np.int64(1), 2, loss=math.nan, worst=[np.float32("inf"), np.float32(0.5)])
    status = job.written_status()
    assert status["done"] == 1
    assert status["loss"] is None
    assert status["worst"] == [None, 0.5]


def test_the_estimate_follows_the_recent_rate(job: CountingJob) -> None:
    """A slow start is forgotten after a while; without a total there is no estimate."""
    clock = Clock()
    context = Context(job, clock=clock)
    context.progress(0, 1000)
    assert job.written_status()["eta_s"] is None
    clock.now += 60
    context.progress(10, 1000)
    assert job.written_status()["eta_s"] == pytest.approx(990 * 6)
    for number in range(11, 211):
        clock.now += 1
        context.progress(number, 1000)
    assert job.written_status()["eta_s"] == pytest.approx(790, rel=0.02)
    clock.now += 1
    context.progress(211, None)
    assert job.written_status()["eta_s"] is None


def test_the_estimate_of_a_continued_job_counts_from_where_it_went_on(job: CountingJob) -> None:
    """What an earlier attempt had done does not make this one look fast."""
    clock = Clock()
    context = Context(job, clock=clock)
    context.progress(500, 1000)
    clock.now += 10
    context.progress(510, 1000)
    assert job.written_status()["eta_s"] == pytest.approx(490)
    clock.now += 10
    context.progress(0, 100, "Another stage")
    clock.now += 10
    context.progress(50, 100, "Another stage")
    assert job.written_status()["eta_s"] == pytest.approx(10)


def test_the_stop_file_is_heard(job: CountingJob) -> None:
    """`stopped` says so, `check` raises, and both are remembered."""
    context = Context(job)
    context.check()
    assert not context.told_to_stop
    (job.folder / "stop").touch()
    assert context.stopped()
    assert context.told_to_stop
    with pytest.raises(Stopped):
        context.check()


def test_a_full_disk_does_not_end_the_work(job: CountingJob, monkeypatch: pytest.MonkeyPatch) -> None:
    """One status that cannot be written is passed over; the next one is."""
    clock = Clock()
    context = Context(job, clock=clock)
    with monkeypatch.context() as broken:
        broken.setattr("bloodapp.workspace.write_json", _full)
        context.progress(1, 3)
    clock.now += 1
    context.progress(2, 3)
    assert job.written_status()["done"] == 2


def _full(*_: object) -> None:
    raise OSError(28, "No space left on device")
