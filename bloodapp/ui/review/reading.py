"""What the last scan found, read once for all views and remembered until it changes."""

from functools import lru_cache

import pandas as pd

from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.review.browse import Found, found_of
from bloodapp.review.laid import Laid
from bloodapp.review.queue import Card
from bloodapp.review.scan import read_findings
from bloodapp.review.thresholds import above, thresholds
from bloodapp.ui.standing import findings_stamp, identity, judged


def findings(dataset: Dataset) -> pd.DataFrame | None:
    """All findings of a dataset, None before its first scan; raises Unreadable when they are damaged."""
    return _findings(dataset.name, identity(dataset), findings_stamp(dataset))


def counting(dataset: Dataset) -> pd.DataFrame | None:
    """The findings that reach their thresholds, None before the first scan; raises as `findings`."""
    return _counting(dataset.name, identity(dataset), findings_stamp(dataset))


def found(dataset: Dataset) -> Found:
    """What counts about each image; nothing before the first scan."""
    return _found(dataset.name, identity(dataset), findings_stamp(dataset))


def queue(dataset: Dataset) -> list[Card]:
    """All cards, as they are decided now."""
    laid = _laid(dataset.name, identity(dataset), findings_stamp(dataset))
    return [] if laid is None else laid.now(judged(dataset))


def still_open(dataset: Dataset) -> int:
    """How many of them are open."""
    laid = _laid(dataset.name, identity(dataset), findings_stamp(dataset))
    return 0 if laid is None else laid.open(judged(dataset))


@lru_cache(maxsize=8)
def _findings(name: str, identity: str, stamp: int) -> pd.DataFrame | None:
    del identity  # part of the key only: a name can be imported anew
    return read_findings(open_dataset(name)) if stamp else None


@lru_cache(maxsize=8)
def _counting(name: str, identity: str, stamp: int) -> pd.DataFrame | None:
    table = _findings(name, identity, stamp)
    return None if table is None else above(table, thresholds(open_dataset(name)))


@lru_cache(maxsize=4)
def _found(name: str, identity: str, stamp: int) -> Found:
    return found_of(_counting(name, identity, stamp), len(open_dataset(name)))


@lru_cache(maxsize=4)
def _laid(name: str, identity: str, stamp: int) -> Laid | None:
    table = _counting(name, identity, stamp)
    return None if table is None else Laid(table, judged(open_dataset(name)))
