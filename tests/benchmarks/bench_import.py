"""What an import costs in time and memory, against reading the same images into memory."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.benchmarks.measure import PATIENCE_S, in_new_process, in_turns
from tests.benchmarks.report import row

pytestmark = pytest.mark.timeout(3 * PATIENCE_S)

NUMPY_LOAD = ("import numpy as np", "told = len(np.load(sys.argv[1])['images'])")
PILLOW = (
    """
    import io, zipfile
    import numpy as np
    from PIL import Image
    """,
    """
    with zipfile.ZipFile(sys.argv[1]) as archive:
        names = [name for name in archive.namelist() if name.endswith((".jpg", ".png"))]
        images = [np.asarray(Image.open(io.BytesIO(archive.read(name)))) for name in names]
    told = len(images)
    """,
)


def test_course_file(course_file: Path, tmp_path: Path) -> None:
    """Importing a course file, hashes and all, against `numpy.load` of its images."""
    compare("import of a course file", course_file, "numpy.load", NUMPY_LOAD, tmp_path)


def test_archive(cells_archive: Path, tmp_path: Path) -> None:
    """Importing a zip of JPEGs against decoding all of them with Pillow."""
    compare("import of a zip of JPEGs", cells_archive, "Pillow", PILLOW, tmp_path)


def compare(what: str, source: Path, than: str, peer: tuple[str, str], folder: Path) -> None:
    """Print seconds and peak memory of an import and of its peer, each in a process of its own."""
    source.read_bytes()  # so that nobody has to wait for the disk
    found = in_turns(
        {"ours": importing(source, folder), "peer": lambda: in_new_process(*peer, source)},
    )
    ours, theirs = found["ours"], found["peer"]
    count = ours[0]["told"]
    assert theirs[0]["told"] == count
    for key, unit in (("seconds", "s"), ("peak", "MiB")):
        figures = ([one[key] for one in ours], [one[key] for one in theirs])
        row(f"{what}, {key}", *figures, unit=unit, than=than, images=count)


def importing(source: Path, folder: Path) -> Callable[[], dict]:
    """A function that imports the source into the folder's workspace, replacing what it imported before."""
    return lambda: in_new_process(
        "from bloodapp.data.importing import import_source",
        "told = len(import_source(sys.argv[1], name='one', replace=True))",
        source,
        BLOODAPP_HOME=str(folder),
    )
