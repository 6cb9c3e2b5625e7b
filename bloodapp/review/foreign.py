"""Pictures of something else, drawn by chance: what ends up in a folder of cells without being one.

Each family takes a generator of random numbers and a size and gives an image uint8 (size, size, 3) RGB; no two
pictures of a family are alike. `MEMES` are those that people pass around, and which come many times.
"""

import string
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import gaussian_filter, zoom

from bloodapp.data.memes import duck, space_cat

Image8 = NDArray[np.uint8]
Random = np.random.Generator
Family = Callable[[Random, int], Image8]
Colour = tuple[int, int, int]

_FINE = 3  # drawn this many times larger, for smooth edges
_UNIT = 96  # the drawings below are laid out on a square of this side
_WORDS = "cell slide stain blood lab page table figure see note total mean count sample date normal"


class _Canvas:
    """A square to draw on in units of 1/96 of its side, whatever its size in pixels."""

    def __init__(self, size: int, ground: Colour) -> None:
        self._size = size
        self._k = _FINE * size / _UNIT
        self._picture = Image.new("RGB", (_FINE * size, _FINE * size), ground)
        self._draw = ImageDraw.Draw(self._picture)

    def _scaled(self, *numbers: float) -> list[float]:
        return [self._k * number for number in numbers]

    def disc(self, x: float, y: float, rx: float, ry: float, fill: Colour) -> None:
        """An ellipse around (x, y)."""
        self._draw.ellipse(self._scaled(x - rx, y - ry, x + rx, y + ry), fill=fill)

    def polygon(self, points: NDArray[np.floating], fill: Colour) -> None:
        """A polygon; points (M, 2) as x, y."""
        self._draw.polygon(self._scaled(*np.ravel(points)), fill=fill)

    def box(self, x0: float, y0: float, x1: float, y1: float, fill: Colour) -> None:
        """A rectangle."""
        self._draw.rectangle(self._scaled(x0, y0, x1, y1), fill=fill)

    def line(self, points: NDArray[np.floating], fill: Colour, width: float) -> None:
        """A line through points (M, 2)."""
        self._draw.line(self._scaled(*np.ravel(points)), fill=fill, width=max(1, round(self._k * width)))

    def arc(self, box: tuple[float, float, float, float], start: float, end: float, fill: Colour) -> None:
        """Part of an ellipse's outline; angles in degrees, clockwise from three o'clock."""
        self._draw.arc(self._scaled(*box), start, end, fill=fill, width=max(1, round(2.4 * self._k)))

    def text(self, x: float, y: float, words: str, height: float, fill: Colour) -> None:
        """A line of text whose upper left corner is at (x, y)."""
        font = ImageFont.load_default(size=max(4, round(self._k * height)))
        self._draw.text((self._k * x, self._k * y), words, fill=fill, font=font)

    def image(self, turn: float = 0.0) -> Image8:
        """The picture at its size, turned by some degrees about its middle."""
        picture = self._picture
        if turn:
            edge = picture.getpixel((1, 1))
            picture = picture.rotate(turn, Image.Resampling.BICUBIC, fillcolor=edge)
        return np.asarray(picture.resize((self._size, self._size), Image.Resampling.LANCZOS))


def shapes(rng: Random, size: int) -> Image8:
    """Triangles, discs, stars and boxes in loud colours."""
    canvas = _Canvas(size, _colour(rng))
    for _ in range(rng.integers(2, 8)):
        x, y, r = rng.uniform(15, 80), rng.uniform(15, 80), rng.uniform(8, 30)
        corners = int(rng.integers(2, 8))
        if corners == 2:
            canvas.disc(x, y, r, r * rng.uniform(0.5, 1), _colour(rng))
            continue
        angle = rng.uniform(0, 2 * np.pi) + np.arange(2 * corners) * np.pi / corners
        reach = np.where(np.arange(2 * corners) % 2, r * rng.choice((0.45, 0.95)), r)
        canvas.polygon(np.stack([x + reach * np.cos(angle), y + reach * np.sin(angle)], axis=1), _colour(rng))
    return canvas.image()


def page(rng: Random, size: int) -> Image8:
    """Text on paper: a scanned page, a label or a note."""
    light = int(rng.integers(205, 256))
    ink = (int(rng.integers(90)), int(rng.integers(90)), int(rng.integers(90)))
    canvas = _Canvas(size, (light, light - int(rng.integers(0, 14)), light - int(rng.integers(0, 30))))
    height = rng.uniform(6, 20)
    words = _WORDS.split()
    y = rng.uniform(-4, 8)
    while y < 92:
        line = " ".join(rng.choice(words, 6)) if rng.random() < 0.8 else _digits(rng)
        canvas.text(rng.uniform(2, 10), y, line, height, ink)
        y += height * rng.uniform(1.15, 1.5)
    return canvas.image(rng.uniform(-8, 8) if rng.random() < 0.6 else 0.0)


def gradient(rng: Random, size: int) -> Image8:
    """One colour running into another, along a line or out from a point."""
    rows, columns = np.mgrid[:size, :size] / size
    if rng.random() < 0.6:
        angle = rng.uniform(0, 2 * np.pi)
        along = np.cos(angle) * columns + np.sin(angle) * rows
    else:
        along = np.hypot(rows - rng.uniform(0, 1), columns - rng.uniform(0, 1))
    along = (along - along.min()) / np.ptp(along)
    one, two = np.array(_colour(rng), float), np.array(_colour(rng), float)
    return _whole(one + along[..., None] * (two - one))


def noise(rng: Random, size: int) -> Image8:
    """Clouds, static or a broken camera: noise of one or several scales."""
    scales = [s for s in (4, 8, 16, 32, 96) if rng.random() < 0.5] or [int(rng.choice((8, 24, 96)))]
    channels = 3 if rng.random() < 0.6 else 1
    picture = np.zeros((size, size, channels))
    for cells in scales:
        coarse = rng.standard_normal((cells, cells, channels)) / cells**0.35
        picture += zoom(coarse, (size / cells, size / cells, 1), order=1 if cells < 96 else 0)
    picture = (picture - picture.mean()) / max(picture.std(), 1e-6)
    return _whole(np.array(_colour(rng), float) + rng.uniform(25, 70) * picture)


def checkerboard(rng: Random, size: int) -> Image8:
    """A checkerboard, stripes or tiles, turned and in two colours."""
    rows, columns = np.mgrid[:size, :size] * 96 / size
    angle = rng.uniform(0, np.pi / 2)
    across = np.cos(angle) * columns + np.sin(angle) * rows
    down = np.cos(angle) * rows - np.sin(angle) * columns
    pitch = rng.uniform(5, 24)
    pattern = (across // pitch).astype(int)
    if rng.random() < 0.7:
        pattern += (down // (pitch * rng.choice((1.0, 2.0)))).astype(int)
    return np.array([_colour(rng), _colour(rng)], np.uint8)[pattern % 2]


def face(rng: Random, size: int) -> Image8:
    """A cartoon face."""
    canvas = _Canvas(size, _colour(rng))
    skin, ink = _colour(rng, 120), (30, 24, 28)
    x, y, r = rng.uniform(42, 54), rng.uniform(44, 54), rng.uniform(26, 38)
    if rng.random() < 0.5:  # ears
        for side in (-1, 1):
            ear = [(side * 0.95, -0.5), (side * 0.8, -1.35), (side * 0.25, -0.9)]
            canvas.polygon(np.array([(x + r * a, y + r * b) for a, b in ear]), skin)
    canvas.disc(x, y, r, r * rng.uniform(0.9, 1.1), skin)
    white, wide = rng.uniform(0.16, 0.26) * r, rng.uniform(0.3, 0.45) * r
    for side in (-1, 1):
        canvas.disc(x + side * wide, y - 0.2 * r, white, white * 1.2, (252, 252, 252))
        canvas.disc(x + side * wide + rng.uniform(-0.3, 0.3) * white, y - 0.18 * r, white / 2, white / 2, ink)
    canvas.disc(x, y + 0.12 * r, 0.1 * r, 0.08 * r, _colour(rng))
    smile = (x - 0.45 * r, y, x + 0.45 * r, y + 0.65 * r)
    canvas.arc(smile, *((20, 160) if rng.random() < 0.7 else (200, 340)), ink)
    return canvas.image()


def landscape(rng: Random, size: int) -> Image8:
    """Hills under a sky, grained like a photograph."""
    rows, columns = np.mgrid[:size, :size] / size
    top = np.array([rng.uniform(60, 160), rng.uniform(110, 190), rng.uniform(180, 250)])
    low = np.array([rng.uniform(200, 255), rng.uniform(170, 235), rng.uniform(150, 230)])
    picture = top + np.minimum(1.6 * rows, 1)[..., None] * (low - top)
    sun = np.exp(-(((columns - rng.uniform(0.2, 0.8)) ** 2 + (rows - rng.uniform(0.1, 0.4)) ** 2) / 0.006))
    picture += 90 * sun[..., None]
    season = np.array([rng.uniform(0.3, 1), rng.uniform(0.5, 1), rng.uniform(0.2, 0.6)])
    for layer in range(int(rng.integers(2, 5))):
        x = columns[0] * 2 * np.pi
        ridge = (
            0.45
            + 0.14 * layer
            + sum(rng.uniform(0.01, 0.07) * np.sin(k * x + rng.uniform(0, 7)) for k in (1, 2, 5, 9))
        )
        ground = season * (150 - 32 * layer)
        grain = gaussian_filter(rng.standard_normal((size, size)), 0.8)[..., None] * 22
        picture = np.where((rows > ridge)[..., None], ground + grain, picture)
    return _whole(picture + rng.normal(0, 3, picture.shape))


def sign(rng: Random, size: int) -> Image8:
    """A road sign or a button with a letter on it."""
    canvas = _Canvas(size, _colour(rng))
    rim, inner = _colour(rng), _colour(rng, 150)
    corners = int(rng.choice((0, 3, 4, 8)))
    for reach, fill in ((42, rim), (33, inner)):
        if not corners:
            canvas.disc(48, 48, reach, reach, fill)
            continue
        angle = np.pi / 2 * 3 + np.arange(corners) * 2 * np.pi / corners + (np.pi / 8 if corners == 8 else 0)
        canvas.polygon(48 + reach * np.stack([np.cos(angle), np.sin(angle)], axis=1), fill)
    canvas.text(32, 24, str(rng.choice(list(string.ascii_uppercase))), 42, (20, 20, 24))
    return canvas.image(rng.uniform(-12, 12))


def chart(rng: Random, size: int) -> Image8:
    """A bar chart or a plot, as it slips in from a report."""
    canvas = _Canvas(size, (255, 255, 255) if rng.random() < 0.7 else (32, 34, 40))
    axis, ink = (120, 120, 126), _colour(rng)
    values = rng.uniform(8, 72, int(rng.integers(3, 9)))
    if rng.random() < 0.5:
        step = 80 / len(values)
        for i, value in enumerate(values):
            canvas.box(12 + i * step, 86 - value, 12 + (i + 0.7) * step, 86, ink)
    else:
        for colour in (ink, _colour(rng)):
            points = np.stack([np.linspace(12, 92, len(values)), 86 - rng.permutation(values)], axis=1)
            canvas.line(points, colour, 2.4)
    canvas.line(np.array([(10, 4), (10, 86), (94, 86)]), axis, 1.4)
    canvas.text(30, 87, _digits(rng), 7, axis)
    return canvas.image()


def house(rng: Random, size: int) -> Image8:
    """A child's drawing of a house with a tree."""
    canvas = _Canvas(size, _colour(rng, 150))
    canvas.box(0, rng.uniform(66, 78), 96, 96, (70, int(rng.integers(110, 190)), 60))
    x, w = rng.uniform(10, 34), rng.uniform(34, 46)
    canvas.box(x, 40, x + w, 82, _colour(rng))
    canvas.polygon(np.array([(x - 6, 42), (x + w / 2, rng.uniform(10, 24)), (x + w + 6, 42)]), _colour(rng))
    canvas.box(x + 0.4 * w, 60, x + 0.62 * w, 82, _colour(rng))
    for side in (0.1, 0.7):
        canvas.box(x + side * w, 48, x + (side + 0.2) * w, 56, (250, 240, 150))
    trunk = x + w + rng.uniform(8, 14)
    canvas.box(trunk - 2, 54, trunk + 2, 84, (110, 74, 44))
    canvas.disc(trunk, 46, 11, 14, (40, int(rng.integers(100, 180)), 60))
    return canvas.image()


def wall(rng: Random, size: int) -> Image8:
    """Bricks, woven cloth or wood: a surface photographed by mistake."""
    rows, columns = np.mgrid[:size, :size] * 96 / size
    ground = np.array(_colour(rng), float)
    way = rng.integers(3)
    if way == 0:
        high, wide = rng.uniform(8, 16), rng.uniform(18, 34)
        course = rows // high
        joint = (rows % high < 1.6) | ((columns + course % 2 * wide / 2) % wide < 1.6)
        tint = np.asarray(rng.normal(0, 14, 400))[
            ((course * 17 + (columns + course % 2 * wide / 2) // wide) % 400).astype(int)
        ]
        picture = np.where(joint[..., None], 190.0, ground + tint[..., None])
    elif way == 1:
        pitch = rng.uniform(3, 9)
        weave = np.sin(2 * np.pi * rows / pitch) * np.sin(2 * np.pi * columns / pitch)
        picture = ground + 40 * weave[..., None]
    else:
        bend = columns + 6 * np.sin(rows / rng.uniform(10, 30)) + 0.1 * rows
        picture = ground + 26 * np.sin(bend / rng.uniform(1.5, 4))[..., None]
    return _whole(picture + gaussian_filter(rng.standard_normal((size, size)), 0.7)[..., None] * 14)


def night(rng: Random, size: int) -> Image8:
    """A sky full of stars above a town."""
    canvas = _Canvas(size, (int(rng.integers(4, 30)), int(rng.integers(4, 26)), int(rng.integers(26, 70))))
    for _ in range(rng.integers(20, 70)):
        r = rng.uniform(0.4, 1.3)
        canvas.disc(rng.uniform(0, 96), rng.uniform(0, 80), r, r, (250, 246, int(rng.integers(190, 256))))
    x, y, r = rng.uniform(16, 80), rng.uniform(12, 34), rng.uniform(6, 12)
    canvas.disc(x, y, r, r, (246, 240, 200))
    left = 0.0
    while left < 96:
        width = rng.uniform(6, 16)
        top = rng.uniform(48, 84)
        canvas.box(left, top, left + width - 1, 96, (14, 14, 22))
        for window in np.arange(top + 3, 94, 6):
            if rng.random() < 0.6:
                canvas.box(left + 2, window, left + 4, window + 3, (250, 210, 110))
        left += width
    return canvas.image()


FAMILIES: tuple[Family, ...] = (
    shapes, page, gradient, noise, checkerboard, face, landscape, sign, chart, house, wall, night,
)  # fmt: skip
"""The foreign pictures that come once."""

MEMES: tuple[Family, ...] = (
    lambda rng, size: duck(size),
    lambda rng, size: space_cat(size),
    face,
    house,
    night,
    sign,
)
"""Those that come again and again; the first two are always the same picture."""


def _colour(rng: Random, least: int = 0) -> Colour:
    red, green, blue = (int(value) for value in rng.integers(least, 256, 3))
    return red, green, blue


def _digits(rng: Random) -> str:
    return " ".join(str(number) for number in rng.integers(1, 2000, 4))


def _whole(picture: NDArray[np.floating]) -> Image8:
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)
