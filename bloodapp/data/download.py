"""A file from a server: streamed, gone on with where it broke off, stopped at any moment, checked by its hash."""

import errno
import hashlib
import http.client
import queue
import shutil
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bloodapp.errors import Stopped

Progress = Callable[[int, int, str], None]
"""Called with bytes done, bytes in all (0 where the server does not say) and words for people."""

FAILURES = (OSError, ValueError, http.client.HTTPException)
"""What `download` raises when it cannot; `reason` puts it into words."""

_BLOCK = 1 << 18
_SECONDS = 30.0  # of silence that are borne
_LOOK_S = 0.2  # between two looks whether to stop
_WAITING = 8  # blocks between the network and the disk
_RESERVE = 64 << 20  # bytes of disk that stay free


def download(
    url: str,
    path: Path,
    words: str,
    progress: Progress | None = None,
    *,
    stopped: Callable[[], bool] | None = None,
    resume: bool = False,
) -> None:
    """Fetch a file; with `resume` go on after what `path` holds, if the server can, else begin anew.

    Redirects lead to https only, or back to the same server. Raises one of FAILURES, and Stopped; what has come until
    then stays in `path`. What `progress` raises breaks it off, too.
    """
    have = path.stat().st_size if resume and path.exists() else 0
    pieces: queue.Queue[Any] = queue.Queue(_WAITING)
    over = threading.Event()
    # A thread of its own: a silent server holds up a read for long, and nobody who wants to stop waits for that.
    threading.Thread(target=_read, args=(url, have, pieces, over), daemon=True).start()
    try:
        begin, size = _next(pieces, stopped)
        if size and shutil.disk_usage(path.parent).free < size - begin + _RESERVE:
            raise OSError(errno.ENOSPC, f"it takes {size / 1e6:,.0f} MB, for which the disk has no room")
        with path.open("ab") as stream:
            stream.truncate(begin)
            done = begin
            while block := _next(pieces, stopped):
                stream.write(block)
                done += len(block)
                if progress:
                    progress(done, size, words)
        if done < size:
            raise OSError(f"it broke off after {done:,} of {size:,} bytes")
    finally:
        over.set()


def intact(path: Path, digest: str) -> bool:
    """Whether a file is there and has this MD5 or SHA-256, in hexadecimal."""
    try:
        with path.open("rb") as stream:
            found = hashlib.file_digest(stream, "md5" if len(digest) == 32 else "sha256")
    except FileNotFoundError:
        return False
    return found.hexdigest() == digest


def reason(error: Exception) -> str:
    """Why a download failed, for the middle of a sentence."""
    if isinstance(error, urllib.error.HTTPError):
        error.close()
        return f"the server answers {error.code} {error.reason}".strip()
    if isinstance(error, urllib.error.URLError):
        return str(getattr(error.reason, "strerror", None) or error.reason)
    return str(getattr(error, "strerror", None) or error) or type(error).__name__


def no_connection(error: Exception) -> bool:
    """Whether the server could not be reached at all."""
    return isinstance(error, urllib.error.URLError) and not isinstance(error, urllib.error.HTTPError)


def _next(pieces: "queue.Queue[Any]", stopped: Callable[[], bool] | None) -> Any:
    """What came next: the beginning and size, a block, b"" at the end; raises what went wrong, or Stopped."""
    while True:
        if stopped is not None and stopped():
            raise Stopped("Stopped.")
        with suppress(queue.Empty):
            piece = pieces.get(timeout=_LOOK_S)
            if isinstance(piece, Exception):
                raise piece
            return piece


def _read(url: str, have: int, pieces: "queue.Queue[Any]", over: threading.Event) -> None:
    """Read from the server into the queue until the end, an error, or until nobody listens."""

    def put(piece: Any) -> None:
        while not over.is_set():
            with suppress(queue.Full):
                return pieces.put(piece, timeout=_LOOK_S)

    try:
        with _answer(url, have) as answer:
            begin = have if _goes_on(answer, have) else 0
            length = int(answer.headers.get("Content-Length") or 0)
            put((begin, begin + length if length else 0))
            while not over.is_set() and (block := answer.read1(_BLOCK)):
                put(block)
        put(b"")
    except Exception as error:
        put(error)


def _answer(url: str, have: int) -> Any:
    opener = urllib.request.build_opener(_Redirects(urlsplit(url).netloc))
    if have:
        request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"})
        try:
            return opener.open(request, timeout=_SECONDS)
        except urllib.error.HTTPError as error:
            if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                raise
            error.close()  # it holds more than there is: begin anew
    return opener.open(url, timeout=_SECONDS)


def _goes_on(answer: Any, have: int) -> bool:
    said = str(answer.headers.get("Content-Range", ""))
    return answer.status == http.HTTPStatus.PARTIAL_CONTENT and said.startswith(f"bytes {have}-")


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows a redirect to https, or to the server that was asked."""

    def __init__(self, asked: str) -> None:
        self._asked = asked

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        """The request to follow; raises OSError for one that leaves the encrypted web."""
        target = urlsplit(newurl)
        if target.scheme != "https" and target.netloc != self._asked:
            fp.close()
            raise OSError(f"the server leads on to {target.netloc}, which is not encrypted")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def words_with_bytes(told: Progress | None) -> Progress | None:
    """Adds `12 of 78 MB` to the words, in steps of a twentieth: not every block is a line of its own."""
    if told is None:
        return None

    def said(done: int, size: int, words: str) -> None:
        if size:
            step = max(size // 20, 1)
            words = f"{words}, {done // step * step / 1e6:,.0f} of {size / 1e6:,.0f} MB"
        told(done, size, words)

    return said
