"""`images.npy` while it grows, block after block, however many images come."""

import os
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

_FLUSH = 64 << 20  # bytes that are sent to the disk together
_WARM = 512 << 20  # bytes that stay in the system's cache, for whoever looks at the images next


class ImagesFile:
    """A `.npy` of images uint8 (N, S, S, 3) whose N is known when it is finished.

    It goes to the disk while more images are made, by a thread of its own. Of a large one only the first half
    gigabyte stays in the system's cache: gigabytes of new pages would push out what other programs use, count
    against a container's memory, and where a virtual machine gets its memory on demand cost more than decoding.
    """

    def __init__(self, path: Path, size: int) -> None:
        self._size = size
        self._count = 0
        self._sent = 0
        self._sending: Future[None] | None = None
        with ExitStack() as stack:
            self._file = stack.enter_context(path.open("w+b"))
            self._thread = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="writing"))
            self._stack = stack.pop_all()
        self._write_header()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, traceback)

    def append(self, images: NDArray[np.uint8]) -> None:
        """Write images (n, S, S, 3) behind the others; raises OSError, also for what was written before."""
        self._file.write(images.data)
        self._count += len(images)
        if self._file.tell() - self._sent > _FLUSH and (self._sending is None or self._sending.done()):
            self._wait()
            self._file.flush()
            begin, self._sent = self._sent, self._file.tell()
            self._sending = self._thread.submit(self._send, begin, self._sent)

    def finish(self) -> None:
        """Say in the header how many there are, and return when all is on the disk; raises OSError."""
        self._wait()
        self._write_header()
        self._file.flush()
        os.fsync(self._file.fileno())

    def _wait(self) -> None:
        # The system tells of a failed write once: whoever asks next is told that all is well.
        if self._sending is not None:
            self._sending.result()

    def _send(self, begin: int, end: int) -> None:
        os.fsync(self._file.fileno())
        if end > _WARM and hasattr(os, "posix_fadvise"):
            begin = max(begin, _WARM)
            os.posix_fadvise(self._file.fileno(), begin, end - begin, os.POSIX_FADV_DONTNEED)

    def _write_header(self) -> None:
        """NumPy leaves room in it for the first axis to grow, so its length is always the same."""
        header = {"descr": "|u1", "fortran_order": False, "shape": (self._count, self._size, self._size, 3)}
        self._file.seek(0)
        np.lib.format.write_array_header_1_0(self._file, header)
