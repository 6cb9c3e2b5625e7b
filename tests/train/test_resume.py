"""A training that was cut off ends as one that never was."""

import errno
import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bloodapp import jobs, workspace
from bloodapp.data.dataset import Dataset
from bloodapp.errors import Shortage
from bloodapp.jobs.runner import launch as launch_child
from bloodapp.runs.run import Run
from bloodapp.train import checkpoint, launch
from bloodapp.train.recipe import Recipe
from tests.train.trying import TINY, Quiet, train

EXACT = replace(
    TINY,
    size=32,
    small_size=32,
    pipeline="flip|rotate(15)",
    head="dropout(0.4)",
    phases="last(4, 2, rate=0.004)|full",
    epochs=6,
    average=0.9,
    clip=1.0,
    plateau=1,
    plateau_factor=0.5,
    patience=9,
    deterministic=True,
)
"""Everything that a continued training must take up again."""

ADAMW = replace(EXACT, optimizer="adamw", schedule="exponential", decay_after=1, decay=0.7, warmup=0.2)
LION = replace(EXACT, optimizer="lion", learning_rate=3e-4, schedule="onecycle", phases="full")


class CutOff(Exception):
    """The end of a process, for a test."""


class Cut(Quiet):
    """A context in which the process ends at a step of an epoch, counted from 1."""

    def __init__(self, run: Run, epoch: int, step: int, end: type[Exception] = CutOff) -> None:
        super().__init__(run)
        self.at, self.end = (epoch, step), end

    def progress(self, done: float, total: float | None, text: str = "", **extra: Any) -> None:
        """End."""
        super().progress(done, total, text, **extra)
        if (extra.get("epoch"), extra.get("step")) == self.at:
            raise self.end


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[int, dict[str, Any]]]:
    """What each checkpoint of this process held, by run and epoch: the last one of an epoch."""
    found: dict[str, dict[int, dict[str, Any]]] = {}
    write = checkpoint.write_state

    def written(folder: Any, state: dict[str, Any]) -> None:
        arrays = {
            group: checkpoint.read_arrays(folder / state["last"], group)
            for group in ("weights", "optimizer", "average")
        }
        found.setdefault(folder.parent.name, {})[state["epoch"]] = {**state, **arrays}
        write(folder, state)

    monkeypatch.setattr(checkpoint, "write_state", written)
    return found


def cut(run: Run, epoch: int, step: int) -> None:
    """Train until the process ends there."""
    from bloodapp.train.fit import work

    with pytest.raises(CutOff):
        work({}, Cut(run, epoch, step))


def run_out_of_memory(run: Run, epoch: int, step: int) -> None:
    """Train until memory runs out there."""
    from bloodapp.train.fit import work

    with pytest.raises(Shortage, match="batch of 4"):
        work({}, Cut(run, epoch, step, MemoryError))


def fill_the_disk(run: Run, monkeypatch: pytest.MonkeyPatch, epoch: int) -> None:
    """Train until there is room for the files of an epoch, but not for its state."""
    write = checkpoint.write_state

    def full(folder: Any, state: dict[str, Any]) -> None:
        if state["epoch"] == epoch:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(folder, state)

    with monkeypatch.context() as patch, pytest.raises(Shortage, match="free some space and continue"):
        patch.setattr(checkpoint, "write_state", full)
        train(run)


def kill(run: Run, epoch: int) -> None:
    """Train in a process of its own, which is killed with -9 after an epoch or soon after it."""
    child = launch_child(run.job)
    until(lambda: state_of(run) >= epoch or child.poll() is not None)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    assert run.state() == "interrupted"
    jobs.resume(run.job)


def state_of(run: Run) -> int:
    """The epoch after which the run would go on."""
    return int(workspace.read_json(run.folder / "checkpoints" / "state.json")["epoch"])


def same(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Assert that two checkpoints of an epoch agree in all that decides how it goes on."""
    for group in ("weights", "optimizer", "average"):
        for a, b in zip(one[group], other[group], strict=True):
            np.testing.assert_allclose(a, b, atol=1e-5, err_msg=group)
    plain = [
        {k: v for k, v in each.items() if k not in ("format", "elapsed", "speeds", "memory_mib")}
        for each in (one, other)
    ]
    for key in ("weights", "optimizer", "average"):
        for each in plain:
            each.pop(key)
    assert plain[0] == pytest.approx(plain[1], abs=1e-5)


def alike(one: Run, other: Run) -> None:
    """Assert that two finished runs have the same epochs, rates, model and answers."""
    metrics = [run.metrics() for run in (one, other)]
    for column in ("epoch", "phase", "learning_rate", "loss", "val_loss", "val_shifted_accuracy"):
        assert metrics[0][column].tolist() == pytest.approx(metrics[1][column].tolist(), abs=1e-5), column
    answers = [run.predictions() for run in (one, other)]
    np.testing.assert_allclose(answers[0].probabilities, answers[1].probabilities, atol=1e-5)
    assert one.report()["best_epoch"] == other.report()["best_epoch"]


def test_a_training_cut_off_anywhere_ends_as_one_that_never_was(
    tiny: Dataset, kept: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory out within an epoch, a full disk between files and state as a phase begins, kill -9: the same to 1e-5.

    With dropout, turned images, a moving average, plateaus, two phases and an exponential schedule.
    """
    whole, cut_run = launch.start(tiny, ADAMW), launch.start(tiny, ADAMW)
    train(whole)
    run_out_of_memory(cut_run, epoch=2, step=2)
    assert cut_run.metrics()["epoch"].tolist() == [1] and state_of(cut_run) == 1
    fill_the_disk(cut_run, monkeypatch, epoch=3)
    assert state_of(cut_run) == 2
    kill(cut_run, epoch=3)
    context = train(cut_run)
    first = next(words["epoch"] for words in context.said if "step" in words)
    assert first >= 4
    for epoch in (1, 2, *range(first, ADAMW.epochs + 1)):
        same(kept[whole.name][epoch], kept[cut_run.name][epoch])
    assert kept[whole.name][3]["scale"] < 1 or kept[whole.name][4]["plateau_waited"] < 4
    alike(whole, cut_run)
    assert cut_run.metrics()["epoch"].tolist() == [1, 2, 3, 4, 5, 6]
    assert cut_run.metrics()["phase"].tolist() == 2 * ["last(4, 2, rate=0.004)"] + 4 * ["full"]


def test_random_augmentation_goes_on_with_its_epoch_rate_optimizer_and_average(
    tiny: Dataset, kept: dict[str, Any]
) -> None:
    """Where nothing is computed in a fixed order, a continued training still takes up what the checkpoint holds."""
    from bloodapp.train import fit

    recipe = replace(LION, epochs=3, pipeline="sometimes(0.5; rotate(15))|cutmix", deterministic=False)
    run = launch.start(tiny, recipe)
    cut(run, epoch=2, step=2)
    before = kept[run.name][1]
    seen: dict[str, Any] = {}
    begins = fit._Training._step_begins

    def look(self: Any, step: int, elapsed: float) -> None:
        begins(self, step, elapsed)
        seen["weights"] = self.model.get_weights()
        seen["optimizer"] = checkpoint.optimizer_state(self.model)
        seen["average"] = self.average.get()
        seen["epoch"], seen["rate"] = self.course.epoch, self.course.rate()
        raise CutOff

    with pytest.MonkeyPatch.context() as patch, pytest.raises(CutOff):
        patch.setattr(fit._Training, "_step_begins", look)
        train(run)
    assert seen["epoch"] == 1
    assert seen["rate"] == pytest.approx(run.metrics()["learning_rate"][0] * _next_step(recipe), rel=1e-6)
    for group in ("weights", "average"):
        assert all(np.array_equal(a, b) for a, b in zip(seen[group], before[group], strict=True)), group
    # All but the learning rate, which is set anew for the step.
    changed = [
        k
        for k, (a, b) in enumerate(zip(seen["optimizer"], before["optimizer"], strict=True))
        if (a != b).any()
    ]
    assert len(changed) == 1 and before["optimizer"][changed[0]].shape == ()


def _next_step(recipe: Recipe) -> float:
    """How much higher the rate of the second epoch's first step is than that of the first epoch's last."""
    from bloodapp.train.schedules import onecycle

    steps = 3
    return onecycle(1 / recipe.epochs) / onecycle((steps - 1) / steps / recipe.epochs)


def until(reached: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for a state."""
    begun = time.monotonic()
    while not reached():
        assert time.monotonic() - begun < seconds, "it takes too long"
        time.sleep(0.02)
