"""Images on their way into a dataset: read, made squares and hashed, in several threads, in the order of the source.

Pillow, hashing and unpacking let go of the interpreter, so that two cores do twice as much. Only so many blocks are
on their way at once that memory stays bounded, however large the source and its pictures.
"""

import hashlib
import os
from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bloodapp.data.images import to_square
from bloodapp.data.phash import perceptual_hashes
from bloodapp.data.records import Reader, Record, Source

BLOCK = 64  # images that are read, hashed and reported together
_BLOCK_BYTES = 16 << 20  # of images that are there already, when they are large
THREADS = min(os.cpu_count() or 1, 4)


@dataclass(frozen=True)
class Block:
    """Some images of a source, ready to be written.

    Attributes:
        taken: how many records of the source it stands for.
        images: uint8 (n, S, S, 3), of those that could be read.
        digests: sha256 of each image's pixels.
        hashes: uint64 (n,), perceptual hashes.
        facts: of each image: name, width, height, mode, label, part, parent.
        skipped: name and reason of those that could not be read.
        notes: name and note of those of which something was left out.
    """

    taken: int
    images: NDArray[np.uint8]
    digests: list[bytes]
    hashes: NDArray[np.uint64]
    facts: list[tuple[Any, ...]]
    skipped: list[tuple[str, str]]
    notes: list[tuple[str, str]]


def prepared(source: Source, size: int) -> Generator[Block]:
    """All records of a source in its order, as blocks of squares of `size` pixels."""
    blocks = _read_anywhere(source.readers) if source.readers is not None else _read_here(source.records)
    threads = ThreadPoolExecutor(THREADS, thread_name_prefix="preparing")
    waiting: deque[Future[Block]] = deque()
    try:
        for block in blocks:
            waiting.append(threads.submit(_prepare, block, size))
            if len(waiting) > THREADS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        threads.shutdown(cancel_futures=True)


def _read_anywhere(readers: Iterator[Reader]) -> Iterator[list[Reader]]:
    while block := list(islice(readers, BLOCK)):
        yield block


def _read_here(records: Iterator[Record]) -> Iterator[list[Reader]]:
    """Blocks of records that can only be read one after another, so by the thread that asks for them."""
    block: list[Reader] = []
    held = 0
    for record in records:
        block.append(partial(_itself, record))
        held += 0 if record.image is None else record.image.nbytes
        if len(block) == BLOCK or held > _BLOCK_BYTES:
            yield block
            block, held = [], 0
    if block:
        yield block


def _itself(record: Record) -> Record:
    return record


def _prepare(readers: list[Reader], size: int) -> Block:
    images = np.empty((len(readers), size, size, 3), np.uint8)
    digests: list[bytes] = []
    facts: list[tuple[Any, ...]] = []
    skipped: list[tuple[str, str]] = []
    notes: list[tuple[str, str]] = []
    for read in readers:
        record = read()
        if record.image is None:
            skipped.append((record.name, record.error))
            continue
        if record.note:
            notes.append((record.name, record.note))
        image = images[len(digests)]
        image[:] = to_square(record.image, size)
        digests.append(hashlib.sha256(image.data).digest())
        original = (record.name, record.width, record.height, record.mode)
        facts.append((*original, record.label, record.part, record.parent))
    images = images[: len(digests)]
    hashes = perceptual_hashes(images) if len(images) else np.zeros(0, np.uint64)
    return Block(len(readers), images, digests, hashes, facts, skipped, notes)
