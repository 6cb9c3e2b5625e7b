"""Which images a training learns from, which choose its best epoch and which are read once: one split, or folds.

Augmented copies only train, whatever the recipe says: one whose original is in val or test is left out, or a score
would count pictures that no microscope took, or a network would be judged on what it had learned from.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import judge
from bloodapp.data.split import duplicate_groups, folds, split
from bloodapp.errors import InvalidValue
from bloodapp.train.recipe import Recipe

PARTS = ("train", "val", "test")

Labels = npt.NDArray[np.integer]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class FoldPlan:
    """The splits of a cross-validation.

    Attributes:
        folds: index, part, label of each fold's training; every image that is not test is val in one of them.
        whole: index, part, label of all together: what is not test trains them, so none of it is val.
        seq: the last decision taken into account.
    """

    folds: tuple[pd.DataFrame, ...]
    whole: pd.DataFrame
    seq: int


def plan_split(dataset: Dataset, recipe: Recipe, upto: int | None = None) -> tuple[pd.DataFrame, int]:
    """Which remaining image goes to which part with which label (index, part, label), and the last decision seen.

    As the recipe asks: its shares, of each class or at large; duplicates and near-duplicates in one part, or each
    image for itself; the dataset's own parts kept, or not. With `upto` by the decisions up to that one.
    Raises InvalidValue.
    """
    rows, labels, seq = _remaining(dataset, recipe, upto)
    parts = split_by(recipe, dataset, rows, labels, groups_by(recipe, dataset)[rows])
    return _plan(dataset, rows, labels, parts), seq


def plan_folds(dataset: Dataset, recipe: Recipe, upto: int | None = None) -> FoldPlan:
    """The splits of a recipe's folds: the test part is taken out first, the rest dealt into folds.

    Raises InvalidValue.
    """
    rows, labels, seq = _remaining(dataset, recipe, upto)
    fold = folds(
        _strata(recipe, labels),
        groups_by(recipe, dataset)[rows],
        recipe.folds,
        test_share=recipe.test_share,
        seed=recipe.seed,
        parts=_given(recipe, dataset, rows),
    )

    def plan(number: int | None) -> pd.DataFrame:
        parts = np.where(fold < 0, "test", np.where(fold == number, "val", "train"))
        return _plan(dataset, rows, labels, parts, judged=number is not None)

    return FoldPlan(tuple(plan(number) for number in range(recipe.folds)), plan(None), seq)


def split_by(
    recipe: Recipe, dataset: Dataset, rows: Rows, strata: Labels, groups: Rows
) -> npt.NDArray[np.str_]:
    """The part of each of these images as the recipe asks: its shares of each stratum, groups whole, parts kept."""
    ratios = (1 - recipe.val_share - recipe.test_share, recipe.val_share, recipe.test_share)
    return split(_strata(recipe, strata), groups, ratios, recipe.seed, _given(recipe, dataset, rows))


def groups_by(recipe: Recipe, dataset: Dataset) -> Rows:
    """The images that the recipe keeps together, as group numbers (N,): look-alikes, or copies of one image alone."""
    return duplicate_groups(dataset) if recipe.grouped else dataset.families


def draw_by_class(labels: Labels, count: int, seed: int) -> Rows:
    """About `count` places, each class by its share but at least three images where it has them; ascending."""
    rng = np.random.default_rng(seed)
    chosen = []
    for k in np.unique(labels):
        places = rng.permutation(np.flatnonzero(labels == k))
        chosen.append(places[: max(3, round(count * len(places) / len(labels)))])
    return np.sort(np.concatenate(chosen))


@dataclass(frozen=True)
class Told:
    """A split in words.

    Attributes:
        parts: how many images each part has, a sentence.
        torn: how many training images have a look-alike in val or test, a sentence; empty where none has.
        counts: images in train, val and test; of folds all that are not test are train.
    """

    parts: str
    torn: str
    counts: tuple[int, int, int]


def in_words(dataset: Dataset, recipe: Recipe) -> Told:
    """How many images each part would have, and what to know of it. Raises InvalidValue."""
    if recipe.folds:
        planned = plan_folds(dataset, recipe)
        judged = [int((plan["part"] == "val").sum()) for plan in planned.folds]
        least, most = min(judged), max(judged)
        each = f"{most:,}" if least == most else f"{least:,} to {most:,}"
        train = round(np.mean([(plan["part"] == "train").sum() for plan in planned.folds]))
        plan, torn = planned.whole, max((_torn(dataset, each) for each in planned.folds), default=0)
        text = f"{recipe.folds} networks, each on about {train:,} images and judged on {each} others"
    else:
        plan, _ = plan_split(dataset, recipe)
        torn = _torn(dataset, plan)
        train, val = (int((plan["part"] == part).sum()) for part in ("train", "val"))
        text = f"{train:,} images to learn from, {val:,} to choose the best epoch"
    counts = (plan["part"] == "train").sum(), (plan["part"] == "val").sum(), (plan["part"] == "test").sum()
    test = int(counts[2])
    text += (
        f", {test:,} read once after training." if test else "; no test part: what is reported is what chose."
    )
    said = ""
    if torn:
        images = f"{torn:,} training images have" if torn > 1 else "One training image has"
        said = f"{images} a look-alike in val or test, which makes the score look better than it is."
    return Told(text, said, (int(counts[0]), int(counts[1]), test))


def _torn(dataset: Dataset, plan: pd.DataFrame) -> int:
    """How many training images have a look-alike in another part."""
    groups = duplicate_groups(dataset)[plan["index"]]
    train = (plan["part"] == "train").to_numpy()
    return int(np.isin(groups[train], groups[~train]).sum())


def _remaining(dataset: Dataset, recipe: Recipe, upto: int | None) -> tuple[Rows, npt.NDArray[np.int16], int]:
    judged = judge(dataset, upto)
    rows = np.asarray(judged.indices, np.int64)
    labels = judged.labels[rows]
    if len(np.unique(labels)) < 2:
        raise InvalidValue(
            f"Training needs labelled images of at least two classes; '{dataset.name}' has "
            f"{len(rows)} images of {len(np.unique(labels))} left: keep or import more."
        )
    if recipe.images and recipe.images < len(rows):
        chosen = draw_by_class(labels, recipe.images, recipe.seed)
        rows, labels = rows[chosen], labels[chosen]
    return rows, labels, judged.seq


def _strata(recipe: Recipe, strata: Labels) -> Labels:
    return strata if recipe.stratified else np.zeros_like(strata)


def _given(recipe: Recipe, dataset: Dataset, rows: Rows) -> npt.NDArray[np.str_] | None:
    return dataset.parts[rows] if recipe.keep_parts and (dataset.parts[rows] != "").any() else None


def _plan(
    dataset: Dataset, rows: Rows, labels: Labels, parts: npt.NDArray[np.str_], *, judged: bool = True
) -> pd.DataFrame:
    """The plan without augmented copies that may not train; raises InvalidValue where a part is left empty."""
    part_of = np.full(len(dataset), "train", "<U5")
    part_of[rows] = parts
    used = (dataset.parents[rows] < 0) | ((parts == "train") & (part_of[dataset.families[rows]] == "train"))
    rows, labels, parts = rows[used], labels[used], parts[used]
    for part in ("train", "val") if judged else ("train",):
        if not (parts == part).any():
            raise InvalidValue(
                f"No image is left for the part '{part}' of '{dataset.name}': keep or import more, "
                "or change the shares."
            )
    return pd.DataFrame({"index": rows, "part": parts, "label": labels.astype(np.int16)})
