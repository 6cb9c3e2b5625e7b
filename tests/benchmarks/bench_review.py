"""What a scan and the reading of decisions cost, against what one would write by hand."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import imagehash
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bloodapp.data import decisions
from bloodapp.data.dataset import Dataset, dataset_path, delete_dataset, open_dataset
from bloodapp.data.phash import perceptual_hashes
from bloodapp.review.scan import scan
from tests.benchmarks.measure import PATIENCE_S, in_new_process, in_turns, seconds
from tests.benchmarks.report import row

pytestmark = pytest.mark.timeout(3 * PATIENCE_S)

EVENTS, BATCH = 2000, 20
JUDGED = 20  # times a turn, for one is over in milliseconds


def test_scan(course: Dataset) -> None:
    """All detectors against `imagehash.phash` of the same images alone; an import has hashed ours before."""
    found = in_turns(
        {
            "ours": lambda: seconds(lambda: scan(course)),
            "peer": lambda: seconds(lambda: [imagehash.phash(Image.fromarray(i)) for i in course.images]),
        }
    )
    row("scan", found["ours"], found["peer"], unit="s", than="imagehash.phash alone", images=len(course))


def test_scan_against_cleanvision(course: Dataset, tmp_path: Path) -> None:
    """Hashes and all detectors in one process against CleanVision as it comes, on all cores."""
    pytest.importorskip("cleanvision", reason="measured only where cleanvision is installed")
    for number, image in enumerate(course.images):
        Image.fromarray(image).save(tmp_path / f"{number:06}.png", compress_level=1)

    def ours() -> float:
        return seconds(lambda: (perceptual_hashes(course.images), scan(course)))

    def peer() -> float:
        found = in_new_process(
            "from cleanvision import Imagelab",
            "Imagelab(data_path=sys.argv[1]).find_issues(verbose=False)",
            tmp_path,
        )
        return float(found["seconds"])

    found = in_turns({"ours": ours, "peer": peer})
    row("hashes and scan", found["ours"], found["peer"], unit="s", than="cleanvision", images=len(course))


@pytest.fixture
def judged(course: Dataset) -> Iterator[Dataset]:
    """The course dataset's labels with 2,000 decisions in 100 batches; without its images, which no log asks for."""
    shutil.copytree(course.path, dataset_path("judged"), ignore=shutil.ignore_patterns("images.npy"))
    dataset = open_dataset("judged")
    rng = np.random.default_rng(5)
    for _ in range(EVENTS // BATCH):
        action = str(rng.choice(decisions.ACTIONS))
        label = int(rng.integers(len(dataset.classes))) if action == "relabel" else None
        decisions.record(dataset, rng.choice(len(dataset), BATCH, replace=False), action, label=label)
    yield dataset
    delete_dataset("judged")


def test_judge(judged: Dataset) -> None:
    """What holds after 2,000 events against pandas' last event of each image, from memory and from the same file."""
    events = decisions.log(judged).sort_values("seq")

    def from_memory() -> pd.DataFrame:
        return events.groupby("index").last()

    def from_file() -> pd.DataFrame:
        with closing(sqlite3.connect(judged.path / "decisions.db")) as connection:
            table = pd.read_sql_query("select * from events order by seq", connection)
        return table.groupby("index").last()

    assert len(from_memory()) == len(from_file())
    found = in_turns(
        {
            name: lambda action=action: 1000 * seconds(lambda: [action() for _ in range(JUDGED)]) / JUDGED
            for name, action in (
                ("ours", lambda: decisions.judge(judged)),
                ("pandas groupby-last in memory", from_memory),
                ("pandas read_sql and groupby-last", from_file),
            )
        }
    )
    ours = found.pop("ours")
    for than, peer in found.items():
        row(f"judge, {EVENTS:,} events", ours, peer, unit="ms", than=than, images=len(judged))
