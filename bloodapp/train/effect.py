"""Did the decisions help? A pair of trainings, before and after them, that can be compared honestly.

*Before* learns from the dataset as it was given: every labelled image, excluded or not, under its given
label. *After* learns from what the decisions leave, under the labels they made. Recipe and seed are the same.

Both are judged on the same images that neither has seen, under the decided labels: a model trained on
clean data would look worse on dirty test images, and one trained on dirt better, and the question is how
well each names real cells. So there is one split for both, over all labelled images:

* It is stratified by the decided label; images that no longer take part are strata of their own, so that
  the training part holds its share of them, as it would if nobody had cleaned.
* Copies and near-copies go to one part as a group, those that are excluded too. Where the dataset's own
  parts tear a group, its members outside the judged part are left out of both trainings.
* `val` and `test` hold only what the decisions leave. Excluded images that fall there are used by neither.

`val` chooses the best epoch of both. A person who had not cleaned would choose it on dirty images; the clean
ones can only help *before*, so the change that is shown is that of the training images alone, rather too
small than too large. The comparison is made on `test`, which chose nothing; on `val` only where the dataset
brings no test part. Val is not added to a small test: it has been optimised on.

The recipe is the same for both, but no clock ends it: a limit in minutes would let whatever else the computer
does favour one half (seen: the same recipe 34 points apart because the second half got fewer epochs). It is
turned into a number of epochs when the pair is set up, from the speed measured here. An epoch of *before* has
more images, and so more steps, when images were excluded: that is part of what excluding does.
"""

import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from bloodapp import workspace
from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import judge
from bloodapp.data.split import duplicate_groups
from bloodapp.errors import AlreadyExists, InvalidValue
from bloodapp.runs.run import Run, new_run
from bloodapp.train.forecast import forecast
from bloodapp.train.launch import configuration, draw_by_class, split_by, submit
from bloodapp.train.recipe import Recipe
from bloodapp.train.settings import quick

BEFORE, AFTER = "before", "after"
_RANK = {"train": 0, "val": 1, "test": 2}
_MANY = 10_000
_SPEED = 250.0
"""Images a second that two CPU cores train on, until a like run has been measured here."""


@dataclass(frozen=True, eq=False)
class PairPlan:
    """Which images both trainings use, and for what.

    Attributes:
        before: index, part, label of the training on the dataset as given.
        after: index, part, label of the training on what the decisions leave.
        seq: the last decision taken into account.
    """

    before: pd.DataFrame
    after: pd.DataFrame
    seq: int

    @property
    def judged_on(self) -> str:
        """The part on which both are compared: `test`, or `val` where there is no test."""
        return "test" if (self.after["part"] == "test").any() else "val"

    def images(self, part: str) -> tuple[int, int]:
        """How many images a part has before and after."""
        return int((self.before["part"] == part).sum()), int((self.after["part"] == part).sum())

    @property
    def touched(self) -> tuple[int, int]:
        """How many images of the training part the decisions take away, and how many they relabel or bring in."""
        before, after = (
            plan[plan["part"] == "train"].set_index("index") for plan in (self.before, self.after)
        )
        both = before.index.intersection(after.index)
        relabelled = int((before.loc[both, "label"] != after.loc[both, "label"]).sum())
        return len(before.index.difference(after.index)), relabelled + len(after) - len(both)


def plan_pair(dataset: Dataset, recipe: Recipe) -> PairPlan:
    """One split for both trainings, as the module says; raises InvalidValue when they could not be compared."""
    judged, given = judge(dataset), np.asarray(dataset.labels, np.int64)
    stays = judged.included & (judged.labels >= 0)
    rows = np.flatnonzero(stays | (given >= 0))
    strata = np.where(stays, judged.labels, len(dataset.classes) + given)[rows]
    if recipe.images and recipe.images < len(rows):
        chosen = draw_by_class(strata, recipe.images, recipe.seed)
        rows, strata = rows[chosen], strata[chosen]
    stays = stays[rows]
    groups = duplicate_groups(dataset)[rows]
    parts = split_by(recipe, dataset, rows, strata, groups)
    whole = _whole(parts, groups, stays)
    learns = whole & (parts == "train")
    judges = (
        whole & (parts != "train") & stays & (dataset.parents[rows] < 0)
    )  # augmented copies judge nothing
    decided, given = judged.labels[rows], given[rows]

    def plan(trains: npt.NDArray[np.bool_], labels: npt.NDArray[np.integer]) -> pd.DataFrame:
        used = trains | judges
        label = np.where(judges, decided, labels)[used].astype(np.int16)
        return pd.DataFrame({"index": rows[used], "part": parts[used], "label": label})

    pair = PairPlan(plan(learns & (given >= 0), given), plan(learns & stays, decided), judged.seq)
    _check(pair, dataset)
    return pair


def untimed(recipe: Recipe, images: int) -> Recipe:
    """The recipe with its limit in minutes as a number of epochs over so many training images."""
    if not recipe.minutes:
        return recipe
    epochs = forecast(recipe, images).epochs or 60 * recipe.minutes * _SPEED / images
    return replace(recipe, minutes=0.0, epochs=max(1, min(recipe.epochs, round(epochs))))


def start_pair(
    dataset: Dataset, recipe: Recipe, *, name: str | None = None, shrink: bool = False
) -> tuple[Run, Run]:
    """Claim the two run folders and queue both trainings, `before` first; returns before and after.

    Each config.json names the other run as `pair`; that of `before` says `"decisions": "none"`. With `name`
    the runs are called NAME-before and NAME-after. With `shrink` the recipe is made quick first; its
    minutes become epochs. Raises InvalidValue, AlreadyExists.
    """
    recipe = quick(recipe) if shrink else recipe
    if recipe.weights not in ("none", "imagenet"):
        raise InvalidValue(
            "The weights of another training may have seen the images that judge this pair: set weights to none."
        )
    if recipe.folds:
        raise InvalidValue("The pair compares one network with one: set folds to 0.")
    plan = plan_pair(dataset, recipe)
    recipe = untimed(recipe, plan.images("train")[0])
    config = configuration(dataset, recipe, plan.seq, "")
    folders = []
    stem = f"{workspace.name_from(recipe.name)[:40]}-{datetime.now(UTC):%Y-%m-%d}"
    for number in range(1, _MANY):
        base = name or f"{stem}-{number}"
        names = {side: f"{base}-{side}" for side in (BEFORE, AFTER)}
        try:
            for side, split, other in ((BEFORE, plan.before, AFTER), (AFTER, plan.after, BEFORE)):
                own = {"title": _title(side, dataset), "pair": names[other]}
                own |= {"decisions": "none"} if side == BEFORE else {}
                folders.append(new_run({**config, **own}, split, names[side]))
            break
        except AlreadyExists:
            while folders:
                shutil.rmtree(folders.pop())
            if name:
                raise
    before, after = (
        submit(folder, dataset.name, _title(side, dataset))
        for folder, side in zip(folders, (BEFORE, AFTER), strict=True)
    )
    return before, after


def _title(side: str, dataset: Dataset) -> str:
    return f"{side.capitalize()} the decisions on {dataset.name}"


def _whole(
    parts: npt.NDArray[np.str_], groups: npt.NDArray[np.int64], stays: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """Where an image may be used: no copy of it judges in a later part (train, val, test)."""
    rank = np.array([_RANK[part] for part in parts.tolist()], np.int64)
    highest = np.zeros(groups.max(initial=-1) + 1, np.int64)
    np.maximum.at(highest, groups[stays], rank[stays])
    return rank >= highest[groups]


def _check(pair: PairPlan, dataset: Dataset) -> None:
    for plan in (pair.before, pair.after):
        train = plan[plan["part"] == "train"]
        if train["label"].nunique() < 2 or not (plan["part"] == "val").any():
            raise InvalidValue(
                f"Too few images of '{dataset.name}' are left to train before and after and judge both: "
                "keep or import more, or change the shares."
            )
    if pair.touched == (0, 0):
        raise InvalidValue(
            f"The decisions on '{dataset.name}' change no image that is trained on, so both trainings would be "
            "the same: exclude or relabel images first."
        )
