"""Where classes lie on a plane."""

import numpy as np

from bloodapp.evaluate.plane import centres


def test_centres_are_medians() -> None:
    """One far point moves no centre; a class without images has none."""
    found = centres([[0, 0], [2, 2], [1, 99], [5, 5]], [0, 0, 0, 2], 3)
    np.testing.assert_array_equal(found, [[1, 2], [np.nan, np.nan], [5, 5]])
