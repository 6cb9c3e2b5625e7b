"""Planes of known images: clusters apart, pictures of something else far off, the same every time, in little memory."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from bloodapp import jobs
from bloodapp.classify import unfolding
from bloodapp.data.dataset import Dataset
from bloodapp.data.importing import import_source
from bloodapp.errors import NotFound, Stopped
from bloodapp.review import plane
from bloodapp.review.features import ABOUT, FILE
from bloodapp.workspace import write_json

ROOT = Path(__file__).resolve().parents[2]


def see(dataset: Dataset, features: np.ndarray, run: str = "seer") -> None:
    """Leave features as a deep scan does."""
    np.save(dataset.path / FILE, features.astype(np.float16))
    write_json(dataset.path / ABOUT, {"run": run, "created": "now", "fingerprint": dataset.fingerprint})


def clusters(labels: np.ndarray, columns: int = 24) -> np.ndarray:
    """Features of which each label has a place of its own."""
    rng = np.random.default_rng(2)
    centres = rng.normal(0, 6, (int(labels.max()) + 1, columns))
    return centres[labels] + rng.normal(0, 0.5, (len(labels), columns))


def own_neighbours(points: np.ndarray, labels: np.ndarray, k: int = 3) -> float:
    """The share of each point's k nearest that have its label."""
    apart = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    near = np.argsort(apart, axis=1)[:, :k]
    return float((labels[near] == labels[:, None]).mean())


def test_pictures_of_something_else_lie_far_off(
    home: Path, tmp_path: Path, tiny_cells: tuple[np.ndarray, np.ndarray]
) -> None:
    """Pixels alone tell memes from cells: no meme lies among the cells."""
    images, labels = tiny_cells
    memes = np.zeros((12, 96, 96, 3), np.uint8)
    memes[:, 20:70, 30:60] = (250, 220, 40)
    np.savez(
        tmp_path / "dirty.npz",
        images=np.concatenate([images, memes]),
        labels=np.concatenate([labels, labels[:12]])[:, None],
    )
    found = plane.lay_out(import_source(tmp_path / "dirty.npz"), "pixels")
    cells, strange = found.points[:48, 0], found.points[48:, 0]
    assert min(abs(strange - cells.mean())) > 3 * max(abs(cells - cells.mean()))
    assert found.by == "" and found.placed == 60
    assert 0.5 < sum(found.explained) <= 1


def test_what_a_network_tells_apart_lies_apart(tiny: Dataset) -> None:
    """By its features each image lies among its own, best so with neighbours together."""
    assert plane.ways(tiny) == ("pixels",)
    with pytest.raises(NotFound):
        plane.lay_out(tiny, "features")
    labels = tiny.labels.astype(int)
    see(tiny, clusters(labels))
    assert plane.ways(tiny) == plane.WAYS
    with threadpool_limits(
        1
    ):  # t-SNE's threads wait by spinning, which stands in the way of everybody else's
        principal, together = (plane.lay_out(tiny, way) for way in plane.WAYS[1:])
    assert own_neighbours(together.points, labels) == 1
    assert own_neighbours(principal.points, labels) > 0.75
    assert principal.by == together.by == "seer"
    assert together.placed == 46, "copies of the same pixels are laid out once"
    np.testing.assert_allclose(
        together.points[[46, 47]], together.points[[0, 0]], atol=np.ptp(together.points)
    )


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stands for t-SNE, which costs seconds: two directions."""
    monkeypatch.setattr(unfolding, "_tsne", lambda table, seed: np.ascontiguousarray(table[:, :2]))


@pytest.mark.usefixtures("quick")
def test_the_same_every_time_and_kept_for_these_images_and_features(tiny: Dataset) -> None:
    """What is kept is what is laid out anew; other features, or a damaged file, count as none."""
    see(tiny, clusters(tiny.labels.astype(int)))
    for way in plane.WAYS:
        assert plane.kept(tiny, way) is None and plane.stamp(tiny, way) == 0
        first = plane.lay_out(tiny, way)
        again = plane.kept(tiny, way)
        assert again is not None and plane.stamp(tiny, way) > 0
        np.testing.assert_array_equal(again.points, first.points)
        assert (again.explained, again.by, again.placed) == (first.explained, first.by, first.placed)
        np.testing.assert_array_equal(plane.lay_out(tiny, way).points, first.points)
    see(tiny, clusters(tiny.labels.astype(int), columns=10))
    assert plane.kept(tiny, "features") is None and plane.kept(tiny, "neighbours") is None
    assert plane.kept(tiny, "pixels") is not None
    (tiny.path / "plane-pixels.npz").write_bytes(b"torn")
    assert plane.kept(tiny, "pixels") is None


def test_one_that_is_not_laid_out_lies_among_those_that_look_like_it() -> None:
    """On a copy of its own, else among the nearest; a far one of the five does not draw it into the void."""
    known = np.array([[0, 0], [0, 1], [1, 0], [9, 9], [9, 8]], np.float32)
    places = np.array([[0, 0], [1, 0], [0, 1], [50, 50], [51, 50]], np.float32)
    found = plane.among(np.array([[0, 1], [0.4, 0.4], [8, 8]], np.float32), known, places)
    np.testing.assert_allclose(found[0], [1, 0], atol=1e-3)
    assert (found[1] >= 0).all() and (found[1] <= 1).all()
    assert (found[2] >= 50).all()


@pytest.mark.usefixtures("quick")
def test_the_job_keeps_neighbours_together_and_can_be_stopped(tiny: Dataset) -> None:
    """One job a dataset at a time; stopped it keeps nothing."""
    see(tiny, clusters(tiny.labels.astype(int)))
    job = plane.begin(tiny)
    assert plane.begin(tiny) == job == plane.job_of(tiny)
    jobs.step()
    assert job.state() == "done", job.status()
    assert plane.kept(tiny, "neighbours") is not None
    (tiny.path / "plane-neighbours.npz").unlink()

    def stop() -> None:
        raise Stopped("Stopped.")

    for way in plane.WAYS:
        with pytest.raises(Stopped):
            plane.lay_out(tiny, way, check=stop)
        assert plane.kept(tiny, way) is None


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("number", [1, 2, 12])
def test_few_images_are_no_error(
    home: Path, tmp_path: Path, tiny_cells: tuple[np.ndarray, np.ndarray], number: int
) -> None:
    """One, two, a dozen: each has a place that is a number."""
    images, labels = tiny_cells
    np.savez(tmp_path / "few.npz", images=images[:number], labels=labels[:number, None])
    dataset = import_source(tmp_path / "few.npz")
    see(dataset, clusters(np.arange(number) % 2))
    for way in plane.WAYS:
        found = plane.lay_out(dataset, way)
        assert found.points.shape == (number, 2) and np.isfinite(found.points).all()


def test_pages_of_the_images_are_not_held(
    home: Path, tmp_path: Path, make_large: Callable[[int], Dataset]
) -> None:
    """Ten times the images take hardly more memory: what is held is what is left of each, 768 bytes."""
    peaks = [_peak(make_large(number)) for number in (400, 4_000)]
    assert peaks[1] - peaks[0] < 50, peaks


@pytest.fixture
def make_large(home: Path, tmp_path: Path) -> Callable[[int], Dataset]:
    """Makes a dataset of so many noisy images of 96 pixels: 4,000 of them are 111 MB."""

    def make(number: int) -> Dataset:
        rng = np.random.default_rng(0)
        few = rng.integers(0, 256, (100, 96, 96, 3)).astype(np.uint8)
        images = few[np.arange(number) % 100]
        images[:, 0, 0, 0] = np.arange(number) % 256
        path = tmp_path / f"large{number}.npz"
        np.savez(path, images=images, labels=np.zeros((number, 1), np.uint8))
        return import_source(path)

    return make


def _peak(dataset: Dataset) -> float:
    """MiB that a new process had resident at most while it laid the dataset's pixels out."""
    code = (
        "import json, sys\n"
        "from bloodapp.data.dataset import open_dataset\n"
        "from bloodapp.review import plane\n"
        "plane.lay_out(open_dataset(sys.argv[1]), 'pixels')\n"
        "from tests.benchmarks.measure import peak\n"
        "print(json.dumps(peak()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, dataset.name], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return float(json.loads(done.stdout))
