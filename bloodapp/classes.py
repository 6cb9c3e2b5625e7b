"""The eight default classes of normal peripheral blood cells, and class lists in general.

Every dataset and every run carries its own list; these are the defaults for sources that only
number their classes. The order is that of the course file and of BloodMNIST.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bloodapp.errors import InvalidValue


@dataclass(frozen=True)
class CellClass:
    """One class of a dataset.

    Attributes:
        key: short lower-case name; used in CSV headers and folder names.
        title: what people read.
        colour: `#rrggbb`, the same wherever the class appears, legible on light and dark.
        shortcut: the key that assigns it in Review, `1` to `9` or empty.
    """

    key: str
    title: str
    colour: str
    shortcut: str


DEFAULT_CLASSES: tuple[CellClass, ...] = (
    CellClass("basophil", "Basophil", "#4C6EF5", "1"),
    CellClass("eosinophil", "Eosinophil", "#F76707", "2"),
    CellClass("erythroblast", "Erythroblast", "#E03131", "3"),
    CellClass("ig", "Immature granulocyte", "#12A87B", "4"),
    CellClass("lymphocyte", "Lymphocyte", "#AE3EC9", "5"),
    CellClass("monocyte", "Monocyte", "#E8A700", "6"),
    CellClass("neutrophil", "Neutrophil", "#1C9FC4", "7"),
    CellClass("platelet", "Platelet", "#7B8794", "8"),
)

_ALIASES = {
    "immature granulocyte": "ig",
    "immature granulocytes": "ig",
    "immature_granulocytes": "ig",
    "immature-granulocytes": "ig",
}


def default_key(name: str) -> str | None:
    """The default class that a folder or column name means, or None.

    Matches keys, titles and simple plurals, whatever the case: `Neutrophils` → `neutrophil`.
    """
    text = name.strip().lower()
    keys = {c.key for c in DEFAULT_CLASSES}
    for candidate in (text, _ALIASES.get(text, ""), text.removesuffix("s")):
        if candidate in keys:
            return candidate
    return None


def class_list(names: Sequence[str]) -> tuple[CellClass, ...]:
    """The class list for sorted folder names: the eight defaults when every name is one of them."""
    keys = [default_key(name) for name in names]
    if names and all(keys):
        return DEFAULT_CLASSES
    palette = [c.colour for c in DEFAULT_CLASSES]
    return tuple(
        CellClass(name, name, palette[i % len(palette)], str(i + 1) if i < 9 else "")
        for i, name in enumerate(names)
    )


def to_json(classes: Iterable[CellClass]) -> list[dict[str, Any]]:
    """The class list as plain dictionaries."""
    return [asdict(c) for c in classes]


def from_json(rows: Iterable[dict[str, Any]]) -> tuple[CellClass, ...]:
    """The class list read back from `to_json`; raises InvalidValue when it is none."""
    try:
        return tuple(CellClass(**row) for row in rows)
    except TypeError as error:
        raise InvalidValue(f"The class list cannot be read: {error}.") from error
