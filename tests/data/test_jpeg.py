"""Plain JPEG files decoded without Pillow: always the pixels that Pillow gives, and nothing where it would refuse."""

import io
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, features

from bloodapp.data.jpeg import decode_plain

LARGEST = 1_000_000


def cell(mode: str = "RGB", size: tuple[int, int] = (97, 83)) -> Image.Image:
    """Something with edges, colours and noise."""
    noise = np.random.default_rng(1).normal(0, 12, (size[1], size[0], 3))
    rows, columns = np.mgrid[: size[1], : size[0]]
    inside = (np.hypot(rows - size[1] / 2, columns - size[0] / 2) < min(size) / 3)[..., None]
    colours = np.where(inside, (110, 60, 150), (235, 215, 210))
    return Image.fromarray(np.clip(colours + noise, 0, 255).astype(np.uint8)).convert(mode)


def written(picture: Image.Image, **options: object) -> bytes:
    """The picture as a JPEG file."""
    stream = io.BytesIO()
    picture.save(stream, "JPEG", **options)
    return stream.getvalue()


def by_pillow(content: bytes) -> NDArray[np.uint8] | None:
    """What Pillow makes of a file, None if it refuses."""
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG",)) as opened:
            return np.asarray(opened.convert("RGB"))
    except Exception:  # it raises whatever it stumbles over
        return None


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("size", [(96, 96), (97, 83), (1, 1), (360, 363)])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"quality": 20},
        {"quality": 100, "subsampling": 0},
        {"subsampling": 1},
        {"progressive": True},
        {"optimize": True, "restart_marker_rows": 1},
        {"dpi": (300, 300), "comment": b"by a microscope"},
        {"icc_profile": b"no profile, but one that is carried along" * 9},
    ],
)
def test_the_pixels_are_pillows(mode: str, size: tuple[int, int], options: dict) -> None:
    """However a JPEG is written: the same pixels, the same mode."""
    content = written(cell(mode, size), **options)
    found = decode_plain(content, LARGEST)
    assert found is not None
    image, said = found
    assert said == mode
    assert np.array_equal(image, by_pillow(content))


def test_what_is_unusual_is_left_to_pillow() -> None:
    """Turned by metadata, described by Adobe, in inks, several in one file, large, of another kind."""
    exif = Image.Exif()
    exif[274] = 6
    several = io.BytesIO()
    cell().save(several, "MPO", save_all=True, append_images=[cell()])
    png = io.BytesIO()
    cell().save(png, "PNG")
    for content in (
        written(cell(), exif=exif),
        written(cell(), xmp=b"<x:xmpmeta/>"),
        written(cell("CMYK")),
        written(cell(), keep_rgb=True),
        several.getvalue(),
        png.getvalue(),
        b"",
        b"\xff\xd8\xff",
    ):
        assert decode_plain(content, LARGEST) is None
    assert decode_plain(written(cell()), 97 * 83 - 1) is None


def test_a_mark_behind_the_pixels_counts_as_well() -> None:
    """A progressive file is in several scans, before any of which its metadata may stand."""
    content = written(cell(), progressive=True)
    last = content.rfind(b"\xff\xda")
    exif = b"\xff\xe1\x00\x08Exif\x00\x00"
    assert decode_plain(content[:last] + exif + content[last:], LARGEST) is None


@cache
def whole() -> tuple[bytes, ...]:
    """Small files of the usual kinds."""
    small = cell(size=(24, 17))
    return (
        written(small),
        written(small, progressive=True),
        written(small, subsampling=0, restart_marker_rows=1),
        written(small.convert("L")),
    )


changes = st.lists(
    st.tuples(st.sampled_from(["set", "cut", "drop", "put"]), st.integers(0, 10_000), st.integers(0, 255)),
    min_size=1,
    max_size=4,
)


@given(st.integers(0, 3), changes)
@settings(max_examples=600, deadline=None)
def test_what_pillow_refuses_is_refused(kind: int, steps: list[tuple[str, int, int]]) -> None:
    """Bytes changed, lost, put in or cut off: either nothing, or what Pillow gives."""
    content = whole()[kind]
    for what, place, value in steps:
        at = place % max(1, len(content))
        byte = bytes([value])
        content = {
            "set": content[:at] + byte + content[at + 1 :],
            "cut": content[:at],
            "drop": content[:at] + content[at + 1 :],
            "put": content[:at] + byte + content[at:],
        }[what]
    found = decode_plain(content, LARGEST)
    if found is not None:
        expected = by_pillow(content)
        assert expected is not None
        assert np.array_equal(found[0], expected)


def test_pillow_has_the_same_decoder() -> None:
    """Both stand on libjpeg-turbo, which is why they agree; with another library under Pillow they need not."""
    assert features.check_feature("libjpeg_turbo")
