"""How often a test part was read, in words."""

from bloodapp.runs.readings import read_words

WHEN = "2026-11-21T20:15:00Z"


def test_one_training_and_a_whole_put_together() -> None:
    """A training's one reading is the first; of a whole it is said that its members had been judged before."""
    report = {"test_reads": 1, "test_read": WHEN}
    assert (
        read_words(report, "It") == "It was read once, after the training, on 21 November 2026 at 20:15 UTC."
    )
    whole = read_words({**report, "combined_in_s": 3.2}, "It")
    assert whole.startswith(
        "It was read once by the whole, on 21 November 2026 at 20:15 UTC, after each of its"
    )
    assert "had been judged on these images" in whole
    assert read_words({"test_reads": 0, "combined_in_s": 3.2}) == ""
