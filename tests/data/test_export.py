"""What remains, written in every format and read back; refusals; what stops and kills leave."""

import csv
import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bloodapp import jobs
from bloodapp.classes import class_list
from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import judge, record
from bloodapp.data.exporting import FORMATS, export, guessed, place
from bloodapp.data.exporting.names import Names, class_folders, safe
from bloodapp.data.exporting.place import MARK
from bloodapp.data.importing import import_source, store
from bloodapp.data.records import Record
from bloodapp.data.sources import Source
from bloodapp.errors import AlreadyExists, BloodappError, Busy, InvalidValue, Shortage, SourceError, Stopped
from bloodapp.workspace import lock

HEX = "0123456789abcdef" * 2
CLASSES = ("Zelle früh", "血小板", "platelet", "test", "CON")
FOLDERS = {name for name, one in FORMATS.items() if not one.suffix}


def out_of(folder: Path, to: str, name: str = "out") -> Path:
    """A target of this format."""
    return folder / f"{name}{FORMATS[to].suffix}"


@pytest.fixture
def rich(home: Path, tiny_cells: tuple[np.ndarray, np.ndarray]) -> Dataset:
    """40 images of five classes with awkward names, in all parts and none, some unlabelled, named alike or oddly."""
    names = ("train/a/Bild ä.jpg", "b/BILD Ä.png", "x/..png", "x/con.png", "row 7", "a:b?.png", ".hidden.png")
    parts = ("", "train", "val", "test")

    def records() -> Any:
        for row, image in enumerate(tiny_cells[0][:40]):
            label = -1 if row % 9 == 0 else row % len(CLASSES)
            yield Record(image, names[row % len(names)], label, parts[row % 4], 96, 96, "RGB")

    return store(Source("npz", "rich", "", class_list(CLASSES), 40, records()), "rich", 96)


def facts(dataset: Dataset, *columns: str, rows: np.ndarray | None = None) -> list[tuple[str, ...]]:
    """Pixels, class and whatever else is asked for of each image, in no order."""
    items, keys = dataset.items, [one.key for one in dataset.classes]
    labels = judge(dataset).labels
    rows = np.arange(len(dataset)) if rows is None else rows
    return sorted(
        (items["sha256"][i], keys[labels[i]] if labels[i] >= 0 else "", *(items[c][i] for c in columns))
        for i in rows
    )


KEPT = {"course": (), "medmnist": ("part",), "folders": ("part",), "zip": ("part",), "csv": ("part", "name")}
"""What else than pixels and classes comes back from each format."""


@pytest.mark.parametrize("to", FORMATS)
def test_an_export_comes_in_again(rich: Dataset, tmp_path: Path, to: str) -> None:
    """Import, export, import: the same pixels and classes, and parts and names where the format holds them."""
    record(rich, [1, 2], "exclude")
    record(rich, [3], "relabel", label=1)
    unlabelled = FORMATS[to].unlabelled
    out = out_of(tmp_path, to)
    done = export(rich, out, to, unlabelled=unlabelled)
    judged = judge(rich)
    rows = np.flatnonzero(judged.included) if unlabelled else judged.indices
    assert (done.count, done.left_out) == (len(rows), 40 - len(rows))
    again = import_source(out, name="again", labelled=not unlabelled)
    before, after = facts(rich, *KEPT[to], rows=rows), facts(again, *KEPT[to])
    if to == "medmnist":
        before = sorted((digest, key, part or "train") for digest, key, part in before)
    assert after == before
    assert [one.key for one in again.classes] == list(CLASSES)


@pytest.mark.parametrize("to", FORMATS)
def test_the_default_classes_come_in_again(tiny: Dataset, tmp_path: Path, to: str) -> None:
    """The eight classes of the course are the eight classes of the course; there are no parts."""
    out = out_of(tmp_path, to)
    export(tiny, out, to)
    again = import_source(out, name="again")
    assert again.classes == tiny.classes
    assert facts(again) == facts(tiny)
    assert set(again.parts) == {"train" if to == "medmnist" else ""}


@pytest.mark.parametrize("to", sorted(FOLDERS))
def test_names_are_safe_and_used_once(rich: Dataset, tmp_path: Path, to: str) -> None:
    """No two files of a folder differ by case only; none is hidden or a device; originals keep their file's name."""
    out = out_of(tmp_path, to)
    export(rich, out, to, unlabelled=True)
    files = [file.relative_to(out) for file in out.rglob("*.png")]
    assert len(files) == 40
    assert len({str(file).casefold() for file in files}) == 40
    stems = {file.stem for file in files}
    assert "Bild ä" in stems and "con_" in stems and "a_b_" in stems and "hidden" in stems
    assert any(stem.isdigit() for stem in stems)


def test_names_one_by_one() -> None:
    """Paths, dots, devices, long and empty names."""
    assert safe("../../etc/passwd") == "_.._etc_passwd"
    assert (safe(""), safe("..."), safe("NUL.txt"), safe("a. ")) == ("_", "_", "NUL.txt_", "a")
    assert len(safe("ä" * 300).encode()) <= 180
    names = Names()
    assert [names.free(one) for one in ("a", "A", "a-2", "a")] == ["a", "A-2", "a-2-2", "a-3"]
    assert class_folders(class_list(["IG", "ig", "val", "a/b"])) == ["IG", "ig-2", "val_", "a_b"]


def test_what_remains(tiny: Dataset, tmp_path: Path) -> None:
    """Excluded images are gone, relabelled ones have their new label, and numpy opens the file."""
    record(tiny, [0, 46, 47], "exclude")
    record(tiny, [5], "relabel", label=2)
    out = tmp_path / "clean.npz"
    assert export(tiny, out).count == 45
    with np.load(out, allow_pickle=False) as content:
        assert sorted(content) == ["images", "labels"]
        assert (content["images"] == tiny.images[1:46]).all()
        assert content["labels"].dtype == np.uint8
        assert content["labels"].shape == (45, 1)
        expected = tiny.labels[1:46].copy()
        expected[4] = 2
        assert (content["labels"][:, 0] == expected).all()


def test_medmnist_has_all_its_arrays(rich: Dataset, tmp_path: Path) -> None:
    """Six arrays and the names; without a part is train; a part without images is there and empty."""
    record(rich, np.flatnonzero(rich.parts == "val"), "exclude")
    export(rich, tmp_path / "med.npz", "medmnist")
    with np.load(tmp_path / "med.npz", allow_pickle=False) as content:
        names = [f"{part}_{what}" for part in ("train", "val", "test") for what in ("images", "labels")]
        assert sorted(content) == sorted([*names, "classes"])
        assert content["val_images"].shape == (0, 96, 96, 3) and content["val_labels"].shape == (0, 1)
        kept = judge(rich).indices
        assert len(content["train_images"]) == np.isin(rich.parts[kept], ("", "train")).sum()


def test_the_table(rich: Dataset, tmp_path: Path) -> None:
    """One row a picture, which exists and holds these pixels."""
    export(rich, tmp_path / "out", "csv", unlabelled=True)
    with (tmp_path / "out" / "labels.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["file", "label", "part", "name"]
    assert [row["name"] for row in rows] == rich.items["name"].tolist()
    assert rows[0]["label"] == "" and rows[1]["label"] == "血小板"
    for row, image in zip(rows, rich.images, strict=True):
        assert (np.asarray(Image.open(tmp_path / "out" / row["file"])) == image).all()


@pytest.mark.parametrize("to", FORMATS)
def test_the_same_state_gives_the_same_bytes(rich: Dataset, tmp_path: Path, to: str) -> None:
    """Two exports are equal byte by byte."""
    export(rich, out_of(tmp_path, to, "a"), to)
    export(rich, out_of(tmp_path, to, "b"), to, judged=judge(rich))
    assert contents(out_of(tmp_path, to, "a")) == contents(out_of(tmp_path, to, "b"))


def contents(path: Path) -> dict[str, bytes]:
    """All files of a folder, or the one file."""
    if path.is_file():
        return {"": path.read_bytes()}
    return {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()}


@pytest.mark.parametrize("to", FORMATS)
def test_nothing_is_overwritten_unasked(tiny: Dataset, tmp_path: Path, to: str) -> None:
    """What is there stays unless it is to be replaced; then the new one is there, whole."""
    out = out_of(tmp_path, to)
    export(tiny, out, to)
    before = contents(out)
    record(tiny, [0], "exclude")
    with pytest.raises(AlreadyExists, match="is there already"):
        export(tiny, out, to)
    assert contents(out) == before
    export(tiny, out, to, replace=True)
    assert contents(out) != before
    assert sorted(file.name for file in tmp_path.iterdir() if file.name.startswith((".", "out"))) == [
        out.name
    ]


def test_no_folder_of_somebody_else_is_replaced(tiny: Dataset, tmp_path: Path) -> None:
    """A folder that no export wrote is never removed; an empty one is."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("three years")
    with pytest.raises(InvalidValue, match="other files than those of an export"):
        export(tiny, tmp_path / "mine", "folders", replace=True)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "three years"
    (tmp_path / "empty").mkdir()
    assert export(tiny, tmp_path / "empty", "folders", replace=True).count == 48


@pytest.mark.parametrize(
    ("out", "to", "said"),
    [
        ("out.txt", "course", "must end in .npz"),
        ("out.npz", "zip", "must end in .zip"),
        ("out.npz", "folders", "are a folder"),
        ("folder", "folders", "is there already"),
        ("folder.npz", "course", "is a folder: name the file"),
        ("file", "csv", "is a file, and a folder is to be written"),
        ("file/out.npz", "course", "cannot be written"),
        ("x" * 300 + ".npz", "course", "cannot be written"),
    ],
)
def test_refusals(tiny: Dataset, tmp_path: Path, out: str, to: str, said: str) -> None:
    """Each in one sentence, before anything is written."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder.npz").mkdir()
    (tmp_path / "file").write_text("")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(BloodappError, match=said) as refused:
        export(tiny, tmp_path / out, to)
    assert "\n" not in str(refused.value)
    assert sorted(tmp_path.rglob("*")) == before


def test_formats_by_name(tiny: Dataset, tmp_path: Path) -> None:
    """A suffix says the format where it is clear; unknown formats are refused; npz has no place for the unlabelled."""
    assert guessed(Path("a.npz")) == "course" and guessed(Path("a.ZIP")) == "zip"
    with pytest.raises(InvalidValue, match="--to folders or --to csv"):
        guessed(Path("a"))
    with pytest.raises(BloodappError, match="Can't find format 'tar'"):
        export(tiny, tmp_path / "a", "tar")
    with pytest.raises(InvalidValue, match="no place for images without a label"):
        export(tiny, tmp_path / "a.npz", "course", unlabelled=True)


def test_nothing_remains(tiny: Dataset, tmp_path: Path) -> None:
    """An export of nothing is a mistake."""
    record(tiny, range(48), "exclude")
    with pytest.raises(SourceError, match="Nothing of 'tiny' remains"):
        export(tiny, tmp_path / "clean.npz")


def test_no_room(tiny: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Found out before the work."""
    monkeypatch.setattr(place, "_RESERVE", 1 << 60)
    with pytest.raises(Shortage, match=r"'clean\.npz' may need 0\.0 GB"):
        export(tiny, tmp_path / "deep" / "clean.npz")
    assert not (tmp_path / "deep").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("to", FORMATS)
def test_the_disk_fills_up(tiny: Dataset, tmp_path: Path, to: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fills in the middle gives one sentence, and nothing stays."""
    reads = Dataset.read

    def full(self: Dataset, rows: np.ndarray) -> np.ndarray:
        with open("/dev/full", "wb", buffering=0) as stream:
            stream.write(b"x")
        return reads(self, rows)

    monkeypatch.setattr(Dataset, "read", full)
    with pytest.raises(Shortage, match="The disk is full"):
        export(tiny, out_of(tmp_path / "new", to), to)
    assert list((tmp_path / "new").iterdir()) == []


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS])
def test_no_permission(tiny: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """A folder that may not be written is said in one sentence; whoever runs the tests may write everywhere."""

    def refused(path: Path) -> None:
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(place, "lock", refused)
    with pytest.raises(InvalidValue, match="may not be written: choose a folder of your own"):
        export(tiny, tmp_path / "out.npz")


@pytest.mark.parametrize("to", FORMATS)
def test_stopped_it_leaves_what_was_there(tiny: Dataset, tmp_path: Path, to: str) -> None:
    """Whatever interrupts the writing, what was there stays, and nothing else lies about."""
    folder = tmp_path / "out"
    out = out_of(folder, to)
    export(tiny, out, to)
    before = contents(folder)

    def broken(done: int, total: int, text: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(tiny, out, to, replace=True, progress=broken)
    with pytest.raises(Stopped, match="was not written"):
        export(tiny, out, to, replace=True, stopped=lambda: True)
    assert contents(folder) == before


def test_one_at_a_time(tiny: Dataset, tmp_path: Path) -> None:
    """A second export to the same place is told to wait."""
    held = lock(tmp_path / ".out.npz.lock")
    with held.acquire(timeout=0), pytest.raises(Busy, match="being written by another"):
        export(tiny, tmp_path / "out.npz")
    export(tiny, tmp_path / "out.npz")


HALTING = """
import sys
from pathlib import Path
from bloodapp.data.dataset import open_dataset
from bloodapp.data.exporting import chosen, export

chosen.BLOCK = 8

def progress(done, total, text):
    if done == 16:
        print("in the middle", flush=True)
        sys.stdin.readline()

export(open_dataset("tiny"), Path(sys.argv[1]), sys.argv[2], replace=True, progress=progress)
"""


@pytest.mark.parametrize("there", [False, True], ids=["new", "replacing"])
@pytest.mark.parametrize("to", FORMATS)
def test_a_kill_leaves_a_hidden_leftover_that_is_swept(
    tiny: Dataset, tmp_path: Path, to: str, there: bool
) -> None:
    """After kill -9 in the middle target and dataset are as before; the next export works and sweeps."""
    folder = tmp_path / "exports"
    out = out_of(folder, to, "cells.v2")
    if there:
        export(tiny, out, to)
    target = contents(out) if there else None
    dataset = contents(tiny.path)
    command = [sys.executable, "-c", HALTING, str(out), to]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "in the middle\n"
        child.kill()
    assert (contents(out) if there else None) == target
    assert contents(tiny.path) == dataset
    left = [file.name for file in folder.iterdir() if file != out]
    assert len(left) == 2 and all(name.startswith(f".{out.name}") for name in left)
    record(tiny, [0], "exclude")
    assert export(tiny, out, to, replace=there).count == 47
    assert [file.name for file in folder.iterdir()] == [out.name]


KILLED_AT = """
import os, signal, sys
from pathlib import Path
from bloodapp.data.dataset import open_dataset
from bloodapp.data.decisions import judge
from bloodapp.data.exporting import export

out, to = Path(sys.argv[1]), sys.argv[2]
dataset = open_dataset("tiny")
judged, names = judge(dataset), dataset.items  # read here, not in each child
DONE = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree")
for line in sys.stdin:
    left = int(line)
    if (child := os.fork()) == 0:
        def die(event, args):
            global left
            if event in DONE and str(out.parent) in str(args[0]):
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
        sys.addaudithook(die)
        export(dataset, out, to, judged=judged, replace=True)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("to", FORMATS)
def test_a_kill_at_whatever_it_does_to_the_disk(tiny: Dataset, tmp_path: Path, to: str) -> None:
    """Killed before each thing that it opens, moves or removes: the target is the old or the new, never between."""
    record(tiny, range(3, 48), "exclude")
    out = out_of(tmp_path / "exports", to)
    export(tiny, out, to)
    old = contents(out)
    record(tiny, [2], "exclude")
    export(tiny, out_of(tmp_path, to, "new"), to)
    new = contents(out_of(tmp_path, to, "new"))
    command = [sys.executable, "-c", KILLED_AT, str(out), to]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None and child.stdout is not None
        moment, code = 0, -9
        while code == -9:
            moment += 1
            child.stdin.write(f"{moment}\n")
            child.stdin.flush()
            code = int(child.stdout.readline())
            if out.exists():
                assert contents(out) in (old, new), moment
            else:  # in the moment between two moves: the old one lies hidden, whole, and comes back
                (aside,) = out.parent.glob(f".{out.name}-*.old")
                assert not FORMATS[to].suffix and contents(aside) == old
            assert export(tiny, out, to, replace=True).count == 2
            assert [file.name for file in out.parent.iterdir()] == [out.name]
            assert contents(out) == new
            old = new
        child.stdin.close()
    assert code == 0 and moment > 5


def test_a_kill_between_two_moves_is_mended(tiny: Dataset, tmp_path: Path) -> None:
    """A folder that was moved aside comes back before anything else is decided."""
    export(tiny, tmp_path / "out", "folders")
    before = contents(tmp_path / "out")
    os.rename(tmp_path / "out", tmp_path / f".out-{HEX}.old")
    with pytest.raises(AlreadyExists):
        export(tiny, tmp_path / "out", "folders")
    assert contents(tmp_path / "out") == before


def test_a_neighbours_files_are_left_alone(tiny: Dataset, tmp_path: Path) -> None:
    """Only what an export of this very target left is swept, not what one of a longer name builds right now."""
    ours, theirs = f".out-{HEX}", [f".out-2-{HEX}", f".out-{HEX}.npz", ".out-notes", f".other-{HEX}"]
    for name in (ours, *theirs):
        (tmp_path / name).mkdir()
    export(tiny, tmp_path / "out", "folders")
    assert sorted(path.name for path in tmp_path.glob(".o*")) == sorted(theirs)


def test_a_link_to_a_folder_is_replaced_as_a_link(tiny: Dataset, tmp_path: Path) -> None:
    """What it leads to stays, and no link is left behind."""
    export(tiny, tmp_path / "real", "folders")
    before = contents(tmp_path / "real")
    (tmp_path / "out").symlink_to("real")
    record(tiny, [0], "exclude")
    export(tiny, tmp_path / "out", "folders", replace=True)
    assert contents(tmp_path / "real") == before and not (tmp_path / "out").is_symlink()
    assert not list(tmp_path.glob(".*"))


def test_the_job(tiny: Dataset, tmp_path: Path) -> None:
    """The job writes the file and says where it lies, of which state."""
    record(tiny, [0], "exclude")
    job = jobs.submit("export", {"dataset": "tiny", "out": str(tmp_path / "out"), "to": "folders"})
    assert jobs.perform(job) == "done"
    nbytes = sum(map(len, contents(tmp_path / "out").values()))
    expected = {"path": str(tmp_path / "out"), "to": "folders", "count": 47, "seq": 1}
    result = job.status()["result"]
    assert {key: result[key] for key in expected} == expected
    assert nbytes <= result["nbytes"] < nbytes + 100_000  # and what the folders themselves take
    assert (tmp_path / "out" / MARK).is_file()


MEASURING = """
import sys
from pathlib import Path
from bloodapp.data.dataset import open_dataset
from bloodapp.data.exporting import export
from tests.benchmarks.measure import peak

warm, out, to = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
export(open_dataset("small"), warm, to)
before = peak()
export(open_dataset("large"), out, to)
print(peak() - before)
"""


@pytest.mark.parametrize("to", FORMATS)
def test_an_export_streams(home: Path, tmp_path: Path, to: str) -> None:
    """However large the dataset, its images are never in memory together: five times as many take no more."""
    pytest.importorskip("resource", reason="memory is measured the Unix way")
    images = np.repeat(np.random.default_rng(0).integers(0, 256, (4000, 1, 1, 3), np.uint8), 96, 1).repeat(
        96, 2
    )
    for name, count in (("small", 800), ("large", 4000)):
        np.savez_compressed(tmp_path / f"{name}.npz", images=images[:count], labels=np.arange(count) % 8)
        import_source(tmp_path / f"{name}.npz")
    outs = [str(out_of(tmp_path, to, f"{name}-out")) for name in ("small", "large")]
    done = subprocess.run(
        [sys.executable, "-c", MEASURING, *outs, to], check=True, capture_output=True, text=True
    )
    assert float(done.stdout) < images.nbytes / 4 / 2**20
