"""A run: a folder of the run store with config.json, split.parquet, metrics.jsonl, model.keras and more.

Runs that ship with the project say `"shipped": true` in their config.json; they are read-only.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from bloodapp import workspace
from bloodapp.classes import CellClass, from_json, to_json
from bloodapp.errors import AlreadyExists, Busy, InvalidValue, NotFound, Unreadable
from bloodapp.jobs.job import Job, delete_job, read_job
from bloodapp.runs.predictions import Predictions, read_predictions

_REQUIRED = ("recipe", "dataset", "fingerprint", "seq", "classes", "size")
_MANY = 10_000

TRIAL_IMAGES = 256
"""How many images a quick trial learns from."""

_LONGEST_TITLE = 200


@dataclass(frozen=True)
class Run:
    """A training, at work or finished.

    Attributes:
        folder: where its files lie.
        config: what config.json says: recipe (with its `name`), dataset, fingerprint, seq, classes, size,
            created, title.
        shipped: whether it came with the project and is read-only.
    """

    folder: Path
    config: dict[str, Any]
    shipped: bool = False

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def title(self) -> str:
        """What people read: the title given last, else the name."""
        kept = (_json_if_there(self.folder / "notes.json") or {}).get("title")
        return str((self.config.get("title") if kept is None else kept) or self.name)

    @property
    def recipe(self) -> str:
        """The name of the recipe that made it."""
        return str(self.config["recipe"].get("name", ""))

    @property
    def dataset(self) -> str:
        """The name of the dataset it learned from."""
        return str(self.config["dataset"])

    @property
    def classes(self) -> tuple[CellClass, ...]:
        """Its classes, in the order of its probabilities."""
        return from_json(self.config["classes"])

    @property
    def size(self) -> int:
        """The side of its input images in pixels."""
        return int(self.config["size"])

    @property
    def created(self) -> str:
        """When it was made, UTC ISO."""
        return str(self.config.get("created", ""))

    @property
    def model_path(self) -> Path:
        """Where the model lies, when there is one."""
        return self.folder / "model.keras"

    @property
    def job(self) -> Job:
        """The training as a job."""
        try:
            return read_job(self.folder)
        except FileNotFoundError:
            return Job(self.folder, "train", title=self.title, created=self.created)

    @property
    def before_decisions(self) -> bool:
        """Whether it learned from the dataset as given, to show what the decisions change."""
        return self.config.get("decisions") == "none"

    @property
    def trial(self) -> bool:
        """Whether it learned from so few images that it only shows that everything works: no result."""
        return 0 < int(self.config.get("recipe", {}).get("images") or 0) <= TRIAL_IMAGES

    @property
    def pair(self) -> str:
        """The name of the run it is compared with, before and after the decisions; empty for most."""
        return str(self.config.get("pair") or "")

    @property
    def series(self) -> str:
        """What kind of series it is, `folds`, `repeats` or `search`; empty for a single training."""
        return str((self.config.get("series") or {}).get("kind", ""))

    @property
    def combined(self) -> bool:
        """Whether it was put together from finished runs and not trained."""
        return bool(self.config.get("combined"))

    @property
    def made_of(self) -> str:
        """What it consists of, in words: `5 folds`, `20 trials and the best`, `3 runs, average`; empty for most."""
        if self.combined:
            together = self.config["combined"]
            members = len(together["members"])
            words = [f"{members} runs, {together['how']}"] * (members > 1)
            return ", ".join([*words, *["test-time augmentation"] * bool(together["tta"])])
        number = len(self.config["series"].get("children", [])) if self.series else 0
        if self.series == "search":
            return f"{number - 1} trials and the best"
        return f"{number} {self.series}" if self.series else ""

    @property
    def parent(self) -> str:
        """The name of the series that it is a part of; empty for most."""
        return str(self.config.get("parent") or "")

    @property
    def children(self) -> list["Run"]:
        """The trainings of a series that are there, in their order; none for a single training."""
        names = (self.config.get("series") or {}).get("children", [])
        return [run for run in (_read(self.folder.with_name(name)) for name in names) if run]

    def state(self) -> str:
        """The job's state; `done` for a run that ships with the project."""
        return "done" if self.shipped else self.job.state()

    @property
    def finished(self) -> bool:
        """Whether it has a model and a report, be it that training was stopped early."""
        return self.model_path.exists() and (self.folder / "report.json").exists()

    def metrics(self) -> pd.DataFrame:
        """One row an epoch, ascending; of a repeated epoch the last. Empty before the first has ended."""
        rows = pd.DataFrame(workspace.read_lines(self.folder / "metrics.jsonl"))
        if rows.empty or "epoch" not in rows:
            return rows
        return rows.drop_duplicates("epoch", keep="last").sort_values("epoch", ignore_index=True)

    def split(self) -> pd.DataFrame:
        """Which image was in which part with which label: index int64, part str, label int16."""
        try:
            return pd.read_parquet(self.folder / "split.parquet")
        except FileNotFoundError:
            return pd.DataFrame({"index": [], "part": [], "label": []}).astype(
                {"index": "int64", "part": "str", "label": "int16"}
            )

    def predictions(self) -> Predictions | None:
        """Its probabilities on val and test; None until training has ended."""
        return read_predictions(self.folder)

    def report(self) -> dict[str, Any] | None:
        """What report.json says; None until training has ended."""
        return _json_if_there(self.folder / "report.json")

    def notes(self) -> str:
        """What the user wrote about it."""
        return str((_json_if_there(self.folder / "notes.json") or {}).get("text", ""))

    def write_notes(self, text: str) -> None:
        """Keep what the user writes about it; raises InvalidValue for a run that ships with the project."""
        self._write_beside(text=text)

    def rename(self, title: str) -> None:
        """Give it another title, or with an empty one its name as title; raises InvalidValue, as for a shipped run."""
        title = " ".join(title.split())
        if len(title) > _LONGEST_TITLE:
            raise InvalidValue(f"A title has at most {_LONGEST_TITLE} letters: take a shorter one.")
        self._write_beside(title=title)

    def _write_beside(self, **changes: str) -> None:
        # Beside config.json, which is written once; two tabs may write the title and the text at the same time.
        self._refuse_if_shipped("changed")
        path = self.folder / "notes.json"
        with workspace.lock(self.folder / ".notes.lock").acquire(timeout=10):
            workspace.write_json(path, {**(_json_if_there(path) or {}), **changes, "when": workspace.now()})

    def _refuse_if_shipped(self, what: str) -> None:
        if self.shipped:
            raise InvalidValue(f"'{self.name}' ships with the app and cannot be {what}.")


def new_run(
    config: Mapping[str, Any], split: pd.DataFrame, name: str | None = None, children: Sequence[str] = ()
) -> Path:
    """Claim a run folder and write config.json and split.parquet into it.

    `config` needs recipe (a dict with `name`), dataset, fingerprint, seq, classes and size; `split` has
    the columns index, part and label. Without a name it becomes recipe-date-number, for instance
    `resnet9-2026-11-20-1`. Of a series, `children` are the endings of its trainings' names, which are this
    run's name and them. Raises InvalidValue, AlreadyExists.
    """
    missing = [key for key in _REQUIRED if key not in config]
    if missing:
        raise InvalidValue(f"A run's config lacks {', '.join(missing)}.")
    folder = _claim(name, str(config["recipe"].get("name", "run")))
    try:
        columns = split[["index", "part", "label"]].reset_index(drop=True)
        with workspace.replacing(folder / "split.parquet") as temporary:
            columns.astype({"index": "int64", "label": "int16"}).to_parquet(temporary, index=False)
        classes = [*config["classes"]]
        if classes and isinstance(classes[0], CellClass):
            classes = to_json(classes)
        content = {"title": "", **config, "classes": classes, "created": workspace.now()}
        if children:
            names = [workspace.checked_name(f"{folder.name}-{ending}") for ending in children]
            content["series"] = {**config["series"], "children": names}
        workspace.write_json(folder / "config.json", content)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder


def list_runs() -> list[Run]:
    """All runs, newest first, and after them those that ship with the project."""
    own = [run for run in _runs_in(workspace.runs_folder()) if not run.shipped]
    shipped = [run for run in _runs_in(workspace.shipped_runs_folder()) if run.shipped]
    return [
        *sorted(own, key=lambda run: (run.created, run.name), reverse=True),
        *sorted(shipped, key=lambda run: run.name),
    ]


def open_run(name: str | Path) -> Run:
    """The run of that name, or of that folder; raises NotFound."""
    if isinstance(name, Path):
        run = _read(name)
        found = [run] if run else []
    else:
        found = [run for run in list_runs() if run.name == name]
    if not found:
        raise NotFound("run", str(name), (run.name for run in list_runs()))
    return found[0]


def delete_run(run: Run) -> None:
    """Remove a run with its model, a series with all its trainings.

    Raises InvalidValue for a shipped run and for one of a series that is there, Busy while it or one of its
    trainings is at work.
    """
    run._refuse_if_shipped("deleted")
    if run.parent and _read(run.folder.with_name(run.parent)):
        raise InvalidValue(f"'{run.name}' is a part of '{run.parent}': delete that, and it goes too.")
    children = run.children
    for one in (run, *children):
        if one.state() == "running":
            raise Busy(f"'{one.name}' is being worked on: stop it first, or wait until it ends.")
    for child in children:
        delete_job(child.job)
    delete_job(run.job)


def latest_run(dataset_name: str | None = None, finished: bool = True) -> Run | None:
    """The newest run (of that dataset, with model and report), a shipped one if there is no other.

    A run on the dataset as it was before any decision is there to be compared with, not to be used: it is
    passed over. So is one of a series, whose trainings are used together; a quick trial counts only where
    there is nothing else.
    """
    trial = None
    for run in list_runs():
        fits = dataset_name in (None, run.dataset) and (run.finished or not finished)
        if fits and not run.before_decisions and not run.parent:
            if not run.trial:
                return run
            trial = trial or run
    return trial


def headline(run: Run) -> dict[str, Any] | None:
    """The numbers that stand for a run; None when it has no report yet.

    Keys: part (test if there is one, else val), n, accuracy, balanced_accuracy, shifted_accuracy; a
    number is None where it was not measured.
    """
    parts = (run.report() or {}).get("parts", {})
    part = next((each for each in ("test", "val") if each in parts), None)
    if part is None:
        return None
    keys = ("n", "accuracy", "balanced_accuracy", "shifted_accuracy")
    return {"part": part, **{key: parts[part].get(key) for key in keys}}


def _claim(name: str | None, recipe: str) -> Path:
    taken = {run.name for run in list_runs() if run.shipped}
    if name is not None:
        if workspace.checked_name(name) in taken:
            raise AlreadyExists(f"'{name}' is taken: choose another name.")
        return workspace.claim_folder(workspace.runs_folder(), name)
    stem = f"{workspace.name_from(recipe)[:40]}-{datetime.now(UTC):%Y-%m-%d}"
    for number in range(1, _MANY):
        try:
            return workspace.claim_folder(workspace.runs_folder(), f"{stem}-{number}")
        except AlreadyExists:
            continue
    raise AlreadyExists(f"There are {_MANY} runs called '{stem}' today: give this one a name.")


def _runs_in(parent: Path) -> list[Run]:
    if not parent.is_dir():
        return []
    folders = (entry for entry in parent.iterdir() if not entry.name.startswith(".") and entry.is_dir())
    return [run for run in map(_read, folders) if run]


def _read(folder: Path) -> Run | None:
    try:
        config = workspace.read_json(folder / "config.json")
    except (FileNotFoundError, NotADirectoryError, Unreadable):
        return None
    return Run(folder, config, bool(config.get("shipped")))


def _json_if_there(path: Path) -> dict[str, Any] | None:
    try:
        return workspace.read_json(path)
    except FileNotFoundError:
        return None
