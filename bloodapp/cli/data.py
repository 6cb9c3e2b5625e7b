"""`import`, `add`, `datasets` and `clean`: from sources to a dataset, and from what remains to a file."""

import argparse
from pathlib import Path

from bloodapp.cli import terminal
from bloodapp.errors import BloodappError

_SHOWN = 10  # of a kind; the dataset's record has all


def add(commands: terminal.Commands) -> None:
    """Add the commands."""
    bring = terminal.command(
        commands,
        "import",
        bring_in,
        "Import a source as a dataset.",
        """import training_set.npz --name course
        import cells.zip --size 128
        import labels.csv
        import slides/ --unlabelled
        import bloodmnist:128
        import sample""",
    )
    bring.add_argument(
        "source",
        metavar="SOURCE",
        help=".npz of the course or MedMNIST, folder or .zip of class folders, table of paths and labels, sample, or "
        "bloodmnist (bloodmnist:64, :128, :224), which is downloaded",
    )
    bring.add_argument("--name", help="the dataset's name; made from the source's if left out")
    bring.add_argument(
        "--size", type=int, default=96, metavar="PIXELS", help="side of the square images (default 96)"
    )
    bring.add_argument("--replace", action="store_true", help="replace a dataset of that name")
    bring.add_argument(
        "--unlabelled", action="store_true", help="take pictures without labels too, to be labelled here"
    )
    bring.add_argument(
        "--convert",
        action="store_true",
        help="take images of a .npz that are numbers from 0 to 1, or from 0 to 255, of another type than uint8",
    )

    together = terminal.command(
        commands,
        "add",
        put_together,
        "Make a dataset of the images of several; excluded ones are left out, labels are as decided.",
        "add course cells --name both",
    )
    together.add_argument("dataset", metavar="NAME", help="a dataset")
    together.add_argument("others", metavar="OTHER", nargs="+", help="what is added to it, in this order")
    together.add_argument("--name", required=True, metavar="NEW", help="of the new dataset")
    together.add_argument(
        "--size", type=int, metavar="PIXELS", help="side of its images; that of the largest if left out"
    )
    together.add_argument("--replace", action="store_true", help="replace a dataset of that name")

    terminal.command(
        commands, "datasets", show_datasets, "List the datasets, one per line, name first.", "datasets"
    )

    clean = terminal.command(
        commands,
        "clean",
        export_clean,
        "Write what the decisions leave of a dataset: for the course, MedMNIST, or as pictures.",
        """clean course --out cleaned.npz
        clean course --to medmnist --out bloodmnist.npz
        clean course --to folders --out cleaned/
        clean course --out cleaned.zip""",
    )
    clean.add_argument("name", metavar="NAME", help="a dataset")
    clean.add_argument(
        "--out", required=True, type=Path, metavar="FILE.npz", help="the file or folder to write"
    )
    clean.add_argument(
        "--to",
        choices=("course", "medmnist", "folders", "zip", "csv"),
        help="the format; by the ending of --out if left out: .npz course, .zip class folders in a .zip",
    )
    clean.add_argument(
        "--replace",
        action="store_true",
        help="replace a file, or a folder that was exported",
    )
    clean.add_argument(
        "--unlabelled", action="store_true", help="images without a label too, where the format holds them"
    )


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
            convert=args.convert,
            progress=progress,
        )
    skipped = dataset.facts.get("skipped", [])
    for one in skipped[:_SHOWN]:
        terminal.say(f"skipped {one['name']}: {one['reason']}")
    if len(skipped) > _SHOWN:
        terminal.say(f"and {len(skipped) - _SHOWN:,} more that could not be read")
    notes = dataset.facts.get("notes", [])
    for one in notes[:_SHOWN]:
        terminal.say(one["note"])
    if len(notes) > _SHOWN:
        terminal.say(f"and {len(notes) - _SHOWN:,} more of which a part was taken")
    terminal.table([_row(dataset.name)])


def put_together(args: argparse.Namespace) -> None:
    """`add`: says what was taken of each, and prints the dataset as `datasets` does."""
    from bloodapp.data.adding import add as add_datasets

    with terminal.Progress() as progress:
        made = add_datasets(
            [args.dataset, *args.others], args.name, size=args.size, replace=args.replace, progress=progress
        )
    for one in made.source["datasets"]:
        resized = f", brought from {one['size']} to {made.size} pixels" if one["size"] != made.size else ""
        left_out = f", {one['left_out']:,} excluded left out" if one["left_out"] else ""
        terminal.say(f"{one['name']}: {one['count']:,} images{left_out}{resized}")
    terminal.table([_row(made.name)])


def show_datasets(args: argparse.Namespace) -> None:
    """`datasets`: name, images, side, classes, where from, when."""
    from bloodapp.data.dataset import list_datasets

    terminal.table(_row(name) for name in list_datasets())


def export_clean(args: argparse.Namespace) -> None:
    """`clean`: prints the file or folder and the number of images in it."""
    from bloodapp.data.dataset import open_dataset
    from bloodapp.data.exporting import export, guessed

    to = args.to or guessed(args.out)
    with terminal.Progress() as progress:
        done = export(
            open_dataset(args.name),
            args.out,
            to,
            # Without --to a file is replaced, as it always was: scripts run this twice.
            replace=args.replace or (args.to is None and args.out.is_file()),
            unlabelled=args.unlabelled,
            progress=progress,
        )
    terminal.table([(args.out, f"{done.count} images", f"{done.left_out} left out")])


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
