"""Whether a picture was saved as JPEG again: told from what JPEG would have made of the original.

JPEG rounds the frequencies of blocks of 8 × 8 pixels to multiples of steps that the quality chooses (ITU-T T.81, 1992,
annex K). So the original is rounded like that at every quality; where that comes much nearer to the copy than the
original itself, in most of the blocks, the copy was re-saved. Only the luminance is looked at: colours are saved at
half the resolution, or not, as each program likes.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dctn, idctn

Floats = NDArray[np.float32]

_STEPS = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ],
    np.float32,
)
_SIDE = 8
_COARSE = range(22, 99, 6)
_FINE = (-3, -2, -1, 1, 2, 3)
_SAMPLE = 36  # blocks by which the quality is found
_TIE = 0.12  # of a step: what lies so near the middle of two multiples may have been rounded to either
_NEARER = 0.7
# Root mean square in grey levels: below it lies the rounding to 8 bits.
_LEAST, _SMALL = 0.35, 1.0
_COLOURED = 3  # times as much
_COARSER = 0.95  # what is left of colours' differences among neighbours; of a place that has another colour all of it
_WAVES = np.add.outer(np.arange(_SIDE), np.arange(_SIDE))
_HIGH, _LOW = _WAVES >= 8, (_WAVES >= 1) & (_WAVES <= 3)
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def left_by_jpeg(
    original: Floats,
    copy: Floats,
    seen: NDArray[np.bool_],
    *,
    transposed: bool = False,
    doubtful: bool = False,
) -> Floats | None:
    """How much of the luminance JPEG does not explain, (S, S), where it explains most; None where it does not.

    Args:
        original: RGB (S, S, 3), 0 to 255, with the first pixel where a block begins.
        copy: the copy, at the same place and under the same light.
        seen: bool (S, S), where the two show the same; blocks that lie there in part do not count.
        transposed: whether the picture was turned by a quarter after it was saved.
        doubtful: whether noise may be what made the original: saved again, it is the copy once more, if that was
            a JPEG.
    """
    count = len(original) // _SIDE
    whole = _blocks(seen, count).all(axis=(1, 2)) if count else np.zeros(0, bool)
    if not whole.any():
        return None
    grey, other = original @ _LUMA, copy @ _LUMA
    before, after = (
        dctn(_blocks(one, count)[whole] - 128, axes=(1, 2), norm="ortho") for one in (grey, other)
    )
    apart = _apart(before, after)
    if apart < _SMALL and _only_colours(original - copy, apart, seen):
        return np.abs(other - grey)
    if apart < _LEAST or (doubtful and _white(before, after)):
        return None
    table = _STEPS.T if transposed else _STEPS
    some = slice(None, None, max(len(before) // _SAMPLE, 1))
    tried = {quality: _tried(before[some], after[some], quality, table) for quality in _COARSE}
    best = min(tried, key=tried.__getitem__)
    tried |= {
        best + step: _tried(before[some], after[some], best + step, table)
        for step in _FINE
        if best + step < 99
    }
    best = min(tried, key=tried.__getitem__)
    made = _rounded(before, after, best, table)
    if _apart(made, after) > _NEARER * apart:
        return None
    blocks = _blocks(np.abs(other - grey), count).copy()
    blocks[whole] = np.abs(idctn(made - after, axes=(1, 2), norm="ortho"))
    left = np.abs(other - grey)
    side = count * _SIDE
    left[:side, :side] = blocks.reshape(count, count, _SIDE, _SIDE).swapaxes(1, 2).reshape(side, side)
    return left


def _blocks(picture: NDArray, count: int) -> NDArray:
    used = picture[: count * _SIDE, : count * _SIDE]
    return used.reshape(count, _SIDE, count, _SIDE).swapaxes(1, 2).reshape(-1, _SIDE, _SIDE)


def _rounded(before: Floats, after: Floats, quality: int, table: Floats) -> Floats:
    """Frequencies of blocks (B, 8, 8) as a JPEG of a quality holds them; of two as near, the one nearer to `after`."""
    scale = 5000 / quality if quality < 50 else 200 - 2 * quality
    steps = np.clip(np.floor((table * scale + 50) / 100), 1, 255)
    exact = before / steps
    number = np.rint(exact)
    off = exact - number
    other = number + np.where(off > 0, 1, -1).astype(np.float32)
    tie = (np.abs(off) > 0.5 - _TIE) & (np.abs(other * steps - after) < np.abs(number * steps - after))
    return np.asarray(np.where(tie, other, number) * steps)


def _tried(before: Floats, after: Floats, quality: int, table: Floats) -> float:
    return _apart(_rounded(before, after, quality, table), after)


def _apart(one: Floats, other: Floats) -> float:
    """How far apart the middle one of the blocks is, the root of its mean square in grey levels."""
    return float(np.sqrt(np.median(((one - other) ** 2).mean(axis=(1, 2)))))


def _only_colours(apart: Floats, luminance: float, seen: NDArray[np.bool_]) -> bool:
    """Whether it is the colours that differ, far more than the luminance, and not in whole places."""
    colours = (apart - (apart @ _LUMA)[..., None]) * seen[..., None]
    side = len(colours) // 2 * 2
    coarse = colours[:side, :side].reshape(side // 2, 2, side // 2, 2, 3).mean(axis=(1, 3))
    fine = float(np.abs(colours).mean())
    return fine > _COLOURED * max(luminance, _LEAST) and float(np.abs(coarse).mean()) < _COARSER * fine


def _white(before: Floats, after: Floats) -> bool:
    """Whether two luminances differ about as much in their high frequencies as in their low ones: noise does."""
    square = (before - after) ** 2
    high, low = (float(np.median(square[:, which].mean(axis=1))) for which in (_HIGH, _LOW))
    return high > 0.75 * low
