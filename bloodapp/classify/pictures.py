"""Dropped files: pictures and archives of pictures, each one row, readable or not.

Nothing that somebody drops may stop the others, fill the memory or write a file: archives are read
member by member, in memory, and what a member really unpacks to is counted, not what it claims.
"""

import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
import numpy.typing as npt

from bloodapp.data.images import SUFFIXES, decode, to_square
from bloodapp.errors import SourceError

MAX_PICTURES = 5_000
MAX_PICTURE_BYTES = 64 << 20
MAX_UNPACKED_BYTES = 1 << 30


@dataclass(frozen=True)
class Picture:
    """One picture to classify, or why it cannot be.

    Attributes:
        name: file name, inside an archive with its path.
        image: RGB uint8 (S, S, 3), or None.
        width: of the original, in pixels; 0 if unreadable.
        height: of the original, in pixels; 0 if unreadable.
        error: one sentence why it could not be read, else "".
    """

    name: str
    image: npt.NDArray[np.uint8] | None
    width: int = 0
    height: int = 0
    error: str = ""


def read_pictures(
    files: Iterable[tuple[str, bytes]], size: int, *, max_unpacked: int = MAX_UNPACKED_BYTES
) -> Iterator[Picture]:
    """Read dropped files (name, content) one after the other, archives in place, as squares of `size`.

    Yields at most 5,000 pictures; everything unreadable becomes a row with an error.
    """
    count = 0
    for name, content in files:
        members = _unpacked(name, content, max_unpacked) if _is_archive(name, content) else [(name, content)]
        for member, inside in members:
            if count >= MAX_PICTURES:
                yield Picture(member, None, error=f"Only the first {MAX_PICTURES:,} pictures are read.")
                return
            count += 1
            yield _read(member, inside, size)


def _is_archive(name: str, content: bytes) -> bool:
    suffix = PurePosixPath(name).suffix.lower()
    return suffix == ".zip" or (suffix != ".npz" and content[:4] == b"PK\x03\x04")


def _read(name: str, content: bytes | str, size: int) -> Picture:
    """A picture from its bytes; a text in their place is the reason why there are none."""
    if isinstance(content, str):
        return Picture(name, None, error=content)
    if name.lower().endswith(".npz"):
        return Picture(name, None, error=f"'{name}' is a whole dataset: import it on Home.")
    try:
        decoded = decode(content, name)
    except SourceError as error:
        return Picture(name, None, error=str(error))
    return Picture(name, to_square(decoded.image, size), decoded.width, decoded.height)


def _unpacked(name: str, content: bytes, max_unpacked: int) -> Iterator[tuple[str, bytes | str]]:
    """The pictures of an archive: (path, bytes), or (path, why it cannot be read)."""
    left = max_unpacked
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [m for m in archive.infolist() if _wanted(m)]
            if not members:
                yield name, f"'{name}' holds no pictures."
            for member in members:
                inside = _member(archive, member, min(MAX_PICTURE_BYTES, left))
                if isinstance(inside, bytes):
                    left -= len(inside)
                yield member.filename, inside
                if left <= 0:
                    yield (
                        name,
                        f"'{name}' unpacks to more than {max_unpacked >> 20:,} MB: the rest was not read.",
                    )
                    return
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        yield name, f"'{name}' is damaged or cut short: pack it again ({error})."


def _wanted(member: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(member.filename.replace("\\", "/"))
    hidden = path.name.startswith(".") or "__MACOSX" in path.parts
    return not member.is_dir() and not hidden and path.suffix.lower() in SUFFIXES


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, limit: int) -> bytes | str:
    """What a member unpacks to, never more than `limit` bytes of it in memory."""
    try:
        with archive.open(member) as stream:
            inside = stream.read(limit + 1)
    except RuntimeError:  # zipfile's way to ask for a password
        return f"'{member.filename}' is protected by a password."
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError) as error:
        return f"'{member.filename}' is damaged or cut short: pack it again ({error})."
    if len(inside) > limit:
        return f"'{member.filename}' is too large for a picture of one cell."
    return inside
