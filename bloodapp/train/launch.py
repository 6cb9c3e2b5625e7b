"""Setting a training up: what remains of the dataset, split, becomes a run folder and a queued job."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bloodapp import classes, jobs
from bloodapp.augment.pipelines import resolve, text
from bloodapp.augment.stain import for_pipeline
from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import judge
from bloodapp.data.split import duplicate_groups, split
from bloodapp.errors import InvalidValue
from bloodapp.runs.run import Run, new_run, open_run
from bloodapp.train.recipe import Recipe
from bloodapp.train.settings import quick, settings, start_run

PARTS = ("train", "val", "test")


def start(
    dataset: Dataset, recipe: Recipe, *, name: str | None = None, title: str = "", shrink: bool = False
) -> Run:
    """Claim a run folder for the recipe on what the decisions leave of the dataset, and queue its training.

    With `shrink` the recipe is made quick first. Raises InvalidValue when too little is left to train on,
    AlreadyExists when the name is taken.
    """
    recipe = quick(recipe) if shrink else recipe
    if start_run(recipe):
        _check_start(recipe, dataset)
    plan, seq = plan_split(dataset, recipe)
    folder = new_run(configuration(dataset, recipe, seq, title), plan, name)
    return submit(folder, dataset, f"Train {recipe.name} on {dataset.name}")


def configuration(dataset: Dataset, recipe: Recipe, seq: int, title: str) -> dict[str, Any]:
    """What config.json says of a training; `seq` is the last decision that its split takes into account."""
    pipeline = resolve(recipe.pipeline)
    stains = for_pipeline(dataset, pipeline)
    return {
        "title": title,
        "recipe": settings(recipe),
        "pipeline": text(pipeline),
        **({} if stains is None else {"stains": stains.tolist()}),
        "dataset": dataset.name,
        "fingerprint": dataset.fingerprint,
        "seq": seq,
        "classes": classes.to_json(dataset.classes),
        "size": recipe.size,
    }


def submit(folder: Path, dataset: Dataset, title: str) -> Run:
    """Queue the training of a claimed run folder."""
    jobs.submit("train", {"run": folder.name, "dataset": dataset.name}, title=title, folder=folder)
    return open_run(folder.name)


def plan_split(dataset: Dataset, recipe: Recipe) -> tuple[pd.DataFrame, int]:
    """Which remaining image goes to which part with which label (index, part, label), and the last decision seen.

    Stratified by class; duplicates and copies of one image stay in one part. Augmented copies only train: those whose
    original is in val or test are left out, or a score would count pictures that no microscope took.
    Raises InvalidValue.
    """
    judged = judge(dataset)
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
    parts = split_by(recipe, dataset, rows, labels, duplicate_groups(dataset)[rows])
    used = (parts == "train") | (dataset.parents[rows] < 0)
    rows, labels, parts = rows[used], labels[used], parts[used]
    for part in ("train", "val"):
        if not (parts == part).any():
            raise InvalidValue(
                f"No image is left for the part '{part}' of '{dataset.name}': keep or import more, "
                "or change the shares."
            )
    return pd.DataFrame({"index": rows, "part": parts, "label": labels.astype(np.int16)}), judged.seq


def split_by(
    recipe: Recipe,
    dataset: Dataset,
    rows: npt.NDArray[np.int64],
    strata: npt.NDArray[np.integer],
    groups: npt.NDArray[np.int64],
) -> npt.NDArray[np.str_]:
    """The part of each of these images as the recipe asks: its shares of each stratum, groups whole, parts kept."""
    given = dataset.parts[rows] if recipe.keep_parts and (dataset.parts[rows] != "").any() else None
    ratios = (1 - recipe.val_share - recipe.test_share, recipe.val_share, recipe.test_share)
    return split(strata, groups, ratios, recipe.seed, given)


def _check_start(recipe: Recipe, dataset: Dataset) -> None:
    run = open_run(start_run(recipe))
    if not run.finished:
        raise InvalidValue(f"'{run.name}' has no finished model to start from: choose another run.")
    used = run.config["recipe"]
    same = all(used.get(name) == getattr(recipe, name) for name in ("model", "width"))
    if not same or len(run.classes) != len(dataset.classes):
        raise InvalidValue(
            f"The weights of '{run.name}' fit a {used.get('model')} of width {used.get('width')} with "
            f"{len(run.classes)} classes only: change model and width, or start from scratch."
        )


def draw_by_class(labels: npt.NDArray[np.integer], count: int, seed: int) -> npt.NDArray[np.int64]:
    """About `count` places, each class by its share but at least three images where it has them; ascending."""
    rng = np.random.default_rng(seed)
    chosen = []
    for k in np.unique(labels):
        places = rng.permutation(np.flatnonzero(labels == k))
        chosen.append(places[: max(3, round(count * len(places) / len(labels)))])
    return np.sort(np.concatenate(chosen))
