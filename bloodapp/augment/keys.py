"""Keys: the two whole numbers that alone decide what a pipeline draws for a batch. No TensorFlow.

Nothing is drawn from a state that calls would share, so that a batch is the same whoever asks for it, in
whatever order, in a preview, in a training or in one that is continued.
"""

import hashlib

import numpy as np
import numpy.typing as npt

Key = npt.NDArray[np.int32]


def batch_key(seed: int, epoch: int = 0, batch: int = 0) -> Key:
    """The key int32 (2,) of a training's batch, from the run's seed and its places, counted from 0."""
    return np.random.SeedSequence([seed, epoch, batch]).generate_state(2).view(np.int32)


def place_key(path: tuple[int, ...]) -> Key:
    """What is added to a batch's key at a place in a pipeline, int32 (2,), so that no two operations draw alike."""
    digest = hashlib.sha256(repr(path).encode()).digest()
    return np.frombuffer(digest[:8], np.int32)
