"""Right, wrong and unsure images, and the mistakes, on a table small enough to check by eye."""

import numpy as np

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
    """The images labelled 0 fall into right, wrong and unsure, surest first."""
    got = mistakes.sort_class(LABELS, PROBABILITIES, 0)
    assert got.right.tolist() == [0, 1]
    assert got.wrong.tolist() == [2]
    assert got.unsure.tolist() == [3]


def test_images_taken_for_a_class_are_sorted():
    """By prediction, the images taken for 0 include those with other labels; least sure first."""
    got = mistakes.sort_class(LABELS, PROBABILITIES, 0, by="predicted")
    assert got.right.tolist() == [0, 1]
    assert got.wrong.tolist() == [4]
    assert got.unsure.tolist() == [6, 3]


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
