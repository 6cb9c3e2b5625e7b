"""Content by its address: without a server whole, with one fetched, kept while it is named, and gone after."""

import base64

import pytest
from streamlit import runtime
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage

from bloodapp.ui import media

KIND = "application/octet-stream"


class Server:
    """Stands for Streamlit's server: its media files are the real ones."""

    def __init__(self) -> None:
        self.media_file_mgr = MediaFileManager(MemoryMediaFileStorage("/media"))


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> MediaFileManager:
    """The media files of a server that runs."""
    server = Server()
    monkeypatch.setattr(runtime, "exists", lambda: True)
    monkeypatch.setattr(runtime, "get_instance", lambda: server)
    return server.media_file_mgr


def there(files: MediaFileManager, address: str) -> bytes | None:
    """What the browser would get."""
    assert address.startswith("/media/")
    found = files.read_file(address.removeprefix("/media/").partition(".")[0])
    return None if found is None else found.content


def test_without_a_server_the_content_comes_along() -> None:
    """A data URI that holds it."""
    found = media.url(b"\x00\xffabc", KIND, "here")
    assert found == f"data:{KIND};base64,{base64.b64encode(bytes([0, 255]) + b'abc').decode()}"


def test_it_is_fetched_and_the_same_content_has_the_same_address(files: MediaFileManager) -> None:
    """As often as it is named; other content has another address."""
    first = media.url(b"points", KIND, "here")
    assert there(files, first) == b"points"
    assert media.url(b"points", KIND, "here") == first
    assert media.url(b"others", KIND, "there") != first


def test_what_takes_its_place_lets_the_old_go(files: MediaFileManager) -> None:
    """Of one place the last content is kept, of two places both."""
    old, beside = media.url(b"old", KIND, "here"), media.url(b"beside", KIND, "there")
    new = media.url(b"new", KIND, "here")
    files.remove_orphaned_files()
    assert there(files, old) is None
    assert there(files, new) == b"new" and there(files, beside) == b"beside"
    files.clear_session_refs()
    files.remove_orphaned_files()
    assert there(files, new) is None


def test_large_content_that_differs_in_one_byte_is_told_apart(files: MediaFileManager) -> None:
    """Also where Streamlit itself does not look."""
    content = bytearray(3 << 20)
    first = media.url(bytes(content), KIND, "here")
    content[400_000] = 1
    second = media.url(bytes(content), KIND, "there")
    assert first != second
    assert there(files, second) == bytes(content)


def test_an_app_below_an_address_has_its_content_there(
    files: MediaFileManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a base path the browser asks below it."""
    monkeypatch.setattr(
        media.st, "get_option", lambda name: "cells" if name == "server.baseUrlPath" else None
    )
    assert media.url(b"points", KIND, "here").startswith("/cells/media/")
