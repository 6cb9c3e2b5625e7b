"""What a scan and the reading of decisions cost, against what one would write by hand."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import imagehash
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bloodapp.data import decisions
from bloodapp.data.dataset import Dataset, dataset_path, delete_dataset, open_dataset
from bloodapp.data.phash import perceptual_hashes
from tests.benchmarks.measure import PATIENCE_S, in_new_process, in_turns, seconds
from tests.benchmarks.report import row

pytestmark = pytest.mark.timeout(3 * PATIENCE_S)

EVENTS = {2_000: 20, 50_000: 200}
"""How many decisions, and how many of them to a batch."""

JUDGED = 20  # times a turn, for one is over in milliseconds


FAST_SCAN = (
    """
    from bloodapp.data.dataset import open_dataset
    from bloodapp.data.phash import perceptual_hashes
    from bloodapp.review.scan import scan
    dataset = open_dataset(sys.argv[1])
    """,
    """
    for _, block in dataset.blocks(1024):
        perceptual_hashes(block)
    told = len(scan(dataset))
    """,
)
"""Everything from the pixels on: the hashes, which an import makes, and all detectors of a scan that is not deep."""

CLEANVISION = (
    "from cleanvision import Imagelab",
    "Imagelab(data_path=sys.argv[1]).find_issues(n_jobs=2, verbose=False)",
)

# Of imagededup only the perceptual hash, as it comes. Its two modules for neural networks, which would load
# PyTorch, are left out: the hash uses neither.
IMAGEDEDUP = (
    """
    import types
    sys.modules["imagededup.methods.cnn"] = types.SimpleNamespace(CNN=None)
    sys.modules["imagededup.utils.models"] = types.SimpleNamespace(CustomModel=None)
    from imagededup.methods import PHash
    """,
    """
    peer = PHash(verbose=False)
    hashes = peer.encode_images(sys.argv[1], recursive=True, num_enc_workers=2)
    peer.find_duplicates(encoding_map=hashes, max_distance_threshold=4, num_dist_workers=2)
    """,
)


FROM_FILES = (
    """
    from bloodapp.data.importing import import_source
    from bloodapp.review.scan import scan
    """,
    "told = len(scan(import_source(sys.argv[1], name='from-files', replace=True)))",
)


@pytest.fixture(scope="module")
def pictures(course: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The same pixels as files in a folder a class, which is what the peers read: hardly compressed PNGs."""
    folder = tmp_path_factory.mktemp("pictures")
    for one in course.classes:
        (folder / one.key).mkdir()
    for number, (image, label) in enumerate(zip(course.images, course.labels, strict=True)):
        file = folder / course.classes[label].key / f"{number:06}.png"
        Image.fromarray(image).save(file, compress_level=1)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize(("than", "peer"), [("cleanvision", CLEANVISION), ("imagededup", IMAGEDEDUP)])
def test_fast_scan(course: Dataset, pictures: Path, than: str, peer: tuple[str, str]) -> None:
    """Hashes and all fast detectors on two threads against a peer on two processes, imports of modules apart.

    Ours has the pixels in a dataset already, so a second figure adds the import of the peer's files.
    """
    if find_spec(than) is None:
        pytest.skip(f"measured only where {than} is installed")
    found = in_turns(
        {
            "fast scan": lambda: float(in_new_process(*FAST_SCAN, course.name)["seconds"]),
            "import and fast scan": lambda: float(in_new_process(*FROM_FILES, pictures)["seconds"]),
            than: lambda: float(in_new_process(*peer, pictures)["seconds"]),
        }
    )
    delete_dataset("from-files")
    for what in ("fast scan", "import and fast scan"):
        row(what, found[what], found[than], unit="s", than=than, images=len(course))


def test_hashes(course: Dataset) -> None:
    """Our hashes against `imagehash.phash` of the same images, whose bits they have."""
    images = np.asarray(course.images)
    found = in_turns(
        {
            "ours": lambda: seconds(lambda: perceptual_hashes(images)),
            "peer": lambda: seconds(lambda: [imagehash.phash(Image.fromarray(i)) for i in images]),
        }
    )
    row("perceptual hashes", found["ours"], found["peer"], unit="s", than="imagehash", images=len(course))


@pytest.fixture(params=EVENTS)
def judged(request: pytest.FixtureRequest, course: Dataset) -> Iterator[Dataset]:
    """The course dataset's labels with so many decisions in batches; without its images, which no log asks for."""
    shutil.copytree(course.path, dataset_path("judged"), ignore=shutil.ignore_patterns("images.npy"))
    dataset = open_dataset("judged")
    rng = np.random.default_rng(5)
    size = EVENTS[request.param]
    for _ in range(request.param // size):
        action = str(rng.choice(decisions.ACTIONS))
        label = int(rng.integers(len(dataset.classes))) if action == "relabel" else None
        decisions.record(dataset, rng.choice(len(dataset), size, replace=False), action, label=label)
    yield dataset
    delete_dataset("judged")


def test_judge(judged: Dataset) -> None:
    """What holds after many events against pandas' last event of each image, from memory and from the same file."""
    events = decisions.log(judged).sort_values("seq")
    number = len(events)

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
        row(f"judge, {number:,} events", ours, peer, unit="ms", than=than, images=len(judged))
