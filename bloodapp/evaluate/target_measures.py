"""What an image looks like in numbers: light, focus, noise, colour, stain. From pixels, NumPy only.

Each measure answers one question that somebody at a microscope asks. All but the brightness are taken relative to the
lit background of the image itself, so that a darker lamp alone moves the brightness alone.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bloodapp.augment.stain import STAINED, optical_density
from bloodapp.errors import Stopped

Pixels = npt.NDArray[np.uint8]
Planes = npt.NDArray[np.uint8]
"""The channels of N images apart, (3, N, P) of P pixels."""
Floats = npt.NDArray[np.float32]
Table = npt.NDArray[np.float64]

BLOCK = 64
HUE, LIGHT = "hue", "brightness"
# Rec. 601 luma.
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_DENSITY = optical_density(np.arange(256))
# Energy below this, in squared grey levels, is the rounding of 8 bits: nothing to be sharp or blurred.
_FLAT = 0.25
_WHITE = np.float32(240)
_FEWEST = 20  # stained pixels: fewer do not tell how strong a dye is
_GREYEST = 0.004  # mean chroma, as a share of the range, below which an image has no hue


@dataclass(frozen=True)
class Measure:
    """One thing that images are compared by.

    Attributes:
        key: its name.
        title: as read.
        unit: of its numbers; empty for none.
        help: what it is, in a sentence.
        less: what images are that have less of it.
        more: what images are that have more of it.
        least: the least spread of the training images that counts, in its unit: less is no difference that one sees.
        fewer: the step of a pipeline that makes training images so that have less of it; empty where it depends on
            how much less.
        further: the same for more.
    """

    key: str
    title: str
    unit: str
    help: str
    less: str
    more: str
    least: float
    fewer: str
    further: str


_DECLARED = (
    Measure(
        LIGHT, "Brightness", "grey levels", "Mean luminance of the image, 0 to 255.",
        "darker", "brighter", 4, "", "",
    ),
    Measure(
        "contrast", "Contrast", "%", "From the darkest to the lightest 1 % of the pixels, as a share of the lightest.",
        "flatter", "harder", 4, "contrast(0.4)", "contrast(0.4)",
    ),
    Measure(
        "sharpness", "Sharpness", "", "What a light blur takes away over what a second takes away, as a logarithm.",
        "softer", "sharper", 0.08, "blur(1.5)", "sharpness(0.8)",
    ),
    Measure(
        "noise", "Noise", "%", "Deviation of fine grain, as a share of the light of the background.",
        "smoother", "noisier", 0.2, "blur(0.8)", "noise(15)",
    ),
    Measure(
        "saturation", "Saturation", "%", "Mean saturation (HSV).",
        "paler", "more colourful", 2, "saturation(0.4)", "saturation(0.4)",
    ),
    Measure(
        HUE, "Hue", "°", "Mean hue, by how colourful each pixel is, from that of the training images.",
        "bluer", "redder", 3, "hue(0.05)", "hue(0.05)",
    ),
    Measure(
        "azure", "Azure B", "absorbance", "Mean amount of the blue dye where there is stain.",
        "weaker in the blue dye", "stronger in the blue dye", 0.05, "stain(0.3)", "stain(0.3)",
    ),
    Measure(
        "eosin", "Eosin", "absorbance", "Mean amount of the pink dye where there is stain.",
        "weaker in the pink dye", "stronger in the pink dye", 0.05, "stain(0.3)", "stain(0.3)",
    ),
    Measure(
        "red", "Light, red to green", "", "Red over green of the lit background, as a logarithm.",
        "greener in the background", "redder in the background", 0.03, "channelshift(0.1)", "channelshift(0.1)",
    ),
    Measure(
        "blue", "Light, blue to green", "", "Blue over green of the lit background, as a logarithm.",
        "yellower in the background", "bluer in the background", 0.03, "channelshift(0.1)", "channelshift(0.1)",
    ),
    Measure(
        "area", "Stained area", "%", "Share of the image that is stained: the size of the cell in the cut.",
        "smaller cells or a wider cut", "larger cells or a tighter cut", 3, "zoom(0.3)", "zoom(0.3)",
    ),
)  # fmt: skip

MEASURES: dict[str, Measure] = {measure.key: measure for measure in _DECLARED}
"""By their key, in the order of the columns of `measure`."""

FEATURES = Measure(
    "features",
    "What the network sees",
    "",
    "Distance to the ten nearest training images in what the layers of the network say of them.",
    "nearer to the training images",
    "farther from the training images",
    0.05,
    "",
    "",
)
"""What the network itself makes of an image, as one more measure; no pixels tell it."""


def measure(images: Pixels, vectors: Table, stopped: Callable[[], bool] | None = None) -> Table:
    """Images uint8 (N, S, S, 3) in numbers, float64 (N, M): a column for each of MEASURES, in their order.

    `vectors` are the stain vectors float64 (2, 3) that the dyes are told apart by. The hue is in degrees, 0 to 360;
    see `centred`. NaN where an image has nothing of what is asked: no stain, no colour, no detail. The sharpness is the
    re-blur idea of F. Crete et al., "The blur effect" (2007), the noise that of J. Immerkær, "Fast noise variance
    estimation" (1996). Raises Stopped when asked to.
    """
    blocks = []
    for start in range(0, len(images), BLOCK):
        if stopped and stopped():
            raise Stopped("Stopped.")
        blocks.append(_measure(images[start : start + BLOCK], vectors))
    return np.concatenate([np.zeros((0, len(MEASURES))), *blocks])


def relit(images: Pixels) -> Pixels:
    """Images uint8 (N, S, S, 3) with the lit background of each at the same near-white: what is left is the stain."""
    ground = _ground(np.moveaxis(images.reshape(len(images), -1, 3), 2, 0)).astype(np.float32)
    return np.clip(images * (_WHITE / ground)[:, None, None, :], 0, 255).astype(np.uint8)


def mean_hue(table: Table) -> float:
    """The circular mean of the hue in a table of `measure`, in degrees; 0 where no image has one."""
    hue = np.radians(table[:, list(MEASURES).index(HUE)])
    return float(np.degrees(np.arctan2(np.nansum(np.sin(hue)), np.nansum(np.cos(hue)))))


def centred(table: Table, hue: float) -> Table:
    """The table with its hue as degrees from this one, -180 to 180: a circle has no other way to be ordered."""
    place, moved = list(MEASURES).index(HUE), table.copy()
    moved[:, place] = (table[:, place] - hue + 180) % 360 - 180
    return moved


def _measure(images: Pixels, vectors: Table) -> Table:
    n = len(images)
    # Channel by channel, each in one piece: NumPy is several times slower along an axis of three.
    planes: Planes = np.ascontiguousarray(np.moveaxis(images.reshape(n, -1, 3), 2, 0))
    grey = images @ _LUMA
    count = grey[0].size
    low, high = int(0.01 * count), int(0.99 * count)
    ranked = np.partition(grey.reshape(n, -1), (low, high), axis=1)
    dark, light = ranked[:, low], np.maximum(ranked[:, high], 1)
    ground = _ground(planes)
    azure, eosin, area = _stain(planes, ground, vectors)
    saturation, hue = _colour(planes)
    columns = (
        grey.mean((1, 2)),
        100 * (light - dark) / light,
        _sharpness(grey),
        100 * _grain(grey) / light,
        saturation,
        hue,
        azure,
        eosin,
        np.log(ground[:, 0] / ground[:, 1]),
        np.log(ground[:, 2] / ground[:, 1]),
        area,
    )
    return np.stack([np.asarray(column, np.float64) for column in columns], 1)


def _ground(planes: Planes) -> Pixels:
    """The colour of the lit background (N, 3): in each channel what 5 % of the pixels (3, N, P) exceed."""
    lit = int(0.95 * planes.shape[2])
    ground: Pixels = np.maximum(np.partition(planes, lit, axis=2)[:, :, lit].T, 1)
    return ground


def _stain(planes: Planes, ground: Pixels, vectors: Table) -> tuple[Floats, Floats, Floats]:
    """Mean amounts of both dyes on stained pixels, above the ground's own absorbance; and the stained share in %."""
    density = [_DENSITY[plane] - _DENSITY[ground[:, place], None] for place, plane in enumerate(planes)]
    stained = (density[0] + density[1] + density[2]) / 3 > STAINED
    number = stained.sum(1)
    there = stained.astype(np.float32)
    total = np.stack([np.einsum("np,np->n", there, one) for one in density], 1)
    mean = total / np.maximum(number, 1)[:, None]
    amounts = np.maximum(mean @ np.linalg.pinv(vectors), 0)
    amounts[number < _FEWEST] = np.nan
    return amounts[:, 0], amounts[:, 1], 100 * number / planes.shape[2]


def _colour(planes: Planes) -> tuple[Floats, Floats]:
    """Mean saturation in %, and the direction of the mean colour on the wheel in degrees."""
    red, green, blue = planes
    high = np.maximum(np.maximum(red, green), blue)
    spread = (high - np.minimum(np.minimum(red, green), blue)).astype(np.float32)
    saturation = 100 * (spread / np.maximum(high, 1)).mean(1)
    red, green, blue = (plane.mean(1, dtype=np.float32) for plane in planes)
    along, across = red - (green + blue) / 2, np.sqrt(np.float32(0.75)) * (green - blue)
    hue = np.degrees(np.arctan2(across, along)) % 360
    return saturation, np.where(np.hypot(along, across) < 255 * _GREYEST, np.float32(np.nan), hue)


def _smoothed(grey: Floats) -> Floats:
    """Binomial 1-2-1 smoothing along both axes; two pixels smaller."""
    rows = grey[:, :, :-2] + 2 * grey[:, :, 1:-1] + grey[:, :, 2:]
    return (rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]) * np.float32(1 / 16)


def _energy(values: Floats) -> Floats:
    flat = values.reshape(len(values), -1)
    return np.einsum("ij,ij->i", flat, flat) / np.float32(flat.shape[1])


def _sharpness(grey: Floats) -> Floats:
    once = _smoothed(grey)
    twice = _smoothed(once)
    fine = _energy(grey[:, 1:-1, 1:-1] - once)
    coarse = _energy(once[:, 1:-1, 1:-1] - twice)
    ratio = np.log(np.maximum(fine, 1e-3) / np.maximum(coarse, 1e-3))
    return np.where(coarse < _FLAT, np.float32(np.nan), ratio)


def _grain(grey: Floats) -> Floats:
    """Standard deviation of the noise in grey levels: what is left of a surface when its slopes and bends are off."""
    rows = grey[:, :, :-2] - 2 * grey[:, :, 1:-1] + grey[:, :, 2:]
    left = np.abs(rows[:, :-2] - 2 * rows[:, 1:-1] + rows[:, 2:])
    return np.sqrt(np.float32(np.pi / 2)) / 6 * left.mean((1, 2))
