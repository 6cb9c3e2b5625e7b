"""What ten times the images cost a scan in time and memory."""

from collections.abc import Iterator

import numpy as np
import pytest

from bloodapp.data.dataset import Dataset, delete_dataset
from bloodapp.data.importing import store
from bloodapp.data.records import Record
from bloodapp.data.sources import Source
from tests.benchmarks.bench_review import FAST_SCAN
from tests.benchmarks.measure import PATIENCE_S, in_new_process, in_turns
from tests.benchmarks.report import row

pytestmark = pytest.mark.timeout(8 * PATIENCE_S)

TIMES = 10


@pytest.fixture
def tenfold(course: Dataset) -> Iterator[Dataset]:
    """The course dataset and nine changed copies of it: no duplicates of it, but near ones; 3.8 GB of disk."""
    source = Source("npz", "tenfold", "", course.classes, TIMES * len(course), changed_copies(course))
    dataset = store(source, "tenfold", course.size)
    yield dataset
    delete_dataset("tenfold")


def test_ten_times_the_images(course: Dataset, tenfold: Dataset) -> None:
    """Hashes and all fast detectors of both, each in a process of its own: seconds and peak memory."""
    assert len(tenfold) == TIMES * len(course)
    found = in_turns(
        {each.name: lambda each=each: in_new_process(*FAST_SCAN, each.name) for each in (tenfold, course)}
    )
    for key, unit in (("seconds", "s"), ("peak", "MiB")):
        figures = ([one[key] for one in found[each.name]] for each in (tenfold, course))
        row(f"fast scan, {key}", *figures, unit=unit, than=f"1/{TIMES} of the images", images=len(tenfold))


def changed_copies(dataset: Dataset, seed: int = 10) -> Iterator[Record]:
    """All images as they are, and again nine times with a pixel's shift, up to 6 % of light and light noise."""
    rng = np.random.default_rng(seed)
    shape = dataset.images.shape[1:]
    noise = rng.standard_normal(1 << 22, np.float32)
    pixels = int(np.prod(shape))
    for time in range(TIMES):
        for index in range(len(dataset)):
            image = np.asarray(dataset.images[index])
            if time:
                begin = rng.integers(len(noise) - pixels)
                shifted = np.roll(image, rng.integers(-1, 2, 2), axis=(0, 1)) * np.float32(
                    rng.uniform(0.94, 1.06)
                )
                shifted += np.float32(rng.uniform(1, 6)) * noise[begin : begin + pixels].reshape(shape)
                image = np.clip(shifted, 0, 255).astype(np.uint8)
            label = int(dataset.labels[index])
            yield Record(image, f"{time}-{index}", label, "", dataset.size, dataset.size, "RGB")
