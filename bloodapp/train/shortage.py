"""Memory or disk that ran out during a training, said in words that help."""

import errno
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Protocol

from bloodapp.errors import Shortage

_MUCH = 0.85
"""The share of a computer's memory from which a training that was cut off is taken to have run out of it."""

_NO_SPACE = ("No space left on device", "Disk quota exceeded")


class Log(Protocol):
    """Where the whole story goes."""

    def log(self, text: str) -> None:
        """Add lines to the log."""


@contextmanager
def explained(batch: int, context: Log) -> Iterator[None]:
    """Turn what says inside the block that memory or disk ran out into a Shortage; all else passes.

    `batch` is the training's; where it can be halved, the error carries the half as `smaller_batch`.
    """
    try:
        yield
    except Exception as error:
        shortage = _shortage(error, batch)
        if shortage is None:
            raise
        with suppress(OSError):
            context.log(traceback.format_exc())
        raise shortage from error


def _shortage(error: BaseException, batch: int) -> Shortage | None:
    # TensorFlow's word for it, by name, so that this needs no TensorFlow.
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        if batch == 1:
            return Shortage(
                "Memory ran out with one image a step: take smaller images or a smaller network, or close other "
                "programs."
            )
        half: dict[str, Any] = {"smaller_batch": batch // 2}
        return Shortage(
            f"Memory ran out with {batch} images a step: train again with a batch of {batch // 2}, or close other "
            "programs and continue.",
            half,
        )
    full = isinstance(error, OSError) and (
        error.errno in (errno.ENOSPC, errno.EDQUOT) or any(words in str(error) for words in _NO_SPACE)
    )
    if full:
        return Shortage(
            "The disk is full. Nothing that was finished is lost: free some space and continue the training."
        )
    return None


def cut_off_by_memory(status: Mapping[str, Any], there_mib: float | None) -> str:
    """What a job's status says of memory after it was cut off, in a sentence; empty where nothing points to it.

    A system without memory kills a process before it can say anything: what is left is the signal, where somebody
    saw it, and the memory that the training had last said it held, of `there_mib`.
    """
    held = status.get("memory_mib")
    if status.get("state") != "interrupted":
        return ""
    much = bool(held and there_mib and held >= _MUCH * there_mib)
    if not much and status.get("signal") != "SIGKILL":
        return ""
    seen = f" (last seen {held:,.0f} MB of {there_mib:,.0f})" if held and there_mib else ""
    if much:
        return f"It probably ran out of memory{seen}."
    return f"It was killed from outside, as a computer does that runs out of memory{seen}."
