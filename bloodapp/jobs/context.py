"""What a work function is given: a way to say how far it is, to log, and to learn that it should stop."""

import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from bloodapp import workspace
from bloodapp.errors import Stopped
from bloodapp.jobs.job import Job

# status.json is replaced at most this often: a page that polls sees it fresh, a disk hardly notices.
INTERVAL_S = 0.5
# The rate behind the estimate looks back this far: an epoch's pauses are in it, the slow start soon is not.
WINDOW_S = 90.0


class Context:
    """The work function's side of a job.

    Attributes:
        job: the job that is performed.
        folder: its folder, for whatever the work writes.
        attempt: 1 the first time, one more each time the job was continued.
        asked: set by a signal handler: the process was told to end.
        told_to_stop: whether the work has been told that it should stop.
    """

    def __init__(
        self, job: Job, status: dict[str, Any] | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.job = job
        self.folder: Path = job.folder
        self.asked = False
        self.told_to_stop = False
        self._status = dict(status or {"state": "running"})
        self.attempt = int(self._status.get("attempt", 1))
        self._clock = clock
        self._guard = threading.RLock()
        self._written: float | None = None
        self._timer: threading.Timer | None = None
        self._seen: deque[tuple[float, float]] = deque()

    def progress(self, done: float, total: float | None, text: str = "", **extra: Any) -> None:
        """Say how far the work is: `done` of `total` (None if unknown), what it does, and further numbers.

        May be called as often as one likes: the file is written at most twice a second, and what was
        said last is always written in the end. `extra` goes into status.json beside the rest.
        """
        with self._guard:
            self._status.update(extra)
            self._status.update(done=done, total=total, text=text, eta_s=self._seconds_left(done, total))
            due = 0.0 if self._written is None else self._written + INTERVAL_S - self._clock()
            if due <= 0:
                self._write()
            elif self._timer is None:
                self._timer = threading.Timer(due, self._write_late)
                self._timer.daemon = True
                self._timer.start()

    def log(self, text: str) -> None:
        """Add a line to the job's log."""
        self.job.add_to_log(text)

    def stopped(self) -> bool:
        """Whether the work should stop: somebody asked, or the process was told to end."""
        if self.asked or self.job.stopping():
            self.told_to_stop = True
        return self.told_to_stop

    def check(self) -> None:
        """Raise Stopped if the work should stop."""
        if self.stopped():
            raise Stopped("Stopped.")

    def finish(self, state: str, **fields: Any) -> None:
        """Write the last status: nothing that the work says afterwards is written."""
        with self._guard:
            if self._timer is not None:
                self._timer.cancel()
            self._status.update(fields, state=state, finished=workspace.now(), eta_s=None)
            self.job.write_status(self._status)
            self._written = float("inf")

    def _write_late(self) -> None:
        with self._guard:
            self._timer = None
            self._write()

    def _write(self) -> None:
        if self._written == float("inf"):
            return
        # Work of an hour does not die because a reader or a full disk was in the way of one status.
        with suppress(OSError):
            self.job.write_status(self._status)
        self._written = self._clock()

    def _seconds_left(self, done: float, total: float | None) -> float | None:
        time_now, seen = self._clock(), self._seen
        if seen and done < seen[-1][1]:
            seen.clear()
        if not seen or time_now - seen[-1][0] >= INTERVAL_S:
            seen.append((time_now, done))
        while time_now - seen[0][0] > WINDOW_S and len(seen) > 2:
            seen.popleft()
        begun, first = seen[0]
        if not total or done <= first or time_now - begun < 2 * INTERVAL_S:
            return None
        return round((total - done) * (time_now - begun) / (done - first), 1)
