"""`decide`: say what becomes of images, undo it, show the log, replay another's."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bloodapp.cli import terminal
from bloodapp.errors import InvalidValue, NotFound, SourceError

if TYPE_CHECKING:
    import pandas as pd

    from bloodapp.data.dataset import Dataset
    from bloodapp.review.keepers import Rule
    from bloodapp.review.plans import Plan

KEEPER = "keeper="
KEEPERS = tuple(KEEPER + rule for rule in ("first", "sharpest", "largest", "majority", "advised", "none"))
"""One of each group is kept by a rule of `review.keepers`, and the others are excluded."""


def add(commands: terminal.Commands) -> None:
    """Add the command."""
    decide = terminal.command(
        commands,
        "decide",
        decide_or_undo,
        "Keep, exclude, flag or relabel the images of a CSV; undo; show the log, export it, replay another copy's.",
        f"""decide course --from findings.csv --kind label_conflict --action exclude
        decide course --from findings.csv --kind exact_duplicate --action {KEEPERS[0]}
        decide course --from findings.csv --kind near_duplicate --action {KEEPERS[1]} --dry-run
        decide course --from wrong.csv --action relabel
        decide course --undo 2
        decide course --log --who Anna --action relabel
        decide course --log --csv decisions.csv
        decide course-again --replay decisions.csv""",
    )
    decide.add_argument("name", metavar="NAME", help="a dataset")
    what = decide.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--from",
        dest="rows",
        metavar="CSV",
        help="a CSV with a column `index`, as scan writes it; - for stdin",
    )
    what.add_argument(
        "--undo",
        metavar="SEQ|BATCH",
        help="a batch's number, else an event's; batch:N and seq:N leave no doubt",
    )
    what.add_argument(
        "--log", action="store_true", help="print the decisions and their undos, newest first, as CSV"
    )
    what.add_argument(
        "--replay",
        metavar="FILE",
        help="append the decisions of a log that was exported from any copy of these images, once",
    )
    decide.add_argument(
        "--action",
        choices=("exclude", "keep", "flag", "relabel", *KEEPERS),
        help=f"{KEEPER}RULE excludes all but one of each group; relabel takes the column `label`, else `suggested`; "
        "with --log, only these decisions",
    )
    decide.add_argument(
        "--kind", action="append", metavar="K", help="only rows of this kind; may be repeated"
    )
    decide.add_argument("--label", metavar="CLASS", help="the label that relabel gives to all rows")
    decide.add_argument(
        "--dry-run", action="store_true", help=f"with {KEEPER}RULE: say what it would do, and decide nothing"
    )
    decide.add_argument("--why", default="", help="the reason, kept in the log")
    decide.add_argument("--who", metavar="NAME", help="with --log: only the decisions of this reviewer")
    decide.add_argument(
        "--csv",
        metavar="FILE",
        help="with --log: write them oldest first to a file that --replay takes; images are named by their content",
    )


def decide_or_undo(args: argparse.Namespace) -> None:
    """`decide`: prints each batch it makes: number, action, how many images."""
    from bloodapp.data.dataset import open_dataset

    dataset = open_dataset(args.name)
    if not args.log and (args.who is not None or args.csv is not None):
        raise InvalidValue(
            f"{'--csv' if args.who is None else '--who'} goes with --log and with nothing else."
        )
    if args.log:
        _show_log(dataset, args.who, args.action, args.csv)
    elif args.replay:
        _replay(dataset, args.replay)
    elif args.undo:
        _undo(dataset, args.undo, args.why)
    elif args.action is None:
        raise InvalidValue(
            "Say what to do with these images: --action exclude, keep, flag, relabel or keeper=first."
        )
    else:
        _decide(dataset, _rows(args.rows), args)


def _decide(dataset: "Dataset", every: "pd.DataFrame", args: argparse.Namespace) -> None:
    from bloodapp.data.decisions import record

    rows = _of_kinds(every, args.rows, args.kind)
    if args.dry_run and args.action not in KEEPERS:
        raise InvalidValue(f"--dry-run goes with --action {KEEPER}RULE and with nothing else.")

    why = args.why or " ".join(args.kind or [])
    if args.label is not None and args.action != "relabel":
        raise InvalidValue("--label goes with --action relabel and with nothing else.")
    if args.action == "relabel":
        decisions = _by_label(dataset, rows, args.label)
    elif args.action in KEEPERS:
        planned = _plan(dataset, rows, every, args.action.removeprefix(KEEPER))
        if args.dry_run:
            print(f"{planned.words}.")
            return
        terminal.say(f"{planned.words}.")
        decisions = [("exclude", None, planned.excluded.tolist())]
    else:
        decisions = [(args.action, None, rows["index"].tolist())]
    for action, label, indices in decisions:
        if not indices:
            terminal.say("No row is meant: nothing was decided.")
            continue
        batch = record(dataset, indices, action, label=label, why=why)
        told = "" if label is None else dataset.classes[label].key
        terminal.table([(f"batch {batch}", action, f"{len(set(indices))} images", told)])


def _rows(source: str) -> "pd.DataFrame":
    """The CSV's rows as text, `index` as numbers."""
    import pandas as pd

    try:
        rows = pd.read_csv(
            sys.stdin if source == "-" else source, dtype=str, keep_default_na=False, encoding="utf-8-sig"
        )
    except (OSError, ValueError) as error:
        raise SourceError(f"'{source}' cannot be read as CSV: {error}.") from error
    if "index" not in rows:
        raise _without(source, "index")
    numbers = pd.to_numeric(rows["index"], errors="coerce")
    if numbers.isna().any() or (numbers % 1 != 0).any():
        raise SourceError(f"'{source}' has an index that is no whole number: take a CSV as scan writes it.")
    return rows.assign(index=numbers.astype("int64"))


def _of_kinds(rows: "pd.DataFrame", source: str, kinds: Sequence[str] | None) -> "pd.DataFrame":
    """The rows of some kinds; all of them where none is named."""
    from bloodapp.review.findings import KINDS

    for kind in kinds or []:
        if kind not in KINDS:
            raise NotFound("kind of finding", kind, KINDS)
    if kinds and "kind" not in rows:
        raise _without(source, "kind")
    return rows[rows["kind"].isin(kinds)] if kinds else rows


def _without(source: str, column: str) -> SourceError:
    return SourceError(f"'{source}' has no column '{column}': take a CSV as scan writes it.")


def _plan(dataset: "Dataset", rows: "pd.DataFrame", every: "pd.DataFrame", rule: "Rule") -> "Plan":
    """What the rule does to the groups of some rows; of `every` row of the CSV the faults of single images count."""
    import numpy as np

    from bloodapp.data.decisions import judge
    from bloodapp.review.keepers import sharpness
    from bloodapp.review.plans import faulty_of, plan

    if "group" not in rows:
        raise SourceError(f"{KEEPER}{rule} needs a column 'group': take a CSV as scan writes it.")
    outside = rows.loc[(rows["index"] < 0) | (rows["index"] >= len(dataset)), "index"]
    if len(outside):
        raise InvalidValue(
            f"Image {outside.iloc[0]} does not exist: '{dataset.name}' has the images 0 to {len(dataset) - 1}."
        )
    grouped = rows[~rows["group"].str.strip().isin(["", "-1"])]
    by = ["kind", "group"] if "kind" in rows else ["group"]
    items = dataset.items
    pictures = items["sha256"].to_numpy(object)
    return plan(
        rule,
        [np.unique(group["index"].to_numpy(np.int64)) for _, group in grouped.groupby(by)],
        judge(dataset),
        faulty=faulty_of(every) if "kind" in every else np.zeros(0, np.int64),
        sharpness=lambda indices: sharpness(dataset.images, indices, pictures[indices]),
        pixels=items["width"].to_numpy(np.int64) * items["height"].to_numpy(np.int64),
    )


def _by_label(
    dataset: "Dataset", rows: "pd.DataFrame", label: str | None
) -> list[tuple[str, int | None, list[int]]]:
    if label is not None:
        return [("relabel", _label(dataset, label), rows["index"].tolist())]
    column = next((name for name in ("label", "suggested") if name in rows), None)
    if column is None:
        raise SourceError("relabel needs --label CLASS, or a column 'label' or 'suggested' in the CSV.")
    named = rows[~rows[column].str.strip().isin(["", "-1"])]
    if len(named) < len(rows):
        terminal.say(f"{len(rows) - len(named)} rows name no label and are passed over.")
    return [
        ("relabel", _label(dataset, str(text)), some["index"].tolist())
        for text, some in named.groupby(column)
    ]


def _label(dataset: "Dataset", text: str) -> int:
    """The label that a class's key, or its number, means."""
    keys = [one.key for one in dataset.classes]
    text = text.strip()
    if text in keys:
        return keys.index(text)
    if text.isdecimal() and int(text) < len(keys):
        return int(text)
    raise NotFound("class", text, keys)


def _undo(dataset: "Dataset", text: str, why: str) -> None:
    from bloodapp.data.decisions import log, undo

    what, _, number = text.rpartition(":")
    if what not in ("", "batch", "seq") or not number.isdecimal():
        raise InvalidValue(f"'{text}' is no batch and no event: give a number, batch:N or seq:N.")
    if not what:
        what = "batch" if (log(dataset)["batch"] == int(number)).any() else "seq"
    batch = (
        undo(dataset, batch=int(number), why=why)
        if what == "batch"
        else undo(dataset, seq=int(number), why=why)
    )
    count = int((log(dataset)["batch"] == batch).sum())
    terminal.table([(f"batch {batch}", "undo", f"{count} images", f"of {what} {number}")])


def _show_log(dataset: "Dataset", who: str | None, action: str | None, target: str | None) -> None:
    from bloodapp.data.decisions import log

    events = log(dataset)
    if who is not None or action is not None:
        events = _only(events, who, action)
    if target is not None:
        _export(dataset, Path(target), set(events["seq"].tolist()))
        return
    keys = {-1: ""} | {label: one.key for label, one in enumerate(dataset.classes)}
    cancels = events["cancels"].map(lambda seq: "" if seq < 0 else str(seq))
    terminal.write_csv(events.assign(label=events["label"].map(keys), cancels=cancels), None)


def _only(events: "pd.DataFrame", who: str | None, action: str | None) -> "pd.DataFrame":
    """The decisions that are meant, and what was undone of them."""
    import numpy as np

    from bloodapp.review.history import roots

    if action in KEEPERS:
        raise InvalidValue(f"{action} is recorded as exclude: ask for --action exclude.")
    meant = events["cancels"] < 0
    if who is not None:
        meant &= events["who"] == who
    if action is not None:
        meant &= events["action"] == action
    root, _ = roots(events)  # of a decision it is the decision itself
    return events[np.isin(root, events.loc[meant, "seq"])]


def _export(dataset: "Dataset", path: Path, seqs: set[int]) -> None:
    from bloodapp.data.exchange import export_log

    if not path.parent.is_dir():
        raise InvalidValue(f"The folder '{path.parent}' does not exist: make it first.")
    number = export_log(dataset, path, seqs)
    terminal.say(f"{number:,} rows in {path}")


def _replay(dataset: "Dataset", file: str) -> None:
    from bloodapp.data.exchange import replay_log

    said = replay_log(dataset, Path(file))
    terminal.table([(name, number) for name, number in said.items()])
