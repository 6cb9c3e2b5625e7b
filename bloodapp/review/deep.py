"""The deep part of a scan: what a run's network sees, as findings."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bloodapp.data.dataset import Dataset
from bloodapp.review.features import Features
from bloodapp.review.findings import finding_table
from bloodapp.review.labels import mislabelled
from bloodapp.review.measures import Floats
from bloodapp.review.reading import Found, Reading
from bloodapp.review.resemblance import Resemblance, compare
from bloodapp.review.robust import scored
from bloodapp.review.spoilt import WAYS, spoilt
from bloodapp.review.thresholds import FLOOR
from bloodapp.runs.run import Run

SEED = 0
_MADE = 240  # pictures spoilt in each way, and
_MORE = {"blended": 500, "in its colours": 400}  # of what is hardest to tell
_SOURCES = 800  # pictures that the spoilt ones are made from
_FEWEST = 60  # distinct pictures; among fewer nothing is unusual

# In robust standard deviations of the log distance from everything known. Of 1,400 real cells, plain or spoilt, one in
# fifty is beyond 2, torn or crowded ones most of them, and one in five hundred beyond 3; of photographs, drawings and
# textures nearly all are. Those that also look like the foreign pictures made for learning are taken for such a little
# earlier.
_ODD = 2.5
_STRANGE = 2.9
_LIKE_MADE = 2.4

_QUALITY = ("blend", "blurred", "dark", "bright", "low_information", "colour_cast", "grey", "outlier")

_REASONS = {
    "blend": "Looks like two pictures laid over one another",
    "blurred": "Looks out of focus or moved",
    "dark": "Looks too dark",
    "bright": "Looks too bright",
    "outlier": "Unlike all other images, as torn, crowded or wrongly cut ones are",
    "foreign": "Unlike any cell of this dataset, sharp or spoilt",
}


def enough(found: Found) -> bool:
    """Whether there are pictures enough to say what is usual among them."""
    return len(np.unique(found.group)) >= _FEWEST


def deepened(reading: Reading, run: Run, found: Found) -> Found:
    """The findings of a fast scan, with what the features of a run's network add and what they put right."""
    dataset = reading.dataset
    firsts = np.unique(found.group)
    reading.next_pass()
    reading.tell(0, "Loading the network")
    features = Features(run)
    own = features.of_dataset(
        dataset, lambda done, total: reading.tell(done, "Looking with a network"), reading.check
    )
    made = _made(dataset, features, firsts, reading)
    reading.tell(len(dataset), "Comparing with spoilt pictures")
    seen = compare(own, made, found.group, seed=SEED)
    reading.check()
    return Found(_settled(found.tables, seen, own, found.group, dataset), found.group)


def _made(
    dataset: Dataset, features: Features, firsts: NDArray[np.int64], reading: Reading
) -> dict[str, Floats]:
    """The features of pictures spoilt on purpose, way by way."""
    rng = np.random.default_rng(SEED)
    sources = dataset.images[np.sort(rng.permutation(firsts)[:_SOURCES])]
    made = {}
    for way in WAYS:
        reading.check()
        reading.tell(len(dataset), "Spoiling pictures on purpose, to know what that looks like")
        made[way] = features.of(spoilt(way, sources, _MORE.get(way, _MADE), rng))
    return made


def _settled(
    tables: list[pd.DataFrame], seen: Resemblance, own: Floats, group: NDArray[np.int64], dataset: Dataset
) -> list[pd.DataFrame]:
    """The tables of the fast scan and those of the deep one, each fault under its own kind.

    A foreign picture is neither dark nor blurred nor mislabelled: what it is goes first. Of a spoilt cell nobody
    can tell from afar whether its label is right. Where a single measure and the network both speak of a fault, the
    surer one counts.
    """
    by_rule = {kind: _scores(tables, kind, len(group)) for kind in (*seen.kinds, "outlier")}
    foreign = _foreign(seen)
    kept = []
    for table in tables:
        kind = table["kind"].iloc[0] if len(table) else ""
        if kind in _QUALITY:
            table = table[foreign[table["index"]] < 0.5]
        kept.append(table)
    by_network = {kind: seen.of(kind) for kind in seen.kinds} | {"outlier": _far(seen.strangeness / _ODD)}
    for kind, rule in by_rule.items():
        score = by_network[kind] * (foreign < 0.5)
        kept.append(_new(kind, np.where(score > rule, score, 0)))
    kept.append(_new("foreign", foreign))
    spoiled = np.maximum.reduce([np.maximum(by_rule[kind], by_network[kind]) for kind in seen.kinds])
    cells = (foreign < 0.5) & (spoiled < 0.5)
    titles = [one.title for one in dataset.classes]
    kept.append(mislabelled(own, dataset.labels, group, cells, titles, seed=SEED))
    return kept


def _foreign(seen: Resemblance) -> NDArray[np.float64]:
    """How surely each picture shows no cell of this dataset."""
    limit = _STRANGE + (_LIKE_MADE - _STRANGE) * seen.foreign
    return _far(seen.strangeness / limit)


def _far(beyond: NDArray[np.float64]) -> NDArray[np.float64]:
    """0.5 at the limit, towards 1 beyond it, and soon nothing below."""
    return np.asarray(scored(np.maximum(beyond, 0) ** 2), np.float64)


def _scores(tables: list[pd.DataFrame], kind: str, count: int) -> NDArray[np.float64]:
    """The scores (N,) that the fast scan gave for a kind, 0 where it found nothing."""
    scores = np.zeros(count)
    for table in tables:
        of_kind = table[table["kind"] == kind]
        scores[of_kind["index"]] = of_kind["score"]
    return scores


def _new(kind: str, score: NDArray[np.float64]) -> pd.DataFrame:
    index = np.flatnonzero(score >= FLOOR)
    return finding_table(kind, index, score[index], _REASONS[kind])
