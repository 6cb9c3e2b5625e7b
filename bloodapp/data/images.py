"""One picture: decode it whatever its file says it is, and make it a square."""

import io
import threading
import warnings
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from bloodapp.data.jpeg import decode_plain
from bloodapp.errors import SourceError

MIN_SIDE = 4  # pixels; less shows no cell
MAX_SIDE = 7_000  # pixels; a small file may claim far more, and padded to a square it would fill the memory
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".gif", ".webp"})
# Pillow opens by content, not by name. Of its fifty formats some call other programs, and none of those is a cell.
_FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP", "GIF")
_LARGE = 4_000_000  # pixels; of larger pictures one is decoded at a time, or two threads fill the memory
_one_large = threading.Lock()
# Where Pillow only warns, of metadata or of many pixels, the picture is taken or refused below.
warnings.filterwarnings("ignore", module=r"PIL\.")


@dataclass(frozen=True)
class Decoded:
    """A decoded picture.

    Attributes:
        image: RGB uint8 (H, W, 3).
        width: of the original, in pixels.
        height: of the original, in pixels.
        mode: of the original, in Pillow's words: `RGB`, `L`, `P`, `RGBA`, `I;16`, …
        note: one sentence on what of the file was left out, else "".
    """

    image: NDArray[np.uint8]
    width: int
    height: int
    mode: str
    note: str = ""


def decode(content: bytes | Path, name: str) -> Decoded:
    """Decode a picture to RGB: turned as its EXIF says, transparency on white, 16 bits scaled to 8, its first page.

    Raises SourceError, which names the picture, if it is none, is cut short, too small or too large.
    """
    if content == b"":
        raise SourceError(f"'{name}' is empty, a file of 0 bytes: copy it again, or remove it.")
    if isinstance(content, bytes) and (plain := decode_plain(content, _LARGE)):
        image, mode = plain
        height, width = image.shape[:2]
        check_sides(width, height, f"'{name}'")
        return Decoded(image, width, height, mode)
    try:
        with Image.open(
            io.BytesIO(content) if isinstance(content, bytes) else content, formats=_FORMATS
        ) as opened:
            width, height = opened.size
            check_sides(width, height, f"'{name}'")
            mode = opened.mode
            with _one_large if width * height > _LARGE else nullcontext():
                several = opened.format != "MPO" and getattr(opened, "is_animated", False)
                rgb = _rgb(_upright(opened), name)
                if rgb is not opened:
                    opened.close()  # its pixels go before those of the array come
                image = np.asarray(rgb)
    except SourceError:
        raise
    except UnidentifiedImageError as error:
        raise SourceError(
            f"'{name}' is not a picture, whatever its name says: remove it or save it again."
        ) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise SourceError(f"'{name}' is too large for a picture of one cell: cut the cells out.") from error
    # A decoder that meets bytes which nobody meant raises whatever it stumbles over.
    except Exception as error:
        why = " ".join(str(error).split()) or type(error).__name__
        raise SourceError(f"'{name}' is damaged or cut short: copy or save it again ({why}).") from error
    note = f"'{name}' holds more than one picture: the first was taken." if several else ""
    return Decoded(image, width, height, mode, note)


def check_sides(width: int, height: int, what: str) -> None:
    """Raise SourceError for sides in pixels that no picture of one cell has; `what` begins the sentence."""
    if max(width, height) > MAX_SIDE:
        raise SourceError(
            f"{what} is {width} x {height} pixels, too large for a picture of one cell: cut the cells out."
        )
    if min(width, height) < MIN_SIDE:
        raise SourceError(
            f"{what} is {width} x {height} pixels, too small to show a cell: remove it or save it again."
        )


def to_square(image: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """An image uint8 (H, W, 3) as uint8 (size, size, 3): padded with its border's median, resized bicubically.

    An image that has the size already is returned as it is, not copied.
    """
    height, width = image.shape[:2]
    if height == width == size:
        return image
    if height != width:
        image = _padded(image)
    return np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.BICUBIC))


def _padded(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    side = max(height, width)
    border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    square = np.empty((side, side, 3), np.uint8)
    square[:] = np.rint(np.median(border, axis=0)).astype(np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = image
    return square


def _upright(image: Image.Image) -> Image.Image:
    """The picture, turned as its metadata say; reading those takes as long as decoding, so only where there are any."""
    told = {"exif", "xmp", "Raw profile type exif", "XML:com.adobe.xmp"}
    if image.format == "TIFF" or not told.isdisjoint(image.info):
        ImageOps.exif_transpose(image, in_place=True)
    return image


def _rgb(image: Image.Image, name: str) -> Image.Image:
    if image.mode == "F":
        raise SourceError(f"'{name}' holds fractions: save it again with 8 or 16 bits a colour.")
    if image.mode.startswith("I"):  # 16 bits and more: Pillow itself would clip them at 255
        grey = np.asarray(image)
        if grey.max() > 255:
            grey = grey // 257
        return Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        full = image if image.mode == "RGBA" else image.convert("RGBA")
        ground = Image.new("RGB", full.size, "white")
        ground.paste(full, mask=full.getchannel("A"))
        return ground
    if image.mode == "LAB":
        raise SourceError(f"'{name}' is in Lab colours, which cannot be read here: save it again as PNG.")
    return image if image.mode == "RGB" else image.convert("RGB")
