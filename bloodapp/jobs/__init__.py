"""Background work: a job is a folder, a child process performs it, files tell everybody how it goes.

    job       the folder: submit, list, open, stop, resume, delete
    context   what a work function is given: progress, log, stop
    reporter  what of that the work asks for
    kinds     which function does which kind of job
    work      performs one job in this process
    runner    the thread that takes queued jobs, launches them and watches

The lock file in the folder is the authority: whoever holds it performs the job, nobody else can.
"""

from bloodapp.jobs.context import Context
from bloodapp.jobs.job import Job, delete_job, list_jobs, open_job, request_stop, resume, submit
from bloodapp.jobs.runner import Runner, step
from bloodapp.jobs.work import perform

__all__ = [
    "Context",
    "Job",
    "Runner",
    "delete_job",
    "list_jobs",
    "open_job",
    "perform",
    "request_stop",
    "resume",
    "step",
    "submit",
]
