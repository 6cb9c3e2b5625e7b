"""The frame around every page: page settings, menu, choosers, the line of steps, the strip of jobs."""

import gc
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from bloodapp import __version__
from bloodapp.data.dataset import Dataset, list_datasets
from bloodapp.runs.run import Run, list_runs
from bloodapp.ui import background, css, dialogs, imports, state
from bloodapp.ui.steps import PAGES, Step, steps
from bloodapp.ui.text import plain

NAME = "bloodapp"
_FOLDER = Path(__file__).parent
_STYLE = _FOLDER / "style.css"
_LOGO = _FOLDER / "logo.svg"
_ICON = _FOLDER / "icon.png"

# With an entry of ours Streamlit shows its small menu, where one chooses between light and dark.
_ABOUT = f"""**{NAME} {__version__}**: label, clean, train and judge blood-cell classifiers on your own computer.

Apache-2.0. The starter model was trained on images of A. Acevedo et al., Data in Brief 30, 105474 (2020), CC BY 4.0."""
_SIDEBAR_WIDTH = 232
_FEW_MODULES = 50
_LONGEST = 60  # letters of a name that an address may hold and that are said back
_modules = 0
_ICONS = {
    "Home": ":material/home:",
    "Review": ":material/rule:",
    "Augment": ":material/auto_awesome_motion:",
    "Train": ":material/model_training:",
    "Evaluate": ":material/query_stats:",
    "Classify": ":material/center_focus_strong:",
}


@dataclass(frozen=True)
class Here:
    """What a page works on.

    Attributes:
        dataset: the chosen dataset, or None when there is none.
        run: the chosen or latest finished run, or None when there is none.
        steps: the six steps with their states, Home first.
    """

    dataset: Dataset | None
    run: Run | None
    steps: tuple[Step, ...]


def page(
    title: str,
    *,
    intro: str = "",
    own_heading: bool = False,
    needs_dataset: bool = False,
    needs_run: bool = False,
) -> Here:
    """Begin a page; the first call of every page script.

    Args:
        title: the page's title, one of the six.
        intro: one quiet sentence under the title; plain text.
        own_heading: the page draws its own heading.
        needs_dataset: without a dataset, say what to do next and stop the script.
        needs_run: show the run chooser; without a finished run, say what to do next and stop the script.
    """
    _lighten()
    state.enter(title)
    st.set_page_config(
        page_title=f"{title} · {NAME}",
        page_icon=str(_ICON),
        layout="wide",
        initial_sidebar_state=_SIDEBAR_WIDTH,
        menu_items={"About": _ABOUT},
    )
    css.style(_STYLE)
    st.logo(str(_LOGO), size="large")
    background.runner()
    imports.first_start()
    imports.adopt_finished()
    dataset = state.chosen_dataset()
    run = state.chosen_run(dataset)
    line = steps(dataset, run)
    with st.sidebar:
        _menu()
        _dataset_chooser(dataset)
        if needs_run:
            _run_chooser(run)
        st.button(
            "Import a dataset",
            key="import",
            type="tertiary",
            icon=":material/add:",
            on_click=dialogs.show,
            args=(imports.DIALOG,),
        )
        if dialogs.drawn(imports.DIALOG):
            imports.dialog()
        background.job_strip()
    _line_of_steps(line, title)
    _missed(dataset, run, run_shown=needs_run)
    stops = (needs_dataset and dataset is None) or (needs_run and run is None)
    if stops or not own_heading:
        heading(title, intro)
    if needs_dataset and dataset is None:
        empty(
            "No dataset yet",
            "This page works on a dataset: import one on Home, or begin with the built-in sample.",
            page="app.py",
            label="Choose a dataset",
        )
        st.stop()
    if needs_run and run is None:
        empty(
            "No finished run yet",
            "This page shows what a trained model does: train one first, it takes one click.",
            page="pages/3_Train.py",
            label="Train a model",
        )
        st.stop()
    return Here(dataset, run, line)


def _lighten() -> None:
    """Take what was loaded since the last page out of the garbage collector's sight.

    Streamlit collects after every run of a script, which beside TensorFlow takes most of a second, with the page and
    every other tab waiting; modules stay anyhow.
    """
    global _modules
    if len(sys.modules) > _modules + _FEW_MODULES:
        _modules = len(sys.modules)
        gc.freeze()


def heading(title: str, intro: str = "") -> None:
    """The page's title and its one quiet sentence."""
    quiet = f"<p>{escape(intro)}</p>" if intro else ""
    st.html(f'<header class="heading"><h1>{escape(title)}</h1>{quiet}</header>')


def section(title: str, note: str = "") -> None:
    """A section's title with a quiet note beside it."""
    quiet = f"<span>{escape(note)}</span>" if note else ""
    st.html(f'<div class="section"><h2>{escape(title)}</h2>{quiet}</div>')


def columns(key: str, spec: Sequence[int]) -> list[DeltaGenerator]:
    """Columns that stand below each other on a narrow screen; `key` is unique on the page."""
    with st.container(key=f"stack-{key}"):
        return list(st.columns(spec, gap="large"))


def facts(pairs: "list[tuple[str, str]]") -> None:
    """A row of named figures, quiet and even: (name, value) as plain text."""
    cells = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in pairs)
    st.html(f'<dl class="facts">{cells}</dl>')


def empty(title: str, text: str, *, page: str | None = None, label: str = "") -> None:
    """An empty state: what is missing, what to do next, and a link there."""
    with st.container(key=f"empty-{title.lower().replace(' ', '-')}", border=True):
        st.html(f'<div class="empty"><h2>{escape(title)}</h2><p>{escape(text)}</p></div>')
        if page:
            link(page, label or "Go there")


def error(problem: Exception | str) -> None:
    """One clear sentence about what went wrong and what to do."""
    st.error(plain(str(problem)), icon=":material/error:")


def link(page: str, label: str, icon: str | None = None) -> None:
    """A link to another page that carries the dataset and the run on."""
    st.page_link(page, label=label, icon=icon, query_params=state.address())


def _missed(dataset: Dataset | None, run: Run | None, *, run_shown: bool) -> None:
    """A link to what is not here (any more) shows something else: which, in a sentence."""
    on_show = {"dataset": dataset, "run": run if run_shown else None}
    said = []
    for kind, asked in state.missed(dataset, run).items():
        shown = on_show[kind]
        name = asked if len(asked) <= _LONGEST else asked[: _LONGEST - 1] + "…"
        instead = f"; this is '{shown.name}'" if shown else ""
        said.append(f"There is no {kind} '{name}' any more{instead}.")
    if said:
        st.html(f'<p class="missed" role="status">{escape(" ".join(said))}</p>')


def _menu() -> None:
    with st.container(key="menu", gap=None):
        for title, path in PAGES.items():
            link(path, title, _ICONS[title])


def _dataset_chooser(dataset: Dataset | None) -> None:
    names = list_datasets()
    if dataset is None or not names:
        return
    st.session_state["dataset-box"] = dataset.name
    st.selectbox(
        "Dataset",
        names,
        key="dataset-box",
        on_change=lambda: state.choose_dataset(st.session_state["dataset-box"]),
    )


def _run_chooser(run: Run | None) -> None:
    # Neither a fold, which answers together with others, nor repeats, of which each is a network of its own.
    whole = [one for one in list_runs() if not one.parent and one.series != "repeats"]
    names = [one.name for one in whole if one.state() == "done" or one.report() is not None]
    if run is None or not names:
        return
    if run.name not in names:
        names.insert(0, run.name)
    st.session_state["run-box"] = run.name
    st.selectbox("Run", names, key="run-box", on_change=lambda: state.choose_run(st.session_state["run-box"]))


def _line_of_steps(line: tuple[Step, ...], current: str) -> None:
    with st.container(key="steps", horizontal=True, gap=None):
        for step in line:
            with st.container(key=f"step-{step.title.lower()}-{step.mood}", gap=None):
                here = step.title == current
                name = f"**{step.title}**" if here else step.title
                link(step.page, f"{name} :small[{plain(step.state)}]")
