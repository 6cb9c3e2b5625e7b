"""Detectors on inputs whose answers are known."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageFilter

from bloodapp.data.phash import perceptual_hashes
from bloodapp.review import detectors
from bloodapp.review.findings import COLUMNS, KINDS
from bloodapp.review.measures import Measures, likeness, measure
from bloodapp.review.scan import DETECTED

TITLES = ["Basophil", "Eosinophil", "Erythroblast"]


def scenes(count: int, seed: int = 0) -> np.ndarray:
    """`count` different pictures (N, 96, 96, 3): a bright ground with dark, sharply drawn discs."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:96, :96]
    images = np.empty((count, 96, 96, 3), np.uint8)
    for image in images:
        picture = np.full((96, 96, 3), (236.0, 222, 216))
        for _ in range(6):
            x, y, radius = *rng.uniform(5, 91, 2), rng.uniform(8, 22)
            picture[np.hypot(columns - x, rows - y) < radius] = rng.uniform(40, 190, 3)
        image[:] = np.clip(picture + rng.normal(0, 3, picture.shape), 0, 255)
    return images


def near(images: np.ndarray, sha256: list[str] | None = None) -> pd.DataFrame:
    """The near duplicates among images."""
    picture = detectors.pictures(sha256 or [str(i) for i in range(len(images))])
    pairs = detectors.candidates(perceptual_hashes(images), picture)
    involved = np.unique(np.concatenate(pairs))
    return detectors.near_duplicate(
        pairs, detectors.alike(pairs, involved, likeness(images[involved])), picture
    )


def judged(detector, images: np.ndarray) -> pd.DataFrame:
    """What a quality detector finds among images that are all distinct."""
    return detector(measure(images), np.ones(len(images), bool))


def blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    """The image, out of focus."""
    return np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(sigma)))


def test_exact_duplicates_are_grouped_under_the_first() -> None:
    """Same hash, same group; the first of a group is a little less urgent than its copies."""
    picture = detectors.pictures(["a", "b", "a", "c", "a", "b"])
    found = detectors.exact_duplicate(picture).set_index("index")
    assert found["group"].to_dict() == {0: 0, 2: 0, 4: 0, 1: 1, 5: 1}
    assert found.loc[2, "score"] == pytest.approx(2 / 3, abs=1e-4)
    assert found.loc[0, "score"] < found.loc[2, "score"]
    assert found.loc[0, "reason"] == "The same picture as 2 others"
    assert found.loc[5, "reason"] == "The same picture as one other"


def test_without_copies_nothing_is_found() -> None:
    """Distinct pictures give an empty table with all columns."""
    found = detectors.exact_duplicate(detectors.pictures(["a", "b"]))
    assert found.empty and list(found.columns) == list(COLUMNS)
    assert near(scenes(12)).empty


@pytest.mark.parametrize("change", ["brighter", "noisy", "softer", "shifted", "saved again"])
def test_near_duplicates_are_found(change: str) -> None:
    """A copy that differs a little is found together with its original, and nothing else is."""
    images = scenes(12)
    original = images[3]
    rng = np.random.default_rng(1)
    copy = {
        "brighter": np.clip(original * 1.06, 0, 255),
        "noisy": np.clip(original + rng.normal(0, 8, original.shape), 0, 255),
        "softer": blurred(original, 0.8),
        "shifted": np.roll(original, 1, axis=1),
        "saved again": np.asarray(Image.fromarray(original).resize((64, 64)).resize((96, 96))),
    }[change]
    found = near(np.concatenate([images, copy[None].astype(np.uint8)]))
    assert sorted(found["index"]) == [3, 12]
    assert set(found["group"]) == {3}


def test_a_chain_of_small_steps_joins_no_different_pictures() -> None:
    """Every member of a group is like its first: one picture fading into another stays apart from it."""
    first, last = scenes(2, seed=5).astype(float)
    steps = np.stack([first + (last - first) * t for t in np.linspace(0, 1, 15)]).astype(np.uint8)
    found = near(steps)
    assert len(found)
    thumbnails = likeness(steps)
    for _, members in found.groupby("group"):
        together = thumbnails[members["index"]] @ thumbnails[members["group"].iloc[0]]
        assert (together >= detectors.NEAR_LIKENESS).all()
    assert found.set_index("index")["group"].get(14) != 0


def test_exact_copies_go_with_their_near_duplicate() -> None:
    """All images of a picture that is nearly another are in the group."""
    images = scenes(3)
    images = np.concatenate([images, images[:1], blurred(images[0], 0.6)[None]])
    found = near(images, ["a", "b", "c", "a", "d"])
    assert sorted(found["index"]) == [0, 3, 4]
    assert found["reason"].iloc[0] == "Nearly the same picture as 2 others"


def test_a_thousand_nearly_empty_pictures_are_no_thousand_pairs_each() -> None:
    """Pictures that share a hash are compared with the first of them only."""
    hashes = np.zeros(1000, np.uint64)
    pairs = detectors.candidates(hashes, np.arange(1000))
    assert len(pairs[0]) == 999


def test_conflicting_labels_suggest_the_clear_majority() -> None:
    """Three to one: the one is the worst and gets the majority's label; unlabelled ones take no part."""
    group = np.array([0, 0, 0, 0, 0, -1])
    labels = np.array([1, 1, 2, 1, -1, 2], np.int16)
    found = detectors.label_conflict(group, np.zeros(6, int), labels, TITLES).set_index("index")
    assert sorted(found.index) == [0, 1, 2, 3]
    assert found["suggested"].to_dict() == {0: -1, 1: -1, 2: 1, 3: -1}
    assert found["score"].idxmax() == 2
    assert found.loc[0, "reason"] == "The same picture as 3 others, which carry 2 different labels"


def test_a_pair_in_conflict_names_the_other_label() -> None:
    """Of two, each says what the other is labelled; neither is more right."""
    found = detectors.label_conflict(np.array([0, 0]), np.array([0, 1]), np.array([0, 2], np.int16), TITLES)
    assert found["reason"].tolist() == [
        "Nearly the same picture as one other, which is labelled Erythroblast",
        "Nearly the same picture as one other, which is labelled Basophil",
    ]
    assert (found["suggested"] == -1).all()


def test_agreeing_labels_are_no_conflict() -> None:
    """One label in a group, or none at all: nothing to find."""
    group = np.array([0, 0, 2, 2])
    assert detectors.label_conflict(group, group, np.array([1, 1, -1, 2], np.int16), TITLES).empty


@pytest.mark.parametrize(
    ("detector", "change"),
    [
        (detectors.dark, lambda image: image * 0.5),
        (detectors.dark, lambda image: image * 0.0),
        (detectors.bright, lambda image: image * 1.4),
        (detectors.blurred, lambda image: blurred(image, 1.5)),
        (detectors.blurred, lambda image: np.mean([np.roll(image, k, 1) for k in range(-3, 4)], axis=0)),
        (detectors.low_information, lambda image: image * 0 + 236),
        (detectors.low_information, lambda image: 230 + image * 0.05),
    ],
)
def test_one_spoilt_image_among_forty_is_found_alone(detector, change) -> None:
    """Each quality detector finds the one image spoilt in its way, and no other."""
    images = scenes(40)
    images[17] = np.clip(change(images[17]), 0, 255).astype(np.uint8)
    found = judged(detector, images)
    assert found["index"].tolist() == [17]
    assert 0.5 <= found["score"].iloc[0] <= 1
    assert found["reason"].iloc[0]


@pytest.mark.parametrize(
    "detector", [detectors.dark, detectors.bright, detectors.blurred, detectors.low_information]
)
def test_worse_is_scored_higher(detector) -> None:
    """The stronger fault has the higher score."""
    images = scenes(40)
    mild = {"dark": images[0] * 0.7, "bright": np.clip(images[0] * 1.08, 0, 255)}
    strong = {"dark": images[1] * 0.3, "bright": np.clip(images[1] * 2.0, 0, 255)}
    mild |= {"blurred": blurred(images[0], 1.2), "low_information": 200 + images[0] * 0.12}
    strong |= {"blurred": blurred(images[1], 3), "low_information": images[1] * 0 + 99}
    images[0], images[1] = mild[detector.__name__], strong[detector.__name__]
    score = judged(detector, images).set_index("index")["score"]
    assert set(score.index) == {0, 1}
    assert score[1] > score[0]


@pytest.mark.parametrize(
    "detector", [detectors.dark, detectors.bright, detectors.blurred, detectors.low_information]
)
def test_a_clean_set_has_no_findings(detector) -> None:
    """Forty ordinary pictures: no false alarm."""
    assert judged(detector, scenes(40, seed=3)).empty


@pytest.mark.parametrize(
    "detector", [detectors.dark, detectors.bright, detectors.blurred, detectors.low_information]
)
def test_copies_do_not_shift_what_is_usual(detector) -> None:
    """A thousand copies of one odd picture count as one when the usual is worked out."""
    images = scenes(40)
    spoilt = images.copy()
    spoilt[0] = 0
    measures = measure(spoilt)
    many = np.concatenate([np.zeros(1000, int), np.arange(1, 40)])
    distinct = np.zeros(len(many), bool)
    distinct[np.unique(many, return_index=True)[1]] = True
    once = set(detector(measures, np.ones(40, bool))["index"])
    assert set(many[detector(measures.take(many), distinct)["index"]]) == once


@pytest.mark.parametrize(
    "detector", [detectors.dark, detectors.bright, detectors.blurred, detectors.low_information]
)
def test_no_images_no_findings(detector) -> None:
    """An empty set is no error."""
    nothing = Measures(*[np.zeros(0, np.float32)] * 8)
    assert detector(nothing, np.zeros(0, bool)).empty


def test_every_kind_that_is_looked_for_has_a_detector() -> None:
    """Detectors are named after their kinds."""
    for name in DETECTED:
        assert name in KINDS and callable(getattr(detectors, name))
