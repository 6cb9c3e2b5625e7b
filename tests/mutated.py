"""Inputs that nobody meant: sources of every kind with bytes changed, cut, doubled or put in, or names exchanged."""

import io
import os
import struct
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import strategies as st
from PIL import Image

from bloodapp.data.importing import import_source
from bloodapp.errors import BloodappError
from bloodapp.workspace import datasets_folder
from tests.benchmarks import measure
from tests.sources_made import (
    IMAGES,
    LABELS,
    PICTURES,
    archive,
    arrays,
    csv,
    encoded,
    parquet,
    parted,
    picture,
)

PATIENCE_S = 10
MOST_BYTES = 1 << 30


@dataclass(frozen=True)
class Seed:
    """A whole file that mutations begin with.

    Attributes:
        name: of the file.
        content: its bytes.
        beside: other files that lie beside it.
    """

    name: str
    content: bytes
    beside: tuple[tuple[str, bytes], ...] = ()


@cache
def seeds() -> dict[str, Seed]:
    """One or more of every kind of source, by what it is."""
    found: dict[str, Seed] = {}
    with TemporaryDirectory() as folder:

        def keep(what: str, make: Callable[[Path], Path], beside: bool = False) -> None:
            place = Path(folder) / what.replace(" ", "-")
            place.mkdir()
            path = make(place)
            others = tuple((name, content) for name, content in PICTURES.items() if content) if beside else ()
            found[what] = Seed(path.name, path.read_bytes(), others)

        small = {"images": IMAGES[:4], "labels": LABELS[:4]}
        keep("course npz", arrays(**small))
        keep("npz not packed", lambda place: _plain(place / "cells.npz", small))
        keep("medmnist npz", parted(IMAGES[:, :8, :8, 0], 8, "bloodmnist.npz"))
        keep("npz of fractions", arrays(images=(IMAGES[:4] / 255).astype(np.float32), labels=np.eye(4)))
        keep("npz with names", arrays(**small, classes=np.array(list("abcd"))))
        members = {f"train/ig/{kind}.png": picture(0, kind) for kind in ("PNG", "JPEG")}
        keep("zip", archive({**members, "classes.txt": b"ig\nother\n"}))
        keep("packed zip", archive(members, packed=zipfile.ZIP_DEFLATED))
        keep("zip by another method", archive(members, packed=zipfile.ZIP_LZMA))
        keep("zip by a third method", archive(members, packed=zipfile.ZIP_BZIP2))
        keep("csv", csv("path,label,part\nimages/a.png,ig,train\nimages/b.png,6,val\n"), beside=True)
        keep("parquet", parquet(path=[*PICTURES], label=["ig", "ig", "platelet", None]), beside=True)
    photo = Image.fromarray(IMAGES[0])
    exif = Image.Exif()
    exif[274] = 6
    more = {"save_all": True, "append_images": [photo]}
    for kind in ("PNG", "JPEG", "BMP", "TIFF", "WEBP", "GIF"):
        found[kind] = Seed("a.png", encoded(photo, kind))
    found["palette PNG"] = Seed("a.png", encoded(photo.convert("P"), transparency=3))
    found["turned JPEG"] = Seed("a.jpg", encoded(photo, "JPEG", exif=exif))
    found["CMYK JPEG"] = Seed("a.jpg", encoded(photo.convert("CMYK"), "JPEG"))
    found["progressive JPEG"] = Seed("a.jpg", encoded(photo, "JPEG", progressive=True))
    found["16-bit TIFF"] = Seed(
        "a.tif", encoded(Image.fromarray(IMAGES[0, ..., 0].astype("<u2") * 257), "TIFF")
    )
    for packing in ("tiff_lzw", "tiff_deflate", "jpeg", "packbits"):
        found[f"TIFF by {packing}"] = Seed("a.tif", encoded(photo, "TIFF", compression=packing))
    for kind in ("TIFF", "GIF", "WEBP", "PNG"):
        found[f"pages of {kind}"] = Seed("a.tif", encoded(photo, kind, **more))
    found["classes.txt"] = Seed("classes.txt", b"ig\nplatelet\n", (("ig/a.png", picture()),))
    record = b'{"classes": [{"key": "ig", "title": "IG", "colour": "#123456", "shortcut": "1"}]}'
    found["record of an export"] = Seed("bloodapp-export.json", record, (("ig/a.png", picture()),))
    return found


def _plain(path: Path, content: dict[str, np.ndarray]) -> Path:
    np.savez(path, **content)
    return path


@dataclass(frozen=True)
class Change:
    """One change to some bytes: `how`, at a place between 0 and 1, with a number."""

    how: str
    place: float
    number: int

    def of(self, content: bytes) -> bytes:
        """The bytes with this change."""
        at = int(self.place * len(content))
        given = struct.pack("<Q", self.number)
        width = 1 + self.number % 8
        if self.how == "bit":
            return (
                content[:at]
                + bytes(b ^ (1 << self.number % 8) for b in content[at : at + 1])
                + content[at + 1 :]
            )
        if self.how == "bytes":
            return content[:at] + given[:width] + content[at + width :]
        if self.how == "extreme":
            return (
                content[:at]
                + (b"\xff" * width, b"\x00" * width, b"\x7f" + b"\xff" * 3)[self.number % 3]
                + content[at + width :]
            )
        if self.how == "cut":
            return content[:at]
        if self.how == "hole":
            return content[:at] + content[at + 1 + self.number % 64 :]
        if self.how == "twice":
            return content[: at + self.number % 64] + content[at:]
        if self.how == "digits":  # in headers of arrays and in tables numbers are text
            digits = [n for n, b in enumerate(content) if 48 <= b <= 57]
            if not digits:
                return content
            at = digits[int(self.place * (len(digits) - 1))]
            return content[:at] + str(self.number % 10 ** (1 + self.number % 12)).encode() + content[at + 1 :]
        return content[:at] + b"../\x00\n'\"{}"[: width + 2] + content[at:]


HOWS = ("bit", "bytes", "extreme", "cut", "hole", "twice", "digits", "text")
changes = st.lists(
    st.builds(Change, st.sampled_from(HOWS), st.floats(0, 1, exclude_max=True), st.integers(0, 2**64 - 1)),
    min_size=1,
    max_size=6,
)


def sound_again(name: str, content: bytes) -> bytes:
    """The same bytes with the checksums of a PNG put right, so that a change is not refused for these alone."""
    if not content.startswith(b"\x89PNG\r\n\x1a\n"):
        return content
    out, at = [content[:8]], 8
    while at + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, at)
        if length > len(content) - at - 12:
            break
        chunk = content[at + 4 : at + 8 + length]
        out.append(content[at : at + 4] + chunk + struct.pack(">I", zlib.crc32(chunk)))
        at += 12 + length
    return b"".join([*out, content[at:]])


def repacked(content: bytes, change: list[Change]) -> bytes:
    """An archive whose members are changed, but not the archive: its checksums are right."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for number, member in enumerate(old.infolist()):
            inside = old.read(member)
            for one in change[number % 2 :: 2]:
                inside = one.of(inside)
            new.writestr(member.filename, inside)
    return out.getvalue()


def imported(source: Path) -> tuple[str, int]:
    """Import a source as a user does; gives the sentence of its refusal, or "", and how many pictures were listed.

    Whatever is no sentence of ours is raised, and so is anything left behind by a refusal.
    """
    try:
        dataset = import_source(source, name="wanted", size=32, replace=True, convert=True)
    except BloodappError as refusal:
        said = str(refusal)
        assert said.isprintable() and said.endswith((".", ")")), said
        assert not [*datasets_folder().glob(".*-*")], said
        return said, 0
    items, skipped = dataset.items, dataset.facts["skipped"]
    assert dataset.images.shape == (len(items), 32, 32, 3)
    assert items["label"].between(-1, len(dataset.classes) - 1).all()
    assert all(name.isprintable() for name in items["name"])
    assert all(one["reason"].isprintable() and one["reason"].endswith(".") for one in skipped), skipped
    return "", len(skipped)


def lay(folder: Path, seed: Seed, content: bytes) -> Path:
    """Write the mutated file into an empty folder, with what lies beside it; gives the source to read."""
    for name, other in seed.beside:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(other)
    if seed.name.startswith("a."):  # a single picture, in a class folder as most are
        (folder / "ig").mkdir()
        (folder / "ig" / seed.name).write_bytes(content)
        return folder
    (folder / seed.name).write_bytes(content)
    return folder if seed.name in ("classes.txt", "bloodapp-export.json") else folder / seed.name


@contextmanager
def in_time(what: str) -> Iterator[None]:
    """End the whole process, aloud, if the block takes too long: a decoder that hangs cannot be interrupted."""

    def end() -> None:
        os.write(2, f"\n{what}: not read within {PATIENCE_S} s\n".encode())
        os._exit(70)

    timer = threading.Timer(PATIENCE_S, end)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def peak() -> int:
    """The most memory that this process has had, in bytes."""
    return int(measure.peak() * (1 << 20))
