"""A network that sees colours, and draws that change the light: a target drop without TensorFlow."""

from collections.abc import Sequence

import numpy as np

from bloodapp.augment.pipelines import Pipeline


class Colours:
    """Sees the mean and the spread of each channel; names the class by the mean red, surer the redder.

    Attributes:
        size: of the images that it takes.
        classes: how many it tells apart.
    """

    def __init__(self, size: int = 96, classes: int = 8) -> None:
        self.size, self.classes = size, classes

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Probabilities float32 (N, C)."""
        red = images[..., 0].mean((1, 2)) / 255
        scores = -8 * (red[:, None] - np.linspace(0.5, 1, self.classes)) ** 2
        shares = np.exp(20 * scores)
        return (shares / shares.sum(1, keepdims=True)).astype(np.float32)

    def stages(self, images: np.ndarray) -> np.ndarray:
        """What it sees, float32 (N, 6)."""
        pixels = images.reshape(len(images), -1, 3).astype(np.float32)
        return np.concatenate([pixels.mean(1), pixels.std(1)], 1)


def lit(images: np.ndarray, pipeline: Pipeline, batches: Sequence[int]) -> np.ndarray:
    """Images with the light that the `scaleabs` of a pipeline's choices give; nothing else of it."""
    rng = np.random.default_rng([*batches])
    factors = [
        next((inner.numbers[0] for inner in branch.steps if inner.name == "scaleabs"), 1.0)
        for step in pipeline.steps
        if step.name == "oneof"
        for branch in step.branches
    ]
    drawn = rng.choice(factors or [1.0], (len(images), 1, 1, 1))
    return np.clip(images * drawn, 0, 255).astype(np.uint8)


def cells(number: int, seed: int = 0, size: int = 48) -> np.ndarray:
    """Round purple cells on a pale ground, a little different in size and light, uint8 (N, size, size, 3)."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:size, :size]
    distance = np.hypot(rows - size / 2, columns - size / 2)
    radius, light = rng.uniform(0.2, 0.35, number) * size, rng.uniform(0.92, 1, number)
    pink = rng.uniform(0, 20, (number, 1))
    inside = (distance < radius[:, None, None])[..., None]
    cell = np.array([150, 90, 170]) + pink * np.array([1.0, 0.3, 0.0])
    picture = np.where(inside, cell[:, None, None, :], np.array([235, 215, 210])) * light[:, None, None, None]
    return np.clip(picture + rng.normal(0, 4, picture.shape), 0, 255).astype(np.uint8)
