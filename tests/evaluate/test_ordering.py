"""Classes that are confused stand side by side."""

from itertools import pairwise

import numpy as np
import pytest

from bloodapp.evaluate.ordering import by_similarity


def confused(*pairs: tuple[int, int, int], classes: int = 6) -> np.ndarray:
    """A matrix with 100 right answers a class and the given confusions (true, predicted, count)."""
    matrix = np.diag([100] * classes)
    for true, predicted, count in pairs:
        matrix[true, predicted] = count
    return matrix


def test_a_chain_of_confusions_is_found() -> None:
    """Classes whose neighbours in a hidden order are confused come back in this order."""
    hidden = [2, 5, 0, 4, 1, 3]
    matrix = confused(*((a, b, 20) for a, b in pairwise(hidden)))
    assert by_similarity(matrix) == hidden


def test_one_confusion_brings_two_together() -> None:
    """The only two that are confused become neighbours; every class is there once."""
    order = by_similarity(confused((0, 5, 9)))
    assert sorted(order) == list(range(6))
    assert abs(order.index(0) - order.index(5)) == 1


def test_it_is_the_rate_that_counts() -> None:
    """A rare class that is often mistaken is nearer than a frequent one with more mistakes."""
    matrix = np.diag([10_000, 10_000, 10, 10])
    matrix[0, 1] = 40
    matrix[2, 3] = matrix[3, 2] = 8
    order = by_similarity(matrix)
    assert abs(order.index(2) - order.index(3)) == 1


@pytest.mark.parametrize(
    "matrix", [np.diag([5, 5, 5, 5]), np.zeros((8, 8), int), [[3, 2], [1, 4]], [[7]], np.zeros((0, 0), int)]
)
def test_where_there_is_nothing_to_order_the_list_stays(matrix: np.ndarray) -> None:
    """No confusion, no image, one or two classes: as listed."""
    assert by_similarity(matrix) == list(range(len(matrix)))
