"""A pipeline drawn on images at hand, by the layers that train."""

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from bloodapp.augment.pipelines import resolve, text


def preview(
    images: npt.NDArray[np.uint8], labels: npt.NDArray[np.int16], classes: int, pipeline: str, seed: int
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    """The images as the pipeline draws them: uint8 (N, S, S, 3) → uint8 (N, S, S, 3) and label weights (N, C).

    The same seed gives the same picture. The first call loads TensorFlow (about 8 s), the first
    for a pipeline traces it (up to some seconds); later ones take milliseconds. Raises PipelineError.
    """
    canonical = text(resolve(pipeline))
    weights = np.eye(classes, dtype=np.float32)[labels]
    drawn, mixed = _drawer(canonical)(images, weights, seed)
    return drawn, mixed


@lru_cache(maxsize=16)
def _drawer(pipeline: str) -> Any:
    """A traced function for the pipeline, reseeded at every call."""
    from bloodapp.augment.layers import Traced

    return Traced(pipeline)
