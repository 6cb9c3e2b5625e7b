"""`train`, `recipes` and `pipelines`."""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from bloodapp.cli import terminal
from bloodapp.cli.work import follow
from bloodapp.errors import InvalidValue

if TYPE_CHECKING:
    from bloodapp.runs.run import Run


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
        train course --recipe r0folds
        train course --recipe balanced --repeats 5
        train course --before-and-after --recipe balanced --json effect.json
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
    train.add_argument(
        "--repeats",
        type=int,
        default=1,
        metavar="N",
        help="N trainings on the same split, each with the next seed: mean and standard deviation",
    )
    train.add_argument(
        "--before-and-after",
        action="store_true",
        help="train twice, on the dataset as given and on what the decisions leave, and say whether they helped",
    )
    train.add_argument("--json", metavar="FILE", help="write that comparison there, class by class")
    train.add_argument(
        "--run-name",
        metavar="RUN",
        help="the run's name, for a pair its beginning; made from recipe and date if left out",
    )
    train.add_argument(
        "--resume", metavar="RUN", help="continue a run that was stopped, interrupted or failed"
    )

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
    if args.json:
        terminal.writable(args.json)  # rather now than after an hour of training
    if args.resume:
        settings = (args.name, args.recipe, args.set, args.quick, args.run_name, args.before_and_after)
        if any(settings) or args.repeats != 1:
            raise InvalidValue(
                "--resume continues a run as it was set up: give it no dataset, recipe or other setting."
            )
        return _resume(args.resume, args.json)
    if not args.name:
        raise InvalidValue("Say which dataset to train on, as in: python -m bloodapp train course.")
    if args.repeats < 1:
        raise InvalidValue("--repeats takes a number from 1.")
    if args.before_and_after and args.repeats > 1:
        raise InvalidValue("--before-and-after trains one pair with one seed: leave --repeats out.")
    if args.json and not args.before_and_after:
        raise InvalidValue("--json writes the comparison of --before-and-after: give both, or neither.")
    from bloodapp.data.dataset import open_dataset
    from bloodapp.train.launch import start
    from bloodapp.train.recipes import DEFAULT, recipe_named
    from bloodapp.train.settings import with_settings

    dataset = open_dataset(args.name)
    recipe = with_settings(recipe_named(args.recipe or DEFAULT), terminal.settings(args.set))
    if args.before_and_after:
        from bloodapp.train.effect import start_pair

        _, after = start_pair(dataset, recipe, name=args.run_name, shrink=args.quick)
        return _show_pair(after.name, args.json)
    repeats = args.repeats if args.repeats > 1 else 0
    return show(start(dataset, recipe, name=args.run_name, shrink=args.quick, repeats=repeats).name)


def _resume(name: str, json_file: str | None) -> int:
    from bloodapp.jobs.job import resume
    from bloodapp.runs.run import list_runs, open_run

    run = open_run(name)
    if run.shipped:
        raise InvalidValue(f"'{name}' ships with the app and is done.")
    if run.parent:
        raise InvalidValue(f"'{name}' is a part of '{run.parent}': resume that, and it goes on too.")
    whole = run.pair in [other.name for other in list_runs()]
    if json_file and not whole:
        raise InvalidValue(f"'{name}' has no other half to be compared with: leave --json out.")
    if run.state() != "running":
        resume(run.job)
    return _show_pair(name, json_file) if whole else show(name)


def _show_pair(name: str, json_file: str | None) -> int:
    """Follow both halves of the pair that a run belongs to, and print their names and what changed."""
    from bloodapp.errors import Stopped
    from bloodapp.evaluate.effect import effect, pair_of, report, sentence
    from bloodapp.jobs.job import ACTIVE, request_stop, resume
    from bloodapp.runs.run import open_run
    from bloodapp.workspace import write_json

    pair = pair_of(open_run(name))
    halves = (pair.before, pair.after)
    for run, other in (halves, halves[::-1]):
        if run.state() not in (*ACTIVE, "done"):
            resume(run.job)
        terminal.say(f"{run.title} ({run.name})")
        try:
            code = follow(run.job, again=f"train --resume {run.name}")
        except Stopped:
            if other.state() in ACTIVE:
                request_stop(other.job)
            raise
        if code:
            return code
    result = effect(pair)
    print(pair.before.name)
    print(pair.after.name)
    print(sentence(result.clean.overall, result.part))
    if result.shifted is not None:
        print(sentence(result.shifted.overall, result.part, under_shift=True))
    if json_file:
        write_json(terminal.writable(json_file), report(pair, result))
    return 0


def show(name: str, before: Callable[[], None] = lambda: None) -> int:
    """Follow a queued or running training to its end, and print what came of it; `before` prints before the name."""
    from bloodapp.runs.run import open_run

    run = open_run(name)
    terminal.say(
        f"{name}: training; it goes on if this terminal is closed. Ctrl-C stops it and keeps the best."
    )
    code = follow(run.job, again=f"train --resume {name}")
    if code == 0:
        if said := scored(run):
            terminal.say(said)
        before()
        print(name)
    return code


def scored(run: "Run") -> str:
    """What a run scores, in a sentence, of repeats with the spread; empty before it has results."""
    from bloodapp.runs.run import headline

    score = headline(run)
    if not score:
        return ""
    series = (run.report() or {}).get("series") or {}
    clean, shifted = (
        terminal.percent(score[key], (series.get(key) or {}).get("sd") if run.series == "repeats" else None)
        for key in ("accuracy", "shifted_accuracy")
    )
    return f"{clean} right on {score['n']:,} {score['part']} images, {shifted} under the shift"


def show_recipes(args: argparse.Namespace) -> None:
    """`recipes`: name and what it is for, the default first."""
    from bloodapp.train.recipes import DEFAULT, RECIPES

    rows = sorted(RECIPES.values(), key=lambda recipe: recipe.name != DEFAULT)
    terminal.table((recipe.name, recipe.why) for recipe in rows)


def show_pipelines(args: argparse.Namespace) -> None:
    """`pipelines`: name, what it is for, and its text; the user's own last."""
    from bloodapp.augment.named import PIPELINES
    from bloodapp.augment.saved import saved_pipelines

    rows = [(one.name, one.why, one.text) for one in PIPELINES.values()]
    terminal.table([*rows, *((name, "Saved here.", text) for name, text in saved_pipelines().items())])
