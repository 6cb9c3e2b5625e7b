"""Words for people."""

from datetime import UTC, datetime

import pytest

from bloodapp.ui import text


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (None, ""),
        (2, "a few seconds left"),
        (7, "about 5 s left"),
        (62, "about 60 s left"),
        (200, "about 3 min left"),
        (7200, "about 2.0 h left"),
    ],
)
def test_time_left(seconds: float | None, expected: str) -> None:
    """An estimate is said no more exactly than it is known."""
    assert text.time_left(seconds) == expected


def test_a_percent_sign_stays_with_its_figure() -> None:
    """A line does not break between the two."""
    assert text.unbroken("95 % of 3") == "95\N{NO-BREAK SPACE}% of 3"


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-20T11:59:30.000Z", "just now"),
        ("2026-11-20T11:59:00Z", "1 minute ago"),
        ("2026-11-20T09:00:00Z", "3 hours ago"),
        ("2026-11-18T09:00:00Z", "2 days ago"),
        (None, ""),
        ("nonsense", ""),
    ],
)
def test_ago(moment: str | None, expected: str) -> None:
    """Times are told from now."""
    assert text.ago(moment, datetime(2026, 11, 20, 12, tzinfo=UTC)) == expected


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-20T11:59:57.200Z", "3 s ago"),
        ("2026-11-20T12:00:01Z", "1 s ago"),  # another computer's clock is ahead
        ("2026-11-20T11:57:00Z", "3 minutes ago"),
        ("nonsense", ""),
    ],
)
def test_moments_ago(moment: str, expected: str) -> None:
    """What has only just happened is told in seconds."""
    assert text.moments_ago(moment, datetime(2026, 11, 20, 12, tzinfo=UTC)) == expected


def test_count_and_percent() -> None:
    """One is singular, thousands have commas, an unknown share is a dash."""
    assert text.count(1, "image") == "1 image"
    assert text.count(13759, "image") == "13,759 images"
    assert text.count(0, "class", "classes") == "0 classes"
    assert text.percent(0.9794) == "97.9 %"
    assert text.percent(None) == "–"


def test_plain_escapes_markdown() -> None:
    """Signs that Markdown would read stay what they are."""
    assert text.plain("a_b *c* [d]") == r"a\_b \*c\* \[d\]"
