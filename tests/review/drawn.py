"""Pictures drawn for the detectors: different ones, and what happens to them."""

import io

import numpy as np
from PIL import Image, ImageFilter

Image8 = np.ndarray

DIRECTIONS = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dy, dx) != (0, 0)]
"""The eight ways to move by one pixel, as (down, right)."""


def scenes(count: int, seed: int = 0, side: int = 96) -> Image8:
    """`count` different pictures (N, S, S, 3): a bright ground with dark, sharply drawn discs."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:side, :side] * (96 / side)
    images = np.empty((count, side, side, 3), np.uint8)
    for image in images:
        picture = np.full((side, side, 3), (236.0, 222, 216))
        for _ in range(6):
            x, y, radius = *rng.uniform(5, 91, 2), rng.uniform(8, 22)
            picture[np.hypot(columns - x, rows - y) < radius] = rng.uniform(40, 190, 3)
        image[:] = np.clip(picture + rng.normal(0, 3, picture.shape), 0, 255)
    return images


def blurred(image: Image8, sigma: float) -> Image8:
    """The image, out of focus."""
    return np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(sigma)))


def saved_again(image: Image8, quality: int) -> Image8:
    """The image as a JPEG of that quality shows it."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer).convert("RGB"))


def relit(image: Image8, factor: float) -> Image8:
    """The image with so many times the light."""
    return np.clip(np.rint(image * factor), 0, 255).astype(np.uint8)


def moved(image: Image8, down: int, right: int) -> Image8:
    """The image moved by a pixel or so; what comes in at the edge repeats it."""
    reach = max(abs(down), abs(right))
    side = image.shape[0]
    padded = np.pad(image, ((reach, reach), (reach, reach), (0, 0)), mode="edge")
    return padded[reach - down : reach - down + side, reach - right : reach - right + side]
