"""What a keeper rule would do to many groups: counts that are known, and nothing is decided twice."""

import numpy as np
import pandas as pd

from bloodapp.data.decisions import Judged
from bloodapp.review.findings import combined, finding_table
from bloodapp.review.keepers import Rule
from bloodapp.review.plans import Plan, faulty_of, groups_of, plan

LABELS = np.array([0, 0, 1, 2, 2, 2, 3, 4, -1, -1], np.int16)
GROUPS = [np.array([0, 1, 2]), np.array([3, 4, 5]), np.array([6, 7])]


def judged(
    *, out: tuple[int, ...] = (), decided: tuple[int, ...] = (), flagged: tuple[int, ...] = ()
) -> Judged:
    """Ten images with some decisions."""
    place = np.arange(len(LABELS))
    gone = np.isin(place, out)
    return Judged(LABELS, ~gone, gone | np.isin(place, decided), np.isin(place, flagged), 1)


def made(rule: Rule, now: Judged | None = None, faulty: tuple[int, ...] = ()) -> Plan:
    """The plan for the three groups; image 5 is the sharpest, image 4 the largest."""
    return plan(
        rule,
        GROUPS,
        now or judged(),
        faulty=np.array(faulty, np.int64),
        sharpness=lambda indices: (indices == 5).astype(float),
        pixels=(np.arange(len(LABELS)) == 4).astype(np.int64),
    )


def test_each_rule_keeps_its_image() -> None:
    """What is excluded is the rest of the groups that are decided."""
    kept = {rule: made(rule).kept.tolist() for rule in ("first", "sharpest", "largest", "majority", "none")}
    assert kept == {
        "first": [0, 3, 6],
        "sharpest": [0, 5, 6],
        "largest": [0, 4, 6],
        "majority": [0, 3],
        "none": [],
    }
    assert made("sharpest").excluded.tolist() == [1, 2, 3, 4, 7]


def test_without_a_majority_a_group_stays_open() -> None:
    """Two against two exclude nothing, and it is said; what is advised then is to keep none."""
    assert (
        made("majority").words
        == "Keeps 2, excludes 4 of 6 images in 2 groups; 1 group has no majority and stays open"
    )
    assert not np.isin([6, 7], made("majority").excluded).any()
    advised = made("advised", faulty=(0,))
    assert advised.kept.tolist() == [1, 3] and advised.excluded.tolist() == [0, 2, 4, 5, 6, 7]
    assert advised.words == "Keeps 2, excludes 6 of 8 images in 3 groups; of 1 group nothing is kept"


def test_what_is_decided_or_put_aside_stays_as_it_is() -> None:
    """Excluded images take no part: the next one is kept, and of one that is left nothing goes."""
    now = judged(out=(0, 4, 5), decided=(6, 7))
    first = made("first", now)
    assert (first.kept.tolist(), first.excluded.tolist(), first.settled) == ([1], [2], 2)
    assert first.words == "Keeps 1, excludes 1 of 2 images in 1 group; 2 groups are decided already"
    aside = made("none", judged(flagged=(3,)))
    assert aside.excluded.tolist() == [0, 1, 2, 6, 7] and "1 group put aside stays so" in aside.words
    assert made("first", judged(out=(1, 2, 4, 5, 7))).words.startswith("There is nothing to decide")


def test_groups_and_faults_are_read_off_the_findings() -> None:
    """Groups of one kind alone; a doubtful label is no fault of the picture."""
    found: pd.DataFrame = combined(
        [
            finding_table("exact_duplicate", [7, 3, 4], 0.9, "same", group=[3, 3, 4]),
            finding_table("near_duplicate", [1, 2], 0.9, "nearly", group=1),
            finding_table("blurred", [2, 9], 0.9, "soft"),
            finding_table("mislabelled", [5], 0.9, "other", suggested=1),
        ]
    )
    assert [one.tolist() for one in groups_of(found, "exact_duplicate")] == [[3, 7], [4]]
    assert groups_of(found, "leakage") == []
    assert faulty_of(found).tolist() == [2, 9]
