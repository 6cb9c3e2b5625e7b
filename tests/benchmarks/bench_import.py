"""What an import costs in time and memory, against reading the same images into memory, or decoding them alone."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from bloodapp.data.sample import draw_sample
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


MANY = 100_000
DECODING = (
    """
    import os
    from concurrent.futures import ThreadPoolExecutor
    from pathlib import Path
    import numpy as np
    from PIL import Image
    from bloodapp.data.preparing import BLOCK, THREADS
    """,
    """
    def decoded(files):
        for file in files:
            with Image.open(file) as picture:
                np.asarray(picture.convert("RGB"))
        return len(files)
    files = sorted(os.path.join(folder, name) for folder, _, names in os.walk(sys.argv[1]) for name in names)
    with ThreadPoolExecutor(THREADS) as threads:
        told = sum(threads.map(decoded, [files[at : at + BLOCK] for at in range(0, len(files), BLOCK)]))
    """,
)


def test_course_file(course_file: Path, tmp_path: Path) -> None:
    """Importing a course file, hashes and all, against `numpy.load` of its images."""
    compare("import of a course file", course_file, "numpy.load", NUMPY_LOAD, tmp_path)


def test_archive(cells_archive: Path, tmp_path: Path) -> None:
    """Importing a zip of JPEGs against decoding all of them with Pillow."""
    compare("import of a zip of JPEGs", cells_archive, "Pillow", PILLOW, tmp_path)


@pytest.mark.parametrize(
    ("suffix", "side", "count"), [("jpg", 96, MANY), ("png", 96, MANY // 5), ("jpg", 360, MANY // 10)]
)
def test_class_folders(suffix: str, side: int, count: int, tmp_path: Path) -> None:
    """Class folders against decoding them alone with Pillow, in the same threads; and the memory above the start.

    Pictures of 360 pixels are shrunk as well, which takes longer than to decode them.
    """
    source = tmp_path / "cells"
    draw(source, suffix, side, count)
    compare(f"import of {suffix} of {side} pixels", source, "decoding alone", DECODING, tmp_path)
    one = in_new_process(
        """
        import pandas, pyarrow.parquet
        from bloodapp.data.importing import import_source
        from tests.benchmarks.measure import peak
        before = peak()
        """,
        "import_source(sys.argv[1], name='one', replace=True)\ntold = peak() - before",
        source,
        BLOODAPP_HOME=str(tmp_path),
    )
    print(f"\nmemory above the start: {one['told']:,.0f} MiB, {count:,} images", flush=True)
    assert one["told"] < 500


def draw(folder: Path, suffix: str, side: int, count: int) -> None:
    """Class folders of drawn cells, each in many turns and lights."""
    drawn = draw_sample()
    places = [folder / part / one.key for part in ("train", "val") for one in drawn.classes]
    for place in places:
        place.mkdir(parents=True)

    def write(number: int) -> None:
        cell = Image.fromarray(drawn.images[number % len(drawn.images)])
        turned = cell.rotate(number * 7 % 360, fillcolor=(235, 215, 210)).resize((side, side))
        turned.save(places[number % len(places)] / f"{number:06}.{suffix}", quality=90)

    with ThreadPoolExecutor() as threads:
        for _ in threads.map(write, range(count)):
            pass


def compare(what: str, source: Path, than: str, peer: tuple[str, str], folder: Path) -> None:
    """Print seconds and peak memory of an import and of its peer, each in a process of its own."""
    for file in source.rglob("*.*") if source.is_dir() else [source]:
        file.read_bytes()  # so that nobody has to wait for the disk
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
    """A function that imports the source into the folder's workspace, from which it removes what was there before."""
    return lambda: in_new_process(
        """
        import os, shutil
        from bloodapp.data.importing import import_source
        shutil.rmtree(os.path.join(os.environ["BLOODAPP_HOME"], "datasets"), ignore_errors=True)
        os.sync()  # so that nobody pays for what another one has left to the disk
        """,
        "told = len(import_source(sys.argv[1], name='one'))",
        source,
        BLOODAPP_HOME=str(folder),
    )
