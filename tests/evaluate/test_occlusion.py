"""Hiding parts: what is found is what the answer depends on, and nothing else."""

import numpy as np
import pytest

from bloodapp.errors import InvalidValue, Stopped
from bloodapp.evaluate.occlusion import agreement, in_words, occlusion

SIZE = 48


class Spot:
    """Answers class 1 by how bright one corner of the image is, and class 0 by the rest of the probability."""

    size = SIZE

    def __init__(self, top: int = 8, left: int = 28) -> None:
        self.spot = (slice(None), slice(top, top + 12), slice(left, left + 12))
        self.asked: list[int] = []

    def predict(self, images: np.ndarray) -> np.ndarray:
        """The mean of the spot as the probability of class 1."""
        self.asked.append(len(images))
        bright = images[self.spot].mean((1, 2, 3), dtype=np.float64) / 255
        return np.stack([1 - bright, bright], 1).astype(np.float32)


@pytest.fixture
def image() -> np.ndarray:
    """Dark noise with a bright spot."""
    image = np.random.default_rng(1).integers(0, 40, (SIZE, SIZE, 3)).astype(np.uint8)
    image[8:20, 28:40] = 250
    return image


@pytest.mark.parametrize("fill", ["border", "blur"])
def test_the_map_lights_what_the_answer_depends_on(image: np.ndarray, fill: str) -> None:
    """The highest place lies in the spot; what does not touch it is dark; the other class gains instead."""
    found = occlusion(image, Spot(), fill=fill)
    lit = found.map(1)
    assert lit.shape == (SIZE, SIZE)
    assert lit.dtype == np.float32
    assert (lit.min(), lit.max()) == (0, 1)
    row, column = np.unravel_index(lit.argmax(), lit.shape)
    assert 8 <= row < 20
    assert 28 <= column < 40
    assert lit[36:].max() == 0, "no patch that lies so low reaches the spot"
    assert lit[8:20, 28:40].sum() > 0.25 * lit.sum()
    assert not found.map(0).any()
    assert found.most(1) > 0.2
    assert found.most(0) == 0


def test_what_falls_is_what_was_hidden(image: np.ndarray) -> None:
    """A patch over the whole image takes all of the answer: the fall is the probability less what is left."""
    found = occlusion(image, Spot(), levels=[(1, 1)])
    border = np.median(np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]]), axis=0).mean() / 255
    assert found.clean[1] == pytest.approx(250 / 255, abs=1e-6)
    np.testing.assert_allclose(found.falls(1), 250 / 255 - border, atol=0.01)


def test_a_flat_answer_gives_an_empty_map() -> None:
    """An image like its border loses nothing, and the maps say so."""
    found = occlusion(np.full((SIZE, SIZE, 3), 100, np.uint8), Spot())
    assert not found.map(1).any()
    assert found.most(1) == 0


def test_it_is_asked_in_batches_tells_how_far_it_is_and_can_be_stopped(image: np.ndarray) -> None:
    """At most 128 images at once; progress ends at the whole; Stopped after the block in which one asked."""
    spot, told = Spot(), []
    occlusion(image, spot, progress=lambda done, total: told.append((done, total)))
    assert max(spot.asked) == 128
    assert told[-1] == (sum(spot.asked),) * 2
    with pytest.raises(Stopped):
        occlusion(image, spot, stopped=lambda: True)
    with pytest.raises(InvalidValue, match="48"):
        occlusion(image[:10], spot)
    with pytest.raises(InvalidValue, match="border or blur"):
        occlusion(image, spot, fill="grey")


def test_agreement_is_spearmans_correlation() -> None:
    """Equal to SciPy's on maps with many ties, 1 for the same order, and unknown for a flat map."""
    from scipy.stats import spearmanr

    rng = np.random.default_rng(2)
    one = np.maximum(rng.normal(size=(20, 20)), 0)
    other = np.maximum(one + rng.normal(size=(20, 20)), 0)
    assert agreement(one, other) == pytest.approx(spearmanr(one.ravel(), other.ravel()).statistic, abs=1e-12)
    assert agreement(one, np.exp(one)) == pytest.approx(1)
    assert np.isnan(agreement(one, np.zeros((20, 20))))
    for value, said in ((0.8, "same places"), (0.3, "in part"), (-0.1, "disagree"), (np.nan, "empty")):
        assert said in in_words(value)
