"""What a report and a model card tell of a run: gathered once, from its files and its dataset. No TensorFlow."""

import hashlib
import shlex
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bloodapp import workspace
from bloodapp.data import ledger
from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import ACTIONS, judge
from bloodapp.errors import BloodappError
from bloodapp.evaluate import metrics, scores, suite
from bloodapp.evaluate.evaluate import Judgement, judgement, overall, parts_of
from bloodapp.evaluate.kinds import Marks
from bloodapp.evaluate.metrics import Comparison, Interval
from bloodapp.evaluate.suite import Suite
from bloodapp.runs.origin import dataset_of
from bloodapp.runs.run import Run

PARTS = {"train": "training", "val": "validation", "test": "test"}
FEW = 30
"""A class with fewer judged images than this is named among the limits."""

GROUPS = {
    "Network": ("model", "width", "weights", "start_from", "size", "resize", "scaling", "pooling", "head", "dropout"),
    "Learning": (
        *("optimizer", "learning_rate", "schedule", "warmup", "decay_after", "decay", "cycle", "plateau"),
        *("plateau_factor", "weight_decay", "clip", "batch", "block", "epochs", "minutes", "patience", "score"),
        *("phases", "loss", "focal", "label_smoothing", "class_weights", "average", "precision"),
    ),
    "Split": ("val_share", "test_share", "keep_parts", "stratified", "grouped", "folds", "vote"),
    "Images": ("copies", "balance", "images", "small_size", "small_share", "test_noise"),
    "Chance": ("seed", "deterministic", "device"),
}  # fmt: skip
"""A recipe's fields as a report orders them; those that no group names come last."""

DECIMAL = (scores.TITLES["auc"], scores.TITLES["kappa"])
"""Figures that are read as numbers, all others as percent."""

_UNSAID = ("name", "title", "why", "purpose", "pipeline")


@dataclass(frozen=True)
class Ledger:
    """Where in the dataset's log of decisions a run stands.

    Attributes:
        seq: the last decision that it takes into account.
        known: whether the log here leaves the run's images with its labels; else `counts` and `undone` are empty.
        counts: how many decisions held at that moment, by action.
        undone: how many had been taken and undone by then.
    """

    seq: int
    known: bool
    counts: dict[str, int]
    undone: int

    def words(self) -> str:
        """`exclude 1,800 · relabel 3; 12 undone`."""
        if not self.known:
            return ""
        held = " · ".join(f"{action} {number:,}" for action, number in self.counts.items() if number)
        return (held or "none in force") + (f"; {self.undone:,} undone" if self.undone else "")


@dataclass(frozen=True, eq=False)
class Facts:
    """A run as a report tells of it.

    Attributes:
        run: the run.
        part: the part it is judged on, `test` or `val`.
        result: its labels and answers on that part.
        comparison: clean and shifted accuracy with intervals.
        overall: further figures over all classes, by what people call them, each with its interval.
        shifted_overall: the same under the shift; empty without it.
        clean: precision, recall and F1 by class, as `metrics.per_class`.
        hard: the same under the shift, or None.
        counts: images of each class (rows, titles) in each part (columns), as the run's split has them.
        dataset: the dataset, when it is here.
        ledger: where it stands among the decisions, or None when the dataset is not here.
        report: what report.json says.
        model: size in bytes and sha256 of the model's file, or None without one.
        suite: what the run makes of corruptions, as far as it was judged under them, or None.
        changed: judged images that have been relabelled or excluded since.
        marks: rows of the dataset by what Review has found about them; empty where nobody handed them in.
    """

    run: Run
    part: str
    result: Judgement
    comparison: Comparison
    overall: dict[str, Interval]
    shifted_overall: dict[str, Interval]
    clean: pd.DataFrame
    hard: pd.DataFrame | None
    counts: pd.DataFrame
    dataset: Dataset | None
    ledger: Ledger | None
    report: dict[str, Any]
    model: tuple[int, str] | None
    suite: Suite | None
    changed: int
    marks: Marks

    @property
    def has_shift(self) -> bool:
        """Whether it was judged under the shift, too."""
        return self.result.shifted is not None

    @property
    def part_title(self) -> str:
        """`test part`, `validation part`."""
        return f"{PARTS[self.part]} part"


def gather(run: Run, part: str | None = None, marks: Marks | None = None) -> Facts:
    """Read a run's files, and its dataset's where it is here.

    Without `part` the test part, or val where there is none; `marks` are what `review.marked` says of the
    dataset. Raises NotFound before the run has ended.
    """
    result = judgement(run, part)
    comparison = result.comparison()
    used = part or parts_of(run)[0]
    hard = None if result.shifted is None else metrics.per_class(result.matrix(under_shift=True), result.keys)
    dataset = dataset_of(run)
    split = run.split()
    stand = None if dataset is None else _ledger(run, dataset, split)
    return Facts(
        run=run,
        part=used,
        result=result,
        comparison=comparison,
        overall=_overall(result, comparison.clean, under_shift=False),
        shifted_overall={} if hard is None else _overall(result, comparison.shifted, under_shift=True),
        clean=metrics.per_class(result.matrix(), result.keys),
        hard=hard,
        counts=_counts(run, split),
        dataset=dataset,
        ledger=stand,
        report=run.report() or {},
        model=_model(run),
        suite=suite.find(run, used),
        changed=_changed(dataset, result) if dataset is not None and stand is not None and stand.known else 0,
        marks=marks or {},
    )


def _overall(result: Judgement, accuracy: Interval, *, under_shift: bool) -> dict[str, Interval]:
    found = overall(result, accuracy, under_shift=under_shift)
    return {scores.TITLES[name]: one for name, one in found.items()}


def _counts(run: Run, split: pd.DataFrame) -> pd.DataFrame:
    table = pd.crosstab(split["label"], split["part"])
    parts = [*(part for part in PARTS if part in table), *(part for part in table if part not in PARTS)]
    whole = table.reindex(index=range(len(run.classes)), columns=parts, fill_value=0)
    return whole.set_axis([c.title for c in run.classes], axis=0)


def _ledger(run: Run, dataset: Dataset, split: pd.DataFrame) -> Ledger:
    """Whether it is the same log shows in what it says: a dataset imported anew begins with an empty one."""
    seq = int(run.config["seq"])
    try:
        judged = judge(dataset, seq)
        with ledger.reading(dataset.path) as connection:
            rows = connection.execute(
                "select seq, action from events where cancels is null and seq <= ?", (seq,)
            ).fetchall()
            gone = ledger.cancelled(connection, seq)
    except BloodappError:
        return Ledger(seq, False, {}, 0)
    index = split["index"].to_numpy(np.int64)
    labels = split["label"].to_numpy()
    inside = bool(len(index)) and bool((index < len(dataset)).all()) and judged.seq == seq
    if inside and not run.before_decisions:
        inside = bool(judged.included[index].all() and (judged.labels[index] == labels).all())
    if not inside:
        return Ledger(seq, False, {}, 0)
    held = [action for number, action in rows if number not in gone]
    return Ledger(seq, True, {action: held.count(action) for action in ACTIONS}, len(rows) - len(held))


def _changed(dataset: Dataset, result: Judgement) -> int:
    now = judge(dataset)
    return int((~now.included[result.index] | (now.labels[result.index] != result.labels)).sum())


def _model(run: Run) -> tuple[int, str] | None:
    try:
        with run.model_path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        return run.model_path.stat().st_size, digest
    except OSError:
        return None


def settings(run: Run) -> dict[str, list[tuple[str, str]]]:
    """The recipe's fields in words, by group; those that say nothing are left out."""
    recipe = {name: value for name, value in run.config["recipe"].items() if name not in _UNSAID}
    named = {name for names in GROUPS.values() for name in names}
    groups = {**GROUPS, "Other": tuple(name for name in recipe if name not in named)}
    found = {
        group: [(name.replace("_", " "), said(recipe[name])) for name in names if name in recipe]
        for group, names in groups.items()
    }
    return {
        group: [(name, value) for name, value in rows if value] for group, rows in found.items() if any(rows)
    }


def made(facts: Facts) -> list[tuple[str, str]]:
    """How and by what the run was made: recipe, pipeline, device, times, versions, the model's file."""
    run, report = facts.run, facts.report
    recipe = run.config["recipe"]
    pipeline, text = str(recipe.get("pipeline") or ""), str(run.config.get("pipeline") or "")
    status = {} if run.shipped else run.job.status()
    rows = [
        ("Run", run.name),
        ("Recipe", f"{recipe['title']} ({run.recipe})" if recipe.get("title") else run.recipe),
        ("Kind", run.made_of or "one training"),
        ("Made of", ", ".join(map(str, run.config["combined"]["members"])) if run.combined else ""),
        ("Changes while learning", pipeline if pipeline == text or not text else f"{pipeline}: {text}"),
        ("Parameters", f"{int(report['parameters']):,}" if report.get("parameters") else ""),
        ("Kept epoch", f"{report['best_epoch']} of {report.get('epochs', '?')}" if report.get("best_epoch") else ""),
        ("Training took", duration(report.get("seconds"))),
        ("Device", str(report.get("device") or "")),
        ("Computer", str(run.config.get("computer") or "")),
        ("Begun", run.created),
        ("Ended", str(status.get("finished") or "")),
        ("Versions", " · ".join(f"{name} {one}" for name, one in (run.config.get("versions") or {}).items())),
        ("Model file", f"{facts.model[0] / 1e6:,.1f} MB, sha256 {facts.model[1]}" if facts.model else ""),
    ]  # fmt: skip
    return [(name, value) for name, value in rows if value]


def origin(facts: Facts) -> list[tuple[str, str]]:
    """The dataset, its fingerprint, and where the run stands among its decisions."""
    run, dataset, stand = facts.run, facts.dataset, facts.ledger
    used = int(facts.counts.to_numpy().sum())
    rows = [("Dataset", run.dataset), ("Fingerprint", str(run.config["fingerprint"]))]
    if dataset is not None:
        source = " · ".join(str(dataset.source[key]) for key in ("name", "kind") if dataset.source.get(key))
        rows.append(("Source", source))
        rows.append(("Images", f"{used:,} of {len(dataset):,} take part"))
    else:
        rows.append(("Images", f"{used:,} take part; the dataset is not on the computer that wrote this"))
    if run.before_decisions:
        rows.append(("Decisions", "set aside: the dataset as it was given"))
    elif not run.config["seq"]:
        rows.append(("Decisions", "none had been taken"))
    else:
        rows.append(("Ledger position", f"up to decision {int(run.config['seq']):,}"))
        rows.append(("Decided until then", stand.words() if stand else ""))
    return [(name, value) for name, value in rows if value]


def limits(facts: Facts) -> list[str]:
    """What the figures do not say, as sentences, the gravest first."""
    run, report = facts.run, facts.report
    found = [
        "This is not a medical device. Its answers are no diagnosis, and nothing may be decided on them alone."
    ]
    if run.trial:
        found.append(
            "A quick trial: it learned from a few images only, to see that everything works. No result."
        )
    if facts.part == "val":
        found.append(
            "Judged on the validation part, on which its best epoch was chosen: that flatters a little."
        )
    elif int(report.get("test_reads") or 0) > 1 and not run.series:
        found.append(
            "Its test part was read more than once: what was chosen in between makes the figures too good."
        )
    found.append(
        "All images come from one dataset. Another microscope, stain or laboratory can cost far more than the shift "
        "drawn here, and it knows only the classes that it learned: any other cell, or no cell, gets one of them."
    )
    if not facts.has_shift:
        found.append("It was not judged on shifted images.")
    few = [c.title for c, n in zip(run.classes, facts.clean["support"], strict=True) if n < FEW]
    if few:
        found.append(f"Fewer than {FEW} images were judged of {', '.join(few)}: their figures are loose.")
    if facts.changed and not run.before_decisions:
        found.append(
            f"Since then {facts.changed:,} of the judged images have been relabelled or excluded; "
            "a new training counts that in."
        )
    if run.before_decisions:
        found.append("It learned from the dataset as it was given, before any decision, for comparison.")
    found.append(
        "Intervals (95 %) tell of the draw of the images, not of the training: another seed gives another network."
    )
    return found


def commands(facts: Facts) -> dict[str, str]:
    """The commands that give figures again, by what they give."""
    name = shlex.quote(facts.run.name)
    base = "python -m bloodapp"
    found = {
        "figures": f"{base} evaluate {name} --part {facts.part}",
        "report": f"{base} report {name} --part {facts.part} --out report.html --card card.md",
        "training": f"{base} reproduce {name}",
    }
    if facts.run.combined:
        together = facts.run.config["combined"]
        flags = [f"--how {together['how']}", *(["--flips"] if together["tta"] else [])]
        members = [shlex.quote(str(member)) for member in together["members"]]
        found["training"] = " ".join([base, "combine", *members, *flags])
    elif facts.run.shipped:
        del found["training"]
    if facts.suite is not None:
        found["corruptions"] = f"{base} evaluate {name} --part {facts.part} --corruptions"
    return found


def moment(text: str) -> str:
    """A UTC time as people read it, `2026-11-21 19:19 UTC`; anything else as it is."""
    return f"{text[:10]} {text[11:16]} UTC" if len(text) > 16 and text[10] == "T" else text


def written() -> str:
    """The time of writing, as `moment` has it."""
    return moment(workspace.now())


def duration(seconds: Any) -> str:
    """`45 s`, `9 min`, `1 h 20 min`; empty when it is not known."""
    if not isinstance(seconds, int | float):
        return ""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def said(value: Any) -> str:
    """A setting's value as people read it; empty for none."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return ", ".join(said(one) for one in value)
    return "" if value is None else str(value)
