"""The plane of principal components equals that of a full decomposition."""

from pathlib import Path

import numpy as np
import pytest

from bloodapp.data.plane import principal


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


def test_bytes_and_mapped_rows_give_the_same_plane(tmp_path: Path) -> None:
    """In blocks, of whatever type they are kept in; how far it is, is said to the end."""
    rng = np.random.default_rng(5)
    values = rng.integers(0, 256, (9_000, 20)).astype(np.uint8)
    values[:300] //= 8
    np.save(tmp_path / "rows.npy", values)
    mapped = np.load(tmp_path / "rows.npy", mmap_mode="r")
    told: list[tuple[int, int]] = []
    found = principal(mapped, progress=lambda *far: told.append(far))
    whole = principal(values.astype(np.float32))
    np.testing.assert_allclose(found.points, whole.points, atol=1e-2)
    assert told[-1][0] == told[-1][1] == len(told)
    assert (found.points[:300].mean(0) ** 2).sum() > 20 * (found.points[300:].mean(0) ** 2).sum()
