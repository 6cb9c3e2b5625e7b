"""Memory and disk that run out are said in words that help."""

import errno

import pytest

from bloodapp.errors import Shortage
from bloodapp.jobs import context, perform, submit
from bloodapp.train.shortage import cut_off_by_memory, explained


class Log:
    """Remembers."""

    def __init__(self) -> None:
        self.lines = ""

    def log(self, text: str) -> None:
        """Remember."""
        self.lines += text


class ResourceExhaustedError(Exception):
    """TensorFlow's word, by name."""


@pytest.mark.parametrize("error", [MemoryError(), ResourceExhaustedError("OOM when allocating")])
def test_memory_is_answered_with_a_smaller_batch(error: Exception) -> None:
    """In the sentence and as a number; the whole story is in the log."""
    log = Log()
    with pytest.raises(Shortage, match="a batch of 32") as caught, explained(64, log):
        raise error
    assert caught.value.fields == {"smaller_batch": 32}
    assert type(error).__name__ in log.lines
    with pytest.raises(Shortage, match="smaller images") as caught, explained(1, log):
        raise error
    assert caught.value.fields == {}


def test_a_full_disk_says_what_is_safe() -> None:
    """With its number, or with words only, as HDF5 reports it; any other error passes as it is."""
    for error in (OSError(errno.ENOSPC, "x"), OSError("write failed: No space left on device")):
        with pytest.raises(Shortage, match="free some space and continue"), explained(8, Log()):
            raise error
    with pytest.raises(PermissionError), explained(8, Log()):
        raise PermissionError(errno.EACCES, "x")


def test_the_job_carries_what_the_error_knows(home: object) -> None:
    """A failed job has the sentence and the smaller batch in its status."""

    def work(params: dict, told: context.Context) -> None:
        with explained(48, told):
            raise MemoryError

    job = submit("train", {})
    assert perform(job, {"train": work}) == "failed"
    status = job.status()
    assert status["smaller_batch"] == 24 and "batch of 24" in status["error"]
    assert "MemoryError" in job.log()


def test_what_the_system_killed_is_told_from_its_last_status() -> None:
    """By the memory that it held last, or by the signal; of what ended otherwise nothing is claimed."""
    cut = {"state": "interrupted", "memory_mib": 15_000}
    assert cut_off_by_memory(cut, 16_000) == (
        "It probably ran out of memory (last seen 15,000 MB of 16,000)."
    )
    assert cut_off_by_memory(cut, 64_000) == "" == cut_off_by_memory({"state": "interrupted"}, None)
    killed = cut_off_by_memory({**cut, "signal": "SIGKILL"}, 64_000)
    assert killed.startswith("It was killed from outside") and "15,000 MB of 64,000" in killed
    assert cut_off_by_memory({**cut, "state": "failed"}, 16_000) == ""


def test_what_cannot_even_be_written_is_interrupted(home: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk so full that the status cannot be replaced: the job says running and nobody works."""
    from bloodapp.jobs.job import Job

    def work(params: dict, told: context.Context) -> None:
        def full(*_: object) -> None:
            raise OSError(errno.ENOSPC, "full")

        monkeypatch.setattr(Job, "write_status", full)
        monkeypatch.setattr(Job, "add_to_log", full)
        with explained(48, told):
            full()

    job = submit("train", {})
    with pytest.raises(OSError, match="full"):
        perform(job, {"train": work})
    assert job.state() == "interrupted"
