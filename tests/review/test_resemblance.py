"""What features tell, on features whose answers are known."""

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from bloodapp.review import resemblance as module
from bloodapp.review.resemblance import Resemblance, compare
from bloodapp.review.spoilt import FOREIGN, WAYS

Floats = NDArray[np.float32]

WIDTH, MADE = 40, 80
CELL_WAYS = [way for way, (kind, _) in WAYS.items() if kind != FOREIGN]
STRANGE_WAYS = [way for way, (kind, _) in WAYS.items() if kind == FOREIGN]


def usual(count: int, rng: np.random.Generator) -> Floats:
    """Features of cells: a cloud in many directions, of three classes."""
    middles = np.zeros((3, WIDTH))
    middles[[0, 1, 2], [0, 1, 2]] = 3
    return (5 + middles[rng.integers(0, 3, count)] + rng.normal(0, 1, (count, WIDTH))).astype(np.float32)


def in_way(way: str, count: int, rng: np.random.Generator) -> Floats:
    """Features of cells spoilt in a way: the cloud, moved in a direction of the way's own; foreign ones further."""
    number = list(WAYS).index(way)
    moved = usual(count, rng)
    moved[:, 10 + number] += rng.uniform(8, 12, count) * (1.5 if WAYS[way][0] == FOREIGN else 1)
    return moved


def far_away(count: int, rng: np.random.Generator, spread: float = 1.0) -> Floats:
    """Features of pictures that are like nothing that anybody has made on purpose."""
    place = usual(1, rng) + np.where(np.arange(WIDTH) > 25, 14, 0)
    return (place + rng.normal(0, spread, (count, WIDTH))).astype(np.float32)


@dataclass(frozen=True)
class Planted:
    """600 cells, 12 pictures spoilt in each way for cells, 12 foreign ones; where they are."""

    features: Floats
    made: dict[str, Floats]
    kind: NDArray[np.object_]

    @property
    def alone(self) -> NDArray[np.int64]:
        """The groups of pictures without copies."""
        return np.arange(len(self.features))


@pytest.fixture(scope="module")
def planted() -> Planted:
    """See `Planted`."""
    rng = np.random.default_rng(8)
    ways = [*CELL_WAYS, STRANGE_WAYS[0]]
    features = np.concatenate([usual(600, rng), *(in_way(way, 12, rng) for way in ways)])
    kind = np.array(["usual"] * 600 + [WAYS[way][0] for way in ways for _ in range(12)], object)
    return Planted(features, {way: in_way(way, MADE, rng) for way in WAYS}, kind)


@pytest.fixture(scope="module")
def seen(planted: Planted) -> Resemblance:
    """What is said of them."""
    return compare(planted.features, planted.made, planted.alone)


def test_probabilities_are_probabilities(planted: Planted, seen: Resemblance) -> None:
    """One row a picture that sums to 1, one column for the usual ones and for every kind of spoilt cell."""
    assert seen.kinds == ("blend", "blurred", "dark", "bright")
    assert seen.probabilities.shape == (len(planted.features), 5)
    np.testing.assert_allclose(seen.probabilities.sum(axis=1), 1, atol=1e-9)
    assert ((seen.foreign >= 0) & (seen.foreign <= 1)).all()
    assert np.isfinite(seen.strangeness).all()


@pytest.mark.parametrize("kind", ["blend", "blurred", "dark", "bright"])
def test_every_kind_of_spoilt_cell_is_recognised(planted: Planted, seen: Resemblance, kind: str) -> None:
    """All its ways together; hardly a usual picture is taken for one."""
    said = seen.of(kind)
    assert (said[planted.kind == kind] > 0.5).mean() >= 0.9
    assert (said[planted.kind == "usual"] > 0.5).mean() <= 0.01


def test_foreign_pictures_are_told_from_usual_ones(planted: Planted, seen: Resemblance) -> None:
    """Like the foreign pictures made for learning, and no usual picture is."""
    assert (seen.foreign[planted.kind == FOREIGN] > 0.5).mean() >= 0.9
    assert (seen.foreign[planted.kind == "usual"] > 0.5).mean() <= 0.01


def test_answers_fit_the_shares_here_and_not_those_of_the_lesson(planted: Planted, seen: Resemblance) -> None:
    """A quarter of the lesson is dark, one in thirty pictures is: the answers add up to what was planted."""
    for place, kind in enumerate(("usual", *seen.kinds)):
        if kind != "usual":
            told = seen.probabilities[:, place].sum()
            assert told == pytest.approx((planted.kind == kind).sum(), abs=4)


def test_where_nothing_is_spoilt_next_to_nothing_is_said_to_be(planted: Planted) -> None:
    """Among 600 usual pictures at most six are taken for anything."""
    rng = np.random.default_rng(9)
    got = compare(usual(600, rng), planted.made, np.arange(600))
    assert (got.probabilities[:, 0] < 0.5).sum() <= 6
    assert (got.foreign > 0.5).sum() <= 6


def test_the_same_seed_says_the_same(planted: Planted, seen: Resemblance) -> None:
    """To the last bit; another seed says nearly the same."""
    again = compare(planted.features, planted.made, planted.alone)
    for name in ("probabilities", "foreign", "strangeness"):
        assert np.array_equal(getattr(again, name), getattr(seen, name))
    other = compare(planted.features, planted.made, planted.alone, seed=4)
    assert not np.array_equal(other.probabilities, seen.probabilities)
    assert np.abs(other.probabilities - seen.probabilities).mean() < 0.02


def test_a_picture_far_from_everything_is_strange(planted: Planted, seen: Resemblance) -> None:
    """Stranger than all cells, usual or spoilt."""
    rng = np.random.default_rng(10)
    features = np.concatenate([planted.features, far_away(1, rng)])
    got = compare(features, planted.made, np.arange(len(features)))
    assert got.strangeness[-1] > got.strangeness[:-1].max() + 1
    assert abs(np.median(seen.strangeness[planted.kind == "usual"])) < 0.5


@pytest.mark.parametrize("spread", [0.0, 0.3])
def test_pieces_of_one_photograph_do_not_hide_one_another(planted: Planted, spread: float) -> None:
    """Ten are each other's neighbours, and far from the middle of all: none is learned from as usual."""
    rng = np.random.default_rng(11)
    features = np.concatenate([usual(1500, rng), far_away(10, rng, spread)])
    got = compare(features, planted.made, np.arange(len(features)))
    assert got.strangeness[-10:].min() > got.strangeness[:-10].max()


def test_copies_are_asked_of_a_classifier_that_has_not_seen_them(
    planted: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All images of a group are in one fold, and only the first of them is ever learned from."""
    asked = []
    original = module._asked

    def watched(own, spoilt, usual, fold, kinds):
        asked.append((usual, fold))
        return original(own, spoilt, usual, fold, kinds)

    monkeypatch.setattr(module, "_asked", watched)
    features = np.concatenate([planted.features, np.repeat(planted.features[:1], 30, axis=0)])
    group = np.arange(len(features))
    group[-30:] = 0
    got = compare(features, planted.made, group)
    assert len(asked) == 2 * module._ROUNDS
    for learned, fold in asked:
        assert len(np.unique(fold[group == 0])) == 1
        assert learned.max() < len(planted.features)
        assert set(np.unique(fold)) == set(range(module.FOLDS))
    np.testing.assert_allclose(got.probabilities[-30:], got.probabilities[[0] * 30], atol=1e-9)


def test_a_feature_that_never_varies_does_no_harm(planted: Planted) -> None:
    """Dead units of a network are constant, here and in the lesson: the answers stay finite and right."""
    dead = [np.zeros((len(planted.features), 3), np.float32)]
    features = np.concatenate([planted.features, *dead], axis=1)
    made = {
        way: np.concatenate([values, np.zeros((len(values), 3), np.float32)], axis=1)
        for way, values in planted.made.items()
    }
    got = compare(features, made, planted.alone)
    assert np.isfinite(got.probabilities).all() and np.isfinite(got.strangeness).all()
    assert (got.of("dark")[planted.kind == "dark"] > 0.5).mean() >= 0.9
