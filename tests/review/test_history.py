"""History: one entry a click, filtered, undone and done again."""

from datetime import UTC, datetime, timedelta

import pytest

from bloodapp.data import decisions
from bloodapp.data.dataset import Dataset
from bloodapp.review.history import (
    COLUMNS,
    Wanted,
    events_of,
    history,
    last_about,
    matching,
    roots,
    standings,
    trail,
)


def test_nothing_decided_is_an_empty_history(tiny: Dataset) -> None:
    """A fresh dataset has no entries, and the columns all the same."""
    assert history(tiny).empty
    assert list(history(tiny).columns) == COLUMNS
    assert standings(history(tiny), decisions.log(tiny), Wanted(text="x")) == {"": 0, "held": 0, "undone": 0}
    assert trail(decisions.log(tiny), 1).empty


def test_newest_first_with_what_was_said(tiny: Dataset) -> None:
    """Entries carry what, how many, why and who."""
    decisions.record(tiny, [1, 2], "exclude", why="blurred", who="Ada")
    decisions.record(tiny, [3], "relabel", label=4, who="Bo")
    newest, oldest = history(tiny).to_dict("records")
    assert (newest["action"], newest["label"], newest["who"]) == ("relabel", 4, "Bo")
    assert (oldest["action"], oldest["count"], oldest["why"], oldest["undone"]) == (
        "exclude",
        2,
        "blurred",
        False,
    )


def test_undo_and_redo_any_number_of_times(tiny: Dataset) -> None:
    """The batch that undid an entry is named, with its name and time; undoing that one restores it."""
    batch = decisions.record(tiny, [1, 2], "exclude")
    decisions.record(tiny, [5], "keep")
    for _ in range(3):
        decisions.undo(tiny, batch=batch, who="Bo")
        entry = history(tiny).set_index("batch").loc[batch]
        assert entry["undone"] and entry["by"] > batch and entry["held"] == 0
        assert entry["undone_who"] == "Bo" and entry["undone_when"] >= entry["when"]
        assert decisions.judge(tiny).included.all()
        decisions.undo(tiny, batch=int(entry["by"]))
        entry = history(tiny).set_index("batch").loc[batch]
        assert not entry["undone"] and entry["by"] == -1 and entry["undone_who"] == ""
        assert not decisions.judge(tiny).included[[1, 2]].any()
    assert len(history(tiny)) == 2


def test_partly_undone(tiny: Dataset) -> None:
    """An entry of which one image was taken back is held and undone in part."""
    decisions.record(tiny, [1, 2, 3], "exclude")
    decisions.undo(tiny, seq=2)
    entry = history(tiny).iloc[0]
    assert (entry["count"], entry["held"], entry["undone"]) == (3, 2, False)
    assert standings(history(tiny), decisions.log(tiny), Wanted()) == {"": 1, "held": 1, "undone": 1}


@pytest.fixture
def varied(tiny: Dataset) -> Dataset:
    """Four batches of two people; the third is undone."""
    decisions.record(tiny, [1, 2, 3], "exclude", why="Blurred", who="Ada")
    decisions.record(tiny, [3], "relabel", label=4, why="Conflicting labels", who="Bo")
    decisions.record(tiny, [2], "keep", why="(sharp enough)", who="Bo")
    decisions.undo(tiny, batch=3, who="Ada", why="no")
    decisions.record(tiny, [7], "flag", why="Ask an expert", who="Ada")
    return tiny


HOUR = timedelta(hours=1)
NOW = datetime.now(UTC)


@pytest.mark.parametrize(
    ("wanted", "batches"),
    [
        (Wanted(), [5, 3, 2, 1]),
        (Wanted(who="Ada"), [5, 1]),
        (Wanted(action="keep"), [3]),
        (Wanted(text="blurr"), [1]),
        (Wanted(text="(sharp"), [3]),
        (Wanted(text="platelet"), []),
        (Wanted(text="BO"), [3, 2]),
        (Wanted(image=3), [2, 1]),
        (Wanted(image=40), []),
        (Wanted(standing="undone"), [3]),
        (Wanted(standing="held", who="Bo"), [2]),
        (Wanted(since=NOW - HOUR), [5, 3, 2, 1]),
        (Wanted(until=NOW - HOUR), []),
        (Wanted(since=NOW + 24 * HOUR), []),
    ],
)
def test_filters(varied: Dataset, wanted: Wanted, batches: list[int]) -> None:
    """Each filter lets its own pass, together they narrow."""
    found = matching(history(varied), decisions.log(varied), wanted, varied.classes)
    assert found["batch"].tolist() == batches


def test_a_new_label_is_found_by_its_name(varied: Dataset) -> None:
    """The title of the class that a relabel gave is searched, too."""
    title = varied.classes[4].title
    found = matching(history(varied), decisions.log(varied), Wanted(text=title.upper()), varied.classes)
    assert found["batch"].tolist() == [2]


def test_single_events_say_what_the_label_was_and_became(tiny: Dataset) -> None:
    """Before is the last relabel that holds, else the given label; an undone relabel still says what it was."""
    decisions.record(tiny, [1], "relabel", label=5)
    undone = decisions.record(tiny, [1], "relabel", label=6)
    third = decisions.record(tiny, [1, 2], "relabel", label=7)
    decisions.undo(tiny, batch=undone)
    events = decisions.log(tiny)
    columns = ["index", "before", "after", "cancelled"]
    assert events_of(tiny, events, third)[columns].to_numpy().tolist() == [
        [1, 5, 7, False],
        [2, int(tiny.labels[2]), 7, False],
    ]
    assert events_of(tiny, events, undone)[columns].to_numpy().tolist() == [[1, 5, 6, True]]


def test_the_trail_of_a_batch(tiny: Dataset) -> None:
    """Who undid how much of it and who did it again, in order, and nothing about other batches."""
    batch = decisions.record(tiny, [1, 2, 3], "exclude", who="Ada")
    other = decisions.record(tiny, [9], "exclude")
    decisions.undo(tiny, seq=2, who="Bo", why="a cell")
    decisions.undo(tiny, batch=other)
    decisions.redo(tiny, seq=2, who="Cy")
    undone = decisions.undo(tiny, batch=batch, who="Ada")
    again = decisions.undo(tiny, batch=undone, who="Ada")
    decisions.undo(tiny, batch=again, who="Bo")
    steps = trail(decisions.log(tiny), batch)
    assert steps[["who", "count", "again", "why"]].to_numpy().tolist() == [
        ["Bo", 1, False, "a cell"],
        ["Cy", 1, True, ""],
        ["Ada", 3, False, ""],
        ["Ada", 3, True, ""],
        ["Bo", 3, False, ""],
    ]


def test_every_event_has_a_root(varied: Dataset) -> None:
    """An undo is about what it undoes, an undo of an undo about the same; a decision about itself."""
    decisions.undo(varied, batch=4)
    events = decisions.log(varied)
    root, depth = roots(events)
    assert dict(zip(events["seq"].tolist(), root.tolist(), strict=True)) == {
        **{seq: seq for seq in (1, 2, 3, 4, 5, 7)},
        **{6: 5, 8: 5},
    }
    assert dict(zip(events["seq"].tolist(), depth.tolist(), strict=True)) == {
        **dict.fromkeys((1, 2, 3, 4, 5, 7), 0),
        **{6: 1, 8: 2},
    }


def test_who_decided_last_about_an_image(varied: Dataset) -> None:
    """The last decision that holds counts, undone ones do not."""
    last = last_about(decisions.log(varied))
    assert (last[2].action, last[2].who) == ("exclude", "Ada")
    assert (last[3].action, last[3].who) == ("relabel", "Bo")
    assert (last[7].action, last[7].who) == ("flag", "Ada")
    assert sorted(last) == [1, 2, 3, 7]
