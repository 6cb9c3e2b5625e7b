"""Performs one job in this process: takes the lock, calls the work function, writes what became of it."""

import os
import signal
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from bloodapp import workspace
from bloodapp.errors import BloodappError, Stopped
from bloodapp.jobs.context import Context
from bloodapp.jobs.job import Job
from bloodapp.jobs.kinds import KINDS, Kinds, work_function


def perform(job: Job, kinds: Kinds = KINDS) -> str:
    """Do a queued job here and now and return its state afterwards; a job that is not queued is left alone.

    Raises Busy when somebody else performs it. What the work raises is not raised again: it is in
    the status (one sentence) and in log.txt (the traceback). SIGTERM, or Ctrl-C, asks the work to
    stop as the stop file does; a second one breaks it off. Only in the main thread, where Python
    allows signal handlers.
    """
    with job.held():
        status = job.written_status()
        if status["state"] != "queued":
            return "interrupted" if status["state"] == "running" else str(status["state"])
        running = {**status, "state": "running", "text": "Starting", "started": workspace.now()}
        running["pid"] = os.getpid()
        context = Context(job, running)
        with _signals_stop(context):  # from before it says running until after it says how it ended
            job.write_status(running)
            state, fields = _called(job, kinds, context)
            context.finish(state, **fields)
        return state


def _called(job: Job, kinds: Kinds, context: Context) -> tuple[str, dict[str, Any]]:
    """Call the work function; the state it leaves the job in, and the fields to write with it."""
    try:
        context.check()
        result = work_function(job.kind, kinds)(job.params, context)
        return "stopped" if context.told_to_stop else "done", {"result": result}
    except (Stopped, KeyboardInterrupt):
        return "stopped", {}
    except BloodappError as error:
        job.add_to_log(str(error))
        return "failed", {**error.fields, "error": str(error)}
    except BaseException as error:
        job.add_to_log(traceback.format_exc())
        return "failed", _explained(error)


@contextmanager
def _signals_stop(context: Context) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ask(number: int, frame: FrameType | None) -> None:
        if context.asked:
            raise Stopped("Stopped.")
        context.asked = True

    before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _explained(error: BaseException) -> dict[str, Any]:
    # TensorFlow's word for it, by name: this module does not import TensorFlow.
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        text = "Memory ran out: close other programs, or take a smaller batch or image size."
        return {"error": text, "bug": False}
    said = str(error).strip().partition("\n")[0][:300]
    return {
        "error": f"Unexpected {type(error).__name__}: {said} (the whole story is in log.txt).",
        "bug": True,
    }
