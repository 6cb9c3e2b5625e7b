"""What the tests of operations draw on, and how: small images, labels, and a pipeline drawn under a seed."""

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from bloodapp.augment.keys import batch_key
from bloodapp.augment.operations import OPERATIONS
from bloodapp.augment.pipelines import Pipeline, Step, parse

Pixels = npt.NDArray[np.uint8]
Weights = npt.NDArray[np.float32]

PLAIN = [name for name, operation in OPERATIONS.items() if not operation.branches]
MIXERS = [name for name in PLAIN if OPERATIONS[name].mixes]
SIZE = 64
CLASSES = 8


@lru_cache
def cell(size: int = SIZE) -> Pixels:
    """A purple disk with a dark kernel on a bright ground that is not quite even: an image (size, size, 3)."""
    rows, columns = np.mgrid[:size, :size] / size
    away = np.hypot(rows - 0.52, columns - 0.46)[..., None]
    ground = np.stack([236 - 10 * rows, 222 + 8 * columns, 214 - 6 * rows], 2)
    picture = np.where(away < 0.13, (92, 54, 130), np.where(away < 0.3, (186, 140, 182), ground))
    return np.round(picture + 4 * np.sin(37 * rows * columns)[..., None]).astype(np.uint8)


def alike(count: int, size: int = SIZE) -> Pixels:
    """The same cell `count` times."""
    return np.repeat(cell(size)[None], count, 0)


def unlike(count: int, size: int = SIZE) -> Pixels:
    """The cell under as many lights."""
    light = np.linspace(0.6, 1.0, count)[:, None, None, None]
    return np.round(alike(count, size) * light).astype(np.uint8)


def flat(*colours: Any, size: int = SIZE) -> Pixels:
    """Images of one colour each, grey levels or (red, green, blue)."""
    painted = [np.broadcast_to(np.asarray(one, np.uint8), (size, size, 3)) for one in colours]
    return np.stack(painted)


def one_hot(count: int, classes: int = CLASSES) -> Weights:
    """Labels 0, 1, 2, … as weights."""
    return np.eye(classes, dtype=np.float32)[np.arange(count) % classes]


def mixed(
    pipeline: Pipeline | str, images: Pixels, seed: int = 1, labels: Weights | None = None
) -> tuple[Pixels, Weights]:
    """What the pipeline makes of images and labels under a seed."""
    from bloodapp.augment.drawing import draw_batch

    resolved = parse(pipeline) if isinstance(pipeline, str) else pipeline
    weights = one_hot(len(images)) if labels is None else labels
    return draw_batch(resolved, images, weights, batch_key(seed))


def drawn(pipeline: Pipeline | str, images: Pixels, seed: int = 1) -> Pixels:
    """What the pipeline makes of images under a seed."""
    return mixed(pipeline, images, seed)[0]


def called(step: Step, images: Pixels, seed: int = 1) -> npt.NDArray[np.float32]:
    """What the operation makes of images, also where a pipeline would pass it over; float32, not rounded."""
    import tensorflow as tf

    from bloodapp.augment import drawing
    from bloodapp.augment.stain import REFERENCE

    operation = drawing._operation(step, images.shape[1])
    numbers = drawing._numbers(step, np.asarray(REFERENCE, np.float32))
    weights = tf.constant(one_hot(len(images)))
    found, _ = drawing._called(
        operation, tf.constant(images, tf.float32), weights, numbers, tf.constant(batch_key(seed))
    )
    result: npt.NDArray[np.float32] = found.numpy()
    return result


def strengths(name: str, **values: float) -> Step:
    """The operation with every strength at the value that does nothing, but for those given."""
    parameters = OPERATIONS[name].parameters
    usual = (one.default if one.neutral is None else one.neutral for one in parameters)
    return Step(name, tuple(values.get(p.name, value) for p, value in zip(parameters, usual, strict=True)))
