"""Thumbnails: honest pixels, cached, and nothing from outside becomes markup."""

import io

import numpy as np
from PIL import Image

from bloodapp.classes import DEFAULT_CLASSES, CellClass
from bloodapp.data.dataset import Dataset
from bloodapp.ui import thumbs


def opened(picture: bytes) -> np.ndarray:
    """The pixels of JPEG bytes."""
    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")).astype(int)


def test_thumbnail_is_the_image(tiny: Dataset) -> None:
    """A thumbnail shows its image, up to what JPEG does to noise, at the asked scale."""
    for scale in (1, 3):
        shown = opened(thumbs.thumbnail(tiny, 5, scale))
        expected = tiny.images[5].repeat(scale, 0).repeat(scale, 1).astype(int)
        assert shown.shape == expected.shape
        assert np.abs(shown - expected).mean() < 6


def test_thumbnail_is_made_once(tiny: Dataset) -> None:
    """The second time gives the same bytes object."""
    assert thumbs.thumbnail(tiny, 3) is thumbs.thumbnail(tiny, np.int64(3))


def test_sheet_has_every_picture_in_order(tiny: Dataset) -> None:
    """Arrays and bytes may be mixed; captions and colours stand with their picture."""
    pictures = [tiny.images[0], thumbs.thumbnail(tiny, 1)]
    html = thumbs.sheet(pictures, ["first", "second"], colours=["#112233", "#445566"])
    assert html.count("<img") == 2
    assert html.index("first") < html.index("second")
    assert html.index("#112233") < html.index("#445566")


def test_a_caption_may_have_several_lines(tiny: Dataset) -> None:
    """What follows a line break stands in lines of its own; a hint made of the caption has none."""
    html = thumbs.sheet([tiny.images[0]], ["98 %\nMonocyte\n→ <IG>"])
    assert "<figcaption>98 %<small>Monocyte</small><small>→ &lt;IG&gt;</small></figcaption>" in html
    assert 'title="98 %, Monocyte, → &lt;IG&gt;"' in html


def test_text_is_escaped(tiny: Dataset) -> None:
    """Captions, hints and class titles with markup in them stay text."""
    evil = '"><script>alert(1)</script>'
    html = thumbs.sheet([tiny.images[0]], [evil], hints=[evil], colours=[evil])
    html += thumbs.class_chip(CellClass("x", evil, evil, ""))
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_class_chip_names_the_class() -> None:
    """A chip carries the class's own colour; None is said in words."""
    assert DEFAULT_CLASSES[0].colour in thumbs.class_chip(DEFAULT_CLASSES[0])
    assert "no label" in thumbs.class_chip(None)
