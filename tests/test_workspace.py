"""Where things lie, and that a kill or a crowd of readers finds them whole."""

import json
import math
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from bloodapp import workspace
from bloodapp.errors import AlreadyExists, InvalidValue, Unreadable


def test_places_follow_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With BLOODAPP_HOME everything lies there; without it in the checkout; nothing is made by asking."""
    monkeypatch.setenv("BLOODAPP_HOME", str(tmp_path / "home"))
    assert workspace.datasets_folder() == tmp_path / "home" / "datasets"
    assert workspace.runs_folder() == tmp_path / "home" / "models"
    assert not (tmp_path / "home").exists()
    monkeypatch.delenv("BLOODAPP_HOME")
    assert workspace.home() == workspace.CHECKOUT / "workspace"
    assert workspace.runs_folder() == workspace.shipped_runs_folder() == workspace.CHECKOUT / "models"


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "..", "a b", "x" * 65, "-rf", "é"])
def test_names_that_cannot_name_a_folder(name: str) -> None:
    """One sentence says what may."""
    with pytest.raises(InvalidValue, match="cannot be used as a name"):
        workspace.checked_name(name)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("training set (1)", "training-set-1"),
        ("...", "dataset"),
        ("Zellen äöü", "Zellen"),
        ("y" * 99, "y" * 64),
    ],
)
def test_names_made_from_anything(text: str, name: str) -> None:
    """Whatever a file is called, its dataset gets a usable name."""
    assert workspace.checked_name(workspace.name_from(text)) == name


def test_a_folder_is_claimed_once(tmp_path: Path) -> None:
    """The second gets an error, or a number."""
    assert workspace.claim_folder(tmp_path / "all", "one").is_dir()
    with pytest.raises(AlreadyExists, match="'one' is taken"):
        workspace.claim_folder(tmp_path / "all", "one")
    assert workspace.claim_folder(tmp_path / "all", "one", number=True).name == "one-2"


def test_a_staged_folder_vanishes_unless_moved(tmp_path: Path) -> None:
    """Also when what builds in it fails."""
    with pytest.raises(ZeroDivisionError), workspace.staged_folder(tmp_path) as folder:
        (folder / "half").touch()
        raise ZeroDivisionError
    with workspace.staged_folder(tmp_path) as folder:
        folder.rename(tmp_path / "whole")
    assert [path.name for path in tmp_path.iterdir()] == ["whole"]


def test_replacing_is_all_or_nothing(tmp_path: Path) -> None:
    """What fails on the way leaves the old file and nothing else."""
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), workspace.replacing(path) as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert path.read_text() == "old" and len(list(tmp_path.iterdir())) == 1
    with workspace.replacing(path) as temporary:
        temporary.write_text("new")
    assert path.read_text() == "new" and len(list(tmp_path.iterdir())) == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a pipe with a name")
def test_a_pipe_is_written_to_not_replaced(tmp_path: Path) -> None:
    """So is a device: to put a file in the place of /dev/null would take it from everybody."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with ThreadPoolExecutor(1) as threads:
        read = threads.submit(path.read_text)
        with workspace.replacing(path) as given:
            given.write_text("all of it")
        assert read.result() == "all of it"
    assert path.is_fifo()
    assert [file.name for file in tmp_path.iterdir()] == ["pipe"]


def test_json_carries_its_format(tmp_path: Path) -> None:
    """Written with it, read back with it; NaN is refused before the file is touched."""
    path = tmp_path / "some.json"
    workspace.write_json(path, {"name": "µ"})
    assert workspace.read_json(path) == {"format": workspace.FORMAT, "name": "µ"}
    with pytest.raises(ValueError, match="compliant"):
        workspace.write_json(path, {"loss": math.nan})
    assert workspace.read_json(path)["name"] == "µ"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "damaged"),
        ("[1]", "not one of this app's"),
        ("{}", "not one of"),
        ('{"format": 99}', "newer version"),
    ],
)
def test_json_that_is_not_ours(tmp_path: Path, text: str, said: str) -> None:
    """Damaged, somebody else's, or from the future: each is told apart."""
    (tmp_path / "some.json").write_text(text)
    with pytest.raises(Unreadable, match=said):
        workspace.read_json(tmp_path / "some.json")


def test_lines_survive_a_torn_end(tmp_path: Path) -> None:
    """A kill in the middle of a line costs that line: readers pass it over, the next writer removes it."""
    path = tmp_path / "lines.jsonl"
    assert workspace.read_lines(path) == []
    workspace.append_line(path, {"n": 1, "loss": math.inf})
    with path.open("a") as stream:
        stream.write('{"n": 2, "lo')
    assert workspace.read_lines(path) == [{"n": 1, "loss": None}]
    workspace.append_line(path, {"n": 3})
    assert [row["n"] for row in workspace.read_lines(path)] == [1, 3]
    path.write_text('{"n": 1}\n{"n": \n{"n": 3}\n')
    with pytest.raises(Unreadable, match="Line 2"):
        workspace.read_lines(path)


def test_a_file_that_is_one_torn_line(tmp_path: Path) -> None:
    """Nothing of it is kept."""
    path = tmp_path / "lines.jsonl"
    path.write_text('{"n"')
    workspace.append_line(path, {"n": 1})
    assert workspace.read_lines(path) == [{"n": 1}]


def test_finite_numbers_at_any_depth() -> None:
    """NumPy's scalars become plain numbers, NaN and infinities None, the rest stays."""
    given = {
        "a": [np.float32(0.5), math.nan, {"b": np.int64(3), "c": (np.bool_(True), -math.inf)}],
        "d": "text",
        "e": None,
    }
    expected = {"a": [0.5, None, {"b": 3, "c": [True, None]}], "d": "text", "e": None}
    assert workspace.finite(given) == expected
    assert json.loads(json.dumps(workspace.finite(given))) == expected


def test_who_holds_a_lock(tmp_path: Path) -> None:
    """Seen from this process and from another, held or not; asking makes no file."""
    path = tmp_path / "lock"
    ask = [
        sys.executable,
        "-c",
        f"from bloodapp import workspace as w; import pathlib; print(w.is_held(pathlib.Path({str(path)!r})))",
    ]

    def asked() -> str:
        return subprocess.run(ask, capture_output=True, text=True, check=True).stdout.strip()

    assert not workspace.is_held(path) and not path.exists()
    with workspace.lock(path).acquire(timeout=0):
        assert workspace.is_held(path)
        assert asked() == "True"
    assert not workspace.is_held(path)
    assert asked() == "False"


def test_times_are_utc(tmp_path: Path) -> None:
    """ISO-8601 with milliseconds and a Z, so that they sort as text."""
    assert len(workspace.now()) == len("2026-11-20T10:54:15.123Z") and workspace.now().endswith("Z")


def test_a_replaced_file_is_as_open_as_any_other(tmp_path: Path) -> None:
    """What is written through a temporary file has the permissions of a file written plainly."""
    (tmp_path / "plain").touch()
    workspace.write_json(tmp_path / "written.json", {})
    assert (tmp_path / "written.json").stat().st_mode == (tmp_path / "plain").stat().st_mode
