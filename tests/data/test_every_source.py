"""Every row of docs/sources.md: what is taken, what is refused and how, what is listed, and what is left behind."""

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bloodapp.data import folders
from bloodapp.data.dataset import Dataset, list_datasets, open_dataset
from bloodapp.data.importing import import_source
from bloodapp.errors import SourceError
from tests.augmentation_tables import place
from tests.sources_made import IMAGES, LABELS, arrays, folder, picture
from tests.sources_tables import DOC, FORMATS, LISTED, REFUSALS, SOURCES, TABLES, Refused, Taken

Run = Callable[..., str]


def everything(home: Path) -> dict[str, int]:
    """Every file of the workspace but locks, with its time."""
    files = (file for file in home.rglob("*") if file.is_file() and not file.name.endswith(".lock"))
    return {str(file.relative_to(home)): file.stat().st_mtime_ns for file in files}


@pytest.fixture
def used(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a dataset in it."""
    import_source(arrays(images=IMAGES, labels=LABELS)(tmp_path_factory.mktemp("before")), name="before")
    return home


@pytest.mark.parametrize("case", [*SOURCES, *FORMATS], ids=lambda case: case.what)
def test_taken(home: Path, tmp_path: Path, run: Run, case: Taken) -> None:
    """It is imported, with as many images, classes and parts as the table says."""
    (tmp_path / "source").mkdir()
    source = case.make(tmp_path / "source")
    run("import", source, "--name", "taken", "--size", 20, *case.flags)
    dataset = open_dataset("taken")
    assert len(dataset) == case.count
    keys = tuple(one.key for one in dataset.classes)
    assert (len(keys) if isinstance(case.classes, int) else keys) == case.classes
    assert set(dataset.parts) == case.parts
    told = [*dataset.facts["skipped"], *dataset.facts.get("notes", [])]
    assert sorted(one["name"] for one in told) == sorted(case.listed)
    assert (dataset.labels >= 0).all() != ("--unlabelled" in case.flags)


@pytest.mark.parametrize("case", REFUSALS, ids=lambda case: case.what)
def test_refused(used: Path, tmp_path: Path, run: Run, case: Refused) -> None:
    """It is refused in that sentence, with exit code 2, and the workspace is as it was."""
    (tmp_path / "source").mkdir()
    source = case.make(tmp_path / "source")
    before = everything(used)
    said = run("import", source, "--name", "wanted", *case.flags, code=2, stream="err")
    (line,) = [line for line in said.splitlines() if line.startswith("bloodapp: ")]
    assert line == "bloodapp: " + case.says.format(path=source, name=source.name)
    assert "Traceback" not in said
    assert everything(used) == before
    assert list_datasets() == ["before"]
    assert [one.name for one in (used / "datasets").iterdir() if one.is_dir()] == ["before"]


@pytest.mark.parametrize("case", LISTED, ids=lambda case: case.what)
def test_listed(home: Path, tmp_path: Path, run: Run, case: Refused) -> None:
    """It is listed in that sentence beside a good picture, which is imported."""
    (tmp_path / "source").mkdir()
    source = case.make(tmp_path / "source")
    if source.is_dir():
        (source / "ig").mkdir(exist_ok=True)
        (source / "ig" / "good.png").write_bytes(picture(1))
    said = run("import", source, "--name", "taken", stream="err")
    (skipped,) = open_dataset("taken").facts["skipped"]
    assert skipped["reason"].replace(" (0 bytes not processed)", "") == case.says
    assert f"skipped {skipped['name']}: {skipped['reason']}" in said
    assert len(open_dataset("taken")) == 1


@pytest.mark.parametrize("name", TABLES)
def test_the_tables_of_the_document_are_those_of_the_tests(name: str) -> None:
    """Every source and refusal stands in docs/sources.md, with its words."""
    (found,) = place(name).findall(DOC.read_text(encoding="utf-8"))
    assert found == f"\n\n{TABLES[name]}\n\n", "write it anew with `python -m tests.sources_tables`"


def test_pixels_of_every_format(home: Path, tmp_path: Path) -> None:
    """What loses nothing arrives pixel by pixel."""
    for kind in ("PNG", "BMP", "TIFF"):
        made = folder({"ig/a.png": picture(3, kind)}, kind)(tmp_path)
        assert (import_source(made, size=20).images[0] == IMAGES[3]).all()


def test_names_that_are_no_text(home: Path, tmp_path: Path) -> None:
    """Line ends and bytes that are no UTF-8, in files, classes and the folder itself, are shown as question marks."""
    name = os.fsdecode(b"cells\xff")
    try:
        source = folder({f"cl{name}ss/a\nb.png": picture(), f"cl{name}ss/c.png": b"no picture"}, name)(
            tmp_path
        )
    except OSError:
        pytest.skip("this file system takes text only")
    dataset = import_source(source, name="odd")
    assert dataset.items["name"].tolist() == ["clcells?ss/a?b.png"]
    assert [one.key for one in dataset.classes] == ["clcells?ss"]
    assert dataset.facts["skipped"][0]["name"] == "clcells?ss/c.png"


def test_no_right_to_read(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture, an archive and a folder that may not be read are named, each in a sentence."""
    source = folder({"ig/a.png": picture(), "ig/b.png": picture(1), "platelet/c.png": picture(2)})(tmp_path)
    npz = arrays(images=IMAGES, labels=LABELS)(tmp_path)
    really_scan = os.scandir

    def opened(path, *args, **more):
        if str(path).endswith("b.png"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return open(path, *args, **more)

    def scanned(path):
        if str(path).endswith("platelet"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return really_scan(path)

    # Whoever runs the tests may be root, who may read everything.
    monkeypatch.setattr(folders, "open", opened, raising=False)
    monkeypatch.setattr(folders.os, "scandir", scanned)
    dataset = import_source(source, name="part")
    monkeypatch.undo()
    told = {one["name"]: one["reason"] for one in dataset.facts["skipped"]}
    assert told == {
        name: f"'{name}' may not be read: give yourself the right to read it."
        for name in ("platelet", "ig/b.png")
    }
    assert len(dataset) == 1
    if os.geteuid():
        npz.chmod(0)
        with pytest.raises(SourceError, match=r"'cells\.npz' may not be read: give yourself the right"):
            import_source(npz, name="none")


FULL = """
import resource, sys
from bloodapp.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
sys.exit(main(["import", sys.argv[1], "--name", "wanted"]))
"""


def test_a_disk_that_fills_up(used: Path, tmp_path: Path) -> None:
    """When there is no room for the next image, the import says so and leaves nothing; here a file may have 60 kB."""
    pytest.importorskip("resource", reason="limits are set the Unix way")
    before = everything(used)
    source = arrays(images=IMAGES, labels=LABELS)(tmp_path)
    done = subprocess.run([sys.executable, "-c", FULL, str(source)], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "bloodapp: The disk is full: make room, then make 'wanted' again."
    assert everything(used) == before


def test_a_workspace_that_cannot_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    """A workspace that may not be written is named, with what to do."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("BLOODAPP_HOME", str(tmp_path / "file"))
    said = run("import", arrays(images=IMAGES, labels=LABELS)(tmp_path), code=2, stream="err")
    assert "may not be written: give yourself the right, or set BLOODAPP_HOME" in said.splitlines()[-1]


def test_what_was_left_out_is_kept_in_the_record(home: Path, tmp_path: Path) -> None:
    """The labels of the rows that stay are those of their own pictures, whatever was passed over between them."""
    names = [f"{('ig', 'platelet')[n % 2]}/{n:02}.png" for n in range(16)]
    files = {name: picture(n) if n % 3 else b"text" for n, name in enumerate(names)}
    dataset: Dataset = import_source(folder(files)(tmp_path), size=20)
    for row, name in enumerate(dataset.items["name"]):
        number = int(name[-6:-4])
        assert (dataset.images[row] == IMAGES[number]).all()
        assert dataset.labels[row] == (3, 7)[number % 2]
    assert np.array_equal(sorted(one["name"] for one in dataset.facts["skipped"]), sorted(names[::3]))
