"""`import`, `datasets` and `clean`: from a source to a dataset, and from what remains to a file."""

import argparse
from pathlib import Path

from bloodapp.cli import terminal
from bloodapp.errors import BloodappError, InvalidValue


def add(commands: terminal.Commands) -> None:
    """Add the commands."""
    bring = terminal.command(
        commands,
        "import",
        bring_in,
        "Import a source as a dataset.",
        """import training_set.npz --name course
        import cells.zip --size 128
        import slides/ --unlabelled
        import sample""",
    )
    bring.add_argument(
        "source", metavar="SOURCE", help="course or MedMNIST .npz, folder or .zip of class folders, sample"
    )
    bring.add_argument("--name", help="the dataset's name; made from the source's if left out")
    bring.add_argument(
        "--size", type=int, default=96, metavar="PIXELS", help="side of the square images (default 96)"
    )
    bring.add_argument("--replace", action="store_true", help="replace a dataset of that name")
    bring.add_argument(
        "--unlabelled", action="store_true", help="take pictures without labels too, to be labelled here"
    )

    terminal.command(
        commands, "datasets", show_datasets, "List the datasets, one per line, name first.", "datasets"
    )

    clean = terminal.command(
        commands,
        "clean",
        export_clean,
        "Write what the decisions leave of a dataset, in the course's format.",
        "clean course --out cleaned.npz",
    )
    clean.add_argument("name", metavar="NAME", help="a dataset")
    clean.add_argument("--out", required=True, type=Path, metavar="FILE.npz", help="the file to write")


def bring_in(args: argparse.Namespace) -> None:
    """`import`: prints the dataset as `datasets` does."""
    from bloodapp.data.importing import import_source

    with terminal.Progress() as progress:
        dataset = import_source(
            args.source,
            name=args.name,
            size=args.size,
            replace=args.replace,
            labelled=not args.unlabelled,
            progress=progress,
        )
    skipped = dataset.facts.get("skipped", [])
    for one in skipped[:10]:
        terminal.say(f"skipped {one['name']}: {one['reason']}")
    if len(skipped) > 10:
        terminal.say(f"and {len(skipped) - 10:,} more that could not be read")
    terminal.table([_row(dataset.name)])


def show_datasets(args: argparse.Namespace) -> None:
    """`datasets`: name, images, side, classes, where from, when."""
    from bloodapp.data.dataset import list_datasets

    terminal.table(_row(name) for name in list_datasets())


def export_clean(args: argparse.Namespace) -> None:
    """`clean`: prints the file and the number of images in it."""
    from bloodapp.data.dataset import open_dataset
    from bloodapp.data.export import export_course

    if args.out.suffix != ".npz":
        raise InvalidValue(f"'{args.out}' must end in .npz: that is the course's format.")
    dataset = open_dataset(args.name)
    with terminal.Progress() as progress:
        count = export_course(dataset, args.out, progress=progress)
    terminal.table([(args.out, f"{count} images", f"{len(dataset) - count} left out")])


def _row(name: str) -> tuple[str, ...]:
    from bloodapp.data.dataset import open_dataset

    try:
        one = open_dataset(name)
    except BloodappError as error:
        return (name, str(error), *[""] * 4)
    side, classes = f"{one.size} px", f"{len(one.classes)} classes"
    return (
        name,
        f"{len(one)} images",
        side,
        classes,
        str(one.source.get("name")),
        str(one.facts.get("imported", "")),
    )
