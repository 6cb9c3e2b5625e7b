"""A search for a better head and learning rate, as report R0 did with Optuna: a series of trials, and the best in full.

Searched are the number of dense layers, their neurons (each layer half as many as the one before), the dropout after
each, the learning rate, and, where the network starts from trained weights, how many of its layers learn. All else is
the recipe's: its dense layers' activation, initialiser, L1 and L2, its `output(...)`, the first phases, while nothing
of the backbone learns, and the rates that phases name. What a trial scores is read on val, by the recipe's `score`, as
its epochs are chosen: no trial has a test part. The best is trained once more with the test part beside it, read
then and there, once.

What the search knows is in the trials' folders, so that it goes on where it was cut off: Optuna (Akiba et al., KDD
2019; tree-structured Parzen estimators) is told of the trials that ended and asked for the next.
"""

import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import takewhile
from typing import Any

import numpy as np
import pandas as pd

from bloodapp import workspace
from bloodapp.data.dataset import Dataset
from bloodapp.errors import AlreadyExists, BloodappError, InvalidValue, Stopped
from bloodapp.jobs.reporter import Reporter
from bloodapp.runs.predictions import FILE as PREDICTIONS
from bloodapp.runs.predictions import Predictions
from bloodapp.runs.run import Run, new_run, open_run
from bloodapp.train import head, phases
from bloodapp.train.launch import configuration, submit
from bloodapp.train.part import Launch, Training
from bloodapp.train.parts import plan_split
from bloodapp.train.recipe import Recipe, fields
from bloodapp.train.settings import from_settings, quick, settings, with_settings
from bloodapp.train.start import check

SEARCH = "search"
BEST = "best"
LOSS = "loss"
MOST_TRIALS = 500
NEURONS = (64, 128, 256, 512, 1024)
MOST_LAYERS = 3
MOST_UNFROZEN = 60
"""Layers of a trained backbone that learn at most; R0 ended with 15."""

Params = Mapping[str, Any]


def start(
    dataset: Dataset,
    recipe: Recipe,
    trials: int,
    *,
    name: str | None = None,
    title: str = "",
    shrink: bool = False,
) -> Run:
    """Claim the folder of a search over so many trials, and queue it; its trials are claimed one by one.

    Raises InvalidValue for a recipe with folds, or too few or too many trials, AlreadyExists for a name that is taken.
    """
    recipe = quick(recipe) if shrink else recipe
    check(recipe)
    if not 2 <= trials <= MOST_TRIALS:
        raise InvalidValue(f"trials must be a whole number from 2 to {MOST_TRIALS}, not {trials}.")
    if recipe.folds:
        raise InvalidValue("A search judges each trial on one split: set folds to 0.")
    split, seq = plan_split(dataset, recipe)
    config = {**configuration(dataset, recipe, seq, title), "series": {"kind": SEARCH}}
    endings = [*(f"trial-{number}" for number in range(1, trials + 1)), BEST]
    folder = new_run(config, split, name, endings)
    return submit(folder, dataset.name, f"Search {recipe.name} on {dataset.name}, {trials} trials", "series")


def changes(params: Params, recipe: Recipe) -> dict[str, Any]:
    """What a trial changes of the recipe, as its fields; see above for what it keeps of head and phases."""
    found: dict[str, Any] = {
        "head": _head(params, recipe),
        "learning_rate": float(f"{params['learning_rate']:.3g}"),
    }
    if "unfrozen" in params:
        found["phases"] = _phases(int(params["unfrozen"]), recipe)
    return found


def _head(params: Params, recipe: Recipe) -> str:
    """The trial's layers, each as the recipe's first dense one but for its size, and the recipe's output."""
    given = head.parse(recipe.head)
    like = next((step for step in given if step.kind == "dense"), head.Step("dense", activation="relu"))
    drop = f"dropout({params['dropout']:.2g})"
    words = ["relu" if like.activation == "linear" else like.activation, like.initialiser]
    words += [f"{name}={value:g}" for name, value in (("l1", like.l1), ("l2", like.l2)) if value]
    layers = [
        f"dense({', '.join([str(params['neurons'] >> place), *words])})|batchnorm|{drop}"
        for place in range(params["layers"])
    ]
    output = [recipe.head.rpartition("|")[2].strip()] if given and given[-1].kind == "output" else []
    return "|".join([*(layers or [drop]), *output])


def _phases(unfrozen: int, recipe: Recipe) -> str:
    """The recipe's phases before any of the backbone learns, then one of the last layers, at its last phase's rate."""
    given = phases.parse(recipe.phases)
    before = list(takewhile(lambda phase: phase.kind == "frozen", given[:-1]))
    rest, kind = given[len(before) :], "last" if unfrozen else "frozen"
    epochs = sum(phase.epochs for phase in rest) if rest[-1].epochs else 0
    return phases.text([*before, replace(rest[-1], kind=kind, amount=float(unfrozen), epochs=epochs)])


def suggested(recipe: Recipe, trials: int, known: Sequence[tuple[Params, float | None]]) -> dict[str, Any]:
    """The next trial's parameters after those that ended, each with its score, or None where it failed.

    The same recipe, seed and trials give the same.
    """
    import optuna
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    (rate,) = (field.metadata for field in fields() if field.name == "learning_rate")
    low, high = max(recipe.learning_rate / 10, rate["low"]), min(recipe.learning_rate * 10, rate["high"])
    space: dict[str, optuna.distributions.BaseDistribution] = {
        "layers": IntDistribution(0, MOST_LAYERS),
        "neurons": CategoricalDistribution(NEURONS),
        "dropout": FloatDistribution(0.0, 0.6, step=0.05),
        "learning_rate": FloatDistribution(low, high, log=True),
    }
    if recipe.weights != "none":
        space["unfrozen"] = IntDistribution(0, MOST_UNFROZEN, step=5)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    # By chance first: a third of few trials, Optuna's own ten of many.
    sampler = optuna.samplers.TPESampler(
        seed=recipe.seed + len(known), n_startup_trials=min(10, max(2, trials // 3))
    )
    study = optuna.create_study(direction="maximize", sampler=sampler)
    for params, score in known:
        state = optuna.trial.TrialState.FAIL if score is None else optuna.trial.TrialState.COMPLETE
        study.add_trial(
            optuna.create_trial(params=dict(params), distributions=space, value=score, state=state)
        )
    return dict(study.ask(space).params)


def score(child: Run) -> float | None:
    """What a trial scored on val, as its recipe chooses epochs; None before it has ended, or where it failed.

    Higher is better: by loss it is the loss' negative.
    """
    found = (child.report() or {}).get("parts", {}).get("val")
    if not found or child.state() not in ("done", "stopped"):
        return None
    by = child.config["recipe"].get("score")
    if by == LOSS:
        answers = child.predictions()
        return None if answers is None else -_loss(answers.only("val"))
    if by == "both" and found.get("shifted_accuracy") is not None:
        return float(found["accuracy"] + found["shifted_accuracy"]) / 2
    return float(found["accuracy"])


def _loss(answers: Predictions) -> float:
    """The mean cross-entropy of the answers, as each epoch is judged."""
    given = answers.probabilities[np.arange(len(answers)), answers.label]
    return float(-np.log(np.maximum(given, 1e-7)).mean())


def perform(run: Run, context: Reporter, launch: Launch) -> dict[str, Any]:
    """Do the trials that are left, train the best in full, and make its results the search's.

    A trial that fails is passed over, unless all do. Raises BloodappError, Stopped.
    """
    recipe = from_settings(run.config["recipe"])
    names = run.config["series"]["children"]
    *trials, best = names
    problem = ""
    for place, name in enumerate(trials):
        if context.stopped():
            break
        child = _claimed(run, name, place, lambda: suggested(recipe, len(trials), _known(run, trials)))
        if child.state() == "done" or (child.state() == "failed" and _later(run, trials[place + 1 :])):
            continue
        try:
            Training(child, place, len(names), context, f"Trial {place + 1} of {len(trials)}").train(launch)
        except Stopped:
            raise
        except BloodappError as error:
            problem = str(error)
            context.log(problem)
    ended = [(child, score(child)) for child in run.children if child.name != best]
    scored = [(value, child) for child, value in ended if value is not None]
    if not scored:
        raise BloodappError(problem) if problem else Stopped("Stopped before there was anything to keep.")
    # Of trials that score alike the first.
    top = max(scored, key=lambda pair: pair[0])[1]
    if context.stopped():
        raise Stopped(
            f"Stopped; {len(scored)} of {len(trials)} trials were kept, '{top.name}' is the best so far."
        )
    final = _claimed(run, best, len(trials), lambda: dict(top.config["params"]), run.split())
    if final.state() != "done":
        Training(final, len(trials), len(names), context, "The best in full").train(launch)
    if not final.finished:
        raise Stopped("Stopped before the best was trained in full.")
    return _results(run, final, ended)


def _known(run: Run, trials: Sequence[str]) -> list[tuple[Params, float | None]]:
    there = {child.name: child for child in run.children}
    return [(there[name].config["params"], score(there[name])) for name in trials if name in there]


def _later(run: Run, names: Sequence[str]) -> bool:
    """Whether a later trial has begun: a failed one before it has been passed over already."""
    return any(child.name in names for child in run.children)


def _claimed(run: Run, name: str, place: int, params: Any, split: pd.DataFrame | None = None) -> Run:
    """The run of a trial; made when its turn comes, without the test part unless given a split."""
    with suppress(AlreadyExists):
        chosen = params() if not (run.folder.with_name(name) / "config.json").exists() else None
        if chosen is not None:
            # A folder without its config is one whose making was cut off.
            shutil.rmtree(run.folder.with_name(name), ignore_errors=True)
            recipe = from_settings(run.config["recipe"])
            kept = (
                "pipeline",
                "copies",
                "balance",
                "stains",
                "dataset",
                "fingerprint",
                "seq",
                "classes",
                "size",
                "versions",
                "computer",
            )
            config = {key: run.config[key] for key in kept if key in run.config}
            own = settings(with_settings(recipe, changes(chosen, recipe)))
            whole = run.split()
            part = whole[whole["part"] != "test"] if split is None else split
            new_run(
                {**config, "recipe": own, "parent": run.name, "trial": place + 1, "params": chosen},
                part,
                name,
            )
    made = open_run(run.folder.with_name(name))
    if made.parent != run.name:
        raise BloodappError(f"'{name}' is a run of its own: start the search anew under another name.")
    return made


def _results(run: Run, final: Run, ended: Sequence[tuple[Run, float | None]]) -> dict[str, Any]:
    for file in (final.model_path.name, PREDICTIONS):
        with workspace.replacing(run.folder / file) as path:
            shutil.copyfile(final.folder / file, path)
    report = dict(final.report() or {})
    report.pop("format", None)
    trials = [{"name": child.name, "score": value, **child.config["params"]} for child, value in ended]
    changed = changes(final.config["params"], from_settings(run.config["recipe"]))
    by = str(run.config["recipe"].get("score"))
    report["series"] = {"kind": SEARCH, "of": len(trials), "score": by, "best": changed, "trials": trials}
    workspace.write_json(run.folder / "report.json", report)
    return {"run": run.name, **report["parts"]}
