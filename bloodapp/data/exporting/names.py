"""Names of files and folders that every system takes, made from names of sources and classes."""

import re
import unicodedata
from pathlib import PurePosixPath

from bloodapp.classes import CellClass
from bloodapp.data.images import SUFFIXES

MOST_BYTES = 180  # of a name without its suffix: file systems take 255, archives unpack below other folders
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]+')
_DEVICES = frozenset(
    {"con", "prn", "aux", "nul"} | {f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10)}
)
# What an import takes for a part, or passes over, when it stands where a class is expected.
_MEANT = frozenset({"train", "training", "val", "valid", "validation", "test", "testing", "__macosx"})


class Names:
    """Gives each name once: one that is taken, whatever its case, gets a number."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._last: dict[str, int] = {}

    def free(self, wanted: str, folder: str = "") -> str:
        """The name, or with the first number from 2 that is free in the folder."""
        name, key = wanted, self._key(folder, wanted)
        number = self._last.get(key, 1)
        while self._key(folder, name) in self._taken:
            number += 1
            name = f"{wanted}-{number}"
        self._last[key] = number
        self._taken.add(self._key(folder, name))
        return name

    @staticmethod
    def _key(folder: str, name: str) -> str:
        return f"{folder}/{unicodedata.normalize('NFC', name).casefold()}"


def safe(text: str) -> str:
    """A text as a name without a suffix: no path, nothing hidden, nothing that Windows refuses."""
    name = _UNSAFE.sub("_", text).strip().lstrip(".").rstrip(". ")
    name = name.encode("utf-8", "replace")[:MOST_BYTES].decode("utf-8", "ignore").rstrip(". ")
    return f"{name}_" if name.split(".")[0].casefold() in _DEVICES else name or "_"


def picture_name(source_name: str, index: int) -> str:
    """The name of a picture, without a suffix: that of the file it came from, else its row in the dataset."""
    path = PurePosixPath(source_name.replace("\\", "/"))
    return safe(path.stem) if path.suffix.lower() in SUFFIXES else f"{index:06d}"


def class_folders(classes: tuple[CellClass, ...]) -> list[str]:
    """A folder for each class, in their order: its key, which only unsafe or ambiguous characters change."""
    names = Names()
    wanted = [safe(cell_class.key) for cell_class in classes]
    return [names.free(f"{name}_" if name.casefold() in _MEANT else name) for name in wanted]
