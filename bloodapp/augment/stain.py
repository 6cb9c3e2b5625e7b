"""The two stains of a smear, told apart and changed: azure B (blue) and eosin (pink). NumPy only.

The separation follows M. Macenko et al., "A method for normalizing histology slides for quantitative analysis",
ISBI 2009: absorbance is linear in the amount of each stain, so that all stained pixels lie between two directions
of a plane; the plane is that of the two largest singular values, the directions are robust extremes within it.
It was written for haematoxylin and eosin; cells of the blood are stained after Romanowsky (May-Grünwald-Giemsa).
"""

from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt

from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import judge
from bloodapp.errors import InvalidValue

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Vectors = npt.NDArray[np.float64]

# Mean absorbance of the three channels, natural logarithm: ground lies below GROUND, stain above STAINED
# (Macenko et al. leave out what is below 0.15 in base 10, which is 0.35).
GROUND, STAINED = 0.18, 0.35
PALEST = 0.3  # the palest pixels are ground when they absorb less than this, and else none is to be seen
TOO_DARK = 6  # grey levels: below, a channel does not tell what absorbed the light
PERCENTILE = 1.0  # of the directions, from either end; as published
FEWEST = 200  # stained pixels
NARROWEST = 6.0  # degrees between two stains: less is one stain, or a grey picture
PIXELS = 200_000  # of all, evenly taken; more change no digit that counts
ASTRAY = 20.0  # degrees from the median of all images: farther off is no cell, or no good one

# `estimate` on all 1,712 images of the val part of the real cells (Acevedo et al., Data in Brief 30, 105474, 2020;
# 96 pixels): estimate(np.stack([np.asarray(Image.open(f).convert("RGB")) for f in sorted(glob("val/*/*.jpg"))])).
REFERENCE: Vectors = np.array([[0.7265, 0.6713, 0.1471], [0.3703, 0.9271, 0.0578]])


def optical_density(images: npt.NDArray[Any]) -> Floats:
    """Absorbance of grey levels 0–255, natural logarithm, 0 for white: (…, 3) → float32 (…, 3)."""
    return np.float32(np.log(256)) - np.log(np.asarray(images, np.float32) + 1)


def from_optical_density(density: npt.NDArray[np.floating[Any]]) -> Floats:
    """Grey levels float32 (…, 3), clipped to 0–255, of an absorbance; undoes `optical_density`."""
    return np.clip(256 * np.exp(-np.asarray(density, np.float32)) - 1, 0, 255)


def estimate(images: Pixels, *, percentile: float = PERCENTILE) -> Vectors:
    """The directions of azure B and eosin, unit rows float64 (2, 3), from images uint8 (N, H, W, 3).

    The colour of the ground (lamp, white balance) is taken off; ground and pixels too dark to tell are left out.
    `percentile` is the share of directions that counts as astray at either end, in percent. Azure B, which absorbs
    more red, is the first row. Raises InvalidValue when there is too little stain, or only one colour of it.
    """
    _check(images)
    pixels = images.reshape(-1, 3)
    pixels = pixels[:: max(1, len(pixels) // PIXELS)]
    density = optical_density(pixels[pixels.min(1) >= TOO_DARK]).astype(np.float64)
    density -= _ground(density)
    density = density[density.mean(1) > STAINED]
    if len(density) < FEWEST:
        raise InvalidValue("There is too little stain in these images to tell azure B from eosin.")
    # Centred: both spread the same plane where there are two stains, but on blood, where haemoglobin is a third,
    # the plane through the mean is that of the two stains in every class of cell.
    _, axes = np.linalg.eigh(np.cov(density.T))
    plane = axes[:, :0:-1] * np.where(axes[:, :0:-1].sum(0) < 0, -1, 1)
    along, across = (density @ plane).T
    ends = np.percentile(np.arctan2(across, along), (percentile, 100 - percentile))
    found = np.maximum(np.stack([np.cos(ends), np.sin(ends)], 1) @ plane.T, 1e-6)
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    if angle(found[0], found[1]) < NARROWEST:
        raise InvalidValue("These images have one colour only: azure B and eosin cannot be told apart.")
    return found[np.argsort(-found[:, 0])]


def for_dataset(dataset: Dataset, *, sample: int = 256) -> Vectors:
    """The directions of azure B and eosin in a dataset's included images, unit rows float64 (2, 3).

    From a sample drawn by the dataset's fingerprint. Each image is estimated alone first; those far from the median
    of all, which are mostly no cells, are left out, and the others estimated together. REFERENCE where too few agree.
    """
    rng = np.random.default_rng(int(dataset.fingerprint[:16], 16))
    chosen = np.sort(rng.permutation(np.flatnonzero(judge(dataset).included))[:sample])
    images = np.asarray(dataset.images[chosen])
    alone = np.full((len(images), 2, 3), np.nan)
    for row in range(len(images)):
        with suppress(InvalidValue):
            alone[row] = estimate(images[row : row + 1])
    known = ~np.isnan(alone[:, 0, 0])
    if 2 * known.sum() < max(len(images), 1):
        return REFERENCE.copy()
    middle = np.median(alone[known], axis=0)
    middle /= np.linalg.norm(middle, axis=1, keepdims=True)
    cosines = np.where(known[:, None], np.nan_to_num((alone * middle).sum(2)), -1)
    agreeing = (cosines > np.cos(np.radians(ASTRAY))).all(1)
    with suppress(InvalidValue):
        if 2 * agreeing.sum() >= known.sum():
            return estimate(images[agreeing])
    return REFERENCE.copy()


def concentrations(images: npt.NDArray[Any], vectors: Vectors) -> Floats:
    """How much of either stain each pixel holds, at least 0: grey levels (…, 3) → float32 (…, 2), in absorbance.

    The least squares amounts of the two `vectors` (2, 3); what they do not explain is left over.
    """
    return _amounts(optical_density(images), vectors)


def jitter(images: Pixels, vectors: Vectors, scale: Floats, shift: Floats) -> Floats:
    """The images with more or less of either stain: uint8 (N, H, W, 3) → float32 (N, H, W, 3) in 0–255.

    The amounts of azure B and eosin are multiplied by `scale` (N, 2) and get `shift` (N, 2), in absorbance, added,
    fully on stained pixels and not at all on the ground. What two stains do not explain stays as it is; scale 1
    and shift 0 give the images back. Raises InvalidValue for images of another shape or type.
    """
    _check(images)
    density = optical_density(images)
    amounts = _amounts(density, vectors)
    stained = np.clip((density.mean(-1, keepdims=True) - GROUND) / (STAINED - GROUND), 0, 1)
    by, plus = (np.asarray(each, np.float32)[:, None, None, :] for each in (scale, shift))
    change = stained * (amounts * (by - 1) + plus)
    return from_optical_density(density + change @ vectors.astype(np.float32))


def angle(one: npt.NDArray[np.floating[Any]], other: npt.NDArray[np.floating[Any]]) -> float:
    """Degrees between two unit vectors (3,)."""
    return float(np.degrees(np.arccos(np.clip(one @ other, -1, 1))))


def _amounts(density: Floats, vectors: Vectors) -> Floats:
    return np.maximum(density @ np.linalg.pinv(vectors).astype(np.float32), 0)


def _ground(density: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Absorbance (3,) of the ground: the median of the palest pixels, or 0 where no ground is to be seen."""
    means = density.mean(1)
    palest = np.percentile(means, 5) if len(means) else 1.0
    return np.median(density[means < palest + 0.06], axis=0) if palest < PALEST else np.zeros(3)


def _check(images: Pixels) -> None:
    if images.ndim != 4 or images.shape[-1] != 3 or images.dtype != np.uint8:
        raise InvalidValue(f"Images are uint8 (N, H, W, 3), not {images.dtype} {images.shape}.")
