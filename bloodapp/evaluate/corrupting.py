"""Images under a corruption at all severities, drawn by threads while somebody else looks at the last ones."""

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from bloodapp.augment.corruptions import corrupt
from bloodapp.augment.severities import SEVERITIES

Pixels = npt.NDArray[np.uint8]

BLOCK = 128
"""Images of a block: what a predictor takes at once."""

_THREADS = min(os.cpu_count() or 1, 8)


def corrupted_blocks(
    images: Pixels, rows: npt.NDArray[np.int64], name: str, seed: int, *, threads: int = _THREADS
) -> Iterator[tuple[int, Pixels]]:
    """The images of these rows at severities 1 to 5, one after the other: (place of the first, uint8 (B, H, W, 3)).

    Places count through all severities: place p is row p % N at severity 1 + p // N. The draw of an image depends on
    the seed, its row and the name alone. `threads` blocks are drawn ahead; 0 draws in the caller.
    """
    starts = range(0, SEVERITIES * len(rows), BLOCK)
    if not threads:
        yield from ((start, _block(images, rows, name, seed, start)) for start in starts)
        return
    waiting: deque[tuple[int, Future[Pixels]]] = deque()
    pool = ThreadPoolExecutor(threads, thread_name_prefix="corrupting")
    try:
        for start in starts:
            waiting.append((start, pool.submit(_block, images, rows, name, seed, start)))
            if len(waiting) > threads:
                first, drawn = waiting.popleft()
                yield first, drawn.result()
        while waiting:
            first, drawn = waiting.popleft()
            yield first, drawn.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _block(images: Pixels, rows: npt.NDArray[np.int64], name: str, seed: int, start: int) -> Pixels:
    places = np.arange(start, min(start + BLOCK, SEVERITIES * len(rows)))
    parts = []
    for severity in np.unique(places // len(rows)):
        chosen = rows[places[places // len(rows) == severity] % len(rows)]
        parts.append(corrupt(np.asarray(images[chosen]), name, int(severity) + 1, seed, keys=chosen))
    return np.concatenate(parts)
