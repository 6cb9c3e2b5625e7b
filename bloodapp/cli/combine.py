"""`combine`: finished runs put together into one."""

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from bloodapp.cli import terminal
from bloodapp.cli.work import follow
from bloodapp.errors import InvalidValue

if TYPE_CHECKING:
    from bloodapp.runs.run import Run


def add(commands: terminal.Commands) -> None:
    """Add the command."""
    combine = terminal.command(
        commands,
        "combine",
        do_combine,
        "Put finished runs together into one network, judged on images that none of them has learned from; "
        "prints the new run's name last.",
        """combine balanced-2026-11-20-1 r2light-2026-11-20-1
        combine balanced-2026-11-20-1 plain-2026-11-20-1 r2light-2026-11-20-1 --how majority
        combine balanced-2026-11-20-1 --flips --name balanced-turned""",
    )
    combine.add_argument("names", nargs="+", metavar="RUN", help="a finished run; one alone with --flips")
    combine.add_argument(
        "--how",
        choices=("average", "majority"),
        default="average",
        help="the average of their probabilities (the default), or the class that most of them name",
    )
    combine.add_argument(
        "--flips",
        action="store_true",
        help="test-time augmentation: ask about each image in its four quarter turns and their mirror images",
    )
    combine.add_argument("--name", metavar="NAME", help="the run's name; made from the date if left out")


def do_combine(args: argparse.Namespace) -> int:
    """`combine`: what it will be judged on and cost on stderr, each run's figures, and the new run's name last."""
    from bloodapp.cli.train import scored
    from bloodapp.runs.run import open_run
    from bloodapp.train import members

    if len(set(args.names)) == 1 and not args.flips:
        raise InvalidValue(
            f"'{args.names[0]}' alone is put together with nothing: add another run, or --flips for test-time "
            "augmentation."
        )
    wanted = members.plan([open_run(name) for name in args.names], args.how, flips=args.flips)
    run = members.start(wanted, name=args.name)
    terminal.say(
        f"{run.name}: judged on {len(wanted.kept):,} images that none of them has learned from; "
        f"an answer takes about {wanted.times} times as long as one network's."
    )
    if code := follow(run.job, again=f"work {run.name}"):
        return code
    terminal.say(scored(run))
    for line in _beside(run):
        terminal.say(line)
    print(run.name)
    return 0


def _beside(run: "Run") -> Iterator[str]:
    """A sentence for each member, clean and under the shift."""
    from bloodapp.evaluate import compare
    from bloodapp.train import members

    for member in members.members(run):
        on = compare.shared([run, member])
        which = compare.TEST if on.in_test.any() else compare.HELD
        for under_shift in (False, True):
            for one in compare.differences(on.only(which), under_shift=under_shift):
                yield compare.sentence(one, run.name, member.name, under_shift=under_shift)
