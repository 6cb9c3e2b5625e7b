"""All trainings in a list: what they are, how they ended, what they score; newest first, a page at a time."""

from html import escape

import streamlit as st

from bloodapp.errors import BloodappError
from bloodapp.evaluate import suite
from bloodapp.runs.run import Run, headline
from bloodapp.ui import frame, state
from bloodapp.ui.text import ago, count, percent, plain
from bloodapp.ui.train import state as train_state

CHOSEN = "compare"
"""Where the names of the runs chosen to be compared are kept, and its name in the address."""

SHOWN = 8
"""Rows of a page."""

CORRUPTION_HELP = (
    "Mean corruption error: wrong on average under eleven corruptions, each class counting the same"
)
"""What stands in the column of that name."""

_PAGE = "runs_page"


def draw(runs: list[Run], shown: Run | None) -> None:
    """Draw the list; the run on show is marked."""
    if not runs:
        return
    own = [run for run in runs if not run.shipped]
    ticked = [run.name for run in chosen(runs)]
    with st.container(horizontal=True, vertical_alignment="bottom", key="train-runs-head"):
        frame.section(
            "Runs", count(len(own), "run") if own else "only the one that ships with the app so far"
        )
        _choice(ticked)
    pages = -(-len(runs) // SHOWN)
    page = min(int(state.get(_PAGE) or 0), pages - 1)
    with st.container(key="train-runs", gap=None):
        st.html(
            '<div class="run-row run-heading"><span>run</span><span>dataset</span><span>state</span>'
            f'<span>clean</span><span>shifted</span><span title="{CORRUPTION_HELP}">corruption error</span>'
            "<span>when</span></div>"
        )
        for run in runs[page * SHOWN : (page + 1) * SHOWN]:
            _row(run, here=shown is not None and run.name == shown.name, ticked=run.name in ticked)
    if pages > 1:
        _pages(page, pages, len(runs))


def chosen(runs: list[Run]) -> list[Run]:
    """The runs chosen to be compared, in the order in which they were chosen; names that are gone are passed over."""
    names = [name for name in str(state.get(CHOSEN) or "").split(",") if name]
    known = {run.name: run for run in runs}
    return [known[name] for name in dict.fromkeys(names) if name in known]


def choose(name: str, wanted: bool) -> None:
    """Take a run into the comparison or out of it."""
    names = [one for one in str(state.get(CHOSEN) or "").split(",") if one and one != name]
    left = [*names, name] if wanted else names
    state.put_together({CHOSEN: ",".join(left), **({} if left else {"train": None})})


def open_run(name: str) -> None:
    """Show a run on this page, and choose it for the others."""
    state.put("opened_run", name)
    state.put_together({"run": name, "train": None})


def _choice(names: list[str]) -> None:
    """What can be done with the runs that are ticked."""
    if not names:
        return
    st.button(
        f"Compare {len(names)}" if len(names) > 1 else "Compare",
        key="train-compare",
        disabled=len(names) < 2 or state.get("train") == "compare",
        help="Tick a second run to compare it with." if len(names) < 2 else None,
        on_click=state.put,
        args=("train", "compare"),
    )
    st.button("Untick all", type="tertiary", key="train-untick", on_click=_untick)


def _untick() -> None:
    state.put_together(
        {CHOSEN: None, "train": None if state.get("train") == "compare" else state.get("train")}
    )


def _row(run: Run, *, here: bool, ticked: bool) -> None:
    try:
        condition, scores = run.state(), headline(run)
    except BloodappError as error:
        frame.error(error)
        return
    clean, shifted = (scores or {}).get("accuracy"), (scores or {}).get("shifted_accuracy")
    corrupted = (suite.summary(run) or {}).get("mean_corruption_error", {}).get("value")
    notes = run.notes().strip().replace("\n", " ")
    kind = run.made_of
    sub = " · ".join(part for part in ("trial" if run.trial else "", run.recipe, kind, notes[:80]) if part)
    when = "ships with the app" if run.shipped else ago(run.created)
    with st.container(
        key=f"run-{'here' if here else 'row'}-{run.name}", horizontal=True, vertical_alignment="center"
    ):
        box = f"tick-{run.name}"
        state.show(box, ticked)
        st.checkbox(
            plain(f"Compare {run.title}"),
            key=box,
            label_visibility="collapsed",
            width=28,
            on_change=lambda: choose(run.name, st.session_state[box]),
        )
        st.html(
            f'<div class="run-row"><span><b>{escape(run.title)}</b><small>{escape(sub)}</small></span>'
            f"<span>{escape(run.dataset)}</span><span>{train_state.chip(condition)}</span>"
            f"<span>{percent(clean)}</span><span>{percent(shifted)}</span><span>{percent(corrupted)}</span>"
            f"<span>{escape(when)}</span></div>"
        )
        st.button(
            "Open", key=f"open-{run.name}", on_click=open_run, args=(run.name,), disabled=here, width=72
        )


def _pages(page: int, pages: int, total: int) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="train-pages"):
        for label, target, icon in (
            ("Newer", page - 1, ":material/chevron_left:"),
            ("Older", page + 1, ":material/chevron_right:"),
        ):
            st.button(
                label,
                type="tertiary",
                icon=icon,
                key=f"train-{label.lower()}",
                disabled=not 0 <= target < pages,
                on_click=state.put,
                args=(_PAGE, target),
            )
        first = page * SHOWN
        st.html(
            f'<span class="quiet">{first + 1}–{min(first + SHOWN, total)} of {count(total, "run")}</span>'
        )
