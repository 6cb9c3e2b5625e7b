"""Features of many dimensions on a plane: how much of what sets the images apart two axes can show."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_WIDER, _ROUNDS = 10, 8

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Plane:
    """N images on a plane.

    Attributes:
        points: float32 (N, 2).
        explained: the shares of the variance that the two axes carry, each 0 to 1.
    """

    points: Floats
    explained: tuple[float, float]


def principal(values: npt.ArrayLike, seed: int = 0) -> Plane:
    """The plane in which N rows of features (N, D) vary most: their first two principal components.

    By a randomised range finder with power iterations (N. Halko, P. G. Martinsson, J. A. Tropp, SIAM Review 53, 2011);
    each axis points to where its largest loading is positive.
    """
    table = np.asarray(values, np.float32)
    centred = table - table.mean(axis=0, keepdims=True) if len(table) else table
    total = float(np.einsum("ij,ij->", centred, centred, dtype=np.float64))
    if len(table) < 2 or total == 0:
        return Plane(np.zeros((len(table), 2), np.float32), (0.0, 0.0))
    wide = min(2 + _WIDER, *centred.shape)
    basis = np.random.default_rng(seed).standard_normal((centred.shape[1], wide)).astype(np.float32)
    for _ in range(_ROUNDS):
        basis = np.linalg.qr(centred.T @ (centred @ basis))[0]
    _, strengths, axes = np.linalg.svd(centred @ basis, full_matrices=False)
    loadings = (basis @ axes.T)[:, :2]
    loadings *= np.sign(loadings[np.abs(loadings).argmax(axis=0), np.arange(loadings.shape[1])])
    points = np.zeros((len(table), 2), np.float32)
    points[:, : loadings.shape[1]] = centred @ loadings
    shares = [*(float(one) for one in strengths[:2] ** 2 / total), 0.0, 0.0]
    return Plane(points, (shares[0], shares[1]))


def centres(points: npt.ArrayLike, labels: npt.ArrayLike, classes: int) -> Floats:
    """The median place of each class, float32 (C, 2); NaN for a class without images."""
    places, own = np.asarray(points, np.float32), np.asarray(labels)
    found = np.full((classes, 2), np.nan, np.float32)
    for which in range(classes):
        if (own == which).any():
            found[which] = np.median(places[own == which], axis=0)
    return found
