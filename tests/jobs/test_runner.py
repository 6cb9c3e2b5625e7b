"""The runner and its children, with real processes and real kills."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bloodapp import workspace
from bloodapp.jobs import Runner, delete_job, list_jobs, request_stop, resume, submit
from bloodapp.jobs.job import Job
from tests.jobs.conftest import end_children, kill
from tests.jobs.fakes import TABLE, until

Make = Callable[..., Runner]


def ended(*jobs: Job) -> Callable[[], bool]:
    """Whether none of the jobs waits or works any more."""
    return lambda: all(job.state() not in ("queued", "running") for job in jobs)


def beginnings(job: Job) -> int:
    """How often the job's work began."""
    path = job.folder / "began"
    return path.read_text().count("\n") if path.exists() else 0


def test_a_queued_job_is_done_in_a_child(runner: Make) -> None:
    """From submission to result, in another process."""
    job = submit("count", {"n": 10})
    runner()
    until(ended(job))
    assert job.state() == "done"
    assert job.status()["pid"] != os.getpid()
    assert job.status()["result"] == {"from": 0, "to": 10}


def test_a_training_and_the_rest_run_beside_each_other_one_each(runner: Make, tmp_path: Path) -> None:
    """Two lanes: an import need not wait for a training, a second training must."""
    gate = tmp_path / "gate"
    params = {"n": 3, "until": str(gate)}
    first, second = submit("train", params), submit("train", params)
    rest, late = submit("count", params), submit("count", params)
    runner()
    until(lambda: first.state() == rest.state() == "running")
    assert second.state() == late.state() == "queued"
    gate.touch()
    until(ended(first, second, rest, late))
    assert {job.state() for job in list_jobs()} == {"done"}
    assert first.status()["finished"] <= second.status()["started"]
    assert rest.status()["finished"] <= late.status()["started"]


def test_kill_9_of_the_child_interrupts_and_the_work_goes_on_where_it_was(
    runner: Make, tmp_path: Path
) -> None:
    """True state, reason in the log, nothing lost, and the runner lives."""
    gate = tmp_path / "gate"
    job = submit("train", {"n": 20, "until": str(gate)})
    runner()
    until(lambda: job.status().get("done") == 19)
    kill(job)
    assert job.state() == "interrupted"
    until(lambda: "SIGKILL" in job.log())
    assert job.written_status()["state"] == "running"
    until(lambda: job.status().get("signal") == "SIGKILL")
    resume(job)
    assert not job.status().get("signal")
    gate.touch()
    until(ended(job))
    assert job.state() == "done"
    assert job.status()["result"] == {"from": 19, "to": 20}
    assert beginnings(job) == 2


def test_kill_9_of_the_server_leaves_the_child_at_work(runner: Make, home: Path, tmp_path: Path) -> None:
    """The child goes on; the next server watches it, starts it no second time, and takes up what was queued."""
    gate = tmp_path / "gate"
    first = submit("train", {"n": 20, "until": str(gate)})
    second = submit("train", {"n": 2})
    serve = f"from bloodapp.jobs import Runner; import sys; Runner(table={TABLE!r}).start(); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", serve], stdin=subprocess.PIPE) as server:
        until(lambda: first.status().get("done") == 19)
        child = first.status()["pid"]
        server.kill()
    assert first.state() == "running"
    again = runner()
    runner()
    again.wake()
    assert second.state() == "queued"
    gate.touch()
    until(ended(first, second))
    assert (first.state(), second.state()) == ("done", "done")
    assert first.status()["pid"] == child
    assert beginnings(first) == beginnings(second) == 1


def test_kill_9_of_the_server_and_of_the_child(runner: Make, tmp_path: Path) -> None:
    """After both the state is interrupted, no new server touches it unasked, and asked it goes on."""
    gate = tmp_path / "gate"
    job = submit("train", {"n": 5, "until": str(gate)})
    first = runner()
    until(lambda: job.status().get("done") == 4)
    first.close()
    kill(job)
    runner()
    other = submit("count", {"n": 1})
    until(ended(other))
    assert job.state() == "interrupted"
    gate.touch()
    resume(job)
    until(ended(job))
    assert job.status()["result"] == {"from": 4, "to": 5}


def test_many_runners_do_every_job_once(runner: Make) -> None:
    """The lock on disk decides, not who saw it first; two of the runners are other processes."""
    jobs = [submit("train" if number % 2 else "count", {"n": 1}) for number in range(12)]
    serve = f"from bloodapp.jobs import Runner; import sys; Runner(table={TABLE!r}).start(); sys.stdin.read()"
    servers = [subprocess.Popen([sys.executable, "-c", serve], stdin=subprocess.PIPE) for _ in range(2)]
    runner()
    runner(threaded=True)
    try:
        until(ended(*jobs), 60)
    finally:
        for server in servers:
            server.kill()
            server.communicate()
    assert [job.state() for job in jobs] == ["done"] * 12
    assert [beginnings(job) for job in jobs] == [1] * 12


@pytest.mark.parametrize("threaded", [False, True])
def test_stop_is_heard_in_the_middle(runner: Make, threaded: bool) -> None:
    """The stop file is heard at the work's next look."""
    job = submit("count", {"n": 100_000})
    runner(threaded=threaded)
    until(lambda: job.status().get("done", 0) > 5)
    request_stop(job)
    until(ended(job))
    assert job.state() == "stopped"
    assert job.status()["done"] > 5


def test_in_a_thread_the_same_happens(runner: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """BLOODAPP_JOBS=thread does the work in this process."""
    monkeypatch.setenv("BLOODAPP_JOBS", "thread")
    good, bad = submit("train", {"n": 3}), submit("broken", {})
    runner()
    until(ended(good, bad))
    assert (good.state(), bad.state()) == ("done", "failed")
    assert good.status()["pid"] == os.getpid()


def test_a_worker_that_cannot_begin_fails_its_job_once(runner: Make) -> None:
    """A child that dies before it takes the job is not started over and over."""
    job = submit("count", {"n": 1})
    runner(table="tests.jobs.nowhere:KINDS")
    until(ended(job))
    assert job.state() == "failed"
    assert "before it began" in job.status()["error"]
    assert "No module named" in job.log()


def test_no_worker_at_all_fails_the_job_with_the_reason(
    runner: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the system has no memory for another process."""
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    job = submit("count", {"n": 1})
    runner()
    until(ended(job))
    assert "could not be started" in job.status()["error"]


def test_the_runner_outlives_damage(
    runner: Make, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Damaged folders, folders that vanish and errors nobody thought of do not end it."""
    damaged = submit("count", {"n": 1})
    (damaged.folder / "request.json").write_text("{")
    hit = []

    def trips_once() -> list[Path]:
        if not hit:
            hit.append(True)
            raise RuntimeError("a thing nobody thought of")
        return [entry for entry in workspace.jobs_folder().iterdir() if entry.is_dir()]

    monkeypatch.setattr("bloodapp.jobs.runner.job_folders", trips_once)
    each = runner()
    until(lambda: hit)
    job = submit("count", {"n": 2})
    until(ended(job))
    assert job.state() == "done"
    assert each.alive()
    assert "a thing nobody thought of" in capsys.readouterr().err


def test_a_job_deleted_while_it_waits_is_forgotten(runner: Make, tmp_path: Path) -> None:
    """Its lane goes on with the next one."""
    gate = tmp_path / "gate"
    first = submit("count", {"n": 2, "until": str(gate)})
    doomed, last = submit("count", {"n": 1}), submit("count", {"n": 1})
    each = runner()
    until(lambda: first.state() == "running")
    delete_job(doomed)
    gate.touch()
    until(ended(first, last))
    assert last.state() == "done"
    assert each.alive()


def test_a_job_that_ended_long_ago_can_be_resumed(runner: Make) -> None:
    """What the runner has set aside as settled is seen again when its folder changes."""
    job = submit("count", {"n": 2})
    request_stop(job)
    long_ago = time.time_ns() - 60_000_000_000
    os.utime(job.folder, ns=(long_ago, long_ago))
    each = runner()
    until(lambda: job.folder in each._settled)
    resume(job)
    until(ended(job))
    assert job.state() == "done"


def test_a_closed_runner_takes_nothing_and_leaves_its_child(home: Path, tmp_path: Path) -> None:
    """The server may go; the training stays."""
    gate = tmp_path / "gate"
    job, waiting = submit("train", {"n": 3, "until": str(gate)}), submit("train", {"n": 1})
    each = Runner(table=TABLE).start()
    until(lambda: job.state() == "running")
    each.close()
    assert not each.alive()
    gate.touch()
    until(ended(job))
    assert (job.state(), waiting.state()) == ("done", "queued")
    end_children()
