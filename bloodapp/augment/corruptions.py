"""The realistic shift: what another microscope, lamp, stain or camera does to an image. NumPy and Pillow only.

`shifted` draws two or three of five changes for each image, so that a clean accuracy can be shown
beside the accuracy on the same images as they might arrive from elsewhere. The strengths follow the
middle severities that MedMNIST-C defines for BloodMNIST (Di Salvo et al., 2024) where it has the change.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

Pixels = npt.NDArray[np.uint8]
Change = Callable[[npt.NDArray[np.float32], np.random.Generator], npt.NDArray[np.float32]]

SHIFT_SEED = 20_24
DRAWS = "two or three of noise, blur, brightness, contrast and colour cast on each image, seeded"


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
    names = rng.permutation(len(CHANGES))[: rng.integers(2, 4)]
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
