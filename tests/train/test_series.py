"""Series: one real one, and many whose trainings are made up and whose processes are real."""

import os
import signal
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from bloodapp.data.dataset import Dataset
from bloodapp.errors import BloodappError
from bloodapp.jobs import Runner, open_job, perform, request_stop, resume
from bloodapp.jobs.kinds import KINDS, lane
from bloodapp.jobs.runner import launch as launch_job
from bloodapp.runs.predictions import Predictions
from bloodapp.runs.run import Run, headline, open_run
from bloodapp.train import launch, part, series
from bloodapp.train.series import combined, spread
from bloodapp.train.voting import together
from tests.jobs.conftest import kill
from tests.jobs.fakes import until
from tests.train import series_kinds
from tests.train.series_kinds import TABLE, wait_for
from tests.train.trying import TINY


@pytest.fixture
def quick_series(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings made up and done in this process; looked at often."""
    monkeypatch.setattr(part, "LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(series_kinds, "run_child", lambda job, table: perform(job, series_kinds.KINDS))


def begun(run: Run) -> list[int]:
    """How often each training of a series has begun."""
    return [
        len((child.folder / "began").read_text()) if (child.folder / "began").exists() else 0
        for child in run.children
    ]


def perform_here(run: Run) -> str:
    """Perform the series' job in this process, with made-up trainings."""
    return perform(run.job, series_kinds.KINDS)


@pytest.mark.usefixtures("quick_series")
def test_repeats_tell_mean_and_spread(tiny: Dataset) -> None:
    """Of what each says of the one test part; the parent has no network of its own."""
    run = launch.start(tiny, TINY, repeats=3)
    assert perform_here(run) == "done"
    report = run.report()
    assert report is not None
    each = [child.report()["parts"]["test"]["accuracy"] for child in run.children]
    told = report["series"]["accuracy"]
    assert told["each"] == each and report["series"]["part"] == "test"
    assert told["mean"] == pytest.approx(np.mean(each)) == report["parts"]["test"]["accuracy"]
    assert told["sd"] == pytest.approx(np.std(each, ddof=1)) and told["sd"] > 0
    assert report["test_reads"] == 3 and report["test_read"]
    assert headline(run)["part"] == "test" and not run.model_path.exists()
    assert begun(run) == [1, 1, 1] and [child.state() for child in run.children] == ["done"] * 3
    assert spread([0.5]) == {"mean": 0.5, "sd": None, "each": [0.5]}


@pytest.mark.usefixtures("quick_series")
def test_a_failed_training_fails_the_series_in_its_words(tiny: Dataset) -> None:
    """With the smaller batch to try; continued, what is done is kept and the rest is done."""
    run = launch.start(tiny, TINY, repeats=3, name="some")
    fails = run.folder.with_name("fail-some-repeat-2")
    fails.touch()
    assert perform_here(run) == "failed"
    status = run.job.status()
    assert "Repeat 2 of 3 (some-repeat-2): Memory ran out: take a smaller batch." in status["error"]
    assert status["smaller_batch"] == 4 and status["child"] == "some-repeat-2" and not status.get("bug")
    assert [child.state() for child in run.children] == ["done", "failed", "queued"]
    fails.unlink()
    resume(run.job)
    assert perform_here(run) == "done"
    assert begun(run) == [1, 2, 1] and run.report()["series"]["finished"] == [c.name for c in run.children]


@pytest.mark.usefixtures("quick_series")
def test_a_training_that_is_gone_is_said(tiny: Dataset) -> None:
    """Rather than a mean of fewer than were asked for."""
    import shutil

    run = launch.start(tiny, TINY, repeats=2, name="some")
    shutil.rmtree(run.children[1].folder)
    assert perform_here(run) == "failed" and "'some-repeat-2' of this series" in run.job.status()["error"]


def test_a_series_waits_in_the_lane_of_trainings() -> None:
    """So that no server begins another training meanwhile; it begins without TensorFlow."""
    assert lane("series") == lane("train") and "series" in KINDS


def test_stop_and_continue_with_real_processes(tiny: Dataset) -> None:
    """A stop reaches the training at work; what there is is told; continued, the rest is done and none twice."""
    run = launch.start(tiny, TINY, repeats=3, name="some")
    wait_for(run.children[1].folder)
    runner = Runner(table=TABLE).start()
    try:
        until(lambda: run.job.status().get("child") == "some-repeat-2")
        until(lambda: open_job("some-repeat-2").state() == "running")
        status = run.job.status()
        assert status["text"].startswith("Repeat 2 of 3") and 0.3 < status["done"] < 0.67
        assert status["children"] == 3 and open_job("some-repeat-2").status()["pid"] != status["pid"]
        request_stop(run.job)
        until(lambda: run.state() == "stopped")
        assert [child.state() for child in run.children] == ["done", "stopped", "queued"]
        assert run.report()["series"]["finished"] == ["some-repeat-1"]
        wait_for(run.children[1].folder, False)
        resume(run.job)
        runner.wake()
        until(lambda: run.state() == "done")
        assert begun(run) == [1, 2, 1] and len(run.report()["series"]["finished"]) == 3
    finally:
        runner.close()


def test_killed_parent_and_killed_child(tiny: Dataset) -> None:
    """A training outlives its killed series and is watched, not begun again; a killed one is continued once."""
    run = launch.start(tiny, TINY, repeats=2, name="some")
    first, second = (open_run(name) for name in ("some-repeat-1", "some-repeat-2"))
    wait_for(first.folder)
    wait_for(second.folder)
    processes = [launch_job(run.job, TABLE)]
    try:
        until(lambda: (first.folder / "request.json").exists() and first.state() == "running")
        kill(run.job)
        processes[0].wait(10)
        assert (run.state(), first.state()) == ("interrupted", "running")
        resume(run.job)
        processes.append(launch_job(run.job, TABLE))
        until(lambda: run.job.status().get("child") == "some-repeat-1" and run.state() == "running")
        assert begun(run)[0] == 1
        wait_for(first.folder, False)
        until(lambda: (second.folder / "request.json").exists() and begun(run)[1] == 1)
        until(lambda: second.state() == "running")
        kill(second.job)
        until(lambda: begun(run)[1] == 2)  # continued by the series itself
        until(lambda: second.state() == "running")
        kill(second.job)
        until(lambda: run.state() == "failed")
        assert "cut off" in run.job.status()["error"]
        wait_for(second.folder, False)
        resume(run.job)
        processes.append(launch_job(run.job, TABLE))
        until(lambda: run.state() == "done")
        assert begun(run) == [1, 3]
    finally:
        for job in (run.job, second.job):
            with suppress(KeyError, FileNotFoundError):
                if job.state() == "running":
                    os.kill(job.status()["pid"], signal.SIGKILL)
        for process in processes:
            process.wait(10)


def test_voting() -> None:
    """The mean, or the majority; of as many votes each the mean decides, and the answer is a share of each class."""
    one, two, three = (
        np.array(rows, np.float32)
        for rows in (
            [[0.6, 0.4, 0.0], [0.9, 0.1, 0.0]],
            [[0.6, 0.4, 0.0], [0.2, 0.8, 0.0]],
            [[0.0, 1.0, 0.0], [0.1, 0.2, 0.7]],
        )
    )
    assert together([one, two, three], "average").argmax(1).tolist() == [1, 0]
    majority = together([one, two, three], "majority")
    assert majority.argmax(1).tolist() == [
        0,
        0,
    ]  # two of three; then one vote each, and 0.4 is the largest mean
    assert majority.sum(1) == pytest.approx([1, 1]) and majority.dtype == np.float32
    assert together([one], "majority") == pytest.approx(one)
    rng = np.random.default_rng(0)
    many = [rng.dirichlet(np.ones(8), 500).astype(np.float32) for _ in range(5)]
    votes = np.stack([np.bincount(row, minlength=8) for row in np.stack([m.argmax(1) for m in many], 1)])
    chosen = together(many, "majority").argmax(1)
    assert (votes[np.arange(500), chosen] == votes.max(1)).all()


def test_folds_answer_of_val_alone_and_of_test_together() -> None:
    """Each val image by the network that had not seen it; folds with other test images are refused."""

    def fold(val: int, test: int = 9) -> Predictions:
        answers = np.full((2, 2), 0.1 * val, np.float32)
        part = np.array(["val", "test"])
        return Predictions(np.array([val, test]), part, np.array([0, 1], np.int16), answers, answers / 2)

    both = combined([fold(1), fold(3)], "average")
    assert both.index.tolist() == [1, 3, 9] and both.part.tolist() == ["val", "val", "test"]
    assert both.probabilities[:, 0] == pytest.approx([0.1, 0.3, 0.2])
    assert both.shifted is not None and both.shifted[:, 0] == pytest.approx([0.05, 0.15, 0.1])
    with pytest.raises(BloodappError, match="same test images"):
        combined([fold(1), fold(3, test=8)], "average")


@pytest.mark.parametrize("vote", ["average", "majority"])
def test_one_network_answers_as_they_vote(vote: str, tmp_path: Path) -> None:
    """Made of Keras' own layers, it opens in safe mode and answers what the votes are; ties of all kinds included."""
    import keras

    from bloodapp.train import models
    from bloodapp.train.ensemble import ensemble

    rng = np.random.default_rng(0)
    images = rng.uniform(0, 255, (64, 1, 1, 3)) * rng.uniform(0.2, 1, (64, 48, 48, 1))
    paths = []
    for seed in range(3):
        keras.utils.set_random_seed(seed)
        model = models.build(replace(TINY, size=48, head="dropout(0.2)"), 5)
        logits = model.get_layer("logits")
        kernel, bias = logits.get_weights()
        given = keras.Model(model.input, logits.output).predict_on_batch(images)
        # So that the answers are sure, and every class is named.
        logits.set_weights([kernel * 3 / given.std(0), bias - (given * 3 / given.std(0)).mean(0)])
        paths.append(tmp_path / f"{seed}.keras")
        model.save(paths[-1])
    one = ensemble([*paths, paths[0]], vote)
    one.save(tmp_path / "one.keras")
    opened = keras.models.load_model(tmp_path / "one.keras", safe_mode=True, compile=False)
    each = [keras.models.load_model(path, compile=False).predict_on_batch(images) for path in paths]
    expected = together([*each, each[0]], vote)
    got = opened.predict_on_batch(images)
    assert (got.argmax(1) == expected.argmax(1)).all()
    assert np.abs(got - expected).max() < 1e-5
    assert len(set(expected.argmax(1))) > 1
    names = [layer.name for layer in opened.layers]
    assert {"1_embedding", "4_embedding"} <= set(names) and not any("lambda" in name for name in names)
    assert len(ensemble(paths[:1], vote).layers) == len(keras.models.load_model(paths[0]).layers)


def test_real_folds(tiny: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two folds trained: out-of-fold answers on val, common ones on test, and a network that gives these."""
    from bloodapp.classify.predictor import Predictor

    monkeypatch.setattr(part, "LOOK_EVERY_S", 0.05)
    recipe = replace(TINY, folds=2, epochs=1, vote="majority", size=96, small_size=96, test_noise=15.0)
    run = launch.start(tiny, recipe)
    here = {
        "series": lambda params, context: series.perform(context, partial(perform, kinds=KINDS)),
    }
    assert perform(run.job, here) == "done", run.job.status()
    predictions, split, report = run.predictions(), run.split(), run.report()
    assert predictions is not None and report is not None
    test = split[split["part"] == "test"]["index"]
    assert set(predictions.only("test").index) == set(test)
    assert sorted(predictions.only("val").index) == sorted(set(split["index"]) - set(test))
    for child in run.children:
        own = child.predictions()
        assert own is not None and set(own.only("test").index) == set(test)
    chosen = predictions.only("test")
    predictor = Predictor(run)
    answers = predictor.predict(tiny.images[chosen.index])
    assert np.abs(answers - chosen.probabilities).max() < 1e-4
    assert predictor.features(tiny.images[:2]).shape == (2, 64)
    assert 0 <= report["parts"]["test"]["noisy_accuracy"] <= 1
    assert report["parts"]["test"]["n"] == len(test)
    # Each fold once, and once more together under the noise.
    assert report["test_reads"] == 3 and report["series"]["own_reads"] == 1
    assert len(report["series"]["accuracy"]["each"]) == 2
    assert run.finished
