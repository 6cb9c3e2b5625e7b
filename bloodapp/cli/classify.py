"""`evaluate` and `predict`: what a run is worth, and what it says about images."""

import argparse
import json
import sys
from functools import cached_property
from typing import TYPE_CHECKING, Any

from bloodapp.cli import corruptions, terminal
from bloodapp.errors import InvalidValue, NotFound

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bloodapp.classify.predictor import Predictor
    from bloodapp.runs.run import Run


def add(commands: terminal.Commands) -> None:
    """Add the commands."""
    evaluate = terminal.command(
        commands,
        "evaluate",
        judge,
        "Judge a run: on its own test images from its files, or on any labelled source.",
        """evaluate balanced-2026-11-20-1
        evaluate balanced-2026-11-20-1 --part val --json report.json
        evaluate balanced-2026-11-20-1 --corruptions
        evaluate starter --on cells.zip --part val --json -""",
    )
    evaluate.add_argument("run_name", metavar="RUN", help="a run")
    evaluate.add_argument("--on", metavar="SOURCE", help="a dataset, file or folder with labels")
    evaluate.add_argument("--part", choices=("train", "val", "test"), help="only this part")
    evaluate.add_argument(
        "--corruptions",
        action="store_true",
        help="also under fifteen corruptions at five strengths each: some minutes the first time, kept for good",
    )
    evaluate.add_argument("--json", metavar="FILE", help="write all figures there; - for stdout")

    predict = terminal.command(
        commands,
        "predict",
        classify,
        "Classify images; one row of CSV an image, in the order of the source.",
        """predict new_images/ --csv predictions.csv
        predict cell.png --model starter --csv -""",
    )
    predict.add_argument("source", metavar="SOURCE", help="an image, folder, .zip, .npz or a dataset's name")
    predict.add_argument(
        "--model", metavar="RUN", help="the run that answers; the newest finished one if left out"
    )
    predict.add_argument(
        "--csv",
        required=True,
        metavar="FILE",
        help="where to write; - for stdout. Probabilities are calibrated, and `set` holds the true class of at least "
        "95 %% of images like those of the run's validation part, where that has images enough",
    )


def judge(args: argparse.Namespace) -> int:
    """`evaluate`: the figures as text, or as JSON with `--json`; with `--corruptions` those of the suite, too."""
    from bloodapp.evaluate.evaluate import evaluate_run
    from bloodapp.runs.run import open_run
    from bloodapp.workspace import FORMAT, write_json

    run = open_run(args.run_name)
    if args.corruptions and args.on:
        raise InvalidValue("--corruptions judges the run's own images: leave --on out.")
    found = corruptions.judged(run, args.part) if args.corruptions else None
    if isinstance(found, int):
        return found
    with terminal.Progress() as progress:
        result = evaluate_run(run, source=args.on, part=args.part, predictor=_Late(run), progress=progress)
    if found is not None:
        result["corruptions"] = corruptions.figures(found)
    if args.json == "-":
        print(json.dumps({"format": FORMAT, **result}, allow_nan=False, ensure_ascii=False))
        return 0
    if args.json:
        write_json(terminal.writable(args.json), result)
    _print_figures(result)
    if found is not None:
        corruptions.show(found)
    return 0


def classify(args: argparse.Namespace) -> None:
    """`predict`: writes the table."""
    from bloodapp.classify.classify import classify, to_csv
    from bloodapp.runs import calibration
    from bloodapp.runs.run import latest_run, open_run
    from bloodapp.workspace import replacing

    target = None if args.csv == "-" else terminal.writable(args.csv)
    run = open_run(args.model) if args.model else latest_run()
    if run is None:
        raise NotFound("a finished run", args.model or "newest")
    terminal.say(f"classified by {run.name}")
    with terminal.Progress() as progress:
        table = classify(args.source, _Late(run), calibration.of(run), progress=progress)
    if target is None:
        sys.stdout.write(to_csv(table))
        return
    with replacing(target) as temporary:
        temporary.write_text(to_csv(table), encoding="utf-8", newline="")
    terminal.say(f"{len(table):,} rows in {target}")


class _Late:
    """A run's predictor that loads the model when first asked: a mistyped path does not wait for TensorFlow."""

    def __init__(self, run: "Run") -> None:
        self.classes, self.size = run.classes, run.size
        self._run = run

    def predict(self, images: "NDArray[np.uint8]") -> "NDArray[np.float32]":
        return self._predictor.predict(images)

    @cached_property
    def _predictor(self) -> "Predictor":
        with terminal.hushed():
            from bloodapp.classify.predictor import Predictor

        return Predictor(self._run)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _print_figures(result: dict[str, Any]) -> None:
    where = " of ".join(str(each) for each in (result["part"], result["source"]) if each)
    print(f"{result['run']} on {result['n']:,} images{f' ({where})' if where else ''}")
    from bloodapp.evaluate.scores import TITLES

    rows = []
    for name in (*TITLES, *(f"shifted_{one}" for one in TITLES), "gap"):
        if result.get(name) is not None:
            said = _number if name.removeprefix("shifted_") in ("auc", "kappa") else terminal.percent
            low, high = (said(result.get(f"{name}_{side}")) for side in ("low", "high"))
            rows.append((name, said(result[name]), f"95 % interval {low} to {high}"))
    terminal.table(rows)
    print()
    head = ("class", "precision", "recall", "f1", "support")
    table = [
        (key, *(terminal.percent(one[name]) for name in head[1:4]), one["support"])
        for key, one in result["per_class"].items()
    ]
    terminal.table([head, *table])
