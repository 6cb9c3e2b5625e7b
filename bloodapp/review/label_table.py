"""Labels as a CSV that is filled in elsewhere and taken back: index, name, label, proposal, confidence, sha256.

A label is the key of its class, empty for none. What comes back is believed only where index, name and content of an
image fit together, and is taken as a whole or not at all.
"""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd

from bloodapp.classes import default_key
from bloodapp.data import decisions
from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import Judged
from bloodapp.errors import InvalidValue, SourceError
from bloodapp.review.labelling import By, queue
from bloodapp.review.proposals import Proposals

COLUMNS = ("index", "name", "label", "proposal", "confidence", "sha256")
WHY = "labels from a table"


@dataclass(frozen=True)
class Filled:
    """What a table that came back says.

    Attributes:
        labels: the new label of each image that changes, by index.
        same: rows whose label is the one that the image has.
        empty: rows without a label, which change nothing.
        moved: how many images go from one label to another: by (before, after), -1 = none.
    """

    labels: Mapping[int, int]
    same: int
    empty: int
    moved: Mapping[tuple[int, int], int]


def label_table(
    dataset: Dataset,
    judged: Judged,
    proposals: Proposals | None,
    *,
    waiting: bool = False,
    by: By = "margin",
) -> pd.DataFrame:
    """The included images and their labels as text, in the columns COLUMNS.

    With `waiting` only those without a label, in the order of the queue; else all, in the order of the source.
    """
    keys = np.array([one.key for one in dataset.classes] + [""], object)  # -1 is the last
    rows = queue(dataset, judged, proposals, by=by).index if waiting else np.flatnonzero(judged.included)
    proposal, confidence = np.full(len(rows), "", object), np.full(len(rows), "", object)
    if proposals is not None:
        at = proposals.rows(rows)
        known = at >= 0
        proposal[known] = keys[proposals.labels[at[known]]]
        confidence[known] = [f"{value:.4f}" for value in proposals.confidence[at[known]]]
    items = dataset.items.iloc[rows]
    return pd.DataFrame(
        {
            "index": rows,
            "name": items["name"].to_numpy(object),
            "label": keys[judged.labels[rows]],
            "proposal": proposal,
            "confidence": confidence,
            "sha256": items["sha256"].to_numpy(object),
        }
    )


def read_table(dataset: Dataset, judged: Judged, source: Path | BinaryIO) -> Filled:
    """What a table says that was filled in elsewhere; only `index` and `label` need be in it, in any order of rows.

    A label is a class's key, its title or its number from 0. Raises SourceError, in one sentence with the line, for a
    row that does not fit the dataset, and for two rows that give one image different labels.
    """
    name, text = _read(source)
    head = text.partition("\n")[0]
    reader = csv.DictReader(
        io.StringIO(text, newline=""), delimiter=";" if ";" in head and "," not in head else ","
    )
    try:
        missing = [column for column in ("index", "label") if column not in (reader.fieldnames or ())]
        if missing:
            raise SourceError(f"'{name}' has no column '{missing[0]}': take a table as `labels` writes it.")
        return _filled(dataset, judged, reader, name)
    except csv.Error as error:
        # The line that it broke off in is not counted yet.
        raise SourceError(f"'{name}' line {reader.line_num + 1} is no CSV: {error}.") from error


def take(
    dataset: Dataset, filled: Filled, *, why: str = "", who: str | None = None, once: str | None = None
) -> int:
    """Record what a table changes as one batch, and give its number; raises InvalidValue where it changes nothing."""
    if not filled.labels:
        raise InvalidValue("The table changes no label: there is nothing to take.")
    return decisions.relabel(dataset, filled.labels, why=why or WHY, who=who, once=once)


def _filled(dataset: Dataset, judged: Judged, reader: "csv.DictReader[str]", file: str) -> Filled:
    known = _known(dataset)
    names, pixels = dataset.items["name"].to_numpy(object), dataset.items["sha256"].to_numpy(object)
    given: dict[int, tuple[int, int]] = {}
    labels: dict[int, int] = {}
    moved: dict[tuple[int, int], int] = {}
    same = empty = 0
    for row in reader:
        line = reader.line_num

        def wrong(what: str, line: int = line) -> SourceError:
            return SourceError(f"'{file}' line {line}: {what}. Nothing was taken.")

        cells = {
            column: (value or "").strip() for column, value in row.items() if isinstance(value, str | None)
        }
        index = _whole(cells["index"])
        if index is None:
            raise wrong(f"'{cells['index']}' is no index: give the number of an image")
        if index >= len(dataset):
            raise wrong(
                f"image {index} does not exist: '{dataset.name}' has the images 0 to {len(dataset) - 1}"
            )
        for column, here in (("name", str(names[index]).strip()), ("sha256", str(pixels[index]))):
            if cells.get(column) and cells[column] != here:
                raise wrong(
                    f"image {index} has another {column} here ({here[:60]}): the table is of other images, or its "
                    "rows were mixed up"
                )
        text = cells["label"]
        if not text:
            empty += 1
            continue
        label = known.get(text.casefold())
        if label is None:
            raise wrong(f"'{text}' is no class: give one of {', '.join(one.key for one in dataset.classes)}")
        if given.setdefault(index, (label, line))[0] != label:
            raise wrong(f"image {index} has another label in line {given[index][1]}")
        before = int(judged.labels[index])
        if before == label:
            same += 1
        elif index not in labels:
            labels[index] = label
            moved[before, label] = moved.get((before, label), 0) + 1
    return Filled(labels, same, empty, moved)


def _known(dataset: Dataset) -> dict[str, int]:
    """The label that a text means, in lower case: keys before titles before numbers, whatever a class is called."""
    known = {str(label): label for label in range(len(dataset.classes))}
    keys = [one.key for one in dataset.classes]
    for label, one in enumerate(dataset.classes):
        if default_key(one.key) == one.key:
            known[f"{one.key}s"] = known[f"{one.title}s".casefold()] = label
    known |= {one.title.casefold(): label for label, one in enumerate(dataset.classes)}
    return known | {key.casefold(): label for label, key in enumerate(keys)}


def _whole(text: str) -> int | None:
    """A number from 0, also as a spreadsheet writes it (`12.0`); None for anything else."""
    text = text.removesuffix(".0")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 18 else None


def _read(source: Path | BinaryIO) -> tuple[str, str]:
    name = str(source if isinstance(source, Path) else getattr(source, "name", "this file"))
    try:
        content = source.read_bytes() if isinstance(source, Path) else source.read()
        return name, content.decode("utf-8-sig")
    except FileNotFoundError as error:
        raise SourceError(f"Can't find '{name}': give the CSV with the labels.") from error
    except UnicodeDecodeError as error:
        raise SourceError(f"'{name}' is no CSV text: save it as CSV in UTF-8.") from error
    except OSError as error:
        raise SourceError(f"'{name}' cannot be read: {error.strerror or error}.") from error
