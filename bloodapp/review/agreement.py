"""How far two readers agree, beyond chance, and about which classes they do not.

Cohen's κ (J. Cohen, Educ. Psychol. Meas. 20, 1960) with the large-sample interval of J. L. Fleiss, J. Cohen and
B. S. Everitt, Psychol. Bull. 72, 1969. Agreement about one class is the positive agreement 2a / (2a + b + c) of
D. V. Cicchetti and A. R. Feinstein, J. Clin. Epidemiol. 43, 1990.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from bloodapp.data.counts import Interval, Z, kappa, wilson
from bloodapp.data.readings import CANNOT_TELL

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Confused:
    """Two classes that readers take for one another.

    Attributes:
        a: the one class, a label.
        b: the other, a higher label.
        count: images that one of the readers takes for `a` and the other for `b`.
        first_a: those of them that the first reader takes for `a`.
        first_b: those of them that the first reader takes for `b`.
        share: `count` among all images that both readers name `a` or `b`, each in any way.
    """

    a: int
    b: int
    count: int
    first_a: int
    first_b: int
    share: float


@dataclass(frozen=True)
class OfClass:
    """Agreement about one class.

    Attributes:
        label: the class.
        first: images that the first reader takes for it.
        second: images that the second does.
        both: images that both do.
        agreement: 2 both / (first + second) with its interval, NaN where neither names it.
    """

    label: int
    first: int
    second: int
    both: int
    agreement: Interval


@dataclass(frozen=True, eq=False)
class Agreement:
    """What two readers have in common, on the images that both have read.

    Attributes:
        count: images that both named.
        cannot_tell: images that both read and the first, the second, and both could not tell; they count nowhere else.
        matrix: int64 (C, C), images by the first reader's class (rows) and the second's.
        observed: the share named alike, with Wilson's interval.
        kappa: Cohen's κ with its interval; NaN where it cannot be known.
        classes: agreement about each class, in the order of the labels.
        pairs: the pairs of classes that were confused at all, most confused first.
    """

    count: int
    cannot_tell: tuple[int, int, int]
    matrix: Counts
    observed: Interval
    kappa: Interval
    classes: tuple[OfClass, ...]
    pairs: tuple[Confused, ...]


def agree(first: npt.ArrayLike, second: npt.ArrayLike, classes: int) -> Agreement:
    """How far two readers agree about the same images.

    `first` and `second` are (N,) in one order: labels in 0..C-1, CANNOT_TELL, or UNREAD, as `readings.answers` gives
    them; labels as they were at the time (`Sample.labels`) will do for either.
    """
    one, two = (np.asarray(each, np.int64).ravel() for each in (first, second))
    read = (one >= CANNOT_TELL) & (two >= CANNOT_TELL)
    blank_one, blank_two = read & (one == CANNOT_TELL), read & (two == CANNOT_TELL)
    named = read & ~blank_one & ~blank_two
    matrix = np.zeros((classes, classes), np.int64)
    np.add.at(matrix, (one[named], two[named]), 1)
    return Agreement(
        count=int(named.sum()),
        cannot_tell=(int(blank_one.sum()), int(blank_two.sum()), int((blank_one & blank_two).sum())),
        matrix=matrix,
        observed=Interval(*wilson(int(np.trace(matrix)), int(matrix.sum()))),
        kappa=kappa_interval(matrix),
        classes=tuple(_of_class(matrix, label) for label in range(classes)),
        pairs=_pairs(matrix),
    )


def kappa_interval(matrix: npt.ArrayLike) -> Interval:
    """Cohen's κ of a table (C, C) of counts with its 95 % interval after Fleiss, Cohen and Everitt.

    Where readers agree about all images or none, the formula knows no error, as no sample of these could show one:
    there the interval reaches as far as Wilson's for the share named alike does. NaN where both name one and the same
    class alone, or nothing.
    """
    counts = np.asarray(matrix, np.float64)
    value, total = float(kappa(counts)), counts.sum()
    if np.isnan(value):
        return Interval(value, value, value)
    table = counts / total
    rows, columns = table.sum(1), table.sum(0)
    observed, chance = float(np.trace(table)), float(rows @ columns)
    # The slope of κ in each cell of the table; its variance over the images is that of κ (the delta method).
    slope = np.eye(len(table)) * (1 - chance) - (1 - observed) * (columns[:, None] + rows[None, :])
    slope /= (1 - chance) ** 2
    variance = float((table * slope**2).sum() - (table * slope).sum() ** 2) / total
    reach = Z * np.sqrt(max(variance, 0.0))
    low, high = value - reach, value + reach
    if observed in (0.0, 1.0):
        _, least, most = wilson(int(np.trace(counts)), int(total))
        low = min(low, (least - chance) / (1 - chance))
        high = max(high, (most - chance) / (1 - chance))
    return Interval(value, float(max(low, -1.0)), float(min(high, 1.0)))


def _of_class(matrix: Counts, label: int) -> OfClass:
    first, second, both = int(matrix[label].sum()), int(matrix[:, label].sum()), int(matrix[label, label])
    # Of the images that anybody takes for the class, both do a share s: that is a plain share, and 2s / (1 + s) rises
    # with it, so its interval's ends do, too.
    shares = np.array(wilson(both, first + second - both))
    return OfClass(label, first, second, both, Interval(*(2 * shares / (1 + shares)).tolist()))


def _pairs(matrix: Counts) -> tuple[Confused, ...]:
    found = []
    for a, b in combinations(range(len(matrix)), 2):
        there, back = int(matrix[a, b]), int(matrix[b, a])
        if there + back:
            either = int(matrix[np.ix_([a, b], [a, b])].sum())
            found.append(Confused(a, b, there + back, there, back, (there + back) / either))
    return tuple(sorted(found, key=lambda pair: (-pair.count, -pair.share, pair.a, pair.b)))
