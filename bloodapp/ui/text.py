"""Words for people: figures, times and text made safe for Markdown."""

from datetime import UTC, datetime

_SIGNS = r"\`*_{}[]<>#$~|:"


def plain(text: str) -> str:
    """Text with Markdown's signs escaped, for elements that read Markdown."""
    return "".join("\\" + sign if sign in _SIGNS else sign for sign in text)


def count(number: int, what: str, plural: str | None = None) -> str:
    """`1 image`, `13,759 images`."""
    return f"{number:,} {what if number == 1 else plural or what + 's'}"


def percent(share: float | None) -> str:
    """A share of one as `97.9 %`; a dash when there is none."""
    return "–" if share is None else f"{100 * share:.1f} %"


def unbroken(text: str) -> str:
    """The text with figures that keep their percent sign where a line ends."""
    return text.replace(" %", "\N{NO-BREAK SPACE}%")


def time_left(seconds: float | None) -> str:
    """`about 3 min left`; empty when there is no estimate."""
    if seconds is None:
        return ""
    if seconds < 5:
        return "a few seconds left"
    if seconds < 90:
        return f"about {max(5, round(seconds / 5) * 5)} s left"
    if seconds < 5400:
        return f"about {round(seconds / 60)} min left"
    return f"about {seconds / 3600:.1f} h left"


def duration(seconds: float | None) -> str:
    """`45 s`, `9 min`, `1 h 20 min`; a dash when it is not known."""
    if seconds is None:
        return "–"
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def ago(moment: str | None, now: datetime | None = None) -> str:
    """A UTC ISO-8601 time as `3 minutes ago`; empty for anything else."""
    try:
        then = datetime.fromisoformat(str(moment).replace("Z", "+00:00"))
    except ValueError:
        return ""
    seconds = ((now or datetime.now(UTC)) - then).total_seconds()
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return count(int(seconds // 60), "minute") + " ago"
    if seconds < 86_400:
        return count(int(seconds // 3600), "hour") + " ago"
    return count(int(seconds // 86_400), "day") + " ago"


def moments_ago(moment: str, now: datetime | None = None) -> str:
    """The same for what has only just happened: `3 s ago`."""
    now = now or datetime.now(UTC)
    try:
        seconds = (now - datetime.fromisoformat(moment.replace("Z", "+00:00"))).total_seconds()
    except ValueError:
        return ""
    return f"{max(round(seconds), 1)} s ago" if seconds < 60 else ago(moment, now)
