"""Where classes lie on a plane."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


def centres(points: npt.ArrayLike, labels: npt.ArrayLike, classes: int) -> Floats:
    """The median place of each class, float32 (C, 2); NaN for a class without images."""
    places, own = np.asarray(points, np.float32), np.asarray(labels)
    found = np.full((classes, 2), np.nan, np.float32)
    for which in range(classes):
        if (own == which).any():
            found[which] = np.median(places[own == which], axis=0)
    return found
