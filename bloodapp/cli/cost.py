"""`cost` and `rates`: what is worth measuring before a training."""

import argparse
from typing import TYPE_CHECKING

from bloodapp.cli import terminal
from bloodapp.cli.work import follow

if TYPE_CHECKING:
    from bloodapp.data.dataset import Dataset
    from bloodapp.train.recipe import Recipe

_ROWS = 15  # of the table of rates


def add(commands: terminal.Commands) -> None:
    """Add the commands."""
    cost = terminal.command(
        commands,
        "cost",
        show_cost,
        "Measure a few real steps of a recipe, and say what its training would take: time, memory, parameters.",
        """cost course --recipe balanced
        cost course --recipe r3 --set batch=32""",
    )
    rates = terminal.command(
        commands,
        "rates",
        show_rates,
        "Train briefly with a rising learning rate, and suggest one for a recipe.",
        "rates course --recipe r3",
    )
    for each in (cost, rates):
        each.add_argument("name", metavar="NAME", help="a dataset")
        each.add_argument(
            "--recipe", metavar="R", help="see `recipes`; the default is the first that it lists"
        )
        each.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="FIELD=VALUE",
            help="change a field of the recipe; may be repeated",
        )
    cost.add_argument(
        "--repeats", type=int, default=1, metavar="N", help="what N trainings would take (default 1)"
    )


def show_cost(args: argparse.Namespace) -> int:
    """`cost`: one figure a line, its name first."""
    import numpy as np

    from bloodapp.train.forecast import forecast, measure
    from bloodapp.train.launch import plan_split

    dataset, recipe = _chosen(args)
    plan, _ = plan_split(dataset, recipe)
    per_class = np.bincount(plan["label"][plan["part"] == "train"], minlength=len(dataset.classes))
    if code := follow(measure(dataset, recipe)):
        return code
    told = forecast(recipe, int(per_class.sum()), per_class=per_class, repeats=args.repeats)
    epochs = f", {told.epochs:.0f} epochs" if told.epochs else ""
    many = f", {recipe.folds} folds" if recipe.folds else ""
    rows = [("time", f"at most {terminal.seconds(told.seconds)}{epochs}{many} ({told.basis})")]
    if told.memory_mib:
        rows.append(("memory", f"{told.memory_mib / 1024:.1f} GB"))
    if told.gpu_memory_mib:
        rows.append(("gpu memory", f"{told.gpu_memory_mib / 1024:.1f} GB"))
    rows.append(("parameters", f"{told.parameters:,}, of which {told.trainable_parameters:,} learn"))
    terminal.table(rows)
    if told.trouble:
        terminal.say(f"bloodapp: {told.trouble}")
    return 0


def show_rates(args: argparse.Namespace) -> int:
    """`rates`: the suggestion first, then some of the rates and their losses."""
    from bloodapp.train import finder

    job = finder.submit(*_chosen(args))
    if code := follow(job):
        return code
    found = finder.read(job)
    assert found is not None
    print(f"{found.suggested:.2g}")
    every = -(-len(found.rates) // _ROWS)
    terminal.table(
        (f"{rate:.1e}", "-" if loss is None else f"{loss:.3f}")
        for rate, loss in list(zip(found.rates, found.losses, strict=True))[::every]
    )
    return 0


def _chosen(args: argparse.Namespace) -> "tuple[Dataset, Recipe]":
    from bloodapp.data.dataset import open_dataset
    from bloodapp.train.recipes import DEFAULT, recipe_named
    from bloodapp.train.settings import with_settings

    recipe = with_settings(recipe_named(args.recipe or DEFAULT), terminal.settings(args.set))
    return open_dataset(args.name), recipe
