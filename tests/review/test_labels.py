"""Doubtful labels on features whose classes are known."""

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from bloodapp.review import labels as module
from bloodapp.review.labels import mislabelled
from bloodapp.review.thresholds import FLOOR

TITLES = ["Basophil", "Eosinophil", "Erythroblast", "Lymphocyte"]
EACH, WIDTH = 120, 24


def clusters(seed: int = 0, each: int = EACH) -> tuple[NDArray[np.float32], NDArray[np.int16]]:
    """Features (4 * each, 24) in four clouds that hardly touch, and their classes."""
    rng = np.random.default_rng(seed)
    true = np.repeat(np.arange(4), each).astype(np.int16)
    middles = rng.normal(0, 1.3, (4, WIDTH))
    return (middles[true] + rng.normal(0, 1, (4 * each, WIDTH))).astype(np.float32), true


def flipped(
    true: NDArray[np.int16], share: float, seed: int = 1
) -> tuple[NDArray[np.int16], NDArray[np.int64]]:
    """Labels of which a share is wrong, and where."""
    rng = np.random.default_rng(seed)
    wrong = np.sort(rng.choice(len(true), round(share * len(true)), replace=False))
    given = true.copy()
    given[wrong] = (true[wrong] + rng.integers(1, 4, len(wrong))) % 4
    return given, wrong


def doubted(
    features: NDArray[np.float32],
    labels: NDArray[np.int16],
    *,
    group: NDArray[np.int64] | None = None,
    judged: NDArray[np.bool_] | None = None,
) -> pd.DataFrame:
    """The doubtful labels, by position."""
    everyone = np.arange(len(labels))
    found = mislabelled(
        features,
        labels,
        everyone if group is None else group,
        np.ones(len(labels), bool) if judged is None else judged,
        TITLES,
    )
    assert found["score"].between(FLOOR, 1).all()
    return found.set_index("index")


def test_flipped_labels_are_found_with_what_they_should_be() -> None:
    """Of 5 % wrong labels nearly all are found, hardly a right one is doubted, and the suggestion is the class."""
    features, true = clusters()
    given, wrong = flipped(true, 0.05)
    found = doubted(features, given)
    sure = found[found["score"] >= 0.5]
    assert np.isin(wrong, sure.index).mean() >= 0.95
    assert np.isin(sure.index, wrong).mean() >= 0.9
    right = sure[sure.index.isin(wrong)]
    assert (right["suggested"] == true[right.index]).mean() >= 0.95
    assert (found["suggested"] != given[found.index]).all()


def test_the_reason_names_both_classes_in_good_english() -> None:
    """An eosinophil, but a basophil; with the probability of what it looks like."""
    features, true = clusters()
    given = true.copy()
    given[EACH], given[0] = 0, 1  # an eosinophil called a basophil, and the other way round
    found = doubted(features, given)
    assert found.loc[EACH, "reason"].startswith("Labelled Basophil, but looks like an Eosinophil (")
    assert found.loc[0, "reason"].startswith("Labelled Eosinophil, but looks like a Basophil (")
    assert found.loc[0, "reason"].endswith("%)")


def test_right_labels_are_hardly_doubted() -> None:
    """Without a wrong label at most one in a hundred reaches the threshold."""
    features, true = clusters(seed=5)
    assert (doubted(features, true)["score"] >= 0.5).sum() <= len(true) // 100


def test_the_same_again() -> None:
    """The folds come from a seed: twice the same findings."""
    features, true = clusters()
    given, _ = flipped(true, 0.05)
    assert doubted(features, given).equals(doubted(features, given))


def test_copies_do_not_vouch_for_one_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrongly labelled picture and its nine copies are in one fold, so none is learned from to judge another."""
    features, true = clusters()
    given, group = true.copy(), np.arange(len(true))
    copies = np.arange(0, 200, 20)
    features[copies], given[copies], group[copies] = features[0], 2, 0
    seen = []
    original = module._out_of_fold

    def watched(values, labels, fold, classes):
        seen.append(fold)
        return original(values, labels, fold, classes)

    monkeypatch.setattr(module, "_out_of_fold", watched)
    found = doubted(features, given, group=group)
    assert len(np.unique(seen[0][copies])) == 1 and len(np.unique(seen[0])) == module.FOLDS
    assert np.isin(copies, found.index[found["score"] >= 0.5]).all()
    assert (found.loc[copies, "suggested"] == 0).all()


def test_what_has_no_label_or_shows_no_cell_takes_no_part() -> None:
    """Neither is doubted, nor learned from: strange features there change no answer elsewhere."""
    features, true = clusters()
    given, _ = flipped(true, 0.05)
    out = np.arange(0, len(true), 7)
    unlabelled = given.copy()
    unlabelled[out] = -1
    judged = np.ones(len(true), bool)
    judged[out] = False
    disturbed = features.copy()
    disturbed[out] = 1000
    found = doubted(features, unlabelled)
    assert len(found) and not found.index.isin(out).any()
    assert doubted(disturbed, given, judged=judged).equals(found)


def test_a_class_with_a_handful_of_images_is_left_out() -> None:
    """Nine images say nothing about a class: none of them is doubted, and none looks like it."""
    features, true = clusters()
    few = np.concatenate([np.flatnonzero(true != 3), np.flatnonzero(true == 3)[:9]])
    given, wrong = flipped(true[few], 0.05)
    given[true[few] == 3] = 3
    given[(given == 3) & (true[few] != 3)] = 0
    found = doubted(features[few], given)
    assert not (given[found.index] == 3).any() and not (found["suggested"] == 3).any()
    assert len(found) and len(wrong)


@pytest.mark.parametrize("labels", [[0] * 40, [0] * 40 + [1] * 9, [-1] * 40, []])
def test_it_takes_two_classes_to_confuse_them(labels: list[int]) -> None:
    """With one class, one that is large enough, no label or no image there is nothing to say."""
    features = np.random.default_rng(0).normal(size=(len(labels), WIDTH)).astype(np.float32)
    assert doubted(features, np.array(labels, np.int16)).empty
