"""The run judged on another labelled dataset, in the background, and what came of it before."""

from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any

import streamlit as st

from bloodapp.data.dataset import list_datasets, open_dataset
from bloodapp.errors import BloodappError
from bloodapp.evaluate import metrics
from bloodapp.evaluate.job import RESULT
from bloodapp.jobs.job import ACTIVE, Job, list_jobs, submit
from bloodapp.runs.origin import learned_from
from bloodapp.runs.run import Run, open_run
from bloodapp.ui import background, frame
from bloodapp.ui.evaluate.reading import PARTS, Reading
from bloodapp.ui.text import ago, count
from bloodapp.workspace import read_json

_FIGURES = {"accuracy": "accuracy", "shifted_accuracy": "shifted", "balanced_accuracy": "balanced"}


def draw(reading: Reading) -> None:
    """Judge the run on another dataset, in the background, and what came of it before."""
    run = reading.run
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
            name = st.selectbox("Images of", others, key="evaluate-other", width=280)
            st.button("Judge", key="evaluate-judge", type="primary", on_click=_judge, args=(run.name, name))
        if warning := _known(reading, str(name)):
            st.html(f'<p class="note">{escape(warning)}</p>')
    jobs = [job for job in list_jobs() if job.kind == "evaluate" and job.params.get("run") == run.name]
    for job in jobs:
        if job.state() != "done":
            background.watch(job, key=f"evaluate-{job.id}")
    results = [(job, result) for job in jobs if job.state() == "done" and (result := _result(job))]
    if results:
        _table(reading, results)


def _table(reading: Reading, results: list[tuple[Job, dict[str, Any]]]) -> None:
    """What came of it, under the run's own part, which it is to be measured by."""
    frame.section("Judged so far", "beside its own images")
    own = f"{escape(reading.run.dataset)}<small>its own {PARTS[reading.part].lower()}</small>"
    rows = [_row(own, _own(reading), "")]
    for job, result in results:
        rows.append(_row(escape(str(result.get("source"))), result, ago(job.status().get("finished"))))
    heads = ("images of", "number", *_FIGURES.values(), "when")
    head = "".join(f"<th>{name}</th>" for name in heads)
    st.html(
        f'<div class="scroll"><table class="figures"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
        '<p class="quiet">In percent, with 95 % intervals. Balanced: each class counts the same.</p>'
    )


def _row(name: str, figures: dict[str, Any], when: str) -> str:
    cells = [f"<td>{name}</td>", f"<td>{figures.get('n', 0):,}</td>"]
    for key in _FIGURES:
        value, low, high = (figures.get(one) for one in (key, f"{key}_low", f"{key}_high"))
        if value is None or low is None or high is None:
            cells.append("<td>–</td>")
        else:
            cells.append(f"<td>{100 * value:.1f}<small>{100 * low:.1f} to {100 * high:.1f}</small></td>")
    return f"<tr>{''.join(cells)}<td>{escape(when)}</td></tr>"


def _own(reading: Reading) -> dict[str, Any]:
    """The figures of the part on show, called as in a result."""
    both, result = reading.comparison, reading.result
    shown = {
        "accuracy": both.clean,
        "balanced_accuracy": metrics.interval(metrics.balanced_accuracy, result.matrix()),
    }
    if result.shifted is not None:
        shown["shifted_accuracy"] = both.shifted
    figures: dict[str, Any] = {"n": len(result)}
    for key, one in shown.items():
        figures |= {key: one.value, f"{key}_low": one.low, f"{key}_high": one.high}
    return figures


def _known(reading: Reading, name: str) -> str:
    """The warning that the run has learned from some of these very images; empty where it has not, or nobody knows."""
    own = reading.dataset
    if own is None:
        return ""
    run = reading.run
    try:
        other = open_dataset(name)
        seen = _learned(str(run.folder), own.name, own.fingerprint, name, other.fingerprint)
    except BloodappError:
        return ""  # a dataset that cannot be read says so when it is judged
    if not seen:
        return ""
    are = "is" if seen == 1 else "are"
    return (
        f"{seen:,} of its {count(len(other), 'image')} {are} among those that this run learned from: the figures will "
        "flatter."
    )


@lru_cache(maxsize=16)
def _learned(folder: str, own: str, own_print: str, other: str, other_print: str) -> int:
    del own_print, other_print  # parts of the key only: a name can be imported anew
    return learned_from(open_run(Path(folder)), open_dataset(own), open_dataset(other))


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


def _result(job: Job) -> dict[str, Any]:
    try:
        result: dict[str, Any] = read_json(job.folder / RESULT)
    except (OSError, BloodappError):
        return {}
    return result
