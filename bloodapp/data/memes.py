"""Two cartoons that stand for the pictures which have no business among cells."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

_FINE = 4


def _reduced(picture: Image.Image, size: int) -> NDArray[np.uint8]:
    return np.asarray(picture.resize((size, size), Image.Resampling.LANCZOS))


def duck(size: int = 96) -> NDArray[np.uint8]:
    """A duck with sunglasses before a setting sun, (size, size, 3) uint8."""
    k = _FINE * size / 96
    picture = Image.new("RGB", (_FINE * size, _FINE * size), (24, 152, 150))
    draw = ImageDraw.Draw(picture)

    def box(*sides: float) -> list[float]:
        return [k * side for side in sides]

    for ray in range(0, 360, 30):
        draw.pieslice(box(-52, -40, 148, 160), ray, ray + 15, fill=(34, 176, 168))
    draw.ellipse(box(56, 6, 90, 40), fill=(255, 140, 92))
    draw.rectangle(box(0, 74, 96, 96), fill=(20, 92, 138))
    for wave in range(-6, 96, 16):
        draw.arc(box(wave, 72, wave + 16, 80), 180, 360, fill=(150, 214, 226), width=int(2 * k))
    draw.ellipse(box(14, 48, 74, 90), fill=(250, 206, 46))
    draw.polygon(box(66, 58, 88, 46, 72, 72), fill=(250, 206, 46))
    draw.ellipse(box(12, 16, 54, 58), fill=(252, 214, 62))
    draw.ellipse(box(36, 56, 66, 78), fill=(236, 178, 34))
    draw.polygon(box(18, 38, 0, 44, 4, 50, 24, 48), fill=(238, 112, 30))
    draw.line(box(3, 46, 22, 44), fill=(150, 62, 16), width=int(1.4 * k))
    draw.rounded_rectangle(box(13, 27, 29, 39), radius=4 * k, fill=(22, 22, 30))
    draw.rounded_rectangle(box(32, 27, 48, 39), radius=4 * k, fill=(22, 22, 30))
    draw.line(box(13, 29, 54, 29), fill=(22, 22, 30), width=int(2.4 * k))
    draw.line(box(17, 36, 22, 29), fill=(150, 160, 190), width=int(1.6 * k))
    draw.line(box(36, 36, 41, 29), fill=(150, 160, 190), width=int(1.6 * k))
    return _reduced(picture, size)


def space_cat(size: int = 96) -> NDArray[np.uint8]:
    """A grey cat in a space helmet among stars, (size, size, 3) uint8."""
    k = _FINE * size / 96
    picture = Image.new("RGB", (_FINE * size, _FINE * size), (22, 20, 58))
    draw = ImageDraw.Draw(picture)

    def box(*sides: float) -> list[float]:
        return [k * side for side in sides]

    stars = (
        (8, 10, 1.2),
        (20, 30, 0.8),
        (86, 14, 1.4),
        (78, 34, 0.8),
        (6, 56, 1.0),
        (90, 60, 1.0),
        (44, 5, 0.9),
    )
    for x, y, r in stars:
        draw.ellipse(box(x - r, y - r, x + r, y + r), fill=(250, 244, 210))
    draw.ellipse(box(68, 2, 82, 16), fill=(196, 120, 210))
    draw.arc(box(62, 6, 88, 13), 0, 360, fill=(240, 200, 120), width=int(1.4 * k))
    draw.rounded_rectangle(box(20, 74, 76, 110), radius=12 * k, fill=(236, 236, 240))
    draw.rectangle(box(42, 82, 54, 90), fill=(224, 60, 60))
    draw.ellipse(box(14, 18, 82, 84), fill=(226, 232, 240))
    draw.ellipse(box(19, 23, 77, 79), fill=(96, 134, 176))
    for ear in ((28, 48, 29, 26, 46, 38), (68, 48, 67, 26, 50, 38)):
        draw.polygon(box(*ear), fill=(124, 124, 132))
    draw.ellipse(box(26, 34, 70, 76), fill=(140, 140, 148))
    draw.ellipse(box(38, 56, 58, 72), fill=(214, 210, 208))
    for x in (33, 53):
        draw.ellipse(box(x, 44, x + 11, 56), fill=(190, 224, 92))
        draw.ellipse(box(x + 4, 44, x + 7, 56), fill=(16, 18, 20))
    draw.polygon(box(45, 58, 51, 58, 48, 62), fill=(222, 110, 126))
    draw.arc(box(41, 58, 48, 67), 20, 160, fill=(60, 50, 56), width=int(1.2 * k))
    draw.arc(box(48, 58, 55, 67), 20, 160, fill=(60, 50, 56), width=int(1.2 * k))
    for y in (60, 64):
        draw.line(box(24, y - 1, 38, y), fill=(240, 240, 240), width=int(0.9 * k))
        draw.line(box(58, y, 72, y - 1), fill=(240, 240, 240), width=int(0.9 * k))
    draw.arc(box(25, 29, 71, 75), 200, 250, fill=(214, 230, 246), width=int(2.6 * k))
    return _reduced(picture, size)
