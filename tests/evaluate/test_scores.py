"""The figures of a run are scikit-learn's, and their intervals hold the truth as often as they say."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from bloodapp.errors import InvalidValue
from bloodapp.evaluate import scores
from bloodapp.evaluate.metrics import confusion

Answers = tuple[np.ndarray, np.ndarray]


@st.composite
def answers(draw: st.DrawFn) -> Answers:
    """Labels and probabilities of 2 to 60 images over 2 to 8 classes; some classes missing, many ties."""
    classes = draw(st.integers(2, 8))
    n = draw(st.integers(2, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    there = rng.permutation(classes)[: draw(st.integers(1, classes))]
    labels = rng.choice(there, n)
    levels = draw(st.sampled_from([2, 5, 1000]))
    table = rng.integers(1, levels + 1, (n, classes)).astype(np.float32)
    table[np.arange(n), labels] += draw(st.sampled_from([0, 1, 3]))
    return labels, table / table.sum(1, keepdims=True)


def expected(labels: np.ndarray, table: np.ndarray) -> dict[str, float]:
    """What scikit-learn says; the AUC of a class that cannot be judged is left out of the mean."""
    predicted = table.argmax(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of classes without images or answers
        precision, recall, f1, _ = sk.precision_recall_fscore_support(
            labels, predicted, average="macro", zero_division=0
        )
        kappa = sk.cohen_kappa_score(labels, predicted)
        balanced = sk.balanced_accuracy_score(labels, predicted)
    aucs = [
        sk.roc_auc_score(labels == k, table[:, k])
        for k in range(table.shape[1])
        if 0 < (labels == k).sum() < len(labels)
    ]
    return {
        "accuracy": sk.accuracy_score(labels, predicted),
        "balanced_accuracy": balanced,
        "precision": precision,
        "recall": recall,
        "f1": f1,
        "auc": float(np.mean(aucs)) if aucs else np.nan,
        "kappa": kappa,
    }


@settings(deadline=None, max_examples=80, derandomize=True)
@given(answers())
def test_every_figure_is_scikit_learns(some: Answers) -> None:
    """Equal to 1e-12, with missing classes, classes never named, ties and a single class."""
    found = scores.scores(*some, draws=2)
    for name, value in expected(*some).items():
        np.testing.assert_allclose(found[name].value, value, rtol=0, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("seed", range(3))
def test_the_macro_auc_is_that_of_one_against_the_rest(seed: int) -> None:
    """Where every class occurs it is `roc_auc_score(multi_class="ovr", average="macro")`, each class's AUC its own."""
    labels, table = drawn(500, 5, 1.0, seed)
    found = scores.score(labels, table, draws=20)
    table = table.astype(np.float64)
    table /= table.sum(1, keepdims=True)
    exact = scores.score(labels, table, draws=2)
    want = sk.roc_auc_score(labels, table, multi_class="ovr", average="macro")
    assert exact.overall["auc"].value == pytest.approx(want, abs=1e-12)
    own = [sk.roc_auc_score(labels == k, table[:, k]) for k in range(5)]
    np.testing.assert_allclose(exact.auc[:, 0], own, rtol=0, atol=1e-12)
    assert (found.auc[:, 1] < found.auc[:, 0]).all()
    assert (found.auc[:, 2] > found.auc[:, 0]).all()


@settings(deadline=None, max_examples=40, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.sampled_from([2, 4, 30]))
def test_a_resample_is_weighted_as_scikit_learn_weighs(seed: int, levels: int) -> None:
    """The AUC of images that were drawn several times, or not at all, with ties."""
    rng = np.random.default_rng(seed)
    positive = rng.random(30) < 0.4
    value = rng.integers(0, levels, 30).astype(np.float32)
    weights = rng.integers(0, 3, (30, 4)).astype(np.float32)
    found = scores._weighted_auc(value, positive, weights)
    for one, weight in zip(found, weights.T, strict=True):
        if weight[positive].sum() and weight[~positive].sum():
            assert one == pytest.approx(sk.roc_auc_score(positive, value, sample_weight=weight), abs=1e-12)
        else:
            assert np.isnan(one)


def drawn(n: int, classes: int, apart: float, seed: int) -> Answers:
    """Labels of uneven frequency, and the probabilities of a classifier whose scores lie so far apart."""
    rng = np.random.default_rng(seed)
    frequency = np.linspace(1, 3, classes)
    labels = rng.choice(classes, n, p=frequency / frequency.sum())
    table = rng.normal(size=(n, classes))
    table[np.arange(n), labels] += apart
    table = np.exp(table)
    return labels, (table / table.sum(1, keepdims=True)).astype(np.float32)


def test_the_intervals_cover() -> None:
    """Of 300 simulated test sets of 300 images, 90 to 98 % of the intervals hold the figure of 200,000 images."""
    labels, table = drawn(200_000, 4, 2.0, 999)
    truth = {name: one.value for name, one in scores.scores(labels, table, draws=2).items()}
    hits = dict.fromkeys(truth, 0)
    for seed in range(300):
        for name, one in scores.scores(*drawn(300, 4, 2.0, seed), draws=400, seed=seed).items():
            hits[name] += one.low <= truth[name] <= one.high
    covered = {name: number / 300 for name, number in hits.items()}
    assert all(0.90 <= share <= 0.98 for share in covered.values()), covered


def test_the_draws_are_seeded() -> None:
    """The same seed gives the same intervals, another one others."""
    some = drawn(200, 3, 1.0, 1)
    assert scores.scores(*some, seed=4) == scores.scores(*some, seed=4)
    one, other = scores.scores(*some, seed=4), scores.scores(*some, seed=5)
    assert all(one[name].low != other[name].low for name in ("f1", "auc", "kappa"))


def test_nothing_wrong_is_not_certain() -> None:
    """Without a mistake every figure is 1 and its interval reaches below, the AUC's by the rarest class."""
    labels = np.repeat([0, 1, 2], [50, 30, 20])
    found = scores.score(labels, np.eye(3, dtype=np.float32)[labels])
    for one in found.overall.values():
        assert (one.value, one.high) == (1, 1)
        assert 0.7 < one.low < 0.99
    assert found.overall["auc"].low == pytest.approx(0.025 ** (1 / 20))
    assert found.auc[0, 1] == pytest.approx(0.025 ** (1 / 50))


def test_one_class_alone_and_no_image_at_all() -> None:
    """What cannot be known is NaN; what can is told."""
    alone = scores.scores([1, 1, 1], np.tile(np.float32([0.2, 0.8]), (3, 1)))
    assert alone["accuracy"].value == 1
    assert np.isnan(alone["auc"].value)
    assert np.isnan(alone["kappa"].value)
    nothing = scores.scores(np.zeros(0, int), np.zeros((0, 3), np.float32))
    assert all(np.isnan(one.value) for one in nothing.values())


def test_kappa_of_agreement_by_chance_is_zero() -> None:
    """Answers that have nothing to do with the labels agree no more than chance; opposite ones less."""
    assert scores.kappa([[25, 25], [25, 25]]) == 0
    assert scores.kappa([[0, 50], [50, 0]]) == -1
    assert scores.kappa(np.stack([np.diag([3, 4]), [[1, 1], [1, 1]]])).tolist() == [1, 0]


def test_wrong_labels_are_refused() -> None:
    """A label that is no class is a sentence, as in the matrix."""
    with pytest.raises(InvalidValue):
        scores.scores([3], np.ones((1, 2), np.float32))
    assert confusion([0], [1], 2).sum() == 1
