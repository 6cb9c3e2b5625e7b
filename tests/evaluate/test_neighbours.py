"""Nearest training cells: exact, never the image itself, and put into words."""

import numpy as np
import pytest

from bloodapp.evaluate.neighbours import in_words, nearest, purity

TITLES = ["A", "B", "C"]


@pytest.mark.parametrize("count", [3, 700])
def test_they_are_those_of_a_plain_search(count: int) -> None:
    """The same rows and distances as comparing each with each, also across blocks."""
    rng = np.random.default_rng(0)
    among, queries = rng.normal(size=(300, 20)), rng.normal(size=(count, 20))
    found = nearest(queries.astype(np.float16), among.astype(np.float16))
    one, other = queries.astype(np.float16).astype(float), among.astype(np.float16).astype(float)
    cosine = (one @ other.T) / np.linalg.norm(one, axis=1)[:, None] / np.linalg.norm(other, axis=1)
    np.testing.assert_array_equal(found.rows, np.argsort(-cosine, axis=1)[:, :8])
    np.testing.assert_allclose(found.distance, 1 - np.sort(cosine, axis=1)[:, ::-1][:, :8], atol=1e-5)


def test_an_image_is_not_its_own_neighbour() -> None:
    """Asked of itself, the next one comes; whoever is not among them keeps all."""
    values = np.random.default_rng(1).normal(size=(12, 5))
    found = nearest(values[:2], values, k=20, itself=np.array([0, -1]))
    assert found.rows.shape == (2, 11)
    assert 0 not in found.rows[0]
    assert found.rows[1, 0] == 1
    assert nearest(values[:1], values[:1], itself=np.array([0])).rows.shape == (1, 0)
    assert nearest(values[:1], values[:0]).rows.shape == (1, 0)


def test_purity_counts_neighbours_of_the_own_class() -> None:
    """A class among its own has 1, one between two others the share that is its own; an empty one is unknown."""
    found = purity([0, 0, 1], [[0, 0], [0, 0], [1, 2]], 4)
    np.testing.assert_array_equal(found.count, [2, 1, 0, 0])
    np.testing.assert_array_equal(found.own, [1, 0.5, np.nan, np.nan])
    np.testing.assert_array_equal(found.other, [-1, 2, -1, -1])
    assert found.other_share[1] == 0.5


@pytest.mark.parametrize(
    ("around", "answer", "label", "said"),
    [
        ([0, 0, 0, 1], 0, 0, "labelled A, which is the answer"),
        ([0, 0, 0, 1], 0, None, "which is the answer"),
        ([0, 0, 0, 1], 1, None, "not B as answered"),
        ([0, 0, 0, 1], 0, 1, "for the answer and against the label B"),
        ([0, 0, 0, 1], 1, 0, "for the label and against the answer B"),
        ([0, 0, 0, 1], 1, 2, "neither the answer nor the label"),
        ([0, 0, 1, 2], 0, 0, "do not agree"),
        ([], 0, 0, "no training cell"),
    ],
)
def test_the_sentence_says_whom_they_speak_for(
    around: list[int], answer: int, label: int | None, said: str
) -> None:
    """A majority speaks for the answer, the label or neither; without one nobody is spoken for."""
    assert said in in_words(around, TITLES, answer, label)
