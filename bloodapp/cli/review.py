"""`scan`: find what does not belong."""

import argparse

from bloodapp.cli import terminal
from bloodapp.errors import InvalidValue

COLUMNS = ["index", "kind", "score", "group", "suggested", "reason"]


def add(commands: terminal.Commands) -> None:
    """Add the command."""
    scan = terminal.command(
        commands,
        "scan",
        find,
        "Find what does not belong; CSV, most urgent first.",
        """scan course --csv findings.csv
        scan course --deep --run my-run --csv findings.csv
        scan course | head""",
    )
    scan.add_argument("name", metavar="NAME", help="a dataset")
    scan.add_argument(
        "--deep",
        action="store_true",
        help="look with a network too: no cells, blends and doubtful labels; blur and exposure more surely",
    )
    scan.add_argument(
        "--run", dest="of", metavar="RUN", help="the run whose network looks (default: the starter)"
    )
    scan.add_argument(
        "--turned", action="store_true", help="find copies that were mirrored or turned by quarters as well"
    )
    scan.add_argument("--csv", metavar="FILE", help="write the findings there instead of to stdout")


def find(args: argparse.Namespace) -> None:
    """`scan`: the findings as CSV, their number by kind on stderr."""
    from bloodapp.data.dataset import open_dataset
    from bloodapp.review.scan import scan
    from bloodapp.review.thresholds import above, thresholds

    if args.of and not args.deep:
        raise InvalidValue("--run goes with --deep: a fast scan looks without a network.")
    dataset = open_dataset(args.name)
    with terminal.Progress() as progress:
        findings = scan(dataset, progress, deep=args.deep, run=args.of, turned=args.turned)
    findings = above(findings, thresholds(dataset))
    keys = {-1: ""} | {label: one.key for label, one in enumerate(dataset.classes)}
    table = findings.assign(
        score=findings["score"].map("{:.4f}".format),
        group=findings["group"].map(lambda group: "" if group < 0 else str(group)),
        suggested=findings["suggested"].map(keys),
    )
    terminal.write_csv(table[COLUMNS], args.csv)
    for kind, count in findings["kind"].value_counts().items():
        terminal.say(f"{count:7,} {kind}")
