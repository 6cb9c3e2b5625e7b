"""Performing a job in this process: what becomes of it is in its files."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from bloodapp.errors import Busy
from bloodapp.jobs import perform, request_stop, submit
from bloodapp.jobs.runner import launch, step
from tests.jobs.fakes import KINDS, TABLE, until


def test_work_that_ends_well(home: Path) -> None:
    """The result, the last progress and the times are in the status."""
    job = submit("count", {"n": 5})
    assert perform(job, KINDS) == "done"
    status = job.status()
    assert status["result"] == {"from": 0, "to": 5}
    assert (status["done"], status["total"], status["number"]) == (5, 5, 4)
    assert status["pid"] == os.getpid()
    assert job.created <= status["started"] <= status["finished"]


def test_a_mistake_of_the_user_is_one_sentence(home: Path) -> None:
    """No traceback: the sentence says it all."""
    job = submit("mistaken", {})
    assert perform(job, KINDS) == "failed"
    assert job.status()["error"] == "The folder holds no images: choose another."
    assert "Traceback" not in job.log()


def test_a_bug_leaves_its_traceback_in_the_log(home: Path) -> None:
    """The status has a sentence, the log the whole story."""
    job = submit("broken", {})
    assert perform(job, KINDS) == "failed"
    assert "Unexpected ZeroDivisionError: one over none" in job.status()["error"]
    assert job.status()["bug"]
    assert "Traceback" in job.log() and "fakes.py" in job.log()


def test_too_little_memory_says_what_to_do(home: Path) -> None:
    """That one needs no traceback reader."""
    job = submit("greedy", {})
    perform(job, KINDS)
    assert "smaller batch" in job.status()["error"]


def test_an_unknown_kind_fails_with_the_known_ones(home: Path) -> None:
    """A job of a newer version, say."""
    job = submit("nonsense", {})
    assert perform(job, KINDS) == "failed"
    assert "count" in job.status()["error"]


def test_work_that_ends_early_because_it_was_told_is_stopped(home: Path) -> None:
    """It keeps its result, and says stopped, not done."""
    job = submit("keep", {})
    worker = threading.Thread(target=perform, args=(job, KINDS))
    worker.start()
    until(lambda: job.status()["text"] == "Keeping")
    request_stop(job)
    worker.join(10)
    assert job.state() == "stopped"
    assert job.status()["result"] == {"kept": True}


def test_a_job_at_work_is_not_done_twice(home: Path) -> None:
    """Who comes second is told at once."""
    job = submit("keep", {})
    worker = threading.Thread(target=perform, args=(job, KINDS))
    worker.start()
    until(lambda: job.state() == "running")
    with pytest.raises(Busy):
        perform(job, KINDS)
    request_stop(job)
    worker.join(10)


def test_only_a_queued_job_is_done(home: Path) -> None:
    """What is done stays done; what was cut off waits for somebody to continue it."""
    job = submit("count", {"n": 1})
    perform(job, KINDS)
    assert perform(job, KINDS) == "done"
    job.write_status({**job.written_status(), "state": "running"})
    assert perform(job, KINDS) == "interrupted"
    assert (job.folder / "began").read_text().count("\n") == 1


def test_step_does_the_oldest_first(home: Path) -> None:
    """One job a call, in the order of submission; None when there is none."""
    first, second = submit("count", {"n": 1}), submit("mistaken", {})
    done = [step(KINDS), step(KINDS), step(KINDS)]
    assert {job.id for job in done if job} == {first.id, second.id}
    assert done[2] is None
    assert (first.state(), second.state()) == ("done", "failed")


def test_the_child_is_a_process_of_its_own(home: Path) -> None:
    """Nice, in its own session, without TensorFlow or Streamlit until the work needs them; output in the log."""
    job = submit("about", {}, env={"EXTRA": "yes"})
    assert launch(job, TABLE).wait(30) == 0
    result = job.status()["result"]
    assert result["pid"] == result["session"] != os.getpid()
    assert result["nice"] == max(10, os.nice(0))
    assert result["extra"] == "yes"
    assert result["log_level"] == os.environ.get("TF_CPP_MIN_LOG_LEVEL", "2")
    assert not result["tensorflow"] and not result["streamlit"]
    assert "said on stdout" in job.log() and "said on stderr" in job.log()


def test_sigterm_asks_and_a_second_one_insists(home: Path) -> None:
    """A polite end writes a true state even if the work does not listen."""
    polite, deaf = submit("keep", {}), submit("deaf", {})
    children = [launch(job, TABLE) for job in (polite, deaf)]
    try:
        until(lambda: polite.state() == "running" and deaf.status()["text"] == "Deaf")
        for child in children:
            child.terminate()
        assert children[0].wait(10) == 0
        assert polite.state() == "stopped"
        assert deaf.state() == "running"
        children[1].terminate()
        assert children[1].wait(10) == 0
        assert deaf.state() == "stopped"
    finally:
        for child in children:
            child.kill()
            child.wait()


def test_signal_handlers_are_given_back(home: Path) -> None:
    """After the work Ctrl-C is again what it was."""
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    perform(submit("count", {"n": 1}), KINDS)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_jobs_know_no_room() -> None:
    """Importing all of `bloodapp.jobs` imports neither rooms nor anything heavy."""
    code = "import bloodapp.jobs, sys; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"numpy", "pandas", "tensorflow", "streamlit", "bloodapp.data", "bloodapp.runs"} & set(loaded)
