"""The table of findings: one row for an image and a kind of fault, its vocabulary and its file."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from bloodapp.errors import Unreadable
from bloodapp.workspace import FORMAT, now, replacing

FILE = "findings.parquet"
COLUMNS = {
    "index": "int64",
    "kind": "object",
    "group": "int64",
    "score": "float64",
    "suggested": "int16",
    "reason": "object",
}
_META = b"bloodapp"


@dataclass(frozen=True)
class Kind:
    """A kind of fault.

    Attributes:
        title: what people read on a chip.
        means: one sentence on what it is and why it harms.
        trust: the share of findings of this kind that are worth acting on, a rough prior; it orders the queue.
    """

    title: str
    means: str
    trust: float


KINDS: dict[str, Kind] = {
    "exact_duplicate": Kind(
        "Exact duplicates",
        "The same pixels more than once: they count several times, and may sit in training and test at once.",
        0.95,
    ),
    "near_duplicate": Kind(
        "Near duplicates",
        "Nearly the same picture: re-saved, brightened, shifted or cropped a little.",
        0.8,
    ),
    "label_conflict": Kind(
        "Conflicting labels",
        "The same picture under different labels: at least one of them is wrong.",
        1.0,
    ),
    "leakage": Kind(
        "Leakage",
        "The same picture in training and in test: the test looks better than it is.",
        0.95,
    ),
    "foreign": Kind("No blood cell", "A picture of something else.", 0.9),
    "outlier": Kind("Outliers", "A picture unlike all others.", 0.5),
    "blend": Kind("Blends", "Two pictures laid over one another.", 0.7),
    "blurred": Kind("Blurred", "Out of focus or moved: the structure of the nucleus is lost.", 0.7),
    "dark": Kind("Too dark", "Much darker than the other images.", 0.7),
    "bright": Kind("Too bright", "Much brighter than the other images, or washed out.", 0.7),
    "low_information": Kind(
        "Little information",
        "Nearly one colour: an empty field, or a picture with hardly any detail.",
        0.7,
    ),
    "colour_cast": Kind("Colour cast", "A colour unlike that of the other images.", 0.5),
    "grey": Kind("No colour", "A grey picture among coloured ones.", 0.7),
    "odd_size": Kind("Odd size", "The original had another size or shape than the others.", 0.3),
    "mislabelled": Kind("Doubtful labels", "The cell looks like one of another class.", 0.6),
}


def finding_table(
    kind: str,
    index: Any,
    score: Any,
    reason: Any,
    *,
    group: Any = -1,
    suggested: Any = -1,
) -> pd.DataFrame:
    """Findings of one kind as a table with the columns of `COLUMNS`.

    Args:
        kind: a key of `KINDS`.
        index: positions of the images, (M,).
        score: 0 to 1, higher is worse, (M,) or one for all.
        reason: plain words, (M,) or one for all.
        group: id of what belongs together (M,): the position of the group's first image; -1 = alone.
        suggested: the label that is probably right, (M,), -1 = none.
    """
    index = np.asarray(index, np.int64)
    given = {
        "index": index,
        "kind": kind,
        "group": group,
        "score": score,
        "suggested": suggested,
        "reason": reason,
    }
    table = pd.DataFrame(
        {
            name: np.broadcast_to(np.asarray(given[name], dtype), index.shape)
            for name, dtype in COLUMNS.items()
        }
    )
    table["score"] = table["score"].clip(0, 1).round(4)
    return table.astype(COLUMNS)


def combined(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """All findings in one table, most urgent first; ties by position and kind, so that the order is always the same."""
    table = pd.concat([finding_table("exact_duplicate", [], [], []), *tables], ignore_index=True)
    table = table.sort_values(["score", "index", "kind"], ascending=[False, True, True], kind="stable")
    return table.drop_duplicates(["index", "kind"]).reset_index(drop=True)


def write_findings(folder: Path, table: pd.DataFrame, *, fingerprint: str, **how: object) -> None:
    """Replace a dataset's findings atomically; the file says of which images it speaks, when it was made and how."""
    about = {"format": FORMAT, "fingerprint": fingerprint, "scanned": now(), **how}
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    arrow = arrow.replace_schema_metadata(
        {**(arrow.schema.metadata or {}), _META: json.dumps(about).encode()}
    )
    with replacing(folder / FILE) as temporary:
        pq.write_table(arrow, temporary, compression="zstd")


def load_findings(folder: Path, *, fingerprint: str) -> pd.DataFrame | None:
    """A dataset's findings, or None without a scan, or with one of other images than these.

    The table's `attrs` hold `fingerprint`, `scanned` (UTC) and how it was made. Raises Unreadable for a damaged file.
    """
    path = folder / FILE
    try:
        arrow = pq.read_table(path)
        about = json.loads((arrow.schema.metadata or {})[_META])
        table = arrow.to_pandas()[list(COLUMNS)].astype(COLUMNS)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        raise Unreadable(f"The findings of '{folder.name}' cannot be read: scan it again.") from error
    if about["fingerprint"] != fingerprint:
        return None
    table.attrs.update({name: value for name, value in about.items() if name != "format"})
    return table
