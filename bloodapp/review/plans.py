"""What a keeper rule would do to many groups of copies at once, before it does it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bloodapp.data.decisions import Judged
from bloodapp.review.keepers import RULES, Rule, keeper

Ints = NDArray[np.int64]

KINDS_OF_GROUPS = ("exact_duplicate", "near_duplicate", "label_conflict", "leakage")
"""The kinds of findings that are about groups."""


@dataclass(frozen=True, eq=False)
class Plan:
    """What a rule would do.

    Attributes:
        rule: one of `RULES`.
        kept: int64 (K,) the images that stay of the groups that are decided, ascending.
        excluded: int64 (E,) those that go, ascending.
        groups: how many groups are decided.
        emptied: of how many of these nothing stays.
        open: how many groups stay open, because no label has a majority.
        aside: how many are put aside: one of their images is flagged.
        settled: how many are decided already: at most one image is left of them, or somebody decided about each.
    """

    rule: Rule
    kept: Ints
    excluded: Ints
    groups: int
    emptied: int
    open: int
    aside: int
    settled: int

    @property
    def words(self) -> str:
        """What would happen, in one or two sentences without a full stop at the end."""
        images = len(self.kept) + len(self.excluded)
        said = []
        if self.groups:
            did = f"Keeps {len(self.kept):,}, excludes {len(self.excluded):,}"
            said.append(f"{did} of {_count(images, 'image')} in {_count(self.groups, 'group')}")
            if self.emptied and len(self.kept):
                said.append(f"of {_count(self.emptied, 'group')} nothing is kept")
        else:
            said.append("There is nothing to decide")
        if self.open:
            said.append(
                f"{_count(self.open, 'group')} {'has' if self.open == 1 else 'have'} no majority "
                f"and {'stays' if self.open == 1 else 'stay'} open"
            )
        if self.aside:
            said.append(
                f"{_count(self.aside, 'group')} put aside {'stays' if self.aside == 1 else 'stay'} so"
            )
        if self.settled:
            said.append(
                f"{_count(self.settled, 'group')} {'is' if self.settled == 1 else 'are'} decided already"
            )
        return "; ".join(said)


def plan(
    rule: Rule,
    groups: Iterable[Ints],
    judged: Judged,
    *,
    faulty: Ints,
    sharpness: Callable[[Ints], NDArray[np.float64]],
    pixels: NDArray[np.int64],
) -> Plan:
    """What a rule would do to groups; images that are excluded already take no part.

    A majority that is none decides nothing; what is advised may be to keep nothing. An image that one group keeps
    and another excludes goes.

    Args:
        rule: one of `RULES`.
        groups: int64 (M,) the images of each, ascending.
        judged: what was decided.
        faulty: images with a fault of their own, ascending; counts for what is advised.
        sharpness: gives that of images (M,); asked by the rule `sharpest` alone.
        pixels: (N,) how many the original of each image had; counts for the rule `largest`.
    """
    if rule not in RULES:
        raise ValueError(f"no keeper rule: {rule}")
    kept: set[int] = set()
    out: set[int] = set()
    numbers = dict.fromkeys(("groups", "emptied", "open", "aside", "settled"), 0)
    for indices in groups:
        left = indices[judged.included[indices]]
        if judged.flagged[left].any():
            numbers["aside"] += 1
        elif len(left) < 2 or judged.decided[left].all():
            numbers["settled"] += 1
        else:
            labels = judged.labels[left]
            if rule == "advised" and len(np.unique(labels[labels >= 0])) < 2:
                labels = np.full_like(labels, -1)  # of mere copies any one will do
            one = keeper(
                rule,
                left,
                labels,
                sharpness(left) if rule == "sharpest" else None,
                np.isin(left, faulty),
                pixels[left],
            )
            if one is None and rule == "majority":
                numbers["open"] += 1
                continue
            numbers["groups"] += 1
            numbers["emptied"] += one is None
            kept |= set() if one is None else {one}
            out |= set(left.tolist()) - {one}
    return Plan(rule, np.array(sorted(kept - out), np.int64), np.array(sorted(out), np.int64), **numbers)


def groups_of(findings: pd.DataFrame, kind: str) -> list[Ints]:
    """The images of each group of a kind, ascending; groups in the order of their first image."""
    mine = findings[(findings["kind"] == kind) & (findings["group"] >= 0)]
    found = [np.unique(one["index"].to_numpy(np.int64)) for _, one in mine.groupby("group", sort=True)]
    return sorted(found, key=lambda indices: int(indices[0]))


def faulty_of(findings: pd.DataFrame) -> Ints:
    """The images with a fault of their own, whatever they are copies of, ascending."""
    own = ~findings["kind"].isin([*KINDS_OF_GROUPS, "mislabelled"])
    return np.unique(findings.loc[own, "index"].to_numpy(np.int64))


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
