"""Four corruptions beside MedMNIST-C's eleven: another stain, a noisy camera, a turned and a resized cell.

Their strengths are ours, chosen so that a cell can still be told at severity 5. Turned and shrunken images show ground
where there was no image: the median of the brighter half of the border, whatever else touches it.
"""

import numpy as np
import numpy.typing as npt
from PIL import Image

from bloodapp.augment.severities import Corruption, Pixels, Values, each

Colour = tuple[int, int, int]


def ground_of(image: Pixels) -> Colour:
    """The colour of the ground of an image (H, W, 3): the median of the brighter half of its border."""
    border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    light = border.sum(1, dtype=np.int64)
    red, green, blue = np.median(border[light >= np.median(light)], axis=0)
    return int(red), int(green), int(blue)


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
    picture = Image.fromarray(image)
    return np.asarray(picture.rotate(angle, Image.Resampling.BICUBIC, fillcolor=ground_of(image)))


def _resized(image: Pixels, values: Values, rng: np.random.Generator) -> Pixels:
    shows = values[0] if rng.random() < 0.5 else 1 / values[0]  # so much of the side
    height, width = image.shape[:2]
    edge = max(1, int(np.ceil(max(height, width) * max(shows - 1, 0) / 2)))
    wide = Image.new("RGB", (width + 2 * edge, height + 2 * edge), ground_of(image))
    wide.paste(Image.fromarray(image), (edge, edge))
    across, down = width * shows / 2, height * shows / 2
    middle = (edge + width / 2, edge + height / 2)
    box = (middle[0] - across, middle[1] - down, middle[0] + across, middle[1] + down)
    return np.asarray(wide.resize((width, height), Image.Resampling.BICUBIC, box=box))


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
