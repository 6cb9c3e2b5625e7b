"""The Train page: set a training up, follow it, come back to it, compare it with others.

It shows one of three things: the form for a new training, one run, or several beside each other. Under it lie the
queue and the list of all runs. What is shown is in the address (`?run=`, `?train=new`, `?train=compare&compare=a,b`);
without it there, a training at work is shown by itself.
"""

from pathlib import Path

from bloodapp.jobs.job import ACTIVE
from bloodapp.runs.run import Run, list_runs
from bloodapp.ui import css, frame, state
from bloodapp.ui.address import told
from bloodapp.ui.augment.pipeline_chips import STYLE as PIPELINE_STYLE
from bloodapp.ui.frame import Here
from bloodapp.ui.train import choice, compare, new, queue, run_list
from bloodapp.ui.train import run as train_run

_STYLE = Path(__file__).with_name("page.css")
NEW, COMPARE = "new", "compare"
_VIEW = "train"

FILTERS = (
    choice.RECIPE,
    choice.CHANGES,
    choice.AUGMENT,
    choice.FROM,
    run_list.CHOSEN,
    _VIEW,
)
"""What the address carries besides dataset and run."""


def draw(here: Here) -> None:
    """Draw the page."""
    choice.take_address(FILTERS)
    if _VIEW not in told():
        # What is on show is never remembered: the back button and links from other pages say it.
        state.put(_VIEW, None)
    state.register("train", FILTERS)
    css.style(PIPELINE_STYLE)
    css.style(_STYLE)
    runs = [run for run in list_runs() if not run.parent]
    compared = run_list.chosen(runs) if state.get(_VIEW) == COMPARE else []
    run = None if compared else shown_run(here, runs)
    if compared:
        compare.draw(compared)
    elif run is not None:
        train_run.draw(run)
    elif here.dataset is not None:
        new.draw(here.dataset)
    else:
        frame.empty(
            "No dataset yet",
            "Training needs labelled images: import a dataset on Home, or begin with the built-in sample.",
            page="app.py",
            label="Choose a dataset",
        )
    queue.draw(run)
    run_list.draw(runs, run)


def shown_run(here: Here, runs: list[Run]) -> Run | None:
    """The run on show: the chosen one (a shipped one only when opened here), else the dataset's own at work."""
    chosen = next((run for run in list_runs() if run.name == state.get("run")), None)
    asked_new = state.get(_VIEW) == NEW
    if (
        chosen is not None
        and not asked_new
        and (not chosen.shipped or state.get("opened_run") == chosen.name)
    ):
        return chosen
    if asked_new or here.dataset is None:
        return None
    mine = [run for run in runs if run.dataset == here.dataset.name and not run.shipped]
    at_work = next((run for run in mine if run.state() in ACTIVE), None)
    if at_work is not None:
        # Chosen from now on: whoever watches it to its end wants to see the end.
        state.choose_run(at_work.name)
    return at_work
