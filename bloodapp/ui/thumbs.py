"""Small pictures, fast: JPEG bytes made once, shown many at a time in a single HTML element.

`st.image` costs a server round for each picture; a contact sheet is one string of HTML with the
pictures inside. Everything that came from a file name or a user is escaped here.
"""

import base64
import io
from collections.abc import Sequence
from functools import lru_cache
from html import escape
from pathlib import Path

import numpy as np
import streamlit as st
from PIL import Image

from bloodapp.classes import CellClass
from bloodapp.data.dataset import Dataset

_QUALITY = 88


def jpeg(image: np.ndarray, scale: int = 1) -> bytes:
    """JPEG of an RGB uint8 (H, W, 3) image, enlarged `scale` times (nearest pixel, so that it stays honest)."""
    picture = Image.fromarray(np.asarray(image, np.uint8))
    if scale != 1:
        picture = picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=_QUALITY, subsampling=0)
    return buffer.getvalue()


def thumbnail(dataset: Dataset, index: int, scale: int = 1) -> bytes:
    """JPEG bytes of one image of a dataset; cached."""
    return _thumbnail(str(dataset.path), dataset.fingerprint, int(index), scale)


def data_uri(picture: bytes | np.ndarray) -> str:
    """A picture as `data:image/jpeg;base64,…`; takes JPEG bytes or an RGB uint8 image."""
    content = picture if isinstance(picture, bytes) else jpeg(picture)
    return "data:image/jpeg;base64," + base64.b64encode(content).decode("ascii")


def exact_uri(image: np.ndarray) -> str:
    """An RGB uint8 image as `data:image/png;base64,…`, without loss: for pictures shown pixel by pixel."""
    buffer = io.BytesIO()
    Image.fromarray(np.asarray(image, np.uint8)).save(buffer, "PNG", compress_level=1)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def class_chip(cell_class: CellClass | None) -> str:
    """A class as a small coloured dot and its title, as HTML; None reads "no label"."""
    if cell_class is None:
        return '<span class="chip"><i style="background:#adb5bd"></i>no label</span>'
    return (
        f'<span class="chip"><i style="background:{escape(cell_class.colour)}"></i>'
        f"{escape(cell_class.title)}</span>"
    )


def sheet(
    pictures: Sequence[bytes | np.ndarray],
    captions: Sequence[str] | None = None,
    *,
    colours: Sequence[str] | None = None,
    hints: Sequence[str] | None = None,
    width: int = 72,
    one_row: bool = False,
) -> str:
    """A contact sheet as HTML.

    Args:
        pictures: JPEG bytes or RGB uint8 images.
        captions: plain text under each picture; a line break in it is one on the page, and what follows is paler.
        colours: `#rrggbb` of the line under each picture, a class's colour for instance.
        hints: plain text shown when the pointer rests on the picture.
        width: shown width in CSS pixels; as many columns as fit.
        one_row: show only the pictures that fit into one row.
    """
    cells = []
    for i, picture in enumerate(pictures):
        text = escape(captions[i]) if captions else ""
        first, *more = text.split("\n")
        caption = first + "".join(f"<small>{line}</small>" for line in more)
        hint = escape(hints[i], quote=True) if hints else text.replace("\n", ", ")
        edge = f' style="--edge:{escape(colours[i], quote=True)}"' if colours else ""
        cells.append(
            f'<figure title="{hint}"{edge}><img alt="{hint}" loading="lazy" src="{data_uri(picture)}">'
            + (f"<figcaption>{caption}</figcaption>" if captions else "")
            + "</figure>"
        )
    kind = "sheet one-row" if one_row else "sheet"
    return f'<div class="{kind}" style="--thumb:{int(width)}px">{"".join(cells)}</div>'


def grid(
    pictures: Sequence[bytes | np.ndarray],
    captions: Sequence[str] | None = None,
    *,
    colours: Sequence[str] | None = None,
    hints: Sequence[str] | None = None,
    width: int = 72,
) -> None:
    """Draw a contact sheet; arguments as in `sheet`."""
    st.html(sheet(pictures, captions, colours=colours, hints=hints, width=width))


@lru_cache(maxsize=8192)
def _thumbnail(folder: str, fingerprint: str, index: int, scale: int) -> bytes:
    return jpeg(_images(folder, fingerprint)[index], scale)


@lru_cache(maxsize=4)
def _images(folder: str, fingerprint: str) -> np.ndarray:
    """The memory-mapped images; the fingerprint is part of the key because a name can be imported anew."""
    images: np.ndarray = np.load(Path(folder) / "images.npy", mmap_mode="r", allow_pickle=False)
    return images
