"""Features of a dataset: computed once, and again when they would be those of something else."""

from pathlib import Path

import numpy as np
import pytest

from bloodapp.data.dataset import Dataset
from bloodapp.data.images import to_square
from bloodapp.data.importing import import_source
from bloodapp.errors import NotFound, Stopped
from bloodapp.review.features import ABOUT, FILE, Features, feature_run
from bloodapp.runs.run import Run
from bloodapp.workspace import read_json, write_json
from tests.made import give_model, make_run


@pytest.fixture
def run(tiny: Dataset) -> Run:
    """A finished run with a small model."""
    made = make_run(tiny)
    give_model(made)
    return made


class Asked:
    """Features that count how many images their network is asked of."""

    def __init__(self, run: Run) -> None:
        self.features = Features(run)
        self.images = 0
        self._of = self.features.of
        self.features.of = self.counted

    def counted(self, images: np.ndarray) -> np.ndarray:
        """Count, and ask."""
        self.images += len(images)
        return self._of(images)

    def of(self, dataset: Dataset) -> np.ndarray:
        """The features of a dataset."""
        return self.features.of_dataset(dataset, lambda done, total: None, lambda: None)


def test_features_are_computed_once(tiny: Dataset, run: Run) -> None:
    """The second call, even of another process, reads the file and asks no network."""
    asked = Asked(run)
    first = asked.of(tiny)
    assert first.dtype == np.float32 and first.shape == (48, 8)
    assert asked.images == 48
    later = Asked(run)
    assert np.array_equal(later.of(tiny), first)
    assert later.images == 0
    expected = asked.features.of(np.asarray(tiny.images[:5]))
    np.testing.assert_allclose(first[:5], expected, rtol=2e-3, atol=1e-3)


def test_those_of_another_run_are_others(tiny: Dataset, run: Run) -> None:
    """Another run's features replace the first's, and coming back computes them again."""
    first = Asked(run).of(tiny)
    other = make_run(tiny, "other")
    give_model(other, seed=3)
    assert not np.array_equal(Asked(other).of(tiny), first)
    assert read_json(tiny.path / ABOUT)["run"] == "other"
    again = Asked(run)
    assert np.array_equal(again.of(tiny), first)
    assert again.images == 48


@pytest.mark.parametrize("changed", ["fingerprint", "run", "created"])
def test_those_of_other_images_or_of_a_run_made_anew_are_not_taken(
    tiny: Dataset, run: Run, changed: str
) -> None:
    """A file that speaks of something else, or does not say of what, is not read."""
    Asked(run).of(tiny)
    about = read_json(tiny.path / ABOUT)
    for wrong in ({**about, changed: "another"}, {name: about[name] for name in about if name != changed}):
        write_json(tiny.path / ABOUT, wrong)
        asked = Asked(run)
        asked.of(tiny)
        assert asked.images == 48


@pytest.mark.parametrize("damage", ["cut", "empty", "gone", "too few", "words", "about gone", "about cut"])
def test_a_damaged_file_is_made_anew(tiny: Dataset, run: Run, damage: str) -> None:
    """Features can always be computed again: whatever happened to them is no error."""
    first = Asked(run).of(tiny)
    file, about = tiny.path / FILE, tiny.path / ABOUT
    content = file.read_bytes()
    match damage:
        case "cut":
            file.write_bytes(content[: len(content) // 2])
        case "empty":
            file.write_bytes(b"")
        case "gone":
            file.unlink()
        case "too few":
            np.save(file, first[:40].astype(np.float16))
        case "words":
            file.write_bytes(b"no numbers at all, for many bytes in a row")
        case "about gone":
            about.unlink()
        case "about cut":
            about.write_text("{")
    asked = Asked(run)
    assert np.array_equal(asked.of(tiny), first)
    assert asked.images == 48
    assert Asked(run).of(tiny).shape == first.shape


def test_broken_off_it_leaves_nothing_half(tiny: Dataset, run: Run) -> None:
    """Whoever stops it in the middle leaves no file, or the one that was there."""

    def stop() -> None:
        raise Stopped("Stopped.")

    with pytest.raises(Stopped):
        Features(run).of_dataset(tiny, lambda done, total: None, stop)
    assert not (tiny.path / FILE).exists() and not (tiny.path / ABOUT).exists()


def test_images_of_another_size_are_resized(tiny: Dataset, run: Run, tmp_path: Path) -> None:
    """A run of 96 pixels looks at a dataset of 64 as at the enlarged pictures."""
    file = tmp_path / "again.npz"
    np.savez(file, images=tiny.images[:12], labels=tiny.labels[:12, None].astype(np.uint8))
    small = import_source(file, name="small", size=64)
    got = Asked(run).of(small)
    enlarged = np.stack([to_square(image, 96) for image in small.images])
    np.testing.assert_allclose(got, Features(run).of(enlarged), rtol=2e-3, atol=1e-3)


def test_the_named_run_then_the_starter_then_the_newest(tiny: Dataset) -> None:
    """A run without a model is passed over; a name is taken at its word."""
    assert feature_run().name == "starter" and feature_run().shipped
    for name in ("first", "second"):
        give_model(make_run(tiny, name))
    make_run(tiny, "half", state="running")
    assert feature_run().name == "starter"
    assert feature_run("first").name == "first"
    with pytest.raises(NotFound, match="a model in the run 'half'"):
        feature_run("half")
    with pytest.raises(NotFound, match=r"'nothing'.*Available: .*first"):
        feature_run("nothing")


@pytest.mark.usefixtures("nothing_shipped")
def test_without_a_starter_the_newest_run_that_can(tiny: Dataset) -> None:
    """And without any there is one sentence that names what is missing."""
    with pytest.raises(NotFound, match="none yet"):
        feature_run()
    for name in ("first", "second"):
        give_model(make_run(tiny, name))
    make_run(tiny, "half", state="running")
    assert feature_run().name == "second"
