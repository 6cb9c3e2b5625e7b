"""Pictures whose folders say their class and part: what lies in a folder, and how names in any tree are understood.

A folder is never left: links to files inside it count as the files, links to anywhere else and links to folders are
passed over and listed.
"""

import os
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bloodapp.classes import DEFAULT_CLASSES, CellClass, default_key
from bloodapp.data.images import SUFFIXES, decode
from bloodapp.data.naming import LISTS, classes_of, read_list
from bloodapp.data.records import Reader, Record, Source, printable
from bloodapp.errors import SourceError

MAX_PICTURE_BYTES = 128 << 20  # one picture in a folder or archive
PART_NAMES = {"train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val"}
PART_NAMES |= {"test": "test", "testing": "test"}


@dataclass
class Tree:
    """The names that lie in a folder or an archive, with `/` between their parts.

    Attributes:
        pictures: the files that are meant as pictures, in the order of the source.
        barren: the folders with no file in or below them.
        passed: what gives no record, with the reason.
        lists: the files that say which classes there are.
    """

    pictures: list[str] = field(default_factory=list)
    barren: list[str] = field(default_factory=list)
    passed: list[tuple[str, str]] = field(default_factory=list)
    lists: list[str] = field(default_factory=list)


def open_folder(path: Path, labelled: bool) -> Source:
    """A folder of class folders, or without labels of pictures, sorted by path."""
    tree = _walked(path)
    tree.pictures.sort(key=lambda name: name.split("/"))
    return pictures("folder", path, tree, lambda name: read_file(f"{path}/{name}", name), labelled)


def read_file(file: Path | str, name: str) -> bytes:
    """The bytes of a picture; raises SourceError, which calls it `name`, if it may not be read or is too large."""
    try:
        # Without a buffer, and the size first: a large bound given to `read` costs more than the reading.
        with open(file, "rb", buffering=0) as stream:
            size = os.fstat(stream.fileno()).st_size
            content = stream.read(size) if size <= MAX_PICTURE_BYTES else b""
            if len(content) < size <= MAX_PICTURE_BYTES:  # a disk may give less at once
                content += stream.read()
    except PermissionError as error:
        raise SourceError(f"'{name}' may not be read: give yourself the right to read it.") from error
    except FileNotFoundError as error:
        raise SourceError(f"'{name}' is not there: put it there, or import without it.") from error
    except OSError as error:
        raise SourceError(f"'{name}' cannot be read ({error.strerror}): copy it again.") from error
    if size > MAX_PICTURE_BYTES:
        raise SourceError(f"'{name}' is too large for a picture of one cell: remove it.")
    return content


def pictures(kind: str, path: Path, tree: Tree, read: Callable[[str], bytes], labelled: bool) -> Source:
    """A source of single pictures; `read` gives the bytes of each and may be called in any thread."""
    where = f"'{printable(str(path))}'"
    names = tree.pictures
    if not names:
        if tree.passed:
            raise SourceError(f"{where} holds no pictures that can be read: {tree.passed[0][1]}")
        wanted = (
            "it should hold one folder of pictures for each class"
            if labelled
            else "give a folder, .zip or .npz with pictures"
        )
        raise SourceError(f"{where} holds no pictures: {wanted}.")
    wrapped = _wrapped(names)
    places = [_place(name, wrapped) for name in names]
    folders = sorted({folder for _, folder in places if folder})
    if labelled:
        if not folders:
            raise SourceError(
                f"{where} holds pictures but no class folders: put each class into a folder of its name."
            )
        _refuse_barren(tree, wrapped, set(folders), where)
    listed = list_beside(_around(names[0], wrapped), tree.lists, read, where)
    classes, positions = classes_of(folders, listed, where) if folders else (DEFAULT_CLASSES, {})

    def one(name: str, part: str, folder: str) -> Record:
        label = positions[folder] if folder else -1
        shown = printable(name)
        if labelled and not folder:
            return Record.failed(shown, "It lies in no class folder.", label, part)
        return record_of(shown, label, part, lambda: read(name))

    def readers() -> Iterator[Reader]:
        for name, (part, folder) in zip(names, places, strict=True):
            yield partial(one, name, part, folder)

    return Source(
        kind,
        printable(path.stem if kind != "folder" else path.name),
        printable(str(path.resolve())),
        classes,
        len(names),
        (reader() for reader in readers()),
        readers=readers(),
        passed=tuple(tree.passed),
    )


def record_of(name: str, label: int, part: str, read: Callable[[], bytes]) -> Record:
    """The record of a picture, or of the reason why it is none."""
    try:
        decoded = decode(read(), name)
    except SourceError as error:
        return Record.failed(name, str(error), label, part)
    return Record(
        decoded.image,
        name,
        label,
        part,
        decoded.width,
        decoded.height,
        decoded.mode,
        note=decoded.note,
    )


def wanted(name: str) -> bool:
    """Whether a file is meant as a picture: not hidden, not what macOS adds to archives."""
    return is_picture(name) and not hidden(name)


def is_picture(name: str) -> bool:
    """Whether a file's name ends as those of pictures do."""
    return os.path.splitext(name)[1].lower() in SUFFIXES


def hidden(name: str) -> bool:
    """Whether a name, or a folder above it, is hidden or one of those that macOS adds to archives."""
    return name.startswith(".") or "/." in name or "__MACOSX" in name.split("/")


def _walked(root: Path) -> Tree:
    """What lies in a folder, however deep; links are followed to files inside it only."""
    tree = Tree()
    real = root.resolve()
    waiting = [""]
    filled: set[str] = set()
    folders: list[str] = []
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(real / folder) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            shown = printable(folder) or printable(str(root))
            if not folder:
                raise SourceError(
                    f"'{shown}' may not be read: give yourself the right to read it."
                ) from error
            tree.passed.append((shown, f"'{shown}' may not be read: give yourself the right to read it."))
            filled.add(folder)
            continue
        for entry in found:
            if hidden(entry.name):
                continue
            name = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_symlink():
                filled.add(folder)
                if why := _leads_astray(real, entry):
                    tree.passed.append((printable(name), f"'{printable(name)}' {why}"))
                elif is_picture(name):
                    tree.pictures.append(name)
            elif entry.is_dir():
                folders.append(name)
                waiting.append(name)
            elif entry.is_file():
                filled.add(folder)
                if is_picture(name):
                    tree.pictures.append(name)
                elif entry.name in LISTS:
                    tree.lists.append(name)
    tree.barren = _barren(folders, filled)
    return tree


def _leads_astray(real: Path, entry: os.DirEntry[str]) -> str:
    """Why a link is not followed, or ""."""
    try:
        target = Path(entry.path).resolve(strict=True)
    except (OSError, RuntimeError):
        return "is a link to nothing: copy the file itself to its place."
    if not target.is_relative_to(real):
        return "is a link that leads out of the folder: copy the file itself to its place."
    return "" if target.is_file() else "is a link to a folder, which is not followed."


def _barren(folders: Sequence[str], filled: set[str]) -> list[str]:
    """The folders with no file in or below them."""
    full = set()
    for folder in filled:
        while folder and folder not in full:
            full.add(folder)
            folder = folder.rpartition("/")[0]
    return sorted(folder for folder in folders if folder not in full)


def _refuse_barren(tree: Tree, wrapped: int, folders: set[str], where: str) -> None:
    """Raise SourceError for a class folder in which there is nothing at all, wherever it stands."""
    for name in tree.barren:
        parts = name.split("/")
        folder = _place(f"{name}/x", wrapped)[1]
        deep = len(parts) - wrapped - (1 if parts[wrapped:] and parts[wrapped].lower() in PART_NAMES else 0)
        if folder and deep == 1 and folder not in folders:
            raise SourceError(
                f"The class folder '{printable(name)}' in {where} is empty: put its pictures in, or remove it."
            )


def list_beside(
    folders: Sequence[str], lists: Container[str], read: Callable[[str], bytes], where: str
) -> tuple[CellClass, ...] | None:
    """The class list in the first of these folders that has one, or None."""
    for folder in folders:
        for file in LISTS:
            name = f"{folder}/{file}" if folder else file
            if name in lists:
                return read_list(file, read(name), where)
    return None


def _around(name: str, wrapped: int) -> list[str]:
    """The folders around all class folders, the innermost first."""
    parts = name.split("/")
    return ["/".join(parts[:depth]) for depth in range(wrapped, -1, -1)]


def _wrapped(names: Sequence[str]) -> int:
    """How many folders lie around all class folders: archives often wrap everything in one."""
    depth = 0
    parted = [name.split("/") for name in names]
    while True:
        heads = {parts[depth] if len(parts) > depth + 2 else "" for parts in parted}
        head = heads.pop()
        if heads or not head or head.lower() in PART_NAMES or default_key(head):
            return depth
        depth += 1


def _place(name: str, wrapped: int) -> tuple[str, str]:
    """The part and the class folder of a picture, each "" if it has none."""
    folders = name.split("/")[wrapped:-1]
    if folders and folders[0].lower() in PART_NAMES:
        return PART_NAMES[folders[0].lower()], folders[1] if len(folders) > 1 else ""
    return "", folders[0] if folders else ""
