"""What state each step of the work is in, in two or three words, read from files only.

Drawn on top of every page and on Home, so it must be cheap: what takes longer than a few
milliseconds is remembered under the things it depends on (file times, the last decision).
"""

from dataclasses import dataclass

from bloodapp.data.dataset import Dataset
from bloodapp.errors import BloodappError
from bloodapp.jobs.job import ACTIVE, Job, list_jobs
from bloodapp.runs.run import Run, headline, latest_run, list_runs
from bloodapp.ui.standing import findings_stamp, judged
from bloodapp.ui.text import count

PAGES = {
    "Home": "app.py",
    "Review": "pages/1_Review.py",
    "Augment": "pages/2_Augment.py",
    "Train": "pages/3_Train.py",
    "Evaluate": "pages/4_Evaluate.py",
    "Classify": "pages/5_Classify.py",
}
"""The script of each page, in the order of the work."""


@dataclass(frozen=True)
class Step:
    """One step of the work.

    Attributes:
        page: script of its page, as `st.page_link` takes it.
        title: name of the step, which is the page's title.
        state: two or three words, `38 open`.
        detail: one sentence for Home.
        mood: `done`, `todo`, `busy`, `attention` (something ended badly) or `waiting` (for an earlier step).
    """

    page: str
    title: str
    state: str
    detail: str
    mood: str


def steps(dataset: Dataset | None, run: Run | None) -> tuple[Step, ...]:
    """The six steps for a dataset and a run, Home first."""
    jobs = [(job, job.status()) for job in list_jobs()]
    return (
        _home(dataset, jobs),
        _review(dataset, jobs),
        _augment(dataset, run),
        _train(dataset, jobs),
        _evaluate(_counted(dataset, run)),
        _classify(run),
    )


def next_step(line: tuple[Step, ...]) -> Step:
    """The first step that waits for the user; Classify when all is done.

    Work that runs or went wrong comes first. Augment is a choice, never a must; an import beside a
    dataset that is there keeps nobody waiting.
    """
    for mood in ("attention", "busy", "todo"):
        for step in line:
            if step.mood == mood and (step.title, mood) not in (("Augment", "todo"), ("Home", "busy")):
                return step
    return line[-1]


def open_cards(dataset: Dataset) -> int | None:
    """How many cards of the review queue are open; None before the first scan."""
    if not findings_stamp(dataset):
        return None
    from bloodapp.ui.review.reading import still_open  # reads tables, which a page without findings need not

    try:
        return still_open(dataset)
    except BloodappError:  # damaged: Review says so, and a new scan mends it
        return None


def _home(dataset: Dataset | None, jobs: list[tuple[Job, dict]]) -> Step:
    for job, status in jobs:
        if job.kind == "import" and status["state"] in ACTIVE:
            return _step("Home", f"importing{_share(status)}", f"{job.title} is being imported.", "busy")
    if dataset is None:
        return _step("Home", "no dataset", "Import a dataset, or begin with the built-in sample.", "todo")
    number = count(len(dataset), "image")
    return _step("Home", number, f"'{dataset.name}' holds {number}.", "done")


def _review(dataset: Dataset | None, jobs: list[tuple[Job, dict]]) -> Step:
    title = "Review"
    if dataset is None:
        return _step(title, "waiting", "Needs a dataset.", "waiting")
    for job, status in jobs:
        if job.kind == "scan" and job.params.get("dataset") == dataset.name and status["state"] in ACTIVE:
            return _step(
                title, f"scanning{_share(status)}", "The detectors are looking at every image.", "busy"
            )
    number = open_cards(dataset)
    if number is None:
        return _step(title, "not scanned", "Let the detectors look for what does not belong.", "todo")
    if number:
        return _step(title, f"{number:,} open", f"{count(number, 'finding')} to decide.", "todo")
    now = judged(dataset)
    bare = int((now.included & (now.labels < 0)).sum())
    if bare:
        return _step(
            title, f"{bare:,} to label", f"{count(bare, 'image has', 'images have')} no label yet.", "todo"
        )
    gone = len(dataset) - len(now.indices)
    return _step(title, "all decided", f"Every finding is decided; {count(gone, 'image')} left out.", "done")


def _augment(dataset: Dataset | None, run: Run | None) -> Step:
    title = "Augment"
    if dataset is None:
        return _step(title, "waiting", "Needs a dataset.", "waiting")
    recipe = run.config.get("recipe", {}) if run is not None and not run.shipped else {}
    pipeline = str(recipe.get("pipeline") or "")
    if pipeline and len(pipeline) <= 14:
        return _step(title, pipeline, f"The last run was trained with '{pipeline}'.", "done")
    return _step(title, "try it out", "See what a pipeline does to your own images before it trains.", "todo")


def _train(dataset: Dataset | None, jobs: list[tuple[Job, dict]]) -> Step:
    title = "Train"
    if dataset is None:
        return _step(title, "waiting", "Needs a dataset.", "waiting")
    own = [run for run in list_runs() if run.dataset == dataset.name and not run.shipped and not run.parent]
    folders = {run.folder for run in own}
    mine = [(job, status) for job, status in jobs if job.folder in folders]
    for _, status in mine:
        if status["state"] == "running":
            return _step(title, f"running{_share(status)}", "A training runs in the background.", "busy")
    for _, status in mine:
        if status["state"] == "queued":
            return _step(title, "queued", "A training waits for its turn.", "busy")
    last = mine[0][1]["state"] if mine else ""
    if last in ("interrupted", "failed"):
        said = "failed" if last == "failed" else "was cut off"
        return _step(title, last, f"The last training {said}.", "attention")
    done = sum(status["state"] in ("done", "stopped") for _, status in mine)
    if done:
        return _step(title, count(done, "run"), f"{count(done, 'training')} of this dataset.", "done")
    return _step(title, "no run yet", "One click trains the default recipe on what remains.", "todo")


def _evaluate(run: Run | None) -> Step:
    title = "Evaluate"
    figures = _headline(run)
    if run is None or figures is None:
        return _step(title, "no run yet", "Needs a finished run.", "waiting")
    clean, shifted = figures.get("accuracy"), figures.get("shifted_accuracy")
    if clean is None:
        return _step(title, "not measured", "The run has no figures yet.", "waiting")
    state = f"{100 * clean:.1f}" + (f" / {100 * shifted:.1f}" if shifted is not None else "")
    part = {"val": "validation", "test": "test"}.get(str(figures.get("part")), "unseen")
    detail = f"'{run.name}': {100 * clean:.1f} % on clean {part} images"
    if shifted is not None:
        detail += f", {100 * shifted:.1f} % under a realistic shift"
    return _step(title, state, detail + ".", "done")


def _counted(dataset: Dataset | None, run: Run | None) -> Run | None:
    """The run whose figures count: not a quick trial while the dataset has another."""
    if run is None or dataset is None or not run.trial:
        return run
    other = latest_run(dataset.name)
    return run if other is None or other.trial else other


def _classify(run: Run | None) -> Step:
    if run is None:
        return _step("Classify", "needs a run", "Needs a finished run.", "waiting")
    return _step("Classify", "ready", f"Drop an image: '{run.name}' says what it is.", "done")


def _step(title: str, state: str, detail: str, mood: str) -> Step:
    return Step(PAGES[title], title, state, detail, mood)


def _share(status: dict) -> str:
    total = status.get("total") or 0
    return f" {100 * (status.get('done') or 0) / total:.0f} %" if total else ""


def _headline(run: Run | None) -> dict | None:
    if run is None:
        return None
    try:
        return headline(run) or None
    except (BloodappError, OSError, KeyError):
        return None
