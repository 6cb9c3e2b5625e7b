"""`scan`: find what does not belong."""

import argparse
from typing import TYPE_CHECKING

from bloodapp.cli import terminal

if TYPE_CHECKING:
    pass

COLUMNS = ["index", "kind", "score", "group", "suggested", "reason"]


def add(commands: terminal.Commands) -> None:
    """Add the command."""
    scan = terminal.command(
        commands,
        "scan",
        find,
        "Find what does not belong; CSV, most urgent first.",
        """scan course --csv findings.csv
        scan course | head""",
    )
    scan.add_argument("name", metavar="NAME", help="a dataset")
    scan.add_argument("--csv", metavar="FILE", help="write the findings there instead of to stdout")


def find(args: argparse.Namespace) -> None:
    """`scan`: the findings as CSV, their number by kind on stderr."""
    from bloodapp.data.dataset import open_dataset
    from bloodapp.review.scan import scan

    dataset = open_dataset(args.name)
    with terminal.Progress() as progress:
        findings = scan(dataset, progress)
    keys = {-1: ""} | {label: one.key for label, one in enumerate(dataset.classes)}
    table = findings.assign(
        score=findings["score"].map("{:.4f}".format),
        group=findings["group"].map(lambda group: "" if group < 0 else str(group)),
        suggested=findings["suggested"].map(keys),
    )
    terminal.write_csv(table[COLUMNS], args.csv)
    for kind, count in findings["kind"].value_counts().items():
        terminal.say(f"{count:7,} {kind}")
