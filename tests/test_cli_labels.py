"""`propose` and `labels` on the command line: from images without labels to labels, through a table."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.data.decisions import judge, last_seq, log
from bloodapp.jobs import list_jobs, perform
from bloodapp.review import proposals
from tests.made import give_model, make_run

Run = Callable[..., str]


@pytest.fixture
def bare(tiny: Dataset, run: Run, tmp_path: Path) -> Dataset:
    """The tiny images imported without labels, and a run on those with labels that has a model."""
    np.savez(tmp_path / "bare.npz", images=np.asarray(tiny.images))
    assert "has no array 'labels'" in run("import", tmp_path / "bare.npz", code=2, stream="err")
    assert run("import", tmp_path / "bare.npz", "--unlabelled").startswith("bare  48 images")
    give_model(make_run(tiny))
    return open_dataset("bare")


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs are done here, with the real work."""
    monkeypatch.setattr("bloodapp.cli.work.run_child", lambda job, table: perform(job))


@pytest.mark.usefixtures("in_this_process")
def test_from_no_label_to_all(bare: Dataset, run: Run, tmp_path: Path) -> None:
    """A run proposes, the table goes out in the queue's order, comes back filled in, and one undo undoes it."""
    assert (judge(bare).labels == -1).all()
    assert run("propose", "bare", "--run", "made").split() == ["made", "48", "images"]
    assert list_jobs()[0].title == "Labels of made for bare"
    file = tmp_path / "labels.csv"
    assert "48 rows in" in run("labels", "bare", "--unlabelled", "--csv", file, stream="err")
    table = pd.read_csv(file, keep_default_na=False)
    assert list(table.columns) == ["index", "name", "label", "proposal", "confidence", "sha256"]
    assert sorted(table["index"]) == list(range(48))
    found = proposals.find(bare, proposals.open_run("made"))
    assert found is not None
    keys = [one.key for one in bare.classes]
    assert [keys.index(key) for key in table["proposal"]] == found.labels[table["index"]].tolist()
    table["label"] = table["proposal"]
    table.loc[:9, "label"] = ""
    table.to_csv(file, index=False)
    dry = run("labels", "bare", "--from", file, "--dry-run").splitlines()
    assert dry[0].split() == ["would", "change", "38", "images"]
    assert sum(int(line.split()[-2]) for line in dry[1:]) == 38
    assert all(line.startswith("none → ") for line in dry[1:])
    assert last_seq(bare) == 0
    assert run("labels", "bare", "--from", file).splitlines()[0].split() == ["batch", "1", "38", "images"]
    assert (judge(bare).labels >= 0).sum() == 38
    waiting = pd.read_csv(io.StringIO(run("labels", "bare", "--unlabelled")))
    assert waiting["index"].tolist() == table["index"][:10].tolist()
    said = run("labels", "bare", "--from", file, stream="err")
    assert "No label changes" in said
    assert "38 rows as they are, 10 without a label" in said
    run("decide", "bare", "--undo", "1")
    assert (judge(bare).labels == -1).all()


def test_without_proposals(bare: Dataset, run: Run) -> None:
    """The table is there all the same, in the source's order, and says how to get some."""
    assert "python -m bloodapp propose bare" in run("labels", "bare", stream="err")
    table = pd.read_csv(io.StringIO(run("labels", "bare")), keep_default_na=False)
    assert table["index"].tolist() == list(range(48))
    assert (table[["label", "proposal", "confidence"]] == "").all(axis=None)


def test_a_reason_is_kept(bare: Dataset, run: Run, tmp_path: Path) -> None:
    """`--why` stands in the log."""
    (tmp_path / "one.csv").write_text("index,label\n5,Monocyte\n")
    run("labels", "bare", "--from", tmp_path / "one.csv", "--why", "second look")
    assert log(bare)[["index", "label", "why"]].to_numpy().tolist() == [[5, 5, "second look"]]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["labels", "nowhere"], "Can't find dataset 'nowhere'"),
        (["labels", "bare", "--dry-run"], "--dry-run goes with --from"),
        (["labels", "bare", "--why", "so"], "--why goes with --from"),
        (["labels", "bare", "--from", "x.csv", "--unlabelled"], "--unlabelled goes with writing"),
        (["labels", "bare", "--from", "x.csv", "--run", "made"], "--run goes with writing"),
        (["labels", "bare", "--from", "x.csv", "--csv", "y.csv"], "not allowed with"),
        (["labels", "bare", "--from", "absent.csv"], "Can't find 'absent.csv'"),
        (["labels", "bare", "--run", "nobody"], "Can't find run 'nobody'"),
        (["propose", "bare", "--run", "nobody"], "Can't find run 'nobody'"),
    ],
)
def test_mistakes_in_one_line(bare: Dataset, run: Run, words: list[str], said: str) -> None:
    """Exit code 2, one sentence, nothing recorded and nothing queued."""
    told = run(*words, code=2, stream="err")
    assert said in told
    assert len(told.strip().splitlines()) == 1
    assert last_seq(bare) == 0
    assert not [job for job in list_jobs() if job.kind == "propose"]


def test_a_wrong_line_takes_nothing(bare: Dataset, run: Run, tmp_path: Path) -> None:
    """The line is named, and the rows before it are not taken either."""
    (tmp_path / "wrong.csv").write_text("index,label\n1,ig\n2,ig\n3,blast\n")
    assert "line 4: 'blast' is no class" in run(
        "labels", "bare", "--from", tmp_path / "wrong.csv", code=2, stream="err"
    )
    assert last_seq(bare) == 0
