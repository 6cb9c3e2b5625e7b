"""What an image of a class counts in the loss: `none`, `balanced`, `weakest:RUN`, or `monocyte=2 ig=1.5`."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from bloodapp.errors import InvalidValue, NotFound
from bloodapp.runs.run import open_run

NONE, BALANCED, WEAKEST = "none", "balanced", "weakest"
_MOST = 1000.0


def parse(text: str) -> tuple[str, str | Mapping[str, float]]:
    """What a text means: (`none`, ""), (`balanced`, ""), (`weakest`, RUN) or (`own`, class key → weight).

    Raises InvalidValue.
    """
    kind, colon, rest = text.partition(":")
    if text in (NONE, BALANCED):
        return text, ""
    if kind == WEAKEST and colon and rest:
        return WEAKEST, rest
    weights: dict[str, float] = {}
    for pair in text.replace(",", " ").split():
        key, _, value = pair.partition("=")
        if key in weights:
            raise InvalidValue(f"class_weights gives {key} twice: once is enough.")
        try:
            weights[key] = float(value) if key else -1.0
        except ValueError:
            weights[key] = -1.0
    if not weights or any(not 0 <= weight <= _MOST for weight in weights.values()):
        raise InvalidValue(
            f"class_weights must be none, balanced, weakest:RUN, or pairs such as monocyte=2 ig=1.5, not '{text}'."
        )
    return "own", weights


def class_weights(
    text: str, labels: npt.NDArray[np.integer], keys: Sequence[str]
) -> npt.NDArray[np.float32] | None:
    """The weights of the classes, float32 (C,); None where all count the same.

    `balanced` is N/(n_k·C) (King and Zeng, 2001), 0 for a class without images. `weakest:RUN` gives class k
    (2 − a_k), scaled to a mean of 1, by the run's accuracy a_k on it, on val (report R2 says only "higher weights for
    the classes with the lowest accuracy"; the form is ours). Classes that a user's own list leaves out count 1.
    Raises NotFound for a run or a class that is not there, InvalidValue for a run with other classes.
    """
    kind, rest = parse(text)
    if kind == NONE:
        return None
    counts = np.bincount(labels, minlength=len(keys))
    if kind == BALANCED:
        weights = len(labels) / (np.maximum(counts, 1) * (counts > 0).sum())
        return np.where(counts > 0, weights, 0).astype(np.float32)
    if isinstance(rest, str):
        accuracy = _recalls(rest, keys)
        return ((2 - accuracy) / (2 - accuracy).mean()).astype(np.float32)
    if unknown := [key for key in rest if key not in keys]:
        raise NotFound("class", unknown[0], keys)
    return np.array([rest.get(key, 1.0) for key in keys], np.float32)


def _recalls(name: str, keys: Sequence[str]) -> npt.NDArray[np.float64]:
    """The run's accuracy on each class of val (of test where it has no val), by these keys."""
    run = open_run(name)
    predictions = run.predictions()
    if predictions is None or not len(predictions):
        raise InvalidValue(f"'{name}' has no results to weigh classes by: choose a finished run.")
    theirs = [each.key for each in run.classes]
    if sorted(theirs) != sorted(keys):
        raise InvalidValue(f"'{name}' tells other classes apart: choose a run on the same classes.")
    part = "val" if (predictions.part == "val").any() else "test"
    chosen = predictions.only(part)
    right = chosen.probabilities.argmax(1) == chosen.label
    found = {
        key: float(right[chosen.label == k].mean()) if (chosen.label == k).any() else 1.0
        for k, key in enumerate(theirs)
    }
    return np.array([found[key] for key in keys])
