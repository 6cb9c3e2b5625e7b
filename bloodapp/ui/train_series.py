"""A series: its trainings in a table, with the mean and the standard deviation of what they score."""

from html import escape
from statistics import mean, stdev

import streamlit as st

from bloodapp.runs.run import Run, headline
from bloodapp.ui import frame, train_list, train_state
from bloodapp.ui.text import duration, percent


def draw(run: Run) -> None:
    """Draw the trainings of a series."""
    children = run.children
    kind = train_state.series_words(run)
    scores = [headline(child) or {} for child in children]
    clean, shifted = (
        [score[name] for score in scores if score.get(name) is not None]
        for name in ("accuracy", "shifted_accuracy")
    )
    own = headline(run) or {}
    facts = [("clean, each", spread(clean)), ("shifted, each", spread(shifted))]
    if own and run.series == "folds":
        facts = [
            ("together, clean", percent(own.get("accuracy"))),
            ("together, shifted", percent(own.get("shifted_accuracy"))),
            *facts,
        ]
    ended = sum(child.report() is not None for child in children)
    frame.section(kind.capitalize(), f"{ended} of {len(children)} have ended; mean ± standard deviation")
    frame.facts(facts)
    with st.container(key="train-children", gap=None):
        st.html(
            '<div class="child-row run-heading"><span></span><span>training</span><span>state</span>'
            "<span>clean</span><span>shifted</span><span>time</span></div>"
        )
        for number, (child, score) in enumerate(zip(children, scores, strict=True), 1):
            _row(number, child, score)


def spread(values: list[float]) -> str:
    """`96.4 ± 0.3 %`; of one value no spread, a dash without any."""
    if len(values) < 2:
        return percent(values[0] if values else None)
    return f"{100 * mean(values):.1f} ± {100 * stdev(values):.1f} %"


def _row(number: int, child: Run, score: dict) -> None:
    seconds = (child.report() or {}).get("seconds")
    with st.container(horizontal=True, vertical_alignment="center", key=f"child-{child.name}"):
        st.html(
            f'<div class="child-row"><span>{number}</span><span><b>{escape(child.title)}</b></span>'
            f"<span>{train_state.chip(child.state())}</span><span>{percent(score.get('accuracy'))}</span>"
            f"<span>{percent(score.get('shifted_accuracy'))}</span><span>{duration(seconds)}</span></div>"
        )
        st.button(
            "Open",
            key=f"child-open-{child.name}",
            on_click=train_list.open_run,
            args=(child.name,),
            width=72,
        )
