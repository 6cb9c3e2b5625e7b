"""Two thousand mutated inputs, and others each time: what `tests/data/test_mutated_inputs.py` does with two hundred."""

import random

import pytest

from tests.data.test_mutated_inputs import tried


@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [2, random.randrange(10**9)], ids=["known", "new"])
def test_two_thousand_mutated_inputs(seed: int) -> None:
    """Each is imported or refused in one printable sentence, within ten seconds, in less than 1 GB."""
    said = tried(2_000, seed)
    assert said["tried"] >= 2_000, seed
    assert said["slowest_s"] < 10, seed
    assert said["peak"] < 1 << 30, seed
