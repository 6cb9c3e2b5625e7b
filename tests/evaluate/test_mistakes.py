"""Right, wrong and unsure images, and the mistakes, on a table small enough to check by eye."""

import numpy as np
import pytest
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores

from bloodapp.evaluate import mistakes

LABELS = np.array([0, 0, 0, 0, 1, 1, 2])
PROBABILITIES = np.array(
    [
        [0.90, 0.05, 0.05],  # right
        [0.70, 0.20, 0.10],  # right, less sure
        [0.05, 0.92, 0.03],  # wrong
        [0.40, 0.35, 0.25],  # unsure
        [0.97, 0.02, 0.01],  # wrong, surest
        [0.10, 0.80, 0.10],  # right
        [0.34, 0.33, 0.33],  # unsure and wrong
    ],
    np.float32,
)


def test_images_of_a_label_are_sorted():
    """The images labelled 0 fall into right, wrong and unsure, each by the probability of 0."""
    got = mistakes.sort_class(LABELS, PROBABILITIES, 0)
    assert got.right.tolist() == [0, 1]
    assert got.wrong.tolist() == [2]
    assert got.unsure.tolist() == [3]


def test_images_taken_for_a_class_are_sorted():
    """By prediction, the images taken for 0 include those with other labels; the most probable first."""
    got = mistakes.sort_class(LABELS, PROBABILITIES, 0, by="predicted")
    assert got.right.tolist() == [0, 1]
    assert got.wrong.tolist() == [4]
    assert got.unsure.tolist() == [3, 6]


def test_the_worst_of_the_wrong_come_first():
    """Of those that carry the label the least probable, of those taken for it the most probable."""
    labels = np.array([0, 0, 0, 1, 1])
    table = np.array([[0.3, 0.7], [0.1, 0.9], [0.2, 0.8], [0.7, 0.3], [0.9, 0.1]])
    assert mistakes.sort_class(labels, table, 0).wrong.tolist() == [1, 2, 0]
    assert mistakes.sort_class(labels, table, 0, by="predicted").wrong.tolist() == [4, 3]


def test_the_threshold_moves_images_to_unsure():
    """A higher threshold calls more images unsure and loses none."""
    got = mistakes.sort_class(LABELS, PROBABILITIES, 0, unsure_below=0.8)
    assert got.right.tolist() == [0]
    assert sorted([*got.right, *got.wrong, *got.unsure]) == [0, 1, 2, 3]


def test_mistakes_come_most_confident_first():
    """Given label, prediction and both probabilities are told, in order of confidence."""
    got = mistakes.confident_mistakes(LABELS, PROBABILITIES)
    assert got["position"].tolist() == [4, 2, 6]
    assert got["label"].tolist() == [1, 0, 2]
    assert got["predicted"].tolist() == [0, 1, 0]
    np.testing.assert_allclose(got["confidence"], [0.97, 0.92, 0.34], rtol=1e-6)
    np.testing.assert_allclose(got["label_probability"], [0.02, 0.05, 0.33], rtol=1e-6)
    assert len(mistakes.confident_mistakes(LABELS, PROBABILITIES, limit=1)) == 1


@pytest.mark.parametrize("seed", range(4))
def test_doubtful_labels_are_cleanlabs(seed):
    """Of noisy labels the same are found as by cleanlab, in the same order: its normalised margin."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, 400)
    table = rng.normal(size=(400, 4))
    table[np.arange(400), labels] += 2.5
    table = np.exp(table) / np.exp(table).sum(1, keepdims=True)
    noisy = np.where(rng.random(400) < 0.1, rng.integers(0, 4, 400), labels)
    got = mistakes.doubtful_labels(noisy, table)
    want = find_label_issues(
        noisy, table, filter_by="confident_learning", return_indices_ranked_by="normalized_margin", n_jobs=1
    )
    assert len(got) > 10
    assert got["position"].tolist() == want.tolist()
    quality = get_label_quality_scores(noisy, table, method="normalized_margin")
    np.testing.assert_allclose((got["margin"] + 1) / 2, quality[got["position"]], atol=1e-9)


def test_swapped_labels_are_doubted_first():
    """Labels that were swapped on purpose lead the list, with the class that they had."""
    rng = np.random.default_rng(7)
    truth = np.repeat([0, 1, 2], 100)
    table = np.full((300, 3), 0.04)
    table[np.arange(300), truth] = 0.92
    table += rng.uniform(0, 0.03, table.shape)
    labels = truth.copy()
    swapped = [4, 130, 260]
    table[swapped, truth[swapped]] = 0.96
    labels[swapped] = (truth[swapped] + 1) % 3
    got = mistakes.doubtful_labels(labels, table)
    assert sorted(got["position"][:3]) == swapped
    assert got["predicted"][:3].tolist() == truth[got["position"][:3]].tolist()
    assert mistakes.doubtful_labels(truth, table).empty


def test_no_labels_are_no_doubt():
    """Nothing to judge, and a class that does not occur, are no error."""
    assert mistakes.doubtful_labels(np.zeros(0, int), np.zeros((0, 3))).empty
    assert mistakes.doubtful_labels([0, 0], [[0.9, 0.1], [0.2, 0.8]]).empty


def test_a_cell_gives_its_images():
    """A cell of the matrix holds the images of that label taken for that class, surest first."""
    assert mistakes.cell(LABELS, PROBABILITIES, 0, 0).tolist() == [0, 1, 3]
    assert mistakes.cell(LABELS, PROBABILITIES, 1, 0).tolist() == [4]
    assert mistakes.cell(LABELS, PROBABILITIES, 2, 1).tolist() == []


def test_the_worst_cells_leave_the_diagonal_out():
    """The largest confusions are named, empty cells never."""
    matrix = [[50, 3, 0], [1, 40, 0], [0, 7, 30]]
    assert mistakes.worst_cells(matrix) == [(2, 1, 7), (0, 1, 3), (1, 0, 1)]
    assert mistakes.worst_cells([[5, 0], [0, 5]]) == []
