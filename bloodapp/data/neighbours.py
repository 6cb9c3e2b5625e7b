"""Hashes that differ in a few of their 64 bits, found without comparing each with each.

Multi-index hashing (M. Norouzi, A. Punjani, D. J. Fleet, "Fast search in Hamming space with multi-index hashing",
CVPR 2012): the 64 bits are dealt to four chunks of 16. Two hashes that differ in at most 10 bits differ in at most
2 in one of the first three chunks or in at most 1 in the last, so looking up the 3 x 137 + 17 chunks that are that
close finds every neighbour. Of 78,000 real hashes and their 3 billion pairs this compares 63 million.
"""

from collections.abc import Callable, Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Hashes = NDArray[np.uint64]
Ints = NDArray[np.int64]

_CHUNKS, _WIDTH = 4, 16
_KEYS = 1 << _WIDTH
_LOOKUPS = 1 << 19  # at once: some 16 MB
_COMPARISONS = 1 << 20  # at once: some 40 MB
_KEPT = 0.75  # an index is made anew when so few of its hashes still count
_SAMPLE = 20_000  # hashes by which the bits are dealt


def near_pairs(hashes: Hashes, distance: int, others: Hashes | None = None) -> tuple[Ints, Ints]:
    """All pairs (i, j), i < j, of hashes at most `distance` bits apart, as two int64 arrays, sorted.

    With `others` all pairs of hashes[i] and others[j], whichever i and j. Thousands of hashes that are all near one
    another have millions of pairs: see `near_blocks`.
    """
    blocks = list(near_blocks(hashes, distance, others))
    nothing = np.zeros(0, np.int64)
    first, second = (np.concatenate([nothing, *(block[side] for block in blocks)]) for side in (0, 1))
    return first, second


def near_blocks(hashes: Hashes, distance: int, others: Hashes | None = None) -> Iterator[tuple[Ints, Ints]]:
    """The pairs of `near_pairs` in the same order, about a million at a time at most.

    Meant for distances up to 12 bits; further ones are right, but slow.
    """
    own = others is None
    everything, queries = _dealt(hashes if others is None else others, hashes)
    index = _Index(everything, np.arange(len(everything)), distance)
    begin, wanted = 0, len(queries)
    while begin < len(queries):
        if own and len(queries) - begin < _KEPT * len(index):
            index = _Index(everything[begin:], np.arange(begin, len(everything)), distance)
        done, query, found = index.near(queries[begin : begin + wanted])
        query += begin
        begin += done
        wanted = 2 * done
        if own:
            later = found > query
            query, found = query[later], found[later]
        if len(query):
            yield _sorted(query, found)


def chains(hashes: Hashes, distance: int) -> Ints:
    """A number, from 0, for each hash: those joined by a chain of steps of at most `distance` bits share it."""
    number = np.arange(len(hashes))
    for first, second in near_blocks(hashes, distance):
        left, right = number[first], number[second]
        new = left != right
        if new.any():
            steps = (np.ones(np.count_nonzero(new), np.int8), (left[new], right[new]))
            graph = coo_array(steps, shape=(len(hashes), len(hashes)))
            number = connected_components(graph, directed=False)[1].astype(np.int64)[number]
    return number


def leaders(hashes: Hashes, distance: int, alike: Callable[[int, Ints], NDArray[np.bool_]]) -> Ints:
    """Groups of pictures that are each like the first of their group: its position for each picture, int64 (N,).

    In their order, each picture that is in no group yet leads one, and takes in all later pictures that are in none,
    have a hash at most `distance` bits from its own, and are alike. A chain of small steps joins nothing; a picture
    that is like no other is its own leader. (Leader clustering: J. A. Hartigan, "Clustering Algorithms", 1975.)

    Args:
        hashes: (N,), or (N, K) with K hashes of each picture, such as those of its mirror images: its first is
            compared with all K of the others.
        distance: in bits.
        alike: given a position and an array of later positions, sorted, which of them look like the first.
    """
    every = hashes[:, None] if hashes.ndim == 1 else hashes
    versions = every.shape[1]
    everything, queries = _dealt(every.ravel(), every[:, 0])
    leader = np.full(len(queries), -1, np.int64)
    free = np.arange(len(queries))
    index: _Index | None = None
    wanted = len(queries)
    while len(free):
        if index is None or len(free) * versions < _KEPT * len(index):
            places = (free[:, None] * versions + np.arange(versions)).ravel()
            index = _Index(everything[places], places // versions, distance)
        done, query, found = index.near(queries[free[:wanted]])
        query = free[query]
        wanted = 2 * done
        later = (found > query) & (leader[found] < 0)
        query, found = _sorted(query[later], found[later])
        bounds = np.flatnonzero(np.diff(query, prepend=-1, append=-1))
        for start, stop in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
            one = int(query[start])
            others = found[start:stop]
            others = others[leader[others] < 0]
            if leader[one] < 0 and len(others):
                leader[others[alike(one, others)]] = one
        asked = free[:done]
        leads = asked[leader[asked] < 0]
        leader[leads] = leads
        free = free[done:]
        free = free[leader[free] < 0]
    return leader


class _Index:
    """Hashes, sorted by each of their chunks, that tells which of them are near to others.

    Holds `hashes`, dealt, under the numbers `names`.
    """

    def __init__(self, hashes: Hashes, names: Ints, distance: int) -> None:
        self._names = names
        self._distance = distance
        self._tables = []
        keys = _keys(hashes)
        for chunk, radius in enumerate(_radii(distance)):
            order = np.argsort(keys[:, chunk], kind="stable")
            sizes = np.bincount(keys[:, chunk], minlength=_KEYS)
            self._tables.append((_masks(radius), sizes, np.cumsum(sizes) - sizes, hashes[order], order))

    def __len__(self) -> int:
        return len(self._names)

    def near(self, queries: Hashes) -> tuple[int, Ints, Ints]:
        """Answers as many of the queries as are answered at once, at least the first.

        Returns how many, and the pairs of a query's position and the name of a hash that is near, in no order.
        """
        lookups = sum(len(masks) for masks, *_ in self._tables)
        queries = queries[: max(_LOOKUPS // lookups, 1)]
        keys = _keys(queries)
        probes = [keys[:, chunk, None] ^ masks for chunk, (masks, *_) in enumerate(self._tables)]
        hits = [sizes[probe] for probe, (_, sizes, *_) in zip(probes, self._tables, strict=True)]
        work = np.cumsum(sum(hit.sum(axis=1) for hit in hits))
        done = max(int(np.searchsorted(work, _COMPARISONS, side="right")), 1)
        found = [
            self._compared(chunk, queries[:done], probe[:done], hit[:done])
            for chunk, (probe, hit) in enumerate(zip(probes, hits, strict=True))
        ]
        query, name = (np.concatenate([pair[side] for pair in found]) for side in (0, 1))
        return done, query, name

    def _compared(
        self, chunk: int, queries: Hashes, probes: NDArray[np.uint16], hits: Ints
    ) -> tuple[Ints, Ints]:
        """The near pairs among those that agree in a chunk, but for those that an earlier chunk brings up."""
        _, _, starts, hashes, order = self._tables[chunk]
        some = np.flatnonzero(hits)
        count = hits.ravel()[some]
        ends = np.cumsum(count)
        total = int(ends[-1]) if len(ends) else 0
        place = np.arange(total) + np.repeat(starts[probes.ravel()[some]] - (ends - count), count)
        query = some // max(probes.shape[1], 1)
        differing = np.repeat(queries[query], count) ^ hashes[place]
        near = np.flatnonzero(np.bitwise_count(differing) <= self._distance)
        apart = np.bitwise_count(_keys(differing[near])[:, :chunk])
        near = near[(apart > _radii(self._distance)[:chunk]).all(axis=1)]
        return query[np.searchsorted(ends, near, side="right")], self._names[order[place[near]]]


def _sorted(first: Ints, second: Ints) -> tuple[Ints, Ints]:
    """The pairs of numbers below 2^31 in order, each once."""
    both = np.sort(first << 32 | second)
    both = both[np.diff(both, prepend=-1) != 0]
    return both >> 32, both & 0xFFFFFFFF


def _radii(distance: int) -> list[int]:
    """In how many bits at most each chunk may differ so that no pair is missed; -1: it need not be looked at."""
    least, rest = divmod(distance, _CHUNKS)
    return [least if chunk <= rest else least - 1 for chunk in range(_CHUNKS)]


def _masks(radius: int) -> NDArray[np.uint16]:
    """All changes of at most `radius` bits of a chunk."""
    flips = [
        sum(1 << bit for bit in bits)
        for size in range(min(radius, _WIDTH) + 1)
        for bits in combinations(range(_WIDTH), size)
    ]
    return np.array(flips, np.uint16)


def _keys(hashes: Hashes) -> NDArray[np.uint16]:
    """The chunks of hashes, (N, 4)."""
    return np.ascontiguousarray(hashes).view(np.uint16).reshape(-1, _CHUNKS)


def _dealt(hashes: Hashes, *more: Hashes) -> list[Hashes]:
    """The same hashes, their bits reordered so that each chunk tells as much as the others.

    Neighbouring frequencies of cells, round things in the middle, go together, and four of the 64 bits are nearly
    always the same. So, the most constant bits first, each goes to the chunk with whose bits it correlates least.
    """
    bits = _bits(np.asarray(hashes, np.uint64)[:: max(len(hashes) // _SAMPLE, 1)]).astype(np.float32)
    share = bits.mean(axis=0) if len(bits) else np.zeros(64, np.float32)
    spread = np.sqrt(np.maximum(share * (1 - share), 1e-3))
    scaled = (bits - share) / spread
    related = (scaled.T @ scaled / max(len(bits), 1)) ** 2
    chunks: list[list[int]] = [[] for _ in range(_CHUNKS)]
    for bit in np.argsort(spread, kind="stable").tolist():
        open_ = [chunk for chunk in chunks if len(chunk) < _WIDTH]
        min(open_, key=lambda chunk: (float(related[bit, chunk].sum()), len(chunk))).append(bit)
    order = np.concatenate(chunks)
    return [
        np.packbits(np.take(_bits(np.asarray(some, np.uint64)), order, axis=1), axis=1)
        .view(np.uint64)
        .ravel()
        for some in (hashes, *more)
    ]


def _bits(hashes: Hashes) -> NDArray[np.uint8]:
    return np.unpackbits(hashes[:, None].view(np.uint8), axis=1)
