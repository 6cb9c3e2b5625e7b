"""Which layers learn when, in real trainings."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from bloodapp.data.dataset import Dataset
from bloodapp.errors import InvalidValue, Stopped
from bloodapp.train import checkpoint, launch, phases
from tests.train.trying import TINY, train


def test_phases_are_written_as_they_are_read() -> None:
    """Text and phases go round."""
    for text in ("frozen(15)|skip(124, rate=1e-05)", "last(15)", "share(0.5, 3)|full", "full"):
        assert phases.text(phases.parse(text)) == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("frozen(3, lr=1e-3)", "frozen takes epochs, rate, not lr"),
        ("frozen(3, 4, 5)", "frozen takes 1 value by place, not 3"),
        ("frozen(1.5)|full", "a whole number of epochs, not 1.5"),
        ("full(0.5)", "a whole number of epochs, not 0.5"),
        ("full(amount=3)", "full takes epochs, rate, not amount"),
        ("last(1.5)", "a whole number of amount, not 1.5"),
        ("skip(3, 4, 5)", "skip takes 2 values by place, not 3"),
        ("share(1.5)", "share takes amount from 0 to 1, not 1.5"),
        ("unfreeze(2.5, 1)", "a whole number of steps, not 2.5"),
        ("unfreeze(2)", "unfreeze says how many epochs"),
        ("frozen|full", "every phase but the last"),
        ("full(3, epochs=4)", "epochs twice"),
    ],
)
def test_what_a_phase_does_not_take_is_refused(text: str, words: str) -> None:
    """Unknown names, surplus values and parts of what is counted: nothing is passed over in silence."""
    with pytest.raises(InvalidValue, match=words):
        phases.parse(text)


def test_a_frozen_backbone_stays_and_the_average_goes_on_and_is_kept(
    tiny: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the first phase only the head learns, and the statistics of the rest stay; then all of it learns.

    The optimizer begins anew with the second phase, the moving average does not, and lies near the weights. It is what
    the best epoch keeps. The reading under noise is in the report.
    """
    kept: list[dict[str, Any]] = []
    best: dict[str, Any] = {}
    write = checkpoint.write_arrays

    def written(path: Any, **groups: Any) -> str:
        if path.name.startswith("last"):
            kept.append({name: [array.copy() for array in arrays] for name, arrays in groups.items()})
        else:
            best[path.name] = groups["weights"]
        return write(path, **groups)

    monkeypatch.setattr(checkpoint, "write_arrays", written)
    recipe = replace(
        TINY, phases="frozen(2, rate=0.01)|full(2, rate=0.01)", epochs=4, average=0.5, test_noise=30.0
    )
    run = launch.start(tiny, recipe)
    context = train(run)
    backbone = len(kept[0]["weights"]) - 2  # all but the kernel and the bias of the last layer
    moved = [
        [not np.array_equal(a, b) for a, b in zip(kept[0]["weights"], kept[epoch]["weights"], strict=True)]
        for epoch in (1, 2)
    ]
    assert moved[0] == [False] * backbone + [True] * 2
    assert all(moved[1])
    steps = [int(next(a for a in each["optimizer"] if a.dtype.kind == "i")) for each in kept]
    assert steps[0] == steps[2] == steps[1] // 2
    for before, each in pairwise(kept):
        change = [np.abs(a - b).mean() for a, b in zip(before["average"], each["average"], strict=True)]
        apart = [np.abs(a - b).mean() for a, b in zip(each["weights"], each["average"], strict=True)]
        assert np.mean(change) > 0 and 0 < np.mean(apart) < 0.1
    assert run.metrics()["phase"].tolist() == 2 * ["frozen(2, rate=0.01)"] + 2 * ["full(2, rate=0.01)"]
    assert any("The optimizer begins anew" in line for line in context.lines)
    report = run.report()
    assert report["trainable_parameters"] < report["parameters"] and report["memory_mib"] > 100
    assert 0 <= report["parts"]["test"]["noisy_accuracy"] <= 1
    assert "noisy_accuracy" not in report["parts"]["val"]
    chosen = kept[report["best_epoch"] - 1]
    saved = best[f"best-{report['best_epoch']}.npz"]
    assert all(map(np.array_equal, saved, chosen["average"]))
    assert not np.array_equal(saved[-1], chosen["weights"][-1])


def test_a_stop_within_the_first_epoch_leaves_a_model_and_begins_anew(tiny: Dataset) -> None:
    """What was learned so far is kept and marked; continued, the first epoch is trained whole."""
    run = launch.start(tiny, replace(TINY, epochs=1))
    with pytest.raises(Stopped):
        train(run, stop_after=1)
    assert run.finished and run.report()["stopped_in_first_epoch"] and run.report()["epochs"] == 0
    assert run.metrics().empty
    train(run)
    assert run.metrics()["epoch"].tolist() == [1]
    assert not run.report()["stopped_in_first_epoch"] and run.report()["best_epoch"] == 1
