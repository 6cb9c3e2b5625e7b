"""One picture enlarged: what is known about it, what was found and predicted, and the images most like it."""

from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.data.decisions import Judged
from bloodapp.review import nearest
from bloodapp.review.proposals import Proposals
from bloodapp.ui.standing import identity
from bloodapp.ui.thumbs import data_uri, exact_uri, thumbnail

NEAR = 12
_MOST_BARS = 4
_LEAST = 0.005


def look(
    dataset: Dataset,
    judged: Judged,
    findings: pd.DataFrame | None,
    says: Proposals | None,
    index: int,
    *,
    among: NDArray[np.bool_] | None = None,
) -> dict[str, Any]:
    """What the browser is told about an image; `says` is what a run makes of the dataset.

    With `among`, bool (N,), the images most like it are looked for among those alone.
    """
    at = -1 if says is None else int(says.rows([index])[0])
    row = dataset.items.iloc[index]
    space = _space(dataset.name, identity(dataset), nearest.stamp(dataset))
    near, like = space.around(index, NEAR, among)
    label, given = int(judged.labels[index]), int(dataset.labels[index])
    facts = [
        ("File", str(row["name"])),
        ("Original", f"{row['width']} × {row['height']} pixels, {row['mode']}"),
    ]
    if given != label:
        facts.append(("Given label", dataset.classes[given].title if given >= 0 else "none"))
    if row["part"]:
        facts.append(("Part", str(row["part"])))
    if int(row["parent"]) >= 0:
        facts.append(("Copy of", f"image {int(row['parent']):,}"))
    return {
        "index": index,
        "label": label,
        "src": exact_uri(dataset.images[index]),
        "facts": facts,
        "reasons": _reasons(findings, index),
        "run": says.run if says else "",
        "learned": bool(says.learned[at]) if says and at >= 0 else False,
        "probabilities": _bars(says.probabilities[at]) if says and at >= 0 else [],
        "near_by": f"Most like it, as {space.by} sees them"
        if space.by
        else "Most like it, by colours and shapes",
        "near": [
            {
                "i": int(one),
                "src": data_uri(thumbnail(dataset, int(one))),
                "label": int(judged.labels[one]),
                "like": max(round(100 * float(how)), 0),
            }
            for one, how in zip(near, like, strict=True)
        ],
    }


def _reasons(findings: pd.DataFrame | None, index: int) -> list[str]:
    if findings is None or findings.empty:
        return []
    return [f"{text}." for text in dict.fromkeys(findings.loc[findings["index"] == index, "reason"].tolist())]


def _bars(probabilities: np.ndarray) -> list[tuple[int, float]]:
    order = np.argsort(-probabilities, kind="stable")[:_MOST_BARS]
    return [(int(k), round(100 * float(probabilities[k]), 1)) for k in order if probabilities[k] >= _LEAST]


@lru_cache(maxsize=2)
def _space(name: str, identity: str, stamp: int) -> nearest.Space:
    del identity, stamp  # part of the key only
    return nearest.space(open_dataset(name))
