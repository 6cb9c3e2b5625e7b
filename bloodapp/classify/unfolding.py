"""Features on a plane that keeps neighbours together: t-SNE, for pictures of which classes lie apart.

t-distributed stochastic neighbour embedding (L. van der Maaten and G. Hinton, JMLR 9, 2008), by Barnes-Hut (L. van der
Maaten, JMLR 15, 2014). Who is near whom means something on it; how far apart or how large groups are does not.
"""

import threading
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

MOST = 4_000
"""Images that are laid out: more take minutes and say no more."""

_FEWEST = 10
_COMPONENTS = 50  # what is left of the features first, as the paper does

Floats = npt.NDArray[np.float32]


def chosen(part: npt.ArrayLike, seed: int = 0) -> npt.NDArray[np.int64]:
    """Which of N images are laid out, ascending: all or MOST of them, those of `test` before a draw of the others."""
    parts = np.asarray(part)
    drawn = np.random.default_rng(seed).permutation(len(parts))
    first = drawn[np.argsort(parts[drawn] != "test", kind="stable")]
    return np.sort(first[:MOST]).astype(np.int64)


def unfolded(values: npt.ArrayLike, check: Callable[[], None], *, seed: int = 0) -> Floats:
    """Places on a plane, float32 (N, 2), of rows of features (N, D); zeros for fewer than ten.

    `check` is called while it works and may raise to break it off.
    """
    check()
    table = np.asarray(values, np.float32)
    if len(table) < _FEWEST:
        return np.zeros((len(table), 2), np.float32)
    done: list[Floats] = []
    failed: list[BaseException] = []

    def lay_out() -> None:
        try:
            done.append(_tsne(table, seed))
        except BaseException as error:
            failed.append(error)

    # Its iterations call nobody: in a thread of its own it can be left alone with the work that is given up.
    thread = threading.Thread(target=lay_out, daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(0.25)
        check()
    if failed:
        raise failed[0]
    return done[0]


def _tsne(table: Floats, seed: int) -> Floats:
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    width = min(_COMPONENTS, *table.shape)
    shorter = PCA(width, svd_solver="randomized", random_state=seed).fit_transform(table)
    perplexity = min(30.0, (len(table) - 1) / 3)
    places: Floats = TSNE(2, perplexity=perplexity, init="pca", random_state=seed).fit_transform(shorter)
    return places.astype(np.float32)
