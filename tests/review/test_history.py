"""History: one entry a click, undone and done again."""

from bloodapp.data import decisions
from bloodapp.data.dataset import Dataset
from bloodapp.review.history import COLUMNS, history


def test_nothing_decided_is_an_empty_history(tiny: Dataset) -> None:
    """A fresh dataset has no entries, and the columns all the same."""
    assert history(tiny).empty
    assert list(history(tiny).columns) == COLUMNS


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
    """The batch that undid an entry is named; undoing that one restores it."""
    batch = decisions.record(tiny, [1, 2], "exclude")
    decisions.record(tiny, [5], "keep")
    for _ in range(3):
        decisions.undo(tiny, batch=batch)
        entry = history(tiny).set_index("batch").loc[batch]
        assert entry["undone"] and entry["by"] > batch
        assert decisions.judge(tiny).included.all()
        decisions.undo(tiny, batch=int(entry["by"]))
        entry = history(tiny).set_index("batch").loc[batch]
        assert not entry["undone"] and entry["by"] == -1
        assert not decisions.judge(tiny).included[[1, 2]].any()
    assert len(history(tiny)) == 2
