"""What images are measured by: light, contrast, entropy, sharpness; and how alike two of them are."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

# Rec. 601 luma in 1/256: 0.299, 0.587, 0.114.
_LUMA = (77, 150, 29)
# Energy below this, in squared grey levels, is the rounding of 8 bits: nothing to be sharp or blurred.
_FLAT = 0.25
_SMALL = 24


@dataclass(frozen=True)
class Measures:
    """Measures of N images.

    Attributes:
        light: luminance that 1 % of the pixels exceed, 0 to 255: the lit background, whatever the cell.
        upper: luminance that 5 % of the pixels exceed.
        mean: mean luminance.
        contrast: (p99 - p1) / p99 of the luminance, 0 to 1: the same under a darker lamp.
        entropy: Shannon entropy of the 256-bin luminance histogram, in bits, 0 to 8.
        detail: log of the energy that a light blur takes away over what a second takes away.
        lines: log of the energy of second over first differences, along the less sharp axis.
        coarse: the same at half the resolution, where noise and compression count little.
    """

    light: Floats
    upper: Floats
    mean: Floats
    contrast: Floats
    entropy: Floats
    detail: Floats
    lines: Floats
    coarse: Floats

    def __len__(self) -> int:
        """The number of images."""
        return len(self.light)

    def take(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> "Measures":
        """The measures of some of the images."""
        return Measures(**{field.name: getattr(self, field.name)[chosen] for field in fields(self)})


def measure(images: NDArray[np.uint8]) -> Measures:
    """The measures of images uint8 (N, S, S, 3) RGB, S at least 8.

    `detail`, `lines` and `coarse` are NaN where there is nothing to be sharp. `detail` is the re-blur idea of
    F. Crete et al., "The blur effect", Human Vision and Electronic Imaging (2007): blurring a blurred image
    again changes it little. All three compare an image with itself, so they depend little on what it shows.
    """
    luminance = _luminance(images)
    light, upper, low, mean, entropy = _histogram_measures(luminance)
    grey = luminance.astype(np.float32)
    half = _halved(grey)
    return Measures(
        light=light,
        upper=upper,
        mean=mean,
        contrast=((light - low) / np.maximum(light, 1)).astype(np.float32),
        entropy=entropy,
        detail=_detail(grey),
        lines=_lines(grey),
        coarse=_lines(half),
    )


def joined(blocks: list[Measures]) -> Measures:
    """The measures of several blocks of images, one after the other."""
    return Measures(
        **{f.name: np.concatenate([getattr(block, f.name) for block in blocks]) for f in fields(Measures)}
    )


def likeness(images: NDArray[np.uint8]) -> Floats:
    """Thumbnails of images uint8 (N, S, S, 3), whose dot products say how alike two images are.

    Block means of 24x24, less their mean, of unit length: float32 (N, 3·24·24), smaller for images smaller
    than 24 pixels. The product of two is their correlation: 1 = the same but for brightness and contrast. A flat
    image is like nothing: zeros.
    """
    n, side = len(images), images.shape[1]
    edges = np.linspace(0, side, min(_SMALL, side), endpoint=False).astype(int)
    widths = np.diff(np.append(edges, side)).astype(np.float32)
    sums = np.add.reduceat(
        np.add.reduceat(images, edges, axis=1, dtype=np.uint16), edges, axis=2, dtype=np.uint32
    )
    small = sums / (widths[:, None, None] * widths[None, :, None])
    flat = small.reshape(n, 3 * len(edges) ** 2).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    length = np.sqrt(np.einsum("ij,ij->i", flat, flat))
    flat /= np.where(length > np.sqrt(_FLAT * flat.shape[1]), length, np.inf)[:, None]
    return flat


def _luminance(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    total = images[..., 0] * np.uint16(_LUMA[0])
    total += images[..., 1] * np.uint16(_LUMA[1])
    total += images[..., 2] * np.uint16(_LUMA[2])
    return (total >> 8).astype(np.uint8)


def _histogram_measures(luminance: NDArray[np.uint8]) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """(p99, p95, p1, mean, entropy) from the histograms of luminance (N, S, S)."""
    n, pixels = len(luminance), luminance[0].size
    counts = np.stack([np.bincount(image.ravel(), minlength=256) for image in luminance])
    below = np.cumsum(counts, axis=1)
    p99, p95, p1 = ((below < share * pixels).sum(axis=1).astype(np.float32) for share in (0.99, 0.95, 0.01))
    shares = counts / pixels
    mean = (shares @ np.arange(256)).astype(np.float32)
    entropy = -(shares * np.log2(np.maximum(shares, 1e-12))).sum(axis=1)
    return p99, p95, p1, mean.reshape(n), np.maximum(entropy, 0).astype(np.float32)


def _energy(values: Floats) -> Floats:
    """Mean square over the last two axes."""
    flat = values.reshape(len(values), -1)
    return np.einsum("ij,ij->i", flat, flat) / np.float32(flat.shape[1])


def _log_ratio(fine: Floats, coarse: Floats) -> Floats:
    ratio = np.log(np.maximum(fine, 1e-3) / np.maximum(coarse, 1e-3))
    return np.where(coarse < _FLAT, np.float32(np.nan), ratio).astype(np.float32)


def _smoothed(grey: Floats) -> Floats:
    """Binomial 1-2-1 smoothing along both axes; two pixels smaller."""
    rows = grey[:, :, :-2] + grey[:, :, 2:]
    rows += 2 * grey[:, :, 1:-1]
    both = rows[:, :-2] + rows[:, 2:]
    both += 2 * rows[:, 1:-1]
    both *= np.float32(1 / 16)
    return both


def _detail(grey: Floats) -> Floats:
    once = _smoothed(grey)
    twice = _smoothed(once)
    return _log_ratio(_energy(grey[:, 1:-1, 1:-1] - once), _energy(once[:, 1:-1, 1:-1] - twice))


def _lines(grey: Floats) -> Floats:
    along = _log_ratio(
        _energy(grey[:, :, :-2] + grey[:, :, 2:] - 2 * grey[:, :, 1:-1]),
        _energy(grey[:, :, 2:] - grey[:, :, :-2]),
    )
    across = _log_ratio(
        _energy(grey[:, :-2] + grey[:, 2:] - 2 * grey[:, 1:-1]), _energy(grey[:, 2:] - grey[:, :-2])
    )
    return np.fmin(along, across)


def _halved(grey: Floats) -> Floats:
    side = grey.shape[1] // 2 * 2
    grey = grey[:, :side, :side]
    rows = grey[:, ::2] + grey[:, 1::2]
    return (rows[:, :, ::2] + rows[:, :, 1::2]) * np.float32(0.25)
