"""The eight cells of the drawn sample, each painted by what tells the real one apart.

A painter takes a canvas, the place (x, y) and the radius of its cell and paints cytoplasm, granules and nucleus.
Lengths are pixels of the finished image; a red cell's radius is about 14 (7.5 µm across).
"""

from collections.abc import Callable, Sequence

import numpy as np

from bloodapp.data.drawing import (
    SIZE,
    Area,
    Array,
    Canvas,
    Colour,
    Slide,
    Textures,
    coverage,
    lobes,
    mix,
    outline,
)

Part = tuple[float, ...]

VIOLET: Colour = (63, 22, 124)
PALE_VIOLET: Colour = (140, 92, 158)


def _turned(parts: Sequence[Part], angle: float, x: float = 0.0, y: float = 0.0) -> list[Part]:
    """The rods of a nucleus, turned by an angle and then moved."""
    c, s = float(np.cos(angle)), float(np.sin(angle))
    return [
        (x + c * x0 - s * y0, y + s * x0 + c * y0, r0, x + c * x1 - s * y1, y + s * x1 + c * y1, r1)
        for x0, y0, r0, x1, y1, r1 in parts
    ]


def _arc(
    rng: np.random.Generator, bend: float, span: float, widths: list[float], jitter: float
) -> list[Part]:
    """Rods along an arc of radius `bend` over `span` radians, with the given half widths at its joints."""
    turns = np.linspace(-span / 2, span / 2, len(widths))
    radii = bend * (1 + rng.normal(0, jitter, len(widths)))
    x, y = radii * np.cos(turns), radii * np.sin(turns)
    return [
        (float(x[i]), float(y[i]), widths[i], float(x[i + 1]), float(y[i + 1]), widths[i + 1])
        for i in range(len(widths) - 1)
    ]


def _cytoplasm(
    canvas: Canvas, area: Area, distance: Array, low: Colour, high: Colour, grain: float, rim: float = 0.0
) -> Array:
    """Paint a cytoplasm between two colours, cloudy and grainy; returns its coverage (h, w).

    `grain` is the share of fine texture, `rim` how much the border is darkened.
    """
    inside = coverage(distance, 1.5)
    level = 0.5 + 0.16 * canvas.texture("cloud", area) + grain * canvas.texture("grain", area)
    level += 0.5 * grain * canvas.texture("clump", area)
    if rim:
        level -= rim * np.exp(-(((distance + 1.0) / 1.3) ** 2))
    area.cover(inside, mix(low, high, np.clip(level, 0, 1)))
    return inside


def _nucleus(
    canvas: Canvas,
    area: Area,
    distance: Array,
    dark: Colour = VIOLET,
    light: Colour = PALE_VIOLET,
    *,
    sheet: str = "chromatin",
    openness: float = 0.28,
    contrast: float = 0.26,
    bend: float = 0.7,
) -> Array:
    """Paint a nucleus: dark chromatin with paler gaps and a darker membrane; returns its coverage (h, w).

    `openness` is the mean share of pale gaps, `contrast` their strength, `bend` the unevenness of the border in pixels.
    """
    warped = distance + np.float32(bend) * (
        canvas.texture("cloud", area) + 0.25 * canvas.texture("fold", area)
    )
    inside = coverage(warped, 1.3)
    level = openness + contrast * canvas.texture(sheet, area) + 0.10 * canvas.texture("grain", area)
    level -= 0.5 * np.exp(-(((warped + 0.7) / 1.1) ** 2))
    area.cover(inside, mix(dark, light, np.clip(level, 0, 1)))
    return inside


def _membrane(rng: np.random.Generator, radius: float, calm: float = 1.0) -> Array:
    return outline(rng, radius, 0.05 * calm, 0.013 * calm, 0.005 * calm)


def basophil(canvas: Canvas, x: float, y: float, radius: float) -> None:
    """Coarse dark violet granules that hide a nucleus of two lobes."""
    rng = canvas.rng
    area = canvas.area(x, y, radius * 1.3 + 3)
    distance = area.distance(outline(rng, radius, 0.06, 0.015, 0.006)) + 0.4 * canvas.texture("lace", area)
    inside = _cytoplasm(canvas, area, distance, (150, 92, 154), (206, 152, 174), 0.14)
    lobe, gap = radius * rng.uniform(0.42, 0.50), radius * rng.uniform(0.36, 0.46)
    parts = [
        (-gap, 0.0, lobe, -gap * 0.6, gap * 0.3, lobe * 0.8),
        (gap, 0.0, lobe, gap * 0.6, gap * 0.3, lobe * 0.8),
    ]
    nucleus = lobes(area, _turned(parts, rng.uniform(0, 2 * np.pi)))
    _nucleus(canvas, area, nucleus, (86, 38, 138), (150, 94, 160), openness=0.35)
    dots = canvas.texture("coarse", area) * 1.2 + 0.16 * canvas.texture("fold", area)
    dots += 0.10 * np.clip(-nucleus / 3, -1, 1)
    edge = np.float32(rng.uniform(-0.15, 0.15))
    grains = np.clip((dots - edge) / 0.7, 0, 1) * inside
    shade = np.clip(0.4 + 0.3 * canvas.texture("clump", area), 0, 1)
    area.cover(grains * np.float32(0.92), mix((50, 14, 108), (88, 38, 138), shade))


def eosinophil(canvas: Canvas, x: float, y: float, radius: float) -> None:
    """Two lobes amid round bright orange-red granules."""
    rng = canvas.rng
    area = canvas.area(x, y, radius * 1.25 + 2)
    distance = area.distance(_membrane(rng, radius, 1.1))
    _cytoplasm(canvas, area, distance, (186, 116, 142), (222, 164, 166), 0.12)
    dots = canvas.texture("round", area) * 1.5 + 0.12 * canvas.texture("cloud", area)
    grains = np.clip((dots - 0.2) / 0.5, 0, 1) * coverage(distance + 0.8)
    warm = 0.5 + 0.25 * canvas.texture("lace", area)
    area.cover(grains * np.float32(0.9), mix((174, 78, 108), (208, 108, 112), np.clip(warm, 0, 1)))
    lobe, gap = radius * rng.uniform(0.33, 0.38), radius * rng.uniform(0.42, 0.52)
    lean, tall = rng.uniform(-0.15, 0.15) * radius, radius * rng.uniform(0.10, 0.24)
    parts = [
        (-gap, -tall, lobe, -gap * 0.9, tall + lean, lobe * rng.uniform(0.85, 1.0)),
        (gap, -tall - lean, lobe, gap * 0.9, tall, lobe * rng.uniform(0.85, 1.0)),
        (-gap, tall * 0.5, 1.6, gap, tall * 0.5, 1.6),
    ]
    drift = rng.uniform(-0.10, 0.22) * radius
    turn = rng.uniform(0, 2 * np.pi)
    nucleus = lobes(area, _turned(parts, turn, drift * np.sin(turn), -drift * np.cos(turn)))
    nucleus = np.maximum(nucleus, distance + 1.5)
    _nucleus(canvas, area, nucleus, (62, 20, 126), (152, 102, 170), openness=0.24, contrast=0.27, bend=0.5)


def erythroblast(canvas: Canvas, x: float, y: float, radius: float) -> None:
    """A small, round, very dark nucleus in a grey-pink to bluish rim."""
    rng = canvas.rng
    area = canvas.area(x, y, radius * 1.3 + 2)
    distance = area.distance(_membrane(rng, radius, 1.3))
    blue = rng.beta(1.3, 1.3)
    low = (200 - 76 * blue, 162 - 64 * blue, 168 - 10 * blue)
    high = (220 - 54 * blue, 186 - 44 * blue, 180 - 2 * blue)
    _cytoplasm(canvas, area, distance, low, high, 0.06 + 0.08 * blue, 0.35)
    core = radius * rng.uniform(0.50, 0.60) * (0.95 + 0.18 * blue)
    away, turn = rng.uniform(0, 0.22) * radius, rng.uniform(0, 2 * np.pi)
    part = (0.0, 0.0, core, rng.uniform(0, 0.16) * core, 0.0, core * 0.95)
    nucleus = lobes(area, _turned([part], turn, away * np.cos(turn), away * np.sin(turn)))
    halo = np.exp(-(((nucleus - 0.9) / 0.8) ** 2)) * np.float32(0.30)
    area.cover(halo, (226, 204, 210))
    _nucleus(
        canvas, area, nucleus, (48, 14, 104), (130, 78, 148),
        openness=0.02 + 0.20 * blue, contrast=0.10 + 0.24 * blue, bend=0.4,
    )  # fmt: skip


def immature_granulocyte(canvas: Canvas, x: float, y: float, radius: float) -> None:
    """A large cell: eccentric round to kidney-shaped pale nucleus, sometimes nucleoli, fine purple granules."""
    rng = canvas.rng
    area = canvas.area(x, y, radius * 1.25 + 2)
    distance = area.distance(_membrane(rng, radius, 1.2))
    ripe = rng.random()
    low = (132 + 56 * ripe, 90 + 44 * ripe, 160)
    high = (184 + 36 * ripe, 142 + 34 * ripe, 184)
    inside = _cytoplasm(canvas, area, distance, low, high, 0.12, 0.15)
    turn = rng.uniform(0, 2 * np.pi)
    core, away = radius * rng.uniform(0.60, 0.68), radius * rng.uniform(0.20, 0.30)
    if ripe > 0.65:
        wide = core * rng.uniform(0.64, 0.72)
        parts = _arc(rng, core * 0.62, rng.uniform(2.2, 2.8), [wide * 0.92, wide, wide, wide * 0.95], 0.05)
        nucleus = lobes(
            area, _turned(parts, turn + np.pi, away * 0.5 * np.cos(turn), away * 0.5 * np.sin(turn))
        )
    else:
        part = (0.0, -core * 0.16, core * 0.94, 0.0, core * 0.2, core * rng.uniform(0.86, 0.94))
        nucleus = lobes(area, _turned([part], turn, away * np.cos(turn), away * np.sin(turn)))
    nucleus = np.maximum(nucleus, distance + 1.2)
    core_paint = _nucleus(
        canvas, area, nucleus, (84, 32, 134), (174, 118, 168), openness=0.26, contrast=0.26, bend=0.8
    )
    if ripe < 0.4:
        for _ in range(int(rng.integers(1, 4))):
            way, far = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.5) * core
            nx, ny = away * np.cos(turn) + far * np.cos(way), away * np.sin(turn) + far * np.sin(way)
            spot = lobes(area, [(nx, ny, rng.uniform(2.2, 3.2), nx + 0.5, ny, 2.0)])
            area.cover(coverage(spot, 2.0) * np.float32(0.6), (138, 96, 178))
    dots = canvas.texture("azure", area) * 1.7 + 0.25 * canvas.texture("fold", area)
    grains = np.clip((dots - rng.uniform(0.05, 0.3)) / 0.9, 0, 1) * inside * (1 - 0.7 * core_paint)
    area.cover(grains * np.float32(rng.uniform(0.6, 0.85)), (96, 40, 144))


def lymphocyte(canvas: Canvas, x: float, y: float, radius: float) -> None:
    """Small and round: a dense nucleus fills all but a thin sky-blue rim."""
    rng = canvas.rng
    area = canvas.area(x, y, radius * 1.35 + 3)
    fringe = rng.choice([0.0, 0.012, 0.03], p=[0.4, 0.4, 0.2])
    distance = area.distance(outline(rng, radius, 0.05, 0.02 + fringe / 2, fringe))
    distance += np.float32(0.3 + 16 * fringe) * canvas.texture("lace", area)
    _cytoplasm(canvas, area, distance, (104, 86, 160), (172, 158, 200), 0.18, 0.25)
    core = radius * rng.uniform(0.84, 0.91)
    away, turn = (radius - core) * rng.uniform(0.3, 0.9), rng.uniform(0, 2 * np.pi)
    part = (0.0, 0.0, core * 0.97, core * rng.uniform(0.02, 0.14), 0.0, core * 0.92)
    nucleus = lobes(area, _turned([part], turn, away * np.cos(turn), away * np.sin(turn)))
    _nucleus(canvas, area, nucleus, (60, 20, 118), (150, 98, 152), openness=0.15, contrast=0.20, bend=0.5)


def monocyte(canvas: Canvas, x: float, y: float, radius: float) -> None:
    """Large and irregular: folded kidney or horseshoe of lacy chromatin, grey-blue cytoplasm with vacuoles."""
    rng = canvas.rng
    area = canvas.area(x, y, radius * 1.4 + 3)
    distance = area.distance(outline(rng, radius, 0.08, 0.035, 0.01)) + 0.35 * canvas.texture("fold", area)
    _cytoplasm(canvas, area, distance, (136, 114, 160), (190, 172, 190), 0.17, 0.12)
    dust = np.clip(canvas.texture("dust", area) * 1.6 - 0.55, 0, 1)
    area.cover(dust * coverage(distance + 1) * np.float32(0.35), (120, 76, 150))
    turn = rng.uniform(0, 2 * np.pi)
    if rng.random() < 0.5:
        wide = radius * rng.uniform(0.30, 0.34)
        widths = [wide * 1.1, wide * 0.95, wide * 0.88, wide * 0.98, wide * 1.15]
        parts = _arc(rng, radius * 0.46, rng.uniform(3.6, 4.3), widths, 0.06)
        nucleus = lobes(area, _turned(parts, turn), 1.5)
    else:
        wide = radius * rng.uniform(0.41, 0.46)
        parts = _arc(
            rng, radius * 0.38, rng.uniform(2.7, 3.3), [wide * 1.1, wide * 0.86, wide * 0.9, wide * 1.1], 0.07
        )
        nucleus = lobes(
            area, _turned(parts, turn, -0.12 * radius * np.cos(turn), -0.12 * radius * np.sin(turn)), 1.5
        )
    nucleus = np.maximum(nucleus + 0.5, distance + 1.5)
    _nucleus(canvas, area, nucleus, (76, 24, 130), (166, 112, 170), openness=0.28, contrast=0.32, bend=1.1)
    for _ in range(int(rng.integers(3, 10))):
        way, far = rng.uniform(0, 2 * np.pi), radius * np.sqrt(rng.uniform(0.35, 0.85))
        vx, vy, size = far * np.cos(way), far * np.sin(way), rng.uniform(1.1, 2.9)
        bubble = lobes(area, [(vx, vy, size, vx + 0.4, vy, size)])
        bubble = np.maximum(bubble, distance + 1.5)
        area.cover(coverage(bubble, 1.4) * np.clip(nucleus * 0.7 + 0.4, 0.12, 0.85), (240, 218, 212))


def neutrophil(canvas: Canvas, x: float, y: float, radius: float) -> None:
    """Three to five dark lobes on thin threads in a pale pink, finely grained cytoplasm."""
    rng = canvas.rng
    area = canvas.area(x, y, radius * 1.25 + 2)
    distance = area.distance(_membrane(rng, radius))
    inside = _cytoplasm(canvas, area, distance, (202, 154, 170), (230, 194, 191), 0.12, 0.18)
    dots = canvas.texture("dust", area) * 1.6 + 0.15 * canvas.texture("fold", area)
    grains = np.clip((dots - 0.45) / 0.5, 0, 1) * inside
    area.cover(grains * np.float32(rng.uniform(0.15, 0.5)), (168, 92, 152))
    count = int(rng.choice([3, 4, 5], p=[0.45, 0.4, 0.15]))
    size = radius * (0.285, 0.25, 0.225)[count - 3]
    span = rng.uniform(0.78, 0.98) * 2 * np.pi * (count - 1) / count
    turns = np.linspace(-span / 2, span / 2, count) + rng.normal(0, 0.10, count)
    far = radius * 0.50 * (1 + rng.normal(0, 0.10, count))
    parts: list[Part] = []
    for i, (turn, out) in enumerate(zip(turns.tolist(), far.tolist(), strict=True)):
        lx, ly, half = out * np.cos(turn), out * np.sin(turn), size * rng.uniform(0.82, 1.08)
        way, long = turn + np.pi / 2 + rng.normal(0, 0.6), size * rng.uniform(0.15, 0.5)
        dx, dy = long * np.cos(way), long * np.sin(way)
        parts.append((lx - dx, ly - dy, half, lx + dx, ly + dy, half * rng.uniform(0.8, 1.0)))
        if i:
            px, py = far[i - 1] * np.cos(turns[i - 1]), far[i - 1] * np.sin(turns[i - 1])
            thread = rng.uniform(0.7, 1.6)
            parts.append((float(px), float(py), thread, lx, ly, thread))
    nucleus = lobes(area, _turned(parts, rng.uniform(0, 2 * np.pi)), 2.5)
    nucleus = np.maximum(nucleus, distance + 1.5)
    _nucleus(canvas, area, nucleus, (58, 18, 118), (160, 108, 166), openness=0.18, contrast=0.26, bend=0.5)


def platelet(canvas: Canvas, x: float, y: float, radius: float) -> None:
    """One tiny granular fragment, sometimes a clump of up to four."""
    rng = canvas.rng
    count = int(rng.choice([1, 2, 3, 4], p=[0.74, 0.14, 0.07, 0.05]))
    if count == 1:
        canvas.platelet(x, y, radius)
        return
    start = rng.uniform(0, 2 * np.pi)
    for i in range(count):
        turn = start + i * 2 * np.pi / count
        small = radius * rng.uniform(0.6, 0.85)
        canvas.platelet(x + small * 1.15 * np.cos(turn), y + small * 1.15 * np.sin(turn), small)


PAINTERS: tuple[tuple[Callable[[Canvas, float, float, float], None], float, float], ...] = (
    (basophil, 29.0, 2.2),
    (eosinophil, 31.0, 1.9),
    (erythroblast, 20.5, 2.2),
    (immature_granulocyte, 34.5, 2.4),
    (lymphocyte, 24.5, 1.5),
    (monocyte, 33.5, 2.2),
    (neutrophil, 30.5, 1.9),
    (platelet, 9.6, 1.8),
)
"""Painter, mean radius and its standard deviation, in the order of `DEFAULT_CLASSES`."""


def draw_cell(label: int, rng: np.random.Generator, sheets: Textures, slide: Slide) -> np.ndarray:
    """One cell of a class on a smear, (96, 96, 3) uint8."""
    painter, mean, spread = PAINTERS[label]
    canvas = Canvas(rng, sheets)
    x, y = rng.normal(SIZE / 2, 2.2, 2).tolist()
    radius = float(np.clip(rng.normal(mean, spread), mean - 2.2 * spread, mean + 2.2 * spread))
    canvas.red_cells(x, y, radius, rng.uniform(7, 15))
    if rng.random() < 0.3:
        turn, far = rng.uniform(0, 2 * np.pi), radius + rng.uniform(8, 14)
        canvas.platelet(x + far * np.cos(turn), y + far * np.sin(turn), rng.uniform(2.5, 5))
    painter(canvas, x, y, radius)
    return canvas.finished(slide)
