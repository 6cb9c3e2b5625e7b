"""Features are computed once, go on where they were cut off, and count for one model and its images only."""

import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from bloodapp import jobs
from bloodapp.classify import features, unfolding
from bloodapp.data.dataset import Dataset
from bloodapp.errors import Stopped
from bloodapp.runs.run import Run
from tests.made import forget_dataset_of, give_model, make_run


class Means:
    """Stands for a predictor: mean and spread of each colour, some columns of them."""

    size = 96

    def __init__(self, columns: int = 6) -> None:
        self.columns, self.asked = columns, 0

    def features(self, images: np.ndarray) -> np.ndarray:
        """The same few numbers over and over."""
        self.asked += len(images)
        both = np.concatenate([images.mean((1, 2)), images.std((1, 2))], 1).astype(np.float32)
        return np.tile(both, (1, -(-self.columns // 6)))[:, : self.columns]


class Said:
    """Stands for a job's context; breaks off at the so-manieth look."""

    def __init__(self, folder: Path, looks: int = 10_000) -> None:
        self.folder, self.looks = folder, looks
        folder.mkdir(parents=True, exist_ok=True)

    def progress(self, *words: Any) -> None:
        """Nobody listens."""

    def check(self) -> None:
        """Count down."""
        self.looks -= 1
        if self.looks < 0:
            raise Stopped("Stopped.")


@pytest.fixture
def run(tiny: Dataset, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A finished run whose model is a file; its plane costs nothing."""
    monkeypatch.setattr(unfolding, "_tsne", lambda table, seed: table[:, :2])
    made = make_run(tiny)
    made.model_path.write_bytes(b"one")
    return made


def test_they_are_kept_and_read(run: Run, tiny: Dataset, tmp_path: Path) -> None:
    """One float16 row an image of the split, with parts and labels, and a place on the plane for each."""
    assert features.read(run) is None
    said = features.keep(run, tiny, Means(), Said(tmp_path / "job"))
    assert said == {"images": 48, "columns": 6}
    found = features.read(run)
    split = run.split()
    assert found is not None
    np.testing.assert_array_equal(found.index, split["index"])
    np.testing.assert_array_equal(found.part, split["part"])
    np.testing.assert_array_equal(found.label, split["label"])
    assert found.values.dtype == np.float16
    expected = Means().features(np.asarray(tiny.images[found.index]))
    np.testing.assert_allclose(found.values, expected, rtol=1e-3)
    np.testing.assert_array_equal(found.laid_out, np.arange(48))
    assert np.ptp(found.plane, axis=0).min() > 0
    assert features.read(run) is found, "read once"
    assert os.listdir(tmp_path / "job") == [], "what it went on from is gone"


def test_another_model_makes_them_void(run: Run, tiny: Dataset, tmp_path: Path) -> None:
    """A continued training writes another model: its features are to be computed again."""
    features.keep(run, tiny, Means(), Said(tmp_path / "job"))
    run.model_path.write_bytes(b"another")
    assert features.read(run) is None


def test_cut_off_they_go_on_behind_the_last_block(
    run: Run, tiny: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was written counts, half a block does not, and another model begins anew."""
    monkeypatch.setattr(features, "BLOCK", 10)
    whole = Means()
    features.keep(run, tiny, whole, Said(tmp_path / "whole"))
    expected = np.array(features.read(run).values)
    (run.folder / features.ABOUT).unlink()
    folder = tmp_path / "job"
    with pytest.raises(Stopped):
        features.keep(run, tiny, Means(), Said(folder, looks=3))
    with (folder / "features.partial").open("ab") as stream:
        stream.write(b"torn")
    again = Means()
    features.keep(run, tiny, again, Said(folder))
    assert (whole.asked, again.asked) == (48, 18)
    np.testing.assert_array_equal(features.read(run).values, expected)
    with pytest.raises(Stopped):
        features.keep(run, tiny, Means(), Said(folder, looks=3))
    run.model_path.write_bytes(b"another")
    anew = Means(12)
    features.keep(run, tiny, anew, Said(folder))
    assert anew.asked == 48
    assert features.read(run).values.shape == (48, 12)


def test_stopped_on_the_plane_the_features_stay(run: Run, tiny: Dataset, tmp_path: Path) -> None:
    """The plane is the last thing; without it the rest can be used."""
    with pytest.raises(Stopped):
        features.keep(run, tiny, Means(), Said(tmp_path / "job", looks=2))
    found = features.read(run)
    assert found is not None
    assert len(found.laid_out) == 0


def test_of_a_shipped_run_they_lie_in_the_job(run: Run, tiny: Dataset) -> None:
    """Nothing is written into a run that ships with the app."""
    shipped = Run(run.folder, run.config, shipped=True)
    before = sorted(os.listdir(run.folder))
    job = features.compute(run)
    assert features.compute(run).id == job.id, "asked twice, one job"
    features.keep(shipped, tiny, Means(), Said(job.folder))
    assert sorted(os.listdir(run.folder)) == before
    assert features.read(shipped) is not None
    assert features.read(run) is None


def test_wide_features_are_folded(tiny: Dataset) -> None:
    """A flattened map is folded into fewer columns, the same way each time, and who is near stays near."""
    images = np.asarray(tiny.images[:20])
    wide = Means(features.WIDEST + 6)
    folded = features.of_images(wide, images)
    assert folded.shape == (20, 1024)
    np.testing.assert_array_equal(features.of_images(wide, images), folded)
    plain = wide.features(images)
    apart, before = (
        np.linalg.norm(one[:, None] - one[None], axis=2)[np.triu_indices(20, 1)] for one in (folded, plain)
    )
    assert np.corrcoef(apart, before)[0, 1] > 0.99


def test_the_job_asks_the_runs_own_network(run: Run, tiny: Dataset) -> None:
    """The job of kind `features`, with a real model: what it keeps is what the predictor gives."""
    from bloodapp.classify.predictor import Predictor

    give_model(run)
    job = features.compute(run)
    jobs.step()
    assert job.state() == "done", job.status()
    assert job.status()["result"] == {"images": 48, "columns": 8}
    found = features.read(run)
    expected = features.of_images(Predictor(run), np.asarray(tiny.images[found.index[:5]]))
    np.testing.assert_allclose(found.values[:5], expected, rtol=2e-3)


def test_without_the_images_it_says_what_to_do(run: Run) -> None:
    """The job of a run whose dataset is not here fails with a sentence."""
    forget_dataset_of(run)
    job = features.compute(run)
    jobs.step()
    assert job.state() == "failed"
    assert "import the same file" in job.status()["error"]


def test_a_large_dataset_lays_out_its_test_part_first() -> None:
    """At most MOST images: all of test, and the same draw of the others each time."""
    part = np.array(["train"] * 6000 + ["test"] * 1500)
    rows = unfolding.chosen(part)
    assert len(rows) == unfolding.MOST
    assert (part[rows] == "test").sum() == 1500
    assert (np.diff(rows) > 0).all()
    np.testing.assert_array_equal(rows, unfolding.chosen(part))
    assert len(unfolding.chosen(part[:100])) == 100


def test_what_is_laid_out_can_be_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked to stop it does not wait for the end; what fails in the other thread fails here; few are no error."""
    go = threading.Event()
    monkeypatch.setattr(unfolding, "_tsne", lambda table, seed: go.wait(60))
    looks = iter([None, None])
    with pytest.raises(StopIteration):
        unfolding.unfolded(np.ones((20, 3)), lambda: next(looks))
    go.set()
    monkeypatch.setattr(unfolding, "_tsne", lambda table, seed: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        unfolding.unfolded(np.ones((20, 3)), lambda: None)
    assert not unfolding.unfolded(np.ones((5, 3)), lambda: None).any()


def test_groups_that_lie_apart_stay_apart() -> None:
    """Three clouds in twenty dimensions are three clouds on the plane."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], 30)
    values = rng.normal(size=(90, 20)) + 12 * rng.normal(size=(3, 20))[labels]
    with threadpool_limits(1, "openmp"):  # its threads wait for each other by spinning
        places = unfolding._tsne(values.astype(np.float32), 0)
    apart = np.linalg.norm(places[:, None] - places[None], axis=2) + 1e9 * np.eye(90)
    assert (labels[apart.argmin(1)] == labels).mean() > 0.98
