"""A run made again: the same images, decisions, split, recipe and seed; and whether it comes to the same.

What can be compared before any training is: the dataset by its fingerprint, the decisions up to the one that the run
saw, the split that recipe and seed give with them, versions, computer. No TensorFlow: weights are read as numbers.
"""

import io
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
import pandas as pd

from bloodapp.data.dataset import Dataset, list_datasets
from bloodapp.data.decisions import last_seq
from bloodapp.errors import AlreadyExists, BloodappError, InvalidValue, NotFound
from bloodapp.jobs.job import ACTIVE
from bloodapp.runs.origin import dataset_of
from bloodapp.runs.run import Run, new_run
from bloodapp.train.launch import FOLDS, REPEATS, Child, recipe_of, refuse_combined, start_series, submit
from bloodapp.train.parts import plan_folds, plan_split
from bloodapp.train.start import check
from bloodapp.train.versions import computer, versions

SAME = 1e-5
"""The largest difference of a probability or a weight between runs that count as the same."""

_OWN = {"format", "created", "versions", "computer", "series", "parent", "pair", "shipped", "title"}
_OWN |= {"reproduces", "differed"}
_MANY = 1000


@dataclass(frozen=True)
class Verdict:
    """Whether a run made again comes to the same.

    Attributes:
        same: whether no answer and no weight differs by more than `SAME`.
        accuracy: largest difference of an accuracy of the report, as a share.
        probabilities: largest difference of an answer; None where they cannot be set side by side.
        weights: largest difference of a weight; None where they cannot be set side by side.
        differed: what was not as it had been, in sentences.
    """

    same: bool
    accuracy: float
    probabilities: float | None
    weights: float | None
    differed: tuple[str, ...]

    def __str__(self) -> str:
        reasons = " ".join(self.differed)
        if self.same:
            most = max(self.accuracy, self.probabilities or 0.0, self.weights or 0.0)
            within = f"The same within {most:.1g}" if most else "The same to the last digit"
            return f"{within}: accuracies, answers and weights.{f' Although: {reasons}' if reasons else ''}"
        figures = [f"accuracies differ by up to {100 * self.accuracy:.2g} points"]
        for name, figure in (("answers", self.probabilities), ("weights", self.weights)):
            told = f"{name} by up to {figure:.2g}" if figure is not None else f"{name} cannot be compared"
            figures.append(told)
        why = f"What differed: {reasons}" if reasons else "Nothing that is recorded differed."
        return f"Not the same: {', '.join(figures)}. {why}"


def start(run: Run) -> Run:
    """Queue the run's training again, as NAME-again, on the split that it recorded; `config.json` says `reproduces`.

    Of a series all its trainings. Raises InvalidValue where the dataset or the split is not there any more, or the
    run has no results to be compared with.
    """
    refuse_combined(run, "reproduced")
    if run.report() is None or run.state() in ACTIVE:
        raise InvalidValue(f"'{run.name}' has no results yet that could be reproduced: let it finish first.")
    if run.series not in ("", FOLDS, REPEATS):
        raise InvalidValue(
            f"'{run.name}' is a search: reproduce its best training, '{run.name}-best', instead."
        )
    dataset = dataset_then(run)
    check(recipe_of(run))
    config = {**_kept(run), "dataset": dataset.name, "title": f"{run.title}, again", "reproduces": run.name}
    config |= {"versions": versions(), "computer": computer(), "differed": differences(run, dataset)}
    if run.split().empty:
        raise InvalidValue(f"'{run.name}' does not say which images it learned from: its split is not there.")
    if not run.series:
        title = f"Train {run.recipe} on {dataset.name} again"
        return _named(run, lambda name: submit(new_run(config, run.split(), name), dataset.name, title))
    trainings = [
        Child(
            child.name.removeprefix(f"{run.name}-"),
            {**config, **_kept(child), "title": "", "dataset": dataset.name, "reproduces": child.name},
            child.split(),
        )
        for child in run.children
    ]
    return _named(run, lambda name: start_series(run.series, config, run.split(), trainings, name))


def dataset_then(run: Run) -> Dataset:
    """The dataset as it was when the run was set up, whatever it is called now; raises InvalidValue."""
    dataset = dataset_of(run)
    if dataset is not None:
        return dataset
    if run.dataset in list_datasets():
        raise InvalidValue(
            f"'{run.dataset}' holds other images or labels now than '{run.name}' learned from: "
            "import those again under another name."
        )
    raise InvalidValue(
        f"The images that '{run.name}' learned from are not here: import '{run.dataset}' again from where it came."
    )


def differences(run: Run, dataset: Dataset) -> list[str]:
    """What is not as it was when the run was trained, in sentences; none where everything that is recorded is."""
    refuse_combined(run, "reproduced")
    return [
        *_differing_split(run, dataset),
        *_differing_versions(run),
        *_differing_course(run),
    ]


def verdict(original: Run, again: Run) -> Verdict:
    """Whether a run that reproduces another came to the same; raises NotFound where either has no results."""
    for run in (original, again):
        if run.report() is None:
            raise NotFound("results of the run", run.name)
    pairs = [(original, again)]
    lost: list[str] = []
    if original.series:
        both, lost = _paired(original, again)
        pairs += both
    accuracy = max(_accuracies(*pair) for pair in pairs)
    judged = [pair for pair in pairs if pair[0].model_path.exists()]
    answers, weights = ([each(*pair) for pair in judged] for each in (_answers, _weights))
    differed = [*(str(each) for each in again.config.get("differed", [])), *lost]
    devices = [str((run.report() or {}).get("device")) for run in (original, again)]
    if devices[0] != devices[1]:
        differed.append(f"It computed on {devices[0]} then, on {devices[1]} now.")
    if None in answers:
        differed.append("It was judged on other images.")
    if None in weights:
        differed.append("The network has other layers.")
    largest, heaviest = _largest(answers), _largest(weights)
    close = all(figure is not None and figure <= SAME for figure in (largest, heaviest))
    return Verdict(
        bool(close and not lost and accuracy <= SAME), accuracy, largest, heaviest, tuple(differed)
    )


def _paired(original: Run, again: Run) -> tuple[list[tuple[Run, Run]], list[str]]:
    """The trainings of two series, each with the one it repeats; and of those that cannot be compared a sentence."""
    known = []
    for run in (original, again):
        asked = [name.removeprefix(f"{run.name}-") for name in run.config["series"]["children"]]
        ended = {child.name.removeprefix(f"{run.name}-"): child for child in run.children if child.report()}
        known.append((asked, ended))
    (first, ours), (second, theirs) = known
    lost = [
        ending for ending in dict.fromkeys([*first, *second]) if ending not in ours or ending not in theirs
    ]
    said = [f"No results on both sides, so that they cannot be compared: {', '.join(lost)}."] if lost else []
    return [(ours[ending], theirs[ending]) for ending in first if ending not in lost], said


def _kept(run: Run) -> dict[str, Any]:
    return {key: value for key, value in run.config.items() if key not in _OWN}


def _named(run: Run, make: Callable[[str], Run]) -> Run:
    stem = f"{run.name[:50]}-again"
    for number in range(1, _MANY):
        with suppress(AlreadyExists):
            return make(stem if number == 1 else f"{stem}-{number}")
    raise AlreadyExists(f"'{run.name}' has been reproduced {_MANY} times: delete some.")


def _differing_split(run: Run, dataset: Dataset) -> list[str]:
    seq, last = int(run.config["seq"]), last_seq(dataset)
    if last < seq:
        return [f"The decisions of then are not here: their log ends at {last}, and the run had seen {seq}."]
    if run.pair or run.before_decisions:
        return []  # both halves share one split, which is set up for both: the recorded one is used
    try:
        now = _split(run, dataset)
    except BloodappError as error:
        return [f"The split cannot be made again: {error}"]
    then = run.split()
    one, other = (frame.sort_values("index", ignore_index=True) for frame in (then, now))
    if len(one) == len(other) and all(
        (one[each] == other[each]).all() for each in ("index", "part", "label")
    ):
        return []
    both = one.merge(other, on="index", how="outer", suffixes=("", "_now"))
    moved = int(((both["part"] != both["part_now"]) | (both["label"] != both["label_now"])).sum())
    return [f"Recipe and seed give another split now, for {moved:,} images; the recorded one is used."]


def _split(run: Run, dataset: Dataset) -> pd.DataFrame:
    """The split that the run's recipe, seed and decisions give today."""
    recipe, seq = recipe_of(run), int(run.config["seq"])
    number = run.config.get("fold") or run.config.get("repeat") or 1
    recipe = replace(recipe, seed=recipe.seed - number + 1)
    if "fold" in run.config:
        plan = plan_folds(dataset, replace(recipe, folds=int(run.config["of"])), seq)
        return plan.folds[number - 1]
    return plan_folds(dataset, recipe, seq).whole if recipe.folds else plan_split(dataset, recipe, seq)[0]


def _differing_versions(run: Run) -> list[str]:
    then, now = run.config.get("versions"), versions()
    if not then:
        return ["Its versions were not recorded."]
    changed = [
        f"{name} {then.get(name, '?')} then, {now.get(name, 'none')} now"
        for name in sorted({*then, *now})
        if then.get(name) != now.get(name)
    ]
    found = [f"Other versions: {'; '.join(changed)}."] if changed else []
    before = run.config.get("computer")
    if before and before != computer():
        found.append(f"Another computer: {before} then, {computer()} now.")
    return found


def _differing_course(run: Run) -> list[str]:
    recipe, found = recipe_of(run), []
    if not recipe.deterministic:
        found.append(
            "It was not trained deterministically: sums in another order differ in their last digits."
        )
    if recipe.minutes:
        found.append("Its limit in minutes lets the computer's speed decide how far it comes.")
    if run.state() == "stopped":
        found.append("It had been stopped by hand.")
    return found


def _accuracies(one: Run, other: Run) -> float:
    """The largest difference of an accuracy in the reports."""
    parts, again = ((run.report() or {}).get("parts", {}) for run in (one, other))
    found = [0.0]
    for part, figures in parts.items():
        for name, value in figures.items():
            also = again.get(part, {}).get(name)
            if name != "n" and value is not None and also is not None:
                found.append(abs(value - also))
    return max(found)


def _answers(one: Run, other: Run) -> float | None:
    """The largest difference of a probability, clean or shifted; None where the images are not the same."""
    first, second = one.predictions(), other.predictions()
    if first is None or second is None or len(first) != len(second):
        return None
    orders = [np.lexsort((each.part, each.index)) for each in (first, second)]
    if not np.array_equal(first.index[orders[0]], second.index[orders[1]]):
        return None
    found = []
    for name in ("probabilities", "shifted"):
        tables = getattr(first, name), getattr(second, name)
        if all(table is not None for table in tables):
            found.append(float(np.abs(tables[0][orders[0]] - tables[1][orders[1]]).max(initial=0.0)))
    return max(found)


def _weights(one: Run, other: Run) -> float | None:
    """The largest difference of a weight of the saved networks; None where their layers are not the same."""
    first, second = _saved(one), _saved(other)
    if first.keys() != second.keys() or any(first[name].shape != second[name].shape for name in first):
        return None
    return max((float(np.abs(first[name] - second[name]).max(initial=0.0)) for name in first), default=0.0)


def _saved(run: Run) -> dict[str, npt.NDArray[np.floating[Any]]]:
    """The numbers in the run's model.keras, which is a zip with an HDF5 file, by their place in it."""
    found: dict[str, npt.NDArray[np.floating[Any]]] = {}

    def take(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.dtype.kind == "f":
            found[name] = item[()]

    try:
        with zipfile.ZipFile(run.model_path) as archive:
            content = io.BytesIO(archive.read("model.weights.h5"))
        with h5py.File(content) as file:
            file.visititems(take)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise InvalidValue(f"The model of '{run.name}' cannot be read: {error}.") from error
    return found


def _largest(figures: list[float | None]) -> float | None:
    known = [figure for figure in figures if figure is not None]
    return max(known) if known and len(known) == len(figures) else None
