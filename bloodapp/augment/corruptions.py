"""What another microscope, lamp, stain or camera does to an image. NumPy, SciPy and Pillow only.

`shifted` draws two to four of five changes for each image, so that a clean accuracy can be shown
beside the accuracy on the same images as they might arrive from elsewhere. The strengths follow the
middle severities that MedMNIST-C defines for BloodMNIST (Di Salvo et al., 2024) where it has the change.

`corrupt` makes one of the eleven corruptions that MedMNIST-C defines for BloodMNIST, or one of four of our own
(`extra_corruptions`), at one of five severities:
F. Di Salvo, S. Doerrich, C. Ledig, "MedMNIST-C: Comprehensive benchmark and improved classifier robustness by
simulating realistic image corruptions", 2024. Only its parameters are taken; docs/corruptions.md has both tables.
"""

import io
import zlib
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageEnhance, ImageFilter

from bloodapp.augment.blur import defocused, moved
from bloodapp.augment.deposits import bubbles, granules
from bloodapp.augment.extra_corruptions import EXTRA_CORRUPTIONS
from bloodapp.augment.severities import SEVERITIES, Corruption, Pixels, Values, each
from bloodapp.errors import InvalidValue, NotFound

Change = Callable[[npt.NDArray[np.float32], np.random.Generator], npt.NDArray[np.float32]]

SHIFT_SEED = 20_24
DRAWS = "two to four of noise, blur, brightness, contrast and colour cast on each image, seeded"


def shifted(
    images: Pixels,
    seed: int = SHIFT_SEED,
    *,
    keys: npt.NDArray[np.int64] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Pixels:
    """The same images under the seeded shift: uint8 (N, H, W, 3) → uint8 (N, H, W, 3).

    The draw of an image depends on `seed` and its key alone (its row in the dataset; by default its
    place in `images`), not on what else is in the batch.
    """
    keys = np.arange(len(images)) if keys is None else keys
    out = np.empty_like(images)
    for row, key in enumerate(keys):
        out[row] = _shift_one(images[row], np.random.default_rng([seed, int(key)]))
        if progress and row % 256 == 255:
            progress(row + 1, len(images))
    return out


def _shift_one(image: Pixels, rng: np.random.Generator) -> Pixels:
    names = rng.permutation(len(CHANGES))[: rng.integers(2, 5)]
    pixels = image.astype(np.float32)
    # In the order of the optics: light and stain, then focus, then the camera's noise.
    for place in sorted(names):
        pixels = np.clip(CHANGES[place](pixels, rng), 0, 255)
    return np.round(pixels).astype(np.uint8)


def _either(rng: np.random.Generator, low: float, high: float) -> float:
    """An amount between low and high, with either sign."""
    return float(rng.uniform(low, high) * rng.choice((-1, 1)))


def _colour_cast(pixels: npt.NDArray[np.float32], rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Each channel times its own gain: another stain batch or white balance."""
    return pixels * rng.uniform(0.72, 1.28, 3).astype(np.float32)


def _brightness(pixels: npt.NDArray[np.float32], rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """All pixels times 1 ± 0.15 to 0.4: another lamp or exposure."""
    return pixels * (1 + _either(rng, 0.15, 0.4))


def _contrast(pixels: npt.NDArray[np.float32], rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Distance from the mean grey times 0.5 to 0.8, or 1.25 to 1.6."""
    factor = rng.uniform(0.5, 0.8) if rng.random() < 0.5 else rng.uniform(1.25, 1.6)
    mean = pixels.mean()
    return (pixels - mean) * np.float32(factor) + mean


def _blur(pixels: npt.NDArray[np.float32], rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Gaussian blur of 0.6 to 1.6 pixels on a 96-pixel image, in proportion on others."""
    radius = rng.uniform(0.6, 1.6) * pixels.shape[0] / 96
    blurred = Image.fromarray(np.round(pixels).astype(np.uint8)).filter(ImageFilter.GaussianBlur(radius))
    return np.asarray(blurred, dtype=np.float32)


def _noise(pixels: npt.NDArray[np.float32], rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """White noise of 8 to 24 grey levels."""
    return pixels + rng.standard_normal(pixels.shape, dtype=np.float32) * np.float32(rng.uniform(8, 24))


CHANGES: tuple[Change, ...] = (_colour_cast, _brightness, _contrast, _blur, _noise)


def corrupt(
    images: Pixels, name: str, severity: int, seed: int = 0, *, keys: npt.NDArray[np.int64] | None = None
) -> Pixels:
    """The images under one corruption at severity 0 (as they are) to 5: uint8 (N, H, W, 3) → uint8 (N, H, W, 3).

    The draw of an image depends on `seed`, its key (its row in the dataset; by default its place in `images`) and
    `name` alone; places and directions are the same at every severity. Raises NotFound for an unknown name and
    InvalidValue for a severity, seed, key, shape or type out of bounds.
    """
    if name not in ALL_CORRUPTIONS:
        raise NotFound("corruption", name, ALL_CORRUPTIONS)
    if severity not in range(SEVERITIES + 1):
        raise InvalidValue(f"The severity is a whole number from 0 to {SEVERITIES}, not {severity}.")
    if images.ndim != 4 or images.shape[-1] != 3 or images.dtype != np.uint8:
        raise InvalidValue(f"Images are uint8 (N, H, W, 3), not {images.dtype} {images.shape}.")
    keys = np.arange(len(images)) if keys is None else np.asarray(keys)
    if keys.shape != (len(images),) or seed < 0 or (keys < 0).any():
        raise InvalidValue(f"{len(images)} images need as many keys, and neither a key nor the seed below 0.")
    out = images.copy()
    if severity:
        chosen = ALL_CORRUPTIONS[name]
        values, own = chosen.severities[int(severity) - 1], zlib.crc32(name.encode())
        for row, key in enumerate(keys):
            out[row] = chosen.draw(images[row], values, np.random.default_rng([seed, int(key), own]))
    return out


def _pixelate(image: Pixels, values: Values, rng: np.random.Generator) -> Pixels:
    height, width = image.shape[:2]
    small = (max(1, int(width * values[0])), max(1, int(height * values[0])))
    coarse = Image.fromarray(image).resize(small, Image.Resampling.BOX)
    return np.asarray(coarse.resize((width, height), Image.Resampling.BOX))


def _jpeg(image: Pixels, values: Values, rng: np.random.Generator) -> Pixels:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=int(values[0]))
    return np.asarray(Image.open(buffer))


def _defocus(image: Pixels, values: Values, rng: np.random.Generator) -> Pixels:
    return defocused(image, values[0])


def _motion(image: Pixels, values: Values, rng: np.random.Generator) -> Pixels:
    radius, sigma = values
    return moved(image, radius, sigma, rng)


def _lit(image: Pixels, values: Values, rng: np.random.Generator) -> Pixels:
    return np.asarray(ImageEnhance.Brightness(Image.fromarray(image)).enhance(values[0]))


def _contrasted(image: Pixels, values: Values, rng: np.random.Generator) -> Pixels:
    return np.asarray(ImageEnhance.Contrast(Image.fromarray(image)).enhance(values[0]))


def _saturate(image: Pixels, values: Values, rng: np.random.Generator) -> Pixels:
    # In HSV, saturation is (high - low) / high: raising it stretches each pixel's distance from its brightest channel.
    pixels = image.astype(np.float32)
    high = pixels.max(2, keepdims=True)
    saturation = (high - pixels.min(2, keepdims=True)) / np.maximum(high, 1)
    # A grey pixel has no hue to strengthen: its distance is 0 and it stays grey.
    stretch = np.minimum(saturation + np.float32(values[0]), 1) / np.maximum(saturation, 1e-6)
    return np.round(high - (high - pixels) * stretch).astype(np.uint8)


def _deposited(image: Pixels, values: Values, rng: np.random.Generator) -> Pixels:
    clumps, number, radius = values
    return granules(image, clumps, number, radius, rng)


def _bubbled(image: Pixels, values: Values, rng: np.random.Generator) -> Pixels:
    number, radius = values
    return bubbles(image, number, radius, rng)


_KEPT, _QUALITY = each(0.6, 0.5, 0.4, 0.3, 0.25), each(50, 30, 15, 10, 7)
_UP, _DOWN = each(1.1, 1.2, 1.3, 1.35, 1.4), each(0.9, 0.8, 0.7, 0.6, 0.5)
_MORE, _LESS = each(1.1, 1.15, 1.2, 1.25, 1.3), each(0.9, 0.8, 0.7, 0.6, 0.5)
_VIVID = each(0.05, 0.1, 0.15, 0.17, 0.2)
_MOVED = ((3.0, 3.0), (5.0, 5.0), (10.0, 5.0), (10.0, 7.0), (10.0, 9.0))

_DECLARED = (
    Corruption(
        "pixelate", "Coarse pixels", "A camera of few pixels, or a picture enlarged from a small one.",
        "share of the side's pixels kept", _KEPT, _KEPT, _pixelate,
    ),
    Corruption(
        "jpeg_compression", "JPEG compression", "The picture was saved as a small JPEG file.",
        "JPEG quality", _QUALITY, _QUALITY, _jpeg,
    ),
    Corruption(
        "defocus_blur", "Out of focus", "The slide lies above or below the plane of focus.",
        "radius of the blur in px", each(2, 3, 4, 5, 6),
        ((2, 0.01), (3, 0.1), (4, 0.1), (5, 0.1), (6, 0.1)), _defocus,
        "radius in px, smoothing of the disk in px",
    ),
    Corruption(
        "motion_blur", "Motion", "The stage moved while the camera exposed.",
        "radius and sigma of the trail in px", _MOVED, _MOVED, _motion,
    ),
    Corruption(
        "brightness_up", "Brighter", "The lamp is too bright or the exposure too long.",
        "factor on every pixel", _UP, _UP, _lit,
    ),
    Corruption(
        "brightness_down", "Darker", "The lamp is too dim, the condenser closed or the exposure too short.",
        "factor on every pixel", _DOWN, _DOWN, _lit,
    ),
    Corruption(
        "contrast_up", "More contrast", "The camera's gain is too high, or its software hardens the picture.",
        "factor on the distance from the mean grey", _MORE, _MORE, _contrasted,
    ),
    Corruption(
        "contrast_down", "Less contrast", "Stray light or a dirty lens washes the picture out.",
        "factor on the distance from the mean grey", _LESS, _LESS, _contrasted,
    ),
    Corruption(
        "saturate", "Stronger colours", "The smear is overstained, or the camera strengthens colours.",
        "added to the saturation (HSV)", _VIVID, _VIVID, _saturate,
    ),
    Corruption(
        "stain_deposit", "Stain deposit", "Stain dried on or fell out and lies on the slide as dark granules.",
        "clumps, granules in each, radius of the largest in px",
        ((1, 8, 4), (2, 12, 4.5), (3, 16, 5), (4, 20, 5.5), (5, 24, 6)), each(1, 2, 3, 3, 3), _deposited,
        "most marks, each the drawing of an ink stain",
    ),
    Corruption(
        "bubble", "Air bubble", "Air is caught in the immersion oil or under the cover slip.",
        "bubbles, radius of the largest in px",
        ((1, 20), (2, 30), (3, 41), (4, 53), (6, 66)),
        ((5, 10), (7, 10), (10, 10), (12, 12), (15, 12)), _bubbled,
        "largest radius in px, most bubbles",
    ),
)  # fmt: skip

CORRUPTIONS: dict[str, Corruption] = {corruption.name: corruption for corruption in _DECLARED}
"""The eleven of MedMNIST-C, by name."""

ALL_CORRUPTIONS: dict[str, Corruption] = {**CORRUPTIONS, **EXTRA_CORRUPTIONS}
"""The eleven and then our four."""
