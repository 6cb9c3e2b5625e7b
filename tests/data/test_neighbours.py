"""Near hashes and groups of look-alikes, against comparing each with each."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bloodapp.data import neighbours
from bloodapp.data.neighbours import chains, leaders, near_blocks, near_pairs
from bloodapp.data.phash import hamming

seeds = st.integers(0, 2**32 - 1)


def clustered(rng: np.random.Generator, count: int, flips: int = 9) -> np.ndarray:
    """Hashes in a few clumps: each is one of some centres with up to `flips` bits changed; some are equal."""
    centres = rng.integers(0, 2**64, max(count // 12, 1), dtype=np.uint64)
    hashes = centres[rng.integers(0, len(centres), count)]
    for _ in range(flips):
        chosen = rng.random(count) < 0.5
        hashes[chosen] ^= np.uint64(1) << rng.integers(0, 64, chosen.sum(), dtype=np.uint64)
    return hashes


def every_pair(hashes: np.ndarray, distance: int) -> list[tuple[int, int]]:
    """The near pairs by comparing all with all."""
    close = np.triu(hamming(hashes[:, None], hashes[None, :]) <= distance, 1)
    return [tuple(pair) for pair in np.argwhere(close).tolist()]


def one_by_one(near: np.ndarray, alike: np.ndarray) -> list[int]:
    """Leaders as a loop over all pairs."""
    leader = [-1] * len(near)
    for one in range(len(near)):
        if leader[one] < 0:
            leader[one] = one
            for other in range(one + 1, len(near)):
                if leader[other] < 0 and near[one, other] and alike[one, other]:
                    leader[other] = one
    return leader


@settings(deadline=None, max_examples=60)
@given(
    seed=seeds,
    count=st.integers(0, 150),
    distance=st.integers(0, 14),
    at_once=st.sampled_from([1, 300, 10**6]),
)
def test_near_pairs_are_all_pairs(seed: int, count: int, distance: int, at_once: int) -> None:
    """Looking up chunks finds just what comparing each with each finds, in order, however it is cut up."""
    hashes = clustered(np.random.default_rng(seed), count)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neighbours, "_COMPARISONS", at_once)
        first, second = near_pairs(hashes, distance)
    assert (first.dtype, second.dtype) == (np.int64, np.int64)
    assert list(zip(first.tolist(), second.tolist(), strict=True)) == every_pair(hashes, distance)


def test_the_distance_is_kept_to_the_bit() -> None:
    """Whichever ten bits differ, the pair is found at ten and not at nine."""
    rng = np.random.default_rng(3)
    hashes = rng.integers(0, 2**64, 800, dtype=np.uint64)
    for index in range(400):
        flips = np.bitwise_or.reduce(np.uint64(1) << rng.choice(64, 10, replace=False).astype(np.uint64))
        hashes[400 + index] = hashes[index] ^ flips
    pairs = set(zip(*(side.tolist() for side in near_pairs(hashes, 10)), strict=True))
    assert {(index, 400 + index) for index in range(400)} <= pairs
    assert not len(near_pairs(hashes, 9)[0])


@settings(deadline=None, max_examples=30)
@given(seed=seeds, count=st.integers(0, 60), more=st.integers(0, 60), distance=st.integers(0, 12))
def test_pairs_with_others_are_all_pairs(seed: int, count: int, more: int, distance: int) -> None:
    """Between two sets of hashes each pair counts, whichever comes first."""
    hashes = clustered(np.random.default_rng(seed), count + more)
    ours, others = hashes[:count], hashes[count:]
    first, second = near_pairs(ours, distance, others)
    expected = np.argwhere(hamming(ours[:, None], others[None, :]) <= distance)
    assert np.array_equal(np.stack([first, second], axis=1), expected)


@settings(deadline=None, max_examples=40)
@given(
    seed=seeds, count=st.integers(0, 120), distance=st.integers(0, 12), at_once=st.sampled_from([300, 10**6])
)
def test_chains_join_whatever_pairs_join(seed: int, count: int, distance: int, at_once: int) -> None:
    """Two hashes share a number just if steps from pair to pair lead from one to the other."""
    hashes = clustered(np.random.default_rng(seed), count)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neighbours, "_COMPARISONS", at_once)
        number = chains(hashes, distance)
    reached = hamming(hashes[:, None], hashes[None, :]) <= distance
    for _ in range(8):  # each squaring doubles the steps: 256 are more than there are hashes
        reached = reached @ reached
    assert np.array_equal(number[:, None] == number[None, :], reached)


@settings(deadline=None, max_examples=60)
@given(
    seed=seeds,
    count=st.integers(0, 120),
    distance=st.integers(0, 12),
    at_once=st.sampled_from([1, 300, 10**6]),
)
def test_leaders_are_those_of_a_loop(seed: int, count: int, distance: int, at_once: int) -> None:
    """The groups are those of the loop over all pairs, and only later, near, free pictures are looked at."""
    rng = np.random.default_rng(seed)
    hashes = clustered(rng, count)
    looks = rng.random((count, count)) < 0.7
    close = hamming(hashes[:, None], hashes[None, :]) <= distance

    def alike(one: int, others: np.ndarray) -> np.ndarray:
        assert (others > one).all() and (np.diff(others) > 0).all() and close[one, others].all()
        return looks[one, others]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neighbours, "_COMPARISONS", at_once)
        found = leaders(hashes, distance, alike)
    assert found.tolist() == one_by_one(close, looks)


@settings(deadline=None, max_examples=30)
@given(seed=seeds, count=st.integers(0, 60), distance=st.integers(0, 12))
def test_leaders_look_at_all_hashes_of_the_others(seed: int, count: int, distance: int) -> None:
    """With several hashes of each picture, the first is held against all of the others."""
    rng = np.random.default_rng(seed)
    hashes = clustered(rng, count * 3).reshape(count, 3)
    looks = rng.random((count, count)) < 0.7
    close = (hamming(hashes[:, None, :1], hashes[None]) <= distance).any(axis=2)
    found = leaders(hashes, distance, lambda one, others: looks[one, others])
    assert found.tolist() == one_by_one(close, looks)


def test_a_large_clump_is_never_held_as_pairs() -> None:
    """3,000 pictures all near one another: 4.5 million pairs come in blocks, and a leader asks once."""
    rng = np.random.default_rng(4)
    hashes = np.full(3000, 0x0123456789ABCDEF, np.uint64)
    for _ in range(4):
        hashes ^= np.uint64(1) << rng.integers(0, 64, len(hashes), dtype=np.uint64)
    asked: list[int] = []

    def alike(one: int, others: np.ndarray) -> np.ndarray:
        asked.append(len(others))
        return np.ones(len(others), bool)

    assert not leaders(hashes, 10, alike).any()
    assert asked == [2999]
    sizes = [len(first) for first, _ in near_blocks(hashes, 10)]
    assert sum(sizes) == 3000 * 2999 // 2 and max(sizes) <= 1 << 20
