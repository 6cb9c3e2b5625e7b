"""Two hundred inputs of every kind, mutated: no traceback, no hang, no memory without end. `make test-full`: 2,000."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from bloodapp.data.images import MAX_SIDE
from tests.mutated import seeds
from tests.sources_made import arrays, encoded, folder, huge
from tests.sources_tables import TURNED


def tried(examples: int, seed: int) -> dict:
    """What a process of its own says that has read so many mutated inputs."""
    command = [sys.executable, "-m", "tests.mutating", str(examples), str(seed)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    said: dict = json.loads(done.stdout.splitlines()[-1])
    return said


def test_two_hundred_mutated_inputs() -> None:
    """Each is imported or refused in one printable sentence, within ten seconds, in less than 1 GB."""
    said = tried(200, 1)
    assert said["tried"] >= 200
    assert said["kinds"] == len(seeds())
    assert 0 < said["refused"] < said["tried"]
    assert said["slowest_s"] < 10
    assert said["peak"] < 1 << 30


LARGE = """
import json, sys, warnings
from bloodapp.data.importing import import_source
from tests.mutated import peak

dataset = import_source(sys.argv[1], name="large")
print(json.dumps({"peak": peak(), "count": len(dataset), "skipped": len(dataset.facts["skipped"])}))
"""


def test_the_largest_pictures_fit_into_a_gigabyte(home: Path, tmp_path: Path) -> None:
    """Small files that unpack to the most pixels that are taken, of every costly kind, several at once."""
    side = (MAX_SIDE, MAX_SIDE)
    costly = {
        "alpha.png": encoded(Image.new("RGBA", side)),
        "palette.png": encoded(Image.new("P", side), transparency=0),
        "deep.png": encoded(Image.new("I;16", side, 40_000)),
        "turned.jpg": encoded(Image.new("L", side), "JPEG", exif=TURNED),
        "long.png": encoded(Image.new("RGB", (MAX_SIDE, 4))),
        "packed.tif": encoded(Image.new("RGB", side), "TIFF", compression="tiff_deflate"),
        "huge.png": huge(),
    }
    files: dict[str, bytes | None] = {
        f"ig/{number}-{name}": content for name, content in costly.items() for number in "ab"
    }
    assert sum(len(content or b"") for content in files.values()) < 20 << 20
    done = subprocess.run(
        [sys.executable, "-c", LARGE, str(folder(files)(tmp_path))],
        capture_output=True,
        text=True,
        check=True,
    )
    said = json.loads(done.stdout)
    assert (said["count"], said["skipped"]) == (12, 2)
    assert said["peak"] < 1 << 30


def test_an_array_of_the_largest_images_fits_too(home: Path, tmp_path: Path) -> None:
    """So do arrays of images of that size, which are read one after another."""
    images = np.zeros((6, MAX_SIDE, MAX_SIDE, 3), np.uint8)
    source = arrays(images=images, labels=np.zeros(6, int))(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", LARGE, str(source)], capture_output=True, text=True, check=True
    )
    said = json.loads(done.stdout)
    assert said["count"] == 6
    assert said["peak"] < 1 << 30
