"""Importing: what arrives, what a stop or a kill leaves, how much memory it takes."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bloodapp.data import decisions, importing
from bloodapp.data.dataset import Dataset, list_datasets, open_dataset
from bloodapp.data.importing import import_source
from bloodapp.errors import AlreadyExists, InvalidValue, SourceError, Stopped
from bloodapp.workspace import datasets_folder

Cells = tuple[np.ndarray, np.ndarray]


def npz(folder: Path, cells: Cells, name: str = "cells") -> Path:
    """These images and labels as a course file."""
    file = folder / f"{name}.npz"
    np.savez(file, images=cells[0], labels=cells[1][:, None])
    return file


def folders() -> list[str]:
    """Everything that lies among the datasets, but the lock."""
    return sorted(file.name for file in datasets_folder().iterdir() if file.is_dir())


def test_what_arrives(home: Path, tmp_path: Path, tiny_cells: Cells) -> None:
    """Pixels, labels, hashes, record and fingerprint are those of the source, in its order."""
    dataset = import_source(npz(tmp_path, tiny_cells))
    images, labels = tiny_cells
    assert dataset.name == "cells"
    assert (dataset.images == images).all()
    assert (dataset.labels == labels).all()
    digests = [hashlib.sha256(image.tobytes()) for image in images]
    assert dataset.items["sha256"].tolist() == [digest.hexdigest() for digest in digests]
    fingerprint = b"".join(
        d.digest() + int(label).to_bytes(2, "little") for d, label in zip(digests, labels, strict=True)
    )
    assert dataset.fingerprint == hashlib.sha256(fingerprint).hexdigest()
    record = json.loads((dataset.path / "dataset.json").read_text())
    assert record["format"] == 1
    assert record["count"] == 48
    assert record["source"] == {"kind": "npz", "name": "cells", "path": str(tmp_path / "cells.npz")}
    assert record["skipped"] == []
    assert record["imported"].endswith("Z")
    assert folders() == ["cells"]


def test_another_size(home: Path, tmp_path: Path, tiny_cells: Cells) -> None:
    """Images are brought to the size that was asked for; the original one is remembered."""
    dataset = import_source(npz(tmp_path, tiny_cells), name="small", size=32)
    assert dataset.images.shape == (48, 32, 32, 3)
    assert (dataset.size, dataset.items["width"][0], dataset.items["height"][0]) == (32, 96, 96)
    for size in (8, 1024):
        with pytest.raises(InvalidValue, match="choose 16 to 512"):
            import_source(npz(tmp_path, tiny_cells), name="odd", size=size)


def test_default_names(
    home: Path, tmp_path: Path, tiny_cells: Cells, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dataset is named after its file or folder, whatever characters these have and however they are given."""
    folder = tmp_path / "cells v1.2"
    (folder / "ig").mkdir(parents=True)
    Image.fromarray(tiny_cells[0][0]).save(folder / "ig" / "a.png")
    monkeypatch.chdir(folder)
    assert import_source(".").name == "cells-v1.2"
    with pytest.raises(SourceError, match="Can't find '~nobody-here/a"):
        import_source("~nobody-here/a")


def test_a_folder_with_bad_files(home: Path, tmp_path: Path, tiny_cells: Cells) -> None:
    """Bad files are listed in the record; indices count what was kept."""
    source = tmp_path / "my cells"
    for number, (image, label) in enumerate(zip(*tiny_cells, strict=True)):
        file = (
            source / ("train" if number % 2 else "val") / ("ig", "platelet")[label % 2] / f"{number:02}.png"
        )
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(file)
    (source / "train" / "platelet" / "00.png").write_text("text")
    dataset = import_source(source)
    assert dataset.name == "my-cells"
    assert len(dataset) == 48
    assert dataset.facts["skipped"][0]["name"] == "train/platelet/00.png"
    assert "is not a picture" in dataset.facts["skipped"][0]["reason"]
    assert dataset.items["index"].tolist() == list(range(48))
    assert dataset.items["name"].tolist() == sorted(dataset.items["name"])
    assert set(dataset.parts) == {"train", "val"}


def test_nothing_left_is_an_error(home: Path, tmp_path: Path) -> None:
    """A source of bad files only gives no dataset, and names the first reason."""
    (tmp_path / "bad" / "ig").mkdir(parents=True)
    (tmp_path / "bad" / "ig" / "a.png").write_text("text")
    with pytest.raises(SourceError, match=r"None of the 1 pictures .* 'ig/a\.png' is not a picture"):
        import_source(tmp_path / "bad")
    assert folders() == []


def test_damage_found_at_the_end_leaves_nothing(home: Path, tmp_path: Path, tiny_cells: Cells) -> None:
    """A file that proves damaged at its last byte leaves no dataset."""
    file = npz(tmp_path, tiny_cells)
    content = bytearray(file.read_bytes())
    content[5000] ^= 1
    file.write_bytes(content)
    with pytest.raises(SourceError, match="damaged or cut short"):
        import_source(file)
    assert folders() == []


def test_the_sample(home: Path) -> None:
    """The drawn sample comes with its truth."""
    pytest.importorskip("bloodapp.data.sample")
    dataset = import_source("sample")
    assert dataset.name == "sample"
    assert len(dataset) > 100
    assert dataset.truth is not None
    assert {"index", "kind", "group", "true_label"} <= set(dataset.truth.columns)


def test_progress_rises_to_the_end(home: Path, tmp_path: Path, tiny_cells: Cells) -> None:
    """Progress begins at none and ends at all."""
    seen: list[tuple[int, int]] = []
    cells = (np.concatenate([tiny_cells[0]] * 3), np.concatenate([tiny_cells[1]] * 3))
    import_source(npz(tmp_path, cells), progress=lambda done, total, text: seen.append((done, total)))
    assert seen[0] == (0, 144)
    assert seen[-1] == (144, 144)
    assert seen == sorted(seen)
    assert len(seen) > 3


def test_a_stop_leaves_nothing(home: Path, tmp_path: Path, tiny_cells: Cells) -> None:
    """Stopped in the middle, there is no dataset and no trace."""
    cells = (np.concatenate([tiny_cells[0]] * 3), np.concatenate([tiny_cells[1]] * 3))
    answers = iter([False, True])
    with pytest.raises(Stopped):
        import_source(npz(tmp_path, cells), stopped=lambda: next(answers))
    assert folders() == []


def test_a_full_disk(home: Path, tmp_path: Path, tiny_cells: Cells, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that cannot hold the dataset is found out before the work."""
    monkeypatch.setattr(importing, "_RESERVE", 1 << 60)
    with pytest.raises(SourceError, match=r"'cells' needs .* GB of disk, .* make room"):
        import_source(npz(tmp_path, tiny_cells))
    assert folders() == []


def test_a_taken_name(tiny: Dataset, tmp_path: Path, tiny_cells: Cells) -> None:
    """A taken name is refused at once; an unusable one too."""
    with pytest.raises(AlreadyExists, match="'tiny' exists: choose another name"):
        import_source(npz(tmp_path, tiny_cells, "tiny"))
    with pytest.raises(InvalidValue, match="cannot be used as a name"):
        import_source(npz(tmp_path, tiny_cells), name="a/b")


def test_a_name_taken_meanwhile(home: Path, tmp_path: Path, tiny_cells: Cells) -> None:
    """Of two imports under one name, the second to end is refused, and the first is whole."""
    file = npz(tmp_path, tiny_cells)

    def another(done: int, total: int, text: str) -> None:
        if done == total:
            import_source(file, name="twice")

    with pytest.raises(AlreadyExists):
        import_source(file, name="twice", progress=another)
    assert len(open_dataset("twice")) == 48
    assert folders() == ["twice"]


def test_replacing(tiny: Dataset, tmp_path: Path, tiny_cells: Cells) -> None:
    """A replaced dataset is new all over; a reader of the old one reads on; its decisions are kept aside."""
    old_image = np.array(tiny.images[5])
    decisions.record(tiny, [1, 2], "exclude", why="blurred")
    other = (tiny_cells[0][::-1], tiny_cells[1][::-1])
    dataset = import_source(npz(tmp_path, other, "other"), name="tiny", replace=True)
    assert (dataset.images[0] == tiny_cells[0][47]).all()
    assert (tiny.images[5] == old_image).all()
    assert decisions.last_seq(dataset) == 0
    assert decisions.judge(dataset).included.all()
    (kept,) = dataset.path.glob("decisions-before-*.csv")
    assert kept.read_text().count("blurred") == 2
    assert folders() == ["tiny"]


def test_replacing_without_decisions_keeps_no_file(tiny: Dataset, tmp_path: Path, tiny_cells: Cells) -> None:
    """Where nothing was decided nothing is kept."""
    dataset = import_source(npz(tmp_path, tiny_cells, "other"), name="tiny", replace=True)
    assert list(dataset.path.glob("decisions-before-*")) == []


def test_replacing_a_damaged_dataset(tiny: Dataset, tmp_path: Path, tiny_cells: Cells) -> None:
    """A damaged dataset can be replaced; its log is kept as it was."""
    decisions.record(tiny, [1], "exclude")
    (tiny.path / "dataset.json").write_text("{")
    dataset = import_source(npz(tmp_path, tiny_cells, "other"), name="tiny", replace=True)
    assert len(dataset) == 48
    assert len(list(dataset.path.glob("decisions-before-*.db"))) == 1


def test_a_replacing_that_fails_keeps_the_old(tiny: Dataset, tmp_path: Path) -> None:
    """Until the new one is whole the old one stays."""
    (tmp_path / "bad.npz").write_text("text")
    with pytest.raises(SourceError):
        import_source(tmp_path / "bad.npz", name="tiny", replace=True)
    assert len(open_dataset("tiny")) == 48


def test_the_job(home: Path, tmp_path: Path, tiny_cells: Cells) -> None:
    """The work function of the job takes its parameters, reports and gives the result."""

    class Context:
        seen = 0

        def progress(self, done: int, total: int, text: str = "", **extra: Any) -> None:
            self.seen += 1

        def stopped(self) -> bool:
            return False

    context = Context()
    result = importing.work({"source": str(npz(tmp_path, tiny_cells)), "name": "a", "size": 48}, context)
    assert result == {"dataset": "a", "count": 48, "skipped": 0}
    assert open_dataset("a").size == 48
    assert context.seen >= 2


HALTING = """
import sys
from bloodapp.data.importing import import_source

def progress(done, total, text):
    if done == 64:
        print("in the middle", flush=True)
        sys.stdin.readline()

import_source(sys.argv[1], name="halting", progress=progress)
"""


@contextmanager
def halting_import(tmp_path: Path, cells: Cells) -> Iterator[subprocess.Popen[str]]:
    """A child process that stands still in the middle of an import until it gets a line."""
    many = (np.concatenate([cells[0]] * 3), np.concatenate([cells[1]] * 3))
    command = [sys.executable, "-c", HALTING, str(npz(tmp_path, many, "many"))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "in the middle\n"
        try:
            yield child
        finally:
            child.kill()


def test_a_kill_leaves_no_dataset_and_is_swept(home: Path, tmp_path: Path, tiny_cells: Cells) -> None:
    """After kill -9 in the middle there is no dataset, and the next import removes what lies about."""
    with halting_import(tmp_path, tiny_cells) as child:
        child.kill()
        child.wait()
    assert list_datasets() == []
    assert [name[:8] for name in folders()] == [".making-"]
    import_source(npz(tmp_path, tiny_cells))
    assert folders() == ["cells"]


def test_another_import_is_not_swept(home: Path, tmp_path: Path, tiny_cells: Cells) -> None:
    """An import that is still at work is left alone by one that begins, and ends well."""
    with halting_import(tmp_path, tiny_cells) as child:
        import_source(npz(tmp_path, tiny_cells))
        assert len(folders()) == 2
        child.communicate("go on\n")
        assert child.returncode == 0
    assert list_datasets() == ["cells", "halting"]
    assert len(open_dataset("halting")) == 144
    assert sorted(file.name for file in (datasets_folder() / "halting").iterdir() if file.suffix) == [
        ".decisions.db.lock",
        "dataset.json",
        "decisions.db",
        "images.npy",
        "items.parquet",
    ]


MEASURING = """
import json, sys
from bloodapp.data.importing import import_source
from tests.benchmarks.measure import peak

warm, file = sys.argv[1:]
import_source(warm, name="warm")
before = peak()
dataset = import_source(file, name="measured")
print(json.dumps({"rise": peak() - before, "peak": peak(), "n": len(dataset)}))
"""


def measured(warm: Path, file: Path) -> dict[str, float]:
    """Peak memory in MiB of an import in a process of its own, after a small one to load the libraries."""
    pytest.importorskip("resource", reason="memory is measured the Unix way")
    command = [sys.executable, "-c", MEASURING, str(warm), str(file)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def test_importing_streams(home: Path, tmp_path: Path, tiny_cells: Cells) -> None:
    """However large the file, the images are never in memory together: a third of these at most."""
    images = np.random.default_rng(0).integers(0, 256, (6000, 96, 96, 3), dtype=np.uint8)
    file = npz(tmp_path, (images, np.arange(6000) % 8), "large")
    assert measured(npz(tmp_path, tiny_cells), file)["rise"] < images.nbytes / 3 / 2**20


def test_the_course_file(home: Path, tmp_path: Path, tiny_cells: Cells, course_npz: Path) -> None:
    """The whole course file takes well under 1 GB; how long it takes, `make bench` tells."""
    result = measured(npz(tmp_path, tiny_cells), course_npz)
    assert result["n"] == 13_759
    assert result["peak"] < 500
