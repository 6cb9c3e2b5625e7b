"""The command line: the same functions as the pages, results on stdout, progress on stderr.

    terminal     what all commands share: arguments, tables, progress
    data         import, add, datasets, clean
    review       scan
    plant        plant
    decide       decide
    labels       propose, labels
    augment      augment
    train        train, recipes, pipelines
    tune         tune
    combine      combine
    target       target
    runs         runs, compare, reproduce, rename, note, delete
    cost         cost, rates
    classify     evaluate, predict; corruptions: what `evaluate --corruptions` adds
    report       report
    work         jobs, work
    doctor       doctor

Exit codes: 0; 1 a bug, with its traceback; 2 a mistake of the user, in one line; 130 stopped. What
a command needs is imported inside it, so that `--help` is quick.
"""

import argparse
import os
import sys
from collections.abc import Sequence

from bloodapp import __version__
from bloodapp.cli import (
    augment,
    classify,
    combine,
    cost,
    data,
    decide,
    doctor,
    labels,
    plant,
    report,
    review,
    runs,
    target,
    terminal,
    train,
    tune,
    work,
)
from bloodapp.errors import BloodappError

_EXAMPLES = """\
the whole job:
  python -m bloodapp import training_set.npz --name course
  python -m bloodapp scan course --csv findings.csv
  python -m bloodapp decide course --from findings.csv --kind label_conflict --action exclude
  python -m bloodapp clean course --out cleaned.npz
  python -m bloodapp train course
  python -m bloodapp evaluate RUN --json report.json
  python -m bloodapp predict new_images/ --model RUN --csv predictions.csv

SOURCE is a course or MedMNIST .npz, a folder or .zip of class folders, the word `sample`,
or the name of a dataset. Each command has its own --help.
"""


def parser() -> argparse.ArgumentParser:
    """The parser of all commands; each sets `run`, the function that takes its arguments."""
    made = terminal.Parser(
        prog="python -m bloodapp",
        description="Label, clean, train and judge blood-cell classifiers.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--version", action="version", version=f"bloodapp {__version__}")
    commands = made.add_subparsers(metavar="COMMAND", required=True, dest="command")
    for room in (
        data,
        review,
        plant,
        decide,
        labels,
        augment,
        train,
        tune,
        combine,
        runs,
        target,
        cost,
        classify,
        report,
        work,
        doctor,
    ):
        room.add(commands)
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    args = parser().parse_args(argv)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        code: int | None = args.run(args)
        sys.stdout.flush()
        return code or 0
    except BloodappError as error:
        print(f"bloodapp: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("bloodapp: Stopped.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Whoever read our output has had enough, as `head` does; Python would complain once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
