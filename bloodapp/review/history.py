"""The decisions as a person remembers them: one entry a click, with what became of it since."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bloodapp.classes import CellClass
from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import UNDO, log, one_label

COLUMNS = [
    *("batch", "action", "count", "held", "label", "why", "who", "when"),
    *("undone", "by", "undone_who", "undone_when"),
]
STANDINGS = ("held", "undone")


@dataclass(frozen=True)
class Wanted:
    """Which entries are looked for; what is empty lets all pass.

    Attributes:
        who: whose decisions.
        action: one of the actions.
        text: a part of the reason, the name or the new label, in any case.
        image: the index of an image that was decided about.
        since: not before this moment.
        until: before this moment.
        standing: `held` where something of it holds, `undone` where something does not.
    """

    who: str = ""
    action: str = ""
    text: str = ""
    image: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    standing: str = ""


def history(dataset: Dataset) -> pd.DataFrame:
    """All batches but the undos themselves, newest first.

    Columns: batch, action, count, held (of how many images it holds), label (-1 = none, or not the same for all),
    why, who, when, undone (whether none of it holds any more), by (the batch that last undid of it, undoing which
    restores that; -1 where nothing did), undone_who and undone_when of that batch.
    """
    return entries(log(dataset))


def entries(events: pd.DataFrame) -> pd.DataFrame:
    """The history, from events as `log` gives them."""
    is_undo = events["action"] == UNDO
    undos = events[is_undo & ~events["cancelled"]]
    batch_of = events.set_index("seq")["batch"]
    target = undos["cancels"].map(batch_of)
    last = undos.assign(target=target).sort_values("batch").groupby("target")[["batch", "who", "when"]].last()
    table = (
        events[~is_undo]
        .assign(held=~events.loc[~is_undo, "cancelled"], label=one_label(events[~is_undo]))
        .groupby("batch", sort=False)
        .agg(
            action=("action", "first"),
            count=("index", "size"),
            held=("held", "sum"),
            label=("label", "first"),
            why=("why", "first"),
            who=("who", "first"),
            when=("when", "first"),
        )
    )
    table["undone"] = table["held"] == 0
    table["by"] = last["batch"].reindex(table.index).fillna(-1).astype("int64")
    table["undone_who"] = last["who"].reindex(table.index).fillna("")
    table["undone_when"] = last["when"].reindex(table.index).fillna("")
    return table.reset_index()[COLUMNS]


def matching(
    found: pd.DataFrame, events: pd.DataFrame, wanted: Wanted, classes: Sequence[CellClass] = ()
) -> pd.DataFrame:
    """The entries that are looked for."""
    keep = np.ones(len(found), bool)
    if wanted.who:
        keep &= (found["who"] == wanted.who).to_numpy()
    if wanted.action:
        keep &= (found["action"] == wanted.action).to_numpy()
    if wanted.text:
        titles = {label: one.title for label, one in enumerate(classes)}
        text = wanted.text.casefold()
        said = zip(found["why"], found["who"], found["label"].tolist(), strict=True)
        keep &= np.array(
            [text in f"{why}\n{who}\n{titles.get(label, '')}".casefold() for why, who, label in said], bool
        )
    if wanted.image is not None:
        keep &= found["batch"].isin(events.loc[events["index"] == wanted.image, "batch"]).to_numpy()
    if wanted.since or wanted.until:
        when = pd.to_datetime(found["when"], utc=True, errors="coerce", format="ISO8601")
        if wanted.since:
            keep &= (when >= wanted.since).to_numpy()
        if wanted.until:
            keep &= (when < wanted.until).to_numpy()
    if wanted.standing:
        left = found["held"] if wanted.standing == "held" else found["count"] - found["held"]
        keep &= (left > 0).to_numpy()
    return found[keep]


def standings(found: pd.DataFrame, events: pd.DataFrame, wanted: Wanted) -> dict[str, int]:
    """How many entries there would be of each standing, `` for any."""
    return {one: len(matching(found, events, replace(wanted, standing=one))) for one in ("", *STANDINGS)}


def roots(events: pd.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each event the number of the decision that it is about in the end, and how many undos lie between.

    A decision is about itself at depth 0, its undo at depth 1, the undo of that, which does it again, at depth 2.
    """
    seqs = events["seq"].to_numpy()
    root = np.arange(int(seqs.max(initial=0)) + 1)
    depth = np.zeros_like(root)
    is_undo = (events["action"] == UNDO).to_numpy()
    pairs = zip(seqs[is_undo].tolist(), events["cancels"].to_numpy()[is_undo].tolist(), strict=True)
    for seq, cancels in sorted(pairs):  # what is undone is older, so its root is known
        root[seq], depth[seq] = root[cancels], depth[cancels] + 1
    return root[seqs], depth[seqs]


def events_of(dataset: Dataset, events: pd.DataFrame, batch: int) -> pd.DataFrame:
    """The single decisions of a batch, oldest first: seq, index, before, after, cancelled.

    `before` and `after` are the labels that hold right before and right after it, as if nothing had been undone since
    of this batch: a relabel that was undone still says what it was.
    """
    chosen = events[(events["batch"] == batch) & (events["action"] != UNDO)].sort_values("seq")
    relabels = events[
        (events["action"] == "relabel")
        & ~events["cancelled"]
        & (events["batch"] < batch)
        & events["index"].isin(chosen["index"])
    ]
    earlier = relabels.sort_values("seq").groupby("index")["label"].last()
    index = chosen["index"].to_numpy()
    given = np.asarray(dataset.labels, np.int64)[index]
    before = earlier.reindex(index).to_numpy(float)
    before = np.where(np.isnan(before), given, before).astype(np.int64)
    after = np.where(chosen["action"] == "relabel", chosen["label"], before)
    return chosen[["seq", "index", "cancelled"]].assign(before=before, after=after)


def trail(events: pd.DataFrame, batch: int) -> pd.DataFrame:
    """What became of a batch, oldest first: who, when, why, count, again (whether it was undone or done again)."""
    seqs = events.loc[(events["batch"] == batch) & (events["action"] != UNDO), "seq"]
    root, depth = roots(events)
    about = events.assign(again=depth % 2 == 0)[np.isin(root, seqs) & (depth > 0)]
    table = about.groupby("batch").agg(
        who=("who", "first"),
        when=("when", "first"),
        why=("why", "first"),
        count=("index", "size"),
        again=("again", "first"),
    )
    return table.reset_index()


@dataclass(frozen=True)
class Last:
    """The last decision that holds about an image.

    Attributes:
        action: one of the actions.
        who: whose decision it was.
        when: UTC ISO-8601.
    """

    action: str
    who: str
    when: str


def last_about(events: pd.DataFrame) -> dict[int, Last]:
    """Who decided last about each image, by index; undone decisions do not count."""
    held = (
        events[~events["cancelled"] & (events["action"] != UNDO)].sort_values("seq").groupby("index").tail(1)
    )
    columns = (held[name].tolist() for name in ("index", "action", "who", "when"))
    return {index: Last(*last) for index, *last in zip(*columns, strict=True)}
