"""A run judged from its files, and on sources that it has not seen."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from sklearn import metrics as sk

from bloodapp import jobs
from bloodapp.augment.corruptions import SHIFT_SEED, shifted
from bloodapp.data import decisions
from bloodapp.data.importing import import_source
from bloodapp.errors import NotFound, SourceError, Stopped
from bloodapp.evaluate import reading
from bloodapp.evaluate.evaluate import evaluate_run, judgement, parts_of
from bloodapp.evaluate.job import RESULT, work
from bloodapp.runs.origin import dataset_of
from tests.made import forget_dataset_of, give_model, make_run


class Always:
    """A predictor that is sure of one class, and counts the images it saw."""

    size = 96

    def __init__(self, answer=0):
        """Say `answer` every time."""
        self.answer, self.images = answer, []

    def predict(self, images):
        """One-hot float32 (N, 8)."""
        self.images.append(images)
        table = np.zeros((len(images), 8), np.float32)
        table[:, self.answer] = 1
        return table


def test_figures_of_a_run_agree_with_its_files(tiny):
    """Every figure of the JSON is that of scikit-learn on predictions.npz."""
    run = make_run(tiny)
    got = evaluate_run(run)
    rows = run.predictions().only("test")
    predicted = rows.probabilities.argmax(1)
    assert (got["part"], got["n"], got["source"]) == ("test", len(rows), None)
    assert got["accuracy"] == pytest.approx(sk.accuracy_score(rows.label, predicted), abs=1e-6)
    hard = rows.shifted.argmax(1)
    assert got["shifted_accuracy"] == pytest.approx(sk.accuracy_score(rows.label, hard), abs=1e-6)
    assert got["gap"] == pytest.approx(got["accuracy"] - got["shifted_accuracy"], abs=1e-5)
    assert got["confusion"] == sk.confusion_matrix(rows.label, predicted, labels=range(8)).tolist()
    assert got["classes"] == [c.key for c in tiny.classes]
    support = np.bincount(rows.label, minlength=8)
    assert [got["per_class"][key]["support"] for key in got["classes"]] == support.tolist()
    assert got["f1"] == pytest.approx(sk.f1_score(rows.label, predicted, average="macro"), abs=1e-6)
    assert got["shifted_kappa"] == pytest.approx(sk.cohen_kappa_score(rows.label, hard), abs=1e-6)
    assert 0 <= got["auc_low"] <= got["auc"] <= got["auc_high"] <= 1
    assert got["accuracy_low"] <= got["accuracy"] <= got["accuracy_high"]


def test_the_figures_are_plain_json(tiny):
    """No NaN and no NumPy number is left, also for classes without images."""
    got = evaluate_run(make_run(tiny), part="val")
    assert json.loads(json.dumps(got, allow_nan=False)) == got


def test_the_test_part_comes_first(tiny):
    """A run with a test part is judged on it, one without on val, another part on request."""
    run = make_run(tiny)
    assert parts_of(run) == ["test", "val"]
    assert evaluate_run(run, part="val")["part"] == "val"
    without = make_run(tiny, "without", test=False)
    assert evaluate_run(without)["part"] == "val"
    with pytest.raises(NotFound, match="val"):
        evaluate_run(without, part="test")


def test_an_unfinished_run_says_so(tiny):
    """Without predictions there is nothing to judge, in a sentence."""
    run = make_run(tiny, state="running")
    assert parts_of(run) == []
    with pytest.raises(NotFound, match="made"):
        judgement(run)


def test_a_run_without_shifted_answers_is_judged_clean_only(tiny):
    """Older predictions without the shift give the clean figures and no invented ones."""
    from dataclasses import replace

    from bloodapp.runs.predictions import write_predictions

    run = make_run(tiny)
    write_predictions(run.folder, replace(run.predictions(), shifted=None))
    got = evaluate_run(run)
    assert "shifted_accuracy" not in got
    assert got["accuracy"] is not None


def test_the_dataset_of_a_run_is_found_by_its_fingerprint(tiny):
    """A renamed import is found; a run of an unknown dataset has none."""
    run = make_run(tiny)
    assert dataset_of(run).name == "tiny"
    run.config["dataset"] = "renamed"
    assert dataset_of(run).name == "tiny"
    forget_dataset_of(run)
    from bloodapp.runs.run import open_run

    assert dataset_of(open_run(run.name)) is None


def test_a_dataset_counts_with_its_decisions(tiny):
    """Relabelled images count with the new label, excluded ones not at all."""
    run = make_run(tiny)
    decisions.record(tiny, [1, 2], "exclude")
    decisions.record(tiny, [3], "relabel", label=0)
    got = evaluate_run(run, source="tiny", predictor=Always())
    judged = decisions.judge(tiny)
    assert got["n"] == 46
    assert got["accuracy"] == pytest.approx((judged.labels[judged.indices] == 0).mean(), abs=1e-6)


def test_the_shift_is_that_of_the_training(tiny):
    """Shifted images are drawn by their row in the dataset, so the figures can be repeated."""
    seen = Always()
    evaluate_run(make_run(tiny), source="tiny", predictor=seen)
    expected = shifted(np.asarray(tiny.images), SHIFT_SEED, keys=np.arange(48))
    np.testing.assert_array_equal(seen.images[0], tiny.images)
    np.testing.assert_array_equal(seen.images[1], expected)


def test_a_part_of_the_own_dataset_is_the_runs_part(tiny):
    """`--on` the own dataset with a part takes the run's split."""
    run = make_run(tiny)
    got = evaluate_run(run, source="tiny", part="val", predictor=Always())
    assert got["n"] == (run.split()["part"] == "val").sum()


def test_a_folder_is_judged_without_being_imported(tiny, tmp_path):
    """Class folders with parts are streamed; unreadable pictures are counted, not fatal."""
    folder = tmp_path / "cells"
    for part, count in (("train", 3), ("val", 5)):
        for key in ("ig", "platelet"):
            (folder / part / key).mkdir(parents=True)
            for i in range(count):
                image = Image.fromarray(np.full((40, 50, 3), 10 * i, np.uint8))
                image.save(folder / part / key / f"{i}.png")
    (folder / "val" / "ig" / "torn.png").write_bytes(b"torn")
    got = evaluate_run(make_run(tiny), source=folder, part="val", predictor=Always(answer=3))
    assert (got["n"], got["skipped"], got["accuracy"]) == (10, 1, 0.5)
    assert got["per_class"]["ig"]["recall"] == 1
    assert got["per_class"]["basophil"]["recall"] is None


def test_other_classes_are_refused(tiny, tmp_path):
    """A source with a class that the run does not know is refused, the class named."""
    for key in ("blast", "ig"):
        (tmp_path / "cells" / key).mkdir(parents=True)
        Image.new("RGB", (20, 20)).save(tmp_path / "cells" / key / "a.png")
    with pytest.raises(SourceError, match="blast"):
        evaluate_run(make_run(tiny), source=tmp_path / "cells", predictor=Always())


def test_nothing_to_judge_is_an_error(tiny):
    """A part without images is named."""
    import_source("tiny", name="again")
    run = make_run(tiny)
    run.config["fingerprint"] = "other"
    with pytest.raises(SourceError, match="'test'"):
        evaluate_run(run, source="again", part="test", predictor=Always())


def test_a_mistyped_source_does_not_wait_for_the_model(tiny):
    """The source is opened before the model, which is not even there."""
    with pytest.raises(SourceError, match="nowhere"):
        evaluate_run(make_run(tiny), source="nowhere")


def test_judging_shows_progress_and_can_be_stopped(tiny, monkeypatch):
    """Blocks report how far they are; between them a stop is heeded."""
    monkeypatch.setattr(reading, "BLOCK", 20)
    run, told = make_run(tiny), []
    evaluate_run(run, source="tiny", predictor=Always(), progress=lambda *at: told.append(at[:2]))
    assert told == [(20, 48), (40, 48), (48, 48)]
    with pytest.raises(Stopped):
        evaluate_run(run, source="tiny", predictor=Always(), stopped=lambda: True)


def test_the_job_judges_with_the_real_model(tiny):
    """The work function loads the model, writes evaluation.json and returns the headline."""
    run = make_run(tiny)
    give_model(run)
    job = jobs.submit("evaluate", {"run": run.name, "source": "tiny"})
    result = work(job.params, jobs.Context(job))
    written = json.loads((job.folder / RESULT).read_text())
    assert result["n"] == written["n"] == 48
    assert written["accuracy"] == result["accuracy"]
    assert len(written["confusion"]) == 8


def test_files_are_judged_without_tensorflow():
    """Importing the room and the charts brings in no TensorFlow."""
    code = (
        "import sys, bloodapp.evaluate.evaluate, bloodapp.evaluate.mistakes, bloodapp.charts.confusion;"
        "print([m for m in ('tensorflow', 'keras', 'streamlit') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
