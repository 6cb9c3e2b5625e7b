"""The run judged on another labelled dataset, in the background, and what came of it before."""

from html import escape
from typing import Any

import streamlit as st

from bloodapp.data.dataset import list_datasets, open_dataset
from bloodapp.errors import BloodappError
from bloodapp.evaluate.job import RESULT
from bloodapp.jobs.job import ACTIVE, Job, list_jobs, submit
from bloodapp.runs.run import Run
from bloodapp.ui import background, frame
from bloodapp.ui.text import ago
from bloodapp.workspace import read_json


def draw(run: Run) -> None:
    """Judge the run on another dataset, in the background, and what came of it before."""
    others = [name for name in list_datasets() if _other(run, name)]
    frame.section("Judge it on other images", "Clean and under the same seeded shift; in the background.")
    if not run.model_path.exists():
        st.html('<p class="quiet">This run has no model to ask.</p>')
    elif not others:
        frame.empty(
            "No other dataset",
            "Import images that this run has not learned from: another slide, another microscope, a test set.",
            page="app.py",
            label="Import a dataset",
        )
    else:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            name = st.selectbox("Dataset", others, key="evaluate-other", width=280)
            st.button("Judge", key="evaluate-judge", type="primary", on_click=_judge, args=(run.name, name))
    jobs = [job for job in list_jobs() if job.kind == "evaluate" and job.params.get("run") == run.name]
    for job in jobs:
        if job.state() != "done":
            background.watch(job, key=f"evaluate-{job.id}")
    rows = [_result_row(job) for job in jobs if job.state() == "done"]
    if rows := [row for row in rows if row]:
        heads = ("images of", "number", "accuracy", "shifted", "balanced", "when")
        head = "".join(f"<th>{name}</th>" for name in heads)
        st.html(
            f'<div class="scroll"><table class="figures"><thead><tr>{head}</tr></thead>'
            f"<tbody>{''.join(rows)}</tbody></table></div>"
        )


def _other(run: Run, name: str) -> bool:
    try:
        return open_dataset(name).fingerprint != run.config["fingerprint"]
    except BloodappError:
        return False


def _judge(run: str, source: str) -> None:
    busy = [j for j in list_jobs() if j.kind == "evaluate" and j.state() in ACTIVE]
    if any(j.params.get("run") == run and j.params.get("source") == source for j in busy):
        return
    submit("evaluate", {"run": run, "source": source}, title=f"Judge {run} on {source}")
    background.runner()


def _result_row(job: Job) -> str:
    try:
        result: dict[str, Any] = read_json(job.folder / RESULT)
    except (OSError, BloodappError):
        return ""
    cells = [f"<td>{escape(str(result.get('source')))}</td>", f"<td>{result.get('n', 0):,}</td>"]
    for name in ("accuracy", "shifted_accuracy", "balanced_accuracy"):
        figures = [result.get(key) for key in (name, f"{name}_low", f"{name}_high")]
        value, low, high = (f"{100 * figure:.1f}" if figure is not None else "–" for figure in figures)
        cells.append(f"<td>{value}<small>{low} to {high}</small></td>")
    cells.append(f"<td>{escape(ago(job.status().get('finished')))}</td>")
    return f"<tr>{''.join(cells)}</tr>"
