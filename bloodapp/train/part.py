"""One training of a series: begun, watched and continued in a process of its own, told of as a share of the whole."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from bloodapp import jobs
from bloodapp.errors import BloodappError, Busy, Stopped
from bloodapp.jobs.job import ACTIVE, Job, request_stop, resume
from bloodapp.jobs.reporter import Reporter
from bloodapp.runs.run import Run
from bloodapp.train.forecast import memory_total_mib
from bloodapp.train.shortage import cut_off_by_memory

LOOK_EVERY_S = 0.25
TRAINING_SHARE = 0.99  # of a series' progress; putting the results together is the rest
_OWN = {"state", "attempt", "pid", "started", "updated", "format", "finished", "result", "error", "bug"}
_OWN |= {"done", "total", "text", "eta_s"}
"""What a training's status says of its own job, not of its course."""

Launch = Callable[[Job], object]


class Training:
    """One training of a series, as its job sees it: the run `child`, number `place` from 0 of `of`, called `title`."""

    def __init__(self, child: Run, place: int, of: int, context: Reporter, title: str) -> None:
        self.child, self.place, self.of, self.context, self.title = child, place, of, context, title

    def train(self, launch: Launch) -> None:
        """Begin, continue or only watch the training until it has ended; raises BloodappError, Stopped."""
        state = self._follow(launch)
        if state == "interrupted":
            # Once: a process that memory was not enough for would be cut off again and again.
            self.context.log(f"{self.title} was cut off and is continued.")
            state = self._follow(launch)
        if state in ("done", "stopped"):
            if state == "stopped" and not self.context.stopped():
                raise Stopped(f"{self.title} was stopped.")
            return
        status = self.child.job.status()
        error = str(status.get("error") or state)
        if said := cut_off_by_memory(status, memory_total_mib()):
            error = f"{error} {said}"
            status["smaller_batch"] = int(self.child.config["recipe"]["batch"]) // 2 or None
        if status.get("smaller_batch"):
            self._report(status)
        raise BloodappError(f"{self.title} ({self.child.name}): {error}")

    def _follow(self, launch: Launch) -> str:
        job = self._queued()
        worker = threading.Thread(target=launch, args=(job,), name=job.id, daemon=True)
        if job.state() == "queued":
            worker.start()
        told = False
        while (status := job.status())["state"] in ACTIVE:
            if worker.ident is not None and not worker.is_alive() and job.state() == "queued":
                break  # who was to perform it could not
            if self.context.stopped() and not told:
                request_stop(job)
                told = True
            self._report(status)
            time.sleep(LOOK_EVERY_S)
        if worker.ident is not None:
            worker.join()
        return job.state()

    def _queued(self) -> Job:
        """The training's job, submitted or continued unless it works or is queued already."""
        folder = self.child.folder
        if not (folder / "request.json").exists():
            (folder / "stop").unlink(missing_ok=True)
            params = {"run": self.child.name, "dataset": self.child.dataset}
            return jobs.submit("train", params, title=f"{self.title} of {self.child.parent}", folder=folder)
        job = self.child.job
        if job.state() not in (*ACTIVE, "done"):
            with suppress(Busy):  # somebody else continued it just now: it is watched
                resume(job)
        return job

    def _report(self, status: dict[str, Any]) -> None:
        own = min((status.get("done") or 0) / (status.get("total") or 1), 1.0)
        self.context.progress(
            round(TRAINING_SHARE * (self.place + own) / self.of, 5),
            1,
            f"{self.title}: {status.get('text') or 'training'}",
            **{key: value for key, value in status.items() if key not in _OWN},
            child=self.child.name,
            child_number=self.place + 1,
            children=self.of,
        )
