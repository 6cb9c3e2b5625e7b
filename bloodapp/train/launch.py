"""Setting a training up: what remains of the dataset, split, becomes a run folder and a queued job.

A recipe with folds, or a training with repeats, becomes a series: a parent run whose job (`series`) performs its
children one after another, each a run with a split of its own.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bloodapp import classes, jobs
from bloodapp.augment.pipelines import resolve, text
from bloodapp.augment.staining import for_pipeline
from bloodapp.data.dataset import Dataset
from bloodapp.errors import BloodappError, InvalidValue
from bloodapp.runs.origin import dataset_of
from bloodapp.runs.run import Run, new_run, open_run
from bloodapp.train.parts import PARTS, draw_by_class, plan_folds, plan_split, split_by
from bloodapp.train.recipe import Recipe
from bloodapp.train.settings import copy_pipelines, from_settings, quick, settings, with_settings
from bloodapp.train.start import check
from bloodapp.train.versions import computer, versions
from bloodapp.train.weighing import class_weights

__all__ = [
    "PARTS",
    "Child",
    "again",
    "configuration",
    "draw_by_class",
    "plan_split",
    "split_by",
    "start",
    "start_series",
    "submit",
]

FOLDS, REPEATS = "folds", "repeats"
MOST_REPEATS = 100


@dataclass(frozen=True, eq=False)
class Child:
    """One training of a series, before it has a folder.

    Attributes:
        ending: of its name, after the parent's: `fold-1`.
        config: what its config.json says, but for the parent's name.
        split: its index, part, label.
    """

    ending: str
    config: dict[str, Any]
    split: pd.DataFrame


def start(
    dataset: Dataset,
    recipe: Recipe,
    *,
    name: str | None = None,
    title: str = "",
    shrink: bool = False,
    repeats: int = 0,
) -> Run:
    """Claim a run folder for the recipe on what the decisions leave of the dataset, and queue its training.

    With `shrink` the recipe is made quick first. With the recipe's folds, or with `repeats` from 2 (the same split,
    each with the next seed), it is a series, and its parent is returned. Raises InvalidValue when too little is
    left to train on, AlreadyExists when the name is taken.
    """
    recipe = quick(recipe) if shrink else recipe
    check(recipe)
    # A run or class that it names is missed now, not when TensorFlow has been loaded.
    class_weights(
        recipe.class_weights, np.arange(len(dataset.classes)), [each.key for each in dataset.classes]
    )
    if not 0 <= repeats <= MOST_REPEATS:
        raise InvalidValue(f"repeats must be a whole number from 0 to {MOST_REPEATS}, not {repeats}.")
    if recipe.folds:
        if repeats > 1:
            raise InvalidValue("Folds are not repeated: leave out the repeats, or set folds to 0.")
        plan = plan_folds(dataset, recipe)
        config = configuration(dataset, recipe, plan.seq, title)
        return start_series(FOLDS, config, plan.whole, children(FOLDS, config, plan.folds), name)
    split, seq = plan_split(dataset, recipe)
    config = configuration(dataset, recipe, seq, title)
    if repeats > 1:
        return start_series(REPEATS, config, split, children(REPEATS, config, [split] * repeats), name)
    return submit(new_run(config, split, name), dataset.name, f"Train {recipe.name} on {dataset.name}")


def again(run: Run, **changes: Any) -> Run:
    """A new run on the same dataset, as the decisions are now, by the run's recipe with some fields changed.

    Of a series, or one of its trainings, the whole series anew. Raises InvalidValue where the dataset is gone.
    """
    refuse_combined(run, "trained anew")
    if run.parent:
        run = open_run(run.parent)
    if run.pair:
        raise InvalidValue(
            f"'{run.name}' is one half of a comparison: compare before and after anew instead."
        )
    if run.series not in ("", FOLDS, REPEATS):
        raise InvalidValue(f"'{run.name}' is a search: start it anew where it was started.")
    dataset = dataset_of(run)
    if dataset is None:
        raise InvalidValue(
            f"The images that '{run.name}' learned from are not here any more: import '{run.dataset}' again."
        )
    recipe = with_settings(recipe_of(run), changes)
    repeats = len(run.config["series"]["children"]) if run.series == REPEATS else 0
    return start(dataset, recipe, title=str(run.config.get("title") or ""), repeats=repeats)


def refuse_combined(run: Run, what: str) -> None:
    """Raise InvalidValue where a run was put together and not trained, so that `what` cannot be done with it."""
    if run.combined:
        names = ", ".join(run.config["combined"]["members"])
        raise InvalidValue(
            f"'{run.name}' was put together from finished runs and not trained, so it cannot be {what}: "
            f"do so with its members ({names}), or combine them again."
        )


def recipe_of(run: Run) -> Recipe:
    """The run's recipe; a pipeline by name where that still means the same, else as the text that it was.

    Raises InvalidValue for a run that was put together from others: it has none.
    """
    refuse_combined(run, "trained anew")
    recipe = from_settings(run.config["recipe"])
    try:
        now = _texts(recipe)
    except BloodappError:  # a saved pipeline that has been deleted since
        now = {}
    told = {name: run.config[name] for name in ("pipeline", "copies", "balance") if name in run.config}
    return replace(recipe, **{name: was for name, was in told.items() if now.get(name) != was})


def _texts(recipe: Recipe) -> dict[str, str]:
    """What the recipe draws with, as texts: a saved pipeline's name may mean something else by the time it is drawn."""
    copied = [resolve(each) for each in copy_pipelines(recipe.copies)]
    return {
        "pipeline": text(resolve(recipe.pipeline)),
        "copies": "; ".join(map(text, copied)),
        "balance": text(resolve(recipe.balance)) if recipe.balance else "",
    }


def configuration(dataset: Dataset, recipe: Recipe, seq: int, title: str) -> dict[str, Any]:
    """What config.json says of a training; `seq` is the last decision that its split takes into account."""
    texts = _texts(recipe)
    drawn = [
        resolve(each)
        for each in (texts["pipeline"], *copy_pipelines(texts["copies"]), texts["balance"])
        if each
    ]
    stains = for_pipeline(dataset, *drawn)
    return {
        "title": title,
        "recipe": settings(recipe),
        **texts,
        **({} if stains is None else {"stains": stains.tolist()}),
        "dataset": dataset.name,
        "fingerprint": dataset.fingerprint,
        "seq": seq,
        "classes": classes.to_json(dataset.classes),
        "size": recipe.size,
        "versions": versions(),
        "computer": computer(),
    }


def children(kind: str, config: dict[str, Any], splits: Sequence[pd.DataFrame]) -> list[Child]:
    """The trainings of a series: each one network, with the next seed and its own split."""
    one, recipe = kind.removesuffix("s"), config["recipe"]
    return [
        Child(
            f"{one}-{number}",
            {
                **config,
                "title": "",
                "recipe": {**recipe, "folds": 0, "seed": recipe["seed"] + number - 1},
                one: number,
                "of": len(splits),
            },
            split,
        )
        for number, split in enumerate(splits, start=1)
    ]


def start_series(
    kind: str,
    config: dict[str, Any],
    whole: pd.DataFrame,
    trainings: Sequence[Child],
    name: str | None = None,
) -> Run:
    """Claim the folders of a series and its trainings, and queue the series; raises AlreadyExists, InvalidValue."""
    made: list[Path] = []
    try:
        parent = new_run(
            {**config, "series": {"kind": kind}}, whole, name, [child.ending for child in trainings]
        )
        made.append(parent)
        for child in trainings:
            own = {**child.config, "parent": parent.name}
            made.append(new_run(own, child.split, f"{parent.name}-{child.ending}"))
        recipe, dataset = config["recipe"]["name"], config["dataset"]
        return submit(parent, dataset, f"Train {recipe} on {dataset}, {len(trainings)} {kind}", "series")
    except BaseException:
        for folder in made:
            shutil.rmtree(folder, ignore_errors=True)
        raise


def submit(folder: Path, dataset: str, title: str, kind: str = "train") -> Run:
    """Queue the training, or the series, of a claimed run folder."""
    jobs.submit(kind, {"run": folder.name, "dataset": dataset}, title=title, folder=folder)
    return open_run(folder.name)
