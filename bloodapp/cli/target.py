"""`target`: unlabelled images from where a run will be used, compared with those that it learned from."""

import argparse
import json
from typing import Any

from bloodapp.cli import terminal

_MOST_PIPELINES = 5


def add(commands: terminal.Commands) -> None:
    """Add the command."""
    target = terminal.command(
        commands,
        "target",
        compare,
        "Say how far unlabelled images lie from a run's training images, and what would help.",
        """target starter new_slide/
        target balanced-2026-11-20-1 new_slide.zip --csv label_first.csv --json new_slide.json""",
    )
    target.add_argument("run_name", metavar="RUN", help="a run")
    target.add_argument(
        "source",
        metavar="SOURCE",
        help="an image, folder, .zip, .npz or a dataset's name; labels are not looked at",
    )
    target.add_argument(
        "--csv", metavar="FILE", help="write the images in the order in which to label them; - for stdout"
    )
    target.add_argument("--json", metavar="FILE", help="write all figures there; - for stdout")


def compare(args: argparse.Namespace) -> None:
    """`target`: the distances, the pipelines and the answers as text, as CSV and as JSON."""
    from bloodapp.data.sources import open_source
    from bloodapp.evaluate.target_compare import compare
    from bloodapp.evaluate.target_table import label_table
    from bloodapp.runs.run import open_run
    from bloodapp.workspace import FORMAT, write_json

    run = open_run(args.run_name)
    with terminal.Progress() as progress:  # of a download; and a mistyped path does not wait for TensorFlow
        open_source(args.source, labelled=False, progress=progress)
    csv, where = (None if name in (None, "-") else terminal.writable(name) for name in (args.csv, args.json))
    with terminal.hushed():
        from bloodapp.classify.predictor import Predictor
    with terminal.Progress() as progress:
        _, content, arrays = compare(run, args.source, Predictor(run), progress=progress)
    for one in content["unreadable"][:10]:
        terminal.say(f"not read: {one['name']}: {one['error']}")
    if (more := len(content["unreadable"]) - 10) > 0:
        terminal.say(f"and {more:,} more that could not be read")
    if args.csv:
        terminal.write_csv(label_table(run.classes, arrays), args.csv if csv is None else str(csv))
    if args.json == "-":
        print(json.dumps({"format": FORMAT, **content}, allow_nan=False, ensure_ascii=False))
    elif where is not None:
        write_json(where, content)
    if "-" not in (args.csv, args.json):
        _print(content)


def _print(content: dict[str, Any]) -> None:
    from bloodapp.evaluate import target_words

    few = target_words.few(content)
    sampled = f" of {content['readable']:,}, a sample" if content["n"] < content["readable"] else ""
    images = "1 image" if content["n"] == 1 else f"{content['n']:,} images"
    print(f"{content['run']} and {images}{sampled} of {content['source']}")
    if content["warning"]:
        print(content["warning"])
    if few:
        print(target_words.TOO_FEW)
    elif content["training"] is None:
        print("The images that it learned from are not here: nothing is said of distances and pipelines.")
    distance = content["distance"] or {}
    if distance.get("auc") is not None:
        print(
            f"told apart from the training images: AUC {distance['auc']:.3f} "
            f"(95 % interval {distance['low']:.3f} to {distance['high']:.3f}); "
            f"two parts of the training images: {distance['reference_auc'] or float('nan'):.3f}"
        )
    tables = [
        [("measure", "apart", "median", "by chance up to", ""), *map(_measure_row, content["measures"])],
        [
            ("pipeline", "covers", "apart", "width", "text"),
            *map(_pipeline_row, [each for each in content["pipelines"] if each["advised"]][:_MOST_PIPELINES]),
        ],
    ]
    if few:
        named = [each for each in content["answers"]["predicted"] if each["n"]]
        tables.append([("class", "named"), *((each["key"], each["n"]) for each in named)])
    else:
        tables.append(
            [("class", "named", "share", "in training"), *map(_class_row, content["answers"]["predicted"])]
        )
    for table in tables:
        if len(table) > 1:
            print()
            terminal.table(table)
            if table is tables[1]:
                print(_before(content))
                print(target_words.RULE)
        elif table is tables[1] and content["pipelines"]:
            print(f"\n{target_words.NONE_ADVISED} {_before(content)}\n{target_words.RULE}")
    if few:
        print(
            f"\nsure of these, in the median: {terminal.percent(content['answers']['confidence']['median'])}"
        )
    elif said := target_words.accuracy_to_expect(content):
        print(f"\n{said}")


def _before(content: dict[str, Any]) -> str:
    """How far away the images lie without what is advised: from the images as they are and under the run's own."""
    own = next((each for each in content["pipelines"] if each["candidate"]["kind"] == "own"), None)
    said = f"Apart from the training images as they are: {content['plain']['apart']:.1f}"
    return f"{said}; from what this run was trained with: {own['apart']:.1f}." if own else f"{said}."


def _measure_row(one: dict[str, Any]) -> tuple[object, ...]:
    figures = (f"{one['wasserstein']:.2f}", f"{one['effect']:+.2f}", f"{one['chance']:.2f}")
    return one["key"], *figures, one["level"]


def _class_row(one: dict[str, Any]) -> tuple[object, ...]:
    return one["key"], one["n"], terminal.percent(one["share"]), terminal.percent(one["training"])


def _pipeline_row(one: dict[str, Any]) -> tuple[object, ...]:
    candidate = one["candidate"]
    figures = (terminal.percent(one["least"]), f"{one['apart']:.1f}", f"{one['width']:.2f}")
    return candidate["title"], *figures, candidate["text"]
