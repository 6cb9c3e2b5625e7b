"""Agreement of readers: scikit-learn's κ to the last digits, an interval that holds what it promises, and the pairs."""

import warnings

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from bloodapp.data.readings import CANNOT_TELL, UNREAD
from bloodapp.review.agreement import Agreement, agree, kappa_interval


def two_readers(
    rng: np.random.Generator, number: int, classes: int, share: float
) -> tuple[np.ndarray, np.ndarray]:
    """Two scripted readers who name a share of the images alike, the rest at random."""
    weights = rng.dirichlet(np.ones(classes))
    first = rng.choice(classes, number, p=weights)
    second = np.where(rng.random(number) < share, first, rng.choice(classes, number, p=weights))
    return first, second


def sklearn_says(first: np.ndarray, second: np.ndarray) -> float:
    """κ as scikit-learn has it, NaN where it cannot be known."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(cohen_kappa_score(first, second))


@pytest.mark.parametrize("seed", range(40))
def test_kappa_is_scikit_learns(seed: int) -> None:
    """On random readers, of two classes or many, on few images or thousands, in any class order."""
    rng = np.random.default_rng(seed)
    classes = int(rng.integers(2, 12))
    first, second = two_readers(rng, int(rng.integers(1, 3000)), classes, float(rng.random()))
    mine, theirs = agree(first, second, classes).kappa.value, sklearn_says(first, second)
    assert mine == pytest.approx(theirs, abs=1e-12, nan_ok=True)
    assert agree(second, first, classes).kappa.value == pytest.approx(mine, abs=1e-12, nan_ok=True)
    assert agree(classes - 1 - first, classes - 1 - second, classes).kappa.value == pytest.approx(
        mine, abs=1e-12, nan_ok=True
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ([0, 1, 2], [0, 1, 2]),
        ([0, 1], [1, 0]),
        ([0, 0, 1, 1], [0, 1, 0, 1]),
        ([3, 3, 3], [3, 3, 3]),
        ([3, 3, 3], [1, 1, 1]),
        ([0], [0]),
        ([0], [1]),
        ([0, 0, 0, 1], [0, 0, 0, 0]),
    ],
)
def test_kappa_at_the_edges_is_scikit_learns(first: list[int], second: list[int]) -> None:
    """Full agreement, none, chance, one class alone, one image alone."""
    theirs = sklearn_says(np.array(first), np.array(second))
    said = agree(first, second, 4).kappa
    assert said.value == pytest.approx(theirs, abs=1e-12, nan_ok=True)
    if np.isnan(theirs):
        assert np.isnan([said.low, said.high]).all()
    else:
        assert -1 <= said.low <= said.value <= said.high <= 1


def test_of_nothing_nothing_is_known() -> None:
    """Readers without an image in common have no κ and no agreement."""
    said = agree([UNREAD, 1, CANNOT_TELL], [2, UNREAD, 1], 3)
    assert said.count == 0
    assert np.isnan([said.kappa.value, said.observed.value, said.classes[0].agreement.value]).all()
    assert said.pairs == ()
    assert agree([], [], 8).count == 0


def test_the_interval_is_the_published_one() -> None:
    """The example of J. L. Fleiss, "Statistical Methods for Rates and Proportions", ch. 18: κ = 0.68, s.e. = 0.087.

    Two raters of a hundred patients: psychotic, neurotic, organic.
    """
    table = np.array([[75, 1, 4], [5, 4, 1], [0, 0, 10]])
    said = kappa_interval(table)
    assert said.value == pytest.approx(0.68, abs=5e-3)
    assert (said.high - said.low) / 2 / 1.959964 == pytest.approx(0.087, abs=1e-3)


def test_the_interval_holds_what_it_promises() -> None:
    """Of 800 pairs of readers of 300 images each, about 95 in a hundred intervals hold the true κ."""
    rng = np.random.default_rng(1)
    shares = (
        rng.dirichlet(np.full(36, 0.5)).reshape(6, 6) * 0.4 + np.diag(rng.dirichlet(np.full(6, 5.0))) * 0.6
    )
    chance = shares.sum(1) @ shares.sum(0)
    true = (np.trace(shares) - chance) / (1 - chance)
    drawn = rng.multinomial(300, shares.ravel(), size=800).reshape(-1, 6, 6)
    inside = [said.low <= true <= said.high for said in map(kappa_interval, drawn)]
    assert 0.93 <= np.mean(inside) <= 0.97


def test_full_agreement_is_not_certainty() -> None:
    """Ten images named alike leave room for doubt, a thousand for less."""
    ten, thousand = (kappa_interval(np.diag([n, n])) for n in (5, 500))
    assert ten.value == thousand.value == 1
    assert ten.low < 0.7 < 0.98 < thousand.low < 1
    assert ten.high == 1


def scripted() -> Agreement:
    """Nine images: five alike, two of class 0 and 1 confused one way, one the other way, one of 1 and 2."""
    first = [0, 0, 1, 2, 2, 0, 0, 1, 1, CANNOT_TELL, 3, CANNOT_TELL, UNREAD]
    second = [0, 0, 1, 2, 2, 1, 1, 0, 2, 1, CANNOT_TELL, CANNOT_TELL, 0]
    return agree(first, second, 4)


def test_what_cannot_be_told_is_counted_and_left_out() -> None:
    """κ is that of the images that both named; how many each could not tell is said beside it."""
    said = scripted()
    assert said.count == said.matrix.sum() == 9
    assert said.cannot_tell == (2, 2, 1)
    first, second = [0, 0, 1, 2, 2, 0, 0, 1, 1], [0, 0, 1, 2, 2, 1, 1, 0, 2]
    assert said.kappa.value == pytest.approx(cohen_kappa_score(first, second), abs=1e-12)
    assert said.observed.value == pytest.approx(5 / 9)
    assert 0 < said.observed.low < 5 / 9 < said.observed.high < 1


def test_the_confused_pairs() -> None:
    """Both directions of a pair are one, the most frequent first, and which reader took which for what is kept."""
    pairs = scripted().pairs
    assert [(pair.a, pair.b, pair.count, pair.first_a, pair.first_b) for pair in pairs] == [
        (0, 1, 3, 2, 1),
        (1, 2, 1, 1, 0),
    ]
    assert [pair.share for pair in pairs] == pytest.approx([3 / 6, 1 / 4])


def test_agreement_about_each_class() -> None:
    """2 both / (first + second), an interval around it, and NaN for a class that nobody names."""
    said = scripted().classes
    assert [(one.first, one.second, one.both) for one in said] == [(4, 3, 2), (3, 3, 1), (2, 3, 2), (0, 0, 0)]
    assert [one.agreement.value for one in said[:3]] == pytest.approx([4 / 7, 2 / 6, 4 / 5])
    assert all(one.agreement.low < one.agreement.value < one.agreement.high for one in said[:3])
    assert np.isnan(said[3].agreement.value)
