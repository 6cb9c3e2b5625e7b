"""Proposals: made once, block by block, in the dataset's class order, and worth nothing for another model."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bloodapp import jobs
from bloodapp.classes import CellClass
from bloodapp.data.dataset import Dataset, delete_dataset
from bloodapp.data.decisions import record
from bloodapp.data.importing import store
from bloodapp.data.sources import open_source
from bloodapp.errors import InvalidValue, NotFound, Stopped
from bloodapp.review import asking, proposals
from bloodapp.runs import calibration
from bloodapp.runs.run import Run
from tests.made import give_model, make_run
from tests.review.unlabelled import Guesses, Said, without_labels

EVERY = np.arange(48)


@pytest.fixture
def half(tiny: Dataset) -> Dataset:
    """Twenty labelled images and 28 without a label."""
    return without_labels(tiny)


@pytest.fixture
def run(tiny: Dataset, half: Dataset) -> Run:
    """A finished run on `tiny`, whose model is a file."""
    made = make_run(tiny)
    made.model_path.write_bytes(b"one")
    return made


def test_they_are_kept_and_read(run: Run, half: Dataset, tmp_path: Path) -> None:
    """One row an image with what the network said of it, calibrated, read once; no pickle, and nothing left behind."""
    assert proposals.find(half, run) is None
    said = proposals.keep(half, run, EVERY, Guesses(run.classes), Said(tmp_path / "job"))
    found = proposals.find(half, run)
    assert found is not None
    assert found.index.tolist() == list(range(48))
    raw = Guesses(run.classes).predict(np.asarray(half.images))
    fitted = calibration.of(run)
    np.testing.assert_allclose(found.probabilities, fitted.apply(raw) if fitted else raw, atol=1e-6)
    assert said == {
        "images": 48,
        "classes": {one.key: int((raw.argmax(1) == label).sum()) for label, one in enumerate(half.classes)},
    }
    assert found.labels.tolist() == raw.argmax(1).tolist()
    assert found.whole
    assert found.when.endswith("Z")
    assert proposals.find(half, run) is found
    assert os.listdir(tmp_path / "job") == []
    with np.load(half.path / proposals.FOLDER / "made.npz", allow_pickle=False) as arrays:
        assert sorted(arrays.files) == ["about", "index", "probabilities"]
        about = str(arrays["about"])
    assert half.fingerprint in about
    assert proposals.model_hash(run) in about


def test_another_model_makes_them_void(run: Run, half: Dataset, tmp_path: Path) -> None:
    """What was said before a run was trained on says nothing of what it is now; the same model back counts again."""
    proposals.keep(half, run, EVERY, Guesses(run.classes), Said(tmp_path / "job"))
    run.model_path.write_bytes(b"another")
    assert proposals.find(half, run) is None
    run.model_path.write_bytes(b"one")
    assert proposals.find(half, run) is not None


def test_a_damaged_file_is_none(run: Run, half: Dataset, tmp_path: Path) -> None:
    """Cut short or of something else, it is as if nothing were proposed."""
    proposals.keep(half, run, EVERY, Guesses(run.classes), Said(tmp_path / "job"))
    path = half.path / proposals.FOLDER / "made.npz"
    whole = path.read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", b"no archive"):
        path.write_bytes(damaged)
        assert proposals.find(half, run) is None


def test_cut_off_they_go_on_behind_the_last_block(
    run: Run, half: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was written counts, half a block does not; another model, or other images, begin anew."""
    monkeypatch.setattr(asking, "BLOCK", 10)
    folder = tmp_path / "job"
    proposals.keep(half, run, EVERY, Guesses(run.classes), Said(tmp_path / "whole"))
    expected = proposals.find(half, run)
    (half.path / proposals.FOLDER / "made.npz").unlink()
    with pytest.raises(Stopped):
        proposals.keep(half, run, EVERY, Guesses(run.classes), Said(folder, looks=3))
    assert proposals.find(half, run) is None
    with (folder / "proposals.partial").open("ab") as stream:
        stream.write(b"torn")
    again, told = Guesses(run.classes), Said(folder)
    proposals.keep(half, run, EVERY, again, told)
    assert again.asked == 18
    assert [words[:2] for words in told.told] == [(30, 48), (40, 48), (48, 48)]
    found = proposals.find(half, run)
    assert expected is not None
    assert found is not None
    np.testing.assert_array_equal(found.probabilities, expected.probabilities)
    for rows, model in ((EVERY[20:], b"one"), (EVERY, b"another")):
        with pytest.raises(Stopped):
            proposals.keep(half, run, EVERY, Guesses(run.classes), Said(folder, looks=3))
        run.model_path.write_bytes(model)
        anew = Guesses(run.classes)
        proposals.keep(half, run, rows, anew, Said(folder))
        assert anew.asked == len(rows)


def test_another_class_order_and_other_classes(run: Run, tiny: Dataset, tmp_path: Path) -> None:
    """Classes are found by their keys; one that the run does not know has no probability, others are left out."""
    alien = CellClass("blast", "Blast", "#000000", "9")
    classes = (alien, *tiny.classes[::-1][:5])
    source = replace(open_source("tiny"), classes=classes)
    records = (replace(one, label=-1) for one in source.records)
    other = store(replace(source, name="other", records=records), "other", 96)
    proposals.keep(other, run, EVERY, Guesses(run.classes), Said(tmp_path / "job"))
    found = proposals.find(other, run)
    assert found is not None
    raw = Guesses(run.classes).predict(np.asarray(tiny.images))
    fitted = calibration.of(run)
    table = fitted.apply(raw) if fitted else raw
    np.testing.assert_allclose(found.probabilities[:, 1:], table[:, [7, 6, 5, 4, 3]], atol=1e-6)
    assert not found.probabilities[:, 0].any()
    assert (found.probabilities.sum(1) < 1).all()
    with pytest.raises(InvalidValue, match="knows no class of 'other'"):
        proposals.columns((replace(alien, key="else"),), other)


def test_the_runs_own_predictions_stand_in(run: Run, tiny: Dataset, tmp_path: Path) -> None:
    """Before the job, what the run said of its val and test parts counts; after it for those, too."""
    found = proposals.find(tiny, run)
    judged = run.predictions()
    assert found is not None
    assert judged is not None
    assert found.index.tolist() == sorted(judged.index.tolist())
    assert not found.whole
    assert not found.learned.any()
    assert found.learned_known
    at = found.rows(judged.index)
    assert found.labels[at].tolist() == judged.probabilities.argmax(1).tolist()
    unjudged = np.setdiff1d(EVERY, judged.index)
    assert found.rows(unjudged).tolist() == [-1] * len(unjudged)
    proposals.keep(tiny, run, unjudged[:5], Guesses(run.classes), Said(tmp_path / "job"))
    more = proposals.find(tiny, run)
    assert more is not None
    assert more.index.tolist() == sorted([*judged.index.tolist(), *unjudged[:5].tolist()])
    assert more.labels[more.rows(judged.index)].tolist() == judged.probabilities.argmax(1).tolist()


def test_what_it_has_learned_from_is_no_second_opinion(
    run: Run, tiny: Dataset, half: Dataset, tmp_path: Path
) -> None:
    """Training images are marked, also under another name and in another dataset, by their pixels."""
    proposals.keep(tiny, run, EVERY, Guesses(run.classes), Said(tmp_path / "job"))
    proposals.keep(half, run, EVERY, Guesses(run.classes), Said(tmp_path / "job"))
    split = run.split()
    train = set(split.loc[split["part"] == "train", "index"])
    copies = {0, 46, 47}  # of the same pixels
    train |= copies if train & copies else set()
    for dataset in (tiny, half):
        found = proposals.find(dataset, run)
        assert found is not None
        assert set(np.flatnonzero(found.learned)) == train
        assert found.learned_known
    delete_dataset("tiny")
    found = proposals.find(half, run)
    assert found is not None
    assert not found.learned.any()
    assert not found.learned_known


@pytest.mark.usefixtures("nothing_shipped")
def test_who_can_propose(run: Run, tiny: Dataset) -> None:
    """The starter first, then finished runs, the newest first; one by name needs a model."""
    make_run(tiny, "newer")
    make_run(tiny, "unfinished", state="running")
    (make_run(tiny, "starter").folder / "model.keras").write_bytes(b"s")
    (run.folder.with_name("newer") / "model.keras").write_bytes(b"n")
    assert [one.name for one in proposals.proposers(tiny)] == ["starter", "newer", "made"]
    assert proposals.proposer(tiny).name == "starter"
    assert proposals.proposer(tiny, "made").name == "made"
    with pytest.raises(NotFound, match="a model in the run 'unfinished'"):
        proposals.proposer(tiny, "unfinished")
    with pytest.raises(NotFound, match="run 'nobody'"):
        proposals.proposer(tiny, "nobody")


def test_the_newest_proposals(run: Run, tiny: Dataset, half: Dataset, tmp_path: Path) -> None:
    """Asked without a run, the one that was asked last is meant."""
    assert proposals.latest(half) is None
    other = make_run(tiny, "other")
    other.model_path.write_bytes(b"two")
    for one in (other, run):
        proposals.keep(half, one, EVERY, Guesses(run.classes), Said(tmp_path / "job"))
        latest = proposals.latest(half)
        assert latest is not None
        assert latest.name == one.name


def test_the_job_asks_a_real_network(tiny: Dataset, half: Dataset) -> None:
    """From the queue to the dataset's folder with a model of Keras; asked for the unlabelled, only for these."""
    run = make_run(tiny)
    give_model(run)
    job = proposals.propose(half, run, unlabelled=True)
    assert proposals.propose(half, run).id == job.id, "there is one already"
    assert jobs.perform(job) == "done", job.log()
    found = proposals.find(half, run)
    assert found is not None
    assert found.index.tolist() == list(range(20, 48))
    np.testing.assert_allclose(found.probabilities.sum(1), 1, atol=1e-5)
    assert job.status()["result"]["images"] == 28
    record(half, range(20, 48), "relabel", label=1)
    again = proposals.propose(half, run, unlabelled=True)
    assert again.id != job.id
    assert jobs.perform(again) == "failed"
    assert "nothing to propose" in again.status()["error"]
