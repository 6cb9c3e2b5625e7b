"""The corruption suite: its figures, what it keeps, and that it goes on where it was cut off."""

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import recall_score

from bloodapp import jobs, workspace
from bloodapp.augment.corruptions import ALL_CORRUPTIONS, CORRUPTIONS, corrupt
from bloodapp.data.dataset import Dataset, delete_dataset
from bloodapp.errors import InvalidValue, NotFound, Stopped
from bloodapp.evaluate import corrupting, suite, suite_folder
from bloodapp.jobs.job import Job
from bloodapp.jobs.runner import launch
from bloodapp.runs.predictions import write_predictions
from bloodapp.runs.run import Run
from tests.evaluate.suites import ByLight, Told, give_file, judge
from tests.jobs.conftest import kill
from tests.jobs.fakes import until
from tests.made import forget_dataset_of, give_model, make_run


@pytest.fixture
def made(tiny: Dataset) -> Run:
    """A finished run on the tiny dataset."""
    return give_file(make_run(tiny))


def balanced_error(labels: np.ndarray, answers: np.ndarray) -> float:
    """By scikit-learn, over the classes that occur."""
    return 1 - recall_score(labels, answers.argmax(1), labels=np.unique(labels), average="macro")


@pytest.mark.parametrize("threads", [0, 2])
def test_blocks_are_what_corrupt_makes(tiny: Dataset, threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Severity by severity, in order, drawn by threads or not, also where a block ends within a severity."""
    monkeypatch.setattr(corrupting, "BLOCK", 17)
    rows = np.array([3, 40, 8, 21, 22, 5, 30])
    blocks = list(corrupting.corrupted_blocks(tiny.images, rows, "bubble", 4, threads=threads))
    assert [start for start, _ in blocks] == [0, 17, 34]
    wanted = [
        corrupt(np.asarray(tiny.images[rows]), "bubble", severity, 4, keys=rows) for severity in range(1, 6)
    ]
    assert np.array_equal(np.concatenate([block for _, block in blocks]), np.concatenate(wanted))


def test_figures_are_those_of_each_image_asked_alone(tiny: Dataset, made: Run) -> None:
    """The error of a cell of the table is scikit-learn's on the images as `corrupt` makes them."""
    found = judge(made)
    assert found.corruptions == tuple(ALL_CORRUPTIONS) and found.complete
    assert found.errors.shape == (15, 5, 8) and found.severities == (1, 2, 3, 4, 5)
    images = np.asarray(tiny.images[found.index])
    for name in ("brightness_down", "noise"):
        changed = corrupt(images, name, 4, suite.SEED, keys=found.index)
        answers = ByLight().predict(changed)
        assert np.array_equal(found.probabilities(name)[3], answers)
        wanted = balanced_error(found.labels, answers)
        assert found.balanced_error[found.corruptions.index(name), 3] == pytest.approx(wanted)


def test_the_means_are_over_the_eleven_and_over_all(made: Run) -> None:
    """Mean corruption error: MedMNIST-C's eleven; beside it all fifteen, and clean and shifted from the predictions."""
    found = judge(made)
    means = found.by_corruption
    assert found.mean_corruption_error == pytest.approx(np.mean([means[name] for name in CORRUPTIONS]))
    assert found.mean_of_all == pytest.approx(np.mean(list(means.values())))
    answers = made.predictions().only("test")
    clean = balanced_error(answers.label, answers.probabilities)
    hard = balanced_error(answers.label, answers.shifted)
    assert (found.clean, found.shifted) == (pytest.approx(clean), pytest.approx(hard))
    for name in ("clean", "shifted", "mean_corruption_error", "mean_of_all"):
        interval = found.interval(name)
        assert (
            interval.value == pytest.approx(getattr(found, name))
            and interval.low <= interval.value <= interval.high
        )
    assert found.relative_error.balanced.keys() == CORRUPTIONS.keys()
    assert found.against(found.as_baseline).mean_balanced == pytest.approx(1)


def test_a_finished_suite_is_not_worked_out_again(made: Run) -> None:
    """Asking again gives the same job, done; the headline is plain JSON and cheap to have."""
    assert suite.summary(made) is None and suite.job_of(made, "test") is None
    found = judge(made)
    assert suite.submit(made, "test").state() == "done"
    assert len([job for job in jobs.list_jobs() if job.kind == "corrupt"]) == 1
    told = suite.summary(made)
    assert told["mean_corruption_error"]["value"] == pytest.approx(found.mean_corruption_error)
    assert (told["part"], told["n"]) == ("test", len(found.labels))
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert suite.summary(made, "val") is None


def test_stopped_work_goes_on(made: Run) -> None:
    """What was through when it was stopped is found, and only the rest is asked for."""
    job = suite.submit(made, "test")
    n = int((made.predictions().part == "test").sum())
    with pytest.raises(Stopped):
        suite.work(job.params, Told(job.folder, stop_after=4), load=lambda run: ByLight())
    part = suite.find(made, "test")
    assert 0 < len(part.corruptions) < 15 and not part.complete and part.summary is None
    assert math.isnan(part.mean_corruption_error)
    model, context = ByLight(), Told(job.folder)
    suite.work(job.params, context, load=lambda run: model)
    assert model.asked == 5 * n * (15 - len(part.corruptions))
    assert context.said[0][0] == 5 * n * len(part.corruptions)
    assert context.said[-1][:2] == (75 * n, 75 * n)
    assert suite.find(made, "test").complete


def test_another_model_or_other_labels_ask_anew(made: Run) -> None:
    """What was found for a model is not taken for one that was trained further, nor for relabelled images."""
    judge(made)
    give_file(made, b"trained further")
    assert suite.find(made, "test") is None and suite.summary(made) is None
    judge(made)
    answers = made.predictions()
    write_predictions(made.folder, replace(answers, label=(answers.label + 1) % 8))
    assert suite.find(made, "test") is None
    # New answers under the shift alone change nothing that the suite rests on.
    write_predictions(made.folder, replace(answers, shifted=answers.probabilities))
    assert suite.find(made, "test").shifted == pytest.approx(suite.find(made, "test").clean)


def test_work_on_what_has_changed_since_says_so(made: Run) -> None:
    """A job whose run was trained further while it waited does not mix two models."""
    job = suite.submit(made, "test")
    give_file(made, b"trained further")
    with pytest.raises(InvalidValue, match="has changed since"):
        suite.work(job.params, Told(job.folder), load=lambda run: ByLight())


def test_a_copied_home_keeps_its_suites(made: Run) -> None:
    """A model's file is known by what it holds, not by when it was copied: a real .keras is a zip."""
    np.savez(made.folder / "model.npz", weights=np.arange(5))
    (made.folder / "model.npz").rename(made.model_path)
    folder = suite.submit(made, "test").folder
    content = made.model_path.read_bytes()
    made.model_path.unlink()
    made.model_path.write_bytes(content)
    assert suite.submit(made, "test").folder == folder


def test_what_cannot_be_judged_says_why(tiny: Dataset) -> None:
    """No model, no such part, no images: each in a sentence, and nothing is queued."""
    run = make_run(tiny)
    with pytest.raises(NotFound, match="model"):
        suite.submit(run, "test")
    with pytest.raises(NotFound, match="part"):
        suite.submit(give_file(run), "train")
    forget_dataset_of(run)
    with pytest.raises(InvalidValue, match="import the file"):
        suite.submit(Run(run.folder, workspace.read_json(run.folder / "config.json")), "test")
    assert not [job for job in jobs.list_jobs() if job.kind == "corrupt"]


def test_the_time_is_forecast_from_the_measured_speed(made: Run) -> None:
    """Nothing where no speed was measured; else from the training's speed, or that of the run's other part."""
    assert suite.seconds(made, "test", 16) is None
    workspace.write_json(made.folder / "report.json", {**made.report(), "images_per_s": 100.0})
    first = suite.seconds(made, "test", 100)
    assert 7500 / 500 < first < 7500 / 50
    judge(made, "val")
    speed = suite.summary(made, "val")["images_per_s"]
    assert suite.seconds(made, "test", 100) == pytest.approx(7500 / speed)
    judge(made)
    assert suite.seconds(made, "test", 100) == 0


def test_a_run_carries_its_suite(made: Run) -> None:
    """Job and images gone, the copy in the run's folder says the same; of another model it says nothing."""
    with pytest.raises(NotFound, match="finished judgement"):
        suite_folder.carry(made, "test")
    before = judge(made)
    before_all = {name: before.probabilities(name) for name in before.corruptions}
    folder = suite_folder.carry(made, "test")
    assert folder.parent == made.folder
    assert suite.find(made, "test").folder == before.folder  # as long as it is there: it is the exact one
    shutil.rmtree(before.folder)
    delete_dataset(made.dataset)
    found = suite.find(made, "test")
    assert found.finished and found.folder == folder
    assert np.array_equal(found.errors, before.errors, equal_nan=True)
    assert found.interval("mean_corruption_error") == before.interval("mean_corruption_error")
    for name, exact in before_all.items():
        assert found.probabilities(name).dtype == np.float32
        assert np.allclose(found.probabilities(name), exact, atol=0.0011)
    assert suite.seconds(made, "val", 16) is None, "another computer's speed forecasts nothing here"
    give_file(made, b"trained further")
    assert suite.find(made, "test") is None


def test_a_copy_names_the_same_class_where_two_are_alike(made: Run) -> None:
    """Thousandths make two probabilities alike that were not: the higher one stays the answer."""
    found = judge(made)
    close = np.tile(np.float32([0.40001, 0.40004, 0.2, 0, 0, 0, 0, 0]), (5, len(found.labels), 1))
    np.savez(suite_folder.answers_file(found.folder, "zoom"), probabilities=close)
    folder = suite_folder.carry(made, "test")
    with np.load(suite_folder.answers_file(folder, "zoom")) as archive:
        assert (archive["probabilities"].argmax(2) == 1).all()


def files(job: Job) -> dict[str, int]:
    """The corruptions that are through, and when each was written."""
    return {path.stem: path.stat().st_mtime_ns for path in Path(job.folder).glob("[!.]*.npz")}


def test_after_a_kill_it_goes_on_and_not_again(tiny: Dataset) -> None:
    """A real child with a real network, killed with -9 in the midst: what was written stays, the rest is added."""
    run = make_run(tiny, right=(0.5, 0.5))
    give_model(run)
    job = suite.submit(run, "test")
    child = launch(job)
    until(lambda: files(job), seconds=120)
    kill(job)
    child.wait()
    before = files(job)
    assert 0 < len(before) < 15 and job.state() == "interrupted"
    assert set(suite.find(run, "test").corruptions) == set(before)
    assert suite.submit(run, "test").state() == "queued"
    assert jobs.step().state() == "done", job.log()
    after = files(job)
    assert len(after) == 15 and {name: after[name] for name in before} == before
    found = suite.find(run, "test")
    from bloodapp.classify.predictor import Predictor

    changed = corrupt(np.asarray(tiny.images[found.index]), "zoom", 5, suite.SEED, keys=found.index)
    assert np.allclose(found.probabilities("zoom")[4], Predictor(run).predict(changed), atol=1e-5)
