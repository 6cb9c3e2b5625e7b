"""Memory or disk that ran out during a training, said in words that help."""

import errno
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol

from bloodapp.errors import Shortage

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
