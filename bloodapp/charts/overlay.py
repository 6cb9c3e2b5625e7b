"""A map of what speaks for a class, laid over its image: colour, and a line for those who see no colour."""

import numpy as np
import numpy.typing as npt
from PIL import Image

# Ten steps of viridis (S. van der Walt and N. Smith, matplotlib 2.0): even in brightness, for every kind of sight.
_VIRIDIS = np.array(
    [
        (68, 1, 84),
        (72, 40, 120),
        (62, 74, 137),
        (49, 104, 142),
        (38, 130, 142),
        (31, 158, 137),
        (53, 183, 121),
        (109, 205, 89),
        (180, 222, 44),
        (253, 231, 37),
    ],
    np.float32,
)
LEAST, MOST = 0.10, 0.62
"""Opacity of the colours where nothing and where everything speaks for the class."""

HALF = 0.5
"""Where the line runs: what is inside it has more than half of the largest value."""


def coloured(light: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """A map of 0 to 1 as colours 0 to 255, float32 (..., 3): dark violet to yellow."""
    values = np.clip(np.asarray(light, np.float32), 0, 1)
    steps = np.linspace(0, 1, len(_VIRIDIS))
    return np.stack([np.interp(values, steps, _VIRIDIS[:, c]) for c in range(3)], -1).astype(np.float32)


def overlaid(
    image: npt.NDArray[np.uint8], light: npt.NDArray[np.float32], *, scale: int = 4
) -> npt.NDArray[np.uint8]:
    """An image (S, S, 3), enlarged, under a map float32 (S, S) of 0 to 1: uint8 (S·scale, S·scale, 3).

    The colours hide the less the less speaks for the class; a white line with a dark rim runs around what has more than
    half of the most. An empty map gives the image under its faintest colour, and no line.
    """
    large = np.repeat(np.repeat(image, scale, 0), scale, 1).astype(np.float32)
    shape = (light.shape[1] * scale, light.shape[0] * scale)
    smooth = np.asarray(
        Image.fromarray(np.asarray(light, np.float32)).resize(shape, Image.Resampling.BILINEAR)
    )
    opacity = (LEAST + (MOST - LEAST) * np.clip(smooth, 0, 1))[..., None]
    mixed = (1 - opacity) * large + opacity * coloured(smooth)
    inside = smooth >= HALF * max(float(light.max(initial=0)), 1e-6)
    mixed[_edge(inside, 3)] = (20, 16, 30)
    mixed[_edge(inside, 1)] = (255, 255, 255)
    return np.clip(np.rint(mixed), 0, 255).astype(np.uint8)


def _edge(inside: npt.NDArray[np.bool_], reach: int) -> npt.NDArray[np.bool_]:
    """Within `reach` pixels of where the inside ends; the border of the image is no end."""
    near_in, near_out = inside.copy(), ~inside
    for _ in range(reach):
        near_in, near_out = _grown(near_in), _grown(near_out)
    edge: npt.NDArray[np.bool_] = near_in & near_out
    return edge


def _grown(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    padded = np.pad(mask, 1)
    return padded[1:-1, 1:-1] | padded[:-2, 1:-1] | padded[2:, 1:-1] | padded[1:-1, :-2] | padded[1:-1, 2:]
