"""Pictures unlike all others, by principal components alone."""

import numpy as np
import pytest

from bloodapp.data.sample import draw_sample
from bloodapp.review.foreign import FAMILIES, MEMES
from bloodapp.review.measures import thumbnails
from bloodapp.review.thresholds import FLOOR
from bloodapp.review.unusual import COMPONENTS, outlier


@pytest.fixture(scope="module")
def cells() -> np.ndarray:
    """120 drawn cells that nothing was done to."""
    sample = draw_sample()
    good = np.setdiff1d(np.arange(len(sample.labels)), sample.truth["index"])
    return sample.images[good[:120]]


def found_in(images: np.ndarray, distinct: np.ndarray | None = None) -> list[int]:
    """The positions of what is reported, worst first."""
    found = outlier(thumbnails(images), np.ones(len(images), bool) if distinct is None else distinct)
    assert found["score"].between(FLOOR, 1).all()
    return found.sort_values("score", ascending=False, kind="stable")["index"].tolist()


def checked(side: int = 96) -> np.ndarray:
    """A chess board of two strong colours."""
    board = np.kron(np.indices((8, 8)).sum(axis=0) % 2, np.ones((side // 8, side // 8)))[..., None]
    return (board * [255, 0, 40] + (1 - board) * [0, 90, 255]).astype(np.uint8)


def test_one_foreign_picture_among_cells_is_the_outlier(cells: np.ndarray) -> None:
    """Of each family but one or two: it is reported, and it is the worst."""
    first = []
    for family in (*FAMILIES, *MEMES):
        images = np.concatenate([cells[:70], family(np.random.default_rng(0), 96)[None], cells[70:]])
        first.append(found_in(images)[:1] == [70])
    assert np.mean(first) >= 0.8


def test_cells_are_no_outliers(cells: np.ndarray) -> None:
    """Of 120 clean ones none reaches the threshold, and at most two are reported at all."""
    assert len(found_in(cells)) <= 2
    assert (outlier(thumbnails(cells), np.ones(120, bool))["score"] < 0.5).all()


def test_a_meme_pasted_many_times_does_not_become_usual(cells: np.ndarray) -> None:
    """Two hundred copies of it count once, and all of them are found."""
    meme = np.repeat(checked()[None], 200, axis=0)
    images = np.concatenate([cells, meme])
    distinct = np.arange(len(images)) <= len(cells)
    assert set(range(120, 320)) <= set(found_in(images, distinct)[:200])
    alone = outlier(thumbnails(images[:121]), np.ones(121, bool)).set_index("index")["score"]
    among = outlier(thumbnails(images), distinct).set_index("index")["score"]
    assert among[120] == alone[120]


def test_among_few_pictures_nothing_is_unusual(cells: np.ndarray) -> None:
    """Fewer than three for every component, or none at all: nothing is said."""
    few = np.concatenate([cells[: 3 * COMPONENTS - 2], checked()[None]])
    assert found_in(few) == []
    assert found_in(cells[:0]) == []


@pytest.mark.parametrize("side", [8, 25, 32])
def test_small_pictures_and_equal_ones_are_compared_too(side: int) -> None:
    """Pictures of any size, and a set of one colour, give scores and no warning."""
    noise = np.random.default_rng(1).integers(0, 256, (100, side, side, 3), dtype=np.uint8)
    assert len(found_in(noise)) <= 2
    assert found_in(np.full((100, side, side, 3), 90, np.uint8)) == []
