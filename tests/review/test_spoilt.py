"""Pictures spoilt on purpose: every way does what it says, at any size, and the same again by seed."""

import numpy as np
import pytest

from bloodapp.review.measures import measure
from bloodapp.review.spoilt import FOREIGN, WAYS, spoilt
from tests.review.drawn import scenes

DARKER, BRIGHTER = ("less light", "steep curve"), ("more light", "shallow curve")
SOFTER = ("out of focus", "moved")


def made(way: str, sources: np.ndarray, count: int = 24, seed: int = 3) -> np.ndarray:
    """`count` pictures spoilt in that way."""
    return spoilt(way, sources, count, np.random.default_rng(seed))


@pytest.mark.parametrize("side", [32, 96])
@pytest.mark.parametrize("way", WAYS)
def test_every_way_makes_new_pictures_of_the_same_form(way: str, side: int) -> None:
    """uint8 of the size of the sources, unlike each of them, and hardly two the same."""
    sources = scenes(10, side=side)
    before = sources.copy()
    pictures = made(way, sources)
    assert pictures.dtype == np.uint8 and pictures.shape == (24, side, side, 3)
    assert np.array_equal(sources, before)
    flat = pictures.reshape(24, -1)
    assert not (flat[:, None] == sources.reshape(1, 10, -1)).all(axis=2).any()
    assert len(np.unique(flat, axis=0)) >= 23


@pytest.mark.parametrize("way", WAYS)
def test_the_same_seed_makes_the_same_pictures(way: str) -> None:
    """And another seed makes others."""
    sources = scenes(4, side=32)
    assert np.array_equal(made(way, sources), made(way, sources))
    assert not np.array_equal(made(way, sources), made(way, sources, seed=4))


@pytest.mark.parametrize("way", [*DARKER, *BRIGHTER])
def test_light_goes_the_way_it_should(way: str) -> None:
    """Nearly all of the dark ones are darker than the sources on average, and the bright ones brighter."""
    sources = scenes(10)
    usual, got = measure(sources).mean, measure(made(way, sources)).mean
    assert (got < usual.mean()).mean() >= 0.95 if way in DARKER else (got > usual.mean()).mean() >= 0.95


@pytest.mark.parametrize("way", SOFTER)
@pytest.mark.parametrize("side", [32, 96])
def test_what_is_out_of_focus_or_moved_has_less_detail(way: str, side: int) -> None:
    """On average far less energy between neighbouring pixels than in the sources; the light stays."""
    sources = scenes(10, side=side)
    pictures = made(way, sources)
    steps = [np.abs(np.diff(some.astype(float), axis=2)).mean() for some in (sources, pictures)]
    assert steps[1] < 0.8 * steps[0]
    before, after = measure(sources), measure(pictures)
    if side == 96:
        assert np.median(after.coarse) < np.median(before.coarse)
    assert after.mean.mean() == pytest.approx(before.mean.mean(), abs=6)


def test_a_blend_lies_between_its_two_sources() -> None:
    """Pixel for pixel, there is nothing outside the two but what saving as JPEG adds to some."""
    sources = scenes(2, side=32)
    pictures = made("blended", sources)
    low, high = sources.min(axis=0).astype(float), sources.max(axis=0).astype(float)
    outside = (pictures < low - 12) | (pictures > high + 12)
    assert outside.mean() < 0.05 and (~outside.any(axis=(1, 2, 3))).sum() >= len(pictures) // 3
    assert 0.3 < (pictures - low).mean() / (high - low).mean() < 0.7


def test_in_its_colours_keeps_the_colours_of_a_source() -> None:
    """Only the forms are wrong: the mean colour is that of one of the sources."""
    sources = scenes(5)
    means = sources.mean(axis=(1, 2))
    for picture in made("in its colours", sources, 6):
        assert np.abs(means - picture.mean(axis=(0, 1))).max(axis=1).min() < 2


def test_every_kind_is_made_in_some_way() -> None:
    """Each kind that the deep scan learns has one way at least, and what shows no cell has many."""
    kinds = [kind for kind, _ in WAYS.values()]
    assert set(kinds) == {"blend", "blurred", "dark", "bright", FOREIGN}
    assert kinds.count(FOREIGN) >= 4
