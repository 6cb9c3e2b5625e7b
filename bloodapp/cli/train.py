"""`train`, `runs`, `recipes` and `pipelines`."""

import argparse
from collections.abc import Sequence

from bloodapp.cli import terminal
from bloodapp.cli.work import follow
from bloodapp.errors import InvalidValue


def add(commands: terminal.Commands) -> None:
    """Add the commands."""
    train = terminal.command(
        commands,
        "train",
        do_train,
        "Train a recipe on what the decisions leave of a dataset; prints the run's name last.",
        """train course
        train course --recipe balanced --set minutes=20 --set pipeline="flip|rotate(15)"
        train sample --quick
        train --resume balanced-2026-11-20-1""",
    )
    train.add_argument("name", nargs="?", metavar="NAME", help="a dataset")
    train.add_argument("--recipe", metavar="R", help="see `recipes`; the default is the first that it lists")
    train.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="change a field of the recipe; may be repeated",
    )
    train.add_argument(
        "--quick", action="store_true", help="few images, one epoch, a small network: does it run at all?"
    )
    train.add_argument("--repeats", type=int, default=1, metavar="N", help="N runs, each with the next seed")
    train.add_argument(
        "--run-name", metavar="RUN", help="the run's name; made from recipe and date if left out"
    )
    train.add_argument(
        "--resume", metavar="RUN", help="continue a run that was stopped, interrupted or failed"
    )

    terminal.command(commands, "runs", show_runs, "List the runs, newest first, name first.", "runs")
    terminal.command(commands, "recipes", show_recipes, "List the recipes and what each is for.", "recipes")
    terminal.command(
        commands,
        "pipelines",
        show_pipelines,
        "List the augmentation pipelines that have a name.",
        "pipelines",
    )


def do_train(args: argparse.Namespace) -> int:
    """`train`: in a child process, as the app would; Ctrl-C keeps the best."""
    if args.resume:
        if args.name or args.recipe or args.set or args.quick or args.repeats != 1 or args.run_name:
            raise InvalidValue(
                "--resume continues a run as it was set up: give it no dataset, recipe or other setting."
            )
        return _resume(args.resume)
    if not args.name:
        raise InvalidValue("Say which dataset to train on, as in: python -m bloodapp train course.")
    if args.repeats < 1 or (args.repeats > 1 and args.run_name):
        raise InvalidValue("--repeats takes a number from 1, and makes the runs' names itself.")
    from bloodapp.data.dataset import open_dataset
    from bloodapp.train.launch import start
    from bloodapp.train.recipes import DEFAULT, recipe_named, with_settings

    dataset = open_dataset(args.name)
    recipe = with_settings(recipe_named(args.recipe or DEFAULT), _settings(args.set))
    for repeat in range(args.repeats):
        seeded = with_settings(recipe, {"seed": recipe.seed + repeat})
        run = start(dataset, seeded, name=args.run_name, shrink=args.quick)
        if code := _show(run.name):
            return code
    return 0


def _resume(name: str) -> int:
    from bloodapp.jobs.job import resume
    from bloodapp.runs.run import open_run

    run = open_run(name)
    if run.shipped:
        raise InvalidValue(f"'{name}' ships with the app and is done.")
    if run.state() != "running":
        resume(run.job)
    return _show(name)


def _show(name: str) -> int:
    """Follow a queued or running training to its end, and print what came of it."""
    from bloodapp.runs.run import headline, open_run

    run = open_run(name)
    terminal.say(
        f"{name}: training; it goes on if this terminal is closed. Ctrl-C stops it and keeps the best."
    )
    code = follow(run.job, again=f"train --resume {name}")
    if code == 0:
        if score := headline(run):
            clean, shifted = (terminal.percent(score[key]) for key in ("accuracy", "shifted_accuracy"))
            terminal.say(f"{clean} right on {score['n']:,} {score['part']} images, {shifted} under the shift")
        print(name)
    return code


def _settings(pairs: Sequence[str]) -> dict[str, str]:
    settings = {}
    for pair in pairs:
        field, equals, value = pair.partition("=")
        if not equals:
            raise InvalidValue(f"--set takes FIELD=VALUE, as in --set epochs=10, not '{pair}'.")
        settings[field.strip()] = value.strip()
    return settings


def show_runs(args: argparse.Namespace) -> None:
    """`runs`: name, state, dataset, recipe, accuracy clean and shifted, the part it was read on, when."""
    from bloodapp.runs.run import headline, list_runs

    rows = []
    for run in list_runs():
        score = headline(run) or {}
        clean, shifted = (terminal.percent(score.get(key)) for key in ("accuracy", "shifted_accuracy"))
        state = "shipped" if run.shipped else run.state()
        part = f"on {score['part']}" if score else "-"
        rows.append(
            (run.name, state, run.dataset, run.recipe or "-", clean, f"shifted {shifted}", part, run.created)
        )
    terminal.table(rows)


def show_recipes(args: argparse.Namespace) -> None:
    """`recipes`: name and what it is for, the default first."""
    from bloodapp.train.recipes import DEFAULT, RECIPES

    rows = sorted(RECIPES.values(), key=lambda recipe: recipe.name != DEFAULT)
    terminal.table((recipe.name, recipe.why) for recipe in rows)


def show_pipelines(args: argparse.Namespace) -> None:
    """`pipelines`: name, what it is for, and its text."""
    from bloodapp.augment.pipelines import PIPELINES

    terminal.table((one.name, one.why, one.text) for one in PIPELINES.values())
