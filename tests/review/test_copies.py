"""Copies with known answers: exact ones, near ones however they came about, their labels and their parts."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bloodapp.data.phash import perceptual_hashes, turned_hashes
from bloodapp.data.sample import draw_sample
from bloodapp.review import copies
from bloodapp.review.findings import COLUMNS
from bloodapp.review.measures import likeness, thumbnails
from bloodapp.review.thresholds import FLOOR
from tests.review.drawn import DIRECTIONS, blurred, moved, relit, saved_again, scenes

TITLES = ["Basophil", "Eosinophil", "Erythroblast"]


@pytest.fixture(scope="module")
def cells() -> np.ndarray:
    """24 drawn cells that nothing was done to."""
    sample = draw_sample()
    good = np.setdiff1d(np.arange(len(sample.labels)), sample.truth["index"])
    return sample.images[good[:24]]


def near(images: np.ndarray, sha256: list[str] | None = None, *, turned: bool = False) -> pd.DataFrame:
    """The near duplicates among images."""
    picture = copies.pictures(sha256 or [str(i) for i in range(len(images))])
    hashes = turned_hashes(images) if turned else perceptual_hashes(images)
    group, alike = copies.near_copies(hashes, picture, thumbnails(images))
    return copies.near_duplicate(group, alike, picture)


def sure(found: pd.DataFrame) -> pd.DataFrame:
    """The findings of groups that count by default."""
    best = found.groupby("group")["score"].transform("max")
    return found[best >= 0.5]


def test_exact_duplicates_are_grouped_under_the_first() -> None:
    """Same hash, same group; the first, which is kept, scores next to nothing and its copies next to 1."""
    found = copies.exact_duplicate(copies.pictures(["a", "b", "a", "c", "a", "b"])).set_index("index")
    assert found["group"].to_dict() == {0: 0, 2: 0, 4: 0, 1: 1, 5: 1}
    assert (found.loc[[0, 1], "score"] < FLOOR).all() and (found.loc[[2, 4, 5], "score"] > 0.95).all()
    assert found.loc[2, "score"] > found.loc[5, "score"]
    assert found.loc[0, "reason"] == "The same picture as 2 others"
    assert found.loc[5, "reason"] == "The same picture as one other"


def test_without_copies_nothing_is_found(cells: np.ndarray) -> None:
    """Distinct pictures give an empty table with all columns; so do no pictures."""
    for found in (copies.exact_duplicate(copies.pictures(["a", "b"])), near(scenes(12)), near(cells)):
        assert found.empty and list(found.columns) == list(COLUMNS)
    assert copies.exact_duplicate(copies.pictures([])).empty


@pytest.mark.parametrize("change", ["noisy", "softer", "smaller and back"])
def test_near_duplicates_are_found(change: str) -> None:
    """A copy that differs a little is found together with its original, and nothing else is."""
    images = scenes(12)
    original = images[3]
    rng = np.random.default_rng(1)
    copy = {
        "noisy": np.clip(original + rng.normal(0, 8, original.shape), 0, 255),
        "softer": blurred(original, 0.8),
        "smaller and back": np.asarray(Image.fromarray(original).resize((64, 64)).resize((96, 96))),
    }[change]
    found = near(np.concatenate([images, copy[None].astype(np.uint8)]))
    assert sorted(found["index"]) == [3, 12]
    assert set(found["group"]) == {3}


ONE_CHANGE = {
    "saved again": [lambda image, q=q: saved_again(image, q) for q in (40, 50, 65, 75, 90)],
    "relit": [lambda image, f=f: relit(image, f) for f in (0.94, 0.97, 1.03, 1.06)],
    "moved": [lambda image, by=by: moved(image, *by) for by in DIRECTIONS],
}


@pytest.mark.parametrize("change", ONE_CHANGE)
def test_what_happens_to_a_copy_on_its_way_hides_it_from_nobody(cells: np.ndarray, change: str) -> None:
    """Saved at quality 40 to 90, up to 6 % brighter or darker, or moved by a pixel in any direction."""
    for number, way in enumerate(ONE_CHANGE[change]):
        found = near(np.concatenate([cells, way(cells[number])[None]])).set_index("index")
        assert found["group"].to_dict() == {number: number, 24: number}
        assert found.loc[number, "score"] < FLOOR and found.loc[24, "score"] >= 0.5


def test_everything_at_once_hides_hardly_any_copy(cells: np.ndarray) -> None:
    """Moved, relit as far as it goes and saved at quality 40 or 90: all are found, nine of ten for sure."""
    scores = []
    for number, (quality, factor, by) in enumerate(product((40, 90), (0.94, 1.06), DIRECTIONS)):
        number %= len(cells)
        copy = saved_again(relit(moved(cells[number], *by), factor), quality)
        found = near(np.concatenate([cells, copy[None]])).set_index("index")
        assert found["group"].to_dict() == {number: number, 24: number}
        scores.append(found.loc[24, "score"])
    assert np.mean(np.array(scores) >= 0.5) >= 0.9


def test_a_nearer_copy_scores_higher(cells: np.ndarray) -> None:
    """Saved at quality 90 is surer than saved at 40, moved and relit."""
    light = saved_again(cells[0], 90)
    heavy = saved_again(relit(moved(cells[1], 1, -1), 1.06), 40)
    found = near(np.concatenate([cells, light[None], heavy[None]])).set_index("index")
    assert found.loc[24, "score"] > found.loc[25, "score"]


@pytest.mark.parametrize(("quarters", "mirrored"), [*product((1, 2, 3), (False, True)), (0, True)])
def test_turned_copies_are_found_when_asked_for(cells: np.ndarray, quarters: int, mirrored: bool) -> None:
    """Mirrored and turned by quarters, and saved again on top; without being asked for they stay unseen."""
    copy = np.rot90(cells[5][:, ::-1] if mirrored else cells[5], quarters)
    for one in (copy, saved_again(np.ascontiguousarray(copy), 60)):
        images = np.concatenate([cells, one[None]])
        found = near(images, turned=True)
        assert sorted(found["index"]) == [5, 24] and set(found["group"]) == {5}
        assert found.set_index("index").loc[24, "score"] >= 0.5
        assert sure(near(images)).empty


def test_turned_pictures_are_still_different_pictures(cells: np.ndarray) -> None:
    """In none of their eight positions are different cells alike."""
    assert sure(near(cells, turned=True)).empty


def test_a_chain_of_small_steps_joins_no_different_pictures() -> None:
    """Every member of a group is like its first: one picture fading into another stays apart from it."""
    first, last = scenes(2, seed=5).astype(float)
    steps = np.stack([first + (last - first) * t for t in np.linspace(0, 1, 15)]).astype(np.uint8)
    found = sure(near(steps))
    assert len(found)
    vectors = likeness(thumbnails(steps))
    counted = found[(found["score"] >= 0.5) | (found["index"] == found["group"])]
    for _, members in counted.groupby("group"):
        together = vectors[members["index"]] @ vectors[members["group"].iloc[0]]
        assert (together >= copies.NEAR_LIKENESS - 1e-5).all()
    assert found.set_index("index")["group"].get(14) != 0


def test_exact_copies_go_with_their_near_duplicate() -> None:
    """All images of a picture that is nearly another are in the group, the exact ones of the first score nothing."""
    images = scenes(3)
    images = np.concatenate([images, images[:1], blurred(images[0], 0.6)[None]])
    found = near(images, ["a", "b", "c", "a", "d"]).set_index("index")
    assert sorted(found.index) == [0, 3, 4]
    assert (found.loc[[0, 3], "score"] < FLOOR).all() and found.loc[4, "score"] >= 0.5
    assert found.loc[0, "reason"] == "Nearly the same picture as 2 others"


@pytest.mark.parametrize("turned", [False, True])
def test_a_thousand_nearly_empty_pictures_are_no_copies(turned: bool) -> None:
    """Empty fields share a hash and look like nothing: each stays alone."""
    images = np.full((1000, 32, 32, 3), 236, np.uint8)
    images += (np.arange(1000) % 19).astype(np.uint8)[:, None, None, None]
    assert len(np.unique(perceptual_hashes(images))) == 1
    assert near(images, turned=turned).empty


def test_a_thousand_copies_are_one_group() -> None:
    """All are compared with the first, and none with one another."""
    images = np.repeat(scenes(1, side=32), 1000, axis=0)
    images[:, 5, 5, 0] = np.arange(1000) % 256
    found = near(images)
    assert len(found) == 1000 and set(found["group"]) == {0}
    assert found["reason"].iloc[0] == "Nearly the same picture as 999 others"


def test_conflicting_labels_suggest_the_clear_majority() -> None:
    """Three to one: the one is the worst and gets the majority's label; unlabelled ones take no part."""
    group = np.array([0, 0, 0, 0, 0, -1])
    labels = np.array([1, 1, 2, 1, -1, 2], np.int16)
    found = copies.label_conflict(group, np.zeros(6, int), labels, TITLES).set_index("index")
    assert sorted(found.index) == [0, 1, 2, 3]
    assert found["suggested"].to_dict() == {0: -1, 1: -1, 2: 1, 3: -1}
    assert found["score"].idxmax() == 2
    assert found.loc[0, "reason"] == "The same picture as 3 others, which carry 2 different labels"


def test_a_pair_in_conflict_names_the_other_label() -> None:
    """Of two, each says what the other is labelled; neither is more right."""
    found = copies.label_conflict(np.array([0, 0]), np.array([0, 1]), np.array([0, 2], np.int16), TITLES)
    assert found["reason"].tolist() == [
        "Nearly the same picture as one other, which is labelled Erythroblast",
        "Nearly the same picture as one other, which is labelled Basophil",
    ]
    assert (found["suggested"] == -1).all() and (found["score"] >= 0.5).all()


def test_agreeing_labels_are_no_conflict() -> None:
    """One label in a group, or none at all: nothing to find."""
    group = np.array([0, 0, 2, 2])
    assert copies.label_conflict(group, group, np.array([1, 1, -1, 2], np.int16), TITLES).empty


def leaks(group: list[int], parts: list[str]) -> pd.DataFrame:
    """The leakage among images of these groups and parts, by position."""
    return copies.leakage(np.array(group), np.array(parts)).set_index("index")


def test_a_picture_in_two_parts_leaks_from_the_earlier() -> None:
    """The copy that is judged on later stays, the one that is learned from goes, and the reason names both parts."""
    for early, late, words in (
        ("train", "test", "training and test"),
        ("train", "val", "training and validation"),
        ("val", "test", "validation and test"),
    ):
        found = leaks([0, 0, 2], [late, early, early])
        assert sorted(found.index) == [0, 1] and set(found["group"]) == {0}
        assert found.loc[0, "score"] < FLOOR and found.loc[1, "score"] > 0.9
        assert found.loc[1, "reason"] == f"The same picture lies in {words}"


def test_in_all_three_parts_only_the_tests_copy_stays() -> None:
    """Training and validation both leak; twins within the test part are no leak of their own."""
    found = leaks([0, 0, 0, 0], ["train", "val", "test", "test"])
    assert (found["score"] > 0.9).to_dict() == {0: True, 1: True, 2: False, 3: False}
    assert found.loc[0, "reason"] == "The same picture lies in training and validation and test"


def test_copies_within_a_part_or_without_one_are_no_leak() -> None:
    """Images alone, of one part, or of no given part take no part."""
    assert leaks([0, 0, -1, -1], ["train", "train", "train", "test"]).empty
    assert leaks([0, 0, 2, 2], ["train", "", "", "test"]).empty
