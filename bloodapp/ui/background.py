"""Background work as the pages see it: the runner, the strip of running jobs, watching one job.

Pages read files and ask for a new look only while something runs: `run_every` is a message to the
browser, so an idle page sends nothing. Nothing here depends on a browser staying open.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from html import escape

import streamlit as st

from bloodapp import workspace
from bloodapp.errors import BloodappError
from bloodapp.jobs.job import ACTIVE, Job, delete_job, list_jobs, request_stop, resume
from bloodapp.jobs.runner import Runner
from bloodapp.ui import dialogs
from bloodapp.ui.state import rerun
from bloodapp.ui.text import plain, time_left

INTERVAL, LATER = 2.0, 5.0
"""Seconds between two looks, at first and later: each takes processor time from the training that it looks at."""
YOUNG_S = 30.0
"""How long a job has its first looks, seconds."""
_SEEN, _SAID = "kept.jobs_seen", "kept.jobs_said"
_WORDS = {
    "import": "Importing",
    "scan": "Looking for what does not belong",
    "train": "Training",
    "evaluate": "Evaluating",
}


def runner() -> Runner:
    """The one runner of this server for the current workspace; started at the first call."""
    return _runner(str(workspace.home()))


@st.cache_resource(max_entries=1, show_spinner=False, on_release=lambda old: old.close())
def _runner(home: str) -> Runner:
    new = Runner()
    new.start()
    return new


def active_jobs(kind: str | None = None) -> list[Job]:
    """Jobs that wait or work, newest first."""
    return [job for job in list_jobs() if (kind in (None, job.kind)) and job.state() in ACTIVE]


def live(draw: Callable[[], None], jobs: Iterable[Job], *, active: bool, times: float = 1) -> None:
    """Draw in a fragment that redraws itself while `active`, at the pace of these jobs, and never otherwise.

    `times`: how many times as long as that to wait, for what costs more or changes less.
    """
    jobs = list(jobs)
    begun = pace(jobs)

    def look() -> None:
        if active and pace(jobs) != begun:
            rerun()  # the browser keeps the interval of the page's last run
        draw()

    st.fragment(look, run_every=begun * times if active else None)()


def pace(jobs: Iterable[Job]) -> float:
    """Seconds between two looks at these jobs: few while one has just begun, or none has yet."""
    statuses = []
    for job in jobs:
        with suppress(BloodappError):
            statuses.append(job.status())
    at_work = [status for status in statuses if status["state"] == "running"]
    return LATER if at_work and not any(_young(status) for status in at_work) else INTERVAL


def _young(status: dict) -> bool:
    if not status.get("started"):  # its worker writes that with its first words
        return True
    began = datetime.fromisoformat(status["started"])
    return (datetime.now(UTC) - began).total_seconds() < YOUNG_S


def title_of(job: Job) -> str:
    """What a job is called for people."""
    return job.title if job.title not in ("", job.kind) else _WORDS.get(job.kind, job.kind.capitalize())


def share(status: dict) -> float | None:
    """How much of a job is done, 0 to 1; None when it does not know."""
    total = status.get("total") or 0
    return min(1.0, (status.get("done") or 0) / total) if total > 0 else None


def job_strip() -> None:
    """Small bars of everything that waits or works; when something ends the whole page is drawn anew, and says so."""
    busy = active_jobs()
    _say_ended(busy)
    st.session_state[_SEEN] = [str(job.folder) for job in busy]
    live(_strip, busy, active=bool(busy))


def _say_ended(busy: list[Job]) -> None:
    """Say what has ended since the last run, but not into a dialog: a toast would take its place, and what it holds."""
    seen, still = st.session_state.get(_SEEN, []), {str(job.folder) for job in busy}
    ended = [job for job in list_jobs() if str(job.folder) in seen and str(job.folder) not in still]
    said = [*st.session_state.get(_SAID, []), *(f"{title_of(job)}: {job.state()}." for job in ended)]
    if not dialogs.shown():
        for text in said:
            st.toast(plain(text))
        said = []
    st.session_state[_SAID] = said


def _strip() -> None:
    seen = st.session_state.get(_SEEN, [])
    jobs = [job for job in list_jobs() if str(job.folder) in seen]
    states = [(job, job.state()) for job in jobs]
    if len(jobs) < len(seen) or any(state not in ACTIVE for _, state in states):
        rerun()
    # In one piece, be it empty: the browser may keep what a fragment leaves out when another follows at once.
    st.html(
        f'<div class="jobs">{"".join(_bar(job, state) for job, state in states if state in ACTIVE)}</div>'
    )


def _bar(job: Job, state: str) -> str:
    """A job with how far it is; HTML."""
    status = job.status()
    done = share(status)
    words = "waiting" if state == "queued" else f"{done:.0%}" if done is not None else "at work"
    left = time_left(status.get("eta_s")) if state == "running" else ""
    return (
        f'<div class="job"><div><b>{escape(title_of(job))}</b><span>{words}</span></div>'
        f'<div class="bar"><i style="width:{100 * (done or 0):.1f}%"></i></div>'
        f"<small>{escape(left)}</small></div>"
    )


def watch(job: Job, *, key: str = "watch", dismiss: bool = False) -> None:
    """Show one job: progress, what it does, the time left and a way to stop; or how it ended and how to go on.

    When the job's state changes the whole page is drawn anew. With `dismiss`, one that ended without
    success can be put away, its folder and all.
    """
    before = job.state()

    def draw() -> None:
        state = job.state()
        if state != before:
            rerun()
        status = job.status()
        if state in ACTIVE:
            _draw_active(job, state, status, key)
        elif state != "done":
            _draw_ended(job, state, status, key, dismiss)

    live(draw, [job], active=before in ACTIVE)


def _draw_active(job: Job, state: str, status: dict, key: str) -> None:
    done = share(status)
    text = status.get("text") or ("Waiting for its turn" if state == "queued" else "Starting")
    words = " · ".join(part for part in (title_of(job), text, time_left(status.get("eta_s"))) if part)
    stopping = job.stopping()
    # Not columns: in a narrow place their share would cut the button's word.
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.progress(done or 0.0, text=plain(words))
        pressed = st.button("Stopping…" if stopping else "Stop", key=f"{key}-stop", disabled=stopping)
    if pressed:
        request_stop(job)
        st.rerun(scope="fragment")


def _draw_ended(job: Job, state: str, status: dict, key: str, dismiss: bool) -> None:
    said = {
        "failed": f"{title_of(job)} did not work. {status.get('error') or 'The reason is in its log.'}",
        "stopped": f"{title_of(job)} was stopped.",
        "interrupted": f"{title_of(job)} was interrupted: its process ended before the work was done.",
    }.get(state, f"{title_of(job)}: {state}.")
    (st.error if state == "failed" else st.warning)(plain(said))
    again = "Try again" if state == "failed" else "Continue" if job.kind == "train" else "Start again"
    try:
        with st.container(horizontal=True):
            if st.button(again, key=f"{key}-resume"):
                resume(job)
                runner().wake()
                st.rerun()
            if dismiss and st.button("Put away", key=f"{key}-away", type="tertiary"):
                delete_job(job)
                st.rerun()
    except BloodappError as error:
        st.error(plain(str(error)))
