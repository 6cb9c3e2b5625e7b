"""JPEG files as cameras and programs write them, decoded in half the time that Pillow takes, to the same pixels.

Both stand on libjpeg-turbo; Pillow's own share is Python, for which threads wait on one another. Whatever is unusual
about a file, or wrong with it, is left to Pillow, which knows more and can say what it is.
"""

import numpy as np
import simplejpeg
from numpy.typing import NDArray

_START = b"\xff\xd8\xff"
_SCAN = b"\xff\xda"
# Turned or described by metadata (APP1), several pictures in one (MPF), colours that Adobe's marker explains.
_UNUSUAL = (b"\xff\xe1", b"MPF\0", b"Adobe")
_MODES: dict[str, str] = {"YCbCr": "RGB", "Gray": "L"}


def decode_plain(content: bytes, largest: int) -> tuple[NDArray[np.uint8], str] | None:
    """A plain JPEG of at most `largest` pixels as RGB uint8 (H, W, 3) with its mode in Pillow's words, else None.

    None as well for one that is damaged or cut short, so never an image of which a part is made up.
    """
    head = content[: content.rfind(_SCAN)]
    if not head.startswith(_START) or any(mark in head for mark in _UNUSUAL):
        return None
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(content)
        mode = _MODES.get(colours)
        if mode is None or height * width > largest:
            return None
        return simplejpeg.decode_jpeg(content, "RGB"), mode
    except ValueError:
        return None
