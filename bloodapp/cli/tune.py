"""`tune`."""

import argparse
import math
from typing import Any

from bloodapp.cli import terminal
from bloodapp.cli.train import show


def add(commands: terminal.Commands) -> None:
    """Add the command."""
    tune = terminal.command(
        commands,
        "tune",
        do_tune,
        "Search a recipe's head, learning rate and unfrozen layers on the validation part alone, then train the best "
        "in full; prints the run's name last.",
        """tune course --recipe r0 --trials 20
        tune sample --trials 4 --quick""",
    )
    tune.add_argument("name", metavar="NAME", help="a dataset")
    tune.add_argument("--recipe", metavar="R", help="see `recipes`; the default is the first that it lists")
    tune.add_argument(
        "--trials", type=int, default=20, metavar="N", help="trainings to choose from; 20 if left out"
    )
    tune.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="change a field of the recipe; may be repeated",
    )
    tune.add_argument("--quick", action="store_true", help="few images, one epoch, a small network")
    tune.add_argument(
        "--run-name", metavar="RUN", help="the run's name; made from recipe and date if left out"
    )


def do_tune(args: argparse.Namespace) -> int:
    """`tune`: each trial with its score on stdout, best first, what the best changes, and the run's name last."""
    from bloodapp.data.dataset import open_dataset
    from bloodapp.runs.run import open_run
    from bloodapp.train.recipes import DEFAULT, recipe_named
    from bloodapp.train.search import start
    from bloodapp.train.settings import with_settings

    dataset = open_dataset(args.name)
    recipe = with_settings(recipe_named(args.recipe or DEFAULT), terminal.settings(args.set))
    run = start(dataset, recipe, args.trials, name=args.run_name, shrink=args.quick)
    return show(run.name, before=lambda: _tell(open_run(run.name).report() or {}))


def score_words(score: float | None, by: str | None) -> str:
    """What a trial scored by the recipe's `score`: accuracies in percent, a loss as it is."""
    if score is None:
        return "failed"
    return f"loss {-score:.3f}" if by == "loss" else terminal.percent(score)


def _worth(trial: dict[str, Any]) -> float:
    return -math.inf if trial["score"] is None else float(trial["score"])


def _shifted(name: str) -> float | None:
    """A trial's accuracy on val under the shift, where it has one."""
    from bloodapp.errors import NotFound
    from bloodapp.runs.run import open_run

    try:
        found = (open_run(name).report() or {}).get("parts", {}).get("val") or {}
    except NotFound:  # a trial can be deleted by hand
        return None
    hard: float | None = found.get("shifted_accuracy")
    return hard


def _tell(report: dict[str, Any]) -> None:
    series = report.get("series") or {}
    trials = sorted(series.get("trials", []), key=_worth, reverse=True)
    rows = []
    for trial in trials:
        value, hard = trial["score"], _shifted(trial["name"])
        own = {name: value for name, value in trial.items() if name not in ("name", "score")}
        figures = [
            f"{name}={value:.3g}" if isinstance(value, float) else f"{name}={value}"
            for name, value in own.items()
        ]
        said = (score_words(value, series.get("score")), f"shifted {terminal.percent(hard)}")
        rows.append([trial["name"], *said, *figures])
    terminal.table(rows)
    for name, value in series.get("best", {}).items():
        print(f'--set "{name}={value}"')
