"""The plane of principal components equals that of a full decomposition."""

import numpy as np
import pytest

from bloodapp.evaluate.plane import centres, principal


@pytest.mark.parametrize("shape", [(400, 60), (30, 200), (50, 3)])
def test_it_is_the_one_of_a_full_decomposition(shape: tuple[int, int]) -> None:
    """Same places but for the sign of an axis, and the same shares of the variance."""
    rng = np.random.default_rng(3)
    values = rng.normal(size=shape) * np.geomspace(9, 0.1, shape[1]) + 3
    centred = values - values.mean(0)
    u, s, _ = np.linalg.svd(centred, full_matrices=False)
    found = principal(values)
    assert found.points.dtype == np.float32
    np.testing.assert_allclose(np.abs(found.points), np.abs(u[:, :2] * s[:2]), atol=0.03)
    np.testing.assert_allclose(found.explained, s[:2] ** 2 / (s**2).sum(), rtol=1e-3)


def test_few_or_equal_images_are_no_error() -> None:
    """None, one, equal ones: no spread, nothing explained; one column: one axis."""
    for values in (np.zeros((0, 4)), np.ones((1, 4)), np.ones((5, 4))):
        found = principal(values)
        assert found.points.shape == (len(values), 2)
        assert found.explained == (0, 0)
    line = principal(np.arange(6.0)[:, None])
    assert line.explained == pytest.approx((1, 0))
    assert not line.points[:, 1].any()


def test_centres_are_medians() -> None:
    """One far point moves no centre; a class without images has none."""
    found = centres([[0, 0], [2, 2], [1, 99], [5, 5]], [0, 0, 0, 2], 3)
    np.testing.assert_array_equal(found, [[1, 2], [np.nan, np.nan], [5, 5]])
