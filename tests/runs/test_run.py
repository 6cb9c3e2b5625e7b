"""The run folder: created, listed, read, deleted."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bloodapp import workspace
from bloodapp.classes import DEFAULT_CLASSES
from bloodapp.errors import AlreadyExists, Busy, InvalidValue, NotFound
from bloodapp.jobs import list_jobs, submit
from bloodapp.runs.run import delete_run, headline, latest_run, list_runs, new_run, open_run

SPLIT = pd.DataFrame(
    {
        "index": np.arange(5),
        "part": ["train", "train", "train", "val", "test"],
        "label": np.array([0, 1, 2, 0, 1], np.int16),
    }
)


def config(**changes: Any) -> dict[str, Any]:
    """A config with all that a run needs."""
    recipe = {"name": "resnet9", "epochs": 3}
    some = {"recipe": recipe, "dataset": "course", "fingerprint": "f00", "seq": 7, "classes": DEFAULT_CLASSES}
    return {**some, "size": 96, **changes}


def finish(folder: Path, **parts: dict[str, float]) -> None:
    """Give a run what a finished one has."""
    (folder / "model.keras").write_bytes(b"model")
    workspace.write_json(folder / "report.json", {"parts": parts})


@pytest.fixture
def shipped(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A starter run beside the user's own, and a run in the same place that does not ship."""
    store = home.parent / "checkout-models"
    for name, ships in (("starter", True), ("somebodys", False)):
        folder = store / name
        folder.mkdir(parents=True)
        content = config(
            shipped=ships, created="2026-01-01T00:00:00.000Z", classes=[vars(c) for c in DEFAULT_CLASSES]
        )
        workspace.write_json(folder / "config.json", content)
        finish(folder, val={"n": 10, "accuracy": 0.98, "balanced_accuracy": 0.97, "shifted_accuracy": 0.9})
    monkeypatch.setattr(workspace, "shipped_runs_folder", lambda: store)
    return store / "starter"


def test_a_new_run_has_its_config_and_split(home: Path) -> None:
    """Both are there before anything starts, and read back as they were given."""
    folder = new_run(config(), SPLIT, "mine")
    assert folder == home / "models" / "mine"
    run = open_run("mine")
    assert (run.name, run.title, run.recipe, run.dataset, run.size) == (
        "mine",
        "mine",
        "resnet9",
        "course",
        96,
    )
    assert run.classes == DEFAULT_CLASSES
    assert run.config["seq"] == 7
    assert run.split().equals(SPLIT.astype({"index": "int64"}))
    assert run.state() == "queued"
    assert run == open_run(folder)


def test_names_are_made_and_numbered(home: Path) -> None:
    """Recipe, day and the next free number."""
    names = [new_run(config(), SPLIT).name for _ in range(3)]
    day = workspace.now()[:10]
    assert names == [f"resnet9-{day}-{number}" for number in (1, 2, 3)]


def test_a_name_is_used_once(home: Path, shipped: Path) -> None:
    """Neither one's own nor a shipped run is overwritten, and a name must be one."""
    new_run(config(), SPLIT, "mine")
    for taken in ("mine", "starter"):
        with pytest.raises(AlreadyExists):
            new_run(config(), SPLIT, taken)
    with pytest.raises(InvalidValue):
        new_run(config(), SPLIT, "../mine")


@pytest.mark.usefixtures("nothing_shipped")
def test_a_config_must_be_whole(home: Path) -> None:
    """What is missing is named, and no folder stays behind."""
    with pytest.raises(InvalidValue, match="fingerprint"):
        new_run({key: value for key, value in config().items() if key != "fingerprint"}, SPLIT, "mine")
    with pytest.raises(KeyError):
        new_run(config(), SPLIT.drop(columns="label"), "mine")
    assert list_runs() == [] and not (home / "models" / "mine").exists()


def test_listed_newest_first_and_shipped_last(home: Path, shipped: Path) -> None:
    """Runs of the checkout that do not ship belong to another home."""
    first, second = new_run(config(), SPLIT, "first"), new_run(config(), SPLIT, "second")
    path = first / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "created": "2026-02-01T00:00:00.000Z"}))
    (home / "models" / "no-run").mkdir()
    (home / "models" / "damaged").mkdir()
    (home / "models" / "damaged" / "config.json").write_text("{")
    assert [run.name for run in list_runs()] == [second.name, "first", "starter"]
    with pytest.raises(NotFound, match=r"Available: first, second, starter"):
        open_run("third")


def test_a_shipped_run_is_done_and_read_only(shipped: Path) -> None:
    """Its files are never touched."""
    run = open_run("starter")
    assert run.shipped and run.finished and run.state() == "done"
    before = sorted(path.name for path in shipped.iterdir())
    with pytest.raises(InvalidValue, match=r"ships with the app and cannot be deleted"):
        delete_run(run)
    with pytest.raises(InvalidValue, match="cannot be changed"):
        run.write_notes("mine now")
    assert run.split().empty and run.metrics().empty and run.predictions() is None
    assert run.notes() == ""
    assert sorted(path.name for path in shipped.iterdir()) == before


@pytest.mark.usefixtures("nothing_shipped")
def test_its_job_is_in_the_same_folder(home: Path) -> None:
    """The training is listed among the jobs, and its state is the run's."""
    folder = new_run(config(), SPLIT, "mine")
    job = submit("train", {"run": "mine"}, folder=folder)
    run = open_run("mine")
    assert run.job == job == list_jobs()[0]
    with job.held():
        job.write_status({"state": "running", "attempt": 1})
        assert run.state() == "running"
        with pytest.raises(Busy):
            delete_run(run)
    assert run.state() == "interrupted"
    delete_run(run)
    assert list_runs() == []


def test_metrics_of_a_continued_run(home: Path) -> None:
    """A torn last line is passed over and written over; of an epoch done twice the second counts."""
    folder = new_run(config(), SPLIT, "mine")
    path = folder / "metrics.jsonl"
    run = open_run("mine")
    assert run.metrics().empty
    for epoch in (1, 2, 3):
        workspace.append_line(path, {"epoch": epoch, "loss": 1 / epoch})
    with path.open("a") as stream:
        stream.write('{"epoch": 4, "lo')
    assert run.metrics()["epoch"].tolist() == [1, 2, 3]
    workspace.append_line(path, {"epoch": 3, "loss": float("nan")})
    workspace.append_line(path, {"epoch": 4, "loss": 0.1})
    metrics = run.metrics()
    assert metrics["epoch"].tolist() == [1, 2, 3, 4]
    assert metrics["loss"].isna().tolist() == [False, False, True, False]


def test_headline_takes_the_test_part_if_there_is_one(home: Path) -> None:
    """Else val; what was not measured is None; without a report there is none."""
    folder = new_run(config(), SPLIT, "mine")
    run = open_run("mine")
    assert headline(run) is None and not run.finished
    finish(folder, val={"n": 4, "accuracy": 0.5})
    expected = {"part": "val", "n": 4, "accuracy": 0.5, "balanced_accuracy": None, "shifted_accuracy": None}
    assert headline(run) == expected
    finish(folder, val={"n": 4, "accuracy": 0.5}, test={"n": 9, "accuracy": 0.75, "shifted_accuracy": 0.25})
    told = headline(run)
    assert told is not None
    assert (told["part"], told["n"], told["accuracy"], told["shifted_accuracy"]) == ("test", 9, 0.75, 0.25)


def test_the_latest_run(shipped: Path) -> None:
    """The newest finished one of the dataset; the starter if there is no other."""
    assert latest_run() == open_run("starter")
    assert latest_run("other") is None
    folder = new_run(config(dataset="other"), SPLIT, "mine")
    assert latest_run("other") is None
    assert latest_run("other", finished=False) == open_run("mine")
    finish(folder, val={"n": 4, "accuracy": 0.5})
    assert latest_run() == latest_run("other") == open_run("mine")


def test_a_quick_trial_is_no_result(home: Path) -> None:
    """It is the latest run only where the dataset has no other."""
    finish(new_run(config(dataset="other"), SPLIT, "real"), val={"n": 4, "accuracy": 0.5})
    for dataset in ("other", "tried"):
        small = config(dataset=dataset, recipe={"name": "plain", "images": 256})
        finish(new_run(small, SPLIT, f"{dataset}-trial"), val={"n": 4, "accuracy": 0.1})
    assert open_run("other-trial").trial and not open_run("real").trial
    assert latest_run("other") == open_run("real")
    assert latest_run("tried") == open_run("tried-trial")


def test_notes(home: Path) -> None:
    """What was written last is read."""
    new_run(config(), SPLIT, "mine")
    run = open_run("mine")
    run.write_notes("first try")
    run.write_notes("second μ try")
    assert run.notes() == "second μ try"


def a_series() -> tuple[Any, Any]:
    """A series of two trainings, the first of them submitted."""
    parent = new_run(config(series={"kind": "folds"}), SPLIT, "five", ["fold-1", "fold-2"])
    for number in (1, 2):
        new_run(config(parent="five", fold=number), SPLIT, f"five-fold-{number}")
    submit("series", {"run": "five"}, folder=parent)
    job = submit("train", {"run": "five-fold-1"}, folder=parent.with_name("five-fold-1"))
    return open_run("five"), job


@pytest.mark.usefixtures("nothing_shipped")
def test_a_series_knows_its_trainings(home: Path) -> None:
    """And they it; those are no runs to be used by themselves."""
    run, _ = a_series()
    assert run.series == "folds" and run.config["series"]["children"] == ["five-fold-1", "five-fold-2"]
    assert [child.name for child in run.children] == run.config["series"]["children"]
    assert [child.parent for child in run.children] == ["five", "five"] and run.parent == ""
    assert run.children[0].children == [] and run.children[1].state() == "queued"
    finish(run.children[1].folder, val={"n": 4, "accuracy": 0.5})
    assert latest_run() is None


@pytest.mark.usefixtures("nothing_shipped")
def test_a_series_goes_with_its_trainings(home: Path) -> None:
    """Not while one works, and none of them alone."""
    run, job = a_series()
    with pytest.raises(InvalidValue, match="part of 'five'"):
        delete_run(run.children[1])
    with job.held():
        job.write_status({"state": "running", "attempt": 1})
        with pytest.raises(Busy, match="five-fold-1"):
            delete_run(run)
    assert len(run.children) == 2
    delete_run(run)
    assert list_runs() == []


def test_renaming(home: Path, shipped: Path) -> None:
    """The title changes and config.json does not; notes and title do not lose one another; empty takes it back."""
    folder = new_run(config(title="First"), SPLIT, "mine")
    before = (folder / "config.json").read_text()
    run = open_run("mine")
    assert run.title == "First"
    run.write_notes("good")
    run.rename(" With  more\ncolour ")
    run.write_notes("better")
    assert (run.title, run.notes()) == ("With more colour", "better")
    run.rename("")
    assert (run.title, run.notes()) == ("mine", "better")
    assert (folder / "config.json").read_text() == before
    with pytest.raises(InvalidValue, match="200"):
        run.rename("x" * 201)
    with pytest.raises(InvalidValue, match="ships"):
        open_run("starter").rename("mine now")
