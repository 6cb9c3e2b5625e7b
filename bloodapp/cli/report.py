"""`report`: a run as one HTML file to take away, and its model card."""

import argparse

from bloodapp.cli import terminal
from bloodapp.errors import InvalidValue

_ENDINGS = {"out": (".html", ".htm"), "card": (".md",)}


def add(commands: terminal.Commands) -> None:
    """Add the command."""
    report = terminal.command(
        commands,
        "report",
        write_report,
        "Write a run's report, one HTML file that opens anywhere offline, and its model card in Markdown.",
        """report balanced-2026-11-20-1 --out report.html
        report starter --out starter.html --card starter.md --part test""",
    )
    report.add_argument("run_name", metavar="RUN", help="a run")
    report.add_argument("--out", metavar="FILE", help="write the report there, FILE.html")
    report.add_argument("--card", metavar="FILE", help="write the model card there, FILE.md")
    report.add_argument(
        "--part", choices=("test", "val"), help="the part it is judged on; test if there is one"
    )


def write_report(args: argparse.Namespace) -> None:
    """`report`: prints each file that it wrote and its size."""
    if not args.out and not args.card:
        raise InvalidValue("Say where to write: --out FILE.html, --card FILE.md, or both.")
    targets = {name: terminal.writable(text) for name in _ENDINGS if (text := getattr(args, name))}
    for name, path in targets.items():
        if path.suffix.lower() not in _ENDINGS[name]:
            raise InvalidValue(
                f"--{name} takes a file that ends in {' or '.join(_ENDINGS[name])}, not '{path}'."
            )
    from bloodapp.evaluate.card import card
    from bloodapp.evaluate.report import report
    from bloodapp.review.marked import marked
    from bloodapp.runs.origin import dataset_of
    from bloodapp.runs.run import open_run
    from bloodapp.workspace import replacing

    run = open_run(args.run_name)
    dataset = dataset_of(run)
    makers = {
        "out": lambda: report(run, args.part, marked(dataset) if dataset else None),
        "card": lambda: card(run, args.part),
    }
    rows = []
    for name, path in targets.items():
        content = makers[name]().encode()
        with replacing(path) as temporary:
            temporary.write_bytes(content)
        size = f"{len(content) / 1e6:.1f} MB" if len(content) >= 1e6 else f"{len(content) / 1e3:.0f} kB"
        rows.append((path, size))
    terminal.table(rows)
