from bloodapp.cli import terminal


def add(commands: terminal.Commands) -> None:
    pass
