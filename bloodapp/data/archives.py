"""A `.zip` of class folders, read in place: no name inside one ever becomes a path on disk."""

import lzma
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bloodapp.data.folders import MAX_PICTURE_BYTES, Tree, hidden, pictures, wanted
from bloodapp.data.naming import LISTS
from bloodapp.data.records import Source, printable
from bloodapp.errors import SourceError

AGAIN = "copy, download or save it again"
# Pictures hardly shrink in an archive. One that would unpack to more than this many times its size is a bomb.
MAX_RATIO = 100
_HARMLESS_BYTES = 1 << 30  # … unless all of it is small
_MOST_MEMBERS = 5_000_000


@contextmanager
def damage_explained(path: Path, member: str = "") -> Iterator[None]:
    """Turn what `zipfile` raises for damaged, cut or locked archives into one sentence."""
    # The name is enough, and all that somebody who uploaded the file has ever seen of it.
    shown = printable(path.name)
    what = f"'{member}' in '{shown}'" if member else f"'{shown}'"
    try:
        yield
    except NotImplementedError as error:
        raise SourceError(
            f"{what} is packed in a way that cannot be read here: pack it as a plain zip."
        ) from error
    except PermissionError as error:
        raise SourceError(f"{what} may not be read: give yourself the right to read it.") from error
    except RuntimeError as error:  # zipfile's word for a password
        if "password" not in str(error):
            raise
        raise SourceError(f"{what} is protected by a password: pack it again without one.") from error
    # Where the bytes are not an archive's, zipfile stumbles over whatever it takes them for.
    except (
        zipfile.BadZipFile,
        zlib.error,
        lzma.LZMAError,
        struct.error,
        EOFError,
        OSError,
        ValueError,
        OverflowError,
        LookupError,
        MemoryError,
    ) as error:
        if not _begins_like_an_archive(path):
            raise SourceError(
                f"{what} is no {path.suffix or '.zip'} file, whatever its name says: "
                "choose the one that holds the images."
            ) from error
        raise SourceError(f"{what} is damaged or cut short: {AGAIN}.") from error


def _begins_like_an_archive(path: Path) -> bool:
    with suppress(OSError), path.open("rb") as stream:
        return stream.read(2) == b"PK"
    return False


def refuse_empty(path: Path) -> None:
    """Raise SourceError for a file of 0 bytes, or one that may not be read."""
    with damage_explained(path):
        size = path.stat().st_size
    if size == 0:
        raise SourceError(f"'{printable(path.name)}' is empty, a file of 0 bytes: {AGAIN}.")


def refuse_bomb(path: Path, members: list[zipfile.ZipInfo]) -> None:
    """Raise SourceError for an archive that would unpack to far more than it can hold."""
    unpacked = sum(member.file_size for member in members)
    if unpacked > max(_HARMLESS_BYTES, MAX_RATIO * path.stat().st_size):
        raise SourceError(
            f"'{printable(str(path))}' would unpack to {unpacked / 1e9:,.0f} GB, which pictures cannot: "
            "do not trust this file."
        )
    if len(members) > _MOST_MEMBERS:
        raise SourceError(f"'{printable(str(path))}' holds {len(members):,} files: pack fewer at a time.")


def open_zip(path: Path, labelled: bool) -> Source:
    """A `.zip` of class folders, or without labels of pictures, in the order of the archive."""
    refuse_empty(path)
    with damage_explained(path):
        archive = zipfile.ZipFile(path)  # stays open until nothing reads from it any more
    by_name, tree = _members(path, archive)

    def read(name: str) -> bytes:
        member = by_name[name]
        if member.file_size > MAX_PICTURE_BYTES:
            raise SourceError(
                f"'{name}' is too large for a picture of one cell: pack the archive without it."
            )
        with damage_explained(path, printable(name)):
            return archive.read(member)

    return pictures("zip", path, tree, read, labelled)


def _members(path: Path, archive: zipfile.ZipFile) -> tuple[dict[str, zipfile.ZipInfo], Tree]:
    """The files of an archive by name, and what of them are pictures; raises SourceError for hostile archives."""
    by_name: dict[str, zipfile.ZipInfo] = {}
    tree = Tree()
    folders: set[str] = set()
    full: set[str] = set()
    for member in archive.infolist():
        given = member.filename.replace("\\", "/")
        parts = [part for part in given.split("/") if part not in ("", ".")]
        name = "/".join(parts)
        if given.startswith("/") or ":" in given.split("/")[0] or ".." in parts:
            raise SourceError(
                f"'{printable(str(path))}' holds a name that leads out of it, '{printable(given)}': "
                "pack it again from its folder."
            )
        if member.is_dir():
            folders.add(name)
            continue
        full.update("/".join(parts[:depth]) for depth in range(1, len(parts)))
        if stat.S_ISLNK(member.external_attr >> 16):
            if not hidden(name):
                why = "is a link, which is not followed: pack the file itself."
                tree.passed.append((printable(name), f"'{printable(name)}' {why}"))
        elif wanted(name):
            if name not in by_name:
                tree.pictures.append(name)
            by_name[name] = member
        elif parts[-1:] and parts[-1] in LISTS and not hidden(name):
            tree.lists.append(name)
            by_name[name] = member
    tree.barren = sorted(folder for folder in folders - full if folder and not hidden(folder))
    refuse_bomb(path, [member for member in archive.infolist() if not member.is_dir()])
    return by_name, tree
