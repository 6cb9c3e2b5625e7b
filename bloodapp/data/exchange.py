"""Decisions as a CSV that another copy of the images can replay.

An image is found again by the sha256 of its pixels, its given label and the how-manieth of these it is:
so decisions survive a new import in another order, and do not depend on row numbers.
"""

import csv
import io
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import BinaryIO

from bloodapp.data import decisions
from bloodapp.data.dataset import Dataset
from bloodapp.errors import SourceError
from bloodapp.workspace import replacing

COLUMNS = (
    "sha256",
    "given",
    "occurrence",
    "seq",
    "batch",
    "action",
    "label",
    "cancels",
    "why",
    "who",
    "when",
)


def export_log(dataset: Dataset, path: Path, seqs: Collection[int] | None = None) -> int:
    """Write all events, undone ones too, or only some as CSV, oldest first; gives how many. Replaces the file whole."""
    identities = _identities(dataset)
    keys = _keys(dataset)
    events = decisions.log(dataset).iloc[::-1].to_dict("records")
    if seqs is not None:
        events = [event for event in events if event["seq"] in seqs]
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for event in events:
            event["label"] = keys[event["label"]]
            event["cancels"] = "" if event["cancels"] < 0 else event["cancels"]
            writer.writerow((*identities[event["index"]], *(event[column] for column in COLUMNS[3:])))
    return len(events)


def replay_log(dataset: Dataset, source: Path | BinaryIO, *, dry: bool = False) -> dict[str, int]:
    """Append the events of an exported log to a dataset's own, as they were: who, when and undone included.

    `source` is the file or what was uploaded of it; `dry` changes nothing and only counts.
    Gives counts: `events` in the file, `replayed`, `present` (were here already, so a second replay
    changes nothing), `missing` (about images or classes that this dataset lacks), and how many images are
    `changed` by it, and of these `overruled`, decided otherwise here.
    Raises SourceError if the file is not such a log.
    """
    name, rows = _rows(source)
    index_of = {identity: index for index, identity in enumerate(_identities(dataset))}
    label_of = {key: label for label, key in _keys(dataset).items()}
    try:
        return decisions.append_events(
            dataset,
            [
                decisions.Event(
                    seq=int(row["seq"]),
                    batch=int(row["batch"]),
                    index=index_of.get((row["sha256"], row["given"], int(row["occurrence"]))),
                    action=row["action"],
                    label=label_of.get(row["label"]),
                    cancels=int(row["cancels"]) if row["cancels"] else None,
                    why=row["why"],
                    who=row["who"],
                    when=row["when"],
                )
                for row in rows
            ],
            dry=dry,
        )
    except (ValueError, TypeError) as error:
        raise SourceError(f"'{name}' is no exported log of decisions: {error}.") from error


def logs_before(dataset: Dataset) -> list[Path]:
    """The logs about images that a dataset's own have replaced, oldest first."""
    return sorted(dataset.path.glob("decisions-before-*.csv"))


def _rows(source: Path | BinaryIO) -> tuple[str, list[dict[str, str]]]:
    """How to call the source, and its rows."""
    name = str(source if isinstance(source, Path) else getattr(source, "name", "this file"))
    try:
        content = source.read_bytes() if isinstance(source, Path) else source.read()
        reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
        if missing := [column for column in COLUMNS if column not in (reader.fieldnames or ())]:
            raise SourceError(f"'{name}' is no exported log of decisions: it has no column '{missing[0]}'.")
        return name, list(reader)
    except FileNotFoundError as error:
        raise SourceError(f"Can't find '{name}': give the CSV of an exported log of decisions.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise SourceError(f"'{name}' is no exported log of decisions: it is no CSV text.") from error
    except OSError as error:
        raise SourceError(f"'{name}' cannot be read: {error.strerror or error}.") from error


def _keys(dataset: Dataset) -> dict[int, str]:
    """Class keys by label, "" for none: they mean the same in another class order."""
    return {-1: ""} | {label: cell_class.key for label, cell_class in enumerate(dataset.classes)}


def _identities(dataset: Dataset) -> list[tuple[str, str, int]]:
    """For each image its sha256, its given class key and how many of these came before it."""
    keys = _keys(dataset)
    seen: Counter[tuple[str, str]] = Counter()
    identities = []
    for sha256, label in zip(dataset.items["sha256"], dataset.labels.tolist(), strict=True):
        same = (sha256, keys[label])
        identities.append((*same, seen[same]))
        seen[same] += 1
    return identities
