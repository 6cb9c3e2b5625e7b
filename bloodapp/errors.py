"""The errors whose text a user may read, as a tree.

    BloodappError            base: one clear sentence that says what to do
    ├── SourceError          an input (file, folder, archive, image) cannot be used
    ├── NotFound             a name that does not exist; lists the names that do
    ├── AlreadyExists        a name that is taken
    ├── InvalidValue         a field, flag or name out of its bounds
    ├── PipelineError        a pipeline text that cannot be read; points at the place
    ├── Unreadable           something of ours on disk is damaged or too new
    ├── Busy                 somebody else is working on the same thing
    ├── Shortage             memory or disk ran out
    └── Stopped              the user broke it off (exit code 130)

Everything else that is raised is a bug and keeps its traceback.
"""

from collections.abc import Iterable, Mapping
from typing import Any


class BloodappError(Exception):
    """Base of every error whose text is written for the user. Exit code 2.

    Attributes:
        fields: further facts, as plain JSON, that stand in the status of a job that failed so.
    """

    exit_code = 2

    def __init__(self, message: str = "", fields: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.fields = dict(fields or {})


class SourceError(BloodappError):
    """An input cannot be used as it is; the text names it and says what to do."""


class NotFound(BloodappError):
    """A name that does not exist."""

    def __init__(self, what: str, name: str, available: Iterable[str] = ()) -> None:
        names = ", ".join(sorted(available)) or "none yet"
        super().__init__(f"Can't find {what} '{name}'. Available: {names}.")


class AlreadyExists(BloodappError):
    """A name that is taken already."""


class InvalidValue(BloodappError):
    """A value out of its bounds or of the wrong form."""


class PipelineError(BloodappError):
    """A pipeline text that cannot be read; `position` is the 0-based place of the mistake."""

    def __init__(self, message: str, position: int = 0) -> None:
        super().__init__(message)
        self.position = position


class Unreadable(BloodappError):
    """A file of our own is damaged, or written by a newer version."""


class Busy(BloodappError):
    """Another process holds what this one needs."""


class Shortage(BloodappError):
    """Memory or disk ran out; the text says what to do about it."""


class Stopped(BloodappError):
    """The user stopped the work. Exit code 130."""

    exit_code = 130
