"""What lies on a slide besides cells: precipitated stain and air bubbles, painted into one image.

Lengths are pixels of a 224-pixel image and are scaled to the image's side. Every draw is made for the most there
can be, whatever is then shown, so that less and more of it with the same generator lie at the same places.
The shapes and colours were chosen by eye; no pixel is taken from anywhere.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

Pixels = npt.NDArray[np.uint8]
Array = npt.NDArray[np.floating[Any]]

SIDE = 224
CLUMPS = 5
GRANULES = 24
BUBBLES = 6

# Absorbance (natural logarithm) of a thick granule by channel: near-black purple, and browner where it is old.
_PURPLE = np.array((1.9, 2.6, 1.3), np.float32)
_BROWN = np.array((1.2, 2.1, 2.0), np.float32)
_RIM = np.array((70, 62, 84), np.float32)


def granules(image: Pixels, clumps: float, number: float, radius: float, rng: np.random.Generator) -> Pixels:
    """Clumps of dark purple-brown granules of irregular shape over the image, uint8 (H, W, 3) → the same.

    `clumps` (up to CLUMPS) of `number` granules each (up to GRANULES), the largest of them of `radius` pixels
    at 224. Azure-eosinates that fell out of the stain: they lie on cells and ground alike, and only darken.
    """
    height, width = image.shape[:2]
    scale = min(height, width) / SIDE
    shape = (CLUMPS, GRANULES)
    middles = rng.uniform(0.06, 0.94, (CLUMPS, 1, 2)) * (height, width)
    stretch, turn = rng.uniform(0.35, 1, (CLUMPS, 1)), rng.uniform(0, np.pi, (CLUMPS, 1))
    away, aside = rng.standard_normal((2, *shape)) * rng.uniform(7, 15, (CLUMPS, 1)) * scale
    # Many small, few large; the first of a clump is its core.
    size = np.clip(rng.lognormal(-0.95, 0.45, shape), 0.15, 1)
    size[:, 0], away[:, 0], aside[:, 0] = 1, 0, 0
    bend = rng.normal(0, (0.24, 0.14, 0.08), (*shape, 3))
    phase = rng.uniform(0, 2 * np.pi, (*shape, 3))
    depth = rng.uniform(0.45, 1, shape)
    brown = rng.uniform(0, 1, (CLUMPS, 1)) * 0.7 + rng.uniform(0, 0.3, shape)

    shown = (slice(int(clumps)), slice(int(number)))
    aside = aside * stretch
    y = (middles[..., 0] + away * np.cos(turn) - aside * np.sin(turn))[shown].ravel()
    x = (middles[..., 1] + away * np.sin(turn) + aside * np.cos(turn))[shown].ravel()
    radii = (np.maximum(size[shown].ravel() * radius * scale, 0.3)).astype(np.float32)[:, None, None]

    reach = int(np.ceil(1.6 * radius * scale)) + 1
    line = np.arange(-reach, reach + 1)
    whole_y, whole_x = np.floor(y).astype(np.intp), np.floor(x).astype(np.intp)
    down = (line[None, :] + 0.5 - (y - whole_y)[:, None]).astype(np.float32)[:, :, None]
    across = (line[None, :] + 0.5 - (x - whole_x)[:, None]).astype(np.float32)[:, None, :]
    distance = np.maximum(np.hypot(down, across), 1e-3)
    # The outline sways with the direction: cosines of 2, 3 and 5 times its angle, as powers of the unit vector.
    ahead = (across + 1j * down) / distance
    twice = ahead * ahead
    thrice = twice * ahead
    sway = (bend * np.exp(1j * phase))[shown].reshape(-1, 3).astype(np.complex64)[:, :, None, None]
    waves = sway[:, 0] * twice + sway[:, 1] * thrice + sway[:, 2] * (twice * thrice)
    outline = 1 + waves.real
    inside = radii * outline - distance
    # Below a pixel a granule covers only its share of one; the edge is as soft as the optics.
    soft = np.float32(max(1.2, 2.4 * scale))
    cover = np.clip(0.5 + inside / soft, 0, 1) * np.minimum(1, 2 * radii / soft)
    thick = cover * (0.72 + 0.28 * np.clip(inside / radii, 0, 1))
    thick *= depth[shown].astype(np.float32).ravel()[:, None, None]

    share = brown[shown].astype(np.float32).ravel()[:, None]
    colour = _PURPLE * (1 - share) + _BROWN * share
    sheet = np.zeros((height + 2 * reach, width + 2 * reach, 3), np.float32)
    wide = 2 * reach + 1
    painted = thick[..., None] * colour[:, None, None, :]
    within = (whole_y >= 0) & (whole_y < height) & (whole_x >= 0) & (whole_x < width)
    for place in np.flatnonzero(within):
        row, column = int(whole_y[place]), int(whole_x[place])
        window = sheet[row : row + wide, column : column + wide]
        np.maximum(window, painted[place], out=window)
    absorbed = sheet[reach : reach + height, reach : reach + width]
    return np.round(image * np.exp(-absorbed)).astype(np.uint8)


def bubbles(image: Pixels, number: float, radius: float, rng: np.random.Generator) -> Pixels:
    """Air bubbles over the image, the first of `radius` pixels at 224, the others small, uint8 (H, W, 3) → the same.

    `number` counts all of them (up to BUBBLES). A bubble has a dark edge, a bright rim within, a fainter bright
    line outside, and shows what lies below it paler and out of focus. Its middle lies in the outer part of the image.
    """
    height, width = image.shape[:2]
    scale = min(height, width) / SIDE
    turn = rng.uniform(0, 2 * np.pi)
    far = rng.uniform(0.26, 0.42)
    first = (height * (0.5 + far * np.sin(turn)), width * (0.5 + far * np.cos(turn)))
    light = rng.uniform(0, 2 * np.pi)
    others = rng.uniform(0.03, 0.97, (BUBBLES - 1, 2)) * (height, width)
    sizes = rng.uniform(0.12, 0.26, BUBBLES - 1)

    blurred = Image.fromarray(image).filter(ImageFilter.BoxBlur(3.5 * scale))
    below = np.asarray(blurred, np.float32)
    pixels = image.astype(np.float32)
    for (y, x), size in zip(others[: max(0, int(number) - 1)], sizes, strict=False):
        _bubble(pixels, below, y, x, size * radius * scale, light)
    # Last, for it hides the small ones below it.
    _bubble(pixels, below, *first, radius * scale, light)
    return np.round(np.clip(pixels, 0, 255)).astype(np.uint8)


def _bubble(pixels: Array, below: Array, y: float, x: float, radius: float, light: float) -> None:
    """Paint one bubble into float32 pixels (H, W, 3), in place."""
    reach = 1.15 * radius + 2
    top, left = max(0, int(y - reach)), max(0, int(x - reach))
    window = (slice(top, max(top, int(y + reach) + 2)), slice(left, max(left, int(x + reach) + 2)))
    view = pixels[window]
    if not view.size:
        return
    down = (np.arange(top, top + view.shape[0], dtype=np.float32) + 0.5 - y)[:, None]
    across = (np.arange(left, left + view.shape[1], dtype=np.float32) + 0.5 - x)[None, :]
    distance = np.hypot(down, across)
    edge = distance - radius  # pixels outside the edge
    side = (down * np.sin(light) + across * np.cos(light)) / (distance + 0.5)  # -1 … 1, 1 towards the light
    inside = np.clip(0.5 - edge, 0, 1)
    thick = max(0.045 * radius, 0.55)

    def ring(at: float, wide: float) -> Array:
        return np.exp(-(((edge - at * thick) / (wide * thick)) ** 2))

    within = below[window] * 0.74 + 255 * 0.26
    view += (within - view) * inside[..., None]
    bright = ring(-4.4, 1.5) * (0.5 + 0.35 * side) * inside
    view += (255 - view) * bright[..., None]
    dark = np.maximum(ring(-1.3, 1.5) * (0.82 - 0.14 * side), 0)
    view += (_RIM - view) * dark[..., None]
    halo = ring(1.9, 0.9) * 0.45
    view += (255 - view) * halo[..., None]
