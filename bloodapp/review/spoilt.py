"""Pictures spoilt on purpose, from which the deep detectors learn what a fault looks like in this dataset.

Nobody labels faults, but they can be made: from a few hundred of the dataset's own pictures come blends, blurred,
dark and bright ones, and pictures of no cell at all, each fault in several
ways. A classifier that tells them from the rest finds the real
ones (learning from made anomalies: C.-L. Li et al., "CutPaste", CVPR 2021; D. Hendrycks et al., "Deep Anomaly
Detection with Outlier Exposure", ICLR 2019).

These are not the faults that `faults` plants: a detector that learned from the planted ones would be judged on
its own lesson. So the two are written apart on purpose, and share no code.
"""

import io
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter, zoom
from scipy.signal import fftconvolve

Image8 = NDArray[np.uint8]
Values = NDArray[np.floating]
Random = np.random.Generator

FOREIGN = "foreign"
"""The kind of the pictures that show no cell; all other kinds are spoilt cells."""


def spoilt(way: str, images: Image8, count: int, rng: Random) -> Image8:
    """`count` pictures uint8 (count, S, S, 3) spoilt in one of `WAYS`, from images uint8 (N, S, S, 3), N at least 2."""
    make = WAYS[way][1]
    made = np.empty((count, *images.shape[1:]), np.uint8)
    for place in range(count):
        one, other = rng.choice(len(images), 2, replace=False)
        values = make(images[one].astype(np.float32), images[other].astype(np.float32), rng)
        picture = np.clip(np.round(values), 0, 255).astype(np.uint8)
        made[place] = _saved(picture, rng) if rng.random() < 0.4 else picture
    return made


def _saved(picture: Image8, rng: Random) -> Image8:
    """Saved as JPEG once more: what is lost there is no fault of its own and must not look like one."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=int(rng.integers(55, 96)))
    return np.asarray(Image.open(buffer))


def _blended(one: Values, other: Values, rng: Random) -> Values:
    share = rng.uniform(0.35, 0.65)
    return share * one + (1 - share) * other


def _out_of_focus(one: Values, other: Values, rng: Random) -> Values:
    """By a Gaussian; sometimes with the noise of a camera over it."""
    del other
    soft = gaussian_filter(one, (one.shape[0] / 96 * rng.uniform(1.3, 3.2),) * 2 + (0,))
    return soft + rng.normal(0, 1.5, soft.shape) if rng.random() < 0.3 else soft


def _moved(one: Values, other: Values, rng: Random) -> Values:
    """Along a line, in any direction."""
    del other
    length, angle = one.shape[0] / 96 * rng.uniform(4, 13), rng.uniform(0, np.pi)
    reach = int(np.ceil(length / 2)) + 1
    line = np.zeros((2 * reach + 1, 2 * reach + 1))
    for step in np.linspace(-length / 2, length / 2, 8 * reach):
        y, x = reach + step * np.sin(angle), reach + step * np.cos(angle)
        top, left = int(y), int(x)
        for row, column in ((top, left), (top, left + 1), (top + 1, left), (top + 1, left + 1)):
            line[row, column] += max(0, 1 - abs(y - row)) * max(0, 1 - abs(x - column))
    wide = np.pad(one, ((reach, reach), (reach, reach), (0, 0)), mode="reflect")
    return fftconvolve(wide, (line / line.sum())[:, :, None], mode="valid", axes=(0, 1))


def _less_light(one: Values, other: Values, rng: Random) -> Values:
    """All values times less than one, or less by a constant."""
    del other
    if rng.random() < 0.7:
        return one * rng.uniform(0.08, 0.68)
    return one - rng.uniform(50, 150)


def _steep_curve(one: Values, other: Values, rng: Random) -> Values:
    del other
    return 255 * (one / 255) ** rng.uniform(1.7, 4)


def _more_light(one: Values, other: Values, rng: Random) -> Values:
    """All values times more than one, or more by a constant, or both."""
    del other
    if rng.random() < 0.7:
        return one * rng.uniform(1.2, 2.2) + rng.uniform(0, 60)
    return one * rng.choice((1, 2.5)) + rng.uniform(60, 180)


def _shallow_curve(one: Values, other: Values, rng: Random) -> Values:
    """Lifted shadows, or white laid over all."""
    del other
    if rng.random() < 0.5:
        return 255 * (one / 255) ** rng.uniform(0.25, 0.6)
    veil = rng.uniform(0.35, 0.95)
    return one * (1 - veil) + 255 * veil


def _clouds(one: Values, other: Values, rng: Random) -> Values:
    """Noise whose amplitude falls with frequency as in natural images (D. J. Field, JOSA A 4, 1987)."""
    del other
    side = one.shape[0]
    across = np.fft.fftfreq(side)
    frequency = np.maximum(np.hypot(across[:, None], across[None]), 1 / side)
    fall = frequency ** -rng.uniform(0, 2)
    fields = [np.fft.ifft2(np.fft.fft2(rng.normal(size=(side, side))) * fall).real for _ in range(3)]
    mixed = np.stack(fields, axis=-1) @ rng.normal(size=(3, 3))
    mixed = (mixed - mixed.mean((0, 1))) / np.maximum(mixed.std((0, 1)), 1e-6)
    return rng.uniform(30, 230, 3) + mixed * rng.uniform(15, 70, 3)


def _patches(one: Values, other: Values, rng: Random) -> Values:
    """Discs and boxes of flat colour on a flat ground."""
    del other
    side = one.shape[0]
    rows, columns = np.mgrid[:side, :side] / side
    picture = np.broadcast_to(rng.uniform(0, 255, 3), (side, side, 3)).copy()
    for _ in range(rng.integers(1, 12)):
        y, x, height, width = *rng.uniform(0, 1, 2), *rng.uniform(0.03, 0.5, 2)
        inside = (
            ((rows - y) / height) ** 2 + ((columns - x) / width) ** 2 < 1
            if rng.random() < 0.5
            else (np.abs(rows - y) < height) & (np.abs(columns - x) < width)
        )
        picture[inside] = rng.uniform(0, 255, 3)
    if rng.random() < 0.5:
        picture = gaussian_filter(picture, (rng.uniform(0.5, 2),) * 2 + (0,))
    return picture + rng.normal(0, rng.uniform(0, 8), picture.shape)


def _stripes(one: Values, other: Values, rng: Random) -> Values:
    """A wave or a ramp between two colours, as of tables, fences, gradients and print."""
    del other
    side = one.shape[0]
    rows, columns = np.mgrid[:side, :side] / side
    angle, waves = rng.uniform(0, np.pi), rng.uniform(0.1, 20)
    phase = waves * (rows * np.sin(angle) + columns * np.cos(angle)) + rng.uniform()
    level = phase % 1 if rng.random() < 0.5 else (phase % 1 > 0.5).astype(float)
    first, second = rng.uniform(0, 255, (2, 3))
    return first + level[..., None] * (second - first) + rng.normal(0, rng.uniform(0, 25), (side, side, 3))


def _in_its_colours(one: Values, other: Values, rng: Random) -> Values:
    """Clouds, patches or stripes in the colours of a real picture, pixel for pixel: only the forms are wrong."""
    draw = (_clouds, _patches, _stripes)[rng.integers(3)]
    drawn = np.asarray(draw(one, other, rng)).sum(axis=2).ravel()
    order = np.argsort(drawn + rng.normal(0, 1e-3, drawn.shape))
    colours = one.reshape(-1, 3)
    picture = np.empty_like(colours)
    picture[order] = colours[np.argsort(colours.sum(axis=1))]
    return gaussian_filter(picture.reshape(one.shape), (rng.uniform(0, 1.2),) * 2 + (0,))


def _enlarged(one: Values, other: Values, rng: Random) -> Values:
    """A piece of a picture, enlarged, in foreign colours: the textures are familiar, the sight is not."""
    del other
    side = one.shape[0]
    size = side // int(rng.integers(2, 5))
    y, x = rng.integers(0, side - size, 2)
    piece = zoom(one[y : y + size, x : x + size], (side / size, side / size, 1), order=1)[:side, :side]
    mixed = piece @ rng.dirichlet((0.6, 0.6, 0.6), 3).T
    return mixed if rng.random() < 0.5 else 255 - mixed


WAYS: dict[str, tuple[str, Callable[[Values, Values, Random], Values]]] = {
    "blended": ("blend", _blended),
    "out of focus": ("blurred", _out_of_focus),
    "moved": ("blurred", _moved),
    "less light": ("dark", _less_light),
    "steep curve": ("dark", _steep_curve),
    "more light": ("bright", _more_light),
    "shallow curve": ("bright", _shallow_curve),
    "clouds": (FOREIGN, _clouds),
    "patches": (FOREIGN, _patches),
    "stripes": (FOREIGN, _stripes),
    "in its colours": (FOREIGN, _in_its_colours),
    "enlarged": (FOREIGN, _enlarged),
}
"""The kind of fault that each way of spoiling makes, and how."""
