"""Runs on the command line: series, side by side, made again, renamed, deleted."""

import io
import re
from collections.abc import Callable

import pytest

from bloodapp.cli.terminal import percent
from bloodapp.data.dataset import Dataset
from bloodapp.jobs import perform
from bloodapp.runs.run import list_runs, open_run
from bloodapp.train import launch, reproduce
from tests.made import make_run
from tests.train import series_kinds
from tests.train.series_kinds import KINDS
from tests.train.trying import TINY

Run = Callable[..., str]


@pytest.fixture
def made_up_trainings(monkeypatch: pytest.MonkeyPatch) -> None:
    """What commands train is made up, and made in this process."""
    monkeypatch.setattr("bloodapp.cli.work.run_child", lambda job, table: perform(job, KINDS))
    monkeypatch.setattr(series_kinds, "run_child", lambda job, table: perform(job, KINDS))


SMALL = [f"--set={each}" for each in ("model=tiny", "pipeline=none", "val_share=0.2", "test_share=0.2")]


@pytest.mark.usefixtures("made_up_trainings")
def test_repeats(tiny: Dataset, run: Run) -> None:
    """One series, its name last; in the list with mean and spread, its trainings only when asked for."""
    name = run("train", "tiny", "--repeats", "2", *SMALL).splitlines()[-1]
    assert open_run(name).series == "repeats" and open_run(name).state() == "done"
    listed = run("runs")
    assert len([line for line in listed.splitlines() if "shipped  " not in line]) == 1
    assert re.search(rf"^{name}  done .* ± .* 2 repeats$", listed, re.M)
    everything = run("runs", "--all")
    assert re.search(rf"^{name}-repeat-2 .* of {name}$", everything, re.M)
    told = run("train", "--resume", f"{name}-repeat-1", code=2, stream="err")
    assert f"part of '{name}'" in told
    assert "nothing to continue" in run("train", "--resume", name, code=2, stream="err")


@pytest.mark.usefixtures("made_up_trainings")
def test_tune(tiny: Dataset, run: Run) -> None:
    """The trials with their scores, best first, what the best changes as flags, and the search's name last."""
    lines = run("tune", "tiny", "--trials", "2", "--run-name", "some", *SMALL).splitlines()
    assert lines[-1] == "some" and open_run("some").finished
    scores = [float(re.search(r"([\d.]+) %  layers=", line)[1]) for line in lines[:2]]  # type: ignore[index]
    assert scores == sorted(scores, reverse=True)
    assert [line.partition("=")[0] for line in lines[2:-1]] == ['--set "head', '--set "learning_rate']
    assert "from 2 to" in run("tune", "tiny", "--trials", "1", code=2, stream="err")


def test_settings_of_every_kind(tiny: Dataset, run: Run) -> None:
    """What cannot be is said by field, before a run's folder is made."""
    for setting, said in (
        ("folds=1", "at least 2"),
        ("folds=21", "from 0 to 20"),
        ("vote=loudest", "vote must be one of average, majority"),
        ("stratified=perhaps", "stratified must be true or false"),
        ("nothing=1", "Can't find recipe field 'nothing'"),
    ):
        assert said in run("train", "tiny", "--set", setting, code=2, stream="err")
    told = run("train", "tiny", "--set", "folds=3", "--repeats", "2", code=2, stream="err")
    assert "not repeated" in told
    assert [one.name for one in list_runs() if not one.shipped] == []


def test_compare(tiny: Dataset, run: Run) -> None:
    """Scores with intervals, the difference image by image where that is fair, and what sets them apart."""
    make_run(tiny, "one", seed=1, right=(0.9, 0.8), pipeline="flip")
    make_run(tiny, "two", seed=1, right=(0.2, 0.1), pipeline="none")
    make_run(tiny, "other", seed=2, pipeline="flip")
    lines = run("compare", "one", "two").splitlines()
    assert re.match(
        r"one +\d+ test images +accuracy [\d.]+ % \([\d.]+–[\d.]+\) +balanced .* shifted ", lines[0]
    )
    (clean,) = [line for line in lines if line.startswith("two beside one:")]
    assert re.search(r": -\d+\.\d points \(95 % interval -.*\); \d+ mended, \d+ broken of \d+ images", clean)
    assert any(line.startswith("two beside one under the shift:") for line in lines)
    assert re.search(r"^pipeline +flip +none$", "\n".join(lines), re.M)
    longer = " > ".join(["flip"] * 20)
    make_run(tiny, "longer", seed=1, pipeline=longer)
    told = run("compare", "one", "longer")
    assert re.search(rf"^pipeline\n  one +flip\n  longer +{longer}$", told, re.M), told
    told = run("compare", "one", "other")
    assert "not judged on the same images" in told and "beside one" not in told
    assert "Their configurations are the same." in told or "images" in told
    assert "at least two runs" in run("compare", "one", "one", code=2, stream="err")
    assert "Can't find run 'nobody'" in run("compare", "one", "nobody", code=2, stream="err")


@pytest.mark.usefixtures("made_up_trainings")
def test_reproduce(tiny: Dataset, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """What differs today without training; with it the verdict, and the new run's name last."""
    made = launch.start(tiny, TINY, name="first")
    assert "let it finish first" in run("reproduce", "first", code=2, stream="err")
    perform(made.job, KINDS)
    told = run("reproduce", "first", "--quick-check")
    assert told.startswith("It was not trained deterministically") and len(told.splitlines()) == 1
    monkeypatch.setattr(reproduce, "_weights", lambda one, other: 0.0)  # what is made up has no network
    lines = run("reproduce", "first").splitlines()
    assert lines[0].startswith("The same to the last digit") and lines[-1] == "first-again"


def test_rename_note_delete(tiny: Dataset, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The title and the note are kept; deleting asks, and without a terminal wants to be told."""
    make_run(tiny, "mine")
    assert run("rename", "mine", "With more colour").split(maxsplit=1) == ["mine", "With more colour\n"]
    run("note", "mine", "overfits")
    assert (open_run("mine").title, open_run("mine").notes()) == ("With more colour", "overfits")
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert "add --yes" in run("delete", "mine", code=2, stream="err")

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    assert "Nothing was deleted" in run("delete", "mine", stream="err")
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    assert run("delete", "mine").split() == ["mine", "deleted"]
    make_run(tiny, "other")
    run("delete", "other", "--yes")
    assert "other" not in run("runs")
    assert "ships with the app" in run("delete", "starter", "--yes", code=2, stream="err")


def test_spreads_as_people_read_them() -> None:
    """A mean with its standard deviation."""
    assert percent(0.9712, 0.0034) == "97.1 ± 0.3 %" and percent(None, 0.1) == "-"
