"""What features tell: blends, blur and exposure that no single measure shows, and pictures of no cell.

Works on the features of a run's network (`features`), of the dataset's pictures and of pictures that were `spoilt`
on purpose. Two questions are asked of every picture:

* Which kind of spoilt picture is it like, or is it a usual one? Linear discriminant analysis with a shrunk
  covariance (R. A. Fisher, 1936; O. Ledoit and M. Wolf, "Honey, I Shrunk the Sample Covariance Matrix", 2004), each
  picture asked of a classifier that has not seen it. How frequent each fault is here is then estimated from
  the answers themselves (M. Saerens, P. Latinne, C. Decaestecker, Neural Computation 14, 2002), so that an answer
  is a probability in this dataset and not among the pictures made for learning.
* How far is it from everything known? The distance to its k-th nearest neighbour among usual and spoilt
  pictures (S. Ramaswamy, R. Rastogi, K. Shim, SIGMOD 2000), in the metric of the usual ones (K. Lee et al., "A Simple
  Unified Framework for Detecting Out-of-Distribution Samples", NeurIPS 2018).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bloodapp.review.measures import Floats
from bloodapp.review.robust import middle_and_spread
from bloodapp.review.spoilt import FOREIGN, WAYS

Ints = NDArray[np.int64]

NEIGHBOURS = 5
FOLDS = 3
_ROUNDS = 2
_TRIMMINGS = 3
_SHRINKAGE = 0.1  # of the classifier's covariance
_BLUR = 0.25  # of the metric's: directions that hardly vary here say little about what is strange
_FEWEST = 40  # usual pictures
_MOST = 12_000  # usual pictures that are learned from and compared with: more make it slower and no better
_SMALL_VALUE = 0.05  # of a feature's spread: activations below count as nearly none
_FAR = 4.0
_NARROWEST = 0.02  # spread of a log distance


@dataclass(frozen=True, eq=False)
class Resemblance:
    """What the features say of N pictures.

    Attributes:
        kinds: the kinds of spoilt cells.
        probabilities: (N, 1 + len(kinds)) of being a usual picture or one of these.
        foreign: (N,) probability of being like the foreign pictures, and not like a usual one.
        strangeness: (N,) log distance from the kind that the picture is least far from, in robust standard deviations
            of what that distance is within the kind.
    """

    kinds: tuple[str, ...]
    probabilities: NDArray[np.float64]
    foreign: NDArray[np.float64]
    strangeness: NDArray[np.float64]

    def of(self, kind: str) -> NDArray[np.float64]:
        """The probabilities (N,) of a kind."""
        return self.probabilities[:, 1 + self.kinds.index(kind)]


def compare(features: Floats, made: Mapping[str, Floats], group: Ints, *, seed: int = 0) -> Resemblance:
    """Ask the two questions of the module of N pictures.

    Args:
        features: (N, D) of the dataset's pictures.
        made: for each of the `WAYS` of spoiling the features (M, D) of pictures made so.
        group: (N,) the position of the first of each picture's group: copies are learned from once, and asked
            of a classifier that has not seen any of them.
        seed: of the folds and of the choice, where there are more pictures than are needed.
    """
    rng = np.random.default_rng(seed)
    firsts = np.unique(group)
    usual = rng.permutation(firsts)[:_MOST]
    fold = rng.integers(0, FOLDS, len(group))[group]
    scale = _Scale.of(features[firsts])
    own = scale(features)
    spoilt = {way: scale(made[way]) for way in WAYS if way in made}
    cells = {way: values for way, values in spoilt.items() if WAYS[way][0] != FOREIGN}
    strangers = {way: values for way, values in spoilt.items() if WAYS[way][0] == FOREIGN}
    kinds = tuple(dict.fromkeys(WAYS[way][0] for way in cells))
    usual = _without_the_farthest(own, usual)
    # Asked apart: foreign pictures are so various that what they vary in would drown what a blend differs in.
    probabilities, foreign = np.zeros((len(own), 1 + len(kinds))), np.zeros((len(own), 2))
    for _ in range(_ROUNDS):
        probabilities = _asked(own, cells, usual, fold, kinds)
        foreign = _asked(own, strangers, usual, fold, (FOREIGN,))
        sound = usual[(probabilities[usual, 0] > 0.5) & (foreign[usual, 0] > 0.5)]
        usual = sound if len(sound) > _FEWEST else usual
    return Resemblance(kinds, probabilities, foreign[:, 1], _strangeness(own, list(cells.values()), usual))


@dataclass(frozen=True)
class _Scale:
    """Activations are many small and few large values: their logarithms, in robust standard deviations."""

    unit: Floats
    middle: Floats
    spread: Floats

    @classmethod
    def of(cls, values: Floats) -> "_Scale":
        unit = np.maximum(_SMALL_VALUE * values.std(axis=0), 1e-9)
        logs = _log(values, unit)
        middle = np.median(logs, axis=0)
        spread = 1.4826 * np.median(np.abs(logs - middle), axis=0)
        return cls(unit, middle, np.maximum(spread, 0.3 * logs.std(axis=0)) + 1e-6)

    def __call__(self, values: Floats) -> Floats:
        return np.clip((_log(values, self.unit) - self.middle) / self.spread, -10, 10).astype(np.float32)


def _log(values: Floats, unit: Floats) -> Floats:
    return np.sign(values) * np.log1p(np.abs(values) / unit)


def _without_the_farthest(own: Floats, usual: Ints) -> Ints:
    """The pictures less those far from the middle of all, in the metric of those that are not.

    Twenty pieces of one photograph are each other's neighbours; they are all far from the middle.
    """
    kept = usual
    for _ in range(_TRIMMINGS):
        log = np.log(np.linalg.norm((own[usual] - own[kept].mean(axis=0)) @ _metric(own[kept]), axis=1))
        middle, spread = middle_and_spread(log[np.isin(usual, kept)], _NARROWEST)
        near = usual[(log - middle) / spread < _FAR]
        if len(near) <= _FEWEST:
            break
        kept = near
    return kept


def _asked(
    own: Floats, spoilt: Mapping[str, Floats], usual: Ints, fold: Ints, kinds: tuple[str, ...]
) -> NDArray[np.float64]:
    """Probabilities (N, 1 + K) of the pictures, each from a classifier that learned from the other folds.

    Each way of spoiling is a class of its own, for a moved picture differs from one out of focus; the ways of a kind
    are added up.
    """
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    made = np.concatenate(list(spoilt.values()))
    way = np.repeat(np.arange(1, 1 + len(spoilt)), [len(one) for one in spoilt.values()])
    said = np.zeros((len(own), 1 + len(spoilt)))
    for number in range(FOLDS):
        others = usual[fold[usual] != number]
        model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=_SHRINKAGE)
        model.fit(np.concatenate([own[others], made]), np.concatenate([np.zeros(len(others), int), way]))
        mine = fold == number
        if mine.any():
            said[mine] = model.predict_proba(own[mine])
    shares = np.bincount(way, minlength=1 + len(spoilt)).astype(float)
    shares[0] = len(usual) * (FOLDS - 1) / FOLDS
    right = _at_home(said, shares / shares.sum())
    by_kind = [right[:, 0]]
    for kind in kinds:
        of_kind = [1 + number for number, name in enumerate(spoilt) if WAYS[name][0] == kind]
        by_kind.append(right[:, of_kind].sum(axis=1))
    return np.stack(by_kind, axis=1)


def _at_home(said: NDArray[np.float64], learned: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities corrected from the shares that were learned from to those that the pictures have (Saerens)."""
    share = learned
    right = said
    for _ in range(100):
        right = said * (share / learned)
        right /= np.maximum(right.sum(axis=1, keepdims=True), 1e-300)
        share = np.maximum(right.mean(axis=0), 1 / (10 * len(said)))
    return right


def _strangeness(own: Floats, known: list[Floats], usual: Ints) -> NDArray[np.float64]:
    """How far each picture (N,) is from everything known: from the kind that it is least far from.

    The logarithm of the distance to the k-th nearest picture of a kind, in robust standard deviations of what that
    distance is among the pictures of the kind themselves: dark cells lie further apart than usual ones.
    """
    white = _metric(own[usual])
    asked = own @ white
    strangeness = np.full(len(own), np.inf)
    for made in (None, *known):
        among = asked[usual] if made is None else made @ white
        # A picture of the kind is its own nearest; of the others only the usual ones are among those asked.
        apart = np.log(_to_neighbour(among, among, NEIGHBOURS + 1))
        middle, spread = middle_and_spread(apart, _NARROWEST)
        log = np.log(_to_neighbour(asked, among, NEIGHBOURS + (made is None)))
        strangeness = np.minimum(strangeness, (log - middle) / spread)
    return strangeness


def _to_neighbour(asked: Floats, among: Floats, number: int) -> Floats:
    """The distance (N,) of each asked picture to its so-manieth nearest among others."""
    from sklearn.neighbors import NearestNeighbors

    nearest = NearestNeighbors(n_neighbors=min(number, len(among)), algorithm="brute").fit(among)
    distance: Floats = nearest.kneighbors(asked)[0][:, -1]
    return np.maximum(distance, np.float32(1e-6))


def _metric(values: Floats) -> Floats:
    """The matrix (D, D) that makes the spread of values (N, D) the same in every direction, as far as it is known."""
    covariance = np.cov(values.T)
    shrunk = (1 - _BLUR) * covariance + _BLUR * np.trace(covariance) / len(covariance) * np.eye(
        len(covariance)
    )
    return np.linalg.cholesky(np.linalg.inv(shrunk)).astype(np.float32)
