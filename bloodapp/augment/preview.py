"""A pipeline drawn on images at hand, by the layers that train."""

import numpy as np
import numpy.typing as npt

from bloodapp.augment.keys import batch_key
from bloodapp.augment.pipelines import Pipeline, resolve


def preview(
    images: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.integer],
    classes: int,
    pipeline: Pipeline | str,
    seed: int,
    *,
    stains: npt.NDArray[np.float64] | None = None,
    epoch: int = 0,
    batch: int = 0,
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    """The images as one batch that the pipeline draws: uint8 (N, S, S, 3) → the same and label weights (N, C).

    What a training of that seed makes of these images as the batch of that number, counted from 0, bit for bit. The
    first call loads TensorFlow (about 8 s), the first for an operation traces it (up to a second); later ones take
    milliseconds. `stains` are the dataset's stain vectors (2, 3). Raises PipelineError.
    """
    resolved = resolve(pipeline) if isinstance(pipeline, str) else pipeline
    weights = np.eye(classes, dtype=np.float32)[labels]
    if not resolved.steps:
        return images.copy(), weights
    from bloodapp.augment.drawing import draw_batch

    return draw_batch(resolved, images, weights, batch_key(seed, epoch, batch), stains)
