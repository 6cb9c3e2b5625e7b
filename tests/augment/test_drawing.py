"""Pipelines drawn: choices, branches, keys by place, and preview's own ways."""

import numpy as np
import pytest

from bloodapp.augment.keys import batch_key, place_key
from bloodapp.augment.named import PIPELINES
from bloodapp.augment.preview import preview
from tests.augment.drawn import MIXERS, alike, drawn, flat, mixed, one_hot, unlike

pytest.importorskip("bloodapp.augment.drawing")

MANY = flat(*[(20, 90, 200)] * 600, size=8)
ONE = MANY[:1]
PLAINLY = {"none": (20, 90, 200), "invert": (235, 165, 55), "scaleabs(0, 7)": (7, 7, 7)}
"""What leaves a sign that tells which branch an image of MANY went through."""

LEVELS = np.array([0, 30, 62, 97, 134, 170, 211, 255])


def went(images: np.ndarray) -> np.ndarray:
    """For each image, which of PLAINLY was done to it."""
    same = [(images == colour).all((1, 2, 3)) for colour in PLAINLY.values()]
    assert (np.sum(same, 0) == 1).all()
    return np.argmax(same, 0)


def about(count: int, share: float, of: int) -> bool:
    """Whether a count is within four standard deviations of a share of so many draws."""
    return bool(abs(count - share * of) < 4 * np.sqrt(of * share * (1 - share)))


def test_oneof_draws_for_each_image() -> None:
    """Each branch gets a third of the images."""
    found = np.bincount(went(drawn(f"oneof({'; '.join(PLAINLY)})", MANY)), minlength=3)
    assert all(about(count, 1 / 3, 600) for count in found)


def test_oneof_draws_for_the_batch() -> None:
    """With `batch` all images of a batch go one way, each way in a third of 150 batches."""
    text = f"oneof(batch; {'; '.join(PLAINLY)})"
    ways = [went(drawn(text, MANY[:5], seed)) for seed in range(150)]
    assert all((way == way[0]).all() for way in ways)
    assert all(about(count, 1 / 3, 150) for count in np.bincount([way[0] for way in ways], minlength=3))


def test_sometimes_draws_with_its_probability() -> None:
    """For each image, and with `batch` for the whole batch; at 0 never and at 1 always."""
    assert about((went(drawn("sometimes(0.3; invert)", MANY)) == 1).sum(), 0.3, 600)
    ways = [went(drawn("sometimes(0.3, batch; invert)", MANY[:5], seed)) for seed in range(200)]
    assert all((way == way[0]).all() for way in ways)
    assert about(sum(way[0] for way in ways), 0.3, 200)
    for probability, expected in ((0, 0), (1, 1)):
        assert (went(drawn(f"sometimes({probability}; invert)", MANY)) == expected).all()


def test_nested_choices_multiply() -> None:
    """A branch within a branch is drawn among the images that came there, anew."""
    found = went(drawn("sometimes(0.5; oneof(invert; sometimes(0.5; scaleabs(0, 7))))", MANY))
    counts = np.bincount(found, minlength=3)
    assert about(counts[1], 1 / 4, 600) and about(counts[2], 1 / 8, 600)


def test_steps_follow_each_other() -> None:
    """What one step makes the next takes."""
    assert np.array_equal(drawn("invert|scaleabs(2, 0)", ONE)[0, 0, 0], [255, 255, 110])
    assert np.array_equal(drawn("scaleabs(2, 0)|invert", ONE)[0, 0, 0], [215, 75, 0])


def test_a_branch_sees_its_own_images_only() -> None:
    """Images that a mix was not drawn for are nobody's partners."""
    images, labels = flat(*LEVELS, size=28), one_hot(8)
    mixed_at_all = 0
    for name in MIXERS:
        for seed in range(10):
            found, weights = mixed(f"sometimes(0.5; {name}(1, 1))", images, seed, labels)
            partnered = weights.max(1) < 1
            mixed_at_all += partnered.sum()
            own = (np.arange(8)[:, None] != np.arange(8)) * weights  # the share of others in each image
            others = set(np.flatnonzero(own.sum(0)))
            passed_over = set(np.flatnonzero((found == images).all((1, 2, 3)) & (weights.max(1) == 1)))
            # One that was drawn for a mix and got itself looks passed over, so some may be both; most may not.
            assert len(others & passed_over) <= 2
            assert np.allclose(weights @ LEVELS, found.mean((1, 2, 3)), atol=1)
    assert mixed_at_all > 60


def test_what_is_switched_off_does_nothing_and_keeps_its_place() -> None:
    """`off` leaves images alone, and the draws of the steps behind it are those with it switched on at no strength."""
    images = unlike(4)
    assert np.array_equal(drawn("off(invert|noise(40))", images), images)
    expected = drawn("noise(0)|rotate(40)", images)
    assert np.array_equal(drawn("off(noise(40))|rotate(40)", images), expected)
    assert not np.array_equal(drawn("rotate(40)", images), expected), "keys do not depend on the place"


def test_one_operation_twice_draws_twice() -> None:
    """Steps alike draw apart: by place in the pipeline, in a branch and from one branch to the other."""
    images = flat(*[128] * 4)
    once, twice = (
        drawn(text, images).astype(int) - 128
        for text in ("noise(9, fixed)", "noise(9, fixed)|noise(9, fixed)")
    )
    second = twice - once
    assert abs(np.corrcoef(once.ravel(), second.ravel())[0, 1]) < 0.05
    keys = {tuple(place_key(path)) for path in ((), (0,), (1,), (0, 0), (0, 1), (1, 0), (0, 0, 0))}
    assert len(keys) == 7


def test_keys_differ_by_seed_epoch_and_batch() -> None:
    """No two of them share a key, and the same three give the same."""
    keys = {
        tuple(batch_key(seed, epoch, batch)) for seed in range(5) for epoch in range(5) for batch in range(20)
    }
    assert len(keys) == 500
    assert batch_key(1, 2, 3).dtype == np.int32 and tuple(batch_key(1, 2, 3)) == tuple(batch_key(1, 2, 3))


def test_the_batch_an_image_is_in_decides_its_draw() -> None:
    """A preview of another epoch or batch is another; of the same it is the same."""
    images, labels = alike(4), np.arange(4)

    def at(**place: int) -> np.ndarray:
        return preview(images, labels, 8, "rotate(90)|noise(20)", 1, **place)[0]

    assert np.array_equal(at(), at(epoch=0, batch=0))
    assert not np.array_equal(at(), at(epoch=1)) and not np.array_equal(at(), at(batch=1))


@pytest.mark.parametrize("name", PIPELINES)
def test_named_pipelines_draw(name: str) -> None:
    """Each shipped pipeline draws: by key, as many images as it is given, with labels that are weights."""
    images = unlike(9)
    found, labels = mixed(name, images)
    assert found.shape == images.shape and found.dtype == np.uint8
    assert np.allclose(labels.sum(1), 1, atol=1e-5)
    assert np.array_equal(found, drawn(name, images))
    assert np.array_equal(found, images) == (name == "none")
    assert name in ("none", "r0c") or not np.array_equal(found, drawn(name, images, seed=2))


def test_strengths_share_one_graph() -> None:
    """Moving a slider traces nothing anew; what is traced anew is a word, a count of chains or a wider blur."""
    from bloodapp.augment import drawing

    images = unlike(2, 20)  # a size that no other test draws
    drawn("noise(3)|rotate(9)|randaugment(0.1, 2)|blur(1)", images)
    before = drawing._traced.cache_info().misses
    drawn("noise(30)|rotate(90)|randaugment(0.9, 5)|blur(1.5)", images)
    assert drawing._traced.cache_info().misses == before
    drawn("noise(30, fixed)|rotate(90, white)|blur(4)", images)
    assert drawing._traced.cache_info().misses == before + 3
