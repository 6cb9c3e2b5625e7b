"""A CSV or Parquet file that lists pictures: their paths, from its own folder on, and their labels.

Needed is a column of paths; labels and parts are taken where there are such columns. Paths stay inside the
table's folder, as those of an archive do.
"""

import csv
import os
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from bloodapp.classes import DEFAULT_CLASSES
from bloodapp.data.archives import refuse_empty
from bloodapp.data.folders import PART_NAMES, list_beside, read_file, record_of
from bloodapp.data.naming import LISTS, classes_of
from bloodapp.data.records import Reader, Record, Source, printable
from bloodapp.errors import SourceError

SUFFIXES = frozenset({".csv", ".tsv", ".parquet"})
EXPORTED = "labels.csv"  # in a folder of pictures: it says more than the folders' names
COLUMNS = {
    "path": ("path", "file", "filename", "file_name", "filepath", "image", "image_path", "name"),
    "label": ("label", "class", "class_name", "target", "category", "y"),
    "part": ("part", "split", "set", "subset", "fold"),
    "name": ("name",),
}
"""What the columns may be called, in any case, the first that is there; `name` is the image's own beside its path."""
_MOST_ROWS = 2_000_000
_MOST_BYTES = 256 << 20
_LONGEST = 4096  # letters of a path
_ENDLESS = "{where} is too large for a list of pictures: list fewer at a time."

Row = tuple[str, str, str, str]


def open_table(path: Path, labelled: bool) -> Source:
    """The pictures that a table lists, in its order; without `labelled` rows may lack a label."""
    where = f"'{printable(path.name)}'"
    refuse_empty(path)
    rows = _parquet(path, where) if path.suffix.lower() == ".parquet" else _csv(path, where)
    if not rows:
        raise SourceError(f"{where} lists no pictures: give it one row a picture.")
    root = path.resolve().parent
    for number, (name, label, part, own) in enumerate(rows, start=1):
        if max(len(name), len(label), len(own)) > _LONGEST:
            raise SourceError(
                f"Row {number} of {where} holds a text too long for a path or a label: mend it."
            )
        if _leads_out(name):
            raise SourceError(
                f"Row {number} of {where} names '{printable(name)}', which leads out of the table's folder: "
                "put the table beside the pictures and give their paths from there."
            )
        if part and part.lower() not in PART_NAMES:
            raise SourceError(
                f"Row {number} of {where} has the part '{printable(part)}': call it train, val or test."
            )
    labels = sorted({label for _, label, _, _ in rows if label})
    if labelled and not labels:
        raise SourceError(
            f"{where} gives no labels: add a column 'label', or import it with --unlabelled to label here."
        )
    lists = [file for file in LISTS if (root / file).is_file()]
    listed = list_beside([""], lists, lambda file: read_file(root / file, file), where)
    classes, positions = (
        classes_of(labels, listed, where, count_from_0=True) if labels or listed else (DEFAULT_CLASSES, {})
    )

    def one(name: str, label: str, part: str, own: str) -> Record:
        position = positions[label] if label else -1
        shown, given = printable(name), PART_NAMES[part.lower()] if part else ""
        if labelled and not label:
            return Record.failed(shown, "It has no label.", position, given)
        record = record_of(shown, position, given, partial(_inside, root, name))
        return replace(record, name=printable(own)) if own and record.image is not None else record

    def readers() -> Iterator[Reader]:
        for row in rows:
            yield partial(one, *row)

    return Source(
        "table",
        printable(path.stem),
        printable(str(path.resolve())),
        classes,
        len(rows),
        (reader() for reader in readers()),
        readers=readers(),
    )


def _inside(root: Path, name: str) -> bytes:
    """The bytes of a listed picture; raises SourceError where a link leads out of the table's folder."""
    file = (root / name).resolve()
    if not file.is_relative_to(root):
        raise SourceError(
            f"'{printable(name)}' is a link that leads out of the folder: copy the file itself to its place."
        )
    return read_file(file, printable(name))


def _leads_out(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return os.path.isabs(name) or not parts[0] or ":" in parts[0] or ".." in parts or "\0" in name


def _columns(header: list[str], where: str) -> dict[str, int]:
    """Where the path, the label and the part stand; raises SourceError without a path."""
    lower = [name.strip().lower() for name in header]
    found = {}
    for what, names in COLUMNS.items():
        places = [lower.index(name) for name in names if name in lower]
        if places:
            found[what] = places[0]
    if found.get("name") == found.get("path"):
        found.pop("name", None)
    if "path" not in found:
        shown = ", ".join(f"'{printable(name[:40])}'" for name in header[:12]) or "none"
        raise SourceError(
            f"{where} has no column 'path': its columns are {shown}; call the one with the pictures' paths so."
        )
    return found


def _row(path: object, label: object = None, part: object = None, name: object = None) -> Row:
    return _text(path).replace("\\", "/"), _text(label), _text(part), _text(name)


def _text(value: object) -> str:
    """A cell as text: whole numbers that a program has stored as fractions are whole again."""
    if value is None or value != value:
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()


def _csv(path: Path, where: str) -> list[Row]:
    if path.stat().st_size > _MOST_BYTES:
        raise SourceError(_ENDLESS.format(where=where))
    rows: list[Row] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            first = stream.readline()
            stream.seek(0)
            reader = csv.reader(stream, delimiter=max(",;\t", key=first.count))
            places = _columns(next(reader, []), where)
            for number, cells in enumerate(reader, start=1):
                if not any(cells):
                    continue
                row = _row(*(_cell(cells, places.get(what)) for what in COLUMNS))
                if not row[0]:
                    raise SourceError(
                        f"Row {number} of {where} names no picture: fill it in or remove the row."
                    )
                rows.append(row)
                if len(rows) > _MOST_ROWS:
                    raise SourceError(_ENDLESS.format(where=where))
    except PermissionError as error:
        raise SourceError(f"{where} may not be read: give yourself the right to read it.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise SourceError(
            f"{where} is no table in UTF-8, whatever its name says: save it again as CSV."
        ) from error
    return rows


def _cell(cells: list[str], place: int | None) -> str:
    return cells[place] if place is not None and place < len(cells) else ""


def _parquet(path: Path, where: str) -> list[Row]:
    import pyarrow
    import pyarrow.parquet

    rows: list[Row] = []
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            names = file.schema_arrow.names
            places = _columns(names, where)
            chosen = {what: names[place] for what, place in places.items()}
            _refuse_endless(file.metadata, where)
        # Read as dictionaries, a text that stands in a million rows is there once.
        with pyarrow.parquet.ParquetFile(path, read_dictionary=[*chosen.values()]) as file:
            for batch in file.iter_batches(batch_size=4096, columns=[*chosen.values()], use_threads=False):
                none = [None] * batch.num_rows
                columns = [_values(batch.column(chosen[one])) if one in chosen else none for one in COLUMNS]
                for cells in zip(*columns, strict=True):
                    row = _row(*cells)
                    if not row[0]:
                        raise SourceError(
                            f"Row {len(rows) + 1} of {where} names no picture: fill it in or remove the row."
                        )
                    rows.append(row)
    except PermissionError as error:
        raise SourceError(f"{where} may not be read: give yourself the right to read it.") from error
    except (pyarrow.ArrowException, OSError, ValueError, LookupError, TypeError, OverflowError) as error:
        raise SourceError(
            f"{where} is damaged or no Parquet file, whatever its name says: save it again."
        ) from error
    return rows


def _values(column: Any) -> list[object]:
    if not hasattr(column, "dictionary"):
        return list(column.to_pylist())
    texts = column.dictionary.to_pylist()
    return [None if place is None else texts[place] for place in column.indices.to_pylist()]


def _refuse_endless(metadata: Any, where: str) -> None:
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    if metadata.num_rows > _MOST_ROWS or sum(group.total_byte_size for group in groups) > _MOST_BYTES:
        raise SourceError(_ENDLESS.format(where=where))
