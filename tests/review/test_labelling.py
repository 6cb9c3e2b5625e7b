"""The label queue: the least certain first, an order that holds while one labels, and how far it is."""

from dataclasses import replace

import numpy as np
import pytest

from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import judge, record, undo
from bloodapp.errors import InvalidValue
from bloodapp.review.labelling import MEASURES, By, progress, queue, taken, uncertainty
from bloodapp.review.proposals import Proposals
from tests.review.unlabelled import without_labels


@pytest.fixture
def half(tiny: Dataset) -> Dataset:
    """Twenty labelled images and 28 without a label; 46 and 47 are one picture."""
    return without_labels(tiny)


def proposed(dataset: Dataset, seed: int = 0, rows: np.ndarray | None = None) -> Proposals:
    """What some run says of all images, or of some."""
    index = np.arange(len(dataset)) if rows is None else rows
    table = np.random.default_rng(seed).dirichlet(np.full(8, 0.4), len(dataset))[index].astype(np.float32)
    return Proposals("some", index, table, np.zeros(len(index), bool), True, True, "now")


@pytest.mark.parametrize("by", MEASURES)
def test_uncertainty_goes_from_none_to_all(by: By) -> None:
    """0 for a certain answer, 1 for a wholly open one, between them for what lies between."""
    certain, open_, between = uncertainty([[1, 0, 0, 0], [0.25] * 4, [0.6, 0.3, 0.1, 0]], by)
    assert certain == pytest.approx(0, abs=1e-9)
    assert open_ == pytest.approx(1)
    assert 0 < between < 1
    assert uncertainty(np.zeros((0, 4)), by).shape == (0,)


def test_the_measures_differ_where_they_should() -> None:
    """Of two answers the margin asks first for the one between two classes, the entropy for the one between many."""
    either, many = [0.5, 0.48, 0.02, 0.0], [0.4, 0.2, 0.2, 0.2]
    assert np.argmax(uncertainty([either, many], "margin")) == 0
    assert np.argmax(uncertainty([either, many], "entropy")) == 1
    assert uncertainty([either], "margin")[0] == pytest.approx(0.98)
    assert uncertainty([either], "least_confident")[0] == pytest.approx(0.5 / 0.75)
    with pytest.raises(InvalidValue, match="margin, entropy, least_confident"):
        uncertainty([either], "luck")  # type: ignore[arg-type]


def test_the_least_certain_come_first(half: Dataset) -> None:
    """Only images without a label, by falling uncertainty, but for the second of two copies, which waits till last."""
    said = proposed(half)
    found = queue(half, judge(half), said)
    assert sorted(found.index) == list(range(20, 48))
    unsure = uncertainty(said.probabilities)
    twins = sorted((46, 47), key=lambda index: -unsure[index])
    expected = sorted(range(20, 48), key=lambda index: (index == twins[1], -unsure[index]))
    assert found.index.tolist() == expected
    assert found.proposal.tolist() == said.labels[expected].tolist()
    assert found.uncertainty == pytest.approx(unsure[expected])
    assert found.confidence == pytest.approx(said.confidence[expected])
    assert (found.run, found.by, found.flagged) == ("some", "margin", 0)


@pytest.mark.parametrize("seed", range(5))
def test_the_order_holds_while_one_labels(half: Dataset, seed: int) -> None:
    """Whatever is labelled, undone, excluded or put aside, all others keep their order."""
    said, rng = proposed(half, seed), np.random.default_rng(seed)
    before = queue(half, judge(half), said).index.tolist()
    gone: set[int] = set()
    for index in rng.permutation(before)[:20]:
        action = str(rng.choice(["relabel", "exclude", "flag"]))
        batch = record(half, [int(index)], action, label=3 if action == "relabel" else None)
        if rng.random() < 0.2:
            undo(half, batch=batch)
        else:
            gone.add(int(index))
        now = queue(half, judge(half), said)
        waiting = now.index[: len(now) - now.flagged].tolist()
        assert waiting == [each for each in before if each not in gone]
        aside = now.index[len(now) - now.flagged :].tolist()
        assert aside == [each for each in before if judge(half).flagged[each]]


def test_without_proposals_it_is_the_sources_order(half: Dataset) -> None:
    """Nothing is proposed, and nothing is in the way of labelling."""
    found = queue(half, judge(half), None)
    assert found.index.tolist() == list(range(20, 48))
    assert (found.proposal == -1).all()
    assert np.isnan(found.confidence).all()
    assert found.run == ""


def test_what_nothing_is_said_of_comes_after(half: Dataset) -> None:
    """Images that the run was not asked about follow in the source's order."""
    found = queue(half, judge(half), proposed(half, rows=np.arange(30, 40)))
    assert sorted(found.index[:10]) == list(range(30, 40))
    assert found.index[10:].tolist() == [*range(20, 30), *range(40, 48)]
    assert (found.proposal[10:] == -1).all()
    assert len(queue(half, judge(half), proposed(half, rows=np.arange(0)))) == 28


def test_a_dataset_with_all_labels_has_no_queue(tiny: Dataset) -> None:
    """Nothing waits, and all of it is done."""
    assert len(queue(tiny, judge(tiny), proposed(tiny))) == 0
    assert progress(tiny, judge(tiny)).share == 1


def test_progress(half: Dataset) -> None:
    """Given and labelled here are counted apart, excluded images nowhere, and undone is undone."""
    batch = record(half, [20, 21, 22], "relabel", label=5)
    record(half, [0], "relabel", label=5)
    record(half, [23], "flag")
    record(half, [22, 24, 1], "exclude")
    said = progress(half, judge(half))
    assert (said.given, said.here, said.left, said.flagged) == (19, 2, 24, 1)
    assert said.share == pytest.approx(2 / 26)
    five = said.classes[5]
    assert (five.label, five.given, five.here, five.total) == (5, 3, 2, 5)
    assert sum(one.total for one in said.classes) == 21
    undo(half, batch=batch)
    assert progress(half, judge(half)).here == 0


def test_how_often_a_proposal_was_taken(half: Dataset) -> None:
    """Of five labels given here three are the proposed ones; images that the run has learned from do not count."""
    said = proposed(half)
    for place, index in enumerate(range(20, 25)):
        label = int(said.labels[index])
        record(half, [index], "relabel", label=label if place < 3 else (label + 1) % 8)
    record(half, [0], "relabel", label=int(said.labels[0]))  # it had a label
    found = taken(half, judge(half), said)
    assert (found.hits, found.count) == (3, 5)
    assert found.share.value == pytest.approx(0.6)
    assert (found.share.low, found.share.high) == pytest.approx((0.2307, 0.8824), abs=1e-4)
    learned = np.zeros(48, bool)
    learned[[20, 24]] = True
    found = taken(half, judge(half), replace(said, learned=learned))
    assert (found.hits, found.count) == (2, 3)
    assert np.isnan(taken(half, judge(half), replace(said, learned=np.ones(48, bool))).share.value)
