"""`propose` and `labels`: labels for images that have none, from a run or from a table that is filled in elsewhere."""

import argparse
import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bloodapp.cli import terminal
from bloodapp.cli.work import follow
from bloodapp.errors import InvalidValue

if TYPE_CHECKING:
    from bloodapp.data.dataset import Dataset
    from bloodapp.review.label_table import Filled


def add(commands: terminal.Commands) -> None:
    """Add the commands."""
    propose = terminal.command(
        commands,
        "propose",
        propose_labels,
        "Have a run propose a label for each image.",
        """propose slides
        propose slides --run my-run --unlabelled""",
    )
    propose.add_argument("name", metavar="NAME", help="a dataset")
    propose.add_argument(
        "--run", dest="of", metavar="RUN", help="the run that proposes (default: the starter)"
    )
    propose.add_argument("--unlabelled", action="store_true", help="only for images without a label")

    labels = terminal.command(
        commands,
        "labels",
        give_or_take,
        "Write the labels as CSV, to be filled in elsewhere, or take such a table back.",
        """labels slides --unlabelled --csv to-label.csv
        labels slides --from to-label.csv --dry-run
        labels slides --from to-label.csv""",
    )
    labels.add_argument("name", metavar="NAME", help="a dataset")
    what = labels.add_mutually_exclusive_group()
    what.add_argument("--csv", metavar="FILE", help="write the table there instead of to stdout")
    what.add_argument(
        "--from",
        dest="rows",
        metavar="FILE",
        help="take the labels of a table with the columns index and label, by key, title or number; - for stdin",
    )
    labels.add_argument(
        "--unlabelled",
        action="store_true",
        help="write only the images without a label, the least certain first",
    )
    labels.add_argument(
        "--run", dest="of", metavar="RUN", help="whose proposals to write (default: the newest there are)"
    )
    labels.add_argument("--dry-run", action="store_true", help="with --from: only say what would change")
    labels.add_argument("--why", default="", help="with --from: the reason, kept in the log")


def propose_labels(args: argparse.Namespace) -> int:
    """`propose`: prints the run and how many images it spoke of; the number of each class on stderr."""
    from bloodapp.data.dataset import open_dataset
    from bloodapp.review.proposals import propose, proposer

    dataset = open_dataset(args.name)
    run = proposer(dataset, args.of)
    job = propose(dataset, run, unlabelled=args.unlabelled)
    if code := follow(job):
        return code
    result = job.status()["result"]
    for key, count in result["classes"].items():
        terminal.say(f"{count:7,} {key}")
    terminal.table([(run.name, f"{result['images']} images")])
    return 0


def give_or_take(args: argparse.Namespace) -> None:
    """`labels`: the table, or the batch that a table became, and how many images changed from what to what."""
    from bloodapp.data.dataset import open_dataset

    dataset = open_dataset(args.name)
    if args.rows is None:
        if args.dry_run or args.why:
            raise InvalidValue(
                f"{'--dry-run' if args.dry_run else '--why'} goes with --from and with nothing else."
            )
        _give(dataset, args)
        return
    if args.unlabelled or args.of:
        raise InvalidValue(
            f"{'--unlabelled' if args.unlabelled else '--run'} goes with writing, not with --from."
        )
    _take(dataset, args)


def _give(dataset: "Dataset", args: argparse.Namespace) -> None:
    from bloodapp.data.decisions import judge
    from bloodapp.review.label_table import label_table
    from bloodapp.review.proposals import find, latest, proposer

    run = proposer(dataset, args.of) if args.of else latest(dataset)
    proposals = None if run is None else find(dataset, run)
    if proposals is None:
        terminal.say(f"Nothing is proposed yet: python -m bloodapp propose {dataset.name}")
    terminal.write_csv(label_table(dataset, judge(dataset), proposals, waiting=args.unlabelled), args.csv)


def _take(dataset: "Dataset", args: argparse.Namespace) -> None:
    from bloodapp.data.decisions import judge
    from bloodapp.review.label_table import read_table, take

    source = io.BytesIO(sys.stdin.buffer.read()) if args.rows == "-" else Path(args.rows)
    filled = read_table(dataset, judge(dataset), source)
    if not filled.labels:
        terminal.say("No label changes: nothing was decided.")
    elif args.dry_run:
        terminal.table([("would change", f"{len(filled.labels)} images"), *_moves(dataset, filled)])
    else:
        batch = take(dataset, filled, why=args.why)
        terminal.table([(f"batch {batch}", f"{len(filled.labels)} images"), *_moves(dataset, filled)])
    terminal.say(f"{filled.same:,} rows as they are, {filled.empty:,} without a label")


def _moves(dataset: "Dataset", filled: "Filled") -> list[tuple[str, str]]:
    keys = [*(one.key for one in dataset.classes), "none"]  # -1 is the last
    return [
        (f"{keys[before]} → {keys[after]}", f"{count} images")
        for (before, after), count in sorted(filled.moved.items())
    ]
