"""What an image of a class counts."""

import numpy as np
import pytest

from bloodapp.errors import InvalidValue
from bloodapp.train.weighing import class_weights, parse


def test_class_weights_are_those_of_the_formula() -> None:
    """N/(n_k·C) over the classes that have images; the others get 0."""
    assert class_weights("balanced", np.array([0, 0, 0, 1]), "ab") == pytest.approx([4 / 6, 2])
    assert class_weights("balanced", np.array([0, 2]), "abc").tolist() == [1, 0, 1]


def test_own_weights_are_read_and_what_is_left_out_counts_one() -> None:
    """Pairs stand apart by blanks or commas."""
    assert parse("ig=1.5, monocyte=2") == ("own", {"ig": 1.5, "monocyte": 2.0})
    assert class_weights("b=2", np.array([0, 1]), ["a", "b"]).tolist() == [1, 2]


@pytest.mark.parametrize(
    "text", ["", " ", "weakest:", "monocyte", "=2", "monocyte=-1", "monocyte=nan", "ig=2 3"]
)
def test_what_is_no_weight_is_refused(text: str) -> None:
    """With what can be written in its place."""
    with pytest.raises(InvalidValue, match="pairs such as monocyte=2"):
        parse(text)


def test_a_class_is_given_one_weight() -> None:
    """Two for one are a slip of the pen, and neither is taken."""
    with pytest.raises(InvalidValue, match="gives monocyte twice"):
        parse("monocyte=2 monocyte=3")
