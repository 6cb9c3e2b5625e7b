"""Dropped files become rows, whatever they are, and no archive fills the memory."""

import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from bloodapp.classify import pictures
from bloodapp.classify.pictures import read_pictures


def png(width=96, height=96, colour=(200, 30, 90)) -> bytes:
    """A PNG of one colour."""
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(buffer, "PNG")
    return buffer.getvalue()


def packed(members: dict[str, bytes], method=zipfile.ZIP_DEFLATED) -> bytes:
    """A zip in memory."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def test_a_picture_becomes_a_square_and_keeps_its_size():
    """Any picture becomes (S, S, 3) and remembers its original size."""
    (got,) = read_pictures([("cell.png", png(360, 363))], 96)
    assert got.image.shape == (96, 96, 3)
    assert (got.name, got.width, got.height, got.error) == ("cell.png", 360, 363, "")


def test_one_bad_file_does_not_stop_the_rest():
    """Unreadable files become rows with a sentence, in their place."""
    got = list(read_pictures([("a.png", png()), ("b.png", b"no picture"), ("c.png", png())], 96))
    assert [p.name for p in got] == ["a.png", "b.png", "c.png"]
    assert [p.image is None for p in got] == [False, True, False]
    assert "b.png" in got[1].error


def test_archives_are_read_in_place():
    """The pictures of a zip come in its order; hidden files and what macOS adds are passed over."""
    archive = packed(
        {
            "x/b.png": png(),
            "x/a.png": png(),
            "__MACOSX/x/._a.png": b"",
            ".DS_Store": b"",
            "readme.txt": b"hello",
        }
    )
    got = list(read_pictures([("cells.zip", archive)], 96))
    assert [p.name for p in got] == ["x/b.png", "x/a.png"]


def test_names_that_lead_out_of_an_archive_are_harmless(tmp_path, monkeypatch):
    """Nothing is written, whatever a member is called."""
    monkeypatch.chdir(tmp_path)
    (got,) = read_pictures([("cells.zip", packed({"../../evil.png": png()}))], 96)
    assert got.image is not None
    assert list(tmp_path.iterdir()) == []


def test_an_archive_without_pictures_says_so():
    """A zip of other things is one row with an error."""
    (got,) = read_pictures([("notes.zip", packed({"a.txt": b"a"}))], 96)
    assert "no pictures" in got.error


@pytest.mark.parametrize("cut", [0.3, 0.95])
def test_a_cut_archive_is_a_row(cut):
    """A truncated zip is said to be damaged; nothing is raised."""
    whole = packed({"a.png": png(), "b.png": png()})
    got = list(read_pictures([("cells.zip", whole[: int(len(whole) * cut)]), ("c.png", png())], 96))
    assert "damaged" in got[0].error
    assert got[-1].image is not None


def test_a_damaged_member_does_not_hide_the_others():
    """One bad member of a zip is one row."""
    whole = bytearray(packed({"a.png": png(), "b.png": png()}, zipfile.ZIP_STORED))
    at = whole.index(b"IDAT") + 8
    whole[at : at + 8] = b"\x00" * 8
    got = list(read_pictures([("cells.zip", bytes(whole))], 96))
    assert [p.name for p in got] == ["a.png", "b.png"]
    assert "damaged" in got[0].error
    assert got[1].image is not None


def test_a_bomb_is_bounded(monkeypatch):
    """What unpacks to far more than it weighs is neither held nor read on."""
    monkeypatch.setattr(pictures, "MAX_PICTURE_BYTES", 1 << 20)
    bomb = packed({f"{i}.png": b"\0" * (2 << 20) for i in range(4)})
    assert len(bomb) < 20_000
    got = list(read_pictures([("bomb.zip", bomb)], 96))
    assert [p.error for p in got] == [f"'{i}.png' is too large for a picture of one cell." for i in range(4)]


def test_all_of_an_archive_is_bounded_too():
    """Many pictures that are fine alone are not read without end."""
    archive = packed({f"{i}.png": png(300, 300) for i in range(40)})
    one = len(png(300, 300))
    got = list(read_pictures([("many.zip", archive)], 96, max_unpacked=one * 10 + 1))
    assert sum(p.image is not None for p in got) == 10
    assert "MB" in got[-1].error or "too large" in got[-1].error


def test_the_number_of_pictures_is_bounded(monkeypatch):
    """After the limit one row says so."""
    monkeypatch.setattr(pictures, "MAX_PICTURES", 3)
    got = list(read_pictures([(f"{i}.png", png()) for i in range(9)], 96))
    assert len(got) == 4
    assert "first 3" in got[-1].error


def test_a_protected_archive_says_so():
    """A password is asked for by nobody here; the row says why."""
    archive = bytearray(packed({"a.png": png()}, zipfile.ZIP_STORED))
    archive[6] |= 1
    central = archive.index(b"PK\x01\x02")
    archive[central + 8] |= 1
    (got,) = read_pictures([("locked.zip", bytes(archive))], 96)
    assert "password" in got.error


def test_a_dataset_belongs_on_home():
    """A dropped .npz is not taken apart; the row says where it belongs."""
    buffer = io.BytesIO()
    np.savez(buffer, images=np.zeros((2, 8, 8, 3), np.uint8))
    (got,) = read_pictures([("course.npz", buffer.getvalue())], 96)
    assert "Home" in got.error
