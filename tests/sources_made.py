"""Sources made for tests: pictures of every kind, folders, archives, arrays and tables, whole and spoilt."""

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (16, 20, 20, 3), dtype=np.uint8)
LABELS = np.arange(16) % 8

Make = Callable[[Path], Path]
"""Makes a source in an empty folder and gives its path."""


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """The picture as a file's bytes."""
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def picture(number: int = 0, kind: str = "PNG", mode: str = "RGB") -> bytes:
    """One of IMAGES as a file's bytes."""
    return encoded(Image.fromarray(IMAGES[number % len(IMAGES)]).convert(mode), kind)


def folder(files: dict[str, bytes | None], name: str = "cells") -> Make:
    """A folder with these files; None stands for an empty folder."""

    def make(place: Path) -> Path:
        for path, content in files.items():
            file = place / name / path
            (file if content is None else file.parent).mkdir(parents=True, exist_ok=True)
            if content is not None:
                file.write_bytes(content)
        return place / name

    return make


def within(files: dict[str, bytes | None], file: str) -> Make:
    """One file of such a folder."""
    return lambda place: folder(files)(place) / file


def archive(files: dict[str, bytes], name: str = "cells.zip", packed: int = zipfile.ZIP_STORED) -> Make:
    """An archive with these members."""

    def make(place: Path) -> Path:
        with zipfile.ZipFile(place / name, "w", packed) as out:
            for member, content in files.items():
                out.writestr(member, content)
        return place / name

    return make


def arrays(name: str = "cells.npz", **content: Any) -> Make:
    """A `.npz` with these arrays."""

    def make(place: Path) -> Path:
        np.savez_compressed(place / name, **content)
        return place / name

    return make


def parted(images: np.ndarray = IMAGES, count: int = 8, name: str = "cells.npz") -> Make:
    """MedMNIST's six arrays."""
    numbers = (np.arange(len(images)) % count)[:, None]
    cuts = {"train": slice(0, 10), "val": slice(10, 13), "test": slice(13, None)}
    content = {f"{part}_images": images[cut] for part, cut in cuts.items()}
    return arrays(name, **content, **{f"{part}_labels": numbers[cut] for part, cut in cuts.items()})


def cut(make: Make, share: float = 0.5) -> Make:
    """The same file, cut short."""

    def shortened(place: Path) -> Path:
        path = make(place)
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * share)])
        return path

    return shortened


def flipped(place: Path) -> Path:
    """A course file with one wrong byte among the pixels, which only the checksum tells."""
    path = place / "cells.npz"
    np.savez(path, images=IMAGES, labels=LABELS)
    content = bytearray(path.read_bytes())
    content[2000] ^= 1
    path.write_bytes(content)
    return path


def locked(place: Path) -> Path:
    """An archive that says of its member that a password is needed."""
    path = archive({"ig/a.png": picture()})(place)
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        at = content.index(signature) + offset
        struct.pack_into("<H", content, at, struct.unpack_from("<H", content, at)[0] | 1)
    path.write_bytes(content)
    return path


def bomb(place: Path) -> Path:
    """An archive whose two members would unpack to 8 GB."""
    path = archive({"ig/a.png": picture(), "ig/b.png": picture()})(place)
    content = bytearray(path.read_bytes())
    at = -1
    while (at := content.find(b"PK\x01\x02", at + 1)) >= 0:
        struct.pack_into("<I", content, at + 24, 4_000_000_000)
    path.write_bytes(content)
    return path


def array_bomb(place: Path) -> Path:
    """A `.npz` of little more than a megabyte that would unpack to 1.2 GB of zeros."""
    path = place / "cells.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as out:
        with out.open("images.npy", "w", force_zip64=True) as stream:
            header = {"descr": "|u1", "fortran_order": False, "shape": (100, 2000, 2000, 3)}
            np.lib.format.write_array_header_1_0(stream, header)
            for _ in range(100):
                stream.write(bytes(12_000_000))
        with out.open("labels.npy", "w") as stream:
            np.lib.format.write_array(stream, np.zeros(100, np.uint8))
    return path


def linked(place: Path) -> Path:
    """A folder with a picture, a link to it, a link out of it, a link to nothing and a link to a folder."""
    (place / "elsewhere.png").write_bytes(picture(1))
    path = folder({"ig/a.png": picture()})(place)
    (path / "ig" / "b.png").symlink_to(path / "ig" / "a.png")
    (path / "ig" / "c.png").symlink_to(place / "elsewhere.png")
    (path / "ig" / "d.png").symlink_to(path / "nothing.png")
    (path / "again").symlink_to(path / "ig")
    return path


def linked_archive(place: Path) -> Path:
    """An archive with a picture and a symbolic link."""
    path = archive({"ig/a.png": picture()})(place)
    link = zipfile.ZipInfo("ig/b.png")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "a") as out:
        out.writestr(link, "/etc/passwd")
    return path


def parquet(**columns: list) -> Make:
    """A Parquet table beside four pictures."""

    def make(place: Path) -> Path:
        import pandas as pd

        path = folder(PICTURES)(place)
        pd.DataFrame(columns).to_parquet(path / "cells.parquet")
        return path / "cells.parquet"

    return make


PICTURES: dict[str, bytes | None] = {f"images/{letter}.png": picture(n) for n, letter in enumerate("abcd")}


def csv(text: str, content: bytes | None = None) -> Make:
    """A CSV table beside four pictures."""
    return within({**PICTURES, "cells.csv": text.encode() if content is None else content}, "cells.csv")


def huge() -> bytes:
    """A small file that claims 20,000 × 20,000 pixels."""
    return encoded(Image.new("1", (20_000, 20_000)))


def sixteen_bits_of_colour() -> bytes:
    """A TIFF of 16 bits a colour, every pixel 0x1234, 0x8000, 0xFFFF; Pillow reads such files but writes none."""
    pixels = np.full((8, 8, 3), (0x1234, 0x8000, 0xFFFF), "<u2").tobytes()
    tags = {256: 8, 257: 8, 258: 0, 259: 1, 262: 2, 273: 0, 277: 3, 278: 8, 279: len(pixels)}
    end = 8 + 2 + 12 * len(tags) + 4
    tags |= {258: end, 273: end + 6}
    content = struct.pack("<2sHIH", b"II", 42, 8, len(tags))
    for tag, value in tags.items():
        content += struct.pack("<HHII", tag, 3 if tag == 258 else 4, 3 if tag == 258 else 1, value)
    return content + struct.pack("<I3H", 0, 16, 16, 16) + pixels
