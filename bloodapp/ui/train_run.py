"""One training, at work or ended: how far it is, its curves, and the right thing to do next.

Everything is read from the run's files, so a reload, another tab or a restarted server show the same.
"""

from html import escape
from typing import Any

import pandas as pd
import streamlit as st

from bloodapp import workspace
from bloodapp.augment.pipelines import resolve
from bloodapp.charts.curves import learning_curve
from bloodapp.charts.style import CONFIG
from bloodapp.errors import BloodappError, PipelineError
from bloodapp.jobs.job import ACTIVE, request_stop, resume
from bloodapp.runs.run import Run, delete_run, headline
from bloodapp.ui import background, frame, state
from bloodapp.ui.pipeline_chips import chips
from bloodapp.ui.text import ago, duration, percent, plain, time_left

STATES = {
    "queued": "waiting",
    "running": "training",
    "done": "done",
    "failed": "failed",
    "stopped": "stopped",
    "interrupted": "interrupted",
}
"""A run's states as people read them."""


def draw(run: Run) -> None:
    """Draw a run; a fragment follows it while it waits or works, and the page is drawn anew when its state changes."""
    before = run.state()
    _head(run, before)

    def follow() -> None:
        status = _status(run)
        if status["state"] != before:
            st.rerun()
        _body(run, status)

    background.live(follow, active=before in ACTIVE)
    _more(run, before)


def chip(state_: str) -> str:
    """A run's state as a small coloured word, HTML."""
    return f'<span class="run-state {escape(state_)}">{escape(STATES.get(state_, state_))}</span>'


def best_epoch(run: Run) -> int | None:
    """The epoch whose weights are kept so far, counted from 1; None before the first has ended."""
    report = run.report()
    if report and report.get("best_epoch"):
        return int(report["best_epoch"])
    try:
        kept = workspace.read_json(run.folder / "checkpoints" / "state.json").get("best_epoch")
    except (OSError, BloodappError):
        return None
    return int(kept) if kept else None


def _head(run: Run, state_: str) -> None:
    recipe = run.config["recipe"]
    about = [
        str(recipe.get("title") or run.recipe).partition(":")[0],
        run.dataset,
        f"started {ago(run.created)}" if run.created else "",
    ]
    with st.container(horizontal=True, vertical_alignment="center", key="train-head"):
        st.html(
            f'<div class="run-head"><h2>{escape(run.title)}</h2>{chip(state_)}'
            f'<div class="quiet">{escape(" · ".join(part for part in about if part))}</div></div>'
        )
        st.button("New training", on_click=_compose, key="train-compose", icon=":material/add:")


def _compose() -> None:
    state.choose_run(None)
    state.put("new_training", True)


def _status(run: Run) -> dict[str, Any]:
    return {"state": "done"} if run.shipped else run.job.status()


def _body(run: Run, status: dict[str, Any]) -> None:
    metrics = run.metrics()
    best = best_epoch(run)
    if status["state"] in ACTIVE:
        _active(run, status)
        _figures(status, metrics, best)
    else:
        _ended(run, status)
    _curves(metrics, best)


def _active(run: Run, status: dict[str, Any]) -> None:
    stopping = run.job.stopping()
    waiting = status["state"] == "queued"
    if stopping:
        said = "Stopping: the best epoch is being kept"
    elif waiting:
        said = "Waiting for its turn; it starts by itself"
    else:
        said = str(status.get("text") or "Starting")
    share = background.share(status) or 0.0
    left = "" if waiting or stopping or share >= 1 else time_left(status.get("eta_s"))
    bar, button = st.columns([7, 1], vertical_alignment="bottom")
    bar.progress(share, text=plain(" · ".join(part for part in (said, left) if part)))
    label = "Stopping…" if stopping else "Take out" if waiting else "Stop"
    if button.button(
        label,
        key="train-stop",
        disabled=stopping,
        width="stretch",
        help="The best epoch so far is kept, and the training can be continued." if not waiting else None,
    ):
        request_stop(run.job)
        st.rerun()


def _figures(status: dict[str, Any], metrics: pd.DataFrame, best: int | None) -> None:
    epoch, epochs = status.get("epoch"), status.get("epochs")
    last = metrics.iloc[-1].to_dict() if len(metrics) else {}
    shown = [
        ("epoch", f"{epoch} of {epochs}" if epoch and epochs else "–"),
        ("loss", _decimal(status.get("loss", last.get("loss")))),
        ("accuracy", percent(_real(status.get("accuracy", last.get("accuracy"))))),
        ("validation", percent(_real(last.get("val_accuracy")))),
        ("validation, shifted", percent(_real(last.get("val_shifted_accuracy")))),
        ("best so far", _best(metrics, best)),
        ("images/s", f"{status['images_per_s']:,.0f}" if status.get("images_per_s") else "–"),
        ("device", str(status.get("device") or "–")),
    ]
    frame.facts(shown)


def _best(metrics: pd.DataFrame, best: int | None) -> str:
    if best is None or metrics.empty or "val_accuracy" not in metrics:
        return "–"
    row = metrics[metrics["epoch"] == best]
    return f"{percent(_real(row['val_accuracy'].iloc[0]))}, epoch {best}" if len(row) else f"epoch {best}"


def _ended(run: Run, status: dict[str, Any]) -> None:
    """What became of it in plain words, its figures, and the actions that fit."""
    name = status["state"]
    results = headline(run)
    if results:
        _results(run, results)
    if name == "failed":
        frame.error(str(status.get("error") or "It did not work; the reason is in its log."))
    elif name == "stopped":
        kept = "its best epoch is kept" if run.finished else "no epoch was finished yet"
        st.html(f'<p class="said">Stopped on request; {kept}. It can be continued where it stopped.</p>')
    elif name == "interrupted":
        st.html(
            '<p class="said">Cut off: its process ended before the work was done. '
            "Nothing that was finished is lost; it continues after the last whole epoch.</p>"
        )
    with st.container(horizontal=True):
        icon = ":material/query_stats:"
        # What was cut off wants to go on; of what ended otherwise one reads what there is.
        go_on = name == "interrupted" or not run.finished
        if run.finished and st.button(
            "Read the results", type="secondary" if go_on else "primary", icon=icon, key="train-read"
        ):
            state.choose_run(run.name)
            st.switch_page("pages/4_Evaluate.py", query_params=state.address())
        if name in ("failed", "stopped", "interrupted"):
            st.button(
                "Try again" if name == "failed" else "Continue",
                type="primary" if go_on else "secondary",
                icon=":material/play_arrow:",
                key="train-continue",
                on_click=_continue,
                args=(run,),
            )


def _results(run: Run, results: dict[str, Any]) -> None:
    report = run.report() or {}
    part = "test" if results["part"] == "test" else "validation"
    pairs = [
        (f"{part} accuracy, clean", percent(results["accuracy"])),
        ("the same images, shifted", percent(results.get("shifted_accuracy"))),
        (
            "kept",
            f"epoch {report['best_epoch']} of {report.get('epochs', '?')}"
            if report.get("best_epoch")
            else "–",
        ),
        ("time", duration(report.get("seconds"))),
        ("images/s", f"{report['images_per_s']:,.0f}" if report.get("images_per_s") else "–"),
        ("device", str(report.get("device") or "–")),
    ]
    frame.facts(pairs)


def _continue(run: Run) -> None:
    try:
        resume(run.job)
    except BloodappError as error:
        st.toast(plain(str(error)), icon=":material/error:")
    else:
        background.runner().wake()


def _curves(metrics: pd.DataFrame, best: int | None) -> None:
    if len(metrics) < 2:
        return
    with st.container(key="train-curves"):
        left, right = st.columns(2, gap="large")
    epochs = metrics["epoch"].tolist()
    has_shifted = "val_shifted_accuracy" in metrics
    for column, name in ((left, "loss"), (right, "accuracy")):
        figure = learning_curve(
            epochs,
            _column(metrics, name),
            _column(metrics, f"val_{name}"),
            shifted=_column(metrics, "val_shifted_accuracy") if name == "accuracy" and has_shifted else None,
            name=name,
            best_epoch=best,
            share=name == "accuracy",
        )
        column.plotly_chart(figure, key=f"train-curve-{name}", config=CONFIG)


def _column(metrics: pd.DataFrame, name: str) -> list[float | None]:
    if name not in metrics:
        return [None] * len(metrics)
    return [_real(value) for value in metrics[name].tolist()]


def _more(run: Run, before: str) -> None:
    """The notes, the recipe as it was, and the log, which comes first for a run that failed."""
    first = "Log" if before == "failed" else "Notes"
    notes, settings, log = st.tabs(["Notes", "Settings", "Log"], default=first, key=f"train-more-{run.name}")
    with notes:
        _notes(run)
    with settings:
        fields = {name: value for name, value in run.config["recipe"].items() if name not in ("title", "why")}
        named = fields.pop("pipeline", "none")
        try:
            # The text as it was when the run began: a saved name may mean something else by now.
            st.html(chips(resolve(str(run.config.get("pipeline") or named))))
        except PipelineError as error:
            frame.error(error)
        frame.facts([(name.replace("_", " "), _plainly(value)) for name, value in fields.items()])
    with log:
        text = "" if run.shipped else run.job.log()
        st.code(
            text or "Nothing written yet.", language=None, height=260 if text.count("\n") > 10 else "content"
        )


def _notes(run: Run) -> None:
    key = f"notes-{run.name}"
    st.text_area(
        "Notes",
        run.notes(),
        key=key,
        label_visibility="collapsed",
        placeholder="What you tried and what it showed. Kept with the run.",
        disabled=run.shipped,
        on_change=lambda: run.write_notes(st.session_state[key]),
    )


def delete(run: Run) -> None:
    """Delete a run and go back to the form."""
    try:
        delete_run(run)
    except BloodappError as error:
        frame.error(error)
    else:
        state.choose_run(None)
        st.toast(plain(f"{run.name} is deleted."))
        st.rerun()


def _real(value: Any) -> float | None:
    return None if value is None or value != value else float(value)


def _decimal(value: Any) -> str:
    number = _real(value)
    return "–" if number is None else f"{number:.3f}"


def _plainly(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
