"""A job is a folder that anybody may read: request.json, status.json, log.txt, stop, lock, ended.json.

`request.json` is written once, before anything else happens; `status.json` is replaced atomically.
Whoever changes the status holds the lock. `interrupted` is never written: it is what a job is that
says it runs while nobody holds its lock. `ended.json` is left by who saw a worker end by a signal.
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import Timeout

from bloodapp import workspace
from bloodapp.errors import BloodappError, Busy, InvalidValue, NotFound, Unreadable

ACTIVE = ("queued", "running")
FINAL = ("done", "failed", "stopped")
# Who asks whether the lock is held, holds it for microseconds; who changes a status, for milliseconds.
PATIENCE_S = 5.0

_CUT_OFF = "The work was cut off: its process was ended, or memory ran out. It can be continued."


@dataclass(frozen=True)
class Job:
    """One piece of background work.

    Attributes:
        folder: where its files lie; of a training, the run's own folder.
        kind: which work function does it, see `bloodapp.jobs.kinds`.
        params: what the work function is given.
        title: what people read.
        created: when it was submitted, UTC ISO.
        env: environment variables for the process that performs it.
    """

    folder: Path
    kind: str
    params: dict[str, Any] = field(default_factory=dict)
    title: str = ""
    created: str = ""
    env: dict[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The folder's name."""
        return self.folder.name

    def status(self) -> dict[str, Any]:
        """What status.json says now, with `state` as it truly is (see `state`)."""
        status = self.written_status()
        while status["state"] == "running" and not workspace.is_held(self._path("lock")):
            again = self.written_status()
            if again["state"] == "running" and again.get("attempt") == status.get("attempt"):
                return {
                    **again,
                    "state": "interrupted",
                    "error": _CUT_OFF,
                    "eta_s": None,
                    "signal": self._signal(again),
                }
            status = again
        return status

    def ended_by(self, signal: str, attempt: object) -> None:
        """Keep that the worker of this attempt was ended by a signal; without the lock, so that nobody is held up."""
        workspace.write_json(self._path("ended.json"), {"signal": signal, "attempt": attempt})

    def _signal(self, status: dict[str, Any]) -> str | None:
        """The signal that ended the worker of a status that was cut off, where somebody saw it."""
        try:
            ended = workspace.read_json(self._path("ended.json"))
        except (OSError, Unreadable):
            return None
        return ended.get("signal") if ended.get("attempt") == status.get("attempt") else None

    def state(self) -> str:
        """`queued`, `running`, `done`, `failed`, `stopped`, or `interrupted`: says running, nobody works."""
        return str(self.status()["state"])

    def stopping(self) -> bool:
        """Whether it was asked to stop."""
        return self._path("stop").exists()

    def log(self, limit: int = 20_000) -> str:
        """The last `limit` bytes of the log, from the beginning of a line."""
        try:
            with self._path("log.txt").open("rb") as stream:
                size = stream.seek(0, os.SEEK_END)
                stream.seek(max(0, size - limit))
                text = stream.read().decode(errors="replace")
        except FileNotFoundError:
            return ""
        return text if size <= limit else text.partition("\n")[2]

    def add_to_log(self, text: str) -> None:
        """Append to the log, each line with the time before it; on a full disk nothing is added."""
        lines = "".join(f"{workspace.now()} {line}\n" for line in text.rstrip("\n").splitlines())
        # What the log would have told must not take the place of what the status tells.
        with suppress(OSError), self._path("log.txt").open("a", encoding="utf-8") as stream:
            stream.write(lines)

    def written_status(self) -> dict[str, Any]:
        """status.json as it stands; a job that has none yet is queued, one whose file is damaged has failed."""
        try:
            return workspace.read_json(self._path("status.json"))
        except FileNotFoundError:
            if self.folder.is_dir():
                return {"state": "queued", "attempt": 1}
            raise NotFound("job", self.id, (job.id for job in list_jobs())) from None
        except Unreadable as error:
            return {"state": "failed", "attempt": 1, "error": str(error)}

    def write_status(self, status: dict[str, Any]) -> None:
        """Replace status.json; only for who holds the lock."""
        content = {**workspace.finite(status), "updated": workspace.now()}
        try:
            workspace.write_json(self._path("status.json"), content)
        except OSError:
            if status["state"] not in FINAL:
                raise
            # On a full disk there is no room for a second file, but the old one's own block can say how it ended.
            with self._path("status.json").open("r+", encoding="utf-8") as stream:
                stream.write(json.dumps({"format": workspace.FORMAT, **content}, allow_nan=False))
                stream.truncate()

    @contextmanager
    def held(self, timeout: float = PATIENCE_S) -> Iterator[None]:
        """Hold the job's lock; raises Busy when somebody else performs it, NotFound when it is gone."""
        lock = workspace.lock(self._path("lock"))
        try:
            lock.acquire(timeout=0 if self._performed() else timeout, poll_interval=0.01)
        except Timeout:
            raise Busy(f"'{self.id}' is being worked on: stop it first, or wait until it ends.") from None
        try:
            yield
        finally:
            lock.release()

    def _performed(self) -> bool:
        return self.written_status()["state"] == "running" and workspace.is_held(self._path("lock"))

    def _path(self, name: str) -> Path:
        return self.folder / name


def submit(
    kind: str,
    params: dict[str, Any],
    *,
    title: str = "",
    folder: Path | None = None,
    env: dict[str, str] | None = None,
) -> Job:
    """Queue a job: claim its folder under `jobs/` (or take `folder`, claimed already) and write the request.

    `params` must be plain JSON; paths in it absolute, because the worker may start elsewhere.
    """
    if folder is None:
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        folder = workspace.claim_folder(workspace.jobs_folder(), f"{kind}-{stamp}", number=True)
    # Two may be submitted within a millisecond, and wait in the order in which they were.
    job = Job(folder, kind, params, title or kind, workspace.now("microseconds"), env or {})
    if (folder / "request.json").exists():
        raise InvalidValue(f"'{job.id}' was submitted already: continue it instead.")
    with job.held():
        workspace.write_json(
            folder / "request.json",
            {"kind": kind, "params": params, "title": job.title, "created": job.created, "env": job.env},
        )
        job.write_status(_queued(attempt=1))
    return job


def read_job(folder: Path) -> Job:
    """The job of a folder; raises FileNotFoundError if it has no request, Unreadable if that is damaged."""
    request = workspace.read_json(folder / "request.json")
    return Job(
        folder,
        str(request.get("kind", "")),
        request.get("params", {}),
        request.get("title", ""),
        request.get("created", ""),
        request.get("env", {}),
    )


def job_folders() -> list[Path]:
    """Every folder that may hold a job: those under `jobs/` and those of the run store."""
    parents = (workspace.jobs_folder(), workspace.runs_folder())
    return [
        entry
        for parent in parents
        if parent.is_dir()
        for entry in parent.iterdir()
        if not entry.name.startswith(".") and entry.is_dir()
    ]


def list_jobs() -> list[Job]:
    """All jobs, newest first; folders that hold no readable request are passed over."""
    jobs = []
    for folder in job_folders():
        try:
            jobs.append(read_job(folder))
        except (BloodappError, OSError):
            continue
    return sorted(jobs, key=lambda job: (job.created, job.id), reverse=True)


def latest_job(kind: str, dataset: str) -> Job | None:
    """The newest job of that kind for the dataset of that name; None if there is none."""
    return next(
        (job for job in list_jobs() if job.kind == kind and job.params.get("dataset") == dataset), None
    )


def open_job(job: str | Path) -> Job:
    """The job of that id, or of that folder; raises NotFound."""
    named = Path(job)
    candidates = [named] if named.is_absolute() or len(named.parts) > 1 else []
    if len(named.parts) == 1:
        candidates += [workspace.jobs_folder() / named, workspace.runs_folder() / named]
    for folder in candidates:
        try:
            return read_job(folder.resolve())
        except (FileNotFoundError, NotADirectoryError):
            continue
    raise NotFound("job", str(job), (each.id for each in list_jobs()))


def request_stop(job: Job) -> None:
    """Ask a job to stop: a running one does at its next look, a queued one is stopped at once."""
    if job.state() not in ACTIVE:
        return
    (job.folder / "stop").touch()
    try:
        with job.held(timeout=0.5):
            status = job.written_status()
            if status["state"] == "queued":
                job.write_status({**status, "state": "stopped", "finished": workspace.now()})
    except Busy:
        pass  # somebody performs it and will read the stop file


def resume(job: Job) -> Job:
    """Queue an interrupted, stopped or failed job again, with all its files; raises Busy while it runs.

    A work function finds what it had written before; `attempt` in the status counts.
    """
    with job.held():
        status = job.written_status()
        if status["state"] == "done":
            raise InvalidValue(f"'{job.id}' is done: there is nothing to continue.")
        if status["state"] != "queued":
            (job.folder / "stop").unlink(missing_ok=True)
            for key in ("finished", "result", "pid", "bug", "done", "total"):
                status.pop(key, None)
            job.write_status({**status, **_queued(attempt=int(status.get("attempt", 1)) + 1)})
    return job


def delete_job(job: Job) -> None:
    """Remove a job and its files; raises Busy while it runs."""
    with job.held():
        doomed = job.folder.with_name(f".deleted-{job.folder.name}")
        shutil.rmtree(doomed, ignore_errors=True)
        job.folder.rename(doomed)
    shutil.rmtree(doomed)


def _queued(attempt: int) -> dict[str, Any]:
    return {"state": "queued", "attempt": attempt, "text": "Waiting", "eta_s": None, "error": None}
