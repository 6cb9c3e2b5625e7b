"""`jobs` and `work`: background work from the terminal."""

import argparse
import os
import sys
import threading
import time
from contextlib import suppress

from bloodapp.cli import terminal
from bloodapp.errors import Busy, Stopped
from bloodapp.jobs.job import ACTIVE, Job, list_jobs, open_job, request_stop, resume
from bloodapp.jobs.kinds import DEFAULT_TABLE, HEAVY, named
from bloodapp.jobs.runner import run_child
from bloodapp.jobs.work import perform

# A page must answer while a training runs: the worker yields the processor to whoever else wants it,
# and when memory runs out it is the worker that goes, not the server or the desktop.
_NICENESS = 10
_FIRST_TO_GO = "500"
_LOOK_EVERY_S = 0.2


def add(commands: terminal.Commands) -> None:
    """Add the commands."""
    terminal.command(commands, "jobs", show_jobs, "List background jobs, newest first.", "jobs")
    work = terminal.command(
        commands,
        "work",
        do_work,
        "Do what is queued, or continue one job that was interrupted, stopped or failed.",
        "work\nwork balanced-2026-11-20-1",
    )
    work.add_argument(
        "job", nargs="?", metavar="JOB", help="a job's or run's name; without it, all that is queued"
    )
    # For the runner, which launches `work JOB --child`: only if still queued, and quietly.
    work.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    work.add_argument("--kinds", default=DEFAULT_TABLE, metavar="MODULE:NAME", help=argparse.SUPPRESS)


def show_jobs(args: argparse.Namespace) -> None:
    """`jobs`: id, state, kind, how far, title, when."""
    rows = []
    for job in list_jobs():
        status = job.status()
        total = status.get("total")
        share = f"{min((status.get('done') or 0) / total, 1.0):.0%}" if total else "-"
        rows.append((job.id, status["state"], job.kind, share, job.created, job.title))
    terminal.table(rows)


def do_work(args: argparse.Namespace) -> int:
    """`work`: perform a job in this process (`--child`), or in a child while the terminal shows how it goes."""
    if args.child:
        _become_worker()
        with suppress(Busy):  # another runner was quicker
            perform(open_job(args.job), named(args.kinds))
        # All is written. TensorFlow's threads may wait for one another for ever once memory has run out, and whoever
        # launched this process waits for it.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
    if args.job:
        job = open_job(args.job)
        if job.state() != "running":
            resume(job)
        return follow(job, args.kinds)
    code = 0
    while queued := [job for job in list_jobs() if job.state() == "queued"]:
        terminal.say(queued[-1].title)
        code = max(code, follow(queued[-1], args.kinds))
    return code


def follow(job: Job, table: str = DEFAULT_TABLE, again: str = "") -> int:
    """Have a queued job performed by a child process, show how it goes, and return the exit code it deserves.

    Where another process performs it already, only watch. Ctrl-C asks it to stop; a second one leaves it
    to itself. `again` is the command that continues it. Raises Stopped when it was stopped.
    """
    again = f"python -m bloodapp {again or f'work {job.id}'}"
    worker = threading.Thread(target=run_child, args=(job, table), daemon=True)
    if job.state() == "queued":
        _wait_for_the_lane(job)
        worker.start()
    try:
        status = _watch(job)
    except KeyboardInterrupt:
        request_stop(job)
        terminal.say("\nStopping, and keeping what there is; press Ctrl-C again to leave it alone.")
        status = _watch(job)
    if worker.ident is not None:
        worker.join()
    state = status["state"]
    if state == "stopped":
        raise Stopped(f"'{job.id}' was stopped. To continue: {again}")
    if state in ("failed", "interrupted"):
        if status.get("bug"):
            terminal.say(job.log(4000).rstrip())
        terminal.say(f"bloodapp: {status['error']} To try again: {again}")
        return 1 if status.get("bug") or state == "interrupted" else 2
    return 0


def _wait_for_the_lane(job: Job) -> None:
    """Wait while another job works that wants the machine to itself as this one does; Ctrl-C takes this one out."""
    told = ""
    try:
        while job.state() == "queued" and (other := _in_the_lane(job)) is not None:
            if other.id != told:
                terminal.say(f"'{job.id}' waits for '{other.id}' to end; Ctrl-C takes it out.")
                told = other.id
            time.sleep(_LOOK_EVERY_S)
    except KeyboardInterrupt:
        request_stop(job)


def _in_the_lane(job: Job) -> Job | None:
    if job.kind not in HEAVY:
        return None
    return next((one for one in list_jobs() if one.kind in HEAVY and one.state() == "running"), None)


def _watch(job: Job) -> dict[str, object]:
    with terminal.Progress() as progress:
        while (status := job.status())["state"] in ACTIVE:
            if status["state"] == "running":
                progress(status.get("done") or 0, status.get("total"), _told(status), status.get("eta_s"))
            time.sleep(_LOOK_EVERY_S)
    return status


def _told(status: dict[str, object]) -> str:
    return str(status.get("text") or "")


def _become_worker() -> None:
    with suppress(OSError, AttributeError):
        os.nice(max(0, _NICENESS - os.nice(0)))  # a series' child has its parent's already
    with suppress(OSError), open("/proc/self/oom_score_adj", "w") as stream:
        stream.write(_FIRST_TO_GO)
