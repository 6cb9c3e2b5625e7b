"""`augment`: copies drawn by a pipeline, in a dataset beside their originals."""

import argparse
from typing import TYPE_CHECKING

from bloodapp.cli import terminal
from bloodapp.errors import InvalidValue

if TYPE_CHECKING:
    from bloodapp.augment.expand import Plan
    from bloodapp.data.dataset import Dataset


def add(commands: terminal.Commands) -> None:
    """Add the command."""
    augment = terminal.command(
        commands,
        "augment",
        make_copies,
        "Write a dataset with augmented copies beside the originals; prints its name last.",
        """augment course --pipeline gentle --copies 2 --out course-gentle
        augment course --pipeline r3low --pipeline r3medium --pipeline r3hard --out course-r3
        augment course --pipeline "flip|crop(0.2)|shift(0.1)" --balance --out course-balanced""",
    )
    augment.add_argument("name", metavar="NAME", help="a dataset; it stays as it is")
    augment.add_argument(
        "--pipeline",
        action="append",
        required=True,
        metavar="P",
        help="what draws the copies, a name or a text, see `pipelines`; may be repeated: each draws its own",
    )
    augment.add_argument(
        "--copies",
        type=int,
        metavar="K",
        help="how many copies of each image each pipeline draws, 1 to 50 (default 1)",
    )
    augment.add_argument(
        "--balance",
        action="store_true",
        help="only as many copies as bring each class up to the largest; several pipelines take turns",
    )
    augment.add_argument("--out", required=True, metavar="NEW", help="the name of the new dataset")
    augment.add_argument("--replace", action="store_true", help="replace a dataset of that name")
    augment.add_argument(
        "--seed", type=int, default=1, metavar="S", help="another seed, other draws (default 1)"
    )


def make_copies(args: argparse.Namespace) -> None:
    """`augment`: the new dataset's name on stdout, the images of each class before and after on stderr."""
    if args.balance and args.copies is not None:
        raise InvalidValue("--balance says how many copies each class needs: leave --copies out.")
    from bloodapp.augment.expand import checked_name, expand, plan
    from bloodapp.augment.preview import preview
    from bloodapp.data.dataset import open_dataset

    dataset = open_dataset(args.name)
    checked_name(dataset, args.out, replace=args.replace)
    copies = 1 if args.copies is None else args.copies
    wanted = {"copies": copies, "balance": args.balance, "seed": args.seed}
    planned = plan(dataset, args.pipeline, **wanted)
    with terminal.Progress() as progress:
        progress(0, None, "Loading the layers that train")
        with terminal.hushed():
            preview(
                dataset.read(planned.rows[:1]), planned.labels[:1], len(dataset.classes), args.pipeline[0], 0
            )
        made = expand(dataset, args.out, args.pipeline, **wanted, replace=args.replace, progress=progress)
    _say(dataset, planned)
    speed = made.source["images_per_s"]
    said = f", {speed:,.0f} a second" if speed else ""
    terminal.say(f"{len(made):,} images, {planned.copies:,} of them drawn{said}.")
    print(made.name)


def _say(dataset: "Dataset", planned: "Plan") -> None:
    """The images of each class before and after."""
    from bloodapp.augment.expand import MOST_COPIES

    for one, before, after in zip(dataset.classes, planned.before, planned.after, strict=True):
        if before:
            terminal.say(f"{before:7,} → {after:7,} {one.key}")
    if len(short := planned.short):
        keys = ", ".join(dataset.classes[label].key for label in short)
        terminal.say(f"No image is copied more than {MOST_COPIES} times, so these stay smaller: {keys}.")
