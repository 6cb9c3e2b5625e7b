"""The search: what it asks for, what it may see, and that it goes on where it was cut off."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bloodapp.data.dataset import Dataset
from bloodapp.errors import InvalidValue
from bloodapp.jobs import perform, request_stop, resume
from bloodapp.runs.run import Run, open_run
from bloodapp.train import head, launch, part, phases, reproduce, search
from bloodapp.train.settings import with_settings
from tests.train import series_kinds
from tests.train.trying import TINY


@pytest.fixture(autouse=True)
def quick_series(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings made up and done in this process; looked at often."""
    monkeypatch.setattr(part, "LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(series_kinds, "run_child", lambda job, table: perform(job, series_kinds.KINDS))


def perform_here(run: Run) -> str:
    """Perform the search's job in this process, with made-up trainings."""
    return perform(run.job, series_kinds.KINDS)


def test_what_is_asked_for_is_a_recipe() -> None:
    """Every suggestion changes the recipe into one that is valid; unfrozen layers only where weights are trained."""
    for recipe in (TINY, replace(TINY, model="mobilenetv2", weights="imagenet", size=96, small_size=96)):
        known: list = []
        for number in range(12):
            params = search.suggested(recipe, 12, known)
            assert params == search.suggested(recipe, 12, known)
            changed = with_settings(recipe, search.changes(params, recipe))
            dense = [step for step in head.parse(changed.head) if step.kind == "dense"]
            assert [step.units for step in dense] == [params["neurons"] >> k for k in range(params["layers"])]
            assert recipe.learning_rate / 10.1 < changed.learning_rate < recipe.learning_rate * 10.1
            assert ("unfrozen" in params) == (recipe.weights != "none")
            assert phases.parse(changed.phases)
            known.append((params, None if number == 3 else params["layers"] + params["dropout"]))
        # It finds out that more layers score more.
        assert np.mean([each["layers"] for each, _ in known[6:]]) > 1.5


def test_what_is_not_searched_is_the_recipes() -> None:
    """Activation, initialiser, L1, L2, the output layer, frozen first phases and the rates that phases name."""
    recipe = replace(
        TINY,
        weights="imagenet",
        model="mobilenetv2",
        size=96,
        small_size=96,
        epochs=9,
        head="dense(64, gelu, he_uniform, l1=1e-5, l2=1e-4)|output(he_normal, l2=0.01)",
        phases="frozen(5, rate=0.01)|full(rate=1e-4)",
    )
    params = {"layers": 2, "neurons": 128, "dropout": 0.25, "learning_rate": 0.002, "unfrozen": 15}
    changed = with_settings(recipe, search.changes(params, recipe))
    *layers, output = head.parse(changed.head)
    dense = [step for step in layers if step.kind == "dense"]
    assert [replace(step, units=64) for step in dense] == [head.parse(recipe.head)[0]] * 2
    assert [step.units for step in dense] == [128, 64] and output == head.parse(recipe.head)[-1]
    assert phases.parse(changed.phases) == phases.parse("frozen(5, rate=0.01)|last(15, rate=1e-4)")
    none = search.changes({**params, "layers": 0, "unfrozen": 0}, recipe)
    assert none["head"] == "dropout(0.25)|output(he_normal, l2=0.01)"
    assert phases.parse(none["phases"]) == phases.parse("frozen(5, rate=0.01)|frozen(rate=1e-4)")
    plain = search.changes({**params, "layers": 1}, replace(recipe, head="", phases="unfreeze(4, 2)"))
    assert head.parse(plain["head"])[0] == head.Step("dense", 128, activation="relu")
    assert plain["phases"] == "frozen(2)|last(15, 8)"


def test_trials_are_judged_as_their_epochs_are(tiny: Dataset) -> None:
    """A recipe that goes by its loss is searched by it: the least is the best."""
    run = search.start(tiny, replace(TINY, score="loss"), 2, name="some")
    assert perform_here(run) == "done", run.job.status()
    *trials, best = run.children
    answers = [child.predictions().only("val") for child in trials]
    losses = [float(-np.log(one.probabilities[np.arange(len(one)), one.label]).mean()) for one in answers]
    assert [search.score(child) for child in trials] == pytest.approx([-loss for loss in losses])
    assert best.config["params"] == trials[int(np.argmin(losses))].config["params"]
    assert run.report()["series"]["score"] == "loss"


def test_trials_do_not_see_the_test_part(tiny: Dataset) -> None:
    """Only the best, trained once more, has it; its results are the search's."""
    run = search.start(tiny, TINY, 3, name="some")
    assert run.children == [] and run.series == "search"
    assert perform_here(run) == "done", run.job.status()
    *trials, best = run.children
    assert [child.name for child in trials] == [
        f"some-trial-{k}" for k in (1, 2, 3)
    ] and best.name == "some-best"
    whole = run.split()
    for child in trials:
        assert set(child.split()["part"]) == {"train", "val"}
        assert child.split().equals(whole[whole["part"] != "test"].reset_index(drop=True))
        assert "test" not in child.report()["parts"] and child.parent == "some"
    assert best.split().equals(whole)
    report = run.report()
    assert report is not None and report["test_reads"] == 1 and report["parts"] == best.report()["parts"]
    assert run.finished and run.predictions() is not None
    scores = [search.score(child) for child in trials]
    told = report["series"]
    assert [trial["score"] for trial in told["trials"]] == scores and told["of"] == 3
    top = trials[int(np.argmax(scores))]
    assert best.config["params"] == top.config["params"]
    assert best.config["recipe"]["head"] == top.config["recipe"]["head"] == told["best"]["head"]
    with pytest.raises(InvalidValue, match="some-best"):
        reproduce.start(run)
    with pytest.raises(InvalidValue, match="is a search"):
        launch.again(best)


def test_a_search_goes_on_where_it_was(tiny: Dataset) -> None:
    """A trial that fails is passed over; trials that ended are kept; when all fail the search does."""
    run = search.start(tiny, TINY, 3, name="some")
    fails = [run.folder.with_name(f"fail-some-trial-{number}") for number in (1, 2, 3)]
    for each in fails:
        each.touch()
    assert perform_here(run) == "failed" and "Memory ran out" in run.job.status()["error"]
    fails[2].unlink()
    resume(run.job)
    assert perform_here(run) == "done"
    assert [trial["score"] is None for trial in run.report()["series"]["trials"]] == [True, True, False]
    assert [len((child.folder / "began").read_text()) for child in run.children] == [1, 1, 2, 1]


def test_a_search_is_stopped(tiny: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the best is trained there is no result; continued, no trial is done twice."""
    run = search.start(tiny, TINY, 3, name="some")
    real = series_kinds.KINDS["train"]

    def stopping(params: dict, context: object) -> dict:
        if params["run"] == "some-trial-2":
            request_stop(run.job)
        return real(params, context)  # type: ignore[operator]

    monkeypatch.setitem(series_kinds.KINDS, "train", stopping)
    assert perform_here(run) == "stopped" and run.report() is None
    monkeypatch.setitem(series_kinds.KINDS, "train", real)
    resume(run.job)
    assert perform_here(run) == "done"
    assert len(run.children) == 4 and Path(run.folder / "model.keras").exists()


def test_searches_that_cannot_be(tiny: Dataset) -> None:
    """Too few trials, folds, and a name that is a run of its own."""
    with pytest.raises(InvalidValue, match="from 2 to"):
        search.start(tiny, TINY, 1)
    with pytest.raises(InvalidValue, match="folds to 0"):
        search.start(tiny, replace(TINY, folds=2), 5)
    launch.start(tiny, TINY, name="some-trial-1")
    run = search.start(tiny, TINY, 2, name="some")
    assert perform_here(run) == "failed"
    assert "a run of its own" in open_run("some").job.status()["error"]
