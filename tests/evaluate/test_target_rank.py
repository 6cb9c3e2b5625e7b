"""Which images to label first: doubt, distance, and no image twice."""

import numpy as np
import pytest

from bloodapp.evaluate.target_rank import label_first, uncertainty


def test_uncertainty_runs_from_none_to_all() -> None:
    """A sure answer is 0, an even one 1."""
    table = np.array([[1.0, 0, 0, 0], [0.25] * 4, [0.5, 0.5, 0, 0]])
    assert uncertainty(table) == pytest.approx([0, 1, 0.5], abs=1e-9)


def test_far_from_what_is_labelled_comes_first() -> None:
    """Of equal doubt, the farthest from the training images is first."""
    points = np.array([[0.1], [5.0], [2.0]])
    assert label_first(np.ones(3), points, np.zeros((1, 1))).tolist() == [1, 2, 0]


def test_doubt_outweighs_distance() -> None:
    """Of equal distance, the least sure is first."""
    points = np.array([[3.0], [-3.0]])
    assert label_first(np.array([0.2, 0.9]), points, np.zeros((1, 1))).tolist() == [1, 0]


def test_clusters_take_turns_and_copies_come_last() -> None:
    """One image of each of three clusters before a second of any; exact copies of a chosen one at the end."""
    rng = np.random.default_rng(0)
    centres = np.array([[10.0, 0], [0, 10], [-10, -10]])
    points = np.concatenate([centres + rng.normal(0, 0.1, (3, 2)) for _ in range(4)])
    points = np.concatenate([points, points[:1].repeat(3, 0)])
    order = label_first(np.full(len(points), 0.5), points, np.zeros((1, 2)))
    assert {int(place) % 3 for place in order[:3] if place < 12} | ({0} & set(order[:3].tolist())) >= {1, 2}
    assert sorted(order.tolist()) == list(range(15))
    apart = np.linalg.norm(points[order[:3]][:, None] - points[order[:3]], axis=2)
    assert apart[np.triu_indices(3, 1)].min() > 5
    copies = [0, 12, 13, 14]
    assert len(set(copies) & set(order[-3:].tolist())) == 3


def test_without_training_images_the_least_sure_is_first() -> None:
    """Nothing is labelled yet: doubt alone chooses the first, then distance counts."""
    points = np.array([[0.0], [1.0], [9.0]])
    assert label_first(np.array([0.3, 0.9, 0.8]), points, np.zeros((0, 1))).tolist() == [1, 2, 0]
