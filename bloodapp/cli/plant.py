"""`plant`: known faults in a copy of a dataset."""

import argparse

from bloodapp.cli import terminal


def add(commands: terminal.Commands) -> None:
    """Add the command."""
    plant = terminal.command(
        commands,
        "plant",
        plant_faults,
        "Put known faults into a copy of a dataset, to see what the detectors find.",
        """plant course --name planted
        plant course --name planted2 --seed 2 --faults 500""",
    )
    plant.add_argument("dataset", metavar="NAME", help="a dataset; it stays as it is")
    plant.add_argument("--name", required=True, metavar="NEW", help="the name of the copy")
    plant.add_argument(
        "--seed", type=int, default=0, metavar="S", help="another seed, other faults (default 0)"
    )
    plant.add_argument(
        "--faults",
        type=int,
        metavar="N",
        help="how many images become faulty (default 30 for every 100 images)",
    )


def plant_faults(args: argparse.Namespace) -> None:
    """`plant`: prints the copy's name, its images and its faults; the number of each kind on stderr."""
    from bloodapp.data.dataset import open_dataset
    from bloodapp.review.planting import count_faults, plant
    from bloodapp.review.truth import known_faults

    dataset = open_dataset(args.dataset)
    with terminal.Progress() as progress:
        made = plant(dataset, args.name, seed=args.seed, faults=args.faults, progress=progress)
    assert made.truth is not None, "planting writes the truth"
    known = known_faults(made.truth, made.labels)
    for kind, count in known.loc[known["planted"], "kind"].value_counts().items():
        terminal.say(f"{count:7,} {kind}")
    terminal.table([(made.name, f"{len(made)} images", f"{count_faults(made)} faulty")])
