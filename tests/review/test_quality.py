"""Faults of light, focus and colour with known answers: one spoilt picture among forty, and what is no fault."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import convolve

from bloodapp.review import quality
from bloodapp.review.measures import Measures, measure
from bloodapp.review.thresholds import FLOOR
from tests.review.drawn import blurred, scenes

Image = np.ndarray

JUDGED_AMONG_OTHERS = [
    quality.dark,
    quality.bright,
    quality.blurred,
    quality.low_information,
    quality.colour_cast,
    quality.grey,
]
FIELDS = 13


def judged(detector: Callable, images: Image) -> pd.DataFrame:
    """What a detector finds among images that are all distinct."""
    measures = measure(images)
    return (
        detector(measures) if detector is quality.seamed else detector(measures, np.ones(len(images), bool))
    )


def whole(values: Image) -> Image:
    """Values cut off at 0 and 255."""
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def curved(image: Image, gamma: float) -> Image:
    """Through a gamma curve."""
    return 255 * (image / 255) ** gamma


def dragged(image: Image, down: int, right: int, length: int = 9) -> Image:
    """Moved while it was taken, along a row, a column or a diagonal."""
    kernel = np.zeros((2 * length + 1, 2 * length + 1))
    for step in np.linspace(-length / 2, length / 2, length):
        kernel[round(length + down * step), round(length + right * step)] += 1
    return convolve(image.astype(float), (kernel / kernel.sum())[..., None], mode="nearest")


def tinted(image: Image, *factors: float) -> Image:
    """Each channel times its factor."""
    return image * np.array(factors)


def beside(image: Image, *, down: bool = False) -> Image:
    """Its right half replaced by that of another picture, or its lower half."""
    made, other = image.copy(), scenes(1, seed=77)[0]
    if down:
        made[48:] = other[48:]
    else:
        made[:, 48:] = other[:, 48:]
    return made


@pytest.mark.parametrize(
    ("detector", "change"),
    [
        (quality.dark, lambda image: image * 0.5),
        (quality.dark, lambda image: curved(image, 3)),
        (quality.dark, lambda image: image * 0.0),
        (quality.bright, lambda image: image * 1.4),
        (quality.bright, lambda image: image * 1.1 + 90),
        (quality.blurred, lambda image: blurred(image, 1.5)),
        (quality.blurred, lambda image: blurred(image, 3.5)),
        (quality.blurred, lambda image: dragged(image, 0, 1)),
        (quality.blurred, lambda image: dragged(image, 1, 0)),
        (quality.blurred, lambda image: dragged(image, 1, 1)),
        (quality.blurred, lambda image: dragged(image, 1, -1)),
        (quality.low_information, lambda image: image * 0 + 236),
        (quality.low_information, lambda image: 230 + image * 0.05),
        (quality.colour_cast, lambda image: tinted(image, 1, 0.85, 0.55)),
        (quality.colour_cast, lambda image: tinted(image, 0.5, 0.9, 1)),
        (quality.colour_cast, lambda image: tinted(image, 1, 0.55, 0.6)),
        (quality.grey, lambda image: image.mean(axis=2, keepdims=True).repeat(3, 2)),
        (quality.seamed, lambda image: beside(image)),
        (quality.seamed, lambda image: beside(image, down=True)),
    ],
)
def test_one_spoilt_image_among_forty_is_found_alone(detector: Callable, change: Callable) -> None:
    """Each detector finds the one image spoilt in its way, and no other."""
    images = scenes(40)
    images[17] = whole(change(images[17]))
    found = judged(detector, images)
    found = found[found["score"] >= 0.5]
    assert found["index"].tolist() == [17]
    assert found["score"].iloc[0] <= 1
    assert found["reason"].iloc[0]


MILD_AND_STRONG = {
    "dark": (lambda image: image * 0.7, lambda image: image * 0.3),
    "bright": (lambda image: image * 1.08, lambda image: image * 2.0),
    "blurred": (lambda image: blurred(image, 1.2), lambda image: blurred(image, 3)),
    "low_information": (lambda image: 200 + image * 0.12, lambda image: image * 0 + 99),
    "colour_cast": (lambda image: tinted(image, 1, 0.9, 0.7), lambda image: tinted(image, 1, 0.8, 0.3)),
    "grey": (lambda image: 200 + image * 0.04, lambda image: image * 0 + 99),
}


@pytest.mark.parametrize("kind", MILD_AND_STRONG)
def test_worse_is_scored_higher(kind: str) -> None:
    """The stronger fault has the higher score."""
    images = scenes(40)
    mild, strong = MILD_AND_STRONG[kind]
    images[0], images[1] = whole(mild(images[0])), whole(strong(images[1]))
    score = judged(getattr(quality, kind), images).set_index("index")["score"]
    assert set(score.index) == {0, 1}
    assert score[1] > score[0]


@pytest.mark.parametrize("detector", [*JUDGED_AMONG_OTHERS, quality.seamed])
def test_a_clean_set_has_no_findings(detector: Callable) -> None:
    """Forty ordinary pictures: no false alarm that counts."""
    assert (judged(detector, scenes(40, seed=3))["score"] < 0.5).all()


@pytest.mark.parametrize("detector", JUDGED_AMONG_OTHERS)
def test_copies_do_not_shift_what_is_usual(detector: Callable) -> None:
    """A thousand copies of one odd picture count as one when the usual is worked out."""
    spoilt = scenes(40)
    spoilt[0] = 0
    measures = measure(spoilt)
    many = np.concatenate([np.zeros(1000, int), np.arange(1, 40)])
    distinct = np.zeros(len(many), bool)
    distinct[np.unique(many, return_index=True)[1]] = True
    once = set(detector(measures, np.ones(40, bool))["index"])
    assert set(many[detector(measures.take(many), distinct)["index"]]) == once


@pytest.mark.parametrize("detector", [*JUDGED_AMONG_OTHERS, quality.seamed])
@pytest.mark.parametrize("side", [8, 9, 96])
def test_solid_colours_and_tiny_pictures_are_judged_too(detector: Callable, side: int) -> None:
    """Every grey there is, and pictures of 8 pixels: scores from the floor to 1, no warning, no failure."""
    solid = np.arange(256, dtype=np.uint8)[:, None, None, None] * np.ones((1, side, side, 3), np.uint8)
    noise = np.random.default_rng(side).integers(0, 256, (30, side, side, 3), dtype=np.uint8)
    for images in (solid, noise, solid[:1], np.concatenate([solid, noise])):
        found = judged(detector, images)
        assert found["score"].between(FLOOR, 1).all()
        assert not found["index"].duplicated().any()


@pytest.mark.parametrize("detector", [*JUDGED_AMONG_OTHERS, quality.seamed])
def test_no_images_no_findings(detector: Callable) -> None:
    """An empty set is no error."""
    nothing = Measures(*[np.zeros(0, np.float32)] * FIELDS)
    more = () if detector is quality.seamed else (np.zeros(0, bool),)
    assert detector(nothing, *more).empty


def test_a_grey_set_has_no_grey_pictures() -> None:
    """Where no picture has colour, none lacks it."""
    images = scenes(40).mean(axis=3, keepdims=True).astype(np.uint8).repeat(3, 3)
    assert judged(quality.grey, images).empty


def test_the_reason_names_the_colour_and_the_light() -> None:
    """Which way a background leans, and how much of the usual light there is."""
    images = scenes(40)
    for place, change in (
        (0, lambda image: tinted(image, 1, 0.85, 0.5)),
        (1, lambda image: tinted(image, 0.4, 0.9, 1)),
        (2, lambda image: image * 0.5),
    ):
        images[place] = whole(change(images[place]))
    casts = judged(quality.colour_cast, images).set_index("index")["reason"]
    assert "leans to yellow" in casts[0] and "leans to green and blue" in casts[1]
    light = judged(quality.dark, images).set_index("index")["reason"]
    assert light[2] == "Its brightest parts have 50% of the usual light"


def test_a_seam_is_straight_and_runs_from_edge_to_edge() -> None:
    """Half as long a seam, or the outline of a thing, is none."""
    images = scenes(40)
    images[5, :30, 48:] = scenes(1, seed=77)[0, :30, 48:]
    images[6, 20:76, 20:76] = 60
    assert not judged(quality.seamed, images).query("score >= 0.5")["index"].isin([5]).any()


@pytest.mark.parametrize(
    ("size", "odd"),
    [
        ((360, 363), False),
        ((400, 360), False),
        ((96, 96), True),
        ((1600, 1400), True),
        ((720, 360), True),
        ((200, 380), True),
        ((1, 1), True),
    ],
)
def test_an_original_of_another_size_or_shape_is_found(size: tuple[int, int], odd: bool) -> None:
    """Four times the area or half as wide again is odd; a few pixels more are not."""
    width, height = np.full(50, 360), np.full(50, 363)
    width[9], height[9] = size
    found = quality.odd_size(width, height).query("score >= 0.5")
    assert found["index"].tolist() == ([9] if odd else [])
    if odd:
        assert found["reason"].iloc[0] == f"Its original had {size[0]} x {size[1]} pixels"


def test_a_set_of_all_sizes_has_no_odd_one() -> None:
    """Where sizes vary, more is allowed."""
    rng = np.random.default_rng(4)
    width = np.exp(rng.normal(6, 0.6, 200)).astype(int)
    assert (quality.odd_size(width, width)["score"] < 0.5).all()
    assert quality.odd_size(width[:0], width[:0]).empty
