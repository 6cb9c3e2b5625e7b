"""One training, at work or ended: how far it is, its curves, and the right thing to do next.

Everything is read from the run's files, so a reload, another tab or a restarted server show the same.
"""

from html import escape
from typing import Any

import pandas as pd
import streamlit as st

from bloodapp.errors import BloodappError
from bloodapp.jobs.job import ACTIVE, request_stop, resume
from bloodapp.runs.run import Run, headline
from bloodapp.train import launch
from bloodapp.train.forecast import memory_total_mib
from bloodapp.train.shortage import cut_off_by_memory
from bloodapp.ui import background, frame, state
from bloodapp.ui.text import ago, duration, percent, plain, time_left
from bloodapp.ui.train import choice, cost, menu, more, run_list, series, words
from bloodapp.ui.train import curves as train_curves
from bloodapp.ui.train import state as train_state

CURVES_EVERY = 5
"""How many looks it takes until the curves are drawn anew."""


def draw(run: Run) -> None:
    """Draw a run; a fragment follows it while it waits or works, and the page is drawn anew when its state changes."""
    before = run.state()
    _head(run, before)
    menu.asked(run, before)

    def follow() -> None:
        status = _status(run)
        if status["state"] != before:
            state.rerun()
        _body(run, status)

    def curves() -> None:
        train_curves.draw(run.metrics(), train_state.best_epoch(run))

    background.live(follow, [run.job], active=before in ACTIVE)
    # They change with an epoch only, and a browser works far harder on them than on all the rest.
    background.live(curves, [run.job], active=before in ACTIVE, times=CURVES_EVERY)
    more.draw(run, before)


def _head(run: Run, state_: str) -> None:
    recipe = run.config["recipe"]
    about = [
        str(recipe.get("title") or run.recipe).partition(":")[0],
        run.made_of,
        run.dataset,
        f"started {ago(run.created)}" if run.created else "",
        run.name if run.title != run.name else "",
    ]
    with st.container(horizontal=True, vertical_alignment="center", key="train-head"):
        st.html(
            f'<div class="run-head"><h2>{escape(run.title)}</h2>{train_state.chip(state_)}'
            f'<div class="quiet">{escape(" · ".join(part for part in about if part))}</div></div>'
        )
        if run.parent:
            st.button(
                "The whole series",
                key="train-parent",
                icon=":material/arrow_upward:",
                on_click=run_list.open_run,
                args=(run.parent,),
            )
        menu.draw(run, state_)
        st.button("New training", on_click=_compose, key="train-compose", icon=":material/add:")


def _compose() -> None:
    state.put_together({"run": None, "train": "new"})


def _status(run: Run) -> dict[str, Any]:
    return {"state": "done"} if run.shipped else run.job.status()


def _body(run: Run, status: dict[str, Any]) -> None:
    if status["state"] in ACTIVE:
        _active(run, status)
        if not run.children and not run.combined and status["state"] != "queued":
            _figures(status, run.metrics(), train_state.best_epoch(run))
    else:
        _ended(run, status)
    if run.children:
        series.draw(run)


def _active(run: Run, status: dict[str, Any]) -> None:
    stopping = run.job.stopping()
    waiting = status["state"] == "queued"
    if stopping:
        said = "Stopping" if run.combined else "Stopping: the best epoch is being kept"
    elif waiting:
        said = "Waiting for its turn; it starts by itself"
    else:
        said = str(status.get("text") or "Starting")
    share = background.share(status) or 0.0
    left = "" if waiting or stopping or share >= 1 else time_left(status.get("eta_s"))
    with st.container(horizontal=True, vertical_alignment="bottom", key="train-progress"):
        st.progress(share, text=plain(" · ".join(part for part in (said, left) if part)))
        if run.parent:
            return  # the series launches it, and is what can be stopped
        label = "Stopping…" if stopping else "Take out" if waiting else "Stop"
        if st.button(
            label,
            key="train-stop",
            disabled=stopping,
            width=110,
            help=None
            if waiting or run.combined
            else "The best epoch so far is kept, and the training can be continued.",
        ):
            request_stop(run.job)
            st.rerun()


def _figures(status: dict[str, Any], metrics: pd.DataFrame, best: int | None) -> None:
    epoch, epochs = status.get("epoch"), status.get("epochs")
    last = metrics.iloc[-1].to_dict() if len(metrics) else {}
    phase = status.get("phase") or last.get("phase")
    shown = [
        ("epoch", f"{epoch} of {epochs}" if epoch and epochs else "–"),
        *([("learning now", words.phase(str(phase)))] if phase else []),
        ("loss", _decimal(status.get("loss", last.get("loss")))),
        ("accuracy", percent(_real(status.get("accuracy", last.get("accuracy"))))),
        ("validation", percent(_real(last.get("val_accuracy")))),
        ("validation, shifted", percent(_real(last.get("val_shifted_accuracy")))),
        ("best so far", _best(metrics, best)),
        ("images/s", f"{status['images_per_s']:,.0f}" if status.get("images_per_s") else "–"),
        ("device", str(status.get("device") or "–")),
        *_memory(status),
    ]
    frame.facts(shown)


def _memory(figures: dict[str, Any]) -> list[tuple[str, str]]:
    """The memory that a training took, of the computer and of its GPU, where it was measured."""
    named = (("memory", "memory_mib"), ("GPU memory", "gpu_memory_mib"))
    return [(name, cost.memory(figures[key])) for name, key in named if figures.get(key)]


def _best(metrics: pd.DataFrame, best: int | None) -> str:
    if best is None or metrics.empty or "val_accuracy" not in metrics:
        return "–"
    row = metrics[metrics["epoch"] == best]
    return f"{percent(_real(row['val_accuracy'].iloc[0]))}, epoch {best}" if len(row) else f"epoch {best}"


def _ended(run: Run, status: dict[str, Any]) -> None:
    """What became of it in plain words, its figures, and the actions that fit."""
    name = status["state"]
    results = headline(run)
    if results and not run.children:
        _results(run, results)
    if read := train_state.read_words(run.report() or {}):
        st.html(f'<p class="quiet">{escape(read)}</p>')
    if name == "failed":
        frame.error(str(status.get("error") or "It did not work; the reason is in its log."))
    elif name in ("stopped", "interrupted") and run.combined:
        how = (
            "Stopped on request"
            if name == "stopped"
            else "Cut off: its process ended before the work was done"
        )
        st.html(f'<p class="said">{how}; it can be started again, and its members are as they were.</p>')
    elif name == "stopped" and run.children:
        st.html('<p class="said">Stopped on request; what has ended is kept. It can be continued.</p>')
    elif name == "stopped":
        kept = "its best epoch is kept" if run.finished else "no epoch was finished yet"
        st.html(f'<p class="said">Stopped on request; {kept}. It can be continued where it stopped.</p>')
    elif name == "interrupted":
        st.html(
            '<p class="said">Cut off: its process ended before the work was done. '
            "Nothing that was finished is lost; it continues after the last whole epoch.</p>"
        )
        if not run.children and (said := cut_off_by_memory(status, memory_total_mib())):
            batch = int(run.config["recipe"].get("batch") or 0)
            status = {**status, "smaller_batch": batch // 2 or None}
            st.html(f'<p class="said" role="alert">{escape(said)}</p>')
    _next(run, status)


def _next(run: Run, status: dict[str, Any]) -> None:
    """The buttons that lead on from a run that has ended."""
    name, smaller = status["state"], status.get("smaller_batch")
    # What was cut off wants to go on; of what ended otherwise one reads what there is.
    go_on = name == "interrupted" or not run.finished
    if name == "done" and not run.finished:
        return
    with st.container(horizontal=True):
        if run.finished and st.button(
            "Read the results",
            type="secondary" if go_on else "primary",
            icon=":material/query_stats:",
            key="train-read",
        ):
            state.choose_run(run.name)
            st.switch_page("pages/4_Evaluate.py", query_params=state.address())
        if name in ("failed", "interrupted") and smaller and not run.parent:
            st.button(
                f"Try with batch {smaller}",
                type="primary" if name == "failed" else "secondary",
                icon=":material/play_arrow:",
                key="train-smaller",
                on_click=_smaller,
                args=(run, int(smaller)),
            )
        if name in ("failed", "stopped", "interrupted") and not run.parent:
            st.button(
                "Try again" if name == "failed" else "Start again" if run.combined else "Continue",
                type="primary" if go_on and not (smaller and name == "failed") else "secondary",
                icon=":material/play_arrow:",
                key="train-continue",
                on_click=_continue,
                args=(run,),
            )


def _results(run: Run, results: dict[str, Any]) -> None:
    report = run.report() or {}
    part = "test" if results["part"] == "test" else "validation"
    noisy = report.get("parts", {}).get(results["part"], {}).get("noisy_accuracy")
    kept = f"epoch {report['best_epoch']} of {report.get('epochs', '?')}" if report.get("best_epoch") else "–"
    pairs = [
        (f"{part} accuracy, clean", percent(results["accuracy"])),
        ("the same images, shifted", percent(results.get("shifted_accuracy"))),
        *([("under white noise", percent(noisy))] if noisy is not None else []),
        *([] if run.combined else [("kept", kept)]),
        ("trained for, together" if run.combined else "time", duration(report.get("seconds"))),
        *(
            [("an answer takes", f"{report.get('asked', 1):,} × one network’s time")]
            if run.combined
            else [("images/s", f"{report['images_per_s']:,.0f}" if report.get("images_per_s") else "–")]
        ),
        ("device", str(report.get("device") or "–")),
        *_memory(report),
        *([("parameters", f"{report['parameters']:,}")] if report.get("parameters") else []),
    ]
    frame.facts(pairs)


def _continue(run: Run) -> None:
    try:
        resume(run.job)
    except BloodappError as error:
        st.toast(plain(str(error)), icon=":material/error:")
    else:
        background.runner().wake()


def _smaller(run: Run, batch: int) -> None:
    try:
        new = launch.again(run, batch=batch)
    except BloodappError as error:
        st.toast(plain(str(error)), icon=":material/error:")
    else:
        choice.show_begun(new)


def _real(value: Any) -> float | None:
    return None if value is None or value != value else float(value)


def _decimal(value: Any) -> str:
    number = _real(value)
    return "–" if number is None else f"{number:.3f}"
