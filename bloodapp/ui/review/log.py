"""The log of decisions as the Review page shows it: read once a decision, with names and times for people."""

from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from html import escape
from zlib import crc32
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.data.decisions import Judged, log
from bloodapp.review import history
from bloodapp.ui.standing import identity

_HUES = (258, 18, 160, 205, 330, 45, 95)


def events(dataset: Dataset, judged: Judged) -> pd.DataFrame:
    """All events, newest first, as `decisions.log` gives them."""
    return _read(dataset.name, identity(dataset), judged.seq)[0]


def entries(dataset: Dataset, judged: Judged) -> pd.DataFrame:
    """All decisions, one row a click, newest first, as `review.history` gives them."""
    return _read(dataset.name, identity(dataset), judged.seq)[1]


def deciders(dataset: Dataset, judged: Judged) -> dict[int, history.Last]:
    """Who decided last about each image that was decided about, by index."""
    return _deciders(dataset.name, identity(dataset), judged.seq)


def zone() -> tzinfo:
    """The time zone of the browser, UTC where it does not say."""
    try:
        return ZoneInfo(str(st.context.timezone))
    except (KeyError, ValueError, OSError):  # unknown here, or a name that is none
        return UTC


def local(moment: str, there: tzinfo) -> datetime:
    """A moment of the log as people at some place read their clock."""
    try:
        return datetime.fromisoformat(moment.replace("Z", "+00:00")).astimezone(there)
    except ValueError:  # an imported log may say anything
        return datetime.min.replace(tzinfo=UTC)


def day(one: date, today: date) -> str:
    """A day as people say it: `Today`, `Yesterday`, `Friday 20 November`, with the year where it is another."""
    if one == today:
        return "Today"
    if one == today - timedelta(days=1):
        return "Yesterday"
    if one == date.min:
        return "At an unknown time"
    return f"{one:%A} {one.day} {one:%B}" + (f" {one.year}" if one.year != today.year else "")


def person(name: str) -> str:
    """A reviewer as a small round sign with initials and the name beside it, as HTML; the same colour every time."""
    words = name.split()
    initials = (words[0][:1] + words[-1][:1] if len(words) > 1 else name[:2]).upper() or "?"
    hue = _HUES[crc32(name.encode()) % len(_HUES)]
    shown = escape(name or "nobody")
    return (
        f'<span class="person" title="{escape(name, quote=True)}">'
        f'<i style="--hue:{hue}">{escape(initials)}</i><b>{shown}</b></span>'
    )


@lru_cache(maxsize=4)
def _read(name: str, identity: str, seq: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    del identity, seq  # parts of the key only
    found = log(open_dataset(name))
    return found, history.entries(found)


@lru_cache(maxsize=4)
def _deciders(name: str, identity: str, seq: int) -> dict[int, history.Last]:
    return history.last_about(_read(name, identity, seq)[0])
