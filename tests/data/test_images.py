"""Decoding and squaring, on pictures with known answers."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bloodapp.data.images import MAX_SIDE, MIN_SIDE, decode, to_square
from bloodapp.errors import SourceError
from tests.sources_made import sixteen_bits_of_colour


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """The picture as a file's bytes."""
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("mode", "value", "expected"),
    [
        ("RGB", (10, 20, 30), (10, 20, 30)),
        ("L", 77, (77, 77, 77)),
        ("1", 1, (255, 255, 255)),
        ("RGBA", (10, 20, 30, 0), (255, 255, 255)),
        ("RGBA", (10, 20, 30, 255), (10, 20, 30)),
        ("LA", (77, 255), (77, 77, 77)),
        ("I;16", 257 * 100, (100, 100, 100)),
    ],
)
def test_modes_become_rgb(mode: str, value: object, expected: tuple[int, ...]) -> None:
    """Every mode becomes RGB uint8: transparency shows white, 16 bits are scaled; the mode is remembered."""
    decoded = decode(encoded(Image.new(mode, (9, 7), value)), "x.png")
    assert decoded.image.dtype == np.uint8
    assert decoded.image.shape == (7, 9, 3)
    assert (decoded.image == expected).all()
    assert (decoded.width, decoded.height) == (9, 7)
    assert decoded.mode == mode


def test_palette_picture_with_transparency() -> None:
    """A palette's transparent colour shows white."""
    picture = Image.new("P", (4, 4), 1)
    picture.putpalette([0, 0, 0, 200, 100, 50])
    assert (decode(encoded(picture), "x.png").image == (200, 100, 50)).all()
    assert (decode(encoded(picture, transparency=1), "x.png").image == 255).all()


def test_exif_turns_the_picture() -> None:
    """A picture that a camera stored lying is turned; width and height are those of the file."""
    picture = Image.new("RGB", (40, 20), "black")
    picture.paste("white", (0, 0, 20, 20))
    exif = picture.getexif()
    exif[274] = 6  # turn by 90 degrees clockwise
    decoded = decode(encoded(picture, "JPEG", exif=exif), "x.jpg")
    assert decoded.image.shape == (40, 20, 3)
    assert decoded.image[:15].min() > 240
    assert (decoded.width, decoded.height) == (40, 20)


def test_a_path_is_read(tmp_path: Path) -> None:
    """A path does as well as bytes."""
    file = tmp_path / "a.bmp"
    file.write_bytes(encoded(Image.new("RGB", (8, 8), "red"), "BMP"))
    assert (decode(file, "a.bmp").image == (255, 0, 0)).all()


def test_text_called_png() -> None:
    """Text called .png is named, in one sentence."""
    with pytest.raises(SourceError, match=r"'notes\.png' is not a picture"):
        decode(b"these are my notes", "notes.png")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP"])
def test_a_cut_picture(kind: str) -> None:
    """A picture that ends too early is refused, not filled with grey."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    content = encoded(Image.fromarray(noise), kind)
    with pytest.raises(SourceError, match=r"'x' is (damaged or cut short|not a picture)"):
        decode(content[: len(content) // 2], "x")


def test_a_picture_that_claims_to_be_huge() -> None:
    """A small file that would fill the memory is refused before it is unpacked."""
    for size in ((MAX_SIDE + 1, 1), (1, MAX_SIDE + 1), (MAX_SIDE + 1, MAX_SIDE + 1), (20_000, 20_000)):
        content = encoded(Image.new("1", size))
        assert len(content) < 100_000
        with pytest.raises(SourceError, match=r"'bomb\.png' is .*too large"):
            decode(content, "bomb.png")


def test_a_picture_too_small_for_a_cell() -> None:
    """A single pixel, or a line of them, shows no cell."""
    for size in ((1, 1), (1, 50), (50, 1), (MIN_SIDE - 1, 50)):
        with pytest.raises(SourceError, match=r"'dot\.png' is .* pixels, too small"):
            decode(encoded(Image.new("RGB", size)), "dot.png")
    assert decode(encoded(Image.new("RGB", (MIN_SIDE, MIN_SIDE))), "dot.png").width == MIN_SIDE


def test_an_empty_file() -> None:
    """A file of 0 bytes is called empty."""
    with pytest.raises(SourceError, match=r"'x\.png' is empty, a file of 0 bytes: copy it again"):
        decode(b"", "x.png")


def test_only_pictures_are_opened() -> None:
    """What Pillow could open besides, with other programs even, is not tried: the content decides, not the name."""
    picture = Image.new("RGB", (8, 8), "red")
    for kind in ("EPS", "PPM", "ICO", "PDF", "TGA"):
        with pytest.raises(SourceError, match=r"'x\.png' is not a picture"):
            decode(encoded(picture, kind), "x.png")


@pytest.mark.parametrize("kind", ["TIFF", "GIF", "WEBP", "PNG"])
def test_the_first_page_is_taken_and_said(kind: str) -> None:
    """Of several pages the first is the picture, and the others are mentioned."""
    pages = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime", "blue")]
    decoded = decode(encoded(pages[0], kind, save_all=True, append_images=pages[1:]), "x.tif")
    assert np.abs(decoded.image.astype(int) - (255, 0, 0)).max() <= 2  # WebP is lossy
    assert decoded.note == "'x.tif' holds more than one picture: the first was taken."
    assert decode(encoded(pages[0], kind), "x.tif").note == ""


def test_cmyk_becomes_rgb() -> None:
    """Printers' colours become those of a screen."""
    for kind in ("TIFF", "JPEG"):
        decoded = decode(encoded(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), kind), "x")
        assert decoded.mode == "CMYK"
        assert np.abs(decoded.image.astype(int) - (255, 0, 0)).max() <= 3


@pytest.mark.parametrize("mode", ["I;16", "I;16B", "I"])
def test_sixteen_bits_of_grey(mode: str) -> None:
    """16 bits are scaled to 8, not clipped, whatever their byte order; small numbers are 8 bits in a wide coat."""
    for low, high in ((257 * 10, 10), (65535, 255), (200, 200)):
        numbers = np.full((8, 8), low, {"I;16": "<u2", "I;16B": ">u2", "I": "<i4"}[mode])
        assert (decode(encoded(Image.fromarray(numbers), "TIFF"), "x.tif").image == high).all()


def test_sixteen_bits_of_colour() -> None:
    """A TIFF of 16 bits a colour gives the upper eight."""
    assert (decode(sixteen_bits_of_colour(), "x.tif").image == (0x12, 0x80, 0xFF)).all()


def test_fractions_and_lab_are_told() -> None:
    """A TIFF of fractions or in Lab colours is not guessed at."""
    with pytest.raises(SourceError, match=r"'x\.tif' holds fractions: save it again with 8 or 16 bits"):
        decode(encoded(Image.new("F", (8, 8), 0.5), "TIFF"), "x.tif")
    with pytest.raises(SourceError, match=r"'x\.tif' is in Lab colours"):
        decode(encoded(Image.new("LAB", (8, 8)), "TIFF"), "x.tif")


def test_a_broken_turn_does_not_matter(recwarn: pytest.WarningsRecorder) -> None:
    """Metadata that make no sense do not cost the picture."""
    picture = Image.new("RGB", (20, 10), "red")
    decoded = decode(encoded(picture, "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff nonsense"), "x.jpg")
    assert decoded.image.shape == (10, 20, 3)


def test_square_of_the_right_size_is_returned_as_it_is() -> None:
    """An image that fits is not touched, not even copied."""
    image = np.random.default_rng(0).integers(0, 256, (96, 96, 3), dtype=np.uint8)
    assert to_square(image, 96) is image


@pytest.mark.parametrize("shape", [(10, 30), (30, 10), (11, 30)])
def test_padding_takes_the_median_of_the_border(shape: tuple[int, int]) -> None:
    """An image that is not square sits in the middle of the median of its border, whatever its inside."""
    image = np.full((*shape, 3), (200, 180, 160), np.uint8)
    image[3:-3, 3:-3] = 0
    image[0, 0] = 255  # one odd pixel does not move a median
    square = to_square(image, 30).copy()
    assert square.shape == (30, 30, 3)
    top, left = (30 - shape[0]) // 2, (30 - shape[1]) // 2
    assert (square[top : top + shape[0], left : left + shape[1]] == image).all()
    square[top : top + shape[0], left : left + shape[1]] = (200, 180, 160)
    assert (square == (200, 180, 160)).all()


def test_resizing_is_bicubic() -> None:
    """Resizing is Pillow's bicubic one."""
    image = np.random.default_rng(0).integers(0, 256, (50, 50, 3), dtype=np.uint8)
    expected = Image.fromarray(image).resize((24, 24), Image.Resampling.BICUBIC)
    assert (to_square(image, 24) == np.asarray(expected)).all()


def test_a_single_pixel() -> None:
    """The smallest image there is becomes a plain square."""
    assert (to_square(np.full((1, 1, 3), 9, np.uint8), 16) == 9).all()
