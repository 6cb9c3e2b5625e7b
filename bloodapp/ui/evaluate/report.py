"""The report of a run to take away: what will stand in it, the file itself, and a model card."""

from html import escape
from pathlib import Path

import streamlit as st

from bloodapp.evaluate import card, report
from bloodapp.evaluate.report import Section
from bloodapp.review.marked import marked
from bloodapp.runs.run import Run
from bloodapp.ui import css, frame, state
from bloodapp.ui.evaluate.reading import PARTS, Reading

FILTERS: tuple[str, ...] = ()
"""Names in the address that this view keeps its choices under."""

STYLE = Path(__file__).with_name("report.css")


def draw(reading: Reading) -> None:
    """Draw the view: two downloads, what the report holds, and the note that goes with it."""
    css.style(STYLE)
    run, part = reading.run, reading.part
    found = report.contents(run, part)
    size = report.weight(run, part) / 1e6
    frame.section(
        "A report to take away",
        f"One HTML file on the {PARTS[part].lower()}, about {size:.0f} MB; it opens in any browser, offline too.",
    )
    _downloads(reading)
    _note(run)
    there = [section for section, missing in found if not missing]
    left_out = [(section, missing) for section, missing in found if missing]
    frame.section("What stands in it", f"{len(there)} of {len(found)} sections")
    st.html(f'<ul class="contents">{"".join(map(_there, there))}</ul>')
    if left_out:
        frame.section("What could stand in it too")
        with st.container(key="report-missing", gap="small"):
            for section, missing in left_out:
                _missing(section, missing)


def _downloads(reading: Reading) -> None:
    run, part, dataset = reading.run, reading.part, reading.dataset
    # Both are written when they are asked for: drawing this view costs nothing.
    with st.container(horizontal=True, key="report-downloads"):
        st.download_button(
            "Download report (.html)",
            lambda: report.report(run, part, marked(dataset) if dataset else None),
            file_name=f"{run.name}-{part}.html",
            mime="text/html",
            key="report-html",
            type="primary",
            icon=":material/download:",
            on_click="ignore",
        )
        st.download_button(
            "Model card (.md)",
            lambda: card.card(run, part),
            file_name=f"{run.name}-{part}.md",
            mime="text/markdown",
            key="report-card",
            icon=":material/description:",
            on_click="ignore",
            help="In Markdown, with the sections of model cards; for a repository or the Hugging Face Hub.",
        )


def _note(run: Run) -> None:
    if run.shipped:
        return
    box = f"report-note-{run.name}"
    st.text_area(
        "Note",
        value=state.show(box, run.notes()),
        key=box,
        placeholder="What you tried and what it showed. Kept with the run, and printed in the report.",
        on_change=lambda: run.write_notes(st.session_state[box]),
        height=90,
    )


def _there(section: Section) -> str:
    return f"<li><b>{escape(section.title)}</b><span>{escape(section.about)}</span></li>"


def _missing(section: Section, missing: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"report-without-{section.key}"):
        st.html(f'<div class="left-out"><b>{escape(section.title)}</b><span>{escape(missing)}</span></div>')
        if section.view:
            st.button(
                "Go there",
                key=f"report-go-{section.key}",
                type="tertiary",
                icon=":material/arrow_forward:",
                on_click=state.put,
                args=("view", section.view),
            )
