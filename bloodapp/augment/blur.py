"""Two blurs of the microscope as convolutions: out of focus, and moved while the camera exposed.

Lengths are pixels of a 224-pixel image and are scaled to the image's side. The kernels are spread over pixels
in proportion, so that a radius below a pixel still blurs a little and a small image looks like a large one.
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import fft

from bloodapp.augment.deposits import SIDE

Pixels = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float64]


def defocused(image: Pixels, radius: float) -> Pixels:
    """The image blurred by an even disk of `radius` pixels at 224, uint8 (H, W, 3) → the same."""
    return _convolved(image, _disk(radius * min(image.shape[:2]) / SIDE))


def moved(image: Pixels, radius: float, sigma: float, rng: np.random.Generator) -> Pixels:
    """The image with a trail of 2 `radius` pixels at 224 in a drawn direction, uint8 (H, W, 3) → the same.

    The trail is half a Gaussian of `sigma` pixels, within 45° of the horizontal: what ImageMagick's MotionBlurImage,
    which the benchmark calls, makes of these numbers.
    """
    angle = rng.uniform(-np.pi / 4, np.pi / 4)
    taps = np.arange(0, 2 * radius + 1)
    along = taps * min(image.shape[:2]) / SIDE
    weights = np.exp(-(taps**2) / (2 * sigma**2))
    return _convolved(image, _spread(along * np.sin(angle), along * np.cos(angle), weights))


@lru_cache(maxsize=64)
def _disk(radius: float) -> npt.NDArray[np.float32]:
    """An even disk of any radius in pixels, as a kernel."""
    line = (np.arange(48) + 0.5) / 24 - 1
    y, x = (side.ravel() * radius for side in np.meshgrid(line, line, indexing="ij"))
    return _spread(y, x, (np.hypot(y, x) <= radius).astype(np.float64))


def _spread(y: Points, x: Points, weights: Points) -> npt.NDArray[np.float32]:
    """Weighted points (y, x), in pixels around 0, as a square kernel of odd side and sum 1; linear between pixels."""
    reach = int(np.ceil(max(np.abs(y).max(), np.abs(x).max()))) + 1
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1))
    row, column = np.floor(y).astype(np.intp), np.floor(x).astype(np.intp)
    down, across = y - row, x - column
    for step_y, share_y in ((0, 1 - down), (1, down)):
        for step_x, share_x in ((0, 1 - across), (1, across)):
            place = (row + reach + step_y, column + reach + step_x)
            np.add.at(kernel, place, weights * share_y * share_x)
    return (kernel / kernel.sum()).astype(np.float32)


def _convolved(image: Pixels, kernel: npt.NDArray[np.float32]) -> Pixels:
    """The image convolved with a kernel of odd side, its border carried on outside."""
    reach = len(kernel) // 2
    height, width = image.shape[:2]
    wide = np.pad(image.transpose(2, 0, 1), ((0, 0), (reach, reach), (reach, reach)), mode="edge")
    shape = tuple(fft.next_fast_len(side, real=True) for side in wide.shape[1:])
    spectrum = fft.rfft2(wide.astype(np.float32), s=shape) * fft.rfft2(kernel, s=shape)
    full = fft.irfft2(spectrum, s=shape)[:, 2 * reach : 2 * reach + height, 2 * reach : 2 * reach + width]
    return np.clip(np.round(full), 0, 255).astype(np.uint8).transpose(1, 2, 0)
