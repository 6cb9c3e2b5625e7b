"""The command line: every command on real data, exit codes, streams, Ctrl-C."""

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bloodapp import cli
from bloodapp.cli.terminal import Progress, percent, seconds
from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import judge, record, undo
from bloodapp.data.importing import import_source
from bloodapp.jobs import open_job, submit
from tests.jobs.conftest import kill
from tests.jobs.fakes import TABLE, until

COMMANDS = [
    "import",
    "datasets",
    "clean",
    "add",
    "scan",
    "decide",
    "train",
    "runs",
    "recipes",
    "pipelines",
    "cost",
    "rates",
    "evaluate",
    "predict",
    "jobs",
    "work",
    "doctor",
]
Run = Callable[..., str]


def table(text: str) -> list[dict[str, str]]:
    """The rows of a CSV."""
    return list(csv.DictReader(io.StringIO(text, newline="")))


def start(*words: object) -> "subprocess.Popen[str]":
    """A command in a process of its own."""
    command = [sys.executable, "-m", "bloodapp", *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_every_command_has_help_with_an_example(run: Run) -> None:
    """The commands of the contract, each with a sentence and at least one line to copy."""
    listed = run("--help")
    for name in COMMANDS:
        assert re.search(rf"^    {name}\s", listed, re.M), name
        told = run(name, "--help")
        assert f"  python -m bloodapp {name}" in told.partition("examples:")[2]


def test_help_imports_nothing_heavy() -> None:
    """What a command needs is imported inside it."""
    code = "import sys; from bloodapp import cli; cli.parser().format_help(); print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"numpy", "pandas", "tensorflow", "keras", "streamlit", "plotly", "PIL"} & set(loaded)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["inport"], "invalid choice"),
        (["import"], "SOURCE"),
        (["import", "nowhere.npz"], "Can't find 'nowhere.npz'"),
        (["import", "sample", "--size", "7"], "size 7"),
        (["scan", "nothing"], "Can't find dataset 'nothing'. Available: none yet."),
        (["decide", "nothing"], "--from"),
        (["train"], "which dataset"),
        (["train", "nothing"], "dataset"),
        (["train", "--resume", "nothing"], "Can't find run 'nothing'"),
        (["train", "some", "--resume", "other"], "give it no dataset"),
        (["train", "some", "--json", "effect.json"], "--before-and-after"),
        (["train", "some", "--before-and-after", "--repeats", "2"], "--repeats"),
        (["train", "some", "--before-and-after", "--json", "no/such/folder.json"], "make it first"),
        (["evaluate", "nothing"], "Can't find run 'nothing'"),
        (["predict", "sample", "--model", "nothing", "--csv", "-"], "Can't find run 'nothing'"),
        (["predict", "sample", "--csv", "/nowhere/at/all.csv"], "does not exist"),
        (["work", "nothing"], "Can't find job 'nothing'"),
    ],
)
def test_mistakes_are_one_line_and_exit_2(home: Path, run: Run, words: list[str], said: str) -> None:
    """No usage, no traceback: what is wrong, and what one can do."""
    told = run(*words, code=2, stream="err")
    assert said in told
    assert told.startswith("bloodapp: ") and told.count("\n") == 1


def test_a_bug_keeps_its_traceback(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no mistake of the user is not dressed up as one; Python exits with 1."""

    def broken() -> list[str]:
        raise ZeroDivisionError

    monkeypatch.setattr("bloodapp.data.dataset.list_datasets", broken)
    with pytest.raises(ZeroDivisionError):
        cli.main(["datasets"])


def test_empty_lists_are_empty(home: Path, run: Run) -> None:
    """Nothing on stdout, so that a script sees nothing."""
    for name in ("datasets", "jobs"):
        assert run(name) == ""


def test_import_prints_the_dataset(tiny: Dataset, tmp_path: Path, run: Run) -> None:
    """Name first, and the same line as `datasets`."""
    told = run("import", tmp_path / "tiny.npz", "--name", "again")
    assert told.split()[:3] == ["again", "48", "images"]
    assert [line.split()[0] for line in run("datasets").splitlines()] == ["again", "tiny"]
    assert "--replace" in run("import", tmp_path / "tiny.npz", "--name", "again", code=2, stream="err")
    run("import", tmp_path / "tiny.npz", "--name", "again", "--replace", "--size", "32")
    assert "32 px" in run("datasets")


def test_import_says_what_it_could_not_read(home: Path, tmp_path: Path, run: Run) -> None:
    """Skipped pictures are named on stderr."""
    from PIL import Image

    for name in ("basophil", "platelet"):
        (tmp_path / "cells" / name).mkdir(parents=True)
        Image.new("RGB", (20, 20), (200, 180, 190)).save(tmp_path / "cells" / name / "one.png")
    (tmp_path / "cells" / "platelet" / "two.png").write_text("no picture")
    assert "two.png" in run("import", tmp_path / "cells", stream="err")


def test_scan_writes_the_columns_of_the_contract(tiny: Dataset, tmp_path: Path, run: Run) -> None:
    """To stdout or to a file the same: most urgent first, one row an index and kind."""
    text = run("scan", "tiny")
    rows = table(text)
    assert text.startswith("index,kind,score,group,suggested,reason\r\n")
    scores = [float(row["score"]) for row in rows]
    assert scores == sorted(scores, reverse=True) and 0 <= scores[-1] <= scores[0] <= 1
    assert len({(row["index"], row["kind"]) for row in rows}) == len(rows)
    assert {row["index"] for row in rows if row["kind"] == "label_conflict"} >= {"46", "47"}
    copies = [row for row in rows if row["kind"] in ("exact_duplicate", "label_conflict")]
    assert {row["group"] for row in copies if row["index"] == "47"} == {"0"}
    assert {row["suggested"] for row in rows} <= {"", *(one.key for one in tiny.classes)}
    told = run("scan", "tiny", "--csv", tmp_path / "found.csv", stream="err")
    assert "exact_duplicate" in told
    assert (tmp_path / "found.csv").read_bytes().decode() == text


@pytest.mark.parametrize(("rule", "left"), [("sharpest", [0]), ("majority", [0]), ("none", [])])
def test_decide_keeps_one_of_each_group_by_a_rule(
    rule: str, left: list[int], tiny: Dataset, tmp_path: Path, run: Run
) -> None:
    """Of three copies one stays, or none; of equally sharp ones the first, and the one with the majority's label."""
    found = tmp_path / "found.csv"
    run("scan", "tiny", "--csv", found)
    run("decide", "tiny", "--from", found, "--kind", "exact_duplicate", "--action", f"keeper={rule}")
    assert [index for index in (0, 46, 47) if judge(tiny).included[index]] == left


@pytest.mark.parametrize(
    ("words", "written"),
    [
        (["--out", "a.npz"], "a.npz"),
        (["--out", "a.npz", "--to", "medmnist"], "a.npz"),
        (["--out", "a.zip"], "a.zip"),
        (["--out", "a", "--to", "folders", "--unlabelled"], "a/basophil/000000.png"),
        (["--out", "a", "--to", "csv"], "a/labels.csv"),
    ],
)
def test_clean_in_every_format(
    tiny: Dataset, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch, words: list[str], written: str
) -> None:
    """The format is named or guessed; a second time what is there stays, unless it is to be replaced.

    A file whose format was not named is: scripts that write it again have always been able to.
    """
    monkeypatch.chdir(tmp_path)
    assert run("clean", "tiny", *words).split()[1] == "48"
    assert (tmp_path / written).is_file()
    if "--to" not in words:
        run("clean", "tiny", *words)
        return
    said = run("clean", "tiny", *words, code=2, stream="err").splitlines()[-1]
    assert "is there already: choose another name, or replace it (--replace)" in said
    run("clean", "tiny", *words, "--replace")


def test_clean_refuses_in_a_sentence(tiny: Dataset, run: Run) -> None:
    """A name that says no format, or another one, is a mistake of the user."""
    assert "--to folders or --to csv" in run("clean", "tiny", "--out", "a", code=2, stream="err")
    assert "must end in .zip" in run("clean", "tiny", "--out", "a.npz", "--to", "zip", code=2, stream="err")
    refused = run("clean", "tiny", "--out", "a.npz", "--unlabelled", code=2, stream="err")
    assert "no place for images without a label: choose folders, zip, csv" in refused


def test_decide_undo_log_and_clean(tiny: Dataset, tmp_path: Path, run: Run) -> None:
    """From findings to a cleaned file, and back."""
    found = tmp_path / "found.csv"
    run("scan", "tiny", "--csv", found)
    assert run(
        "decide", "tiny", "--from", found, "--kind", "exact_duplicate", "--action", "keeper=first"
    ).split() == [
        "batch",
        "1",
        "exclude",
        "2",
        "images",
    ]
    assert np.flatnonzero(~judge(tiny).included).tolist() == [46, 47]
    out = tmp_path / "clean.npz"
    assert run("clean", "tiny", "--out", out).split()[1] == "46"
    with np.load(out, allow_pickle=False) as arrays:
        assert arrays["images"].shape == (46, 96, 96, 3) and arrays["labels"].shape == (46, 1)
    log = table(run("decide", "tiny", "--log"))
    assert [(row["index"], row["action"], row["why"]) for row in log] == [
        ("47", "exclude", "exact_duplicate"),
        ("46", "exclude", "exact_duplicate"),
    ]
    run("decide", "tiny", "--undo", "seq:1")
    assert np.flatnonzero(~judge(tiny).included).tolist() == [47]
    run("decide", "tiny", "--undo", "1")
    assert judge(tiny).included.all()
    assert "undone already" in run("decide", "tiny", "--undo", "batch:1", code=2, stream="err")
    run("decide", "tiny", "--undo", "4")  # no batch has this number, an event has: the undo of the second
    assert np.flatnonzero(~judge(tiny).included).tolist() == [47]


def test_decide_log_of_one_person_exported_and_replayed(tiny: Dataset, tmp_path: Path, run: Run) -> None:
    """The log is filtered with the undos of what it shows; a copy in another order takes it over, once."""
    record(tiny, [1, 2], "exclude", who="Anna")
    record(tiny, [3], "flag", who="Anna")
    record(tiny, [4], "exclude", who="Bo")
    undo(tiny, seq=2, who="Bo")
    mine = table(run("decide", "tiny", "--log", "--who", "Anna", "--action", "exclude"))
    assert [(row["seq"], row["who"], row["action"]) for row in mine] == [
        ("5", "Bo", "undo"),
        ("2", "Anna", "exclude"),
        ("1", "Anna", "exclude"),
    ]
    out = str(tmp_path / "log.csv")
    run("decide", "tiny", "--log", "--who", "Anna", "--csv", out)
    np.savez(tmp_path / "turned.npz", images=tiny.images[::-1], labels=tiny.labels[::-1])
    turned = import_source(tmp_path / "turned.npz")
    said = dict(line.split() for line in run("decide", "turned", "--replay", out).splitlines())
    assert said == {
        "events": "4",
        "replayed": "4",
        "present": "0",
        "missing": "0",
        "changed": "1",
        "overruled": "0",
    }
    assert np.flatnonzero(~judge(turned).included).tolist() == [46]
    assert "replayed   0" in run("decide", "turned", "--replay", out)
    nowhere = str(tmp_path / "no" / "log.csv")
    assert "make it first" in run("decide", "tiny", "--log", "--csv", nowhere, code=2, stream="err")
    assert "goes with --log" in run("decide", "tiny", "--undo", "1", "--who", "Bo", code=2, stream="err")
    assert "recorded as exclude" in run(
        "decide", "tiny", "--log", "--action", "keeper=first", code=2, stream="err"
    )


def test_decide_relabels(tiny: Dataset, tmp_path: Path, run: Run) -> None:
    """By key or number, from the CSV or for all rows; rows without a label are passed over."""
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("index,suggested\n3,basophil\n4,7\n5,\n6,basophil\n")
    assert len(run("decide", "tiny", "--from", wrong, "--action", "relabel").splitlines()) == 2
    assert judge(tiny).labels[[3, 4, 5, 6]].tolist() == [0, 7, 5, 0]
    run(
        "decide",
        "tiny",
        "--from",
        wrong,
        "--action",
        "relabel",
        "--label",
        "platelet",
        "--why",
        "looked again",
    )
    assert judge(tiny).labels[[3, 4, 5, 6]].tolist() == [7, 7, 7, 7]
    assert table(run("decide", "tiny", "--log"))[0]["label"] == "platelet"


@pytest.mark.parametrize(
    ("content", "words", "said"),
    [
        ("index\n1\n", ["--action", "relabel"], "--label"),
        ("index\n1\n", ["--action", "relabel", "--label", "unicorn"], "Can't find class 'unicorn'"),
        ("index\n1\n", ["--action", "keep", "--label", "platelet"], "goes with"),
        ("index\n1\n", [], "Say what to do"),
        ("index\n1\n", ["--action", "exclude", "--kind", "dark"], "no column 'kind'"),
        (
            "index,kind\n1,dark\n",
            ["--action", "exclude", "--kind", "dusk"],
            "Can't find kind of finding 'dusk'",
        ),
        ("index\n1\n", ["--action", "keeper=first"], "group"),
        ("name\n1\n", ["--action", "keep"], "no column 'index'"),
        ("index\none\n", ["--action", "keep"], "no whole number"),
        ("index\n48\n", ["--action", "keep"], "does not exist"),
        ("", ["--action", "keep"], "cannot be read as CSV"),
    ],
)
def test_decide_refuses_what_it_does_not_understand(
    tiny: Dataset, tmp_path: Path, run: Run, content: str, words: list[str], said: str
) -> None:
    """Nothing is decided by mistake."""
    file = tmp_path / "rows.csv"
    file.write_text(content)
    assert said in run("decide", "tiny", "--from", file, *words, code=2, stream="err")
    assert judge(tiny).seq == 0


def test_decide_reads_stdin(tiny: Dataset, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """`scan … | grep … | decide … --from -`."""
    monkeypatch.setattr("sys.stdin", io.StringIO("index\n2\n3\n"))
    run("decide", "tiny", "--from", "-", "--action", "flag")
    assert np.flatnonzero(judge(tiny).flagged).tolist() == [2, 3]


def test_recipes_and_pipelines_name_first(run: Run) -> None:
    """What `--recipe` and `--set pipeline=` take; the default recipe comes first."""
    from bloodapp.augment.named import PIPELINES
    from bloodapp.train.recipes import DEFAULT, RECIPES

    names = [line.split()[0] for line in run("recipes").splitlines()]
    assert names[0] == DEFAULT and set(names) == set(RECIPES)
    assert [line.split()[0] for line in run("pipelines").splitlines()] == list(PIPELINES)


def test_train_refuses_settings_that_are_none(tiny: Dataset, run: Run) -> None:
    """Before a run's folder is made."""
    assert "FIELD=VALUE" in run("train", "tiny", "--set", "epochs", code=2, stream="err")
    assert "whole number" in run("train", "tiny", "--set", "epochs=many", code=2, stream="err")
    assert "Can't find recipe" in run("train", "tiny", "--recipe", "nothing", code=2, stream="err")
    assert "--repeats" in run("train", "tiny", "--repeats", "0", code=2, stream="err")
    assert "tiny" not in run("runs")


def test_train_evaluate_predict(tiny: Dataset, tmp_path: Path, run: Run) -> None:
    """The real thing, small: a training in a child, its name last, its figures, its answers."""
    changes = [
        "--set",
        "model=tiny",
        "--set",
        "pipeline=none",
        "--set",
        "val_share=0.2",
        "--set",
        "test_share=0.2",
    ]
    name = run("train", "tiny", "--quick", *changes).splitlines()[-1]
    job = open_job(name)
    assert job.state() == "done" and job.status()["pid"] != os.getpid()
    assert "there is nothing to continue" in run("train", "--resume", name, code=2, stream="err")
    assert run("runs").splitlines()[0].split()[:3] == [name, "done", "tiny"]
    assert run("jobs").splitlines()[0].split()[:3] == [name, "done", "train"]

    report = json.loads(run("evaluate", name, "--json", "-"))
    assert {"n", "accuracy", "balanced_accuracy", "per_class", "classes", "confusion"} <= set(report)
    assert sum(map(sum, report["confusion"])) == report["n"]
    told = run("evaluate", name, "--part", "val", "--json", tmp_path / "report.json")
    assert "balanced_accuracy" in told and "platelet" in told and "shifted_kappa" in told
    assert json.loads((tmp_path / "report.json").read_text())["part"] == "val"
    assert json.loads(run("evaluate", name, "--on", "tiny", "--json", "-"))["n"] == 48

    run("predict", "tiny", "--csv", tmp_path / "answers.csv", "--model", name)
    rows = table((tmp_path / "answers.csv").read_bytes().decode())
    keys = [one.key for one in tiny.classes]
    head = [
        "name",
        "label",
        "confidence",
        *(f"p_{key}" for key in keys),
        "set",
        "outlier",
        "outlier_score",
        "error",
    ]
    assert list(rows[0]) == head and len(rows) == 48
    (tmp_path / "torn.png").write_bytes(b"no picture")
    torn = table(run("predict", tmp_path / "torn.png", "--csv", "-", "--model", name))
    assert torn[0]["label"] == "" and torn[0]["error"]


def test_ctrl_c_stops_the_work_and_says_how_to_continue(home: Path) -> None:
    """Exit code 130, a true state, and `work` continues where it was."""
    job = submit("count", {"n": 100_000})
    process = start("work", job.id, "--kinds", TABLE)
    until(lambda: job.status().get("done", 0) > 5)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=20)
    assert process.returncode == 130
    assert f"python -m bloodapp work {job.id}" in told and "Traceback" not in told
    assert job.state() == "stopped"
    (job.folder / "counted").write_text("|" * 99_995)
    again = start("work", job.id, "--kinds", TABLE)
    again.communicate(timeout=20)
    assert again.returncode == 0
    assert job.status()["result"] == {"from": 99_995, "to": 100_000}


def test_before_and_after(tiny: Dataset, tmp_path: Path, run: Run) -> None:
    """A quick pair in children: refused without decisions, then both names, the sentences, and the JSON."""
    quick = [
        "--quick",
        *(f"--set={each}" for each in ("model=tiny", "pipeline=none", "val_share=0.2", "test_share=0.2")),
    ]
    said = run("train", "tiny", "--before-and-after", *quick, code=2, stream="err")
    assert "exclude or relabel images first" in said
    (tmp_path / "out.csv").write_text("index\n" + "\n".join(map(str, range(8, 24))) + "\n")
    run("decide", "tiny", "--from", tmp_path / "out.csv", "--action", "exclude")
    target = tmp_path / "effect.json"
    lines = run("train", "tiny", "--before-and-after", "--json", target, *quick).splitlines()
    assert [line.rpartition("-")[2] for line in lines[:2]] == ["before", "after"]
    assert "95 % interval" in lines[2] and "under the shift" in lines[3]
    content = json.loads(target.read_text())
    assert [content["before"], content["after"], content["sentence"]] == lines[:3]
    # Either half brings the comparison back, when one had been stopped and is continued.
    assert "there is nothing to continue" in run("train", "--resume", lines[1], code=2, stream="err")


def test_closing_the_terminal_leaves_the_training(home: Path, tmp_path: Path) -> None:
    """The child is not the terminal's."""
    gate = tmp_path / "gate"
    job = submit("train", {"n": 3, "until": str(gate)})
    process = start("work", job.id, "--kinds", TABLE)
    until(lambda: job.status().get("done") == 2)
    process.kill()
    process.communicate()
    assert job.state() == "running"
    watching = start("work", job.id, "--kinds", TABLE)
    assert watching.stderr is not None and "Counting" in watching.stderr.readline()
    gate.touch()
    watching.communicate(timeout=20)
    assert watching.returncode == 0
    assert (job.folder / "began").read_text().count("\n") == 1


def test_work_does_all_that_is_queued(home: Path, run: Run) -> None:
    """Oldest first; a job that fails does not keep the others from being done, and shows in the exit code."""
    first, bad, last = submit("count", {"n": 2}), submit("mistaken", {}), submit("count", {"n": 1})
    told = run("work", "--kinds", TABLE, code=2, stream="err")
    assert "holds no images" in told
    assert [job.state() for job in (first, bad, last)] == ["done", "failed", "done"]
    assert run("work", "--kinds", TABLE) == ""


def test_work_shows_a_bug_with_its_traceback(home: Path, run: Run) -> None:
    """Exit code 1, and what the log says."""
    job = submit("broken", {})
    told = run("work", job.id, "--kinds", TABLE, code=1, stream="err")
    assert "Traceback" in told and "ZeroDivisionError" in told


def test_work_sees_that_its_child_was_killed(home: Path, tmp_path: Path) -> None:
    """Exit code 1, and how to continue."""
    job = submit("count", {"n": 2, "until": str(tmp_path / "never")})
    process = start("work", job.id, "--kinds", TABLE)
    until(lambda: job.status().get("done") == 1)
    kill(job)
    _, told = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "cut off" in told and f"work {job.id}" in told


def test_a_reader_who_has_had_enough_is_no_error(tiny: Dataset) -> None:
    """`scan tiny | head -1`."""
    process = start("scan", "tiny")
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    told = process.stderr.read()
    process.stderr.close()
    assert process.wait(30) == 0
    assert "Traceback" not in told and "BrokenPipe" not in told


def test_doctor_tells_without_tensorflow_what_it_can(home: Path, run: Run) -> None:
    """Versions, cores, memory and places, a line each."""
    facts = dict(line.split(maxsplit=1) for line in run("doctor", "--no-step").splitlines())
    assert {"bloodapp", "python", "streamlit", "keras", "cores", "home", "runs"} <= set(facts)
    assert facts["home"].startswith(str(home))


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


class Clock:
    """A clock that a test turns."""

    now = 0.0

    def __call__(self) -> float:
        """The time in seconds."""
        return self.now


def test_progress_on_a_terminal_is_one_line_rewritten() -> None:
    """At most ten times a second, with what is left, and gone in the end."""
    stream, clock = Terminal(), Clock()
    with Progress(stream, clock) as progress:
        for step in range(101):
            clock.now = step / 20
            progress(step, 100, "Counting")
    assert 40 <= stream.getvalue().count("\r\x1b[2K") <= 52
    assert re.search(r" 7\d%  Counting  1 s left", stream.getvalue())
    assert stream.getvalue().endswith("\r\x1b[2K") and "\n" not in stream.getvalue()


def test_progress_elsewhere_is_a_line_now_and_then() -> None:
    """Each new stage, and every ten seconds."""
    stream, clock = io.StringIO(), Clock()
    with Progress(stream, clock) as progress:
        for step in range(100):
            clock.now = step / 4
            progress(step, 100, "First" if step < 50 else "Second", left=90)
        progress(1, None)
    assert stream.getvalue().splitlines() == [
        "  0%  First  1 min 30 s left",
        " 40%  First  1 min 30 s left",
        " 50%  Second  1 min 30 s left",
        " 90%  Second  1 min 30 s left",
        "Working",
    ]


def test_figures_as_people_read_them() -> None:
    """Durations and shares."""
    assert [seconds(each) for each in (None, 0.4, 59.4, 61, 3600, 7325)] == [
        "",
        "0 s",
        "59 s",
        "1 min 01 s",
        "1 h 00 min",
        "2 h 02 min",
    ]
    assert (percent(None), percent(0.9876)) == ("-", "98.8 %")
