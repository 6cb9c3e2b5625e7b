"""What images are measured by: light, contrast, entropy, sharpness, colour; and how alike two of them are."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

# Rec. 601 luma in 1/256: 0.299, 0.587, 0.114.
_LUMA = (77, 150, 29)
# Energy below this, in squared grey levels, is the rounding of 8 bits: nothing to be sharp or blurred.
_FLAT = 0.25
_SMALL = 24
# Steps that differ by less are compression and noise.
_NOISE = 3


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
        slant: like `lines`, along the less sharp diagonal.
        seam: the share, 0 to 1, of a straight line from edge to edge at which the picture changes more than at
            either side, for the line with most: pictures that were put together have one.
        red: log of red over green in the brightest quarter of the picture: the colour of the lit background.
        blue: log of blue over green there.
        chroma: difference of the largest and the smallest channel that 1 % of the picture exceeds, 0 to 255.
    """

    light: Floats
    upper: Floats
    mean: Floats
    contrast: Floats
    entropy: Floats
    detail: Floats
    lines: Floats
    coarse: Floats
    slant: Floats
    seam: Floats
    red: Floats
    blue: Floats
    chroma: Floats

    def __len__(self) -> int:
        """The number of images."""
        return len(self.light)

    def take(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> "Measures":
        """The measures of some of the images."""
        return Measures(**{field.name: getattr(self, field.name)[chosen] for field in fields(self)})


def measure(images: NDArray[np.uint8], small: NDArray[np.uint8] | None = None) -> Measures:
    """The measures of images uint8 (N, S, S, 3) RGB, S at least 8; `small` are their `thumbnails`, if made already.

    `detail`, `lines` and `coarse` are NaN where there is nothing to be sharp. `detail` is the re-blur idea of
    F. Crete et al., "The blur effect", Human Vision and Electronic Imaging (2007): blurring a blurred image
    again changes it little. All three compare an image with itself, so they depend little on what it shows.
    """
    luminance = _luminance(images)
    light, upper, low, mean, entropy = _histogram_measures(luminance)
    grey = luminance.astype(np.float32)
    half = _halved(grey)
    red, blue, chroma = _colours(thumbnails(images) if small is None else small)
    return Measures(
        light=light,
        upper=upper,
        mean=mean,
        contrast=((light - low) / np.maximum(light, 1)).astype(np.float32),
        entropy=entropy,
        detail=_detail(grey),
        lines=_lines(grey),
        coarse=_lines(half),
        slant=_slant(grey),
        seam=_seam(luminance),
        red=red,
        blue=blue,
        chroma=chroma,
    )


def joined(blocks: list[Measures]) -> Measures:
    """The measures of several blocks of images, one after the other."""
    return Measures(
        **{f.name: np.concatenate([getattr(block, f.name) for block in blocks]) for f in fields(Measures)}
    )


def thumbnails(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Block means of images uint8 (N, S, S, 3): uint8 (N, 24, 24, 3), or as they are when smaller than that.

    Of a side that 24 does not divide, the last few rows and columns are left out.
    """
    step = max(images.shape[1] // _SMALL, 1)
    count = min(images.shape[1] // step, _SMALL)
    used = images[:, : count * step, : count * step]
    rows = np.zeros((len(images), count, count * step, 3), np.uint16)
    total = np.zeros((len(images), count, count, 3), np.uint32)
    for k in range(step):
        rows += used[:, k::step]
    for k in range(step):
        total += rows[:, :, k::step]
    return ((total + step * step // 2) // (step * step)).astype(np.uint8)


def likeness(small: NDArray[np.uint8]) -> Floats:
    """Thumbnails (N, T, T, 3) as vectors float32 (N, 3·T·T), whose dot products say how alike two images are.

    Less their mean and of unit length: the product of two is their correlation, 1 = the same but for brightness
    and contrast. A flat image is like nothing: zeros.
    """
    flat = small.reshape(len(small), -1).astype(np.float32)
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
    return np.fmin(
        _second_over_first(grey[:, :, 1:] - grey[:, :, :-1], (0, 1)),
        _second_over_first(grey[:, 1:] - grey[:, :-1], (1, 0)),
    )


def _slant(grey: Floats) -> Floats:
    return np.fmin(
        _second_over_first(grey[:, 1:, 1:] - grey[:, :-1, :-1], (1, 1)),
        _second_over_first(grey[:, 1:, :-1] - grey[:, :-1, 1:], (1, -1)),
    )


def _seam(luminance: NDArray[np.uint8]) -> Floats:
    """For steps across columns and across rows the largest share of steps above those at the four lines beside."""
    levels = luminance.astype(np.int16)
    found = []
    for steps in (
        np.abs(levels[:, :, 1:] - levels[:, :, :-1]),
        np.abs(levels[:, 1:] - levels[:, :-1]).transpose(0, 2, 1),
    ):
        count = steps.shape[2]
        beside = [steps[:, :, 2 + by : count - 2 + by] for by in (-2, -1, 1, 2)]
        sharper = steps[:, :, 2:-2] > np.maximum.reduce(beside) + _NOISE
        found.append(sharper.mean(axis=1)[:, 1:-1].max(axis=1))
    return np.maximum(*found).astype(np.float32)


def _second_over_first(step: Floats, towards: tuple[int, int]) -> Floats:
    """Log energy of second differences over that of differences two steps apart, from the differences of one step.

    With a and b two steps in a row the second difference is b - a and the wide one b + a, so both energies
    come from the same three sums.
    """
    down, right = towards
    one, two = step[:, : step.shape[1] - down], step[:, down:]
    if right > 0:
        one, two = one[:, :, :-right], two[:, :, right:]
    elif right < 0:
        one, two = one[:, :, -right:], two[:, :, :right]
    count = np.float32(one.shape[1] * one.shape[2])
    squares = np.einsum("ijk,ijk->i", one, one) + np.einsum("ijk,ijk->i", two, two)
    crossed = 2 * np.einsum("ijk,ijk->i", one, two)
    return _log_ratio((squares - crossed) / count, (squares + crossed) / count)


def _colours(small: NDArray[np.uint8]) -> tuple[Floats, Floats, Floats]:
    """(red, blue, chroma) from thumbnails (N, T, T, 3)."""
    blocks = small.reshape(len(small), -1, 3)
    n, count = blocks.shape[:2]
    total = blocks.sum(axis=2, dtype=np.uint16)
    limit = np.partition(total, -(count // 4), axis=1)[:, -(count // 4)]
    bright = (total >= limit[:, None]).astype(np.float32)
    ground = np.maximum(np.einsum("ij,ijk->ik", bright, blocks.astype(np.float32)), 1)
    spread = blocks.max(axis=2) - blocks.min(axis=2)
    chroma = np.partition(spread, int(0.99 * count), axis=1)[:, int(0.99 * count)]
    red, blue = (np.log(ground[:, k] / ground[:, 1]) for k in (0, 2))
    return red.astype(np.float32), blue.astype(np.float32), chroma.astype(np.float32).reshape(n)


def _halved(grey: Floats) -> Floats:
    side = grey.shape[1] // 2 * 2
    grey = grey[:, :side, :side]
    rows = grey[:, ::2] + grey[:, 1::2]
    return (rows[:, :, ::2] + rows[:, :, 1::2]) * np.float32(0.25)
