"""One picture: decode it whatever its file says it is, and make it a square."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from bloodapp.errors import SourceError

MAX_SIDE = 7_000  # pixels; a small file may claim far more, and padded to a square it would fill the memory
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".gif", ".webp"})


@dataclass(frozen=True)
class Decoded:
    """A decoded picture.

    Attributes:
        image: RGB uint8 (H, W, 3).
        width: of the original, in pixels.
        height: of the original, in pixels.
        mode: of the original, in Pillow's words: `RGB`, `L`, `P`, `RGBA`, `I;16`, …
    """

    image: NDArray[np.uint8]
    width: int
    height: int
    mode: str


def decode(content: bytes | Path, name: str) -> Decoded:
    """Decode a picture to RGB: turned as its EXIF says, transparency on white, 16 bits scaled to 8.

    Raises SourceError, which names the picture, if it is none, is cut short or is too large.
    """
    try:
        with Image.open(io.BytesIO(content) if isinstance(content, bytes) else content) as opened:
            width, height = opened.size
            if max(width, height) > MAX_SIDE:
                raise SourceError(
                    f"'{name}' is {width} x {height} pixels, too large for a picture of one cell: cut the cells out."
                )
            mode = opened.mode
            image = np.array(_rgb(ImageOps.exif_transpose(opened)))
    except UnidentifiedImageError as error:
        raise SourceError(
            f"'{name}' is not a picture, whatever its name says: remove it or save it again."
        ) from error
    except Image.DecompressionBombError as error:
        raise SourceError(f"'{name}' is too large for a picture of one cell: cut the cells out.") from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:  # Pillow's ways to say "damaged"
        raise SourceError(f"'{name}' is damaged or cut short: copy or save it again ({error}).") from error
    return Decoded(image, width, height, mode)


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


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bits and more: Pillow itself would clip them at 255
        grey = np.asarray(image).astype(np.float64)
        return Image.fromarray(
            np.clip(grey / 257.0 if grey.max() > 255 else grey, 0, 255).astype(np.uint8)
        ).convert("RGB")
    if "A" in image.mode or "transparency" in image.info:
        ground = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(ground, image.convert("RGBA")).convert("RGB")
    return image.convert("RGB")
