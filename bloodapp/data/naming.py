"""Which class a folder's name, or a label in a table, means: by name, by key or by number.

A file `classes.txt` beside the class folders or the table, one class a line in the order of their numbers, says
which classes there are, as does the record that an export leaves there. Without one, names that all mean one of the
eight default classes are those.
"""

import json
import re
from collections.abc import Sequence

from bloodapp.classes import DEFAULT_CLASSES, CellClass, class_list, default_key, from_json
from bloodapp.data.records import printable
from bloodapp.errors import BloodappError, SourceError

CLASSES_FILE = "classes.txt"
EXPORT_RECORD = "bloodapp-export.json"  # as `exporting` calls it
LISTS = (CLASSES_FILE, EXPORT_RECORD)
_MOST_BYTES = 1 << 20  # of such a file
MAX_CLASSES = 100  # more is no list of cell classes, but something else called so
_NUMBERED = re.compile(r"(?:class[ _-]?)(\d{1,4})", re.IGNORECASE)
_LED_BY_NUMBER = re.compile(r"\d{1,3}[ ._-]+(?=\D)")


def classes_of(
    names: Sequence[str], listed: tuple[CellClass, ...] | None, where: str, *, count_from_0: bool = False
) -> tuple[tuple[CellClass, ...], dict[str, int]]:
    """The class list for these names, and the position in it of each; `listed` is what `read_list` gave.

    Numbers are positions if there is a 0 among them, or with `count_from_0`; without they may count from 1.
    `where` names the source in what is said. Raises SourceError for too many classes, and for a name that
    is not in the list.
    """
    names = sorted(set(names))
    if listed is not None:
        return _by_list(names, listed, where)
    if names and all(default_key(_bare(name)) for name in names):
        keys = _keys(DEFAULT_CLASSES)
        return DEFAULT_CLASSES, {name: keys.index(default_key(_bare(name)) or "") for name in names}
    for read in (_plain_number, _class_number):
        positions = {name: number for name in names if (number := read(name)) is not None}
        if not names or len(positions) < len(names) or max(positions.values()) >= MAX_CLASSES:
            continue
        if read is _class_number:
            return numbered(max(positions.values()) + 1), positions
        if count_from_0 or 0 in positions.values():
            highest = max(positions.values())
            return DEFAULT_CLASSES if highest < len(DEFAULT_CLASSES) else numbered(highest + 1), positions
    shown = sorted({printable(name) for name in names})
    if len(shown) > MAX_CLASSES:
        raise SourceError(
            f"{where} has {len(shown):,} different classes, more than the {MAX_CLASSES} that are possible: "
            "give each class one folder or label."
        )
    return class_list(shown), {name: shown.index(printable(name)) for name in names}


def numbered(count: int) -> tuple[CellClass, ...]:
    """So many classes of which nothing but the number is known."""
    return named([f"class{number}" for number in range(count)])


def named(keys: Sequence[str], titles: Sequence[str] | None = None) -> tuple[CellClass, ...]:
    """The class list with exactly these keys in this order; the default classes among them keep their looks."""
    known = {cell_class.key: cell_class for cell_class in DEFAULT_CLASSES}
    palette = [cell_class.colour for cell_class in DEFAULT_CLASSES]
    return tuple(
        CellClass(
            key,
            titles[number] if titles else known[key].title if key in known else key,
            known[key].colour if key in known else palette[number % len(palette)],
            str(number + 1) if number < 9 else "",
        )
        for number, key in enumerate(keys)
    )


def read_list(file: str, content: bytes, where: str) -> tuple[CellClass, ...]:
    """The class list in one of LISTS; raises SourceError if it is none."""
    try:
        if len(content) > _MOST_BYTES:
            raise ValueError("too long")
        text = content.decode("utf-8-sig")
        if file == EXPORT_RECORD:
            classes = _exported(json.loads(text)["classes"])
        else:
            classes = named([printable(line.strip()) for line in text.splitlines() if line.strip()])
        if not 0 < len(classes) <= MAX_CLASSES or len({one.key.lower() for one in classes}) < len(classes):
            raise ValueError("not so many classes")
    except (ValueError, TypeError, LookupError, RecursionError, BloodappError) as error:
        raise SourceError(
            f"{file} in {where} must name 1 to {MAX_CLASSES} different classes, one a line, in UTF-8: "
            "mend or remove it."
        ) from error
    return DEFAULT_CLASSES if _keys(classes) == _keys(DEFAULT_CLASSES) else classes


def _exported(rows: list[dict[str, str]]) -> tuple[CellClass, ...]:
    """The class list of an export, with the looks of its classes as far as they are ones."""
    keys = [printable(str(row["key"])) for row in rows]
    if all(re.fullmatch(r"#[0-9A-Fa-f]{6}", str(row.get("colour"))) for row in rows):
        found = from_json(rows)
        if all(
            isinstance(value, str) and value.isprintable() for one in found for value in vars(one).values()
        ):
            return found
    return named(keys)


def _keys(classes: Sequence[CellClass]) -> list[str]:
    return [cell_class.key for cell_class in classes]


def _by_list(
    names: Sequence[str], classes: tuple[CellClass, ...], where: str
) -> tuple[tuple[CellClass, ...], dict[str, int]]:
    from bloodapp.data.exporting.names import class_folders

    # Listed under its key, its title, or the folder that an export makes of its key.
    known: dict[str, int] = {}
    for spelling in (class_folders(classes), [one.title for one in classes], _keys(classes)):
        known |= {text.lower(): position for position, text in enumerate(spelling)}
    positions = {}
    for name in names:
        spellings = (name.lower(), _bare(name).lower(), default_key(_bare(name)))
        found = next((known[text] for text in spellings if text in known), _plain_number(name))
        if found is None or found >= len(classes):
            raise SourceError(
                f"'{printable(name)}' in {where} is none of the classes that are listed there "
                f"({', '.join(_keys(classes)[:12])}): name it so, or add it to the list."
            )
        positions[name] = found
    return classes, positions


def _bare(name: str) -> str:
    """`3_ig` or `3 - ig` without the number before it."""
    return _LED_BY_NUMBER.sub("", name.strip(), count=1)


def _plain_number(name: str) -> int | None:
    return int(name) if re.fullmatch(r"[0-9]{1,4}", name.strip()) else None


def _class_number(name: str) -> int | None:
    found = _NUMBERED.fullmatch(name.strip())
    return int(found.group(1)) if found else None
