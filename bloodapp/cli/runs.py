"""`runs`, `compare`, `reproduce`, `rename`, `note` and `delete`: what there is, side by side, again, and away."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from bloodapp.cli import terminal
from bloodapp.cli.work import follow
from bloodapp.errors import InvalidValue

if TYPE_CHECKING:
    from bloodapp.evaluate.metrics import Interval
    from bloodapp.runs.compare import Judged
    from bloodapp.runs.run import Run


_WIDEST = 40
"""A setting with a longer value than this, in characters, stands in a block of its own."""


def add(commands: terminal.Commands) -> None:
    """Add the commands."""
    runs = terminal.command(
        commands, "runs", show_runs, "List the runs, newest first, name first.", "runs\nruns --all"
    )
    runs.add_argument("--all", action="store_true", help="also the trainings that series consist of")
    compare = terminal.command(
        commands,
        "compare",
        do_compare,
        "Show any number of runs side by side: what they score, whether they differ by more than chance, and what "
        "sets their configurations apart.",
        "compare balanced-2026-11-20-1 plain-2026-11-20-1",
    )
    compare.add_argument(
        "names", nargs="+", metavar="RUN", help="runs; the others are compared with the first"
    )
    reproduce = terminal.command(
        commands,
        "reproduce",
        do_reproduce,
        "Train a run again, on the same images, decisions and split, and say whether it comes to the same; "
        "prints the new run's name last.",
        "reproduce balanced-2026-11-20-1\nreproduce balanced-2026-11-20-1 --quick-check",
    )
    reproduce.add_argument("name", metavar="RUN", help="a finished run")
    reproduce.add_argument(
        "--quick-check", action="store_true", help="say what differs today from then, and train nothing"
    )
    rename = terminal.command(
        commands,
        "rename",
        do_rename,
        "Give a run another title; its name stays.",
        'rename RUN "With more colour"',
    )
    rename.add_argument("name", metavar="RUN", help="a run")
    rename.add_argument("title", metavar="TITLE", help="what people read; empty for its name")
    note = terminal.command(
        commands,
        "note",
        do_note,
        "Write a note about a run, in place of the one it has.",
        'note RUN "overfits"',
    )
    note.add_argument("name", metavar="RUN", help="a run")
    note.add_argument("text", metavar="TEXT", help="the note")
    delete = terminal.command(
        commands,
        "delete",
        do_delete,
        "Delete a run for good, a series with all its trainings.",
        "delete RUN --yes",
    )
    delete.add_argument("name", metavar="RUN", help="a run")
    delete.add_argument("--yes", action="store_true", help="do not ask")


def show_runs(args: argparse.Namespace) -> None:
    """`runs`: name, state, dataset, recipe, clean, shifted, corruption error, the part they are of, when, series."""
    from bloodapp.runs.run import list_runs

    every, rows = list_runs(), []
    names = {run.name for run in every}
    for run in every:
        if run.parent not in names:
            rows += [_row(one) for one in (run, *(run.children if args.all else ()))]
    terminal.table(rows)


def _row(run: "Run") -> tuple[str, ...]:
    from bloodapp.evaluate import suite
    from bloodapp.runs.run import headline

    score = headline(run) or {}
    spread = (run.report() or {}).get("series", {}) if run.series == "repeats" else {}
    clean, shifted = (
        terminal.percent(score.get(key), spread.get(key, {}).get("sd"))
        for key in ("accuracy", "shifted_accuracy")
    )
    state = "shipped" if run.shipped else run.state()
    part = f"on {score['part']}" if score else "-"
    corrupted = (suite.summary(run) or {}).get("mean_corruption_error", {}).get("value")
    figures = (clean, f"shifted {shifted}", f"corruption error {terminal.percent(corrupted)}")
    told = (run.name, state, run.dataset, run.recipe or "-", *figures, part, run.created)
    return (*told, run.made_of or (f"of {run.parent}" if run.parent else ""))


def do_compare(args: argparse.Namespace) -> None:
    """`compare`: a row a run with 95 % intervals; the differences from the first; the configurations' differences."""
    from bloodapp.runs.compare import differences, judged
    from bloodapp.runs.run import open_run

    names = list(dict.fromkeys(args.names))
    if len(names) < 2:
        raise InvalidValue("Name at least two runs, as in: python -m bloodapp compare RUN RUN.")
    runs = [open_run(name) for name in names]
    on = judged(runs)
    terminal.table(_figures(run, on.part) for run in runs)
    if on.why:
        print(f"\n{on.why}")
    if on.same:
        print()
        for line in _changes(runs, on):
            print(line)
    else:
        for line in _on_shared(runs):
            print(line)
    table = differences(runs)
    print()
    if table.empty:
        print("Their configurations are the same.")
        return
    rows = [[field, *values] for field, values in zip(table.index, table.to_numpy().tolist(), strict=True)]
    short = [row for row in rows if max(map(len, map(str, row[1:]))) <= _WIDEST]
    terminal.table([["differs", *(names if short else [])], *short])
    for field, *values in (row for row in rows if row not in short):
        print(f"\n{field}")
        terminal.table([(f"  {name}", value) for name, value in zip(names, values, strict=True)])


def _figures(run: "Run", part: str) -> list[str]:
    """A run's name and what it scores, with intervals where it has answers to single images."""
    from bloodapp.evaluate import metrics, suite
    from bloodapp.evaluate.evaluate import judgement, parts_of

    if not parts_of(run):
        from bloodapp.cli.train import scored

        return [run.name, scored(run) or run.state(), "", "", "", ""]
    judged = judgement(run, part if part in parts_of(run) else None)
    on = f"{len(judged):,} {part if part in parts_of(run) else parts_of(run)[0]} images"
    matrix = judged.matrix()
    figures = [
        f"accuracy {_told(metrics.interval(metrics.accuracy, matrix))}",
        f"balanced {_told(metrics.interval(metrics.balanced_accuracy, matrix))}",
    ]
    if judged.shifted is not None:
        figures.append(
            f"shifted {_told(metrics.interval(metrics.accuracy, judged.matrix(under_shift=True)))}"
        )
    told = suite.summary(run, part if part in parts_of(run) else None)
    corrupted = "-"
    if told:
        one = told["mean_corruption_error"]
        corrupted = _told(metrics.Interval(one["value"], one["low"], one["high"]))
    return [run.name, on, *figures, *[""] * (3 - len(figures)), f"corruption error {corrupted}"]


def _told(figure: "Interval") -> str:
    return f"{100 * figure.value:.1f} % ({100 * figure.low:.1f}–{100 * figure.high:.1f})"


def _changes(runs: "Sequence[Run]", on: "Judged") -> Iterator[str]:
    """A sentence a run: how far it is from the first, image by image, clean and under the shift."""
    from bloodapp.evaluate import metrics

    first = runs[0].name
    for run in runs[1:]:
        for table, where in ((on.answers, ""), (on.shifted, " under the shift")):
            if first not in table or run.name not in table:
                continue
            pair = metrics.paired(on.labels, table[first].argmax(1), table[run.name].argmax(1))
            change = pair.change
            verdict = "" if change.low > 0 or change.high < 0 else ", which may be chance"
            yield (
                f"{run.name} beside {first}{where}: {100 * change.value:+.1f} points "
                f"(95 % interval {100 * change.low:+.1f} to {100 * change.high:+.1f}){verdict}; "
                f"{pair.mended:,} mended, {pair.broken:,} broken of {pair.n:,} images"
            )


def _on_shared(runs: "Sequence[Run]") -> Iterator[str]:
    """Runs with other splits: how far the first is from each on the images that none of them has learned from."""
    from bloodapp.errors import BloodappError
    from bloodapp.evaluate import compare

    try:
        every = compare.shared(runs)
    except BloodappError as error:
        yield str(error)
        return
    on = every.only(compare.TEST if every.in_test.any() else compare.HELD)
    yield f"On the {len(on):,} images that all of them kept aside and none has learned from:"
    for under_shift in (False, True):
        for one in compare.differences(on, under_shift=under_shift):
            yield compare.sentence(one, one.first, one.second, under_shift=under_shift)


def do_reproduce(args: argparse.Namespace) -> int:
    """`reproduce`: what differs today, then the training, the verdict, and the new run's name last."""
    from bloodapp.runs.run import open_run
    from bloodapp.train import reproduce

    run = open_run(args.name)
    if args.quick_check:
        found = reproduce.differences(run, reproduce.dataset_then(run))
        print("\n".join(found) or "Images, decisions, split, versions and computer are as they were.")
        return 0
    again = reproduce.start(run)
    for sentence in again.config["differed"]:
        terminal.say(sentence)
    terminal.say(f"{again.name}: training; it goes on if this terminal is closed.")
    if code := follow(again.job, again=f"train --resume {again.name}"):
        return code
    print(reproduce.verdict(run, again))
    print(again.name)
    return 0


def do_rename(args: argparse.Namespace) -> None:
    """`rename`."""
    from bloodapp.runs.run import open_run

    run = open_run(args.name)
    run.rename(args.title)
    print(f"{run.name}  {run.title}")


def do_note(args: argparse.Namespace) -> None:
    """`note`."""
    from bloodapp.runs.run import open_run

    run = open_run(args.name)
    run.write_notes(args.text)
    print(f"{run.name}  {run.notes()}")


def do_delete(args: argparse.Namespace) -> None:
    """`delete`: asks, unless told not to; without a terminal to ask on it refuses."""
    from bloodapp.runs.run import delete_run, open_run

    run = open_run(args.name)
    if not args.yes:
        if not sys.stdin.isatty():
            raise InvalidValue(f"To delete '{run.name}' without being asked, add --yes.")
        also = f" and its {len(run.children)} trainings" if run.children else ""
        terminal.say(f"Delete '{run.name}'{also} with all it wrote? This cannot be undone. [y/N] ")
        if input().strip().lower() not in ("y", "yes"):
            terminal.say("Nothing was deleted.")
            return
    delete_run(run)
    print(f"{run.name}  deleted")
