"""Four corruptions beside MedMNIST-C's eleven: another stain, a noisy camera, a turned and a resized cell.

Their strengths are ours, chosen so that a cell can still be told at severity 5. Where a turned or shrunken image shows
what was outside, the image is mirrored at its border: a smear has more ground and red cells there, and no edge.
"""

import numpy as np
import numpy.typing as npt
from PIL import Image

from bloodapp.augment.severities import Corruption, Pixels, Values, each


def _stain_shifted(image: Pixels, values: Values, rng: np.random.Generator) -> Pixels:
    # Inside: `stain` reads pipelines, and what a pipeline may be made of reads the names of the corruptions.
    from bloodapp.augment.stain import REFERENCE, jitter

    towards = rng.uniform(0, 2 * np.pi)
    scale = np.exp(values[0] * np.array([[np.cos(towards), np.sin(towards)]]))
    changed = jitter(image[None], REFERENCE, scale.astype(np.float32), np.zeros((1, 2), np.float32))[0]
    return _whole(changed)


def _noised(image: Pixels, values: Values, rng: np.random.Generator) -> Pixels:
    return _whole(image + np.float32(values[0]) * rng.standard_normal(image.shape, dtype=np.float32))


def _turned(image: Pixels, values: Values, rng: np.random.Generator) -> Pixels:
    angle = values[0] * rng.choice((-1, 1))
    height, width = image.shape[:2]
    edge = int(np.ceil(0.21 * (height + width)))  # a square turned by 45° reaches 0.207 of its side farther
    turned = np.asarray(_mirrored(image, edge).rotate(angle, Image.Resampling.BICUBIC))
    return turned[edge : edge + height, edge : edge + width]


def _resized(image: Pixels, values: Values, rng: np.random.Generator) -> Pixels:
    shows = values[0] if rng.random() < 0.5 else 1 / values[0]  # so much of the side
    height, width = image.shape[:2]
    edge = int(np.ceil(max(height, width) * max(shows - 1, 0) / 2))
    across, down = width * shows / 2, height * shows / 2
    middle = (edge + width / 2, edge + height / 2)
    box = (middle[0] - across, middle[1] - down, middle[0] + across, middle[1] + down)
    return np.asarray(_mirrored(image, edge).resize((width, height), Image.Resampling.BICUBIC, box=box))


def _mirrored(image: Pixels, edge: int) -> Image.Image:
    """The image with its mirror images around, `edge` pixels of them."""
    return Image.fromarray(np.pad(image, ((edge, edge), (edge, edge), (0, 0)), mode="symmetric"))


def _whole(pixels: npt.NDArray[np.float32]) -> Pixels:
    return np.clip(np.round(pixels), 0, 255).astype(np.uint8)


_DECLARED = (
    Corruption(
        "stain_shift", "Another stain", "Another batch of stain, another pH or another time in it.",
        "natural logarithm of the factor on azure B and eosin, in a drawn direction",
        each(0.12, 0.24, 0.36, 0.48, 0.6), (), _stain_shifted,
    ),
    Corruption(
        "noise", "Noise", "Too little light, or a camera whose gain is high.",
        "standard deviation in grey levels", each(6, 12, 18, 25, 33), (), _noised,
    ),
    Corruption(
        "rotation", "Turned", "The camera or the slide is turned; a cell has no top.",
        "degrees to either side", each(9, 18, 27, 36, 45), (), _turned,
    ),
    Corruption(
        "zoom", "Another magnification", "Another objective or adapter shows the cell larger or smaller.",
        "factor on the size, or its inverse", each(1.08, 1.16, 1.25, 1.36, 1.5), (), _resized,
    ),
)  # fmt: skip

EXTRA_CORRUPTIONS: dict[str, Corruption] = {corruption.name: corruption for corruption in _DECLARED}
