"""The thread that takes queued jobs, launches a child process for each, and watches. It never dies.

It knows nothing that is not in the job folders, but which processes it launched itself: so any
number of servers and command lines may share one home, and a new server finds the jobs of the old
one, running or left queued. The children outlive it: a stopped server costs no training.
"""

import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from bloodapp import workspace
from bloodapp.errors import BloodappError, Busy, NotFound
from bloodapp.jobs.job import ACTIVE, Job, job_folders, list_jobs, read_job
from bloodapp.jobs.kinds import DEFAULT_TABLE, KINDS, Kinds, lane, named
from bloodapp.jobs.work import perform

LOOK_EVERY_S = 0.5
# A folder whose job is over is not read again until it changes; some file systems cannot tell apart
# two changes that are nearer than this.
SAME_TIME_NS = 2_000_000_000

# What a worker's environment gets unless it is set already. The MALLOC_ values keep glibc from giving
# big buffers back to the kernel after every step, which had cost a training on a CPU much system time.
CHILD_ENV = {
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "PYTHONUNBUFFERED": "1",
    "MALLOC_TRIM_THRESHOLD_": str(4 << 30),
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
    "MALLOC_TOP_PAD_": str(64 << 20),
}


def launch(job: Job, table: str = DEFAULT_TABLE) -> "subprocess.Popen[bytes]":
    """Start a process of its own session that performs the job if it is still queued.

    Its output goes to the end of log.txt. `table` names the kinds as `module:NAME`.
    """
    env = {**CHILD_ENV, **os.environ, **job.env}
    env["PYTHONPATH"] = os.pathsep.join(filter(None, (str(workspace.CHECKOUT), os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-m", "bloodapp", "work", str(job.folder), "--child", "--kinds", table]
    with (job.folder / "log.txt").open("ab") as log:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env, start_new_session=True
        )


def run_child(job: Job, table: str = DEFAULT_TABLE) -> None:
    """Launch the job's worker, wait until it ends, and say in the job's files how, if it could not itself."""
    attempt = job.written_status().get("attempt")
    try:
        code = launch(job, table).wait()
    except OSError as error:
        _could_not_start(job, attempt, f"The worker could not be started: {error}.")
        return
    if not job.folder.is_dir():
        return
    if code < 0:
        name = signal.Signals(-code).name
        with suppress(OSError):  # a full disk: the log below says as much
            job.ended_by(name, attempt)
        job.add_to_log(f"The worker was ended by {name}; SIGKILL often means that memory ran out.")
    elif code:
        job.add_to_log(f"The worker ended with exit code {code}.")
    _could_not_start(job, attempt, "The worker ended before it began (the reason is in log.txt).")


def _could_not_start(job: Job, attempt: object, why: str) -> None:
    with suppress(Busy, NotFound), job.held():
        status = job.written_status()
        if status["state"] == "queued" and status.get("attempt") == attempt:
            job.write_status({**status, "state": "failed", "error": why, "finished": workspace.now()})


def step(kinds: Kinds = KINDS) -> Job | None:
    """Perform the oldest queued job in the caller; None when there is none."""
    for job in reversed(list_jobs()):
        if job.state() == "queued":
            with suppress(Busy, NotFound):
                perform(job, kinds)
                return job
    return None


class Runner:
    """The background thread.

    Attributes:
        table: the kinds as `module:NAME`.
        threaded: do the work in threads of this process (`BLOODAPP_JOBS=thread`), not in children.
    """

    def __init__(self, table: str = DEFAULT_TABLE, threaded: bool | None = None) -> None:
        self.table = table
        self.threaded = os.environ.get("BLOODAPP_JOBS") == "thread" if threaded is None else threaded
        self._busy: dict[Path, tuple[str, threading.Thread]] = {}
        self._settled: dict[Path, int] = {}
        self._wake = threading.Event()
        self._closed = False
        self._thread = threading.Thread(target=self._watch, name="bloodapp-runner", daemon=True)

    def start(self) -> "Runner":
        """Begin to look for work; again on a runner that runs is harmless."""
        if not self._thread.is_alive() and not self._closed:
            self._thread.start()
        return self

    def wake(self) -> None:
        """Look at once, rather than within half a second."""
        self._wake.set()

    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def close(self) -> None:
        """Take no further job; children go on, for another runner to watch."""
        self._closed = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        while not self._closed:
            try:
                self._look()
            except Exception:
                # Whatever it was (a folder deleted under our feet, a full disk), the next look may succeed.
                traceback.print_exc()
            self._wake.wait(LOOK_EVERY_S)
            self._wake.clear()

    def _look(self) -> None:
        self._busy = {folder: entry for folder, entry in self._busy.items() if entry[1].is_alive()}
        taken = {occupied for occupied, _ in self._busy.values()}
        queued = []
        for job, state in self._active():
            if state == "running":
                taken.add(lane(job.kind))
            elif job.folder not in self._busy:
                queued.append(job)
        for job in sorted(queued, key=lambda job: (job.created, job.id)):
            if lane(job.kind) not in taken and not self._closed:
                taken.add(lane(job.kind))
                thread = threading.Thread(target=self._work, args=(job,), name=job.id, daemon=True)
                self._busy[job.folder] = (lane(job.kind), thread)
                thread.start()

    def _active(self) -> Iterator[tuple[Job, str]]:
        for folder in job_folders():
            with suppress(BloodappError, OSError):
                changed = folder.stat().st_mtime_ns
                if self._settled.get(folder) == changed:
                    continue
                job = read_job(folder)
                state = job.state()
                if state in ACTIVE:
                    yield job, state
                elif time.time_ns() - changed > SAME_TIME_NS:
                    self._settled[folder] = changed

    def _work(self, job: Job) -> None:
        try:
            if self.threaded:
                perform(job, named(self.table))
            else:
                run_child(job, self.table)
        except (Busy, NotFound):
            pass  # another runner was quicker, or it was deleted meanwhile
        except Exception:
            traceback.print_exc()
        finally:
            self.wake()
