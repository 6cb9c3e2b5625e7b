"""Which images the gallery shows, and in which order."""

import numpy as np
import pandas as pd
import pytest

from bloodapp.data import decisions
from bloodapp.data.dataset import Dataset
from bloodapp.review.browse import NONE, SORTS, STATES, Browse, Found, Predicted, found_of, matching

FINDINGS = pd.DataFrame(
    {
        "index": [3, 3, 9, 20],
        "kind": ["blurred", "mislabelled", "blurred", "dark"],
        "group": [-1, -1, -1, -1],
        "score": [0.6, 0.9, 0.7, 0.95],
        "suggested": [-1, 5, -1, -1],
        "reason": ["", "", "", ""],
    }
)


def shown(dataset: Dataset, said: Predicted | None = None, **wanted: str) -> list[int]:
    """What is on show under these filters."""
    found = found_of(FINDINGS, len(dataset))
    return matching(Browse(**wanted), dataset, decisions.judge(dataset), found, said).tolist()


def test_nothing_chosen_shows_everything(tiny: Dataset) -> None:
    """All images in file order."""
    assert shown(tiny) == list(range(48))
    assert not Browse(sort="urgent").filtered and Browse(text="a").filtered


def test_by_the_class_as_it_is_now(tiny: Dataset) -> None:
    """A relabelled image is found under its new class, and no more under the old."""
    decisions.record(tiny, [2], "relabel", label=7)
    assert 2 in shown(tiny, label=tiny.classes[7].key)
    assert 2 not in shown(tiny, label=tiny.classes[2].key)
    assert shown(tiny, label=NONE) == []


def test_by_finding(tiny: Dataset) -> None:
    """A kind, any of two on one image, and those without."""
    assert shown(tiny, kind="blurred") == [3, 9]
    assert shown(tiny, kind="mislabelled") == [3]
    assert shown(tiny, kind="no such kind") == []
    assert shown(tiny, kind=NONE) == [index for index in range(48) if index not in (3, 9, 20)]


def test_by_state(tiny: Dataset) -> None:
    """Every state holds what it says."""
    decisions.record(tiny, [0, 1], "exclude")
    decisions.record(tiny, [2], "keep")
    decisions.record(tiny, [3], "flag")
    decisions.record(tiny, [4], "relabel", label=7)
    expected = {
        "": list(range(48)),
        "excluded": [0, 1],
        "included": list(range(2, 48)),
        "decided": [0, 1, 2, 4],
        "flagged": [3],
        "relabelled": [4],
        "open": list(range(5, 48)),
    }
    assert expected.keys() == STATES.keys()
    for state, images in expected.items():
        assert shown(tiny, state=state) == images, state


def test_by_name_and_number(tiny: Dataset) -> None:
    """Part of a name whatever its case; a number sign asks for one image."""
    names = tiny.items["name"].tolist()
    assert shown(tiny, text=names[17].upper()) == [k for k, name in enumerate(names) if names[17] in name]
    assert shown(tiny, text=" #17 ") == [17]
    assert shown(tiny, text="#1,000") == []
    assert shown(tiny, text="[") == []  # no pattern, just text


def test_by_prediction(tiny: Dataset) -> None:
    """Like or unlike the label, unsure, and one class; where nothing is said nothing is shown."""
    label = tiny.labels.copy()
    label[:4] = (label[:4] + 1) % 8
    label[40:] = -1
    sure = np.linspace(0.5, 1, 48, dtype=np.float32)
    said = Predicted(label, sure, sure[::-1].copy())
    assert shown(tiny, said, predicted="differs") == [0, 1, 2, 3]
    assert shown(tiny, said, predicted="agrees") == list(range(4, 40))
    assert shown(tiny, said, predicted="unsure") == np.flatnonzero(sure < 0.8).tolist()
    key = tiny.classes[5].key
    assert shown(tiny, said, predicted=key) == np.flatnonzero(label == 5).tolist()
    assert shown(tiny, None, predicted="differs") == list(range(48))


def test_orders(tiny: Dataset) -> None:
    """The most urgent, the least sure, the least like its label first; what is not known comes last."""
    sure = np.linspace(1, 0.5, 48, dtype=np.float32)
    label = tiny.labels.copy()
    label[47] = -1
    given = np.full(48, np.nan, np.float32)
    given[[30, 10]] = 0.1, 0.4
    said = Predicted(label, sure, given)
    assert shown(tiny, sort="urgent")[:4] == [20, 3, 9, 0]
    assert shown(tiny, said, sort="unsure")[0] == 46 and shown(tiny, said, sort="unsure")[-1] == 47
    assert shown(tiny, said, sort="unlike")[:3] == [30, 10, 0]
    for sort in SORTS:
        assert sorted(shown(tiny, said, sort=sort)) == list(range(48)), sort
        assert sorted(shown(tiny, None, sort=sort)) == list(range(48)), sort


def test_among_a_kept_set(tiny: Dataset) -> None:
    """Only its images; a set that is gone leaves nothing out."""
    found = found_of(None, len(tiny))
    judged = decisions.judge(tiny)
    wanted = Browse(among="a", label=tiny.classes[0].key)
    inside = np.array([0, 1, 8])
    assert matching(wanted, tiny, judged, found, None, inside).tolist() == [0, 8]
    assert len(matching(wanted, tiny, judged, found, None, None)) == int((tiny.labels == 0).sum())


def test_unknown_filters_are_passed_over(tiny: Dataset) -> None:
    """What came by a stale link never fails."""
    assert Browse.of({"label": None, "nonsense": 4, "sort": 3}) == Browse(sort="3")
    assert shown(tiny, label="gone", state="gone", sort="gone", predicted="gone") == list(range(48))


@pytest.mark.parametrize("findings", [None, FINDINGS.head(0)])
def test_without_findings(findings: pd.DataFrame | None) -> None:
    """Nothing is found, nothing is suggested."""
    found: Found = found_of(findings, 5)
    assert found.score.tolist() == [0] * 5 and found.suggested.tolist() == [-1] * 5 and found.kinds == {}
