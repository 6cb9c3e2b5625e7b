"""The job folder: what is written, what is derived, who may change it."""

import errno
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bloodapp import workspace
from bloodapp.errors import Busy, InvalidValue, NotFound
from bloodapp.jobs import delete_job, list_jobs, open_job, perform, request_stop, resume, submit
from bloodapp.jobs.job import Job
from tests.jobs.fakes import KINDS, until


@contextmanager
def performed(job: Job) -> Iterator[None]:
    """The job as it looks while somebody performs it."""
    with job.held():
        job.write_status({**job.written_status(), "state": "running", "pid": 1})
        yield


def test_submit_writes_the_request_and_queues(home: Path) -> None:
    """A new job is a folder under jobs/ with its request, and waits."""
    job = submit("count", {"n": 3}, title="Count to three", env={"EXTRA": "1"})
    assert job.folder.parent == home / "jobs"
    assert json.loads((job.folder / "request.json").read_text()) == {
        "format": 1,
        "kind": "count",
        "params": {"n": 3},
        "title": "Count to three",
        "created": job.created,
        "env": {"EXTRA": "1"},
    }
    assert job.state() == "queued"
    assert open_job(job.id) == job == open_job(job.folder)


def test_submit_into_a_claimed_folder(home: Path) -> None:
    """A run's folder becomes a job, once."""
    folder = workspace.claim_folder(workspace.runs_folder(), "mine")
    job = submit("train", {}, folder=folder)
    assert job.folder == folder
    assert [each.id for each in list_jobs()] == ["mine"]
    with pytest.raises(InvalidValue, match="submitted already"):
        submit("train", {}, folder=folder)


def test_jobs_are_listed_newest_first(home: Path) -> None:
    """Many jobs within one second have names and an order of their own."""
    jobs = [submit("count", {"n": number}) for number in range(12)]
    stamps = [job.created for job in jobs]
    listed = list_jobs()
    assert {job.id for job in listed} == {job.id for job in jobs}
    assert [job.created for job in listed] == sorted(stamps, reverse=True)


def test_jobs_wait_in_the_order_in_which_they_were_submitted(home: Path) -> None:
    """Also those of one millisecond, whatever they are called."""
    names = [f"{letter}-{number}" for number in range(10) for letter in ("b", "a")]
    for name in names:
        (home / "jobs" / name).mkdir(parents=True)
        submit("count", {}, folder=home / "jobs" / name)
    assert [job.id for job in reversed(list_jobs())] == names


def test_folders_that_are_no_jobs_are_passed_over(home: Path) -> None:
    """Hidden, empty and damaged folders do not keep the others from being listed."""
    job = submit("count", {"n": 1})
    for name in (".hidden", "empty", "damaged"):
        (home / "jobs" / name).mkdir()
    (home / "jobs" / "damaged" / "request.json").write_text("{")
    assert list_jobs() == [job]


def test_an_unknown_job_is_named_with_those_that_exist(home: Path) -> None:
    """The error lists what one could have meant."""
    job = submit("count", {"n": 1})
    with pytest.raises(NotFound, match=job.id):
        open_job("nothing")


def test_interrupted_is_derived_and_never_written(home: Path) -> None:
    """Says running while nobody holds the lock: interrupted, for readers; the file is left as it is."""
    job = submit("count", {"n": 1})
    with performed(job):
        assert job.state() == "running"
        before = (job.folder / "status.json").read_bytes()
    status = job.status()
    assert status["state"] == "interrupted"
    assert "continued" in status["error"]
    assert (job.folder / "status.json").read_bytes() == before


def test_a_job_that_ends_while_one_looks_is_not_interrupted(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between reading `running` and finding the lock free the work may have ended well."""
    job = submit("count", {"n": 1})
    with performed(job):
        pass

    def ends_meanwhile(path: Path) -> bool:
        job.write_status({**job.written_status(), "state": "done"})
        return False

    monkeypatch.setattr(workspace, "is_held", ends_meanwhile)
    assert job.state() == "done"


def test_many_who_ask_do_not_take_each_other_for_a_holder(home: Path) -> None:
    """A crowd of readers sees an interrupted job as interrupted, every time."""
    job = submit("count", {"n": 1})
    with performed(job):
        pass
    look = (
        "import sys; from bloodapp.jobs import open_job; job = open_job(sys.argv[1]);"
        "print({job.state() for _ in range(2000)})"
    )
    command = [sys.executable, "-c", look, str(job.folder)]
    crowd = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert [reader.communicate()[0].strip() for reader in crowd] == ["{'interrupted'}"] * 3


def test_readers_never_see_a_torn_status(home: Path) -> None:
    """While another process replaces the status as fast as it can, every read gives a whole one."""
    job = submit("count", {"n": 1})
    write = (
        "import sys; from bloodapp.jobs import open_job; job = open_job(sys.argv[1])\n"
        "for n in range(1500): job.write_status({'state': 'queued', 'attempt': 1, 'text': 'x' * (n % 5000), 'n': n})"
    )
    with subprocess.Popen([sys.executable, "-c", write, str(job.folder)]) as writer:
        reads = 0
        while writer.poll() is None:
            status = job.status()
            assert status["state"] == "queued"
            assert len(status["text"]) == status.get("n", len(status["text"])) % 5000
            reads += 1
    assert writer.returncode == 0
    assert reads > 100
    assert job.status()["n"] == 1499


def test_a_damaged_status_is_told_and_can_be_mended(home: Path) -> None:
    """One bad file does not take down the list of jobs: that job has failed, for this reason, and can go on."""
    job = submit("count", {"n": 1})
    (job.folder / "status.json").write_text('{"state": "que')
    assert job.state() == "failed"
    assert "status.json" in job.status()["error"]
    assert perform(resume(job), KINDS) == "done"


def test_stopping_a_queued_job_stops_it_at_once(home: Path) -> None:
    """Nobody performs it, so nobody has to be asked."""
    job = submit("count", {"n": 1})
    request_stop(job)
    assert job.state() == "stopped"
    assert perform(job, KINDS) == "stopped"
    assert not (job.folder / "began").exists()


def test_stopping_a_running_job_leaves_a_file_that_it_reads(home: Path) -> None:
    """Who performs it holds the lock: the stop file is all that is written."""
    job = submit("count", {"n": 1})
    with performed(job):
        assert not job.stopping()
        request_stop(job)
        assert job.stopping()
        assert job.state() == "running"


def test_stopping_what_has_ended_does_nothing(home: Path) -> None:
    """A stop that comes too late leaves no trace."""
    job = submit("count", {"n": 1})
    perform(job, KINDS)
    request_stop(job)
    assert job.state() == "done"
    assert not job.stopping()


def test_resume_queues_again_and_counts(home: Path) -> None:
    """A stopped job waits again with its files, as a second attempt."""
    job = submit("count", {"n": 2})
    (job.folder / "counted").write_text("|")
    request_stop(job)
    assert resume(job).state() == "queued"
    assert job.status()["attempt"] == 2
    assert not job.stopping()
    assert perform(job, KINDS) == "done"
    assert job.status()["result"] == {"from": 1, "to": 2}


def test_what_is_done_or_at_work_cannot_be_resumed(home: Path) -> None:
    """Each refusal says why."""
    job = submit("count", {"n": 1})
    with performed(job), pytest.raises(Busy, match="being worked on"):
        resume(job)
    resume(job)
    perform(job, KINDS)
    with pytest.raises(InvalidValue, match="is done"):
        resume(job)


def test_delete_removes_the_folder_but_not_under_the_worker(home: Path) -> None:
    """A job at work is refused; after that nothing of it remains, and asking for it says so."""
    job = submit("count", {"n": 1})
    with performed(job), pytest.raises(Busy):
        delete_job(job)
    delete_job(job)
    assert list((home / "jobs").iterdir()) == []
    with pytest.raises(NotFound):
        job.state()


def test_the_log_gives_its_end_from_the_beginning_of_a_line(home: Path) -> None:
    """Of a long log the last lines are read, whole."""
    job = submit("count", {"n": 1})
    assert job.log() == ""
    for number in range(100):
        job.add_to_log(f"line {number}\nand more")
    tail = job.log(limit=200)
    assert tail.endswith("line 99\n" + tail.splitlines()[-1][:25] + "and more\n")
    assert len(tail) <= 200
    assert all(line.startswith("20") for line in tail.splitlines())
    assert job.log().count("\n") == 200


def test_a_lock_is_free_after_kill_9(home: Path) -> None:
    """What holds it is the process, not a file."""
    job = submit("count", {"n": 1})
    hold = (
        "import sys; from bloodapp.jobs import open_job; job = open_job(sys.argv[1])\n"
        "with job.held(): print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", hold, str(job.folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        assert workspace.is_held(job.folder / "lock")
        holder.kill()
    until(lambda: not workspace.is_held(job.folder / "lock"))


def test_on_a_full_disk_a_job_still_says_how_it_ended(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no new file can be written, the old status says it in its own place; a status under way may be lost."""
    job = submit("count", {})

    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(workspace, "write_json", full)
    with job.held():
        with pytest.raises(OSError, match="No space"):
            job.write_status({"state": "running", "attempt": 1})
        job.write_status({"state": "failed", "attempt": 1, "error": "The disk is full."})
    assert job.status()["error"] == "The disk is full."
