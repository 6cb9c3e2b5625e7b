"""Runs made again: a real pair to the last digit, and what is said of those that differ."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import record, undo
from bloodapp.data.importing import import_source
from bloodapp.errors import InvalidValue, NotFound
from bloodapp.jobs import perform
from bloodapp.runs.predictions import Predictions, write_predictions
from bloodapp.runs.run import Run, open_run
from bloodapp.train import launch, reproduce
from tests.made import make_run
from tests.train import series_kinds
from tests.train.trying import TINY

EXACT = replace(TINY, deterministic=True, epochs=1)


@pytest.fixture
def plain_tensorflow() -> Iterator[None]:
    """Determinism is a mode of the process: what a training's own child would end with is undone."""
    yield
    from tensorflow.python.framework import config

    config.disable_op_determinism()


def made_up(run: Run) -> Run:
    """The run with made-up results."""
    assert perform(run.job, series_kinds.KINDS) == "done", run.job.status()
    return open_run(run.name)


def change_config(run: Run, **changes: object) -> Run:
    """The run with other things in its config.json."""
    path = run.folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    return open_run(run.name)


@pytest.mark.usefixtures("plain_tensorflow")
def test_a_deterministic_training_comes_to_the_same(tiny: Dataset) -> None:
    """With the decisions as they were then, whatever has been decided since: to 1e-6 in answers and weights."""
    record(tiny, [1, 2], "exclude")
    record(tiny, [3], "relabel", label=5)
    run = launch.start(tiny, EXACT, name="first")
    assert perform(run.job) == "done", run.job.log()
    undo(tiny, batch=1)
    record(tiny, range(8, 16), "exclude")
    again = reproduce.start(run)
    assert again.name == "first-again" and again.config["reproduces"] == "first"
    assert again.split().equals(run.split())
    assert perform(again.job) == "done", again.job.log()
    verdict = reproduce.verdict(run, again)
    assert verdict.same and verdict.differed == ()
    assert verdict.accuracy == 0
    assert verdict.probabilities is not None and verdict.probabilities <= 1e-6
    assert verdict.weights is not None and verdict.weights <= 1e-6
    assert str(verdict).startswith("The same ")


def test_the_split_is_made_again(tiny: Dataset) -> None:
    """From recipe, seed and the decisions of then, of a single training, of folds and of repeats alike."""
    record(tiny, [4], "exclude")
    runs = [
        launch.start(tiny, EXACT),
        launch.start(tiny, replace(EXACT, folds=3)),
        launch.start(tiny, EXACT, repeats=2),
    ]
    record(tiny, range(8, 24), "exclude")
    for run in runs:
        for one in (run, *run.children):
            assert reproduce.differences(one, tiny) == []
    moved = change_config(runs[0], recipe={**runs[0].config["recipe"], "seed": 9})
    assert "another split now, for " in reproduce.differences(moved, tiny)[0]
    ahead = change_config(runs[0], seq=99)
    assert "their log ends at 17" in reproduce.differences(ahead, tiny)[0]


def test_what_differs_is_said(tiny: Dataset) -> None:
    """Versions, computer, chance, minutes."""
    run = launch.start(tiny, replace(EXACT, deterministic=False, minutes=3.0))
    versions = {**run.config["versions"], "keras": "2.0"}
    changed = change_config(run, versions=versions, computer="An abacus, 10 beads")
    told = " ".join(reproduce.differences(changed, tiny))
    for words in ("keras 2.0 then", "An abacus, 10 beads then", "not trained deterministically", "minutes"):
        assert words in told
    bare = change_config(run, versions=None)
    assert "not recorded" in " ".join(reproduce.differences(bare, tiny))


def test_a_changed_dataset_is_refused(tiny: Dataset, tiny_cells: tuple, tmp_path: Path) -> None:
    """Found by its fingerprint under any name; replaced or gone it is said."""
    run = made_up(launch.start(tiny, EXACT, name="first"))
    np.savez(tmp_path / "tiny.npz", images=tiny_cells[0][::-1], labels=tiny_cells[1][::-1])
    import_source(tmp_path / "tiny.npz", replace=True)
    with pytest.raises(InvalidValue, match="holds other images or labels now"):
        reproduce.start(run)
    np.savez(tmp_path / "elsewhere.npz", images=tiny_cells[0], labels=tiny_cells[1])
    import_source(tmp_path / "elsewhere.npz")
    assert reproduce.start(run).dataset == "elsewhere"
    gone = change_config(run, dataset="gone", fingerprint="0" * 64)
    with pytest.raises(InvalidValue, match="import 'gone' again"):
        reproduce.start(gone)


def test_what_has_not_ended_is_refused(tiny: Dataset) -> None:
    """There is nothing to compare with."""
    run = launch.start(tiny, EXACT)
    with pytest.raises(InvalidValue, match="no results yet"):
        reproduce.start(run)
    with pytest.raises(NotFound, match="results"):
        reproduce.verdict(run, run)


@pytest.mark.parametrize("kind", ["folds", "repeats"])
def test_a_series_is_made_again(tiny: Dataset, kind: str) -> None:
    """With all its trainings on their splits; each says which it repeats."""
    recipe = replace(EXACT, folds=3) if kind == "folds" else EXACT
    run = launch.start(tiny, recipe, repeats=3 * (kind == "repeats"), name="some")
    (run.folder / "report.json").write_text('{"format": 1, "parts": {}}')
    with run.job.held():
        run.job.write_status({"state": "done"})
    again = reproduce.start(run)
    assert again.name == "some-again" and again.series == kind and again.job.kind == "series"
    for one, other in zip(run.children, again.children, strict=True):
        assert other.split().equals(one.split())
        assert other.config["recipe"] == one.config["recipe"]
        assert (other.parent, other.config["reproduces"]) == ("some-again", one.name)
    assert reproduce.start(run).name == "some-again-2"


def test_a_series_that_lost_a_training_is_not_the_same(
    tiny: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be compared is named, and is no agreement."""
    made = [launch.start(tiny, EXACT, repeats=2, name=name) for name in ("some", "some-again")]
    for run in made:
        for child in run.children:
            (child.folder / "report.json").write_text('{"format": 1, "parts": {}}')
            child.model_path.touch()
        (run.folder / "report.json").write_text('{"format": 1, "parts": {"test": {"accuracy": 0.5}}}')
    for each in ("_answers", "_weights"):
        monkeypatch.setattr(reproduce, each, lambda one, other: 0.0)
    assert reproduce.verdict(*made).same
    (made[1].children[1].folder / "report.json").unlink()
    verdict = reproduce.verdict(*made)
    assert not verdict.same and "cannot be compared: repeat-2" in " ".join(verdict.differed)


def test_a_verdict_of_other_results(tiny: Dataset) -> None:
    """How far they are apart, and why; other images or a lost model cannot be compared."""
    one, other = (make_run(tiny, name, seed=seed) for name, seed in (("one", 1), ("other", 2)))
    for run in (one, other):
        run.model_path.write_bytes(b"no model")
    with pytest.raises(InvalidValue, match="cannot be read"):
        reproduce.verdict(one, other)
    for run in (one, other):
        run.model_path.unlink()
    twin = make_run(tiny, "twin", seed=1, differed=["Other versions: keras 2.0 then, 3.0 now."])
    found = one.predictions()
    assert found is not None and found.shifted is not None
    nudged = Predictions(found.index, found.part, found.label, found.probabilities + 0.25, found.shifted)
    write_predictions(twin.folder, nudged)
    assert reproduce._answers(one, twin) == pytest.approx(0.25)
    assert reproduce._answers(one, other) is None
    told = str(reproduce.verdict(one, twin))
    assert told.startswith("Not the same") and "keras 2.0 then" in told
