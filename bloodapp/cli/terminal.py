"""What all commands share: arguments with examples, tables on stdout, progress on stderr."""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

from bloodapp.errors import InvalidValue

if TYPE_CHECKING:
    import pandas as pd

Commands = Any  # argparse's own type for it is private
_REDRAW_S = 0.1
_LINE_EVERY_S = 10.0


class Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        """Print the mistake and exit with 2."""
        self.exit(2, f"bloodapp: {message} (see {self.prog} --help)\n")


def command(
    commands: Commands, name: str, run: Callable[[argparse.Namespace], int | None], about: str, examples: str
) -> argparse.ArgumentParser:
    """Add a command: one sentence about it, and examples, a line each without `python -m bloodapp`."""
    lines = "".join(f"  python -m bloodapp {line.strip()}\n" for line in examples.strip().splitlines())
    added: argparse.ArgumentParser = commands.add_parser(
        name,
        help=about,
        description=about,
        epilog=f"examples:\n{lines}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    added.set_defaults(run=run)
    return added


def settings(pairs: Sequence[str]) -> dict[str, str]:
    """The fields and values of repeated `--set FIELD=VALUE`; raises InvalidValue."""
    found = {}
    for pair in pairs:
        field, equals, value = pair.partition("=")
        if not equals:
            raise InvalidValue(f"--set takes FIELD=VALUE, as in --set epochs=10, not '{pair}'.")
        found[field.strip()] = value.strip()
    return found


def table(rows: Iterable[Sequence[object]]) -> None:
    """Print rows in columns, the name first."""
    texts = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    for row in texts:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def write_csv(frame: "pd.DataFrame", target: str | None) -> None:
    """Write a table as CSV (UTF-8, comma, header, RFC 4180) to a file, or to stdout for `-` or nothing."""
    if target in (None, "-"):
        sys.stdout.write(frame.to_csv(index=False, lineterminator="\r\n"))
        return
    from bloodapp.workspace import replacing

    path = writable(str(target))
    with replacing(path) as temporary:
        frame.to_csv(temporary, index=False, lineterminator="\r\n")
    say(f"{len(frame):,} rows in {path}")


def writable(text: str) -> Path:
    """The path of a file to write; raises InvalidValue if its folder does not exist, or if it is a folder."""
    path = Path(text)
    if path.is_dir():
        raise InvalidValue(f"'{text}' is a folder: name the file to write in it.")
    if not path.resolve().parent.is_dir():
        raise InvalidValue(f"The folder '{path.parent}' does not exist: make it first.")
    return path


def say(text: str) -> None:
    """Tell the user something that is no result."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def hushed() -> Iterator[None]:
    """Keep what native libraries say from stderr: TensorFlow greets with lines that no setting silences."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def percent(value: float | None, spread: float | None = None) -> str:
    """A share as people read it, with its standard deviation if there is one; `-` for none."""
    if value is None:
        return "-"
    return f"{100 * value:.1f} %" if spread is None else f"{100 * value:.1f} ± {100 * spread:.1f} %"


def seconds(value: float | None) -> str:
    """A duration as people read it, empty for none."""
    if value is None:
        return ""
    whole = max(0, round(value))
    if whole < 60:
        return f"{whole} s"
    return (
        f"{whole // 60} min {whole % 60:02d} s"
        if whole < 3600
        else f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    )


class Progress:
    """Progress on stderr: one line that is rewritten on a terminal, now and then a line elsewhere.

    Call it as `progress(done, total, text)`; leaving its `with` block clears the line.
    """

    def __init__(self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream or sys.stderr
        self._clock = clock
        self._rewrite = self._stream.isatty()
        self._shown: tuple[float, str] | None = None
        self._begun = clock()

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        if self._rewrite and self._shown:
            self._stream.write("\r\x1b[2K")
            self._stream.flush()

    def __call__(self, done: float, total: float | None, text: str = "", left: float | None = None) -> None:
        """Show how far something is; `left` in seconds, if known better than from the time since the beginning."""
        now = self._clock()
        every = _REDRAW_S if self._rewrite else _LINE_EVERY_S
        if self._shown and now - self._shown[0] < every and (self._rewrite or text == self._shown[1]):
            return
        self._shown = (now, text)
        if left is None and total and 0 < done < total and now - self._begun > 2:
            left = (total - done) * (now - self._begun) / done
        share = f"{min(done / total, 1.0):4.0%}" if total else ""
        line = "  ".join(
            part for part in (share, text or "Working", f"{seconds(left)} left" if left else "") if part
        )
        self._stream.write(f"\r\x1b[2K{line}" if self._rewrite else f"{line}\n")
        self._stream.flush()
