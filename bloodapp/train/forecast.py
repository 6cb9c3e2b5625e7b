"""What a training will cost on this computer: from measured steps of it, else from a finished run like it."""

import os
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bloodapp import jobs
from bloodapp.augment.expand import MOST_COPIES
from bloodapp.data.dataset import Dataset
from bloodapp.jobs.job import Job
from bloodapp.runs.run import list_runs
from bloodapp.train import phases
from bloodapp.train.costs import Cost, Step, known, phase_name, sizes
from bloodapp.train.course import Course, Scores
from bloodapp.train.recipe import Recipe
from bloodapp.train.settings import copy_pipelines, settings

LIVE_SHIFTED = 1000  # val images that are judged under the shift after each epoch
ROOM = 0.9
"""Share of the memory that a training can have beside everything else that runs."""

_UNEVEN = 1.5  # times as many images once classes are balanced, where nobody says how uneven they are
_DECIDE_SPEED = ("model", "width", "size", "small_size", "small_share", "batch", "pipeline", "precision")
_MIB = 2**20


@dataclass(frozen=True)
class Forecast:
    """What a training is expected to cost.

    Attributes:
        seconds: of all of it, folds and repeats included; None when nothing comparable has run here and the recipe
            sets no limit.
        epochs: passes over the training images that fit into it; None when unknown. Patience may end it earlier.
        basis: where the figures come from, in words.
        memory_mib: of the process; None when not measured.
        measured: whether a step of this very training was measured.
        gpu_memory_mib: of one GPU; None without a GPU or when not measured.
        parameters: of the network; None when not measured.
        trainable_parameters: those that learn in its largest phase; None when not measured.
        trouble: what to know of the memory before it starts, in a sentence; empty where it fits.
        smaller_batch: a batch that would fit where this one does not; None where none would, or none is needed.
    """

    seconds: float | None
    epochs: float | None
    basis: str
    memory_mib: float | None = None
    measured: bool = False
    gpu_memory_mib: float | None = None
    parameters: int | None = None
    trainable_parameters: int | None = None
    trouble: str = ""
    smaller_batch: int | None = None


@dataclass(frozen=True)
class _Sizes:
    """How many images each training of a recipe has in its parts, own copies apart."""

    train: int
    copies: int
    val: int
    test: int


def forecast(
    recipe: Recipe, train_images: int, *, per_class: npt.NDArray[np.integer] | None = None, repeats: int = 1
) -> Forecast:
    """The cost of the recipe on so many training images, of so many a class (C,) where that is known.

    With `repeats` that of so many trainings. Knows no TensorFlow.
    """
    times = max(1, recipe.folds) * max(1, repeats)
    images = _sizes(recipe, train_images, per_class)
    cost = known(recipe)
    steps = _steps(recipe, cost) if cost else {}
    if cost and steps:
        seconds, epochs = _walked(recipe, cost, steps, images)
        basis = f"{_speed(recipe, steps):,.0f} images/s measured on this computer"
        if cost.busy:
            basis += " while it was busy"
        return _with_memory(
            recipe, cost, list(steps.values()), Forecast(times * seconds, epochs, basis, measured=True)
        )
    limit = 60 * recipe.minutes or None
    speed, source = _speed_of_a_run(recipe)
    if not speed:
        basis = "the recipe's own limit; not measured yet" if limit else "not measured here yet"
        return Forecast(times * limit if limit else None, None, basis)
    epoch = (images.train + images.copies) / speed
    seconds = min(recipe.epochs * epoch, limit or float("inf"))
    return Forecast(
        times * seconds, min(recipe.epochs, seconds / epoch), f"{speed:.0f} images/s measured in {source}"
    )


def measure(dataset: Dataset, recipe: Recipe) -> Job:
    """Queue the measuring of the recipe's steps on the dataset, some ten seconds once TensorFlow is loaded."""
    return jobs.submit(
        "cost",
        {"dataset": dataset.name, "recipe": settings(recipe)},
        title=f"Measure {recipe.name} on {dataset.name}",
    )


def memory_total_mib() -> float | None:
    """The memory that processes here can have in MiB, a container's limit included; None where nobody tells."""
    with suppress(OSError, ValueError, AttributeError):
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        with suppress(OSError, ValueError):
            total = min(total, int(Path("/sys/fs/cgroup/memory.max").read_text()))
        return total / _MIB
    return None


def _sizes(recipe: Recipe, train: int, per_class: npt.NDArray[np.integer] | None) -> _Sizes:
    share = max(1 - recipe.val_share - recipe.test_share, 0.1)
    every = train / share
    test, val = recipe.test_share * every, recipe.val_share * every
    if recipe.folds:
        val = (every - test) / recipe.folds
        train = round(every - test - val)
    pipelines = len(copy_pipelines(recipe.copies))
    copies = pipelines * train
    if recipe.balance:
        if per_class is None or not per_class.sum():
            copies += round((1 + pipelines) * (_UNEVEN - 1) * train)
        else:
            present = per_class[per_class > 0] * (train / per_class.sum())
            lacking = (1 + pipelines) * (present.max() - present)
            copies += round(float(np.minimum(lacking, MOST_COPIES * present).sum()))
    return _Sizes(train, copies, round(val), round(test))


def _steps(recipe: Recipe, cost: Cost) -> dict[tuple[str, int], Step]:
    """The cost of a step of each of the recipe's phases at each of its sizes; empty where too little was measured.

    A phase that was not measured goes by the next that learns more; at another size by the ratio of one that was
    measured at both.
    """
    found = {(step.phase, step.size): step for step in cost.steps}
    ranked = sorted(phases.parse(recipe.phases), key=lambda phase: phase.learns(1000), reverse=True)
    large, *small = sizes(recipe)
    chosen: dict[tuple[str, int], Step] = {}
    above: Step | None = None
    for phase in ranked:
        name = phase_name(phase)
        above = found.get((name, large), above)
        if above is None:
            return {}
        chosen[name, large] = above
    for size in small:
        known_ones = [step for (name, side), step in found.items() if side == size and (name, large) in found]
        if not known_ones:
            return {}
        own = known_ones[-1]
        ratio = own.seconds / max(found[own.phase, large].seconds, 1e-9)
        for phase in ranked:
            name = phase_name(phase)
            at_large = chosen[name, large]
            estimate = replace(at_large, size=size, seconds=ratio * at_large.seconds, evaluate=own.evaluate)
            chosen[name, size] = found.get((name, size), estimate)
    return chosen


def _walked(
    recipe: Recipe, cost: Cost, steps: dict[tuple[str, int], Step], images: _Sizes
) -> tuple[float, float]:
    """Seconds and epochs of one training: its own course, walked epoch by epoch with the measured costs."""
    live = min(images.val, LIVE_SHIFTED)
    limit = 60 * recipe.minutes or float("inf")
    count = max(1, (images.train + images.copies) // recipe.batch)
    course, elapsed, whole = Course(recipe), 0.0, 0.0
    traced = set()
    while not course.finished:
        size = course.size(elapsed)
        step = steps[phase_name(course.now), size]
        if (course.phase, size) not in traced:
            traced.add((course.phase, size))
            elapsed += max(step.first - step.seconds, 0.0)
        share = min(1.0, max(limit - elapsed, 0.0) / max(count * step.seconds, 1e-9))
        whole += share
        elapsed += share * count * step.seconds
        elapsed += (images.val + live) * step.evaluate + cost.save
        # Ever better, so that patience and plateaus do not end what cannot be foreseen.
        scores = Scores(course.epoch * 1e-6, course.epoch * 1e-6, -float(course.epoch))
        course.epoch_ended(scores, elapsed=elapsed, speed=0.0, size=size)
        course.speeds.clear()
    before = cost.start + images.copies * cost.copy + live * cost.shift
    step = steps[phase_name(course.now), recipe.size]
    read = images.val + images.test
    after = read * (2 * step.evaluate + cost.shift) + step.first / 2
    return before + elapsed + after, whole


def _speed(recipe: Recipe, steps: dict[tuple[str, int], Step]) -> float:
    """Images a second of the last phase on images of full size."""
    last = steps[phase_name(phases.parse(recipe.phases)[-1]), recipe.size]
    return recipe.batch / max(last.seconds, 1e-9)


def _with_memory(recipe: Recipe, cost: Cost, steps: list[Step], told: Forecast) -> Forecast:
    """The forecast with memory and parameters, and what to do where the memory does not do."""
    memory = max(step.memory_mib for step in steps)
    on_gpu = [step.gpu_memory_mib for step in steps if step.gpu_memory_mib is not None]
    gpu = max(on_gpu, default=None)
    told = replace(
        told,
        memory_mib=memory,
        gpu_memory_mib=gpu,
        parameters=cost.parameters,
        trainable_parameters=max(step.trainable for step in steps),
    )
    there, needed, what = memory_total_mib(), memory, "this computer has"
    if gpu is not None and cost.gpu_total_mib and gpu > ROOM * cost.gpu_total_mib:
        there, needed, what = cost.gpu_total_mib, gpu, "the GPU has"
    if not there or needed <= ROOM * there:
        return told
    batch = _smaller(recipe.batch, cost.fixed_mib, needed, ROOM * there)
    advice = f"a batch of {batch} would fit" if batch else "take a smaller network or smaller images"
    trouble = f"It wants {needed / 1024:.1f} GB and {what} {there / 1024:.1f} GB: {advice}."
    return replace(told, trouble=trouble, smaller_batch=batch)


def _smaller(batch: int, fixed: float, needed: float, room: float) -> int | None:
    """The largest power of two below the batch whose images fit beside what is fixed."""
    each = max(needed - fixed, 0.0) / batch
    fitting = [size for size in (2**k for k in range(12)) if size < batch and fixed + each * size <= room]
    return max(fitting, default=None)


def _speed_of_a_run(recipe: Recipe) -> tuple[float | None, str]:
    like = {key: getattr(recipe, key) for key in _DECIDE_SPEED}
    for run in list_runs():
        used = run.config["recipe"]
        # A quick trial measures the start of TensorFlow rather than the training.
        if run.shipped or used.get("images") or any(used.get(key) != value for key, value in like.items()):
            continue
        speed = (run.report() or {}).get("images_per_s")
        if speed:
            return float(speed), run.name
    return None, ""
