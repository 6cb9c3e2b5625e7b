"""How a copy differs from its original: what was done to it in words, and where what is left of the difference lies.

A copy that was turned, moved by some pixels or lit otherwise differs nearly everywhere, which says nothing. So each
of these is looked for first, said, and taken back; what is shown is what remains then.
"""

from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft2, rfft2
from scipy.ndimage import binary_dilation, label, uniform_filter

from bloodapp.review.measures import likeness, thumbnails
from bloodapp.review.resaved import left_by_jpeg

Image8 = NDArray[np.uint8]
Floats = NDArray[np.float32]
Turn = tuple[bool, int]

TURNS: tuple[Turn, ...] = tuple((mirrored, quarters) for mirrored in (False, True) for quarters in range(4))
"""The eight positions of a square picture: mirrored left to right or not, then turned right by so many quarters."""

_TURNED = {
    (False, 1): "turned by 90° to the right",
    (False, 2): "turned by 180°",
    (False, 3): "turned by 90° to the left",
    (True, 0): "mirrored",
    (True, 1): "mirrored and turned by 90°",
    (True, 2): "mirrored top to bottom",
    (True, 3): "mirrored and turned by 90°",
}
_AS_GOOD = 0.03  # positions whose thumbnails correlate so nearly as well are compared pixel by pixel
_REACH = 12  # a shift is looked for up to this part of the side
_PEAKS = 3
_THE_SAME = 0.8  # correlation; what is less alike is another picture, and whatever brings it nearer is chance
_BETTER = 0.9  # a shift or another light must leave at most this part of the difference, or it is none
_LEAST_LIGHT = 0.01
_SOME = 5  # of the values, by which the light is told
_CLIPPED = (3, 252)
_PLACE = 12  # mean amount over 5 × 5 pixels that the eye sees as a place of its own
_COLOURED = 36
_SMALLEST_PLACE = 400  # a place covers this part of the picture at least
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True, eq=False)
class Difference:
    """What tells a copy from the picture it is compared with.

    Attributes:
        turn: one of `TURNS`, what was done to the copy.
        shift: rows down and columns to the right by which the copy was then moved.
        light: how many times as bright the copy is, 1 = as bright.
        resaved: whether one of the two was saved as JPEG, and the other not or better.
        amount: uint8 (S, S), how much each pixel of the first picture still differs when turn, shift and light are
            taken back, the largest of the three channels; 0 where the copy has no such pixel.
        seen: bool (S, S), where it has one.
        places: bool (S, S), the coherent places that differ visibly.
        back: uint8 (S, S, 3), the copy turned and moved back, its border repeated where it has no pixel.
    """

    turn: Turn
    shift: tuple[int, int]
    light: float
    resaved: bool
    amount: NDArray[np.uint8]
    seen: NDArray[np.bool_]
    places: NDArray[np.bool_]
    back: Image8 = field(repr=False)

    @property
    def share(self) -> float:
        """The share of the compared pixels that still differ, 0 to 1."""
        return float((self.amount[self.seen] > 0).mean())

    @property
    def most(self) -> int:
        """The most that a pixel still differs, 0 to 255."""
        return int(self.amount.max(initial=0))

    @property
    def moved(self) -> bool:
        """Whether the copy had to be turned or moved back."""
        return self.turn != TURNS[0] or self.shift != (0, 0)

    @property
    def words(self) -> str:
        """What was done to the copy, in one line: `shifted by 2 pixels to the right, brighter by 8 %`."""
        said = [part for part in (_TURNED.get(self.turn), _shifted(self.shift), _lit(self.light)) if part]
        number = self.number_of_places
        if not self.most:
            said.append("otherwise identical in every pixel" if said else "identical in every pixel")
        elif number:
            said.append(f"changed in {'one place' if number == 1 else f'{number} places'}")
        elif self.resaved:
            said.append("re-saved: compression only")
        elif not said:
            said.append("changed a little all over" if self.share > 0.5 else "changed in a few pixels")
        return ", ".join(said)

    @property
    def figures(self) -> str:
        """How much is left of the difference, in numbers."""
        if not self.most:
            return ""
        share = f"{100 * self.share:.0f} %" if self.share >= 0.01 else "less than 1 %"
        left = "what is left differs" if self.moved or self.light != 1 else "differs"
        return f"{left} in {share} of the pixels, by at most {self.most} of 255"

    @property
    def number_of_places(self) -> int:
        """How many places differ visibly."""
        return int(label(self.places)[1])


def difference(kept: Image8, copy: Image8) -> Difference:
    """Compare a copy with a picture, both uint8 (S, S, 3) RGB and square.

    The position is found with thumbnails, the shift by phase correlation (C. D. Kuglin, D. C. Hines, "The phase
    correlation image alignment method", IEEE Conf. Cybernetics and Society, 1975), the light by least squares without
    the pixels that do not follow it.
    """
    if kept.shape != copy.shape or kept.ndim != 3 or kept.shape[0] != kept.shape[1]:
        raise ValueError(f"two square pictures of one size are compared, not {kept.shape} and {copy.shape}")
    if np.array_equal(kept, copy):
        nothing = np.zeros(kept.shape[:2], np.uint8)
        return Difference(TURNS[0], (0, 0), 1.0, False, nothing, nothing == 0, nothing > 0, copy)
    tried = []
    for turn in _positions(kept, copy):
        back = turned_back(copy, turn)
        shift = _shift(_grey(kept), _grey(back))
        tried.append(_compared(kept, back, turn, shift))
    best = min(tried, key=lambda one: float(one.amount[one.seen].mean()) + 0.5 * (one.turn != TURNS[0]))
    if not best.most:
        return best
    left = _resaved(kept, best.back, best)
    apart = (best.back - np.clip(kept * np.float32(best.light), 0, 255)) * best.seen[..., None]
    places = _places(apart, None if left is None else np.where(best.seen, left, 0))
    return replace(best, resaved=left is not None, places=places)


def turned_back(copy: NDArray, turn: Turn) -> NDArray:
    """A copy (S, S, …) to which a turn was done, as it was before."""
    mirrored, quarters = turn
    unturned = np.rot90(copy, quarters)
    return unturned[:, ::-1] if mirrored else unturned


def unlike(kept: Image8, copies: Image8) -> Floats:
    """How unlike copies uint8 (M, S, S, 3) are to a picture (S, S, 3), in any position and light: (M,), 0 = alike.

    One less the correlation of their thumbnails: quick enough to put thousands in an order.
    """
    return (1 - _turned_likeness(kept, copies).max(axis=0)).astype(np.float32)


def outlines(mask: NDArray[np.bool_]) -> list[tuple[int, int, int, int]]:
    """The borders of the places of a mask (S, S), as straight lines (column, row, column, row) between pixels."""
    lines = []
    framed = np.pad(mask, 1)
    for grid, across in ((framed, True), (framed.T, False)):
        edges = grid[1:] != grid[:-1]
        for row, line in enumerate(edges):
            steps = np.flatnonzero(np.diff(line.astype(np.int8), prepend=0, append=0))
            for begin, end in zip((steps[::2] - 1).tolist(), (steps[1::2] - 1).tolist(), strict=True):
                lines.append((begin, row, end, row) if across else (row, begin, row, end))
    return lines


def _positions(kept: Image8, copy: Image8) -> list[Turn]:
    """The positions worth comparing pixel by pixel, as it is first."""
    how = _turned_likeness(kept, copy[None])[:, 0]
    best = how >= max(how.max() - _AS_GOOD, how[0] + 1e-6, _THE_SAME)
    return [TURNS[0], *(turn for turn, good in zip(TURNS[1:], best[1:], strict=True) if good)]


def _turned_likeness(kept: Image8, copies: Image8) -> Floats:
    """The correlation of thumbnails in each of the positions, (8, M)."""
    small, mark = thumbnails(copies), likeness(thumbnails(kept[None]))[0]
    how = []
    for mirrored, quarters in TURNS:
        turned = np.rot90(small, quarters, axes=(1, 2))
        how.append(likeness(turned[:, :, ::-1] if mirrored else turned) @ mark)
    return np.stack(how)


def _compared(kept: Image8, back: Image8, turn: Turn, shift: tuple[int, int]) -> Difference:
    """What is left between a picture and a copy that is turned back already."""
    size = len(kept)
    here, there = _overlap(size, shift)
    first, second = kept[here].astype(np.float32), back[there].astype(np.float32)
    light = _light(first, second)
    expected = first if light == 1 else np.clip(np.rint(first * light), 0, 255)
    left = np.abs(second - expected).max(axis=2)
    if light != 1:
        left[left <= 1] = 0  # the rounding of the lit picture
    amount = np.zeros((size, size), np.uint8)
    seen = np.zeros((size, size), bool)
    amount[here], seen[here] = left, True
    rows, columns = (np.clip(np.arange(size) + step, 0, size - 1) for step in shift)
    moved = back[rows[:, None], columns[None, :]]
    return Difference(turn, shift, light, False, amount, seen, np.zeros((size, size), bool), moved)


def _overlap(size: int, shift: tuple[int, int]) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Where a picture and its copy moved by a shift show the same, in each of them."""
    here = tuple(slice(max(-step, 0), size - max(step, 0)) for step in shift)
    there = tuple(slice(max(step, 0), size - max(-step, 0)) for step in shift)
    return (here[0], here[1]), (there[0], there[1])


def _shift(kept: Floats, back: Floats) -> tuple[int, int]:
    """Rows and columns by which a grey picture was moved, (0, 0) unless that explains the difference better."""
    size = len(kept)
    window = _window(size)
    waves = [rfft2((grey - grey.mean()) * window) for grey in (kept, back)]
    cross = np.conj(waves[0]) * waves[1]
    peaks = irfft2(cross / np.maximum(np.abs(cross), 1e-6), s=(size, size))
    reach = max(size // _REACH, 2)
    near = np.roll(peaks, (reach, reach), axis=(0, 1))[: 2 * reach + 1, : 2 * reach + 1]
    highest = np.argsort(near, axis=None)[::-1][:_PEAKS]
    best, least = (0, 0), _BETTER * _apart(kept, back, (0, 0))
    for place in highest.tolist():
        shift = (place // near.shape[1] - reach, place % near.shape[1] - reach)
        apart = _apart(kept, back, shift)
        if apart < least and shift != (0, 0) and _correlation(kept, back, shift) >= _THE_SAME:
            best, least = shift, apart
    return best


@lru_cache(maxsize=8)
def _window(size: int) -> Floats:
    one = np.hanning(size).astype(np.float32)
    return one[:, None] * one[None, :]


def _apart(kept: Floats, back: Floats, shift: tuple[int, int]) -> float:
    """The mean difference of two grey pictures at a shift, whatever their light."""
    here, there = _overlap(len(kept), shift)
    first, second = kept[here], back[there]
    return float(np.abs(second * (first.mean() / max(float(second.mean()), 1.0)) - first).mean())


def _correlation(kept: Floats, back: Floats, shift: tuple[int, int]) -> float:
    here, there = _overlap(len(kept), shift)
    first, second = kept[here] - kept[here].mean(), back[there] - back[there].mean()
    scale = float(np.sqrt((first * first).sum() * (second * second).sum()))
    return float((first * second).sum()) / scale if scale else 0.0


def _light(first: Floats, second: Floats) -> float:
    """How many times as bright the second picture is; 1 unless that explains the difference better."""
    inside = (first > _CLIPPED[0]) & (first < _CLIPPED[1]) & (second > _CLIPPED[0]) & (second < _CLIPPED[1])
    if inside.mean() < 0.1:
        return 1.0
    one, other = first[inside][::_SOME], second[inside][::_SOME]
    light = float(np.median(other / one))
    off = np.abs(other - light * one)
    follows = off <= max(3 * float(np.median(off)), 3.0)
    one, other = one[follows], other[follows]
    light = float((one * other).sum() / (one * one).sum())
    if abs(light - 1) < _LEAST_LIGHT:
        return 1.0
    as_it_is, taken_back = np.abs(second - first).mean(), np.abs(second - first * light).mean()
    return light if taken_back <= _BETTER * as_it_is else 1.0


def _resaved(first: Image8, second: Image8, one: Difference) -> Floats | None:
    """How much of the luminance re-saving does not explain, (S, S), at the first picture's place; None if it does not.

    A copy may have been moved or lit before it was saved or after, and the first picture may be the re-saved one.
    """
    kept, back = first.astype(np.float32), second.astype(np.float32)
    lit = np.clip(kept * one.light, 0, 255)
    pairs = [(lit, back), (kept, back / one.light)] if one.light != 1 else [(kept, back)]
    for place in dict.fromkeys([one.shift, (0, 0)]):
        for before, after in pairs:
            moved = [np.roll(picture, place, (0, 1)) for picture in (before, after)]
            there = np.roll(one.seen, place, (0, 1))
            for transposed in dict.fromkeys([False, bool(one.turn[1] % 2)]):
                for swapped in (False, True):
                    left = left_by_jpeg(
                        moved[swapped], moved[not swapped], there, transposed=transposed, doubtful=swapped
                    )
                    if left is not None:
                        return np.roll(left, (-place[0], -place[1]), (0, 1))
    return None


def _places(left: Floats, luminance: Floats | None = None) -> NDArray[np.bool_]:
    """Where neighbouring pixels differ visibly together, (S, S).

    Args:
        left: (S, S, 3) what is left between the pictures, with its sign: colours that JPEG has blurred cancel.
        luminance: (S, S) how much of the luminance counts, if not all of it.
    """
    grey = left @ _LUMA
    colours = np.abs(uniform_filter(left - grey[..., None], (5, 5, 0))).max(axis=2)
    strong = uniform_filter(np.abs(grey) if luminance is None else luminance, 5) > _PLACE
    coloured = _PLACE if luminance is None else _COLOURED  # JPEG rounds colours coarsely
    numbered, number = label(strong | (colours > coloured))
    if not number:
        return strong
    sizes = np.bincount(numbered.ravel())
    sizes[0] = 0
    large: NDArray[np.bool_] = (sizes >= strong.size / _SMALLEST_PLACE)[numbered]
    return binary_dilation(large) if large.any() else large


def _grey(image: Image8) -> Floats:
    return np.asarray(image, np.float32) @ _LUMA


def _shifted(shift: tuple[int, int]) -> str:
    down, right = shift
    parts = []
    if right:
        parts.append(
            f"{abs(right)} {'pixel' if abs(right) == 1 else 'pixels'} to the {'right' if right > 0 else 'left'}"
        )
    if down:
        unit = "" if parts else " pixel" if abs(down) == 1 else " pixels"
        parts.append(f"{abs(down)}{unit} {'down' if down > 0 else 'up'}")
    return f"shifted by {' and '.join(parts)}" if parts else ""


def _lit(light: float) -> str:
    change = round(100 * (light - 1))
    return f"{'brighter' if change > 0 else 'darker'} by {abs(change)} %" if change else ""
