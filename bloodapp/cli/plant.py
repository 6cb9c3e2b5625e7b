"""`plant`: known faults in a copy of a dataset."""

from bloodapp.cli import terminal


def add(commands: terminal.Commands) -> None:
    """Add the command."""
