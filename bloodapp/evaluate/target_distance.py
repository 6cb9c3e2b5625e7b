"""How far two sets of images lie from each other: measure by measure, and in what a network sees. From arrays.

Whatever is said of the distance is said beside the same figure for two halves of one set, which are as near as can be.
"""

import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bloodapp.evaluate.target_measures import Measure

Table = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]

QUANTILES = (0.025, 0.25, 0.5, 0.75, 0.975)
NEAR, FAR = 0.25, 1.0
"""Of the Wasserstein distance in units of the training images' interquartile range: up to here near, from here far."""

AXES = 32
NEIGHBOURS = 10
FEWEST = 20
"""Images of a side below which no classifier is trained to tell the sides apart."""

_DRAWS = 200
_MIDDLE = np.linspace(0.025, 0.975, 96)
_FOLDS = 5
_Z = 1.959964


@dataclass(frozen=True)
class Gap:
    """How far one measure of the target images lies from that of the training images.

    Attributes:
        key: of the measure.
        train: the training images' quantiles, at QUANTILES.
        target: the target images'.
        scale: the training images' interquartile range, or the measure's least: the unit of what follows.
        effect: difference of the medians, target minus training.
        wasserstein: the Wasserstein-1 distance: how far the one distribution has to be moved to become the other;
            see `wasserstein`.
        chance: the distance that one in a hundred draws of so many training images exceeds.
    """

    key: str
    train: tuple[float, ...]
    target: tuple[float, ...]
    scale: float
    effect: float
    wasserstein: float
    chance: float

    @property
    def level(self) -> str:
        """`near`, `moved` or `far`; what chance may bring is near."""
        if not self.wasserstein > max(NEAR, self.chance):
            return "near"
        return "far" if self.wasserstein >= FAR else "moved"

    @property
    def below(self) -> bool:
        """Whether there are target images with less of it than training images have."""
        return min(self.target[0] - self.train[0], self.target[2] - self.train[2]) < -NEAR * self.scale

    @property
    def above(self) -> bool:
        """Whether there are target images with more of it."""
        return max(self.target[-1] - self.train[-1], self.target[2] - self.train[2]) > NEAR * self.scale

    @property
    def moved(self) -> bool:
        """Whether it lies farther away than chance brings, and far enough to count."""
        return self.level != "near"


def gap(measure: Measure, train: Table, target: Table, seed: int = 0) -> Gap | None:
    """The gap of one measure between values (N,) and (K,), NaN left out; None where a side has fewer than two.

    One target image will do: what chance brings for so few is told with it.
    """
    own, other = train[~np.isnan(train)], target[~np.isnan(target)]
    if len(own) < 2 or not len(other):
        return None
    low, high = np.quantile(own, (0.25, 0.75))
    scale = float(max(high - low, measure.least))
    rng = np.random.default_rng(seed)
    size = min(len(other), len(own) // 2)
    by_chance = []
    for _ in range(_DRAWS):
        order = rng.permutation(own)
        by_chance.append(wasserstein(order[:size], order[size:]) / scale)
    return Gap(
        measure.key,
        tuple(np.quantile(own, QUANTILES).tolist()),
        tuple(np.quantile(other, QUANTILES).tolist()),
        scale,
        float(np.median(other) - np.median(own)) / scale,
        wasserstein(own, other) / scale,
        float(np.quantile(by_chance, 0.99)),
    )


def wasserstein(one: Table, other: Table) -> float:
    """The Wasserstein-1 distance of two samples (N,) and (K,), of their middle 95 %: a mean over their quantiles.

    Trimmed, so that a few images that are no cells decide nothing (P. C. Álvarez-Esteban et al., "Trimmed comparison
    of distributions", Journal of the American Statistical Association 103, 2008).
    """
    return float(np.abs(np.quantile(one, _MIDDLE) - np.quantile(other, _MIDDLE)).mean())


@dataclass(frozen=True, eq=False)
class Axes:
    """What a network's layers say, standardised, on the directions in which images differ most (PCA).

    Attributes:
        middle: float64 (D,), the mean of the images that it was fitted on.
        spread: float64 (D,), their standard deviation, 1 where there is none.
        directions: float64 (D, K), unit columns.
    """

    middle: Table
    spread: Table
    directions: Table

    def of(self, features: Floats) -> Table:
        """Features float32 (N, D) on these axes, float64 (N, K)."""
        standard: Table = (features.astype(np.float64) - self.middle) / self.spread
        return standard @ self.directions


def axes(features: Floats, number: int = AXES) -> Axes:
    """The axes of features (N, D), at most `number`, and at most a fifth as many as there are images."""
    table = features.astype(np.float64)
    middle, spread = table.mean(0), table.std(0)
    spread = np.where(spread > 1e-6 * max(float(spread.max(initial=0)), 1e-12), spread, 1.0)
    standard = (table - middle) / spread
    wanted = max(1, min(number, len(table) // 5, table.shape[1]))
    _, directions = np.linalg.eigh(standard.T @ standard)
    return Axes(middle, spread, directions[:, ::-1][:, :wanted])


def nearest(points: Table, among: Table, *, itself: bool = False, neighbours: int = NEIGHBOURS) -> Table:
    """Mean distance to the nearest of `among` (M, K) for points (N, K), float64 (N,).

    With `itself` the points are `among`, and none is its own neighbour.
    """
    squares = (among**2).sum(1)
    found = np.empty(len(points))
    wanted = min(neighbours, len(among) - itself)
    if wanted < 1:
        return np.full(len(points), np.nan)
    for start in range(0, len(points), 256):
        block = points[start : start + 256]
        apart = np.maximum((block**2).sum(1)[:, None] + squares - 2 * block @ among.T, 0)
        if itself:
            apart[np.arange(len(block)), np.arange(start, start + len(block))] = np.inf
        found[start : start + 256] = np.sqrt(np.partition(apart, wanted - 1, axis=1)[:, :wanted]).mean(1)
    return found


@dataclass(frozen=True)
class Told:
    """How well a classifier tells two sets of images apart.

    Attributes:
        auc: area under its ROC curve on images it was not trained on: the share of pairs, one of either set, that it
            puts in the right order; 0.5 is guessing.
        low: of the 95 % interval (J. A. Hanley, B. J. McNeil, Radiology 143, 1982).
        high: its upper end.
    """

    auc: float
    low: float
    high: float

    @property
    def a_distance(self) -> float:
        """Proxy A-distance 2(1 - 2e), 0 to 2, with e = 1 - AUC for the error of Ben-David et al. (NIPS 2006)."""
        return min(max(2 * (2 * self.auc - 1), 0.0), 2.0)


def told_apart(one: Table, other: Table) -> Told | None:
    """How well a logistic regression tells rows (N, K) and (M, K) apart, by five-fold cross-validation.

    Equal rows are always in the same fold: a copy in both sets teaches nothing about itself. None where a side has
    fewer than FEWEST rows.
    """
    if min(len(one), len(other)) < FEWEST:
        return None
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score

    rows = np.concatenate([one, other])
    rows = (rows - rows.mean(0)) / np.maximum(rows.std(0), 1e-9)
    labels = np.repeat([0, 1], [len(one), len(other)])
    fold = np.array([zlib.crc32(np.round(row, 4).tobytes()) % _FOLDS for row in rows])
    areas, weights = [], []
    for held in range(_FOLDS):
        learns, asked = fold != held, fold == held
        if len(np.unique(labels[learns])) < 2 or len(np.unique(labels[asked])) < 2:
            continue
        model = LogisticRegression(C=0.1, class_weight="balanced", max_iter=500)
        scores = model.fit(rows[learns], labels[learns]).decision_function(rows[asked])
        areas.append(roc_auc_score(labels[asked], scores))
        weights.append(asked.sum())
    if not areas:
        return None
    area = float(np.average(areas, weights=weights))
    reach = _Z * _error(area, len(one), len(other))
    return Told(area, max(0.0, area - reach), min(1.0, area + reach))


def frechet(one: Table, other: Table) -> float:
    """The Fréchet distance of two sets of rows (N, K) and (M, K), each taken as one normal distribution.

    D. C. Dowson, B. V. Landau (1982); on a network's features, M. Heusel et al. (NIPS 2017). Few rows make it larger:
    compare it with that of as many others.
    """
    own, others = np.cov(one.T).reshape(one.shape[1], -1), np.cov(other.T).reshape(one.shape[1], -1)
    root = _root(own)
    crossed = np.linalg.eigvalsh(root @ others @ root)
    between = ((one.mean(0) - other.mean(0)) ** 2).sum()
    return float(between + np.trace(own) + np.trace(others) - 2 * np.sqrt(np.maximum(crossed, 0)).sum())


def halves(rows: Table, size: int, seed: int = 0) -> tuple[Table, Table]:
    """Two parts of rows (N, K) drawn by the seed: the first of `size` rows, of half of them at most, and the rest."""
    order = np.random.default_rng(seed).permutation(len(rows))
    cut = max(1, min(size, len(rows) // 2))
    return rows[order[:cut]], rows[order[cut:]]


def _root(matrix: Table) -> Table:
    values, vectors = np.linalg.eigh(matrix)
    root: Table = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    return root


def _error(area: float, ones: int, others: int) -> float:
    """The standard error of an area under the curve."""
    area = min(max(area, 1 - area), 1.0)
    first, second = area / (2 - area), 2 * area**2 / (1 + area)
    spread = area * (1 - area) + (ones - 1) * (first - area**2) + (others - 1) * (second - area**2)
    return float(np.sqrt(max(spread, 0) / (ones * others)))
