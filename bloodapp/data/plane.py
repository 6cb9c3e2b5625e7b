"""Rows of many numbers on a plane: the two directions in which they vary most."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_WIDER, _ROUNDS = 10, 8
_BLOCK = 4096

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


def principal(
    values: npt.ArrayLike, seed: int = 0, *, progress: Callable[[int, int], None] | None = None
) -> Plane:
    """The plane in which N rows (N, D) of any numbers vary most: their first two principal components.

    By a randomised range finder with power iterations (N. Halko, P. G. Martinsson, J. A. Tropp, SIAM Review 53, 2011);
    each axis points to where its largest loading is positive. The rows may be bytes, and mapped from disk: they are
    read a block at a time. `progress(done, total)` is called now and then.
    """
    table = np.asarray(values)
    steps, done = _ROUNDS + 2, 0
    mean = _mean(table)
    total = 0.0

    def tell() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, steps)

    for block in _centred(table, mean):
        total += float(np.einsum("ij,ij->", block, block, dtype=np.float64))
    tell()
    if len(table) < 2 or total == 0:
        return Plane(np.zeros((len(table), 2), np.float32), (0.0, 0.0))
    wide = min(2 + _WIDER, *table.shape)
    basis = np.random.default_rng(seed).standard_normal((table.shape[1], wide)).astype(np.float32)
    for _ in range(_ROUNDS):
        gathered = np.zeros_like(basis)
        for block in _centred(table, mean):
            gathered += block.T @ (block @ basis)
        basis = np.linalg.qr(gathered)[0]
        tell()
    seen = np.concatenate([block @ basis for block in _centred(table, mean)])
    _, strengths, axes = np.linalg.svd(seen, full_matrices=False)
    turned = axes.T[:, :2]
    loadings = basis @ turned
    signs = np.sign(loadings[np.abs(loadings).argmax(axis=0), np.arange(loadings.shape[1])])
    points = np.zeros((len(table), 2), np.float32)
    points[:, : turned.shape[1]] = seen @ (turned * signs)
    shares = [*(float(one) for one in strengths[:2] ** 2 / total), 0.0, 0.0]
    tell()
    return Plane(points, (shares[0], shares[1]))


def _mean(table: npt.NDArray[np.generic]) -> Floats:
    sums = np.zeros(table.shape[1:], np.float64)
    for start in range(0, len(table), _BLOCK):
        sums += np.asarray(table[start : start + _BLOCK], np.float32).sum(axis=0, dtype=np.float64)
    return (sums / max(len(table), 1)).astype(np.float32)


def _centred(table: npt.NDArray[np.generic], mean: Floats) -> Iterator[Floats]:
    for start in range(0, len(table), _BLOCK):
        yield np.asarray(table[start : start + _BLOCK], np.float32) - mean
