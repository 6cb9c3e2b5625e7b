"""BloodMNIST by its name: the words `bloodmnist` and `bloodmnist:64`, and the download of the file that they mean.

Files and MD5 sums are those of Zenodo's record 10519652, MedMNIST+ (Yang et al., CC BY 4.0), as its package
`medmnist` lists them.
"""

import errno
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from filelock import Timeout

from bloodapp import workspace
from bloodapp.data.download import (
    FAILURES,
    Progress,
    download,
    intact,
    no_connection,
    reason,
    words_with_bytes,
)
from bloodapp.errors import InvalidValue, Shortage, SourceError, Stopped

WORD = "bloodmnist"
MIRROR = "BLOODAPP_MEDMNIST_URL"
"""The environment variable with the address of the folder that is asked in place of Zenodo's."""
RECORD = "https://zenodo.org/records/10519652"

MD5 = {
    28: "7053d0359d879ad8a5505303e11de1dc",
    64: "2b94928a2ae4916078ca51e05b6b800b",
    128: "adace1e0ed228fccda1f39692059dd4c",
    224: "b718ff6835fcbdb22ba9eacccd7b2601",
}
"""Of the file for each side of the images, in pixels."""

_LOOK_S = 0.2


@dataclass(frozen=True)
class Published:
    """One of the four files.

    Attributes:
        side: of its images, in pixels.
    """

    side: int

    @property
    def file(self) -> str:
        """Its name in the record."""
        return f"{WORD}.npz" if self.side == 28 else f"{WORD}_{self.side}.npz"

    @property
    def url(self) -> str:
        """Where it is fetched from: the mirror of the environment, else Zenodo."""
        return f"{os.environ.get(MIRROR, f'{RECORD}/files').rstrip('/')}/{self.file}?download=1"

    @property
    def path(self) -> Path:
        """Where it lies, or will."""
        return workspace.home() / "downloads" / self.file

    @property
    def facts(self) -> dict[str, str]:
        """What a dataset's record says of where it comes from."""
        return {"record": RECORD, "file": self.file, "md5": MD5[self.side], "licence": "CC BY 4.0"}


def is_word(source: str | Path) -> bool:
    """Whether a source is one of the words; a file or folder of that name is ./bloodmnist."""
    return re.fullmatch(rf"{WORD}(:.*)?", str(source)) is not None


def published(word: str | Path) -> Published:
    """The file that a word means, `bloodmnist` that of 28 pixels; raises InvalidValue for a side that there is not."""
    side = str(word).partition(":")[2] or "28"
    if not side.isdecimal() or int(side) not in MD5:
        *few, last = MD5
        raise InvalidValue(
            f"BloodMNIST comes with images of {', '.join(map(str, few))} and {last} pixels: write {WORD}:{last}, "
            f"for instance, not '{word}'."
        )
    return Published(int(side))


def fetch(
    word: str | Path, progress: Progress | None = None, stopped: Callable[[], bool] | None = None
) -> Path:
    """The file that a word means, downloaded unless it is there and whole.

    What has come of a download that is stopped, cut or killed is kept, and the next goes on from there. Raises
    SourceError, Shortage and Stopped.
    """
    one = published(word)
    digest = MD5[one.side]
    if intact(one.path, digest):
        return one.path
    one.path.parent.mkdir(parents=True, exist_ok=True)
    with _alone(one, progress, stopped):
        if intact(one.path, digest):  # whoever was waited for has fetched it
            return one.path
        part = one.path.with_name(f".{one.file}.part")
        if not intact(part, digest):
            with _explained(one):
                download(
                    one.url,
                    part,
                    f"Downloading {one.file}",
                    words_with_bytes(progress),
                    stopped=stopped,
                    resume=True,
                )
            if not intact(part, digest):
                part.unlink()
                raise SourceError(
                    f"What {_host(one)} sent as {one.file} is not the published file, and was removed: try again, "
                    f"or get it from {RECORD} by hand and import it by its path."
                )
        os.replace(part, one.path)
    return one.path


@contextmanager
def _alone(one: Published, progress: Progress | None, stopped: Callable[[], bool] | None) -> Iterator[None]:
    """Hold the lock of a file's download; whoever comes second waits and then finds it there."""
    mine = workspace.lock(one.path.with_name(f".{one.file}.lock"))
    while True:
        try:
            mine.acquire(timeout=_LOOK_S)
            break
        except Timeout:
            if stopped is not None and stopped():
                raise Stopped("Stopped.") from None
            if progress is not None:
                progress(0, 0, f"Waiting for another download of {one.file}")
    try:
        yield
    finally:
        mine.release()


@contextmanager
def _explained(one: Published) -> Iterator[None]:
    by_hand = f"download {one.file} from {RECORD} by hand and import it by its path."
    try:
        yield
    except FAILURES as error:
        if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
            raise Shortage(
                f"{one.file} cannot be downloaded: {reason(error)}; make room, then try again."
            ) from error
        if no_connection(error):
            raise SourceError(
                f"No connection to {_host(one)} ({reason(error)}): try again when there is one, or {by_hand}"
            ) from error
        raise SourceError(
            f"{one.file} could not be fetched from {_host(one)} ({reason(error)}): try again, which goes on from "
            f"there, or {by_hand}"
        ) from error


def _host(one: Published) -> str:
    return urlsplit(one.url).netloc or one.url
