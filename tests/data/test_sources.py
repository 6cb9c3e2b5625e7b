"""Folders and archives of class folders, and what is answered to those that are none."""

import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bloodapp.classes import DEFAULT_CLASSES
from bloodapp.data import archives, folders, sources
from bloodapp.data.dataset import Dataset
from bloodapp.data.sources import open_source
from bloodapp.errors import SourceError


def picture(colour: int = 100) -> bytes:
    """A small PNG of one grey."""
    stream = io.BytesIO()
    Image.new("RGB", (6, 5), (colour,) * 3).save(stream, "PNG")
    return stream.getvalue()


def laid_out(folder: Path, names: list[str]) -> Path:
    """A folder with a picture at each of these paths, the first of grey 0, the next of grey 1, …"""
    for number, name in enumerate(names):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(picture(number))
    return folder


def packed(file: Path, names: list[str]) -> Path:
    """A zip with a picture at each of these paths, in this order."""
    with zipfile.ZipFile(file, "w") as archive:
        for number, name in enumerate(names):
            archive.writestr(name, picture(number))
    return file


def summary(source: sources.Source) -> list[tuple[str, str, str]]:
    """Name, class key and part of each record."""
    return [
        (record.name, source.classes[record.label].key if record.label >= 0 else "", record.part)
        for record in source.records
    ]


def test_class_folders(tmp_path: Path) -> None:
    """Folders named after the eight classes, in whatever spelling, are these classes; the order is by path."""
    laid_out(tmp_path, ["Neutrophils/b.png", "Neutrophils/a.JPG", "ig/c.png", "notes/readme.txt"])
    (tmp_path / "notes" / "readme.txt").write_text("no picture")
    source = open_source(tmp_path)
    assert source.classes == DEFAULT_CLASSES
    assert summary(source) == [
        ("Neutrophils/a.JPG", "neutrophil", ""),
        ("Neutrophils/b.png", "neutrophil", ""),
        ("ig/c.png", "ig", ""),
    ]


def test_parts_above_the_classes(tmp_path: Path) -> None:
    """Folders called train, val and test, in the usual spellings, are parts."""
    laid_out(tmp_path, ["training/cat/a.png", "valid/dog/b.png", "test/dog/deep/c.png"])
    source = open_source(tmp_path)
    assert [c.key for c in source.classes] == ["cat", "dog"]
    assert sorted(part for _, _, part in summary(source)) == ["test", "train", "val"]


def test_an_archive_keeps_its_order_and_its_wrapping_folder(tmp_path: Path) -> None:
    """An archive's order is the order of the source; a folder around everything is no class."""
    names = ["pbc/set/val/ig/z.png", "pbc/set/train/basophil/a.png", "pbc/set/train/ig/b.png"]
    source = open_source(packed(tmp_path / "pbc.zip", [*names, "__MACOSX/pbc/._a.png", "pbc/.hidden/d.png"]))
    assert source.classes == DEFAULT_CLASSES
    assert summary(source) == [
        (names[0], "ig", "val"),
        (names[1], "basophil", "train"),
        (names[2], "ig", "train"),
    ]


def test_one_class_alone_is_not_a_wrapping_folder(tmp_path: Path) -> None:
    """A single class folder with folders inside is still the class."""
    source = open_source(packed(tmp_path / "one.zip", ["ig/batch1/a.png", "ig/batch2/b.png"]))
    assert {key for _, key, _ in summary(source)} == {"ig"}


def test_two_spellings_of_one_class(tmp_path: Path) -> None:
    """Two folders that mean the same default class give the same label."""
    source = open_source(laid_out(tmp_path, ["ig/a.png", "Immature granulocytes/b.png"]))
    assert {key for _, key, _ in summary(source)} == {"ig"}


def test_pixels_arrive(tmp_path: Path) -> None:
    """The picture of each name is the picture in its file."""
    source = open_source(packed(tmp_path / "a.zip", ["ig/a.png", "ig/b.png", "ig/c.png"]))
    assert [int(record.image.max()) for record in source.records if record.image is not None] == [0, 1, 2]


def test_bad_files_are_told_and_do_not_stop(tmp_path: Path) -> None:
    """Text called .png, an empty file and a stray picture become records with a reason."""
    laid_out(tmp_path, ["ig/a.png", "ig/b.png", "ig/c.png", "stray.png"])
    (tmp_path / "ig" / "b.png").write_text("text")
    (tmp_path / "ig" / "c.png").write_bytes(b"")
    records = {record.name: record for record in open_source(tmp_path).records}
    assert records["ig/a.png"].error == ""
    assert "'ig/b.png' is not a picture" in records["ig/b.png"].error
    assert "'ig/c.png' is empty" in records["ig/c.png"].error
    assert "no class folder" in records["stray.png"].error


def test_bare_pictures_will_do_for_classifying(tmp_path: Path) -> None:
    """A folder, an archive or a file of bare pictures is a source without labels; for import it is a mistake."""
    laid_out(tmp_path / "bare", ["b.png", "a.png"])
    archive = packed(tmp_path / "bare.zip", ["b.png", "a.png"])
    assert summary(open_source(tmp_path / "bare", labelled=False)) == [("a.png", "", ""), ("b.png", "", "")]
    assert summary(open_source(archive, labelled=False)) == [("b.png", "", ""), ("a.png", "", "")]
    assert summary(open_source(tmp_path / "bare" / "a.png", labelled=False)) == [("a.png", "", "")]
    for source in (tmp_path / "bare", archive):
        with pytest.raises(SourceError, match="no class folders: put each class into a folder"):
            open_source(source)
    with pytest.raises(SourceError, match="cannot be imported"):
        open_source(tmp_path / "bare" / "a.png")


def test_empty_and_absent_sources(home: Path, tmp_path: Path) -> None:
    """Nothing at all, an empty folder and an empty archive are answered."""
    (tmp_path / "empty" / "ig").mkdir(parents=True)
    with pytest.raises(SourceError, match="empty' holds no pictures"):
        open_source(tmp_path / "empty")
    for wrong in ("empty", "nothing.txt", "absent"):
        (tmp_path / "nothing.txt").write_text("text")
        with pytest.raises(SourceError, match=r"give a folder, \.zip or \.npz with pictures"):
            open_source(tmp_path / wrong, labelled=False)
    with pytest.raises(SourceError, match=r"a\.zip' holds no pictures"):
        open_source(packed(tmp_path / "a.zip", []))
    with pytest.raises(SourceError, match="Can't find 'nowhere'"):
        open_source("nowhere")
    (tmp_path / "a.txt").write_text("text")
    with pytest.raises(SourceError, match=r"a\.txt' cannot be imported: give"):
        open_source(tmp_path / "a.txt")


@pytest.mark.parametrize(
    "name", ["../evil.png", "ig/../../evil.png", "/etc/evil.png", "..\\evil.png", "C:/evil.png"]
)
def test_names_that_lead_out_of_the_archive(tmp_path: Path, name: str) -> None:
    """An archive with such a name is refused as a whole."""
    with pytest.raises(SourceError, match="leads out of it"):
        open_source(packed(tmp_path / "a.zip", ["ig/a.png", name]))


def test_a_truncated_archive(tmp_path: Path) -> None:
    """An archive cut short is refused."""
    file = packed(tmp_path / "a.zip", ["ig/a.png", "ig/b.png"])
    file.write_bytes(file.read_bytes()[:-30])
    with pytest.raises(SourceError, match=r"a\.zip' is damaged or cut short"):
        open_source(file)


def test_a_damaged_member_is_told_and_does_not_stop(tmp_path: Path) -> None:
    """A picture whose checksum is wrong is a record with a reason; the others arrive."""
    file = packed(tmp_path / "a.zip", ["ig/a.png", "ig/b.png"])
    content = bytearray(file.read_bytes())
    content[content.index(b"IHDR")] ^= 1
    file.write_bytes(content)
    first, second = open_source(file).records
    assert "'ig/a.png'" in first.error
    assert "damaged" in first.error
    assert second.error == ""


def test_a_locked_archive(tmp_path: Path) -> None:
    """A password is told, not asked for."""
    file = packed(tmp_path / "a.zip", ["ig/a.png"])
    content = bytearray(file.read_bytes())
    for signature, place in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        at = content.index(signature) + place
        struct.pack_into("<H", content, at, struct.unpack_from("<H", content, at)[0] | 1)
    file.write_bytes(content)
    assert "password" in next(open_source(file).records).error


def test_an_archive_that_would_unpack_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What unpacks to a hundred times its size is refused before it is unpacked."""
    monkeypatch.setattr(archives, "_HARMLESS_BYTES", 1 << 20)
    file = tmp_path / "bomb.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ig/a.png", bytes(20 << 20))
    with pytest.raises(SourceError, match=r"bomb\.zip' would unpack to"):
        open_source(file)


def test_a_single_member_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One picture beyond all reason is passed over, from a folder as from an archive."""
    for module in (archives, folders):
        monkeypatch.setattr(module, "MAX_PICTURE_BYTES", 1000)
    laid_out(tmp_path / "a", ["ig/a.png"])
    (tmp_path / "a" / "ig" / "a.png").write_bytes(bytes(2000))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("ig/a.png", bytes(2000))
    for source in (tmp_path / "a", tmp_path / "a.zip"):
        assert "too large" in next(open_source(source).records).error


def test_a_dataset_is_a_source(tiny: Dataset) -> None:
    """A dataset's name is a source: its images, names and given labels."""
    source = open_source("tiny")
    records = list(source.records)
    assert source.classes == tiny.classes
    assert [record.label for record in records] == tiny.labels.tolist()
    assert all((record.image == image).all() for record, image in zip(records, tiny.images, strict=True))


def test_pbc96_as_it_is(pbc96: Path) -> None:
    """The archive of real cells has the eight classes and the counts its README names."""
    source = open_source(pbc96)
    assert source.classes == DEFAULT_CLASSES
    assert source.count == 13_671
    first = next(source.records)
    assert first.image is not None
    assert first.image.shape == (96, 96, 3)
    assert first.part == "train"
    assert np.ptp(first.image) > 50
