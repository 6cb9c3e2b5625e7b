"""Disagreements of readers: found, settled by a decision that says what each said, and open again when it is undone."""

import pytest

from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import judge, log, record, undo
from bloodapp.data.readings import CANNOT_TELL, Sample, draw, record_reading
from bloodapp.errors import InvalidValue, NotFound
from bloodapp.review.adjudication import LABEL, disagreements, settle


@pytest.fixture
def sample(tiny: Dataset) -> Sample:
    """Six images; Ben names the first as labelled, two otherwise, cannot tell one and leaves two."""
    drawn = draw(tiny, 6)
    for place, label in enumerate(
        [drawn.labels[0], (drawn.labels[1] + 1) % 8, (drawn.labels[2] + 2) % 8, CANNOT_TELL]
    ):
        record_reading(tiny, drawn.name, int(drawn.index[place]), int(label), reader="Ben")
    return drawn


def test_with_the_labels_of_the_time(tiny: Dataset, sample: Sample) -> None:
    """Compared is what the label was when the sample was drawn, whatever it has become."""
    record(tiny, sample.index, "relabel", label=0)
    found = disagreements(tiny, sample, "Ben")
    assert [one.index for one in found] == sample.index[1:4].tolist()
    assert [one.first for one in found] == sample.labels[1:4].tolist()
    assert found[2].second == CANNOT_TELL
    assert all(one.open for one in found)


def test_settling_is_a_decision(tiny: Dataset, sample: Sample) -> None:
    """A new label is a relabel, the old one a keep; the log says who said what, and undone it is open again."""
    one, two, three = disagreements(tiny, sample, "Ben")
    batch = settle(tiny, one, one.second, who="Ann")
    settle(tiny, two, two.first, who="Ann")
    titles = [each.title for each in tiny.classes]
    assert log(tiny)[["action", "why", "who"]].to_numpy().tolist() == [
        ["keep", f"adjudicated: the label said {titles[two.first]}, Ben said {titles[two.second]}", "Ann"],
        ["relabel", f"adjudicated: the label said {titles[one.first]}, Ben said {titles[one.second]}", "Ann"],
    ]
    assert three.why.endswith("Ben said cannot tell")
    after = disagreements(tiny, sample, "Ben")
    assert [each.settled for each in after] == [one.second, two.first, -1]
    assert [each.who for each in after] == ["Ann", "Ann", ""]
    undo(tiny, batch=batch)
    assert [each.open for each in disagreements(tiny, sample, "Ben")] == [True, False, True]
    assert judge(tiny).labels[one.index] == one.first


def test_other_decisions_settle_nothing(tiny: Dataset, sample: Sample) -> None:
    """A relabel that knows nothing of the readers leaves the question open; a new reading asks it anew."""
    one = disagreements(tiny, sample, "Ben")[0]
    record(tiny, [one.index], "relabel", label=one.second)
    assert disagreements(tiny, sample, "Ben")[0].open
    settle(tiny, one, one.second)
    record_reading(tiny, sample.name, one.index, (one.first + 3) % 8, reader="Ben")
    assert disagreements(tiny, sample, "Ben")[0].open


def test_of_two_readers(tiny: Dataset, sample: Sample) -> None:
    """Two readers are compared as a reader and the labels are; who has read nothing is no reader."""
    for place in (0, 1, 3):
        record_reading(tiny, sample.name, int(sample.index[place]), int(sample.labels[place]), reader="Cy")
    found = disagreements(tiny, sample, "Ben", "Cy")
    assert [one.index for one in found] == sample.index[[1, 3]].tolist()
    assert found[0].why.startswith("adjudicated: Cy said ")
    assert disagreements(tiny, sample, "Cy", LABEL) == []
    with pytest.raises(NotFound, match=r"reader 'Dan'. Available: Ben, Cy"):
        disagreements(tiny, sample, "Dan")


def test_an_image_that_was_left_out_stays_out(tiny: Dataset, sample: Sample) -> None:
    """To settle the label of an excluded image does not bring it back; under one id it is settled once."""
    one = disagreements(tiny, sample, "Ben")[0]
    record(tiny, [one.index], "exclude")
    assert settle(tiny, one, one.first, once="a") == settle(tiny, one, one.first, once="a")
    assert not judge(tiny).included[one.index]
    assert not disagreements(tiny, sample, "Ben")[0].open
    with pytest.raises(InvalidValue, match="Label 8 is out of range"):
        settle(tiny, one, 8)
