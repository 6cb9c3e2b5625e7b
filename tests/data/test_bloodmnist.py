"""BloodMNIST by its name, from a real server: fetched once, gone on with, stopped, killed, refused in a sentence."""

import hashlib
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bloodapp import jobs
from bloodapp.data import bloodmnist, download
from bloodapp.data.dataset import list_datasets, open_dataset
from bloodapp.data.importing import import_source
from bloodapp.data.sources import open_source
from bloodapp.errors import BloodappError, InvalidValue, Shortage, SourceError, Stopped
from bloodapp.evaluate.target_source import read_target
from bloodapp.runs.run import Run as Finished

Run = Callable[..., str]


class Zenodo(ThreadingHTTPServer):
    """Serves one file as the tests want it.

    Attributes:
        content: of the file.
        ranges: whether it knows Range.
        cut: it hangs up after so many bytes of an answer; 0 for never.
        halt: it falls silent after so many bytes, until `on` is set; 0 for never.
        leads_to: answers with a redirect there.
        missing: answers 404.
        asked: what was asked for, and the Range of it.
        halted: set when it has fallen silent.
    """

    daemon_threads = True

    def __init__(self, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.content, self.ranges, self.cut, self.halt, self.leads_to = content, True, 0, 0, ""
        self.missing = False
        self.asked: list[tuple[str, str | None]] = []
        self.halted, self.on = threading.Event(), threading.Event()


class Answer(BaseHTTPRequestHandler):
    """One answer."""

    server: Zenodo

    def log_message(self, *_: Any) -> None:
        """Nothing."""

    def do_GET(self) -> None:
        """The file, a part of it, half of it, or none."""
        server, wanted = self.server, self.headers.get("Range")
        server.asked.append((self.path, wanted))
        if server.missing:
            return self.send_error(404)
        if server.leads_to and not self.path.startswith("/elsewhere"):
            self.send_response(302)
            self.send_header("Location", server.leads_to)
            return self.end_headers()
        begin = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and server.ranges else 0
        if begin >= len(server.content):
            return self.send_error(416)
        self.send_response(206 if begin else 200)
        if begin:
            whole = len(server.content)
            self.send_header("Content-Range", f"bytes {begin}-{whole - 1}/{whole}")
        body = server.content[begin:]
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with suppress(ConnectionError):  # who asked has hung up
            if server.halt:
                self.wfile.write(body[: server.halt])
                server.halted.set()
                server.on.wait(30)
                self.wfile.write(body[server.halt :])
            else:
                self.wfile.write(body[: server.cut or None])


@pytest.fixture
def zenodo(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Zenodo]:
    """A server of a small set whose MD5 is the published one."""
    rng = np.random.default_rng(1)
    arrays = {}
    for part, count in (("train", 40), ("val", 8), ("test", 16)):
        arrays[f"{part}_images"] = rng.integers(0, 256, (count, 64, 64, 3), dtype=np.uint8)
        arrays[f"{part}_labels"] = (np.arange(count, dtype=np.uint8) % 8)[:, None]
    np.savez(tmp_path / "made.npz", **arrays)
    content = (tmp_path / "made.npz").read_bytes()
    monkeypatch.setitem(bloodmnist.MD5, 64, hashlib.md5(content).hexdigest())
    server = Zenodo(content)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    monkeypatch.setenv(bloodmnist.MIRROR, f"http://127.0.0.1:{server.server_port}/files/")
    yield server
    server.on.set()
    server.shutdown()
    server.server_close()
    thread.join()


def downloads(home: Path) -> dict[str, int]:
    """What lies in the folder of downloads, and how large it is, but for locks."""
    files = (home / "downloads").glob("*")
    return {file.name: file.stat().st_size for file in files if file.suffix != ".lock"}


def test_imported_by_its_name_and_fetched_once(zenodo: Zenodo, home: Path, run: Run) -> None:
    """The word gives the set with its parts and where it is from; a second import asks nobody."""
    said = run("import", "bloodmnist:64", "--size", "64")
    assert said.startswith("bloodmnist-64  64 images  64 px  8 classes")
    dataset = open_dataset("bloodmnist-64")
    assert np.unique(dataset.parts, return_counts=True)[1].tolist() == [16, 40, 8]
    assert dataset.classes[0].key == "basophil"
    assert dataset.source["md5"] == bloodmnist.MD5[64] and dataset.source["licence"] == "CC BY 4.0"
    assert zenodo.asked == [("/files/bloodmnist_64.npz?download=1", None)]
    import_source("bloodmnist:64", name="again")
    assert len(zenodo.asked) == 1
    assert downloads(home) == {"bloodmnist_64.npz": len(zenodo.content)}


def test_the_files_of_the_record() -> None:
    """Four files, as MedMNIST calls them, at Zenodo; a word that means none is refused."""
    files = [bloodmnist.published(word).file for word in ("bloodmnist", "bloodmnist:28", "bloodmnist:224")]
    assert files == ["bloodmnist.npz", "bloodmnist.npz", "bloodmnist_224.npz"]
    assert (
        bloodmnist.published("bloodmnist").url
        == "https://zenodo.org/records/10519652/files/bloodmnist.npz?download=1"
    )
    for word in ("bloodmnist:96", "bloodmnist:x"):
        with pytest.raises(InvalidValue, match="28, 64, 128 and 224 pixels"):
            bloodmnist.published(word)
    assert not bloodmnist.is_word("./bloodmnist") and not bloodmnist.is_word("bloodmnist.npz")


def test_a_dataset_of_that_name_is_that_dataset(zenodo: Zenodo, run: Run) -> None:
    """Where a source may be a dataset's name, a dataset called bloodmnist is meant; else the word."""
    assert open_source("bloodmnist:64").count == 64
    import_source("sample", name="bloodmnist")
    assert open_source("bloodmnist").kind == "dataset"


@pytest.mark.parametrize("ranges", [True, False])
def test_it_goes_on_where_it_was_cut(zenodo: Zenodo, home: Path, ranges: bool) -> None:
    """What came before a cut is kept and gone on from; a server that cannot begins anew; either way it is whole."""
    zenodo.cut, zenodo.ranges = 300_000, ranges
    with pytest.raises(SourceError, match=r"broke off after 300,000 of [0-9,]+ bytes\): try again"):
        bloodmnist.fetch("bloodmnist:64")
    assert downloads(home) == {".bloodmnist_64.npz.part": 300_000}
    zenodo.cut, told = 0, []
    path = bloodmnist.fetch("bloodmnist:64", lambda *step: told.append(step))
    assert zenodo.asked[-1][1] == "bytes=300000-"
    assert path.read_bytes() == zenodo.content
    assert told[0][0] > (300_000 if ranges else 0) and told[-1][:2] == (len(zenodo.content),) * 2
    assert told[-1][2] == "Downloading bloodmnist_64.npz, 1 of 1 MB"
    assert downloads(home) == {"bloodmnist_64.npz": len(zenodo.content)}


@pytest.mark.parametrize("left", [b"", b"wrong from the beginning", b"x" * 3_000_000])
def test_a_wrong_leftover_does_no_harm(zenodo: Zenodo, home: Path, left: bytes) -> None:
    """Something else under the name of the part: at the latest, the second try is right."""
    part = home / "downloads" / ".bloodmnist_64.npz.part"
    part.parent.mkdir()
    part.write_bytes(left)
    with suppress(SourceError):
        bloodmnist.fetch("bloodmnist:64")
    assert bloodmnist.fetch("bloodmnist:64").read_bytes() == zenodo.content


def test_a_whole_part_needs_no_server(zenodo: Zenodo, home: Path) -> None:
    """Killed after the last byte, nothing is fetched again."""
    part = home / "downloads" / ".bloodmnist_64.npz.part"
    part.parent.mkdir()
    part.write_bytes(zenodo.content)
    assert bloodmnist.fetch("bloodmnist:64").read_bytes() == zenodo.content
    assert zenodo.asked == []


def test_a_wrong_file_goes(zenodo: Zenodo, home: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not the published file is said in one sentence, removed, and no dataset comes of it."""
    monkeypatch.setitem(bloodmnist.MD5, 64, "0" * 32)
    said = run("import", "bloodmnist:64", code=2, stream="err").splitlines()[-1]
    assert "is not the published file, and was removed" in said and "https://zenodo.org/records/" in said
    assert downloads(home) == {} and list_datasets() == []


def test_a_damaged_cached_file_is_fetched_again(zenodo: Zenodo, home: Path) -> None:
    """A file that was changed since is not taken for the published one."""
    bloodmnist.fetch("bloodmnist:64").write_bytes(b"changed")
    assert bloodmnist.fetch("bloodmnist:64").read_bytes() == zenodo.content


def test_a_missing_file(zenodo: Zenodo) -> None:
    """404 is told, with the way by hand."""
    zenodo.missing = True
    with pytest.raises(
        SourceError, match=r"server answers 404 Not Found\): .* by hand and import it by its path"
    ):
        bloodmnist.fetch("bloodmnist:64")


def test_offline(home: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a connection: one sentence that says what to do by hand."""
    with closing(socket.create_server(("127.0.0.1", 0))) as nobody:
        port = nobody.getsockname()[1]
    monkeypatch.setenv(bloodmnist.MIRROR, f"http://127.0.0.1:{port}")
    said = run("import", "bloodmnist", code=2, stream="err")
    assert f"No connection to 127.0.0.1:{port} (Connection refused)" in said
    assert "download bloodmnist.npz from https://zenodo.org/records/10519652 by hand" in said


def test_redirects(zenodo: Zenodo) -> None:
    """To the same server and to https they are followed; to any other address they are not."""
    zenodo.leads_to = "/elsewhere/file"
    assert bloodmnist.fetch("bloodmnist:64").is_file()
    bloodmnist.published("bloodmnist:64").path.unlink()
    zenodo.leads_to = "http://example.org/file"
    with pytest.raises(SourceError, match=r"leads on to example\.org, which is not encrypted"):
        bloodmnist.fetch("bloodmnist:64")
    with closing(socket.create_server(("127.0.0.1", 0))) as nobody:
        port = nobody.getsockname()[1]
    zenodo.leads_to = f"https://127.0.0.1:{port}/file"
    with pytest.raises(SourceError, match=r"No connection .*Connection refused"):
        bloodmnist.fetch("bloodmnist:64")


def test_no_room(zenodo: Zenodo, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk without room is found out before the first byte."""
    monkeypatch.setattr(download, "_RESERVE", 1 << 60)
    with pytest.raises(Shortage, match="no room; make room, then try again"):
        bloodmnist.fetch("bloodmnist:64")
    assert downloads(home) == {}


def test_a_silent_server_is_stopped_at_once(zenodo: Zenodo, home: Path) -> None:
    """Whoever stops need not wait for a server that says nothing; what came is kept, and no dataset is made."""
    zenodo.halt = 300_000
    with pytest.raises(Stopped):
        import_source("bloodmnist:64", stopped=zenodo.halted.is_set)
    assert not zenodo.on.is_set() and list_datasets() == []
    zenodo.halt = 0
    zenodo.on.set()
    assert len(import_source("bloodmnist:64")) == 64


def test_two_at_once(zenodo: Zenodo) -> None:
    """The second import waits for the first one's download, and asks the server for nothing."""
    zenodo.halt = 300_000
    found: list[Path] = []
    first = threading.Thread(target=lambda: found.append(bloodmnist.fetch("bloodmnist:64")))
    first.start()
    assert zenodo.halted.wait(20)
    waiting = threading.Event()
    second = threading.Thread(
        target=lambda: found.append(bloodmnist.fetch("bloodmnist:64", lambda *_: waiting.set()))
    )
    second.start()
    assert waiting.wait(20)
    with pytest.raises(Stopped):
        bloodmnist.fetch("bloodmnist:64", stopped=lambda: True)
    zenodo.on.set()
    first.join()
    second.join()
    assert len(found) == 2 and len(zenodo.asked) == 1


KILLED = """
import sys
from bloodapp.data import bloodmnist
from bloodapp.data.importing import import_source

bloodmnist.MD5[64] = sys.argv[1]
import_source("bloodmnist:64", progress=lambda *step: print(step[0], flush=True))
"""


def test_a_killed_download_goes_on(zenodo: Zenodo, home: Path) -> None:
    """After kill -9 in the middle there is no dataset; the next import fetches the rest only."""
    zenodo.halt = 300_000
    command = [sys.executable, "-c", KILLED, bloodmnist.MD5[64]]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        while int(child.stdout.readline()) < 300_000:
            pass
        child.kill()
    assert list_datasets() == []
    zenodo.halt = 0
    assert len(import_source("bloodmnist:64")) == 64
    begun = int(str(zenodo.asked[-1][1]).removeprefix("bytes=").rstrip("-"))
    assert 0 < begun <= 300_000
    assert downloads(home) == {"bloodmnist_64.npz": len(zenodo.content)}


def test_the_job(zenodo: Zenodo) -> None:
    """The job `import` takes the word."""
    job = jobs.submit("import", {"source": "bloodmnist:64"})
    assert jobs.perform(job) == "done"
    assert (job.status()["result"] or {})["count"] == 64


class Even:
    """Answers every image evenly, without TensorFlow."""

    def __init__(self, run: Finished) -> None:
        self.classes, self.size = run.classes, run.size

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Probabilities float32 (N, C)."""
        return np.full((len(images), len(self.classes)), 1 / len(self.classes), np.float32)


@pytest.mark.parametrize(
    "words",
    [
        ("import", "bloodmnist:64"),
        ("predict", "bloodmnist:64", "--model", "starter", "--csv", "-"),
        ("evaluate", "starter", "--on", "bloodmnist:64", "--part", "test", "--json", "-"),
    ],
    ids=lambda words: words[0],
)
def test_every_command_shows_the_download(
    zenodo: Zenodo, run: Run, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """Whatever takes the word says on stderr what it downloads and how far it is; the second time nothing is."""
    monkeypatch.setattr("bloodapp.cli.classify._Late", Even)
    assert "%  Downloading bloodmnist_64.npz" in run(*words, stream="err")
    if words[0] != "import":
        assert "Downloading" not in run(*words, stream="err")
    assert len(zenodo.asked) == 1


def test_who_compares_hears_of_the_download(zenodo: Zenodo) -> None:
    """So does the comparison with images from elsewhere, which can be stopped meanwhile."""
    told: list[str] = []
    with pytest.raises(Stopped):
        read_target("bloodmnist:64", 64, stopped=lambda: True)
    side = read_target("bloodmnist:64", 64, progress=lambda done, total, text: told.append(text))
    assert len(side) == 64
    assert told[0].startswith("Downloading bloodmnist_64.npz") and told[-1].startswith("Reading")


def test_every_failure_is_the_users(zenodo: Zenodo) -> None:
    """An address that is none is told, not raised as it is."""
    with pytest.MonkeyPatch.context() as patched, pytest.raises(BloodappError, match="unknown url type"):
        patched.setenv(bloodmnist.MIRROR, "my mirror")
        bloodmnist.fetch("bloodmnist:64")
