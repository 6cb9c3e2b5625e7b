"""Many images that are given labels of their own in one batch."""

import numpy as np
import pytest

from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import batches, judge, last_seq, log, record, relabel, undo
from bloodapp.errors import InvalidValue
from bloodapp.review.history import history


def test_each_image_its_own_label_and_one_undo(tiny: Dataset) -> None:
    """The labels are those given, the batch is one, and one undo brings all of them back."""
    batch = relabel(tiny, {3: 1, 9: 7, 4: 1}, why="from a table", who="ada")
    assert judge(tiny).labels[[3, 9, 4]].tolist() == [1, 7, 1]
    assert log(tiny)["batch"].unique().tolist() == [batch]
    undo(tiny, batch=batch)
    assert (judge(tiny).labels == tiny.labels).all()


def test_a_batch_of_several_labels_claims_none(tiny: Dataset) -> None:
    """Where a batch is told in one line it names a label only if all its images have that one."""
    relabel(tiny, {3: 1, 9: 7})
    relabel(tiny, {3: 2, 9: 2})
    record(tiny, [5], "exclude")
    assert batches(tiny)["label"].tolist() == [-1, 2, -1]
    assert history(tiny)["label"].tolist() == [-1, 2, -1]
    assert log(tiny)["label"].tolist() == [-1, 2, 2, 7, 1]


def test_it_is_done_once(tiny: Dataset) -> None:
    """Under one id it is one batch."""
    assert relabel(tiny, {3: 1}, once="a") == relabel(tiny, {3: 1}, once="a")
    assert last_seq(tiny) == 1


@pytest.mark.parametrize("labels", [{}, {3: 8}, {3: -1}, {48: 1}, {1: 1, -1: 2}])
def test_what_cannot_be_given(tiny: Dataset, labels: dict[int, int]) -> None:
    """One mistake refuses all of it."""
    with pytest.raises(InvalidValue):
        relabel(tiny, labels)
    assert last_seq(tiny) == 0
    assert not np.any(judge(tiny).decided)
