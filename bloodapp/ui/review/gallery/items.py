"""What the browser is told about a page of the gallery: facts about each image, and all their pictures as one."""

import io
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import Judged, last_seq
from bloodapp.data.recent import recent
from bloodapp.review.browse import Found, Predicted
from bloodapp.review.findings import KINDS
from bloodapp.ui import media
from bloodapp.ui.review.acts import sentence
from bloodapp.ui.standing import identity
from bloodapp.ui.text import moments_ago

A_PAGE = 120
COLUMNS = 12
_SIDE = 128  # a picture is shown about as large
_QUALITY = 88
_BATCHES = 40


def items(
    dataset: Dataset,
    judged: Judged,
    found: Found,
    predicted: Predicted | None,
    indices: NDArray[np.int64],
) -> list[dict[str, Any]]:
    """One entry an image, in their order; labels and classes are positions in the dataset's list, -1 for none."""
    names = dataset.items["name"].iloc[indices]
    nothing = np.full(len(indices), -1)
    said = nothing if predicted is None else predicted.label[indices]
    sure = nothing if predicted is None else np.floor(100 * predicted.confidence[indices])
    kinds = {KINDS[kind].title: rows[indices] for kind, rows in found.kinds.items() if kind in KINDS}
    table = zip(
        indices.tolist(),
        names.tolist(),
        judged.labels[indices].tolist(),
        dataset.labels[indices].tolist(),
        judged.included[indices].tolist(),
        judged.decided[indices].tolist(),
        judged.flagged[indices].tolist(),
        found.suggested[indices].tolist(),
        said.tolist(),
        sure.astype(int).tolist(),
        strict=True,
    )
    fields = (
        "i",
        "name",
        "label",
        "given",
        "included",
        "decided",
        "flagged",
        "suggested",
        "predicted",
        "sure",
    )
    return [
        {**dict(zip(fields, row, strict=True)), "found": ", ".join(t for t, has in kinds.items() if has[k])}
        for k, row in enumerate(table)
    ]


def sprite(dataset: Dataset, indices: NDArray[np.int64], place: str) -> str:
    """The address of one picture that holds those of these images, row by row, COLUMNS in a row; empty for none."""
    if not len(indices):
        return ""
    content = _sprite(dataset, dataset.fingerprint, tuple(indices.tolist()))
    return media.url(content, "image/jpeg", place)


def history(dataset: Dataset) -> list[dict[str, Any]]:
    """The last batches of decisions, the newest first: what each did, when, and whether it still holds."""
    return [
        {**told, "when": f"{told['who']}{moments_ago(told['when'])}"}
        for told in _history(dataset, identity(dataset), last_seq(dataset))
    ]


@lru_cache(maxsize=4)
def _history(dataset: Dataset, identity: str, seq: int) -> list[dict[str, Any]]:
    del identity, seq  # parts of the key only
    told = []
    for one in recent(dataset, _BATCHES):
        label = one.label if one.label >= 0 else None
        words = sentence(one.action, one.count, label, dataset.classes)
        told.append(
            {
                "batch": one.batch,
                "text": f"{words} ({one.first:,})" if one.count == 1 else words,
                "who": f"{one.who}, " if one.who else "",
                "when": one.when,
                "undone": one.cancelled,
            }
        )
    return told


@lru_cache(maxsize=6)
def _sprite(dataset: Dataset, fingerprint: str, indices: tuple[int, ...]) -> bytes:
    del fingerprint  # part of the key only: a name can be imported anew
    side = min(dataset.size, _SIDE)
    columns = min(COLUMNS, len(indices))
    rows = -(-len(indices) // columns)
    canvas = np.zeros((rows * side, columns * side, 3), np.uint8)
    # Read, not mapped: the pages of a mapped file stay in the server's memory, page of the gallery by page.
    for place, picture in enumerate(dataset.read(np.array(indices))):
        if side != dataset.size:
            picture = np.asarray(Image.fromarray(picture).resize((side, side), Image.Resampling.LANCZOS))
        top, left = side * (place // columns), side * (place % columns)
        canvas[top : top + side, left : left + side] = picture
    buffer = io.BytesIO()
    # Whole blocks of 8 pixels belong to one picture, so no picture bleeds into the next where its side is one of them.
    Image.fromarray(canvas).save(buffer, "JPEG", quality=_QUALITY, subsampling=0)
    return buffer.getvalue()


def shape(count: int) -> dict[str, int]:
    """How the pictures lie in the one that holds them all."""
    columns = max(min(COLUMNS, count), 1)
    return {"columns": columns, "rows": max(-(-count // columns), 1)}
