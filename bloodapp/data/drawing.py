"""The brushes of the drawn sample: a canvas at twice the size, textures, shapes, red cells, optics.

Lengths are pixels of the finished 96 x 96 image, colours 0..255 sRGB. Edges are soft by their distance
to the outline, so that twice the size is enough for a smooth reduction. Textures are band-limited noise and
scattered dots on sheets that wrap around, made once and cropped at random places.

The constants were chosen by eye and by the mean and spread of the colours of May-Grünwald-Giemsa smears
(Acevedo et al., Data in Brief 30, 105474, 2020); no pixel is taken from anywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

SIZE = 96
SCALE = 2
GRID = SIZE * SCALE
SHEET = 512
ANGLES = 1024

Array = NDArray[np.floating[Any]]
Colour = tuple[float, float, float]

GROUND: Colour = (253, 227, 200)
RED_CELL: Colour = (204, 164, 165)
PLATELET: Colour = (146, 104, 166)
GRANULE: Colour = (78, 28, 130)


def _polar() -> tuple[Array, NDArray[np.int16]]:
    """Radius in pixels and angle in steps of 1/ANGLES turn, around the middle of a sheet of 2 GRID + 1."""
    line = np.arange(-GRID, GRID + 1, dtype=np.float32) / SCALE
    radius = np.hypot(line[None, :], line[:, None])
    turn = np.arctan2(line[:, None], line[None, :]) / (2 * np.pi) % 1.0
    return radius, (turn * ANGLES).astype(np.int16) % ANGLES


_HARMONICS = np.arange(2, 15)
_TURNS = np.arange(ANGLES) * (2 * np.pi / ANGLES)
_WAVES = np.concatenate([np.cos(np.outer(_HARMONICS, _TURNS)), np.sin(np.outer(_HARMONICS, _TURNS))])


def outline(
    rng: np.random.Generator, radius: float, stretch: float = 0.05, wobble: float = 0.02, fray: float = 0.0
) -> Array:
    """Radii (ANGLES,) of a closed soft outline.

    `stretch` makes it an ellipse, `wobble` bends it gently (3 to 5 bulges), `fray` roughens it (6 to 14).
    """
    strength = np.where(_HARMONICS == 2, stretch, np.where(_HARMONICS <= 5, wobble, fray / 2))
    weights = rng.standard_normal(2 * len(_HARMONICS)) * np.tile(strength, 2) * 0.7
    return (radius * (1 + weights @ _WAVES)).astype(np.float32)


class Textures:
    """Sheets (SHEET, SHEET) float32 that wrap around; `crop` cuts a random, randomly turned window.

    Attributes:
        sheets: name to sheet; noise has mean 0 and standard deviation 1, dots run from 0 to 1.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self.sheets: dict[str, Array] = {
            "cloud": self._noise(rng, 14, 40),
            "fold": self._noise(rng, 7, 14),
            "lace": self._noise(rng, 3.4, 7.5),
            "clump": self._noise(rng, 2.4, 4.6),
            "chromatin": self._chromatin(rng),
            "grain": self._noise(rng, 1.2, 2.6),
            "coarse": self._dots(rng, 2.5, 0.80),
            "round": self._dots(rng, 2.1, 0.62),
            "azure": self._dots(rng, 2.4, 0.50),
            "dust": self._dots(rng, 1.8, 0.42),
        }

    @staticmethod
    def _frequencies() -> Array:
        """Cycles per finished pixel of every bin of a real FFT of a sheet."""
        up = np.fft.fftfreq(SHEET, 1 / SCALE)[:, None]
        across = np.fft.rfftfreq(SHEET, 1 / SCALE)[None, :]
        return np.hypot(up, across).astype(np.float32)

    def _noise(self, rng: np.random.Generator, shortest: float, longest: float) -> Array:
        """Noise of wavelengths between `shortest` and `longest` pixels."""
        frequency = self._frequencies()
        band = np.exp(-((frequency * shortest) ** 4)) - np.exp(-((frequency * longest) ** 4))
        white = rng.standard_normal((SHEET, SHEET), dtype=np.float32)
        sheet = np.fft.irfft2(np.fft.rfft2(white) * band, s=(SHEET, SHEET)).astype(np.float32)
        return sheet / sheet.std()

    def _chromatin(self, rng: np.random.Generator) -> Array:
        """Noise of many wavelengths, skewed: mostly dark with scattered pale gaps."""
        sheet = self._noise(rng, 2.0, 4.0) + self._noise(rng, 2.8, 6.0) + 0.8 * self._noise(rng, 6.0, 16.0)
        sheet = np.exp(0.42 * sheet)
        return (sheet - sheet.mean()) / sheet.std()

    @staticmethod
    def _dots(rng: np.random.Generator, spacing: float, sigma: float) -> Array:
        """Round dots of unequal strength on a jittered lattice."""
        count = int(SHEET / (spacing * SCALE))
        line = (np.arange(count) + 0.5) * SHEET / count
        jitter = rng.normal(0, 0.5 * spacing * SCALE, (2, count, count))
        y = (line[:, None] + jitter[0]).round().astype(np.intp) % SHEET
        x = (line[None, :] + jitter[1]).round().astype(np.intp) % SHEET
        sheet = np.zeros((SHEET, SHEET), np.float32)
        np.maximum.at(sheet, (y, x), rng.uniform(0.3, 1.0, y.shape).astype(np.float32))
        spread = gaussian_filter(sheet, sigma * SCALE, mode="wrap")
        return np.minimum(spread * (2 * np.pi * (sigma * SCALE) ** 2), 1)

    def crop(self, rng: np.random.Generator, name: str, shape: tuple[int, int]) -> Array:
        """A window (h, w) of a sheet."""
        h, w = shape
        y, x, turn = rng.integers(0, (SHEET - h, SHEET - w, 4))
        window = self.sheets[name][y : y + h, x : x + w]
        if turn & 1:
            window = window[::-1]
        return window[:, ::-1] if turn & 2 else window


@lru_cache(maxsize=2)
def textures(seed: int) -> Textures:
    """The sheets of a seed."""
    return Textures(np.random.default_rng([seed, 1]))


def _column(colour: Colour | Array) -> Array:
    return np.asarray(colour, np.float32).reshape(3, 1, 1)


def mix(low: Colour, high: Colour, level: Array) -> Array:
    """Colours (3, h, w) between `low` and `high` for a level (h, w) of 0..1."""
    start = _column(low)
    return start + (_column(high) - start) * level


def coverage(distance: Array, softness: float = 1.1) -> Array:
    """How far a pixel at this signed distance (negative inside) is covered, 0..1."""
    return np.clip(0.5 - distance / softness, 0, 1)


@dataclass(frozen=True)
class Area:
    """A square of the canvas around a point.

    Attributes:
        view: (3, h, w) the pixels themselves, changed in place.
        radius: (h, w) distance to the point.
        angle: (h, w) direction in steps of 1/ANGLES turn.
        x: (1, w) offset to the point.
        y: (h, 1) offset to the point.
    """

    view: Array
    radius: Array
    angle: NDArray[np.int16]
    x: Array
    y: Array

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return self.radius.shape[0], self.radius.shape[1]

    def distance(self, radii: Array) -> Array:
        """Signed distance (h, w) to an outline, measured along the ray; negative inside."""
        return self.radius - radii[self.angle]

    def cover(self, alpha: Array, colour: Colour | Array) -> None:
        """Lay a colour, one for all or (3, h, w), over the pixels with the opacity alpha (h, w)."""
        paint = colour if isinstance(colour, np.ndarray) else _column(colour)
        view = self.view
        step = paint - view
        step *= alpha
        view += step


def lobes(area: Area, parts: Sequence[tuple[float, ...]], blend: float = 2.0) -> Array:
    """Signed distance (h, w) to a smooth union of tapered rods.

    A part is (x0, y0, r0, x1, y1, r1), offsets to the area's point; `blend` is the width of the fillets.
    The smooth minimum is the polynomial one of I. Quilez.
    """
    union: Array | None = None
    for x0, y0, r0, x1, y1, r1 in parts:
        dx, dy = x1 - x0, y1 - y0
        length = max(dx * dx + dy * dy, 1e-6)
        px, py = area.x - np.float32(x0), area.y - np.float32(y0)
        t = np.clip((px * np.float32(dx) + py * np.float32(dy)) * np.float32(1 / length), 0, 1)
        qx, qy = px - t * np.float32(dx), py - t * np.float32(dy)
        rod = np.sqrt(qx * qx + qy * qy)
        rod -= np.float32(r0) + t * np.float32(r1 - r0)
        if union is None:
            union = rod
        else:
            near = np.maximum(np.float32(blend) - np.abs(union - rod), 0)
            union = np.minimum(union, rod) - near * near * np.float32(0.25 / blend)
    assert union is not None, "a nucleus has at least one part"
    return union


def _halved(pixels: Array) -> Array:
    """Half as many rows, each a 1-3-3-1 mean: the reduction and the blur of the lens in one."""
    padded = np.concatenate([pixels[:, :1], pixels, pixels[:, -1:]], axis=1)
    outer = padded[:, 0:-3:2] + padded[:, 3::2]
    inner = padded[:, 1:-2:2] + padded[:, 2:-1:2]
    return outer * np.float32(0.125) + inner * np.float32(0.375)


@dataclass(frozen=True)
class Slide:
    """What all images of one slide share.

    Attributes:
        ground: colour of the empty glass.
        gain: per channel, how strongly the stain took, 1 is usual.
    """

    ground: Colour
    gain: Colour


class Canvas:
    """One picture being painted, at SCALE times its size.

    Attributes:
        rng: every choice of this picture comes from it.
        textures: the sheets.
        pixels: (3, GRID, GRID) float32.
    """

    _RADIUS, _ANGLE = _polar()
    _AXIS = np.arange(-GRID, GRID + 1, dtype=np.float32) / SCALE

    def __init__(self, rng: np.random.Generator, sheets: Textures) -> None:
        self.rng = rng
        self.textures = sheets
        self.pixels = np.empty((3, GRID, GRID), np.float32)
        self.pixels[:] = _column(GROUND)

    def area(self, x: float, y: float, reach: float) -> Area:
        """The part of the canvas within `reach` of a point that lies on or near it."""
        cx, cy, r = round(x * SCALE), round(y * SCALE), int(np.ceil(reach * SCALE))
        x0, x1 = max(cx - r, 0), min(cx + r + 1, GRID)
        y0, y1 = max(cy - r, 0), min(cy + r + 1, GRID)
        ys, xs = slice(y0 - cy + GRID, y1 - cy + GRID), slice(x0 - cx + GRID, x1 - cx + GRID)
        return Area(
            self.pixels[:, y0:y1, x0:x1],
            self._RADIUS[ys, xs],
            self._ANGLE[ys, xs],
            self._AXIS[None, xs],
            self._AXIS[ys, None],
        )

    def texture(self, name: str, area: Area) -> Array:
        """A random window of a sheet, as large as the area."""
        return self.textures.crop(self.rng, name, area.shape)

    def red_cells(self, x: float, y: float, clear: float, crowd: float) -> None:
        """Strew red cells around a cell at (x, y) of radius `clear`; `crowd` is about how many there are."""
        rng = self.rng
        placed: list[tuple[float, float, float]] = []
        flat = rng.random() < 0.3
        light = rng.uniform(0, 2 * np.pi)
        tries = rng.uniform(-8, SIZE + 8, (int(crowd * 5), 2))
        radii = np.clip(rng.normal(15.2, 1.1, len(tries)), 12.5, 18.5)
        squeeze = rng.uniform(0.74, 1.08, len(tries))
        for (px, py), radius, room in zip(tries.tolist(), radii.tolist(), squeeze.tolist(), strict=True):
            if len(placed) >= crowd:
                break
            if np.hypot(px - x, py - y) < clear + radius * (0.5 + 0.45 * room):
                continue
            if any(np.hypot(px - qx, py - qy) < (radius + r) * room for qx, qy, r in placed):
                continue
            placed.append((px, py, radius))
            self._red_cell(px, py, radius, flat, light)

    def _red_cell(self, x: float, y: float, radius: float, flat: bool, light: float) -> None:
        """One red cell: it absorbs, so that where two overlap it is darker."""
        rng = self.rng
        area = self.area(x, y, radius * 1.25 + 1)
        distance = area.distance(outline(rng, radius, 0.07, 0.018))
        depth = np.maximum(-distance, 0)
        hollow = rng.uniform(0.15, 0.45) if flat else rng.uniform(0.5, 0.95)
        start, width = radius * rng.uniform(0.16, 0.34), radius * rng.uniform(0.36, 0.56)
        tilt = 2.2 * (area.x * np.float32(np.cos(light)) + area.y * np.float32(np.sin(light))) / radius
        dimple = np.clip((depth + tilt - start) / width, 0, 1)
        dimple *= dimple * (3 - 2 * dimple)
        body = 1 - hollow * dimple
        body += 0.05 * np.exp(-((distance + 1.6) ** 2))
        body *= coverage(distance, 2.4) * rng.normal(1.0, 0.09)
        view = area.view
        view *= 1 + (_column(RED_CELL) / _column(GROUND) - 1) * body

    def platelet(self, x: float, y: float, radius: float) -> None:
        """One platelet: a lilac scrap with violet granules and a fuzzy border."""
        rng = self.rng
        area = self.area(x, y, radius * 1.4 + 3)
        distance = area.distance(outline(rng, radius, 0.07, 0.02, 0.015)) + 0.45 * self.texture("lace", area)
        area.cover(coverage(distance - 0.8, 5.0) * np.float32(rng.uniform(0.2, 0.5)), (186, 170, 196))
        area.cover(coverage(distance, 2.6) * np.float32(rng.uniform(0.75, 1.0)), PLATELET)
        dense = np.clip(0.3 - distance / (0.45 * radius), 0, 1) * np.float32(rng.uniform(0.75, 1.0))
        dots = self.texture("azure", area) * 1.2 + 0.16 * self.texture("fold", area)
        area.cover(np.clip((dots - rng.uniform(-0.1, 0.2)) / 0.55, 0, 1) * dense, GRANULE)

    def finished(self, slide: Slide, sharpen: float = 0.55) -> NDArray[np.uint8]:
        """The picture (SIZE, SIZE, 3) uint8 as the camera on that slide saw it: light, lens, sensor."""
        rng = self.rng
        small = _halved(_halved(self.pixels).transpose(0, 2, 1)).transpose(0, 2, 1)
        jitter = rng.normal(1.0, 0.05) * rng.normal(1.0, 0.025, 3)
        gain = _column(slide.gain) * _column(jitter.astype(np.float32))
        seen = _column(slide.ground) * np.exp(gain * np.log(np.maximum(small, 4) / _column(GROUND)))
        soft = gaussian_filter(seen, (0, 1.3, 1.3), truncate=2.4)
        seen += np.float32(rng.normal(sharpen, 0.1)) * (seen - soft)
        slope = rng.normal(0, 0.012, 2).astype(np.float32)
        line = np.linspace(-1, 1, SIZE, dtype=np.float32)
        seen *= (
            np.float32(rng.normal(1, 0.01)) + slope[0] * line[None, :, None] + slope[1] * line[None, None, :]
        )
        seen += 1.3 * rng.standard_normal(seen.shape, dtype=np.float32)
        return np.clip(seen.transpose(1, 2, 0) + 0.5, 0, 255).astype(np.uint8)
